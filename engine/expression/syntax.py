"""The syntax tree: an expression as it was written, with the span of every part.

Spans are offsets in characters of the text, the end exclusive. Macros are calls here; `check` expands them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Literal:
    """`true`, `42`, `1.50` or `"text"`; spans are offsets in characters, the end exclusive."""

    value: bool | int | Fraction | str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Select:
    """`of.field`; the field's own span is [field_start, end)."""

    of: Expr
    field: str
    field_start: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """`of[index]`."""

    of: Expr
    index: Expr
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)` or `receiver.name(arguments)`; a macro looks the same."""

    name: str
    name_start: int
    receiver: Expr | None
    arguments: tuple[Expr, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator and what it stands between; `&&` and `||` have two operands or more."""

    operator: str
    operands: tuple[Expr, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expr, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{"key": value}`."""

    entries: tuple[tuple[Expr, Expr], ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RecordLiteral:
    """`name{field: value}`; a field comes with the offset of its name."""

    name: str
    fields: tuple[tuple[str, int, Expr], ...]
    start: int
    end: int


Expr = (
    Literal
    | Name
    | Select
    | Index
    | Call
    | Operation
    | Conditional
    | ListLiteral
    | MapLiteral
    | RecordLiteral
)


def children(expr: Expr) -> Iterator[Expr]:
    """Yield the parts of an expression, left to right."""
    match expr:
        case Select():
            yield expr.of
        case Index():
            yield expr.of
            yield expr.index
        case Call():
            if expr.receiver is not None:
                yield expr.receiver
            yield from expr.arguments
        case Operation():
            yield from expr.operands
        case Conditional():
            yield from (expr.condition, expr.then, expr.otherwise)
        case ListLiteral():
            yield from expr.items
        case MapLiteral():
            for key, value in expr.entries:
                yield from (key, value)
        case RecordLiteral():
            yield from (value for _, _, value in expr.fields)
