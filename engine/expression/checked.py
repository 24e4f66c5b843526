"""A checked expression: what `check` gives, and everything else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..types import Type
from .flow import Span
from .scope import STORED, Scope
from .tree import Node, Now, path_of, sources


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
