"""The arithmetic of moments: periods counted from an instant on local days, and clocks that pause.

Pure functions of values; what an author may write, and where its values come from, is moment.py's matter.
Spec: docs/language.md, "Moments".
"""

from __future__ import annotations

import calendar as gregorian
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from .calendar import Calendar, at_wall_clock, end_of_day, start_of_day, to_local
from .case import Counted, Left
from .errors import RuleError
from .hours import after_open, before_open, open_between
from .period import EXACT_SECONDS, OPENING_SECONDS, Direction, Ends, Period, Roll

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
    #: What a paused clock keeps of it.
    counted: Counted = field(default_factory=Counted)


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
    return Finished(
        at=end_of_day(day, zone),
        opens=start_of_day(day, zone),
        whole_day=True,
        counted=Counted(unit="days", ends="end_of_day"),
    )


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
        calendar: the business days and their opening hours; needed for a period of them.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does, or it has no opening hours.
    """
    try:
        if period.unit in EXACT_SECONDS:
            length = timedelta(seconds=period.count * EXACT_SECONDS[period.unit])
            return position(here.at - length if direction == "before" else here.at + length, zone)
        if period.unit in OPENING_SECONDS:
            length = timedelta(seconds=period.count * OPENING_SECONDS[period.unit])
            count_open = before_open if direction == "before" else after_open
            return position(count_open(business_days(calendar), here.at, length, zone), zone)
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
    """Return the moment on which counting ends; how it was `counted` is for `counting` to add.

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


def counting(
    before: Counted,
    here: Position,
    *,
    period: Period | None,
    calendar: Calendar | None,
    ends: Ends,
    roll: Roll,
    rolls_on: Calendar | None,
) -> Counted:
    """Return how a moment was counted, for clocks that pause.

    Args:
        before: how what it starts from was counted.
        here: where counting stood.
        period: what was counted last; None leaves the unit as it was before.
        calendar: of that period.
        ends: how it ends.
        roll: whether and where it rolls.
        rolls_on: the calendar of that.
    """
    unit, named = before.unit, before.calendar
    if period is not None:
        unit = "business days" if period.unit == "business day" else "seconds" if period.exact else "days"
        named = calendar.name if calendar else ""
    # An instant of exact seconds and the end of a day tell by themselves what was counted.
    tells = (unit == "seconds") == (ends == "same_time") and roll == "none"
    return Counted(
        unit=unit,
        calendar=named,
        ends=ends,
        roll=roll,
        rolls_on=rolls_on.name if rolls_on else "",
        reached=None if tells else here.at,
    )


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
    ends = natural_ends(period)
    end = finish(here, zone=zone, ends=ends)
    counted = counting(
        end.counted, here, period=period, calendar=calendar, ends=ends, roll="none", rolls_on=None
    )
    return replace(end, counted=counted)


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

    What a roll added is not kept: the last day is rolled again when the clock goes on.

    Args:
        moment: when the clock is due.
        now: the instant of the pause.
        zone: where days begin and end.
        calendar: that of its business days or opening hours.

    Raises:
        RuleError: the calendar is not known for a day between.
    """
    counted, now = moment.counted, now.replace(microsecond=0)
    reached = counted.reached or moment.at
    if counted.unit == "seconds":
        length = (
            open_between(calendar, now, reached, zone) if counted.calendar and calendar else reached - now
        )
        return Left(count=max(0, length // _SECOND), unit="seconds", calendar=counted.calendar)
    today, last = to_local(now, zone).date(), to_local(reached, zone).date()
    if counted.unit == "days":
        return Left(count=max(0, (last - today).days), unit="days", calendar="")
    days = business_days(calendar).count_business_days(today, last)
    return Left(count=days, unit="business days", calendar=counted.calendar)


def due_again(
    left: Left,
    counted: Counted,
    now: datetime,
    zone: ZoneInfo,
    calendar: Calendar | None = None,
    *,
    rolls_on: Calendar | None = None,
) -> Finished:
    """Return when a paused clock is due that runs again.

    Days are counted after today, to the end of the last, or to its wall clock; if that has passed today, to tomorrow's.

    Args:
        left: what it kept.
        counted: how its due moment was counted.
        now: the instant at which it goes on.
        zone: where days begin and end.
        calendar: that of its business days or opening hours.
        rolls_on: the calendar that it rolls on.

    Raises:
        RuleError: the calendar or the years 1 to 9999 end before the counting does.

    >>> from .calendar import zone
    >>> kept, days = Left(count=2, unit="days", calendar=""), Counted(unit="days", ends="end_of_day")
    >>> due_again(kept, days, datetime(2026, 3, 5, 12, tzinfo=UTC), zone("UTC")).at.isoformat()
    '2026-03-07T23:59:59+00:00'
    """
    start = position(now, zone)
    if left.unit != "seconds" and counted.ends == "same_time" and counted.reached:
        clock = to_local(counted.reached, zone).time()
        start = replace(start, clock=clock, at=at_wall_clock(start.day, clock, zone))
    for more in itertools.count():
        here = _gone_on(start, left, more, zone, calendar)
        end = finish(here, zone=zone, ends=counted.ends, roll=counted.roll, calendar=rolls_on)
        if end.at >= now.replace(microsecond=0):
            break
    return replace(end, counted=replace(counted, reached=here.at if counted.reached else None))


def _gone_on(start: Position, left: Left, more: int, zone: ZoneInfo, calendar: Calendar | None) -> Position:
    """Return where counting comes to that goes on with what is left, and so many days more."""
    if left.unit != "seconds":
        unit: Final = "day" if left.unit == "days" else "business day"
        return moved(start, Period(left.count + more, unit), "after", zone=zone, calendar=calendar)
    length = timedelta(seconds=left.count)
    opening = business_days(calendar) if left.calendar else None
    at = after_open(opening, start.at, length, zone) if opening else start.at + length
    here = position(at, zone)
    return moved(here, Period(more, "day"), "after", zone=zone) if more else here
