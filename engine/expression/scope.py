"""What names mean where an expression stands: the checker asks, whoever compiles a policy answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..types import Type
from ..values import Value

Kind = Literal[
    "fact",
    "param",
    "moment",
    "window",
    "table",
    "define",
    "record",
    "payout",
    "leg",
    "lookup",
    "balance",
    "variable",
]

#: Kinds whose own dotted path is what is read; the others are computed from facts, which `Declared.reads` names.
STORED: frozenset[str] = frozenset({"fact", "record", "payout", "leg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a name stands for."""

    #: Optional where the value may be missing.
    type: Type
    kind: Kind
    #: Optional paths whose absence can make the value unknown; of a fact that is optional itself, its name.
    may_miss: frozenset[str] = frozenset()
    #: Of a table with several outputs: by output, the optional paths whose absence can make that one unknown besides.
    outputs_may_miss: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Paths of the facts it reads, through defines, tables and moments.
    reads: frozenset[str] = frozenset()
    #: Of a table with parameters: their types. It is called as a function.
    parameters: tuple[Type, ...] | None = None
    #: Of a param: its value, known before any case is.
    literal: Value | None = None
    #: Of a condition: optional paths that are there whenever it is true, or false.
    ensures_true: frozenset[str] = frozenset()
    ensures_false: frozenset[str] = frozenset()


class Scope(Protocol):
    """The names that an expression may use."""

    def find(self, name: str) -> Declared | None:
        """Return what a name stands for, or None."""

    def names(self) -> Iterable[str]:
        """Return every name, for did-you-mean."""

    def find_type(self, name: str) -> Type | None:
        """Return a type by its name: a record, for `tender{…}`, or the enum `reason`, for `window.reason`."""

    def type_names(self) -> Iterable[str]:
        """Return the name of every record type, for did-you-mean."""
