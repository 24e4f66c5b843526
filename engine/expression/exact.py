"""Decimals and money in generated code: as numerator, denominator and currency, so that `a <= b - c` makes no objects.

What would fail, or may not be reduced in time, is left to the reference: another currency, a division by zero or by a
negative number, too many digits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from ..money import UNITS, Money, in_units
from ..types import DECIMAL, MoneyType, Type
from ..values import Value
from . import python as py
from .arithmetic import MAX_BITS
from .tree import Apply, Constant, Node

#: Where a Fraction keeps its parts: reading them there spares two calls.
_PARTS: Final = (
    ("_numerator", "_denominator")
    if {"_numerator", "_denominator"} <= set(Fraction.__slots__)
    else ("numerator", "denominator")
)
#: Past it a decimal may have too many digits; the reference counts them.
_HUGE: Final = 2 ** (MAX_BITS - 1)


def is_exact(type_: Type) -> bool:
    """Return whether values of a type are carried as `Exact`."""
    return type_ == DECIMAL or isinstance(type_, MoneyType)


def exact(node: Node, writer: py.Writer) -> py.Exact:
    """Write a decimal or an amount."""
    if isinstance(node, Constant):
        return _exact_constant(node.value)
    if isinstance(node, Apply) and node.overload in EXACT:
        return EXACT[node.overload](node.arguments, writer)
    value = writer.raw(node)
    known = writer.exact
    word = value.id if isinstance(value, ast.Name) else ""
    if word not in known:
        known[word] = _amount(value, writer) if isinstance(node.type, MoneyType) else _decimal(value, writer)
    return known[word]


def _decimal(value: ast.expr, writer: py.Writer) -> py.Exact:
    numerator, denominator = (writer.keep(py.part(value, slot)) for slot in _PARTS)
    return py.Exact(numerator, denominator)


def _amount(value: ast.expr, writer: py.Writer) -> py.Exact:
    """Write an amount in units, for amounts of one denominator are compared without a multiplication.

    Of thirds the units are None, with which nothing can be computed: that raises.
    """
    word = writer.variable()
    writer.block.append(py.remembered(word, value, "units", py.call("in_units", value)))
    return py.Exact(py.name(word), py.constant(UNITS), writer.keep(py.part(value, "currency")))


def _exact_constant(value: Value) -> py.Exact:
    if isinstance(value, Money) and (units := in_units(value)) is not None:
        currency = py.constant(value.currency) if value.currency else None
        return py.Exact(py.constant(units), py.constant(UNITS), currency)
    amount = value.amount if isinstance(value, Money) else Fraction(value)
    below = None if amount.denominator == 1 else py.constant(amount.denominator)
    currency = py.constant(value.currency) if isinstance(value, Money) and value.currency else None
    return py.Exact(py.constant(amount.numerator), below, currency)


def built(value: py.Exact, type_: Type, writer: py.Writer) -> ast.expr:
    """Write the value itself, reduced."""
    below = [] if value.denominator is None else [value.denominator]
    amount = py.call("Fraction", value.numerator, *below)
    if isinstance(type_, MoneyType):
        amount = py.call("Money", amount, value.currency or py.constant(""))
    return writer.keep(amount)


def _crossed(left: py.Exact, right: py.Exact) -> tuple[ast.expr, ast.expr]:
    """Return the numerators of two values over one denominator."""
    if _alike(left.denominator, right.denominator):
        return left.numerator, right.numerator
    return _times(left.numerator, right.denominator), _times(right.numerator, left.denominator)


def _alike(one: ast.expr | None, other: ast.expr | None) -> bool:
    """Return whether two denominators are surely the same."""
    if isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
        return one.value == other.value
    return one is other


def _times(left: ast.expr, right: ast.expr | None) -> ast.expr:
    return left if right is None else py.binary(left, "*", right)


def _common(left: py.Exact, right: py.Exact, writer: py.Writer) -> ast.expr | None:
    """Write that two amounts have one currency; gives it."""
    if left.currency is None or right.currency is None:
        return left.currency or right.currency
    writer.leave_if(py.compare(left.currency, "!=", right.currency))
    return left.currency


def _bounded(value: py.Exact, writer: py.Writer) -> py.Exact:
    low, high = py.constant(-_HUGE), py.constant(_HUGE)
    writer.leave_if(py.inverted(py.compare(low, "<", value.numerator, "<", high)))
    if value.denominator is not None:
        writer.leave_if(py.compare(value.denominator, ">=", high))
    return value


def _sum(operator: str, *, bounded: bool) -> Callable[[Sequence[Node], py.Writer], py.Exact]:
    def write(nodes: Sequence[Node], writer: py.Writer) -> py.Exact:
        left, right = (exact(node, writer) for node in nodes)
        currency = _common(left, right, writer)
        one, other = _crossed(left, right)
        alike = _alike(left.denominator, right.denominator)
        below = left.denominator if alike else _product(left.denominator, right.denominator, writer)
        found = py.Exact(writer.keep(py.binary(one, operator, other)), below, currency)
        return _bounded(found, writer) if bounded else found

    return write


def _product(left: ast.expr | None, right: ast.expr | None, writer: py.Writer) -> ast.expr | None:
    return right if left is None else left if right is None else writer.keep(py.binary(left, "*", right))


def _multiplied(nodes: Sequence[Node], writer: py.Writer) -> py.Exact:
    left, right = (exact(node, writer) for node in nodes)
    above = writer.keep(py.binary(left.numerator, "*", right.numerator))
    below = _product(left.denominator, right.denominator, writer)
    return _bounded(py.Exact(above, below, left.currency or right.currency), writer)


def _divided(nodes: Sequence[Node], writer: py.Writer) -> py.Exact:
    left, right = (exact(node, writer) for node in nodes)
    ratio = isinstance(nodes[1].type, MoneyType)
    currency = _common(left, right, writer) if ratio else left.currency
    # A denominator stays positive: what a negative number divides is left to the reference, and so is a zero.
    writer.leave_if(py.compare(right.numerator, "<=", py.constant(0)))
    above, below = (writer.keep(part) for part in _crossed(left, right))
    found = py.Exact(above, below, None if ratio else currency)
    return found if ratio else _bounded(found, writer)


def _negated(nodes: Sequence[Node], writer: py.Writer) -> py.Exact:
    of = exact(nodes[0], writer)
    return py.Exact(writer.keep(py.minus(of.numerator)), of.denominator, of.currency)


def _from_int(nodes: Sequence[Node], writer: py.Writer) -> py.Exact:
    return py.Exact(writer.plain(nodes[0]))


#: The rows of the table whose result is carried as `Exact`.
EXACT: Final[dict[str, Callable[[Sequence[Node], py.Writer], py.Exact]]] = {
    "+(decimal, decimal)": _sum("+", bounded=True),
    "-(decimal, decimal)": _sum("-", bounded=True),
    "+(money, money)": _sum("+", bounded=False),
    "-(money, money)": _sum("-", bounded=False),
    "*(decimal, decimal)": _multiplied,
    "*(money, decimal)": _multiplied,
    "*(decimal, money)": _multiplied,
    "/(decimal, decimal)": _divided,
    "/(money, decimal)": _divided,
    "/(money, money)": _divided,
    "-(decimal)": _negated,
    "-(money)": _negated,
    "decimal(int)": _from_int,
}


def exactly(operator: str, nodes: Sequence[Node], writer: py.Writer) -> ast.expr:
    """Write a comparison of two decimals or amounts."""
    left, right = (exact(node, writer) for node in nodes)
    _common(left, right, writer)
    one, other = _crossed(left, right)
    if operator == "==" and all(isinstance(side.numerator, ast.Name) for side in (left, right)):
        # Only here two amounts that are not in units would seem to be the same.
        writer.leave_if(py.compare(left.numerator, "is", py.constant(None)))
    return py.compare(one, operator, other)
