"""A checked expression: what `check` gives, and everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..types import Type
from .flow import Span
from .scope import STORED, Scope
from .tree import Node, Now, path_of, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """An expression as a function of the values known by name, the environment, and the variables."""

    function: Callable[..., Any]
    #: Of a watched function: what to tell of each leaf.
    leaves: tuple[Any, ...]
    #: Whether it calls tables.
    calls: bool


class Compiled:
    """What was made of an expression so far to evaluate it faster: it says nothing that the tree does not.

    Two threads may both make it; they make the same.
    """

    __slots__ = ("calls", "evaluations", "leaves", "plain", "plans", "watched")

    def __init__(self) -> None:
        #: How often it was evaluated without, as long as that may change.
        self.evaluations = 0
        #: The functions that `generate` made.
        self.plain: Callable[..., Any] | None = None
        self.watched: Callable[..., Any] | None = None
        #: What the text tells of each leaf, by where it starts.
        self.plans: dict[int, Any] = {}
        #: Of the watched function: what to tell of each leaf.
        self.leaves: tuple[Any, ...] = ()
        #: Whether tables are called.
        self.calls = False

    def __reduce__(self) -> tuple[type[Compiled], tuple[()]]:
        """Copy and pickle as new: functions are neither."""
        return Compiled, ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An expression that may be evaluated."""

    text: str
    root: Node
    type: Type
    #: Dotted paths of the stored values that are read, through defines and tables too; `now` where the instant counts.
    reads: frozenset[str]
    #: Optional paths read unguarded, each with the span of the reading: their absence can make the value unknown.
    misses: Mapping[str, Span] = field(hash=False)
    #: Optional paths that are there whenever this is true, or false.
    ensures_true: frozenset[str]
    ensures_false: frozenset[str]
    compiled: Compiled = field(default_factory=Compiled, init=False, repr=False, compare=False)

    @property
    def may_miss(self) -> frozenset[str]:
        """Optional paths whose absence can make the value unknown."""
        return frozenset(self.misses)


def reads_of(root: Node, scope: Scope) -> frozenset[str]:
    """Return the stored paths that an expression reads, through defines and tables too, and `now`."""
    found: set[str] = set()
    for source in sources(root):
        path = path_of(source)
        declared = scope.find(path.partition(".")[0])
        if isinstance(source, Now):
            found.add("now")
        elif declared is None:
            continue
        elif declared.kind in STORED:
            found.add(path)
        else:
            found |= declared.reads
    return frozenset(found)
