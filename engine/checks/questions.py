"""What the inputs of a table ask about: two that ask about the same thing are looked at together.

The same expression twice is one question. An input that compares a value with a constant (`amount > limit`, where `limit`
is a param), or is another input's opposite (`!vip`), asks about that value, and its cells `true` and `false` are tests of it.
All other inputs count as independent of one another: that `size(items)` and `has_items` cannot differ is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..expression import Checked
from ..expression.tree import Apply, Constant, Field, Node, Not, Reference, WindowPart
from ..rules.cell import Cell, Interval, exactly, has_cells, is_ordered, matches
from ..types import PERIOD, Type, required
from ..values import Value

#: What a comparison becomes when its sides change places.
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One input."""

    #: The same for inputs that ask about the same value.
    key: str
    #: The value, as it is written.
    name: str
    #: Of the value.
    type: Type
    #: Of an input that is a condition on the value: where the value lies when it is true.
    truth: Interval | None = None
    #: Whether it is true everywhere else instead.
    opposite: bool = False

    def read(self, cell: Cell) -> Cell:
        """Return what a cell of this input says of the value, if it is there."""
        if cell.anything or (self.truth is None and not self.opposite):
            return cell
        true, false = matches(cell, True) is True, matches(cell, False) is True  # noqa: FBT003 - the values of a condition
        if true == false:
            # For both it holds wherever there is a value, for neither it holds nowhere.
            return Cell(text=cell.text, place=cell.place, intervals=(), negated=true)
        truth = exactly(value=True) if self.truth is None else self.truth
        return Cell(text=cell.text, place=cell.place, intervals=(truth,), negated=false != self.opposite)


def question_of(checked: Checked, params: Mapping[str, Value]) -> Question:
    """Return what an input asks about.

    Args:
        checked: the input.
        params: the values of the params that the table names.
    """
    node, opposite = checked.root, False
    while isinstance(node, Not):
        node, opposite = node.of, not opposite
    truth = None
    if compared := _compared(node, params):
        node, sign, constant = compared
        opposite = opposite != (sign == "!=")
        truth = {
            "<": Interval(None, constant, high_in=False),
            "<=": Interval(None, constant),
            ">": Interval(constant, None, low_in=False),
            ">=": Interval(constant, None),
        }.get(sign, exactly(constant))
    return Question(
        key=_meaning(node, checked.text),
        name=checked.text[node.start : node.end].strip(),
        type=required(node.type),
        truth=truth,
        opposite=opposite,
    )


def _compared(node: Node, params: Mapping[str, Value]) -> tuple[Node, str, Value] | None:
    """Return the value that a condition compares, how, and with which constant."""
    if not isinstance(node, Apply) or len(node.arguments) != 2:
        return None
    sign = node.overload.partition("(")[0]
    left, right = node.arguments
    constant = constant_of(right, params)
    if constant is None and (constant := constant_of(left, params)) is not None:
        sign, left = _TURNED.get(sign, ""), right
    if constant is None or sign not in _TURNED:
        return None
    type_ = required(left.type)
    if not _compares_as_cells_do(type_, sign) or constant_of(left, params) is not None:
        return None
    return left, sign, constant


def _compares_as_cells_do(type_: Type, sign: str) -> bool:
    """Return whether an expression compares values of a type as a cell does: `7 days == 1 week` only in a cell."""
    if sign in {"==", "!="}:
        return type_ != PERIOD and has_cells(type_)
    return is_ordered(type_) and type_ != PERIOD


def constant_of(node: Node, params: Mapping[str, Value]) -> Value | None:
    """Return the value of a literal or of a param, else None."""
    match node:
        case Constant(value=value):
            return value
        case Reference(name=name, kind="param"):
            return params.get(name)
    return None


def _meaning(node: Node, text: str) -> str:
    """Return what a node of an expression says, however it is spaced and bracketed; rarer kinds as they are written."""
    match node:
        case Constant(value=value):
            return repr(value)
        case Reference(name=name):
            return name
        case Field(of=of, field=field):
            return f"{_meaning(of, text)}.{field}"
        case WindowPart(of=of, part=part):
            return f"{_meaning(of, text)}.{part}"
        case Apply(overload=overload, arguments=arguments):
            inner = ", ".join(_meaning(argument, text) for argument in arguments)
            return f"{overload} of ({inner})"
    return text[node.start : node.end].strip()
