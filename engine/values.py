"""Values of the policy language in Python, and their canonical JSON.

bool: bool · int: int (64 bits) · decimal: Fraction · text, enum: str · timestamp: datetime in UTC · duration: timedelta ·
date: date · period: Period · money: Money · window: Window · list: tuple · record, map: dict, never changed in place ·
missing: Unknown · erased: Sealed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from types import NoneType
from typing import Any, Final

from .canonical import keys_in_order
from .errors import InvalidValue
from .money import Money, Rounding, decimal_text, parse_money
from .period import Period, parse_period

Value = Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """What an expression is worth when facts it needs are missing.

    `missing` holds their paths, such as `claim.amount`.
    """

    missing: frozenset[str] = frozenset()

    def __or__(self, other: Unknown) -> Unknown:
        return Unknown(self.missing | other.missing)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sensitive value that is not here: only its keyed commitment (hex) is."""

    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time between two moments, as known now; both ends are the last or first second inside.

    `opens` None means it was always open, `closes` None that it never closes.
    """

    opens: datetime | Unknown | None
    closes: datetime | Unknown | None
    #: The reason codes for an instant before it opens and after it has closed.
    early: str | None = None
    late: str | None = None

    def contains(self, instant: datetime) -> bool | Unknown:
        """Return whether an instant lies inside; unknown while a moment that matters is."""
        after_end = self.is_past(instant)
        if after_end is True:
            return False
        before_start = (
            self.opens if isinstance(self.opens, Unknown) else self.opens is not None and instant < self.opens
        )
        if before_start is True:
            return False
        if isinstance(before_start, Unknown):
            return before_start | after_end if isinstance(after_end, Unknown) else before_start
        return after_end if isinstance(after_end, Unknown) else True

    def is_past(self, instant: datetime) -> bool | Unknown:
        """Return whether it has closed by an instant; its last second is still inside."""
        if isinstance(self.closes, Unknown):
            return self.closes
        return self.closes is not None and instant > self.closes

    def reason(self, instant: datetime) -> str | None:
        """Return the reason code for an instant outside, or None inside, and where none was declared."""
        if self.is_past(instant) is True:
            return self.late
        if isinstance(self.opens, datetime) and instant < self.opens:
            return self.early
        return None


_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ](?P<hour>\d{2}):\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:(?P<minutes>\d{2}))",
    re.ASCII,
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: CEL counts a duration in nanoseconds of 64 bits.
MAX_SECONDS: Final = (2**63 - 1) // 10**9
_UNITS: Final[dict[str, Fraction]] = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_PART: Final = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(h|ms|m|s|us|µs|ns)"
_DURATION: Final = re.compile(rf"([+-]?)((?:{_PART})+|0)")


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 instant with its offset; it is floored to the second and kept in UTC.

    Raises:
        InvalidValue: the text is not an instant, or has no offset.

    >>> parse_timestamp("2026-03-05T20:00:00-05:00").isoformat()
    '2026-03-06T01:00:00+00:00'
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise InvalidValue(
            f"`{text[:60]}` is not an instant with an offset, such as `2026-03-05T20:00:00-05:00`"
        )
    try:
        # Some versions of Python read hour 24 as the next day, and an offset of 75 minutes as an hour and 15.
        if match["hour"] < "24" and (match["minutes"] or "00") < "60":
            parsed = datetime.fromisoformat(re.sub(r"\.\d+", "", text).upper().replace(" ", "T"))
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidValue(f"`{text[:60]}` is not a date and time of the calendar")


def instant_text(instant: datetime) -> str:
    """Write an instant in UTC to the second.

    >>> instant_text(parse_timestamp("2026-03-05T20:00:00-05:00"))
    '2026-03-06T01:00:00Z'
    """
    # Only of instants in UTC equal ones are the same: in a zone an hour comes twice.
    return _utc_text(instant.astimezone(UTC))


@lru_cache(4096)
def _utc_text(instant: datetime) -> str:
    return f"{instant.isoformat(timespec='seconds')[:19]}Z"


def parse_date(text: str) -> date:
    """Read `2026-03-05`.

    Raises:
        InvalidValue: the text is not a date of the calendar.
    """
    # Python itself also reads dates by week.
    if _DATE.fullmatch(text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    raise InvalidValue(f"`{text[:60]}` is not a date such as `2026-03-05`")


def in_order(value: Value) -> Value:
    """Return a value whose maps have their keys in the order of the journal, which keeps no other.

    Whatever walks over a map that was stored sees the same order, whether the case is at hand or rebuilt.

    >>> list(in_order({"b": 1, "a": 2}))
    ['a', 'b']
    """
    match value:
        case tuple():
            return tuple(in_order(item) for item in value)
        case Mapping():
            return {key: in_order(value[key]) for key in keys_in_order(value)}
    return value


def in_minor_units(value: Value, mode: Rounding) -> Value:
    """Return a value whose amounts of money, also those in lists, records and maps, are of whole minor units.

    >>> str(in_minor_units({"share": Money(Fraction(10, 3), "EUR")}, "half_up")["share"])
    '3.33 EUR'
    """
    match value:
        case Money():
            return value.rounded(mode)
        case tuple():
            return tuple(in_minor_units(item, mode) for item in value)
        case Mapping():
            return {key: in_minor_units(item, mode) for key, item in value.items()}
    return value


def in_currency(value: Value, currency: str | None) -> Value:
    """Return a value in which nothing, written without a currency, is nothing of one; other amounts keep theirs.

    >>> str(in_currency((Money(Fraction(0), ""), Money(Fraction(1), "EUR")), "JPY")[0])
    '0 JPY'
    """
    match value:
        case Money(currency="") if currency:
            return Money(value.amount, currency)
        case tuple():
            return tuple(in_currency(item, currency) for item in value)
        case Mapping():
            return {key: in_currency(item, currency) for key, item in value.items()}
    return value


def to_text(value: Value) -> str:
    """Return a value as canonical JSON (RFC 8785) that tells its own type, so that reading it needs no policy.

    Text, booleans, lists and records are themselves; everything else is a map of one key that begins with `$`.

    >>> to_text({"tries": 2, "amount": Money(Fraction("12.5"), "USD")})
    '{"amount":{"$money":"12.5 USD"},"tries":{"$int":"2"}}'
    """
    write = _WRITERS.get(type(value)) or _writer_of(value)
    return write(value)


def map_text(value: Mapping[str, Value], write: Callable[[Any], str] = to_text) -> str:
    """Return a map as canonical JSON, its values as `write` writes them."""
    return "{" + ",".join([f"{quoted(key)}:{write(value[key])}" for key in keys_in_order(value)]) + "}"


def _map_text(value: Mapping[str, Value]) -> str:
    if any([key.startswith("$") for key in value]):  # noqa: C419 - a list is quicker, and maps are small
        pairs = [f"[{quoted(key)},{to_text(value[key])}]" for key in keys_in_order(value)]
        return '{"$map":[' + ",".join(pairs) + "]}"
    return map_text(value)


def _list_text(value: Iterable[Value]) -> str:
    return "[" + ",".join([to_text(item) for item in value]) + "]"


#: By type, and of types of which one is the other's the special one first.
_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    bool: lambda value: "true" if value else "false",
    str: quoted,
    NoneType: lambda _: "null",
    int: lambda value: f'{{"$int":"{value}"}}',
    Fraction: lambda value: f'{{"$decimal":"{decimal_text(value)}"}}',
    Money: lambda value: f'{{"$money":{quoted(f"{decimal_text(value.amount)} {value.currency}".rstrip())}}}',
    datetime: lambda value: f'{{"$at":"{instant_text(value)}"}}',
    date: lambda value: f'{{"$date":"{value.isoformat()}"}}',
    timedelta: lambda value: f'{{"$duration":"{value // timedelta(seconds=1)}s"}}',
    Period: lambda value: f'{{"$period":"{value}"}}',
    Unknown: lambda value: f'{{"$unknown":[{",".join(map(quoted, sorted(value.missing)))}]}}',
    Sealed: lambda value: f'{{"$sealed":{quoted(value.commitment)}}}',
    list: _list_text,
    tuple: _list_text,
    dict: _map_text,
    Mapping: _map_text,
}


def _writer_of(value: Value) -> Callable[[Any], str]:
    """Return what writes a value of a type that is only like one of the language's."""
    for type_, write in _WRITERS.items():
        if isinstance(value, type_):
            return write
    raise TypeError(f"{type(value).__name__} is not a value of the policy language")


