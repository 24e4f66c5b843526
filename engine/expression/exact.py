"""Decimals and money in generated code: as numerator, denominator and currency, so that `a <= b - c` makes no objects.

What would fail, or may not be reduced in time, is left to the reference: another currency, a division by zero or by a
negative number, too many digits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from ..money import Money
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
        amount, currency = value, None
        if isinstance(node.type, MoneyType):
            amount, currency = writer.keep(py.part(value, "amount")), writer.keep(py.part(value, "currency"))
        numerator, denominator = (writer.keep(py.part(amount, slot)) for slot in _PARTS)
        known[word] = py.Exact(numerator, denominator, currency)
    return known[word]


def _exact_constant(value: Value) -> py.Exact:
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
        above = py.binary(
            _times(left.numerator, right.denominator),
            operator,
            _times(right.numerator, left.denominator),
        )
        found = py.Exact(writer.keep(above), _product(left.denominator, right.denominator, writer), currency)
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
    above = writer.keep(_times(left.numerator, right.denominator))
    below = writer.keep(_times(right.numerator, left.denominator))
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
    return py.compare(
        _times(left.numerator, right.denominator), operator, _times(right.numerator, left.denominator)
    )
