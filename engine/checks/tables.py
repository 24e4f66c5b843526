"""Rules of a table that overlap where they may not, and rules that can never hit.

A table with inputs is looked at exactly: each rule is a box over the samples of its columns, two rules overlap where their
boxes meet, and a rule is shadowed where those before it cover its box. Each finding shows a case in which it bites. Of a
missing input nothing needs to be said: there a rule is unknown or passes over it, and then it does so for every value.
Conditions are compared as they are written: a rule asks at least what another asks, or it does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import reduce
from operator import and_
from typing import Final

from ..condition import AllOf, AnyOf, Condition, Constant, Leaf, Not
from ..diagnostics import Diagnostics, Place
from ..money import decimal_text
from ..table import CompiledRule, CompiledTable
from ..types import required
from ..values import Value, instant_text
from .columns import Column, column_of

#: A box, one mask a column: the samples for which a rule holds.
Box = tuple[int, ...]

#: What is left of a box may fall into so many pieces; a table that is worse is not looked at any further.
MAX_PIECES: Final = 2_000


#: Why rules are in one another's way, and which are in the way of the one looked at.
Found = tuple[str, tuple[CompiledRule, ...]]


def check_table(table: CompiledTable, diagnostics: Diagnostics) -> None:
    """Report rules that overlap under a hit policy that forbids it, and rules that can never hit."""
    boxes = _Boxes.of(table) if table.inputs else None
    for index, rule in enumerate(table.rules):
        empty = boxes.empty(index) if boxes else None
        if empty:
            diagnostics.add("AM401", empty[0], f"`{rule.id}` can never hit: {empty[1]}")
        elif table.hit in {"first", "priority"}:
            shadow = boxes.shadow(index) if boxes else _asked_before(rule, table.rules[:index])
            if shadow:
                why, rules = shadow
                message = f"`{rule.id}` can never hit: {why}"
                diagnostics.add(
                    "AM401", rule.place, message, related=[(f"`{item.id}`", item.place) for item in rules]
                )
        elif table.hit in {"unique", "any"}:
            rivals = [item for item in table.rules[:index] if table.hit == "unique" or _differ(item, rule)]
            overlap = boxes.overlap(rule, rivals) if boxes else _asked_at_once(rule, rivals)
            if overlap:
                why, rules = overlap
                hint = "make one of them ask for more, or write `hit: first` if the order decides"
                related = [(f"`{item.id}`", item.place) for item in rules]
                diagnostics.add("AM402", rule.place, why, hint=hint, related=related)


def _differ(first: CompiledRule, second: CompiledRule) -> bool:
    """Return whether two rules surely give different outputs."""
    pairs = zip(first.then, second.then, strict=False)
    return any(
        isinstance(one, Constant) and isinstance(other, Constant) and one.value != other.value
        for one, other in pairs
    )


# --- tables with inputs -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Boxes:
    """A table with inputs as boxes; inputs that are the same expression share a column."""

    rules: tuple[CompiledRule, ...]
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    boxes: dict[str, Box]
    #: The cells of a rule in each column.
    places: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(table: CompiledTable) -> _Boxes:
        places: dict[str, list[int]] = {}
        for index, checked in enumerate(table.inputs):
            places.setdefault(checked.text, []).append(index)
        columns: list[Column] = []
        masks: list[list[int]] = []
        for indexes in places.values():
            cells = [rule.cells[index] for index in indexes for rule in table.rules]
            column = column_of(required(table.inputs[indexes[0]].type), cells)
            columns.append(column)
            each = len(table.rules)
            masks.append([reduce(and_, column.masks[at::each]) for at in range(each)])
        boxes = {rule.id: tuple(mask[at] for mask in masks) for at, rule in enumerate(table.rules)}
        return _Boxes(table.rules, tuple(places), tuple(columns), boxes, tuple(map(tuple, places.values())))

    def empty(self, index: int) -> tuple[Place, str] | None:
        """Return the first cell of a rule that holds for no value, and what to say of it."""
        rule = self.rules[index]
        for name, indexes, mask in zip(self.names, self.places, self.boxes[rule.id], strict=True):
            if not mask:
                cell = rule.cells[indexes[0]]
                return cell.place, f"`{cell.text}` holds for no value of `{name}`"
        return None

    def overlap(self, rule: CompiledRule, rivals: Sequence[CompiledRule]) -> Found | None:
        """Return the first rival that holds at once with a rule."""
        for rival in rivals:
            if _meet(self.boxes[rival.id], self.boxes[rule.id]):
                case = self.case(_shared(self.boxes[rival.id], self.boxes[rule.id]))
                when = f"for {case}" if case else "whatever the inputs are"
                return f"`{rival.id}` and `{rule.id}` both hold {when}", (rival,)
        return None

    def shadow(self, index: int) -> Found | None:
        """Return the rules before a rule that leave it nothing."""
        rule = self.rules[index]
        box = self.boxes[rule.id]
        left = [box]
        covering: list[CompiledRule] = []
        for other in self.rules[:index]:
            cover = self.boxes[other.id]
            if not _meet(cover, box):
                continue
            if _covers(cover, box):
                return f"`{other.id}` holds wherever it does{self.such_as(box)}", (other,)
            rest = [piece for old in left for piece in _without(old, cover)]
            if rest != left:
                covering.append(other)
            left = rest
            if len(left) > MAX_PIECES:
                return None
        if left:
            return None
        names = ", ".join(f"`{item.id}`" for item in covering)
        return f"one of {names} holds wherever it does{self.such_as(box)}", tuple(covering)

    def case(self, box: Box) -> str:
        """Return an example inside a box, in words; inputs that may be anything are left out."""
        parts = [
            f"{name} = {_shown(column.example(mask))}"
            for name, column, mask in zip(self.names, self.columns, box, strict=True)
            if mask != (1 << len(column.samples)) - 1
        ]
        return ", ".join(parts)

    def such_as(self, box: Box) -> str:
        case = self.case(box)
        return f", such as for {case}" if case else ""


def _meet(first: Box, second: Box) -> bool:
    # A loop, for this is asked of every two rules, and most differ in the first column.
    for one, other in zip(first, second, strict=True):  # noqa: SIM110 - as said
        if not one & other:
            return False
    return True


def _shared(first: Box, second: Box) -> Box:
    return tuple(one & other for one, other in zip(first, second, strict=True))


def _covers(cover: Box, box: Box) -> bool:
    return not any(mask & ~wide for wide, mask in zip(cover, box, strict=True))


def _without(box: Box, taken: Box) -> Iterator[Box]:
    """Yield disjoint boxes that are together what is left of a box without another."""
    if not _meet(box, taken):
        yield box
        return
    rest = list(box)
    for at, wide in enumerate(taken):
        outside = rest[at] & ~wide
        if outside:
            yield (*rest[:at], outside, *rest[at + 1 :])
            rest[at] &= wide


def _shown(value: Value) -> str:
    """Return a value as an author writes it."""
    match value:
        case bool():
            return str(value).lower()
        case Fraction():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value // timedelta(seconds=1)}s"
    return str(value)


# --- tables of conditions ---------------------------------------------------------------------------------------------


def _asked_before(rule: CompiledRule, before: Sequence[CompiledRule]) -> Found | None:
    """Return the first rule before a rule that asks for no more than it does."""
    asked = _asks(rule.condition)
    for other in before:
        if _asks(other.condition) <= asked:
            return _comparison(other, rule), (other,)
    return None


def _asked_at_once(rule: CompiledRule, rivals: Sequence[CompiledRule]) -> Found | None:
    """Return the first rival that holds whenever a rule does, or the other way round."""
    asked = _asks(rule.condition)
    for rival in rivals:
        theirs = _asks(rival.condition)
        if theirs <= asked:
            return f"`{rule.id}` is not the only rule to hold: {_comparison(rival, rule)}", (rival,)
        if asked <= theirs:
            return f"`{rival.id}` is not the only rule to hold: {_comparison(rule, rival)}", (rival,)
    return None


def _comparison(less: CompiledRule, more: CompiledRule) -> str:
    if less.condition is None:
        return f"`{less.id}` has no condition, so it always holds"
    if _asks(less.condition) == _asks(more.condition):
        return f"`{less.id}` has the same condition"
    return f"`{less.id}` holds whenever `{more.id}` does"


def _asks(condition: Condition | None) -> frozenset[Hashable]:
    """Return what a condition asks for, all of which must hold."""
    match condition:
        case None:
            return frozenset()
        case AllOf(items=items):
            return frozenset().union(*map(_asks, items))
        case AnyOf(items=(item,)):
            return _asks(item)
        case _:
            return frozenset({_key(condition)})


def _key(condition: Condition) -> Hashable:
    """Return a condition as it is written, its places apart."""
    match condition:
        case Leaf(checked=checked):
            return checked.text.strip()
        case Not(item=item):
            return ("unless", _key(item))
        case AllOf(items=items):
            return ("all", frozenset(map(_key, items)))
        case AnyOf(items=items):
            return ("any", frozenset(map(_key, items)))
