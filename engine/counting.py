"""The arithmetic of moments: periods counted from an instant on local days, and clocks that pause.

Pure functions of values; what an author may write, and where its values come from, is moment.py's matter.
Spec: docs/language.md, "Moments".
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from .calendar import Calendar, at_wall_clock, end_of_day, start_of_day, to_local
from .case import Left
from .errors import RuleError
from .period import EXACT_SECONDS, Period

Direction = Literal["after", "from", "before"]
Ends = Literal["end_of_day", "same_time", "start_of_day"]
Roll = Literal["none", "next_business_day", "previous_business_day"]
Counted = Literal["seconds", "days", "business days"]

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A moment that is known."""

    #: The last second still in time, UTC.
    at: datetime
    #: Where a window begins that opens on it: the next local midnight for a whole day, else the instant itself.
    opens: datetime
    #: Whether it is the end of a local day, rather than an instant of its own.
    whole_day: bool
    #: What a paused clock keeps of it, and the calendar of business days, else "".
    counted: Counted = "seconds"
    calendar: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where counting stands between two steps: a local day, the wall clock that it keeps, and the instant (UTC)."""

    day: date
    clock: time
    at: datetime


def opening(moment: Finished) -> datetime:
    """Return the first instant of a window that opens on a moment."""
    return moment.opens


def closing(moment: Finished) -> datetime:
    """Return the last second of a window that closes on a moment."""
    return moment.at


def exactly_at(instant: datetime) -> Finished:
    """Return the moment that is an instant, floored to the second."""
    at = instant.astimezone(UTC).replace(microsecond=0)
    return Finished(at=at, opens=at, whole_day=False)


def on_day(day: date, zone: ZoneInfo) -> Finished:
    """Return the moment that is a whole local day: a window opens on its first second, and closes on its last."""
    return Finished(at=end_of_day(day, zone), opens=start_of_day(day, zone), whole_day=True, counted="days")


def position(anchor: datetime | date, zone: ZoneInfo) -> Position:
    """Return where counting begins: at an instant, or at the start of a local day."""
    if isinstance(anchor, datetime):
        local = to_local(anchor, zone)
        return Position(
            day=local.date(), clock=local.time(), at=anchor.astimezone(UTC).replace(microsecond=0)
        )
    return Position(day=anchor, clock=time(), at=start_of_day(anchor, zone))


def moved(
    here: Position,
    period: Period,
    direction: Direction,
    *,
    zone: ZoneInfo,
    calendar: Calendar | None = None,
) -> Position:
    """Return where counting stands after one period; whole days keep the wall clock.

    Args:
        here: where it stands before.
        period: what is counted.
        direction: `after` does not count the day it stands on, `from` counts it as day 1, `before` goes back.
        zone: where days begin and end.
        calendar: the business days; needed for a period of them.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does.
    """
    try:
        if period.exact:
            length = timedelta(seconds=period.count * EXACT_SECONDS[period.unit])
            return position(here.at - length if direction == "before" else here.at + length, zone)
        day = _moved_day(here.day, period, direction, calendar)
    except OverflowError:
        raise RuleError(f"counting {period} leaves the years 1 to 9999") from None
    if day == here.day:
        # The instant stays as it is, also where the clock shows its time twice that day.
        return here
    return Position(day=day, clock=here.clock, at=at_wall_clock(day, here.clock, zone))


def _moved_day(day: date, period: Period, direction: Direction, calendar: Calendar | None) -> date:
    count = -period.count if direction == "before" else period.count
    first = 1 if direction == "from" else 0
    match period.unit:
        case "business day":
            return business_days(calendar).add_business_days(day - timedelta(days=first), count)
        case "week":
            return day + timedelta(days=7 * count - first)
        case "month":
            return _add_months(day, count, first)
        case "year":
            return _add_months(day, 12 * count, first)
    return day + timedelta(days=count - first)


def _add_months(day: date, count: int, first: int) -> date:
    """Return the same day of another month, or its last day where it has no such day.

    With `first` 1 the day is day 1 of the months, which then end on the day before; a month cut short ends on its last.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError
    length = gregorian.monthrange(year, month + 1)[1]
    if day.day > length:
        return date(year, month + 1, length)
    return date(year, month + 1, day.day) - timedelta(days=first)


