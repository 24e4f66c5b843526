"""The one table of operators and functions: name, parameter types, result, implementation.

A node of the checked tree names its row by `Overload.id`. What takes any type (`==`, `in` a list, `[…]`, `+` of lists)
has a row here too; `check` chooses it. An implementation gets values that are there, of the row's types; it returns a
value or raises `RuleError`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, Final, Literal

from ..errors import InvalidValue, RuleError
from ..money import Money, decimal_text, parse_money
from ..period import parse_period
from ..types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    HOLE,
    INT,
    MONEY,
    PERIOD,
    TEXT,
    TIMESTAMP,
    WINDOW,
    ListType,
    MapType,
    MoneyType,
    Type,
)
from ..values import Value, instant_text, parse_date, parse_duration, parse_timestamp
from . import arithmetic, instants

#: How a row is called: `a + b`, `size(x)`, `x.size()`, or both of the last two.
Style = Literal["operator", "function", "method", "both"]
#: What a row needs of the surroundings, given before its arguments.
Needs = Literal["nothing", "zone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """One row: what an operator or function does with arguments of these types."""

    name: str
    parameters: tuple[Type, ...]
    result: Type
    run: Callable[..., Value]
    style: Style = "function"
    needs: Needs = "nothing"
    #: Given literals only, it is computed when the policy is checked, and its failure is a problem there.
    folds: bool = False

    @property
    def id(self) -> str:
        """The key of the row, such as `+(int, int)`."""
        return f"{self.name}({', '.join(str(type_) for type_ in self.parameters)})"

    def __str__(self) -> str:
        """Write the row as an author would call it."""
        words = {"unknown": "a value", "list of unknown": "a list", "map of unknown": "a map"}
        types = [words.get(str(type_), str(type_)) for type_ in self.parameters]
        if self.style == "operator":
            return f"{types[0]} {self.name} {types[1]}" if len(types) == 2 else f"{self.name}{types[0]}"
        if self.style == "method":
            return f"{types[0]}.{self.name}({', '.join(types[1:])})"
        return f"{self.name}({', '.join(types)})"


_LIST: Final = ListType(HOLE)
_MAP: Final = MapType(HOLE)
#: Types whose values have an order.
ORDERED: Final = (INT, DECIMAL, MONEY, TEXT, BOOL, TIMESTAMP, DURATION, DATE)
ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _read(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return a reader of text whose failure is one of the rule."""

    def run(*arguments: Any) -> Value:
        try:
            return parse(*arguments)
        except InvalidValue as error:
            raise RuleError(str(error)) from None

    return run


_INT: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_TRUTHS: Final = {
    **dict.fromkeys(["1", "t", "T", "true", "TRUE", "True"], True),
    **dict.fromkeys(["0", "f", "F", "false", "FALSE", "False"], False),
}


def _parse_int(text: str) -> int:
    if _INT.fullmatch(text) is None:
        raise InvalidValue(f"`{text[:60]}` is not a whole number")
    return arithmetic.whole(int(text))


def _parse_decimal(text: str) -> Fraction:
    if _DECIMAL.fullmatch(text) is None:
        raise InvalidValue(f"`{text[:60]}` is not a number such as `12.50`")
    return Fraction(text)


def _parse_bool(text: str) -> bool:
    if text not in _TRUTHS:
        raise InvalidValue(f"`{text[:60]}` is neither `true` nor `false`")
    return _TRUTHS[text]


def _matches(text: str, pattern: str) -> bool:
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2  # noqa: PLC0415 - a compiled library; only policies that match patterns pay for it

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise RuleError(f"`{pattern[:60]}` is not a regular expression (RE2)") from None


def check_pattern(pattern: str) -> None:
    """Read a regular expression.

    Raises:
        RuleError: it is none.
    """
    _compiled(pattern)


