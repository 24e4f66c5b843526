"""Opening hours, against an oracle that looks at every second."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.calendar import Calendar, Stretch, zone
from amends.engine.counting import count, due_again, left
from amends.engine.errors import RuleError
from amends.engine.hours import after_open, before_open, open_between
from amends.engine.period import Period

SECOND = timedelta(seconds=1)
NEW_YORK = zone("America/New_York")

#: About where clocks leap and repeat, at night, at midnight and over a whole date; and about a plain day.
ABOUT = st.sampled_from(
    [
        ("America/New_York", "2026-03-08T07:00:00+00:00"),
        ("America/New_York", "2026-11-01T06:00:00+00:00"),
        ("Asia/Beirut", "2026-03-28T22:00:00+00:00"),
        ("Asia/Beirut", "2026-10-24T21:00:00+00:00"),
        ("America/Havana", "2026-03-08T05:00:00+00:00"),
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00"),
        ("Asia/Kathmandu", "2026-03-05T20:00:00+00:00"),
    ]
)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[Stretch, ...]:
    edges = draw(st.lists(st.integers(0, 96), min_size=2, max_size=6, unique=True))
    times = sorted(15 * edge for edge in edges)
    return tuple(zip(times[::2], times[1::2], strict=False))


WEEKS = st.lists(stretches(), min_size=7, max_size=7).map(tuple)
OFFSETS = st.integers(-3600, 3600)
SPAN = range(-3 * 3600, 3 * 3600)


def open_seconds(calendar: Calendar, about: datetime, rules: ZoneInfo) -> list[bool]:
    """Return of every second of a few hours whether the calendar is open, by the latest time that clocks have shown."""
    assert calendar.hours is not None
    latest = datetime.min  # noqa: DTZ901 - local time, for comparison alone
    found = []
    # Clocks change at full minutes only, in the years that are looked at.
    for offset in SPAN[::60]:
        shown = (about + offset * SECOND).astimezone(rules).replace(tzinfo=None)
        latest = max(latest, shown)
        minute = latest.hour * 60 + latest.minute
        today = calendar.hours[latest.isoweekday() - 1] if calendar.is_business_day(latest.date()) else ()
        found += [any(begin <= minute < end for begin, end in today)] * 60
        latest = max(latest, shown + 59 * SECOND)
    return found


@given(ABOUT, WEEKS, OFFSETS, st.integers(0, 5400))
def test_opening_time_is_what_every_second_on_its_own_says(
    where: tuple[str, str], week: tuple[tuple[Stretch, ...], ...], offset: int, length: int
) -> None:
    rules, about = zone(where[0]), datetime.fromisoformat(where[1])
    calendar = Calendar(name="shop", weekend=frozenset(), hours=week)
    is_open = open_seconds(calendar, about, rules)
    at = about + offset * SECOND
    behind = is_open[offset - SPAN.start :]
    before = is_open[: offset - SPAN.start][::-1]
    for seconds, move, sign in ((behind, after_open, 1), (before, before_open, -1)):
        passed = 0
        for n, open_now in enumerate(seconds):
            if passed == length:
                assert move(calendar, at, length * SECOND, rules) == at + sign * n * SECOND
                break
            passed += open_now
    until = about + SPAN[-1] * SECOND
    assert open_between(calendar, at, until, rules) == sum(behind[:-1]) * SECOND


OFFICE = Calendar(
    name="office",
    holidays=frozenset({date(2026, 4, 3)}),
    hours=(*(((540, 720), (780, 1020)),) * 4, ((540, 720),), (), ()),
)
IN_2026 = st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
    lambda instant: instant.replace(microsecond=0)
)
LENGTHS = st.integers(0, 400_000).map(lambda n: n * SECOND)


@given(IN_2026, IN_2026, LENGTHS)
def test_what_starts_later_ends_no_earlier(a: datetime, b: datetime, length: timedelta) -> None:
    first, second = (after_open(OFFICE, at, length, NEW_YORK) for at in sorted([a, b]))
    assert first <= second


@given(IN_2026, LENGTHS)
def test_so_much_opening_time_lies_between_a_start_and_its_end(at: datetime, length: timedelta) -> None:
    end = after_open(OFFICE, at, length, NEW_YORK)
    assert open_between(OFFICE, at, end, NEW_YORK) == length
    if length:
        assert open_between(OFFICE, end - SECOND, end, NEW_YORK) == SECOND


@given(IN_2026, LENGTHS)
def test_opening_time_from_within_opening_hours_is_undone_by_counting_back(
    at: datetime, length: timedelta
) -> None:
    start = after_open(OFFICE, at, SECOND, NEW_YORK) - SECOND
    assert (
        before_open(OFFICE, after_open(OFFICE, start, length, NEW_YORK), length, NEW_YORK) == start
        or not length
    )


@given(IN_2026, st.integers(0, 40), LENGTHS, LENGTHS)
def test_a_pause_keeps_the_opening_time_that_is_left(
    start: datetime, hours: int, ran: timedelta, paused: timedelta
) -> None:
    due = count(start, Period(hours, "business hour"), zone=NEW_YORK, calendar=OFFICE)
    stop = min(start + ran, due.at)
    kept = left(due, stop, NEW_YORK, OFFICE)
    assert kept.calendar == "office"
    again = due_again(kept, due.counted, stop + paused, NEW_YORK, OFFICE)
    assert open_between(OFFICE, stop + paused, again.at, NEW_YORK) == kept.count * SECOND
    assert again.at >= due.at


def test_days_without_hours_and_closed_days_are_passed_over() -> None:
    thursday = datetime(2026, 4, 2, 20, tzinfo=UTC)  # the Friday is a holiday
    assert after_open(OFFICE, thursday, timedelta(hours=2), NEW_YORK) == datetime(2026, 4, 6, 14, tzinfo=UTC)
    assert before_open(
        OFFICE, datetime(2026, 4, 6, 13, tzinfo=UTC), timedelta(hours=1), NEW_YORK
    ) == datetime(2026, 4, 2, 20, tzinfo=UTC)


def test_the_lengths_of_opening_hours_are_told_from_exact_ones() -> None:
    ends = [
        count(
            datetime(2026, 3, 6, 21, tzinfo=UTC), Period(n, "business minute"), zone=NEW_YORK, calendar=OFFICE
        ).at
        for n in (0, 1, 60, 61)
    ]
    assert all(a < b for a, b in pairwise(ends))
    assert ends[1] == datetime(2026, 3, 9, 13, 1, tzinfo=UTC)


def test_a_calendar_without_hours_or_beyond_its_days_fails_as_a_rule() -> None:
    at = datetime(2026, 3, 6, 21, tzinfo=UTC)
    with pytest.raises(RuleError, match="the calendar `plain` has no opening hours"):
        after_open(Calendar(name="plain"), at, SECOND, NEW_YORK)
    short = Calendar(name="short", first=date(2026, 3, 6), last=date(2026, 3, 6), hours=(((0, 1440),),) * 7)
    with pytest.raises(RuleError, match="is known from 2026-03-06 to 2026-03-06, and not for 2026-03-07"):
        after_open(short, at, timedelta(days=1), NEW_YORK)
    never = Calendar(name="never", last=date.max, hours=((),) * 7)
    with pytest.raises(RuleError, match="has too few opening hours"):
        after_open(never, datetime(9999, 12, 1, tzinfo=UTC), SECOND, NEW_YORK)
