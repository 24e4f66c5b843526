"""The values of one input that a table can tell apart: a sample of each kind, and which of them a cell holds for.

The ends that the cells of a column name cut the input's values into points and the gaps between them. No cell tells two
values of one gap apart, so a sample of each stands for all of them, and what holds for the samples holds for every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial, reduce
from operator import or_
from typing import Final, get_args

from ..money import Money, exponent
from ..period import Period, Unit
from ..rules.cell import Cell, Interval, measure
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
    #: For each cell, in order: bit i says whether it surely holds for sample i.
    masks: tuple[int, ...]
    #: The same, but a bit is set also where the cell fails because it cannot compare the sample.
    loose: tuple[int, ...]
    #: Whether the samples stand in one row from the least to the greatest.
    in_order: bool = False

    @property
    def all(self) -> int:
        """Every sample."""
        return (1 << len(self.samples)) - 1

    def example(self, mask: int) -> Value:
        """Return a sample of those whose bits are set, best one that a cell names."""
        return self.samples[self.best(mask)]

    def best(self, mask: int) -> int:
        """Return which sample of those whose bits are set makes the best example."""
        best = mask & self.named or mask
        return (best & -best).bit_length() - 1


def column_of(type_: Type, cells: Sequence[Cell]) -> Column:
    """Return the column that cells make on an input of a type (not an optional one).

    >>> from amends.engine.rules.cell import exactly
    >>> from amends.engine.diagnostics import Place
    >>> place = Place("p.yaml", 1, 1, 1, 2)
    >>> cells = [Cell(text="< 3", place=place, intervals=(Interval(None, 3, high_in=False),))]
    >>> column_of(INT, cells)
    Column(samples=(2, 3, 4), named=2, masks=(1,), loose=(1,), in_order=True)
    """
    intervals = [interval for cell in cells for interval in cell.intervals or ()]
    if not intervals:
        # A cell is `-`, or has an empty list and holds for nothing.
        held = tuple(int(cell.intervals is None or cell.negated) for cell in cells)
        return Column((None,), 0, held, held)
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
    """Return the column of a type whose cells list values; samples that no cell names come last."""
    bit = {sample: 1 << index for index, sample in enumerate(samples)}
    everything = (1 << len(samples)) - 1

    def mask(cell: Cell) -> int:
        if cell.intervals is None:
            return everything
        held = reduce(or_, (bit[interval.low] for interval in cell.intervals), 0)
        return everything & ~held if cell.negated else held

    masks = tuple(map(mask, cells))
    return Column(samples, (1 << named) - 1, masks, masks)


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
    held = [0] * len(cells)
    loose = [0] * len(cells)
    for line in lines:
        found = line.samples()
        where = {number: index for index, number in enumerate(found)}
        shift = len(samples)
        samples.extend(found.values())
        for number in line.ends:
            named |= 1 << shift + where[number]
        for index, cell in enumerate(cells):
            surely, perhaps = _masks(cell, line.kind, where)
            held[index] |= surely << shift
            loose[index] |= perhaps << shift
    return Column(tuple(samples), named, tuple(held), tuple(loose), in_order=len(lines) == 1)


def _masks(cell: Cell, kind: str, where: Mapping[Number, int]) -> tuple[int, int]:
    """Return for which numbers of a line a cell surely holds, and for which it holds or fails."""
    everything = (1 << len(where)) - 1
    if cell.intervals is None:
        return everything, everything
    held = 0
    fails = False
    for interval in cell.intervals:
        if all(_is_on(end, kind) for end in (interval.low, interval.high) if end is not None):
            held |= _stretch(interval, where)
        else:
            # A period of another unit is simply not the same; all else of another kind cannot be compared.
            fails = fails or interval.low != interval.high or not isinstance(interval.low, Period)
    if cell.negated:
        return 0 if fails else everything & ~held, everything & ~held
    return held, everything if fails else held


def _stretch(interval: Interval, where: Mapping[Number, int]) -> int:
    """Return which numbers of a line lie between two ends, both of which are among them."""
    first, last = 0, len(where)
    if interval.low is not None:
        first = where[_number(interval.low)] + (not interval.low_in)
    if interval.high is not None:
        last = where[_number(interval.high)] + interval.high_in
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
    """Return where a value stands on its line; whole where it can be, for that is quick to compare."""
    match value:
        case Money():
            return _whole(value.amount)
        case Period():
            return measure(value)[1]
        case datetime():
            return (value - _EPOCH) // _SECOND
        case date():
            return value.toordinal()
        case timedelta():
            return value // _SECOND
        case Fraction():
            return _whole(value)
    return int(value)


def _whole(number: Fraction) -> Number:
    return number.numerator if number.denominator == 1 else number


def _is_on(value: Value, kind: str) -> bool:
    """Return whether a value is on the line of a kind; zero of no currency is on that of every currency."""
    match value:
        case Money():
            return value.currency in {kind, ""}
        case Period():
            return measure(value)[0] == kind
    return True