def _operators() -> Iterator[Overload]:
    row = partial(Overload, style="operator")
    arith, time = arithmetic, instants
    yield row(name="+", parameters=(INT, INT), result=INT, run=arith.add_ints)
    yield row(name="+", parameters=(DECIMAL, DECIMAL), result=DECIMAL, run=arith.add_decimals)
    yield row(name="+", parameters=(TEXT, TEXT), result=TEXT, run=arith.join_texts)
    yield row(name="+", parameters=(MONEY, MONEY), result=MONEY, run=operator.add)
    yield row(name="+", parameters=(TIMESTAMP, DURATION), result=TIMESTAMP, run=time.later)
    yield row(name="+", parameters=(DURATION, TIMESTAMP), result=TIMESTAMP, run=time.later_of)
    yield row(name="+", parameters=(DURATION, DURATION), result=DURATION, run=time.add_durations)
    yield row(name="+", parameters=(_LIST, _LIST), result=_LIST, run=arith.join_lists)
    yield row(name="-", parameters=(INT, INT), result=INT, run=arith.subtract_ints)
    yield row(name="-", parameters=(DECIMAL, DECIMAL), result=DECIMAL, run=arith.subtract_decimals)
    yield row(name="-", parameters=(MONEY, MONEY), result=MONEY, run=operator.sub)
    yield row(name="-", parameters=(TIMESTAMP, TIMESTAMP), result=DURATION, run=time.between)
    yield row(name="-", parameters=(TIMESTAMP, DURATION), result=TIMESTAMP, run=time.earlier)
    yield row(name="-", parameters=(DURATION, DURATION), result=DURATION, run=time.subtract_durations)
    yield row(name="-", parameters=(DATE, DATE), result=INT, run=time.days_between)
    yield row(name="-", parameters=(INT,), result=INT, run=arith.negate_int)
    yield row(name="-", parameters=(DECIMAL,), result=DECIMAL, run=operator.neg)
    yield row(name="-", parameters=(MONEY,), result=MONEY, run=operator.neg)
    yield row(name="*", parameters=(INT, INT), result=INT, run=arith.multiply_ints)
    yield row(name="*", parameters=(DECIMAL, DECIMAL), result=DECIMAL, run=arith.multiply_decimals)
    yield row(name="*", parameters=(MONEY, DECIMAL), result=MONEY, run=arith.scale_money)
    yield row(name="*", parameters=(DECIMAL, MONEY), result=MONEY, run=arith.scaled_money)
    yield row(name="*", parameters=(PERIOD, INT), result=PERIOD, run=time.stretch)
    yield row(name="*", parameters=(INT, PERIOD), result=PERIOD, run=time.stretched)
    yield row(name="/", parameters=(INT, INT), result=INT, run=arith.divide_ints)
    yield row(name="/", parameters=(DECIMAL, DECIMAL), result=DECIMAL, run=arith.divide_decimals)
    yield row(name="/", parameters=(MONEY, DECIMAL), result=MONEY, run=arith.divide_money)
    yield row(name="/", parameters=(MONEY, MONEY), result=DECIMAL, run=Money.ratio)
    yield row(name="%", parameters=(INT, INT), result=INT, run=arith.remainder)
    for name, compare in ORDERINGS.items():
        for type_ in ORDERED:
            yield row(name=name, parameters=(type_, type_), result=BOOL, run=compare)
    yield row(name="==", parameters=(HOLE, HOLE), result=BOOL, run=arith.equal)
    yield row(name="!=", parameters=(HOLE, HOLE), result=BOOL, run=arith.unequal)
    yield row(name="in", parameters=(HOLE, _LIST), result=BOOL, run=arith.contained)
    yield row(name="in", parameters=(TEXT, _MAP), result=BOOL, run=lambda key, entries: key in entries)
    yield row(
        name="in", parameters=(TIMESTAMP, WINDOW), result=BOOL, run=lambda at, window: window.contains(at)
    )


def _texts() -> Iterator[Overload]:
    for container in (TEXT, _LIST, _MAP):
        yield Overload(name="size", parameters=(container,), result=INT, run=len, style="both")
    tests: dict[str, Callable[[str, str], bool]] = {
        "contains": operator.contains,
        "startsWith": str.startswith,
        "endsWith": str.endswith,
    }
    for name, run in tests.items():
        yield Overload(name=name, parameters=(TEXT, TEXT), result=BOOL, run=run, style="method")
    yield Overload(name="matches", parameters=(TEXT, TEXT), result=BOOL, run=_matches, style="both")


def _conversions() -> Iterator[Overload]:
    texts: tuple[tuple[Type, Callable[[Any], str]], ...] = (
        (TEXT, str),
        (BOOL, lambda value: "true" if value else "false"),
        (INT, str),
        (DECIMAL, decimal_text),
        (MONEY, str),
        (PERIOD, str),
        (DATE, lambda day: day.isoformat()),
        (TIMESTAMP, instant_text),
        (DURATION, instants.duration_text),
    )
    for type_, run in texts:
        yield Overload(name="string", parameters=(type_,), result=TEXT, run=run)
    yield Overload(name="bool", parameters=(BOOL,), result=BOOL, run=bool)
    yield Overload(name="bool", parameters=(TEXT,), result=BOOL, run=_read(_parse_bool), folds=True)
    yield Overload(name="int", parameters=(INT,), result=INT, run=int)
    yield Overload(name="int", parameters=(DECIMAL,), result=INT, run=arithmetic.cut)
    yield Overload(name="int", parameters=(TEXT,), result=INT, run=_read(_parse_int), folds=True)
    yield Overload(name="int", parameters=(TIMESTAMP,), result=INT, run=instants.to_epoch)
    yield Overload(name="decimal", parameters=(DECIMAL,), result=DECIMAL, run=Fraction)
    yield Overload(name="decimal", parameters=(INT,), result=DECIMAL, run=Fraction)
    yield Overload(name="decimal", parameters=(TEXT,), result=DECIMAL, run=_read(_parse_decimal), folds=True)
    yield Overload(name="money", parameters=(TEXT,), result=MONEY, run=_read(parse_money), folds=True)
    yield Overload(name="period", parameters=(TEXT,), result=PERIOD, run=_read(parse_period), folds=True)
    yield Overload(name="date", parameters=(TEXT,), result=DATE, run=_read(parse_date), folds=True)