def from_json(data: Any) -> Value:
    """Return the value that `to_text` wrote, from its JSON data.

    Raises:
        InvalidValue: the data was not written by it.

    >>> from_json({"$money": "12.5 USD"})
    Money(amount=Fraction(25, 2), currency='USD')
    """
    if isinstance(data, list):
        return tuple(from_json(item) for item in data)
    if isinstance(data, dict):
        if len(data) == 1:
            ((key, item),) = data.items()
            if key.startswith("$"):
                try:
                    return _tagged(key, item)
                except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
                    raise InvalidValue(f"`{data!r:.60}` is not a stored value") from error
        return {key: from_json(item) for key, item in data.items()}
    if data is None or isinstance(data, bool | str):
        return data
    raise InvalidValue(f"`{data!r:.60}` is not a stored value")


@lru_cache(4096)
def _written_instant(text: str) -> datetime:
    """Read what `instant_text` wrote, which is quick, or whatever else an instant may be."""
    instant = datetime.fromisoformat(text)
    return instant if instant_text(instant) == text else parse_timestamp(text)


def _tagged(tag: str, item: Any) -> Value:
    match tag:
        case "$int":
            return int(item)
        case "$decimal":
            return Fraction(item)
        case "$money":
            amount, _, currency = item.partition(" ")
            return Money(Fraction(amount), currency)
        case "$at":
            return _written_instant(item)
        case "$date":
            return parse_date(item)
        case "$duration":
            return timedelta(seconds=int(item.removesuffix("s")))
        case "$period":
            return parse_period(item)
        case "$unknown":
            return Unknown(frozenset(item))
        case "$sealed":
            return Sealed(item)
        case "$map":
            return {key: from_json(value) for key, value in item}
    raise InvalidValue(f"`{tag}` is not a stored type")


def parse_duration(text: str) -> timedelta:
    """Read a duration as CEL writes it: `1h30m`, `-5400s`.

    Raises:
        InvalidValue: the text is not a duration of whole seconds, or is too long.

    >>> parse_duration("1.5h") == parse_duration("5400s")
    True
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidValue(f"`{text[:60]}` is not a duration such as `1h30m` or `90s`")
    seconds = sum(
        (Fraction(count) * _UNITS[unit] for count, unit in re.findall(_PART, match[2])), Fraction(0)
    )
    if seconds.denominator != 1:
        raise InvalidValue(f"`{text[:60]}` is not a whole number of seconds")
    if seconds > MAX_SECONDS:
        raise InvalidValue(f"`{text[:60]}` is longer than 292 years")
    return timedelta(seconds=-int(seconds) if match[1] == "-" else int(seconds))


__all__ = [
    "MAX_SECONDS",
    "Sealed",
    "Unknown",
    "Value",
    "Window",
    "from_json",
    "in_currency",
    "in_minor_units",
    "in_order",
    "instant_text",
    "map_text",
    "parse_date",
    "parse_duration",
    "parse_money",
    "parse_period",
    "parse_timestamp",
    "quoted",
    "to_text",
]
