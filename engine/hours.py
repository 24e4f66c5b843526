"""Opening hours: how much of a stretch of time a calendar is open, and when so much of it has passed.

A calendar is open on its business days, during the stretches of their day of the week, by the wall clock of a zone. Where
clocks change within them, what counts is the time that passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from .calendar import Calendar, first_at, start_of_day, to_local
from .errors import RuleError

_DAY: Final = timedelta(days=1)
_NOTHING: Final = timedelta(0)


def after_open(calendar: Calendar, instant: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """Return the first instant by which a calendar was open for a length of time since an instant.

    What ends with the last opening second of a day ends at closing time, not at the next opening.

    Raises:
        RuleError: the calendar has no opening hours, or is not known for a day between.

    >>> from datetime import UTC
    >>> from .calendar import zone
    >>> shop = Calendar(name="shop", hours=(((540, 1020),),) * 7)
    >>> friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    >>> after_open(shop, friday, timedelta(hours=2), zone("UTC")).isoformat()
    '2026-03-09T10:00:00+00:00'
    """
    for opens, closes in _stretches(calendar, instant, zone, 1):
        if length <= _NOTHING:
            break
        start = max(opens, instant)
        if length <= closes - start:
            return start + length
        length -= max(closes - start, _NOTHING)
    return instant


def before_open(calendar: Calendar, instant: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """Return the last instant from which on a calendar is open for a length of time until an instant.

    Raises:
        RuleError: the calendar has no opening hours, or is not known for a day between.
    """
    for opens, closes in _stretches(calendar, instant, zone, -1):
        if length <= _NOTHING:
            break
        end = min(closes, instant)
        if length <= end - opens:
            return end - length
        length -= max(end - opens, _NOTHING)
    return instant


def open_between(calendar: Calendar, since: datetime, until: datetime, zone: ZoneInfo) -> timedelta:
    """Return how long a calendar is open between two instants; nothing if the second is not later.

    Raises:
        RuleError: the calendar has no opening hours, or is not known for a day between.
    """
    total = _NOTHING
    for opens, closes in _stretches(calendar, since, zone, 1):
        if opens >= until:
            break
        total += max(min(closes, until) - max(opens, since), _NOTHING)
    return total


def _stretches(
    calendar: Calendar, instant: datetime, zone: ZoneInfo, direction: int
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the opening and closing instants from about an instant on, later ones or earlier ones, without end."""
    if calendar.hours is None:
        raise RuleError(f"the calendar `{calendar.name}` has no opening hours")
    day = to_local(instant, zone).date()
    # Where clocks go back over midnight the instant may belong to the stretches of the day beside it.
    beside = day - direction * _DAY
    if calendar.first <= beside <= calendar.last:
        day = beside
    while True:
        if calendar.is_business_day(day):
            stretches = calendar.hours[day.isoweekday() - 1]
            for begin, end in stretches[::direction]:
                yield _wall(day, begin, zone), _wall(day, end, zone)
        if day in (date.min, date.max):
            raise RuleError(f"the calendar `{calendar.name}` has too few opening hours")
        day += direction * _DAY


def _wall(day: date, minute: int, zone: ZoneInfo) -> datetime:
    if minute == 24 * 60:
        return start_of_day(day + _DAY, zone)
    return first_at(day, time(minute // 60, minute % 60), zone)