def _times() -> Iterator[Overload]:
    yield Overload(name="timestamp", parameters=(TIMESTAMP,), result=TIMESTAMP, run=lambda at: at)
    yield Overload(
        name="timestamp", parameters=(TEXT,), result=TIMESTAMP, run=_read(parse_timestamp), folds=True
    )
    yield Overload(name="timestamp", parameters=(INT,), result=TIMESTAMP, run=instants.from_epoch, folds=True)
    yield Overload(name="duration", parameters=(DURATION,), result=DURATION, run=lambda length: length)
    yield Overload(
        name="duration", parameters=(TEXT,), result=DURATION, run=_read(parse_duration), folds=True
    )
    yield Overload(
        name="date",
        parameters=(TIMESTAMP,),
        result=DATE,
        needs="zone",
        run=lambda zone, at: instants.date_of(at, zone),
    )
    for name, part in instants.PARTS.items():
        yield Overload(name=name, parameters=(TIMESTAMP,), result=INT, run=part, style="method")
        run = _read(instants.part_at(part))  # type: ignore[arg-type] # `_read` passes every argument on
        yield Overload(name=name, parameters=(TIMESTAMP, TEXT), result=INT, run=run, style="method")
    for name, of_day in instants.DAY_PARTS.items():
        yield Overload(name=name, parameters=(DATE,), result=INT, run=of_day, style="method")
    for name, length in instants.LENGTHS.items():
        yield Overload(name=name, parameters=(DURATION,), result=INT, run=length, style="method")


def _numbers() -> Iterator[Overload]:
    for type_ in ORDERED:
        for name, best in (("min", arithmetic.least), ("max", arithmetic.greatest)):
            pair = partial(_of_two, best)
            yield Overload(name=name, parameters=(type_, type_), result=type_, run=pair)
            yield Overload(name=name, parameters=(ListType(type_),), result=type_, run=best, style="both")
    for summed, (zero, add) in SUMS.items():
        run = arithmetic.total(zero, add)
        yield Overload(name="sum", parameters=(ListType(summed),), result=summed, run=run, style="both")
    yield Overload(name="abs", parameters=(INT,), result=INT, run=arithmetic.absolute_int)
    yield Overload(name="abs", parameters=(DECIMAL,), result=DECIMAL, run=abs)
    yield Overload(name="abs", parameters=(MONEY,), result=MONEY, run=arithmetic.absolute_money)
    yield Overload(name="round", parameters=(DECIMAL,), result=INT, run=arithmetic.rounded)
    yield Overload(name="round", parameters=(MONEY,), result=MONEY, run=Money.rounded)
    parts = ListType(MONEY)
    for weights in (parts, ListType(INT), ListType(DECIMAL)):
        yield Overload(name="split", parameters=(MONEY, weights), result=parts, run=arithmetic.split)
        yield Overload(name="split", parameters=(MONEY, weights, parts), result=parts, run=arithmetic.split)


def _of_two(best: Callable[[tuple[Value, ...]], Value], left: Value, right: Value) -> Value:
    return best((left, right))


#: The types that can be added up: what an empty sum is, and how two are added.
SUMS: Final[dict[Type, tuple[Value, Callable[[Any, Any], Value]]]] = {
    INT: (0, arithmetic.add_ints),
    DECIMAL: (Fraction(0), arithmetic.add_decimals),
    MONEY: (Money(Fraction(0), ""), operator.add),
    DURATION: (timedelta(0), instants.add_durations),
}


def summing(type_: Type) -> tuple[Value, Callable[[Any, Any], Value]]:
    """Return what an empty sum of a type is, and how two are added; of a type not known nothing is ever added."""
    return SUMS.get(MONEY if isinstance(type_, MoneyType) else type_, SUMS[INT])


#: Every row by its id.
OVERLOADS: Final[dict[str, Overload]] = {
    row.id: row for rows in (_operators, _texts, _conversions, _times, _numbers) for row in rows()
}


def _by_name() -> dict[str, tuple[Overload, ...]]:
    found: dict[str, list[Overload]] = {}
    for row in OVERLOADS.values():
        found.setdefault(row.name, []).append(row)
    return {name: tuple(rows) for name, rows in found.items()}


#: The rows of each name, in the order in which they are tried.
FUNCTIONS: Final[dict[str, tuple[Overload, ...]]] = _by_name()
