"""The values of one input that a table can tell apart: a sample of each kind, and which of them a cell holds for.

The ends that the cells of a column name cut the input's values into points and the gaps between them. No cell tells two
values of one gap apart, so a sample of each stands for all of them, and what holds for the samples holds for every value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Final, get_args

from ..cell import Cell, Interval, matches, measure
from ..money import Money, exponent
from ..period import Period, Unit
from ..types import BOOL, DATE, DECIMAL, DURATION, INT, PERIOD, TIMESTAMP, EnumType, MoneyType, Type
from ..values import Value

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

Number = Fraction | int


@dataclass(frozen=True, slots=True)
class Column:
    """One input of a table, as far as its cells tell its values apart."""

    samples: tuple[Value, ...]
    #: Bit i says whether sample i is one that a cell names, and so the better example.
    named: int
    #: For each cell, in order: bit i says whether it holds for sample i.
    masks: tuple[int, ...]

    def example(self, mask: int) -> Value:
        """Return a sample of those whose bits are set, best one that a cell names."""
        best = mask & self.named or mask
        return self.samples[(best & -best).bit_length() - 1]


def column_of(type_: Type, cells: Sequence[Cell]) -> Column:
    """Return the column that cells make on an input of a type (not an optional one).

    >>> from amends.engine.cell import exactly
    >>> from amends.engine.diagnostics import Place
    >>> place = Place("p.yaml", 1, 1, 1, 2)
    >>> cells = [Cell(text="< 3", place=place, intervals=(Interval(None, 3, high_in=False),))]
    >>> column_of(INT, cells)
    Column(samples=(2, 3, 4), named=2, masks=(1,))
    """
    intervals = [interval for cell in cells for interval in cell.intervals or ()]
    if not intervals:
        return Column((None,), 0, (1,) * len(cells))
    if isinstance(type_, EnumType):
        return _listed(type_.values, len(type_.values), cells)
    if type_ == BOOL:
        return _listed((True, False), 2, cells)
    lines = _lines(type_, intervals)
    if not lines:
        texts = dict.fromkeys(str(interval.low) for interval in intervals)
        return _listed((*texts, _another(texts)), len(texts), cells)
    return _measured(lines, cells)


def _listed(samples: tuple[Value, ...], named: int, cells: Iterable[Cell]) -> Column:
    masks = tuple(
        sum(1 << index for index, sample in enumerate(samples) if matches(cell, sample) is True)
        for cell in cells
    )
    return Column(samples, (1 << named) - 1, masks)


def _another(texts: Iterable[str]) -> str:
    other = "something else"
    while other in texts:
        other += " again"
    return other


# --- ordered types ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """Values that can be put in a row, as numbers: all ints, or the money of one currency."""

    kind: str
    value: Callable[[Number], Value]
    #: The least steps worth trying for a value beside another, in that order.
    steps: tuple[Number, ...]
    #: Whether there is always a value between two others.
    dense: bool
    #: The ends that cells name, by their number.
    ends: dict[Number, Value]

    def samples(self) -> dict[Number, Value]:
        """Return a sample of every point and gap, in order."""
        numbers = sorted(self.ends)
        found = self._beside(None, numbers[0])
        for number, following in zip(numbers, [*numbers[1:], None], strict=True):
            found |= {number: self.ends[number]} | self._beside(number, following)
        return found

    def _beside(self, low: Number | None, high: Number | None) -> dict[Number, Value]:
        """Return a sample between two numbers, or beyond one, if there is a value there."""
        for step in self.steps:
            number = low + step if low is not None else (high or 0) - step
            if low is None or high is None or number < high:
                return self._sample(number)
        if self.dense and low is not None and high is not None:
            return self._sample(Fraction(low + high) / 2)
        return {}

    def _sample(self, number: Number) -> dict[Number, Value]:
        try:
            return {number: self.value(number)}
        except (ValueError, OverflowError):
            return {}


def _measured(lines: Sequence[_Line], cells: Sequence[Cell]) -> Column:
    """Return the column of an ordered type; each line has a stretch of the samples."""
    samples: list[Value] = []
    named = 0
    masks = [0] * len(cells)
    for line in lines:
        found = line.samples()
        numbers = list(found)
        shift = len(samples)
        samples.extend(found.values())
        named |= sum(1 << index for index, number in enumerate(numbers) if number in line.ends) << shift
        for index, cell in enumerate(cells):
            masks[index] |= _mask(cell, line.kind, numbers) << shift
    return Column(tuple(samples), named, tuple(masks))


def _mask(cell: Cell, kind: str, numbers: Sequence[Number]) -> int:
    """Return for which numbers of a line a cell surely holds."""
    everything = (1 << len(numbers)) - 1
    if cell.intervals is None:
        return everything
    held = 0
    fails = False
    for interval in cell.intervals:
        if all(_is_on(end, kind) for end in (interval.low, interval.high) if end is not None):
            held |= _stretch(interval, numbers)
        else:
            # A period of another unit is simply not the same; all else of another kind cannot be compared.
            fails = fails or interval.low != interval.high or not isinstance(interval.low, Period)
    if cell.negated:
        return 0 if fails else everything & ~held
    return held


def _stretch(interval: Interval, numbers: Sequence[Number]) -> int:
    first, last = 0, len(numbers)
    if interval.low is not None:
        first = (bisect_left if interval.low_in else bisect_right)(numbers, _number(interval.low))
    if interval.high is not None:
        last = (bisect_right if interval.high_in else bisect_left)(numbers, _number(interval.high))
    return ((1 << last) - 1) & ~((1 << first) - 1) if last > first else 0


def _lines(type_: Type, intervals: Sequence[Interval]) -> list[_Line]:
    """Return the lines that the values of a type make as far as its cells tell; none for a type without order."""
    ends = [end for interval in intervals for end in (interval.low, interval.high) if end is not None]
    if isinstance(type_, MoneyType):
        currencies = sorted({end.currency for end in ends} - {""}) or [type_.currency or ""]
        return [_money_line(currency, ends) for currency in currencies]
    if type_ == PERIOD:
        kinds = dict.fromkeys(measure(end)[0] for end in ends)
        return [_line(kind, partial(_period, kind), ends=ends) for kind in kinds]
    if type_ == DECIMAL:
        return [_line("", Fraction, steps=(1, Fraction(1, 100)), dense=True, ends=ends)]
    values: dict[Type, Callable[[int], Value]] = {
        INT: _int64,
        DATE: date.fromordinal,
        TIMESTAMP: lambda seconds: _EPOCH + timedelta(seconds=seconds),
        DURATION: lambda seconds: timedelta(seconds=seconds),
    }
    return [_line("", values[type_], ends=ends)] if type_ in values else []


def _line(
    kind: str,
    value: Callable[..., Value],
    *,
    steps: tuple[Number, ...] = (1,),
    dense: bool = False,
    ends: Iterable[Value],
) -> _Line:
    mine = [end for end in ends if _is_on(end, kind)]
    return _Line(kind, value, steps, dense, {_number(end): end for end in reversed(mine)})


def _money_line(currency: str, ends: Sequence[Money]) -> _Line:
    mine = [
        end if end.currency else Money(end.amount, currency) for end in ends if end.currency in {currency, ""}
    ]
    steps = (1, Fraction(1, 10 ** exponent(currency)))
    return _line(
        currency, lambda amount: Money(Fraction(amount), currency), steps=steps, dense=True, ends=mine
    )


def _int64(number: int) -> int:
    if -(2**63) <= number < 2**63:
        return number
    raise OverflowError


def _period(unit: str, count: int) -> Period:
    if count < 0:
        raise ValueError
    return Period(count, _UNITS[unit])


_UNITS: Final[dict[str, Unit]] = {unit: unit for unit in get_args(Unit)}


def _number(value: Value) -> Number:
    """Return where a value stands on its line."""
    match value:
        case Money():
            return value.amount
        case Period():
            return measure(value)[1]
        case datetime():
            return (value - _EPOCH) // _SECOND
        case date():
            return value.toordinal()
        case timedelta():
            return value // _SECOND
        case Fraction():
            return value
    return int(value)


def _is_on(value: Value, kind: str) -> bool:
    """Return whether a value is on the line of a kind; zero of no currency is on that of every currency."""
    match value:
        case Money():
            return value.currency in {kind, ""}
        case Period():
            return measure(value)[0] == kind
    return True
