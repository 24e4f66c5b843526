"""Clocks that pause: what they keep, when they are due again, and live clocks that keep their pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

Make = Callable[[str], Any]

CASE = """
facts: {{on_hold: {{type: bool, default: false}}, extra: {{type: period, default: 2 business days}}}}
events: {{hold: {{}}, go_on: {{}}, extend: {{data: {{to: period}}}}, note: {{}}, leave: {{}}, back: {{}}}}
calendars: {{business: {{holidays: [2026-03-17], hours: 09:00-17:00}}, de: [2026-04-03, 2026-04-06]}}
states:
  waiting:
    initial: true
    sla: {{answer: {{{clock}, breach: {{to: late}}}}}}
    on:
      hold: {{set: {{on_hold: 'true'}}}}
      go_on: {{set: {{on_hold: 'false'}}}}
      extend: {{set: {{extra: extend.to}}}}
      note: {{}}
      leave: away
  away: {{on: {{back: waiting, go_on: {{set: {{on_hold: 'false'}}}}}}}}
  late: {{final: true}}
"""


def paused(play: Make, due: str, more: str = "") -> Any:
    return play(CASE.format(clock=f"due: {due}, pause_while: on_hold{more}"))


# --- what a pause keeps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "start", "hold", "go_on", "expected"),
    [
        # Exact periods keep the seconds that are left.
        ("48 hours", "2026-03-02 09:00", "2026-03-03 09:00", "2026-03-10 15:00", "2026-03-11 15:00:00"),
        # Whole days keep the days that are left, to the end of the last.
        ("4 days", "2026-03-02 09:00", "2026-03-03 22:00", "2026-03-10 08:00", "2026-03-13 23:59:59"),
        (
            "2 business days",
            "2026-03-12 09:00",
            "2026-03-13 09:00",
            "2026-03-15 08:00",
            "2026-03-16 23:59:59",
        ),
        ("1 month", "2026-03-02 09:00", "2026-03-30 09:00", "2026-04-10 08:00", "2026-04-13 23:59:59"),
        # `exactly` comes back at its wall clock, over the change of clocks too.
        ("exactly 4 days", "2026-03-02 09:30", "2026-03-03 22:00", "2026-03-06 08:00", "2026-03-09 09:30:00"),
        (
            "exactly 2 business days",
            "2026-03-12 09:30",
            "2026-03-12 10:00",
            "2026-03-16 20:00",
            "2026-03-19 09:30:00",
        ),
        # Its wall clock has passed on the day on which it goes on: it is the next day's.
        ("exactly 1 day", "2026-03-02 09:30", "2026-03-03 08:00", "2026-03-05 10:00", "2026-03-06 09:30:00"),
        ("exactly 1 day", "2026-03-02 09:30", "2026-03-03 08:00", "2026-03-05 09:00", "2026-03-05 09:30:00"),
        (
            "start of day 3 days",
            "2026-03-02 09:00",
            "2026-03-04 09:00",
            "2026-03-08 09:00",
            "2026-03-09 00:00:00",
        ),
        (
            "end of day 36 hours",
            "2026-03-02 09:00",
            "2026-03-03 09:00",
            "2026-03-05 20:00",
            "2026-03-06 23:59:59",
        ),
        # What rolls keeps what was counted, and is rolled again.
        (
            "{within: 5 days, roll: next_business_day}",  # Saturday the 7th, so Monday the 9th
            "2026-03-02 09:00",
            "2026-03-06 09:00",
            "2026-03-09 09:00",
            "2026-03-10 23:59:59",
        ),
        (
            "{within: 5 days, roll: next_business_day}",
            "2026-03-02 09:00",
            "2026-03-06 09:00",
            "2026-03-13 09:00",  # a day is left: Saturday the 14th
            "2026-03-16 23:59:59",
        ),
        (
            "{within: 120 hours, roll: next_business_day}",
            "2026-03-02 09:00",
            "2026-03-03 09:00",
            "2026-03-10 09:00",  # four days later is Saturday the 14th
            "2026-03-16 09:00:00",
        ),
        (
            "{within: 2 business days, calendar: de}",
            "2026-04-01 09:00",
            "2026-04-01 10:00",
            "2026-04-02 10:00",
            "2026-04-08 23:59:59",
        ),
        # Business hours keep the opening time that is left.
        (
            "4 business hours",
            "2026-03-16 15:00",
            "2026-03-16 16:00",
            "2026-03-16 18:00",
            "2026-03-18 12:00:00",
        ),
    ],
)
def test_a_paused_clock_is_due_again_by_what_it_keeps(
    due: str, start: str, hold: str, go_on: str, expected: str, play: Make
) -> None:
    case = paused(play, due).open(start)
    case.send(hold, "hold")
    assert (case.clock("answer").status, case.armed()) == ("paused", [])
    case.send(go_on, "go_on")
    assert case.due("answer") == expected
    case.verify()


def test_days_left_are_counted_in_the_zone_of_the_moment(play: Make) -> None:
    # In Tokyo it is the 3rd already when the clock starts, the 5th when it pauses and the 10th when it goes on.
    case = paused(play, "{within: 4 days, timezone: Asia/Tokyo}").open("2026-03-02 20:00")
    case.send("2026-03-04 20:00", "hold")
    assert case.clock("answer").left.count == 2
    case.send("2026-03-09 20:00", "go_on")
    assert case.local(case.clock("answer").due, "Asia/Tokyo") == "2026-03-12 23:59:59"


def test_a_paused_clock_is_never_breached_however_long_the_pause(play: Make) -> None:
    case = paused(play, "1 day").open("2026-03-02 09:00")
    case.send("2026-03-02 10:00", "hold")
    assert case.run("2036-03-02 09:00") == ()
    assert case.state == "waiting"


def test_a_clock_may_pause_in_its_last_second(play: Make) -> None:
    case = paused(play, "24 hours").open("2026-03-02 09:00")
    case.send("2026-03-03 09:00", "hold")
    case.send("2026-03-05 12:00", "go_on")
    assert case.armed() == [("breach:waiting/answer", "2026-03-05 12:00:01")]


def test_a_paused_clock_stays_as_it_was_left_and_goes_on_when_the_case_comes_back(play: Make) -> None:
    case = paused(play, "48 hours").open("2026-03-02 09:00")
    case.send("2026-03-03 09:00", "hold")
    case.send("2026-03-04 09:00", "leave")
    case.send("2026-03-05 09:00", "go_on")
    assert case.clock("answer").status == "paused"
    case.send("2026-03-06 09:00", "back")
    assert case.due("answer") == "2026-03-07 09:00:00"
    assert [(case.local(p.since), case.local(p.until)) for p in case.clock("answer").pauses] == [
        ("2026-03-03 09:00:00", "2026-03-06 09:00:00")
    ]


# --- live clocks keep their pauses --------------------------------------------------------------------------------------


def test_a_live_clock_that_went_on_does_not_jump_back_to_where_it_was_due_without_the_pause(
    play: Make,
) -> None:
    case = paused(play, "=extra", ", live: true").open("2026-03-02 09:00")
    assert case.due("answer") == "2026-03-04 23:59:59"
    case.send("2026-03-03 09:00", "hold")
    case.send("2026-03-10 09:00", "go_on")
    assert case.due("answer") == "2026-03-11 23:59:59"
    case.send("2026-03-10 10:00", "note")
    assert case.due("answer") == "2026-03-11 23:59:59"
    case.verify()


def test_a_fact_that_changes_after_a_pause_moves_a_live_clock_and_the_pause_is_kept(play: Make) -> None:
    case = paused(play, "=extra", ", live: true").open("2026-03-02 09:00")
    case.send("2026-03-03 09:00", "hold")
    case.send("2026-03-10 09:00", "go_on")
    case.send("2026-03-10 10:00", "extend", {"to": "4 business days"})
    # Four business days from the 2nd end on the 6th; three of them were left when it paused.
    assert case.due("answer") == "2026-03-13 23:59:59"
    case.send("2026-03-10 11:00", "extend", {"to": "72 hours"})
    assert case.due("answer") == "2026-03-12 09:00:00"
    case.send("2026-03-10 12:00", "extend", {"to": "10 business hours"})
    # Of the ten hours eight had run on the 2nd; the pause began at opening time.
    assert case.due("answer") == "2026-03-10 11:00:00"
    case.verify()


def test_a_fact_that_changes_during_a_pause_changes_what_is_left_of_a_live_clock(play: Make) -> None:
    case = paused(play, "=extra", ", live: true").open("2026-03-02 09:00")
    case.send("2026-03-03 09:00", "hold")
    assert case.clock("answer").left.count == 1
    case.send("2026-03-05 09:00", "extend", {"to": "4 business days"})
    assert (case.clock("answer").status, case.clock("answer").left.count) == ("paused", 3)
    case.send("2026-03-10 09:00", "go_on")
    assert case.due("answer") == "2026-03-13 23:59:59"


def test_two_pauses_of_a_live_clock_are_both_kept(play: Make) -> None:
    case = paused(play, "=extra", ", live: true").open("2026-03-02 09:00")
    case.send("2026-03-02 09:00", "extend", {"to": "96 hours"})
    for hold, go_on in (("2026-03-03 09:00", "2026-03-04 09:00"), ("2026-03-05 09:00", "2026-03-06 21:00")):
        case.send(hold, "hold")
        case.send(go_on, "go_on")
    assert case.due("answer") == "2026-03-08 22:00:00"  # 96 and 60 hours after, over the change of clocks
    case.send("2026-03-06 22:00", "extend", {"to": "98 hours"})
    assert case.due("answer") == "2026-03-09 00:00:00"


def test_a_live_clock_that_had_run_out_before_a_pause_is_due_as_soon_as_it_goes_on(play: Make) -> None:
    case = paused(play, "=extra", ", live: true").open("2026-03-02 09:00")
    case.send("2026-03-04 09:00", "hold")
    case.send("2026-03-05 09:00", "extend", {"to": "24 hours"})
    assert (case.clock("answer").status, case.clock("answer").left.count) == ("paused", 0)
    case.send("2026-03-06 09:00", "go_on")
    assert case.armed() == [("breach:waiting/answer", "2026-03-06 09:00:01")]


# --- laws -------------------------------------------------------------------------------------------------------------

DUES = st.sampled_from(
    [
        "50 hours",
        "3 days",
        "2 business days",
        "exactly 3 days",
        "exactly 2 business days",
        "start of day 3 days",
        "9 business hours",
        "{within: 4 days, roll: next_business_day}",
        "{within: 70 hours, roll: previous_business_day}",
        "{within: 3 days, timezone: Asia/Tokyo}",
        "1 week",
    ]
)
START = datetime.fromisoformat("2026-03-05T13:17:05-05:00")


@given(DUES, st.lists(st.integers(0, 60 * 60 * 40), min_size=2, max_size=6))
def test_a_pause_never_shortens_and_a_live_clock_stands_where_a_fixed_one_does(
    play: Make, due: str, gaps: list[int]
) -> None:
    fixed, live = paused(play, due), paused(play, due, ", live: true")
    for case in (fixed, live):
        case.open(START.isoformat())
    first, now = fixed.clock("answer").due, START
    for index, gap in enumerate(gaps):
        now += timedelta(seconds=gap)
        for case in (fixed, live):
            case.run(now.isoformat())
            if case.state == "waiting":
                case.send(now.isoformat(), "go_on" if index % 2 else "hold")
                case.send(now.isoformat(), "note")
    assert live.state == fixed.state
    assert live.clock("answer") == fixed.clock("answer")
    if fixed.state == "waiting" and fixed.clock("answer").due is not None:
        assert fixed.clock("answer").due >= max(first, now)
    fixed.verify()
    live.verify()
