"""Local days, zones and business days, against tzdata itself and numpy."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.calendar import (
    COUNTRIES,
    FIRST_YEAR,
    LAST_YEAR,
    Calendar,
    at_wall_clock,
    end_of_day,
    expand_holidays,
    holiday_codes,
    holiday_span,
    start_of_day,
    to_local,
    tzdata_version,
    zone,
    zone_names,
)
from amends.engine.errors import InvalidValue, RuleError

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))
ZONES = st.sampled_from(sorted(zone_names())).map(zone)

#: Zones whose clocks have changed at or around midnight, or that have left a whole date out.
AROUND_MIDNIGHT = [
    *("Africa/Cairo", "America/Asuncion", "America/Havana", "America/Nuuk", "America/Sao_Paulo"),
    *(
        "America/Santiago",
        "America/Scoresbysund",
        "America/St_Johns",
        "Asia/Amman",
        "Asia/Beirut",
        "Asia/Gaza",
    ),
    *("Asia/Tehran", "Atlantic/Azores", "Antarctica/Casey", "Pacific/Apia", "Pacific/Kiritimati"),
]


def days_around_changes(rules: ZoneInfo) -> set[date]:
    """Return the days from 1990 to 2040 on which the offset changes, and their neighbours."""
    first = datetime(1990, 1, 1, 12, tzinfo=UTC)
    noons = [first + n * DAY for n in range(51 * 365)]
    changes = [
        noon
        for before, noon in pairwise(noons)
        if before.astimezone(rules).utcoffset() != noon.astimezone(rules).utcoffset()
    ]
    return {noon.astimezone(rules).date() + n * DAY for noon in changes for n in (-2, -1, 0, 1, 2)}


def assert_day_ends_where_the_next_begins(day: date, rules: ZoneInfo) -> None:
    start, end = start_of_day(day, rules), end_of_day(day, rules)
    assert end + SECOND == start_of_day(day + DAY, rules)
    assert to_local(end, rules).date() <= day < to_local(end + SECOND, rules).date()
    assert to_local(start - SECOND, rules).date() < day <= to_local(start, rules).date()
    if to_local(start, rules).date() == day:
        assert to_local(end, rules).date() == day


@given(DAYS, ZONES)
def test_end_of_day_is_the_last_second_of_its_local_date_in_every_zone(day: date, rules: ZoneInfo) -> None:
    assert_day_ends_where_the_next_begins(day, rules)


@pytest.mark.parametrize("name", AROUND_MIDNIGHT)
def test_days_end_where_the_next_begins_around_every_change_of_clocks(name: str) -> None:
    rules = zone(name)
    days = days_around_changes(rules)
    assert days
    for day in days:
        assert_day_ends_where_the_next_begins(day, rules)


@pytest.mark.parametrize(
    ("name", "day", "start", "end"),
    [
        # Clocks leap from 00:00 to 01:00: the day begins at 01:00.
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00:00", "2026-03-29T20:59:59"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00", "2018-11-05T01:59:59"),
        # Clocks go back from 00:00 to 23:00: the day before has 25 hours.
        ("Asia/Beirut", date(2026, 10, 24), "2026-10-23T21:00:00", "2026-10-24T21:59:59"),
        # Clocks go back from 01:00 to 00:00: midnight comes twice, and the first begins the day.
        ("America/Havana", date(2024, 11, 3), "2024-11-03T04:00:00", "2024-11-04T04:59:59"),
        # 30 December 2011 was left out: the 29th is followed by the 31st.
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00:00", "2011-12-30T09:59:59"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00", "2011-12-30T09:59:59"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00", "2011-12-31T09:59:59"),
    ],
)
def test_days_begin_and_end_where_clocks_change_at_midnight(
    name: str, day: date, start: str, end: str
) -> None:
    assert start_of_day(day, zone(name)).isoformat() == f"{start}+00:00"
    assert end_of_day(day, zone(name)).isoformat() == f"{end}+00:00"


def test_a_day_that_begins_twice_begins_the_first_time() -> None:
    # Until 2011 clocks in Newfoundland went back at 00:01, from the new date into the old one.
    rules = zone("America/St_Johns")
    assert to_local(end_of_day(date(2010, 11, 6), rules), rules).isoformat() == "2010-11-06T23:59:59-02:30"
    assert to_local(end_of_day(date(2010, 11, 6), rules) + 2 * timedelta(minutes=1), rules).date() == date(
        2010, 11, 6
    )


def test_a_time_that_clocks_leap_over_moves_forward_by_the_leap() -> None:
    assert (
        at_wall_clock(date(2026, 3, 8), time(2, 30), zone("America/New_York")).isoformat()
        == "2026-03-08T07:30:00+00:00"
    )
    assert at_wall_clock(date(2011, 12, 30), time(12), zone("Pacific/Apia")) == at_wall_clock(
        date(2011, 12, 31), time(12), zone("Pacific/Apia")
    )


def test_a_time_that_clocks_show_twice_is_the_first() -> None:
    first = at_wall_clock(date(2026, 11, 1), time(1, 30), zone("America/New_York"))
    assert first.isoformat() == "2026-11-01T05:30:00+00:00"
    assert at_wall_clock(date(2026, 11, 1), time(1, 30, fold=1), zone("America/New_York")) == first


@pytest.mark.parametrize(
    "name", ["Europe/Berlim", "", "../tzdata/zones", "/etc/localtime", "Europe", "europe/berlin"]
)
def test_what_is_not_a_zone_of_tzdata_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"is not a time zone such as `America/New_York`"):
        zone(name)


def test_every_zone_can_be_read() -> None:
    assert {zone(name).key for name in zone_names()} == set(zone_names())


def test_the_machine_has_no_say_in_what_a_zone_is(tmp_path: Path) -> None:
    tokyo = importlib.resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    script = (
        "from datetime import date, datetime\n"
        "from zoneinfo import ZoneInfo\n"
        "from amends.engine.calendar import end_of_day, zone\n"
        "print(datetime(2026, 1, 5, tzinfo=ZoneInfo('Europe/Berlin')).utcoffset())\n"
        "print(end_of_day(date(2026, 1, 5), zone('Europe/Berlin')))"
    )
    env = {**os.environ, "TZ": "Pacific/Apia", "PYTHONTZPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "9:00:00\n2026-01-05 22:59:59+00:00\n"


def test_the_holidays_library_is_loaded_only_when_a_code_is_expanded() -> None:
    script = "import sys, amends.engine.calendar as c; print('holidays' in sys.modules); c.expand_holidays('US'); print('holidays' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_tzdata_tells_its_release() -> None:
    assert tzdata_version()[:4].isdecimal()


# --- business days ------------------------------------------------------------------------------------------------------

HOLIDAYS = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 31)), max_size=20)
WEEKENDS = st.frozensets(st.integers(1, 7), max_size=4)
NEAR = st.dates(date(2025, 12, 20), date(2026, 4, 10))


def as_numpy(calendar: Calendar) -> np.busdaycalendar:
    mask = "".join("0" if weekday in calendar.weekend else "1" for weekday in range(1, 8))
    return np.busdaycalendar(weekmask=mask, holidays=sorted(calendar.holidays))


@given(NEAR, st.integers(-40, 40), HOLIDAYS, WEEKENDS)
def test_business_days_are_added_as_numpy_adds_them(
    day: date, n: int, holidays: frozenset[date], weekend: frozenset[int]
) -> None:
    calendar = Calendar(name="business", weekend=weekend, holidays=holidays)
    offset: Any = np.busday_offset
    roll = "backward" if n > 0 else "forward"
    expected = offset(day, n, roll=roll, busdaycal=as_numpy(calendar)).astype(date) if n else day
    assert calendar.add_business_days(day, n) == expected


@given(NEAR, st.integers(-5, 60), HOLIDAYS, WEEKENDS)
def test_business_days_are_counted_as_numpy_counts_them(
    day: date, n: int, holidays: frozenset[date], weekend: frozenset[int]
) -> None:
    calendar = Calendar(name="business", weekend=weekend, holidays=holidays)
    upto = day + n * DAY
    expected = int(np.busday_count(day + DAY, upto + DAY, busdaycal=as_numpy(calendar)))
    assert calendar.count_business_days(day, upto) == max(0, expected)


@given(NEAR, HOLIDAYS, WEEKENDS)
def test_rolling_finds_the_nearest_business_day_and_leaves_one_alone(
    day: date, holidays: frozenset[date], weekend: frozenset[int]
) -> None:
    calendar = Calendar(name="business", weekend=weekend, holidays=holidays)
    rolled = as_numpy(calendar)
    assert calendar.next_business_day(day) == np.busday_offset(
        day, 0, roll="forward", busdaycal=rolled
    ).astype(date)
    assert calendar.previous_business_day(day) == np.busday_offset(
        day, 0, roll="backward", busdaycal=rolled
    ).astype(date)


def test_a_calendar_speaks_only_of_the_days_it_knows() -> None:
    known = Calendar(name="de", first=date(2026, 1, 1), last=date(2026, 12, 31))
    assert known.add_business_days(date(2025, 12, 31), 1) == date(2026, 1, 1)
    message = "the calendar `de` is known from 2026-01-01 to 2026-12-31, and not for 2027-01-01"
    for ask in (
        lambda: known.is_business_day(date(2027, 1, 1)),
        lambda: known.add_business_days(date(2026, 12, 31), 1),
        lambda: known.count_business_days(date(2026, 12, 30), date(2027, 1, 1)),
        lambda: known.previous_business_day(date(2027, 1, 1)),
    ):
        with pytest.raises(RuleError) as caught:
            ask()
        assert str(caught.value) == message


@pytest.mark.parametrize(("day", "n"), [(date.max, 1), (date.min, -1)])
def test_counting_past_the_last_date_there_is_fails_as_a_rule(day: date, n: int) -> None:
    with pytest.raises(RuleError, match="has too few business days"):
        Calendar(name="business").add_business_days(day, n)


def test_days_and_instants_at_the_ends_of_time_fail_as_a_rule() -> None:
    last, first = datetime(9999, 12, 31, 20, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)
    asks: tuple[Callable[[], object], ...] = (
        lambda: start_of_day(date.min, zone("Asia/Tokyo")),
        lambda: end_of_day(date.max, zone("UTC")),
        lambda: to_local(last, zone("Asia/Tokyo")),
        lambda: to_local(first, zone("America/New_York")),
    )
    for ask in asks:
        with pytest.raises(RuleError):
            ask()


# --- holidays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("US", date(2026, 7, 3)),  # Saturday the 4th is observed on Friday
        ("TH", date(2026, 4, 13)),
        ("US-CA", date(2026, 3, 31)),
        ("NYSE", date(2026, 4, 3)),
        ("ECB", date(2026, 4, 6)),
    ],
)
def test_codes_expand_to_the_holidays_of_a_country_a_part_of_one_or_a_market(code: str, day: date) -> None:
    assert day in expand_holidays(code)


def test_a_holiday_of_a_part_is_none_of_the_whole() -> None:
    assert date(2026, 3, 31) not in expand_holidays("US")


@pytest.mark.parametrize("code", ["UX", "US-ZZ", "", "US-", "us", "2026-01-01", "NYSE-X"])
def test_what_is_not_a_holiday_code_is_refused(code: str) -> None:
    for ask in (expand_holidays, holiday_span):
        with pytest.raises(InvalidValue, match="is not a holiday code, such as `US`, `US-CA` or `NYSE`"):
            ask(code)


def test_codes_are_listed_with_the_parts_of_countries() -> None:
    assert {"US", "US-CA", "TH", "NYSE", "ECB"} <= set(holiday_codes())


def test_a_country_is_known_without_the_library_only_if_the_library_knows_it() -> None:
    assert len(set(COUNTRIES)) == len(COUNTRIES)
    assert set(COUNTRIES) <= set(holiday_codes())


def test_holidays_cover_the_same_years_whenever_they_are_asked_for() -> None:
    expanded = expand_holidays("DE")
    assert {day.year for day in expanded} == set(range(FIRST_YEAR, LAST_YEAR + 1))
    assert holiday_span("DE") == (date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))


@pytest.mark.parametrize("code", ["IN", "LK", "XETR"])
def test_a_code_known_for_fewer_years_says_so(code: str) -> None:
    first, last = holiday_span(code)
    assert (first, last) != (date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))
    assert {day.year for day in expand_holidays(code)} == set(range(first.year, last.year + 1))
