"""Operators as a line of Python: what generated code has in place of a call of the table's own functions.

Each writer gives the result that the table's function gives for values that are there. Where that function would fail, or
a value may not be there, the line raises, or the generated function is left.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from types import NoneType
from typing import Any, Final

from ..money import Money, in_units
from ..period import Period
from ..types import BOOL, DATE, DECIMAL, DURATION, INT, PERIOD, TEXT, TIMESTAMP, EnumType, MoneyType, Type
from ..values import Sealed, Unknown, Value
from . import python as py
from .again import ask
from .arithmetic import MAX_JOINED, contained, equal
from .exact import EXACT, built, exact, exactly, is_exact
from .functions import OVERLOADS
from .interpret import part_of
from .tokens import INT_MAX, INT_MIN
from .tree import Apply, Constant, ListOf, Node, TableCall

#: What generated code may name besides its own variables and constants. It has no builtins.
NAMES: Final[dict[str, Any]] = {
    "__builtins__": {},
    **{kind.__name__: kind for kind in (bool, int, str, tuple, dict, datetime, date, timedelta, type)},
    **{kind.__name__: kind for kind in (Fraction, Money, Period, Unknown, AttributeError, KeyError)},
    **{tool.__name__: tool for tool in (len, enumerate, equal, contained, in_units)},
    "ask": ask,
    "part_of": part_of,
    "ABSENT": frozenset({Unknown, Sealed, NoneType}),
    "RECORDS": frozenset({dict, Unknown}),
}
#: Past so many days a duration may be too long; the reference measures it.
_DAYS: Final = 100_000

#: The classes of values that generated code may be sure of, by type.
CLASSES: Final[dict[Type, str]] = {
    BOOL: "bool",
    INT: "int",
    TEXT: "str",
    DECIMAL: "Fraction",
    PERIOD: "Period",
    TIMESTAMP: "datetime",
    DURATION: "timedelta",
    DATE: "date",
}
#: Types whose Python values compare as the language does, and cannot be compared with a missing one.
_NATIVE: Final = (BOOL, INT, TEXT, TIMESTAMP, DURATION, DATE)


def is_native(type_: Type) -> bool:
    """Return whether values of a type are equal, ordered and found in lists as Python has it."""
    return type_ in _NATIVE or isinstance(type_, EnumType)


def class_of(type_: Type) -> str | None:
    """Return the class of the values of a type that has just one."""
    if isinstance(type_, MoneyType):
        return "Money"
    return "str" if isinstance(type_, EnumType) else CLASSES.get(type_)


# --- conditions -------------------------------------------------------------------------------------------------------


def tested(node: Apply, writer: py.Writer) -> py.Test | None:
    """Write an operator that gives a bool; None if it is not one of those written here."""
    operator = node.overload.partition("(")[0]
    nodes = node.arguments
    type_ = nodes[0].type
    match operator:
        case "<" | "<=" | ">" | ">=":
            if is_exact(type_):
                return py.Test(exactly(operator, nodes, writer))
            return py.Test(py.compare(writer.raw(nodes[0]), operator, writer.raw(nodes[1])))
        case "==" | "!=":
            found = _equality(nodes, writer)
            return py.Test(found.holds, operator == "!=", found.doubts)
        case "in":
            return _membership(node, writer)
    return None


def _equality(nodes: Sequence[Node], writer: py.Writer) -> py.Test:
    type_ = nodes[0].type
    if type_ != nodes[1].type and not isinstance(type_, MoneyType):
        return py.Test(py.call("equal", writer.plain(nodes[0]), writer.plain(nodes[1])))
    if is_exact(type_):
        return py.Test(exactly("==", nodes, writer))
    if is_native(type_):
        return _likeness(nodes, writer)
    if type_ == PERIOD:
        left, right = (writer.raw(node) for node in nodes)
        pairs = (
            (_period(left, nodes[0], slot), _period(right, nodes[1], slot)) for slot in ("count", "unit")
        )
        return py.Test(py.every(*(py.compare(one, "==", other) for one, other in pairs)))
    return py.Test(py.call("equal", writer.plain(nodes[0]), writer.plain(nodes[1])))


def _likeness(nodes: Sequence[Node], writer: py.Writer) -> py.Test:
    """Write `a == b`. A constant equals nothing that is missing, so that only a difference leaves a doubt."""
    for known, other in (nodes, nodes[::-1]):
        if isinstance(known, Constant):
            value = writer.raw(other)
            return py.Test(
                py.compare(value, "==", writer.given(known.value)), doubts=doubts(value, other.type)
            )
    return py.Test(py.compare(writer.plain(nodes[0]), "==", writer.plain(nodes[1])))


def doubts(value: ast.expr, type_: Type) -> tuple[tuple[ast.expr, str], ...]:
    """Return the doubt whether a value is there."""
    return ((value, class_of(type_) or ""),)


def _period(value: ast.expr, node: Node, slot: str) -> ast.expr:
    if isinstance(node, Constant):
        return py.constant(node.value.count if slot == "count" else node.value.unit)
    return py.part(value, slot)


def _membership(node: Apply, writer: py.Writer) -> py.Test | None:
    what, within = node.arguments
    if node.overload == "in(timestamp, window)":
        at = writer.plain(what)
        return inside(writer.raw(within), at, writer)
    if node.overload == "in(text, map of unknown)":
        return py.Test(py.compare(writer.plain(what), "in", writer.raw(within)))
    if not is_native(what.type):
        return None
    if isinstance(within, ListOf) and all(isinstance(each, Constant) for each in within.items):
        return _among(what, [each.value for each in within.items if isinstance(each, Constant)], writer)
    value = writer.plain(what)
    return py.Test(py.compare(value, "in", writer.raw(within)))


def _among(what: Node, values: list[Value], writer: py.Writer) -> py.Test:
    value = writer.raw(what)
    if values and all(isinstance(each, str | int) for each in values):
        choices: ast.expr = ast.Set([py.constant(each) for each in dict.fromkeys(values)])
    else:
        choices = writer.given(tuple(values))
    return py.Test(py.compare(value, "in", choices), doubts=doubts(value, what.type))


def inside(window: ast.expr, instant: ast.expr, writer: py.Writer) -> py.Test:
    """Write whether an instant lies in a window; an end that is not known cannot be compared, and raises."""
    closes = writer.keep(py.part(window, "closes"))
    opens = writer.keep(py.part(window, "opens"))
    none = py.constant(None)
    return py.Test(
        py.every(
            py.either(py.compare(closes, "is", none), py.compare(instant, "<=", closes)),
            py.either(py.compare(opens, "is", none), py.compare(opens, "<=", instant)),
        )
    )


def past(window: ast.expr, instant: ast.expr, writer: py.Writer) -> py.Test:
    """Write whether a window has closed by an instant."""
    closes = writer.keep(py.part(window, "closes"))
    return py.Test(
        py.every(py.compare(closes, "is not", py.constant(None)), py.compare(closes, "<", instant))
    )


# --- other values -----------------------------------------------------------------------------------------------------


def computed(node: Apply, writer: py.Writer) -> ast.expr | None:
    """Write an operator that gives another value; None if it is not one of those written here."""
    if node.overload in EXACT:
        return built(exact(node, writer), node.type, writer)
    kind = _VALUES.get(node.overload)
    if kind is None:
        return None
    parts = [writer.raw(argument) for argument in node.arguments]
    operator = node.overload.partition("(")[0]
    if kind == "length":
        return writer.keep(py.call("len", parts[0]))
    value = writer.keep(py.minus(parts[0]) if len(parts) == 1 else py.binary(parts[0], operator, parts[1]))
    match kind:
        case "whole":
            writer.leave_if(
                py.inverted(py.compare(py.constant(INT_MIN), "<=", value, "<=", py.constant(INT_MAX)))
            )
        case "duration":
            days = py.part(value, "days")
            writer.leave_if(py.inverted(py.compare(py.constant(-_DAYS), "<", days, "<", py.constant(_DAYS))))
        case "joined":
            writer.leave_if(py.compare(py.call("len", value), ">", py.constant(MAX_JOINED)))
    return value


def applied(node: Apply, writer: py.Writer) -> ast.expr:
    """Write a call of the table's own function."""
    row = OVERLOADS[node.overload]
    arguments = [writer.plain(argument) for argument in node.arguments]
    if row.needs == "zone":
        arguments.insert(0, py.part(py.name("env"), "zone"))
    return writer.keep(ast.Call(writer.given(row.run), arguments, []))


def table_called(node: TableCall, writer: py.Writer) -> ast.expr:
    """Write a call of a decision table; gives the call itself."""
    arguments = ast.Tuple([writer.plain(argument) for argument in node.arguments], ast.Load())
    return ast.Call(py.part(py.name("env"), "call"), [py.constant(node.name), arguments], [])


#: The rows of the table that are one operator of Python, and what bounds their result.
_VALUES: Final[dict[str, str]] = {
    "+(int, int)": "whole",
    "-(int, int)": "whole",
    "*(int, int)": "whole",
    "-(int)": "whole",
    "-(timestamp, timestamp)": "duration",
    "+(duration, duration)": "duration",
    "-(duration, duration)": "duration",
    "+(timestamp, duration)": "instant",
    "+(duration, timestamp)": "instant",
    "-(timestamp, duration)": "instant",
    "+(text, text)": "joined",
    "+(list of unknown, list of unknown)": "joined",
    "size(text)": "length",
    "size(list of unknown)": "length",
    "size(map of unknown)": "length",
}
