"""Plain data read as a value of a declared type: literals in a policy, facts and event data from a host.

Plain data is what JSON or YAML give: text, booleans, whole numbers, exact fractions, lists, maps. Values that are
already of the type (a datetime, a Money) are taken as they are, so that hosts may pass them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, Final, Literal

from .diagnostics import did_you_mean
from .errors import InvalidValue
from .money import Money, parse_money
from .period import Period, parse_period
from .types import EnumType, Hole, ListType, MapType, MoneyType, OptionalType, RecordType, ScalarType, Type
from .values import Value, in_currency, in_order, parse_date, parse_duration, parse_timestamp

#: Longer texts are refused: a fact is data about a case, not a document.
MAX_TEXT: Final = 100_000
#: Data of a host nested deeper than this are refused.
MAX_DEPTH: Final = 32
#: Numbers of a host with more digits are refused.
MAX_DIGITS: Final = 40
_HUGE: Final = 10**MAX_DIGITS
_TOO_LONG: Final = f"the number has more than {MAX_DIGITS} digits"
_INTEGER: Final = re.compile(r"-?\d{1,19}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)

Path = tuple[str | int, ...]


class Misfit(InvalidValue):
    """A value is not of its type; `path` says where inside it, `hint` what was probably meant."""

    def __init__(
        self,
        message: str,
        path: Path = (),
        hint: str | Callable[[], str | None] | None = None,
        unknown: Literal["value", "key"] | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self._hint = hint
        #: Whether it is a name that nothing has: a value of an enum, or a field, whose key `path` then leads to.
        self.unknown = unknown

    @property
    def hint(self) -> str | None:
        """What was probably meant; looked for when it is asked for."""
        return self._hint() if callable(self._hint) else self._hint


def read_literal(data: Any, type_: Type, *, currency: str | None = None, path: Path = ()) -> Value:
    """Return the value of a type that plain data writes.

    Args:
        data: what the author or the host wrote.
        type_: the declared type.
        currency: of amounts that name none.
        path: where the data stands inside a larger one; errors carry it.
    Raises:
        Misfit: the data is not of the type.

    >>> read_literal(["photo"], ListType(EnumType("proof", ("photo", "video"))))
    ('photo',)
    >>> str(read_literal("42.50", MoneyType(), currency="USD"))
    '42.50 USD'
    """
    match type_:
        case Hole():
            return data
        case OptionalType(item):
            return read_literal(data, item, currency=currency, path=path)
        case EnumType(name, values):
            text = _text(data, path, name)
            if text not in values:
                raise Misfit(
                    f"`{text[:60]}` is not a {name}", path, partial(did_you_mean, text, values), "value"
                )
            return text
        case ListType(item, limit):
            return _list(data, item, limit, currency, path)
        case MapType(value):
            _demand(isinstance(data, Mapping), "a map is due here", path)
            return in_order(
                {
                    str(key): read_literal(entry, value, currency=currency, path=(*path, key))
                    for key, entry in data.items()
                }
            )
        case RecordType():
            return _record(data, type_, currency, path)
        case MoneyType():
            return _money(data, type_.currency or currency, path)
        case ScalarType(name):
            return _scalar(data, name, path)


def _demand(holds: bool, message: str, path: Path) -> None:  # noqa: FBT001 - reads as "demand that"
    if not holds:
        raise Misfit(message, path)


def _text(data: Any, path: Path, what: str) -> str:
    _demand(isinstance(data, str), f"a text is due here, for it is a {what}", path)
    _demand(len(data) <= MAX_TEXT, f"the text is longer than {MAX_TEXT:,} characters", path)
    return str(data)


def _list(data: Any, item: Type, limit: int, currency: str | None, path: Path) -> Value:
    _demand(isinstance(data, list | tuple), "a list is due here", path)
    _demand(len(data) <= limit, f"the list has more than {limit:,} items", path)
    return tuple(
        read_literal(entry, item, currency=currency, path=(*path, i)) for i, entry in enumerate(data)
    )


def _record(data: Any, type_: RecordType, currency: str | None, path: Path) -> Value:
    _demand(isinstance(data, Mapping), f"a map with the fields of {type_.name} is due here", path)
    names = [name for name, _ in type_.fields]
    for key in data:
        if key not in names:
            message = f"{type_.name} has no field `{str(key)[:60]}`"
            raise Misfit(message, (*path, key), did_you_mean(str(key), names), "key")
    defaults = dict(type_.defaults)
    record: dict[str, Value] = {}
    for name, field in type_.fields:
        if name in data and data[name] is not None:
            record[name] = read_literal(data[name], field, currency=currency, path=(*path, name))
        elif name in defaults:
            record[name] = in_currency(defaults[name], currency)
        elif not isinstance(field, OptionalType):
            raise Misfit(f"the field `{name}` of {type_.name} is missing", path)
    return record


def _money(data: Any, currency: str | None, path: Path) -> Money:
    match data:
        case Money():
            return data
        case bool() | float():
            pass
        case int() | Fraction() | Decimal():
            _demand(currency is not None, f"the amount `{data}` names no currency", path)
            return Money(Fraction(data), currency or "")
        case str():
            try:
                return parse_money(data, currency)
            except InvalidValue as error:
                raise Misfit(str(error), path, _without_comma(data)) from None
    raise Misfit("an amount of money is due here, such as `12.50 USD`", path)


def _without_comma(text: str) -> str | None:
    """Return the hint for an amount with commas: they group digits, or stand for the point.

    >>> _without_comma("10,50 EUR"), _without_comma("1,250 EUR")
    ('write `10.50 EUR`', 'write `1250 EUR`')
    """
    if re.fullmatch(r"-?\d+,\d{1,2}( [A-Z]{3})?", text, re.ASCII):
        return f"write `{text.replace(',', '.')}`"
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?( [A-Z]{3})?", text, re.ASCII):
        return f"write `{text.replace(',', '')}`"
    return None


def _scalar(data: Any, name: str, path: Path) -> Value:
    try:
        match name, data:
            case "bool", bool():
                return data
            case "int", int() if not isinstance(data, bool) and data in _INT64:
                return data
            case "int", str() if _INTEGER.fullmatch(data):
                return _scalar(int(data), name, path)
            case "decimal", int() | Fraction() | Decimal() if not isinstance(data, bool):
                return Fraction(data)
            case "decimal", str() if _DECIMAL.fullmatch(data):
                return Fraction(data)
            case "text", str():
                return _text(data, path, "text")
            case "timestamp", datetime():
                return _instant(data, path)
            case "timestamp", str():
                return parse_timestamp(data)
            case "date", date() if not isinstance(data, datetime):
                return data
            case "date", str():
                return parse_date(data)
            case "duration", timedelta():
                return data - timedelta(microseconds=data.microseconds)
            case "duration", str():
                return parse_duration(data)
            case "period", Period():
                return _period(data, path)
            case "period", str():
                return parse_period(data)
    except Misfit:
        raise
    except InvalidValue as error:
        raise Misfit(str(error), path) from None
    raise Misfit(f"a value of type {name} is due here, such as `{_EXAMPLES.get(name, name)}`", path)


def _instant(data: datetime, path: Path) -> datetime:
    _demand(data.tzinfo is not None, "the instant has no offset", path)
    try:
        return data.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise Misfit("the instant lies outside the years 1 to 9999", path) from None


def _period(data: Period, path: Path) -> Period:
    try:
        return parse_period(str(data))
    except InvalidValue as error:
        raise Misfit(str(error), path) from None


_EXAMPLES: Final[dict[str, str]] = {
    "bool": "true",
    "int": "3",
    "decimal": "0.25",
    "text": "some words",
    "timestamp": "2026-03-05T20:00:00-05:00",
    "date": "2026-03-05",
    "duration": "1h30m",
    "period": "2 business days",
}


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a host's data as values that a journal can hold.

    Raises:
        InvalidValue: something in it is a float, which no amount may be, or a foreign object.

    >>> plain({"amount": Decimal("1.50"), "tags": ["a"]})
    {'amount': Fraction(3, 2), 'tags': ('a',)}
    """
    return _plain_map(data, ())


