"""The rules of moments, one test each; moments.yaml has them case by case, and tests/rules.yaml says which is shown where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amends.engine.calendar import Calendar
from amends.engine.moment import closing, evaluate_moment, opening
from amends.engine.values import Unknown

FACTS = {
    "ordered_at": "2026-03-02T09:30:00-05:00",  # a Monday, New York
    "delivered_at": "2026-03-05T20:00:00-05:00",
    "check_in": "2026-03-20",
    "review_time": "2 business days",
    "weight": 10,
    "zone_name": "Asia/Tokyo",
}
Come = Callable[..., str]


@pytest.fixture
def come(read: Any, world: Any) -> Come:
    """Return what tells what a moment comes to, in local time; `opens` tells when a window opens on it."""

    def come(text: str, *, opens: bool = False, zone: str = "America/New_York", **facts: Any) -> str:
        moment, problems = read(text)
        assert problems == (), problems
        env = world({**FACTS, **facts}, zone)
        found = evaluate_moment(moment, env)
        if isinstance(found, Unknown):
            return f"waits for {', '.join(sorted(found.missing))}"
        return (
            (opening(found) if opens else closing(found)).astimezone(env.zone).strftime("%Y-%m-%d %H:%M:%S")
        )

    return come


@pytest.fixture
def declared(read: Any, names: Any) -> Callable[[str, str], None]:
    """Return what declares a moment."""

    def declare(name: str, text: str) -> None:
        names.moments[name], problems = read(text)
        assert problems == ()

    return declare


# --- text ---------------------------------------------------------------------------------------------------------------


def test_after_does_not_count_the_day_of_x(come: Come) -> None:
    assert come("1 day after ordered_at") == "2026-03-03 23:59:59"


def test_from_counts_the_day_of_x_as_day_1(come: Come) -> None:
    assert come("1 day from ordered_at") == "2026-03-02 23:59:59"


def test_before_counts_back_from_x(come: Come) -> None:
    assert come("48 hours before ordered_at") == "2026-02-28 09:30:00"
    assert come("exactly 5 days before ordered_at") == "2026-02-25 09:30:00"


@pytest.mark.parametrize(
    ("period", "last"),
    [
        ("3 days", "03-05"),
        ("1 week", "03-09"),
        ("3 business days", "03-05"),
        ("1 month", "04-02"),
        ("1 year", "2027-03-02"),
    ],
)
def test_days_weeks_business_days_and_months_run_to_the_end_of_that_local_day(
    period: str, last: str, come: Come
) -> None:
    assert come(f"{period} after ordered_at").endswith(f"{last} 23:59:59")


@pytest.mark.parametrize(
    ("period", "due"),
    [
        ("48 hours", "2026-03-07 20:00:00"),
        ("90 minutes", "2026-03-05 21:30:00"),
        ("72 hours", "2026-03-08 21:00:00"),
    ],
)
def test_hours_and_minutes_are_exact(period: str, due: str, come: Come) -> None:
    """Clocks leap on the 8th, so 72 hours later they show an hour more."""
    assert come(f"{period} after delivered_at") == due


def test_exactly_keeps_the_wall_clock_time(come: Come) -> None:
    assert come("exactly 3 days after delivered_at") == "2026-03-08 20:00:00"


@pytest.mark.parametrize("unit", ["days", "weeks", "business days", "months"])
def test_before_with_whole_days_needs_exactly_start_of_day_or_end_of_day(unit: str, read: Any) -> None:
    moment, (problem,) = read(f"5 {unit} before ordered_at")
    assert problem.code == "AM207"
    assert moment is None
    for way in ("exactly", "start of day", "end of day"):
        assert read(f"{way} 5 {unit} before ordered_at")[1] == ()


# --- as a map -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("3 days after ordered_at", "{after: ordered_at, within: 3 days}"),
        ("3 days from ordered_at", "{from: ordered_at, within: 3 days}"),
        ("48 hours before ordered_at", "{before: ordered_at, within: 48 hours}"),
        ("exactly 3 days after ordered_at", "{after: ordered_at, within: 3 days, ends: same_time}"),
        ("start of day 3 days after ordered_at", "{after: ordered_at, within: 3 days, ends: start_of_day}"),
        ("end of day 36 hours after ordered_at", "{after: ordered_at, within: 36 hours, ends: end_of_day}"),
    ],
)
def test_text_and_map_say_the_same(text: str, written: str, come: Come) -> None:
    assert come(text) == come(written)


@pytest.mark.parametrize(
    ("roll", "due"),
    [("none", "2026-03-07"), ("next_business_day", "2026-03-09"), ("previous_business_day", "2026-03-06")],
)
def test_roll_moves_a_last_day_without_business(roll: str, due: str, come: Come) -> None:
    assert come(f"{{after: ordered_at, within: 5 days, roll: {roll}}}") == f"{due} 23:59:59"


def test_a_calendar_may_be_named_for_one_moment(come: Come) -> None:
    """The 3rd and the 6th of April 2026 are holidays of `de` only."""
    good_friday = {"ordered_at": "2026-04-02T12:00:00-04:00"}
    assert come("1 business day after ordered_at", **good_friday) == "2026-04-03 23:59:59"
    assert (
        come("{after: ordered_at, within: 1 business day, calendar: de}", **good_friday)
        == "2026-04-07 23:59:59"
    )


def test_a_time_zone_may_be_named_for_one_moment(come: Come) -> None:
    assert come("{after: ordered_at, within: 1 day, timezone: Asia/Tokyo}") == "2026-03-03 09:59:59"
    assert come("{after: ordered_at, within: 1 day, timezone: =zone_name}") == "2026-03-03 09:59:59"


def test_later_of_waits_for_what_has_not_happened(come: Come) -> None:
    assert come("{later_of: [1 day after ordered_at, 1 day after delivered_at]}") == "2026-03-06 23:59:59"
    assert come("{later_of: [1 day after ordered_at, 1 day after shipped_at]}") == "waits for shipped_at"


def test_earlier_of_ignores_what_has_not_happened(come: Come) -> None:
    assert come("{earlier_of: [1 day after ordered_at, 1 day after delivered_at]}") == "2026-03-03 23:59:59"
    assert come("{earlier_of: [1 day after delivered_at, 1 day after shipped_at]}") == "2026-03-06 23:59:59"


def test_if_any_makes_a_part_skippable(come: Come) -> None:
    assert (
        come('{later_of: [1 day after ordered_at, "1 day after shipped_at, if any"]}')
        == "2026-03-03 23:59:59"
    )


def test_ends_and_roll_apply_once_to_the_outermost_of_nested_maps(come: Come) -> None:
    """The inner two days end on the clock's time, not at the end of their day, and do not roll."""
    assert come("{after: {after: ordered_at, within: 2 days}, within: 3 hours}") == "2026-03-04 12:30:00"
    nested = "{after: {after: ordered_at, within: 5 days}, within: 1 day, roll: next_business_day}"
    assert come(nested) == "2026-03-09 23:59:59"


