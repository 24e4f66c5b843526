"""Cells of decision tables: tests of one typed input, and the order of values that they rest on.

How a cell is written is read/cells.py's matter. Spec: docs/language.md, "Tables".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..diagnostics import Place
from ..errors import RuleError
from ..money import Money
from ..period import Period
from ..types import BOOL, DATE, DECIMAL, DURATION, INT, PERIOD, TEXT, TIMESTAMP, EnumType, MoneyType, Type
from ..values import Unknown, Value

#: Types whose values have an order, so that they may be compared and have ranges; money is one too.
_ORDERED: Final[tuple[Type, ...]] = (INT, DECIMAL, DATE, TIMESTAMP, DURATION, PERIOD)

#: What each unit of a period is measured in, and how much it holds. Different measures have no order.
_MEASURES: Final[dict[str, tuple[str, int]]] = {
    "second": ("second", 1),
    "minute": ("second", 60),
    "hour": ("second", 3600),
    "business minute": ("business minute", 1),
    "business hour": ("business minute", 60),
    "day": ("day", 1),
    "week": ("day", 7),
    "business day": ("business day", 1),
    "month": ("month", 1),
    "year": ("month", 12),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """The values between two ends; an end that is None is open without limit. One value is both ends."""

    low: Value | None
    high: Value | None
    low_in: bool = True
    high_in: bool = True

    def holds(self, value: Value) -> bool:
        """Return whether a value lies inside.

        Raises:
            RuleError: the value has no order with an end: another currency, or days against months.
        """
        if self.low == self.high:
            return same(value, self.low)
        above = self.low is None or (
            not precedes(value, self.low) if self.low_in else precedes(self.low, value)
        )
        below = self.high is None or (
            not precedes(self.high, value) if self.high_in else precedes(value, self.high)
        )
        return above and below


def exactly(value: Value) -> Interval:
    """Return the interval of one value."""
    return Interval(value, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A test of an input: true when one of the intervals holds the value, or, `negated`, when none does."""

    #: As written, for reports.
    text: str
    place: Place
    #: None for `-`.
    intervals: tuple[Interval, ...] | None
    negated: bool = False
    #: The params that it names; their values are in the intervals.
    params: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether it holds whatever the input is, missing included."""
        return self.intervals is None


def matches(cell: Cell, value: Value) -> bool | Unknown:
    """Return whether a cell holds for the value of its input; of a missing value only `-` is sure.

    Raises:
        RuleError: the value cannot be compared with the cell's, and no other part of the cell decides.
    """
    if cell.intervals is None:
        return True
    if isinstance(value, Unknown):
        return value
    failed: RuleError | None = None
    for interval in cell.intervals:
        try:
            if interval.holds(value):
                return not cell.negated
        except RuleError as error:
            failed = failed or error
    if failed:
        raise RuleError(f"{failed} in the cell `{cell.text}`")
    return cell.negated


def precedes(left: Value, right: Value) -> bool:
    """Return whether one value of an ordered type comes before another.

    Raises:
        RuleError: the two are money of two currencies, or periods of which neither is always the longer.

    >>> precedes(Period(6, "day"), Period(1, "week"))
    True
    """
    if isinstance(left, Period):
        kind, length = measure(left)
        other, other_length = measure(right)
        if kind != other:
            raise RuleError(f"{left} and {right} cannot be compared")
        return length < other_length
    return bool(left < right)


def measure(period: Period) -> tuple[str, int]:
    """Return the unit in which a period is compared, and how many of it the period has.

    >>> measure(Period(2, "week"))
    ('day', 14)
    """
    unit, length = _MEASURES[period.unit]
    return unit, period.count * length


def same(left: Value, right: Value) -> bool:
    """Return whether two values of one type are the same; a week is seven days.

    Raises:
        RuleError: the two are money of two currencies.
    """
    if isinstance(left, Money):
        return not left < right and not right < left
    if isinstance(left, Period):
        return measure(left) == measure(right)
    return bool(left == right)


def is_ordered(type_: Type) -> bool:
    """Return whether the values of a type have an order."""
    return isinstance(type_, MoneyType) or type_ in _ORDERED


def has_cells(type_: Type) -> bool:
    """Return whether an input of a type can be tested by a cell; lists, records, maps and windows cannot.

    >>> has_cells(INT), has_cells(EnumType("colour", ("red",)))
    (True, True)
    """
    return is_ordered(type_) or isinstance(type_, EnumType) or type_ in (BOOL, TEXT)