def _plain_map(data: Mapping[Any, Any], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = written(str(key), path)
        _demand(name not in found, f"two keys are written `{name[:60]}`", path)
        found[name] = _plain(value, (*path, name))
    return found


def _plain(value: Any, path: Path) -> Any:
    if len(path) > MAX_DEPTH:
        raise Misfit(f"the data are nested more than {MAX_DEPTH} deep", path)
    match value:
        case None | bool():
            return value
        case Period():
            return _period(value, path)
        case timedelta():
            return value - timedelta(microseconds=value.microseconds)
        case int() | float() | Fraction() | Decimal():
            return _number(value, path)
        case Money():
            return Money(Fraction(_number(value.amount, path)), written(value.currency, path))
        case str():
            return written(value, path)
        case datetime():
            return _instant(value, path)
        case date() if not isinstance(value, datetime):
            return value
        case list() | tuple():
            return tuple(_plain(item, (*path, index)) for index, item in enumerate(value))
        case Mapping():
            return _plain_map(value, path)
    raise Misfit(f"{type(value).__name__} is not data; pass text, numbers, lists and maps", path)


def _number(value: Any, path: Path) -> int | Fraction:
    match value:
        case int():
            _demand(abs(value) < _HUGE, _TOO_LONG, path)
            return value
        case Fraction():
            _demand(abs(value.numerator) < _HUGE and value.denominator < _HUGE, _TOO_LONG, path)
            return value
        case Decimal() if value.is_finite():
            # Asked before it is written out: 1E+999999999 is short.
            _demand(not value or abs(value.adjusted()) < MAX_DIGITS, _TOO_LONG, path)
            return _number(Fraction(value), path)
        case float():
            raise Misfit("a float is never exact; pass a Decimal, or the number as text", path)
    raise Misfit(f"{value} is not a number", path)


def written(text: str, path: Path = ()) -> str:
    """Return a text that a journal can hold.

    Raises:
        InvalidValue: it holds half a character.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Misfit("the text holds half a character (a lone surrogate)", path) from None
    return text
