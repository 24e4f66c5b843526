"""Timestamps, durations and dates: the implementations behind their functions and operators.

Timestamps are UTC, the engine's resolution is one second, and every failure is a `RuleError`. Ranges: years 1 to 9999;
durations as CEL bounds them, 292 years either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from .. import calendar
from ..errors import InvalidValue, RuleError
from ..period import MAX_COUNT, Period
from ..values import MAX_SECONDS

_SECOND: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_OFFSET: Final = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")


def duration_text(value: timedelta) -> str:
    """Write a duration in seconds, as CEL does."""
    return f"{value // _SECOND}s"


def _in_range(value: timedelta) -> timedelta:
    if abs(value // _SECOND) > MAX_SECONDS:
        raise RuleError("the duration is longer than 292 years")
    return value


def add_durations(left: timedelta, right: timedelta) -> timedelta:
    """Add."""
    return _in_range(left + right)


def subtract_durations(left: timedelta, right: timedelta) -> timedelta:
    """Subtract."""
    return _in_range(left - right)


def between(left: datetime, right: datetime) -> timedelta:
    """Return the time from `right` to `left`."""
    return _in_range(left - right)


def days_between(left: date, right: date) -> int:
    """Return the days from `right` to `left` on the calendar, whatever the clocks did in between."""
    return (left - right).days


def later(instant: datetime, length: timedelta) -> datetime:
    """Add a duration to an instant."""
    try:
        return instant + length
    except OverflowError:
        raise RuleError("the instant lies outside the years 1 to 9999") from None


def later_of(length: timedelta, instant: datetime) -> datetime:
    """Add an instant to a duration."""
    return later(instant, length)


def earlier(instant: datetime, length: timedelta) -> datetime:
    """Take a duration from an instant."""
    return later(instant, -length)


def from_epoch(seconds: int) -> datetime:
    """Return the instant so many seconds after 1970 began."""
    if not _FIRST <= seconds <= _LAST:
        raise RuleError("the instant lies outside the years 1 to 9999")
    return _EPOCH + timedelta(seconds=seconds)


def to_epoch(instant: datetime) -> int:
    """Return the seconds since 1970 began."""
    return (instant - _EPOCH) // _SECOND


def read_zone(name: str) -> tzinfo:
    """Return a zone by its IANA name, or an offset such as `+07:00`.

    Raises:
        InvalidValue: there is no such zone.
    """
    match = _OFFSET.fullmatch(name)
    if match is None:
        return calendar.zone(name)
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes >= 24 * 60 or int(match[3]) > 59:
        raise InvalidValue(f"`{name}` is not an offset such as `+07:00`")
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def local(instant: datetime, zone: tzinfo) -> datetime:
    """Return an instant as the clocks of a zone show it."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        raise RuleError("the instant lies outside the years 1 to 9999") from None


def date_of(instant: datetime, zone: tzinfo) -> date:
    """Return the local date of an instant."""
    return local(instant, zone).date()


#: The parts of a day by CEL's names. Months, days of the month (but `getDate`), of the week and year count from 0.
DAY_PARTS: Final[dict[str, Callable[[date], int]]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
}

#: The parts of an instant by CEL's names: those of its day, and of its time.
PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    **DAY_PARTS,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}

#: The lengths of a duration by CEL's names: whole hours, minutes, seconds; milliseconds are those beyond the second.
LENGTHS: Final[dict[str, Callable[[timedelta], int]]] = {
    "getHours": lambda length: _towards_zero(length, 3600),
    "getMinutes": lambda length: _towards_zero(length, 60),
    "getSeconds": lambda length: _towards_zero(length, 1),
    "getMilliseconds": lambda length: length.microseconds // 1000,
}


def _towards_zero(length: timedelta, seconds: int) -> int:
    count = abs(length) // timedelta(seconds=seconds)
    return count if length >= timedelta(0) else -count


def part_at(read: Callable[[datetime], int]) -> Callable[[datetime, str], int]:
    """Return the function that reads a part of an instant in a zone named by text."""
    return lambda instant, zone: read(local(instant, read_zone(zone)))


def stretch(period: Period, times: int) -> Period:
    """Return a period that is so many times as long.

    Raises:
        RuleError: it would be negative, or longer than a period can be written.

    >>> str(stretch(Period(2, "business day"), 3))
    '6 business days'
    """
    count = period.count * times
    if not 0 <= count <= MAX_COUNT:
        raise RuleError(f"{count} is no length of a period: from 0 to {MAX_COUNT}")
    return Period(count, period.unit)


def stretched(times: int, period: Period) -> Period:
    """Return a period that is so many times as long."""
    return stretch(period, times)