def finish(
    here: Position,
    *,
    zone: ZoneInfo,
    ends: Ends,
    roll: Roll = "none",
    calendar: Calendar | None = None,
) -> Finished:
    """Return the moment on which counting ends; its `counted` is left at seconds.

    Args:
        here: where counting stands.
        zone: where days begin and end.
        ends: the end or the start of the local day, or the wall clock that counting kept.
        roll: whether a day without business moves to the next or the previous business day.
        calendar: the business days; needed to roll.

    Raises:
        RuleError: the calendar is not known for the day, or an instant leaves the years 1 to 9999.
    """
    day = here.day
    if roll == "next_business_day":
        day = business_days(calendar).next_business_day(day)
    elif roll == "previous_business_day":
        day = business_days(calendar).previous_business_day(day)
    match ends:
        case "end_of_day":
            at = end_of_day(day, zone)
            return Finished(at=at, opens=at + _SECOND, whole_day=True)
        case "start_of_day":
            return exactly_at(start_of_day(day, zone))
        case "same_time":
            return exactly_at(here.at if day == here.day else at_wall_clock(day, here.clock, zone))


def counting(moment: Finished, period: Period, calendar: Calendar | None) -> Finished:
    """Return a moment with what a paused clock keeps of it, told by the period that was counted last."""
    if period.exact:
        return replace(moment, counted="seconds", calendar="")
    if period.unit == "business day":
        return replace(moment, counted="business days", calendar=business_days(calendar).name)
    return replace(moment, counted="days", calendar="")


def business_days(calendar: Calendar | None) -> Calendar:
    """Return the calendar that business days are counted on.

    Raises:
        RuleError: there is none.
    """
    if calendar is None:
        raise RuleError("business days are counted, and there is no calendar for them")
    return calendar


def natural_ends(period: Period) -> Ends:
    """Return how a period ends where nothing is said: whole days at the end of the day, hours at their instant."""
    return "same_time" if period.exact else "end_of_day"


def count(
    anchor: datetime | date, period: Period, *, zone: ZoneInfo, calendar: Calendar | None = None
) -> Finished:
    """Return the moment one period after an instant or a local day, as it ends where nothing is said.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does.

    >>> from .calendar import zone
    >>> count(datetime(2026, 3, 6, 1, tzinfo=UTC), Period(14, "day"), zone=zone("America/New_York")).at.isoformat()
    '2026-03-20T03:59:59+00:00'
    """
    here = moved(position(anchor, zone), period, "after", zone=zone, calendar=calendar)
    return counting(finish(here, zone=zone, ends=natural_ends(period)), period, calendar)


def before(
    due: datetime,
    period: Period,
    *,
    ends: Ends,
    zone: ZoneInfo,
    calendar: Calendar | None = None,
) -> datetime:
    """Return the instant (UTC) one period before a due moment, such as that of a reminder.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does.
    """
    here = moved(position(due, zone), period, "before", zone=zone, calendar=calendar)
    return finish(here, zone=zone, ends=ends).at


def later_of(parts: Sequence[Finished]) -> Finished:
    """Return the moment that comes last; of two at one second, the one whose window opens later."""
    return max(parts, key=lambda part: (part.at, part.opens))


def earlier_of(parts: Sequence[Finished]) -> Finished:
    """Return the moment that comes first; of two at one second, the one whose window opens earlier."""
    return min(parts, key=lambda part: (part.at, part.opens))


def left(moment: Finished, now: datetime, zone: ZoneInfo, calendar: Calendar | None = None) -> Left:
    """Return what a clock keeps that is paused: seconds, or the whole counted days after today up to its due date.

    Args:
        moment: when the clock is due.
        now: the instant of the pause.
        zone: where days begin and end.
        calendar: the calendar of business days; needed where they are counted.

    Raises:
        RuleError: the calendar is not known for a day between.
    """
    if moment.counted == "seconds":
        seconds = (moment.at - now.replace(microsecond=0)) // _SECOND
        return Left(count=max(0, seconds), unit="seconds", calendar="")
    today, last = to_local(now, zone).date(), to_local(moment.at, zone).date()
    if moment.counted == "days":
        return Left(count=max(0, (last - today).days), unit="days", calendar="")
    days = business_days(calendar).count_business_days(today, last)
    return Left(count=days, unit="business days", calendar=moment.calendar)


def due_again(left: Left, now: datetime, zone: ZoneInfo, calendar: Calendar | None = None) -> Finished:
    """Return when a paused clock is due that runs again: days are counted after today, to the end of the last.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does.

    >>> from .calendar import zone
    >>> kept = Left(count=2, unit="days", calendar="")
    >>> due_again(kept, datetime(2026, 3, 5, 12, tzinfo=UTC), zone("UTC")).at.isoformat()
    '2026-03-07T23:59:59+00:00'
    """
    match left.unit:
        case "seconds":
            period = Period(left.count, "second")
        case "days":
            period = Period(left.count, "day")
        case "business days":
            period = Period(left.count, "business day")
    return count(now, period, zone=zone, calendar=calendar)
