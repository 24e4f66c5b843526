"""The laws of counting: order, inverses, local days, pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amends.engine.calendar import Calendar, end_of_day, to_local, zone
from amends.engine.case import Counted, Left
from amends.engine.counting import (
    Finished,
    before,
    count,
    due_again,
    earlier_of,
    exactly_at,
    finish,
    later_of,
    left,
    moved,
    on_day,
    position,
)
from amends.engine.errors import RuleError
from amends.engine.period import Period, Unit
from amends.engine.values import parse_timestamp

SECOND = timedelta(seconds=1)
NEW_YORK = zone("America/New_York")
HOLIDAYS = [date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25)]
BUSINESS = Calendar(name="business", holidays=frozenset(HOLIDAYS))

#: Zones in which local dates only ever go forward; clocks leap, repeat, change at midnight and leave out a date.
ZONES = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "Asia/Beirut",
        "America/Havana",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Asia/Kathmandu",
    ]
).map(zone)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
    lambda instant: instant.replace(microsecond=0)
)
IN_2026 = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda instant: instant.replace(microsecond=0)
)
COUNTS = st.integers(0, 400)
ANY_UNIT: st.SearchStrategy[Unit] = st.sampled_from(
    ["second", "minute", "hour", "day", "business day", "week", "month", "year"]
)
WHOLE_DAYS: st.SearchStrategy[Unit] = st.sampled_from(["day", "business day", "week"])
PERIODS = st.builds(Period, st.integers(0, 40), ANY_UNIT)


@given(INSTANTS, INSTANTS, PERIODS, ZONES)
def test_what_starts_later_never_ends_earlier(
    a: datetime, b: datetime, period: Period, rules: ZoneInfo
) -> None:
    first, second = (count(at, period, zone=rules, calendar=BUSINESS) for at in sorted([a, b]))
    assert first.at <= second.at


@given(INSTANTS, PERIODS, PERIODS, ZONES)
def test_a_longer_period_never_ends_earlier(at: datetime, a: Period, b: Period, rules: ZoneInfo) -> None:
    short, long = sorted([a.count, b.count])
    ends = [count(at, Period(n, a.unit), zone=rules, calendar=BUSINESS).at for n in (short, long)]
    assert ends[0] <= ends[1]


@given(INSTANTS, PERIODS, ZONES)
def test_nothing_is_due_before_it_starts(at: datetime, period: Period, rules: ZoneInfo) -> None:
    assert count(at, period, zone=rules, calendar=BUSINESS).at >= at


@given(INSTANTS, COUNTS, ZONES)
def test_days_end_with_the_local_day_so_many_dates_later(at: datetime, n: int, rules: ZoneInfo) -> None:
    moment = count(at, Period(n, "day"), zone=rules)
    day = to_local(at, rules).date() + timedelta(days=n)
    assert to_local(moment.at, rules).date() <= day < to_local(moment.at + SECOND, rules).date()
    assert moment.opens == moment.at + SECOND


@given(IN_2026, st.integers(0, 100))
def test_business_days_end_where_numpy_says(at: datetime, n: int) -> None:
    moment = count(at, Period(n, "business day"), zone=NEW_YORK, calendar=BUSINESS)
    day = to_local(at, NEW_YORK).date()
    expected = np.busday_offset(day, n, roll="backward", holidays=HOLIDAYS).astype(date) if n else day
    assert to_local(moment.at, NEW_YORK).date() == expected
    assert moment.at == end_of_day(expected, NEW_YORK)


@given(
    INSTANTS, st.builds(Period, st.integers(0, 10_000), st.sampled_from(["second", "minute", "hour"])), ZONES
)
def test_exact_periods_are_undone_by_counting_back(at: datetime, period: Period, rules: ZoneInfo) -> None:
    there = count(at, period, zone=rules)
    assert there == exactly_at(there.at)
    assert before(there.at, period, ends="same_time", zone=rules) == at


@given(INSTANTS, COUNTS, st.sampled_from(["day", "week"]), ZONES)
def test_whole_days_at_the_same_time_are_undone_by_counting_back(
    at: datetime, n: int, unit: Unit, rules: ZoneInfo
) -> None:
    here = position(at, rules)
    there = moved(here, Period(n, unit), "after", zone=rules)
    back = moved(there, Period(n, unit), "before", zone=rules)
    assert (back.day, back.clock) == (here.day, here.clock)


@given(IN_2026, st.integers(0, 100))
def test_business_days_from_a_business_day_are_undone_by_counting_back(at: datetime, n: int) -> None:
    here = position(at, NEW_YORK)
    assume(BUSINESS.is_business_day(here.day))
    there = moved(here, Period(n, "business day"), "after", zone=NEW_YORK, calendar=BUSINESS)
    back = moved(there, Period(n, "business day"), "before", zone=NEW_YORK, calendar=BUSINESS)
    assert (back.day, back.clock) == (here.day, here.clock)


@given(INSTANTS, st.integers(1, 400), st.sampled_from(["day", "week", "month", "year"]))
def test_from_ends_a_day_before_after_but_where_a_month_is_cut_short(
    at: datetime, n: int, unit: Unit
) -> None:
    here = position(at, NEW_YORK)
    exclusive = moved(here, Period(n, unit), "after", zone=NEW_YORK).day
    inclusive = moved(here, Period(n, unit), "from", zone=NEW_YORK).day
    cut = unit in ("month", "year") and exclusive.day < here.day.day
    assert inclusive == exclusive - timedelta(days=0 if cut else 1)


@given(IN_2026, st.integers(1, 100))
def test_business_days_from_a_day_count_it_if_it_is_one(at: datetime, n: int) -> None:
    here = position(at, NEW_YORK)
    n_from = moved(here, Period(n, "business day"), "from", zone=NEW_YORK, calendar=BUSINESS).day
    own = 1 if BUSINESS.is_business_day(here.day) else 0
    assert (
        n_from == moved(here, Period(n - own, "business day"), "after", zone=NEW_YORK, calendar=BUSINESS).day
    )


@given(st.lists(INSTANTS, min_size=1, max_size=5))
def test_later_of_and_earlier_of_are_the_last_and_the_first(instants: list[datetime]) -> None:
    parts = [exactly_at(instant) for instant in instants]
    assert (earlier_of(parts).at, later_of(parts).at) == (min(instants), max(instants))


# --- clocks that pause --------------------------------------------------------------------------------------------------


@given(IN_2026, st.integers(0, 30), WHOLE_DAYS, st.integers(0, 60), st.integers(0, 60), ZONES)
def test_a_pause_leaves_as_many_counted_days_as_there_were(
    start: datetime, n: int, unit: Unit, hours: int, paused: int, rules: ZoneInfo
) -> None:
    due = count(start, Period(n, unit), zone=rules, calendar=BUSINESS)
    stop = start + timedelta(hours=hours)
    assume(stop <= due.at)
    kept = left(due, stop, rules, BUSINESS)
    again = stop + timedelta(hours=paused)
    later = due_again(kept, due.counted, again, rules, BUSINESS)
    assert left(later, again, rules, BUSINESS) == kept
    assert later.at >= due.at
    assert (later.whole_day, later.counted) == (True, due.counted)


@given(IN_2026, st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_pause_moves_an_exact_due_by_its_own_length(start: datetime, n: int, ran: int, paused: int) -> None:
    due = count(start, Period(n, "second"), zone=NEW_YORK)
    stop = start + timedelta(seconds=min(ran, n))
    again = stop + timedelta(seconds=paused)
    assert due_again(left(due, stop, NEW_YORK), due.counted, again, NEW_YORK).at == due.at + timedelta(
        seconds=paused
    )


@pytest.mark.parametrize(
    ("paused_at", "count_left", "again_at", "due"),
    [
        # Due on Thursday the 12th: three business days after Monday the 9th.
        ("2026-03-09T10:00:00-04:00", 3, "2026-03-09T23:00:00-04:00", "2026-03-12T23:59:59-04:00"),
        ("2026-03-10T10:00:00-04:00", 2, "2026-03-20T10:00:00-04:00", "2026-03-24T23:59:59-04:00"),
        ("2026-03-12T23:59:59-04:00", 0, "2026-03-14T10:00:00-04:00", "2026-03-14T23:59:59-04:00"),
        ("2026-03-12T10:00:00-04:00", 0, "2026-03-12T12:00:00-04:00", "2026-03-12T23:59:59-04:00"),
        ("2026-03-15T10:00:00-04:00", 0, "2026-03-15T12:00:00-04:00", "2026-03-15T23:59:59-04:00"),
    ],
)
def test_business_days_left_are_counted_after_the_day_of_resumption(
    paused_at: str, count_left: int, again_at: str, due: str
) -> None:
    start = parse_timestamp("2026-03-09T09:00:00-04:00")
    moment = count(start, Period(3, "business day"), zone=NEW_YORK, calendar=BUSINESS)
    kept = left(moment, parse_timestamp(paused_at), NEW_YORK, BUSINESS)
    assert kept == Left(count=count_left, unit="business days", calendar="business")
    assert due_again(
        kept, moment.counted, parse_timestamp(again_at), NEW_YORK, BUSINESS
    ).at == parse_timestamp(due)


def test_a_clock_past_due_has_nothing_left() -> None:
    due = exactly_at(parse_timestamp("2026-03-09T09:00:00Z"))
    assert left(due, due.at + timedelta(hours=1), NEW_YORK).count == 0
    assert left(on_day(date(2026, 3, 9), NEW_YORK), due.at + timedelta(days=3), NEW_YORK).count == 0


def test_business_days_without_a_calendar_fail_as_a_rule() -> None:
    at = parse_timestamp("2026-03-09T09:00:00Z")
    counted = Counted(unit="business days", calendar="gone", ends="end_of_day")
    due = Finished(at=at, opens=at, whole_day=True, counted=counted)
    for ask in (
        lambda: count(at, Period(1, "business day"), zone=NEW_YORK),
        lambda: finish(position(at, NEW_YORK), zone=NEW_YORK, ends="end_of_day", roll="next_business_day"),
        lambda: left(due, at, NEW_YORK),
        lambda: due_again(Left(count=1, unit="business days", calendar="gone"), counted, at, NEW_YORK),
    ):
        with pytest.raises(RuleError, match="there is no calendar for them"):
            ask()


def test_instants_are_floored_to_the_second() -> None:
    at = datetime(2026, 3, 9, 9, 0, 0, 999_999, tzinfo=UTC)
    assert exactly_at(at).at == at.replace(microsecond=0)
    assert position(at, NEW_YORK).at == at.replace(microsecond=0)
    assert position(at, NEW_YORK).clock == time(5)
    assert left(exactly_at(at), at, NEW_YORK).count == 0