def test_a_named_moment_is_finished_before_anything_counts_from_it(
    come: Come, declared: Callable[[str, str], None]
) -> None:
    declared("answered", "2 days after ordered_at")
    assert come("3 hours after answered") == "2026-03-05 02:59:59"


def test_the_parts_of_later_of_and_earlier_of_are_finished_first(come: Come) -> None:
    parts = "[2 days after ordered_at, 40 hours after ordered_at]"
    assert come(f"{{after: {{later_of: {parts}}}, within: 3 hours}}") == "2026-03-05 02:59:59"
    assert come(f"{{after: {{earlier_of: {parts}}}, within: 3 hours}}") == "2026-03-04 04:30:00"


@pytest.mark.parametrize(
    ("period", "written"),
    [
        ("return_period", "30 days"),
        ("review_time", "2 business days"),
        ('"(weight > 5 ? return_period : answer_within) after ordered_at"', "30 days"),
    ],
    ids=["a param", "a fact", "a choice"],
)
def test_a_period_may_be_named_or_computed(period: str, written: str, come: Come) -> None:
    text = period if period.startswith('"') else f"{period} after ordered_at"
    assert come(text) == come(f"{written} after ordered_at")


# --- ends ---------------------------------------------------------------------------------------------------------------


def test_end_of_day_is_the_first_instant_of_the_next_local_date_minus_one_second(come: Come) -> None:
    """In Beirut clocks leap at midnight, so the 29th begins at one o'clock."""
    moved = {"ordered_at": "2026-03-28T12:00:00+02:00"}
    assert come("0 days after ordered_at", zone="Asia/Beirut", **moved) == "2026-03-28 23:59:59"
    assert come("0 days after ordered_at", zone="Asia/Beirut", opens=True, **moved) == "2026-03-29 01:00:00"


def test_a_window_that_opens_on_a_whole_day_moment_opens_at_the_next_local_midnight(come: Come) -> None:
    assert come("2 days after ordered_at", opens=True) == "2026-03-05 00:00:00"


def test_a_window_that_opens_on_an_exact_moment_opens_at_that_instant(come: Come) -> None:
    assert come("48 hours after ordered_at", opens=True) == "2026-03-04 09:30:00"
    assert come("exactly 2 days after ordered_at", opens=True) == "2026-03-04 09:30:00"


def test_instants_are_floored_to_the_second(come: Come) -> None:
    assert (
        come("1 hour after ordered_at", ordered_at="2026-03-02T09:30:00.999-05:00") == "2026-03-02 10:30:00"
    )


# --- business days ------------------------------------------------------------------------------------------------------


def test_business_days_are_those_of_the_calendar_named_business(come: Come) -> None:
    """The 3rd of July 2026 is a holiday of `business`."""
    assert (
        come("1 business day after ordered_at", ordered_at="2026-07-02T12:00:00-04:00")
        == "2026-07-06 23:59:59"
    )


def test_business_days_without_a_calendar_of_that_name_are_a_mistake(read: Any) -> None:
    _, (problem,) = read("1 business day after ordered_at", calendars={"de": Calendar(name="de")})
    assert problem.code == "AM104"


def test_a_moment_that_is_not_known_names_what_it_waits_for(come: Come) -> None:
    assert come("2 days after shipped_at") == "waits for shipped_at"
    assert come("grace after leaves_on") == "waits for grace, leaves_on"
