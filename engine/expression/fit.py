"""Which value fits where: the few conversions of the profile, and how literals take the type that is due.

An int is a decimal where one is due, an enum value is a text, `0` is money of any currency, and a quoted text is a
value of the enum that it is compared with. Nothing else is converted silently.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from ..diagnostics import did_you_mean
from ..money import Money
from ..types import (
    DECIMAL,
    HOLE,
    INT,
    TEXT,
    EnumType,
    Hole,
    ListType,
    MapType,
    MoneyType,
    RecordType,
    ScalarType,
    Type,
    required,
)
from .tokens import quoted
from .tree import Apply, Choice, Constant, ListOf, Loop, MapOf, Node

#: A text that no value of an enum is is compared with so many of them.
_COMPARED = 200
#: How a problem is told: code, message, start, end, hint.
Report = Callable[[str, str, int, int, str | None], None]


def same(actual: Type, wanted: Type) -> bool:
    """Return whether every value of a type is one of another as it stands.

    >>> same(EnumType("colour", ("red",)), TEXT), same(INT, DECIMAL)
    (True, False)
    """
    actual, wanted = required(actual), required(wanted)
    if actual is wanted or isinstance(actual, Hole) or isinstance(wanted, Hole):
        return True
    match wanted:
        case ScalarType():
            return actual == wanted or (wanted == TEXT and isinstance(actual, EnumType))
        case MoneyType():
            return isinstance(actual, MoneyType) and (
                wanted.currency is None or actual.currency is None or wanted.currency == actual.currency
            )
        case EnumType() | RecordType():
            return type(actual) is type(wanted) and actual.name == wanted.name
        case ListType():
            return isinstance(actual, ListType) and same(actual.item, wanted.item)
    return isinstance(wanted, MapType) and isinstance(actual, MapType) and same(actual.value, wanted.value)


def fits(node: Node, wanted: Type) -> bool:
    """Return whether a node can stand where a type is due, after `convert`."""
    wanted = required(wanted)
    if same(node.type, wanted):
        return True
    match node:
        case Constant():
            if isinstance(wanted, MoneyType):
                return node.type in (INT, DECIMAL) and node.value == 0
            if isinstance(wanted, EnumType):
                return node.type == TEXT
        case Choice():
            return fits(node.then, wanted) and fits(node.otherwise, wanted)
        case ListOf() if isinstance(wanted, ListType):
            return all(fits(item, wanted.item) for item in node.items)
        case MapOf() if isinstance(wanted, MapType):
            return all(fits(value, wanted.value) for _, value in node.entries)
        case Loop(kind="map", body=body) if isinstance(wanted, ListType) and body is not None:
            return fits(body, wanted.item)
    return wanted == DECIMAL and node.type == INT


def convert(node: Node, wanted: Type, report: Report) -> Node:
    """Return a node that fits as one of the type that is due; a literal that is no value of an enum is reported."""
    wanted = required(wanted)
    match node:
        case Constant():
            return _constant(node, wanted, report)
        case Choice() if not same(node.type, wanted) or _has_literals(node):
            then, otherwise = convert(node.then, wanted, report), convert(node.otherwise, wanted, report)
            return replace(node, then=then, otherwise=otherwise, type=wanted)
        case ListOf() if isinstance(wanted, ListType) and not isinstance(wanted.item, Hole):
            items = tuple(convert(item, wanted.item, report) for item in node.items)
            return replace(node, items=items, type=wanted)
        case MapOf() if isinstance(wanted, MapType) and not isinstance(wanted.value, Hole):
            entries = tuple((key, convert(value, wanted.value, report)) for key, value in node.entries)
            return replace(node, entries=entries, type=wanted)
        case Loop(kind="map", body=body) if isinstance(wanted, ListType) and body is not None:
            return replace(node, body=convert(body, wanted.item, report), type=wanted)
    if wanted == DECIMAL and node.type == INT:
        return Apply("decimal(int)", (node,), DECIMAL, node.start, node.end)
    if wanted == TEXT and isinstance(node.type, EnumType):
        return replace(node, type=TEXT)
    return node


def _has_literals(node: Choice) -> bool:
    return any(
        isinstance(branch, Constant | Choice | ListOf | MapOf) for branch in (node.then, node.otherwise)
    )


def _constant(node: Constant, wanted: Type, report: Report) -> Node:
    if wanted == DECIMAL and node.type == INT:
        return replace(node, value=Fraction(node.value), type=DECIMAL)
    if isinstance(wanted, MoneyType) and not isinstance(node.type, MoneyType | Hole):
        return replace(node, value=Money(Fraction(0), ""), type=wanted)
    if isinstance(wanted, EnumType) and node.type == TEXT:
        if node.value not in wanted.values:
            report(
                "AM203",
                f"{quoted(node.value)} is not one of `{wanted.name}`",
                node.start,
                node.end,
                did_you_mean(node.value, wanted.values[:_COMPARED]),
            )
            return replace(node, type=HOLE)
        return replace(node, value=sys.intern(node.value), type=wanted)
    return node


def common(nodes: Sequence[Node]) -> Type | None:
    """Return the type that all nodes fit, or None. Literals follow the others; the narrowest such type is meant.

    >>> common([Constant(1, INT, 0, 1), Constant(Fraction(1, 2), DECIMAL, 3, 6)]) is DECIMAL
    True
    """
    candidates = list(dict.fromkeys(node.type for node in nodes if not isinstance(node.type, Hole)))
    if not candidates:
        return HOLE
    if len(candidates) == 1:
        return candidates[0]
    literal = {node.type for node in nodes if isinstance(node, Constant)} - {
        node.type for node in nodes if not isinstance(node, Constant)
    }
    candidates.sort(key=lambda type_: (type_ in literal, _vagueness(type_)))
    return next((type_ for type_ in candidates if all(fits(node, type_) for node in nodes)), None)


def _vagueness(type_: Type) -> int:
    """Rank a type: an enum comes before text, sure holes last, a currency after money of any."""
    match type_:
        case Hole():
            return 100
        case ScalarType():
            return int(type_ == TEXT)
        case MoneyType():
            return int(type_.currency is not None)
        case ListType():
            return _vagueness(type_.item) - 1
        case MapType():
            return _vagueness(type_.value) - 1
    return 0
