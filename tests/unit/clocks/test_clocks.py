"""Clocks of an engine: when they start, what is due when, reminders, pauses, catching up. Spec: docs/semantics.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]

WAITS = """
events: {{answer: {{}}, hold: {{}}, go_on: {{}}, note: {{}}}}
facts: {{on_hold: {{type: bool, default: false}}, extra: {{type: period, default: 2 business days}}{facts}}}
calendars: {calendars}
states:
  waiting:
    initial: true
    waits_for: agent
    sla:
      answer: {clock}
    on:
      answer: done
      hold: {{set: {{on_hold: 'true'}}}}
      go_on: {{set: {{on_hold: 'false'}}}}
      note: {{}}
  late: {{final: true}}
  done: {{final: true}}
"""


def waits(clock: str, *, facts: str = "", calendars: str = "{business: [2026-07-03]}") -> str:
    """Return a policy whose one clock is as told; what it breaches is `late`."""
    clock = clock[:-1] + ", breach: {to: late}}" if "breach" not in clock else clock
    return WAITS.format(clock=clock, facts=facts and ", " + facts, calendars=calendars)


# --- due, and one second later ----------------------------------------------------------------------------------------


def test_an_event_in_the_last_second_is_in_time_and_the_clock_breaches_one_second_later(play: Make) -> None:
    case = play(waits("{due: 2 days}")).open("2026-03-02 09:30")
    assert case.due("answer") == "2026-03-04 23:59:59"
    assert case.armed() == [("breach:waiting/answer", "2026-03-05 00:00:00")]
    assert case.send("2026-03-04 23:59:59", "answer").state == "done"

    late = play(waits("{due: 2 days}")).open("2026-03-02 09:30")
    sent = late.send("2026-03-05 00:00:00", "note")
    assert [step.at for step in sent.before] == [late.at("2026-03-05 00:00:00")]
    assert sent.state == "late"


@pytest.mark.parametrize(
    ("due", "start", "expected"),
    [
        # Units: exact hours, calendar days, business days, months, ends of local days, exact instants.
        ("48 hours", "2026-03-07 10:00", "2026-03-09 11:00:00"),  # clocks leap on the 8th
        ("exactly 2 days", "2026-03-07 10:00", "2026-03-09 10:00:00"),
        ("2 days", "2026-03-07 10:00", "2026-03-09 23:59:59"),
        ("2 business days", "2026-07-02 10:00", "2026-07-07 23:59:59"),
        ("1 month", "2026-01-31 10:00", "2026-02-28 23:59:59"),
        ("2 weeks", "2026-03-02 10:00", "2026-03-16 23:59:59"),
        ("1 year", "2028-02-29 10:00", "2029-02-28 23:59:59"),
        ("end of day 36 hours", "2026-03-02 10:00", "2026-03-03 23:59:59"),
        ("start of day 2 days", "2026-03-02 10:00", "2026-03-04 00:00:00"),
        # `from` counts its own day, `after` does not.
        ("2 days from", "2026-03-02 10:00", "2026-03-03 23:59:59"),
        ("'{within: 5 days, roll: next_business_day}'", "2026-03-02 10:00", "2026-03-09 23:59:59"),
        # Where clocks leap over the time, it moves forward by the leap; where they show it twice, it is the first.
        ("exactly 1 day", "2026-03-07 02:30", "2026-03-08 03:30:00"),
        ("exactly 1 day", "2026-10-31 01:30", "2026-11-01 01:30:00"),
    ],
)
def test_a_period_alone_counts_from_the_start_of_its_clock(
    due: str, start: str, expected: str, play: Make
) -> None:
    case = play(waits(f"{{due: {due.strip(chr(39))}}}")).open(start)
    assert case.due("answer") == expected
    case.verify()


@pytest.mark.parametrize(
    ("zone_name", "start", "due"),
    [
        ("Asia/Beirut", "2026-03-28 12:00", "2026-03-29 23:59:59"),
        ("Asia/Beirut", "2026-03-27 12:00", "2026-03-28 23:59:59"),
        ("Africa/Cairo", "2026-04-22 12:00", "2026-04-23 23:59:59"),
        ("America/Santiago", "2026-09-04 12:00", "2026-09-05 23:59:59"),
        ("America/Santiago", "2026-04-03 12:00", "2026-04-04 23:59:59"),
        ("America/Havana", "2026-03-07 12:00", "2026-03-08 23:59:59"),
    ],
)
def test_a_day_ends_with_its_last_second_where_clocks_change_at_midnight(
    zone_name: str, start: str, due: str, play: Make
) -> None:
    case = play(waits("{due: 1 day}")).open(start, timezone=zone_name)
    assert case.due("answer") == due
    fires_at = case.local(case.case.timers[0].fires_at)
    assert fires_at is not None
    assert fires_at[:10] > due[:10]


def test_a_named_zone_of_a_moment_decides_its_days_whatever_the_zone_of_the_case(play: Make) -> None:
    case = play(waits("{due: {within: 1 day, timezone: Asia/Tokyo}}")).open("2026-03-02 20:00")
    assert case.local(case.clock("answer").due, "Asia/Tokyo") == "2026-03-04 23:59:59"


def test_a_zone_may_be_told_by_a_fact_for_a_moment(play: Make) -> None:
    text = waits("{due: {within: 1 day, timezone: =place}}", facts="place: text")
    case = play(text).open("2026-03-02 20:00", {"place": "Asia/Tokyo"})
    assert case.local(case.clock("answer").due, "Asia/Tokyo") == "2026-03-04 23:59:59"


def test_a_zone_may_be_told_by_a_fact_for_the_case_which_keeps_it(play: Make) -> None:
    text = waits("{due: 1 day, live: true}", facts="place: text").replace(
        "note: {}\n  late", "note: {set: {place: '\"UTC\"'}}\n  late"
    )
    case = play(text, zone="=place").open("2026-03-02 20:00", {"place": "Asia/Tokyo"})
    assert (case.case.timezone, case.due("answer")) == ("Asia/Tokyo", "2026-03-04 23:59:59")
    case.send("2026-03-02 21:00", "note")
    assert (case.case.timezone, case.due("answer")) == ("Asia/Tokyo", "2026-03-04 23:59:59")


# --- starting -----------------------------------------------------------------------------------------------------------


def test_a_clock_starts_when_its_due_moment_is_known(play: Make) -> None:
    text = """
facts: {shipped_at: optional timestamp}
events: {ship: {}}
states:
  open:
    initial: true
    sla: {arrive: {due: 2 days after shipped_at, breach: {to: lost}}}
    on: {ship: {set: {shipped_at: ship.at}}}
  lost: {final: true}
"""
    case = play(text).open("2026-03-02 09:00")
    assert (case.case.clocks, case.armed()) == ({}, [])
    case.send("2026-03-05 09:00", "ship")
    assert case.due("arrive") == "2026-03-07 23:59:59"
    case.verify()


def test_a_clock_starts_once_its_condition_holds_and_does_not_ask_again(play: Make) -> None:
    case = play(waits("{when: on_hold, due: 2 days}")).open("2026-03-02 09:30")
    assert (case.case.clocks, case.armed()) == ({}, [])
    case.send("2026-03-03 10:00", "hold")
    assert case.due("answer") == "2026-03-05 23:59:59"
    case.send("2026-03-04 10:00", "go_on")
    assert case.due("answer") == "2026-03-05 23:59:59"
    case.run("2026-03-06 00:00:00")
    assert case.state == "late"
    case.verify()


def test_of_two_clocks_only_the_one_whose_condition_holds_starts(play: Make) -> None:
    text = """
facts: {card: bool}
events: {note: {}}
states:
  open:
    initial: true
    sla:
      by_card: {when: card, due: 7 days, breach: {to: late}}
      otherwise: {unless: card, due: 20 days, breach: {to: late}}
    on: {note: {}}
  late: {final: true}
"""
    assert list(play(text).open("2026-03-02 09:30", {"card": True}).case.clocks) == ["open/by_card"]
    assert list(play(text).open("2026-03-02 09:30", {"card": False}).case.clocks) == ["open/otherwise"]


def test_a_clock_whose_condition_is_unknown_waits_for_it(play: Make) -> None:
    clock = "{all: [extra_cost > 5, on_hold], due: 2 days}"
    case = play(waits(clock, facts="extra_cost: optional int")).open("2026-03-02 09:30")
    case.send("2026-03-03 10:00", "hold")
    assert (case.case.clocks, case.armed()) == ({}, [])


def test_time_alone_starts_a_clock_at_the_very_second(play: Make) -> None:
    case = play(waits("{when: 'now >= timestamp(\"2026-03-03T12:00:00-05:00\")', due: 1 hour}")).open(
        "2026-03-02 09:30"
    )
    assert case.armed() == [("wake", "2026-03-03 12:00:00")]
    case.run("2026-03-03 12:00:00")
    assert case.due("answer") == "2026-03-03 13:00:00"
    case.verify()


def test_a_clock_past_due_when_it_starts_is_breached_at_once_and_never_before_it_started(play: Make) -> None:
    text = """
facts: {ordered_at: timestamp}
events: {go: {}}
states:
  open: {initial: true, on: {go: waiting}}
  waiting: {sla: {answer: {due: 2 days after ordered_at, breach: {to: late}}}}
  late: {final: true}
"""
    case = play(text).open("2026-03-10 09:00", {"ordered_at": "2026-03-01T12:00:00-05:00"})
    case.send("2026-03-11 09:00", "go")
    assert (case.state, case.armed()) == ("waiting", [("breach:waiting/answer", "2026-03-11 09:00:00")])
    case.run("2026-03-11 09:00")
    assert (case.state, case.told()[-1]) == ("late", ("breach:waiting/answer", "2026-03-11 09:00:00"))
    case.verify()


def test_a_pause_does_not_rescue_a_clock_that_is_past_due_when_it_starts(play: Make) -> None:
    clock = "{due: 2 days after ordered_at, pause_while: on_hold}"
    case = play(waits(clock, facts="ordered_at: timestamp"))
    case.open("2026-03-10 09:00", {"ordered_at": "2026-03-01T12:00:00-05:00", "on_hold": True})
    assert case.clock("answer").status == "running"
    case.run("2026-03-10 09:00")
    assert case.state == "late"


# --- later_of and earlier_of ------------------------------------------------------------------------------------------

MANY = """
facts: {{ordered_at: timestamp, promised: optional date}}
events: {{ship: {{}}, promise: {{data: {{day: date}}}}}}
states:
  open:
    initial: true
    sla: {{arrive: {{due: {due}, {live}breach: {{to: lost}}}}}}
    on: {{ship: {{}}, promise: {{set: {{promised: promise.day}}}}}}
  lost: {{final: true}}
"""
ORDERED = {"ordered_at": "2026-03-02T09:00:00-05:00"}


def test_later_of_waits_for_what_has_not_happened(play: Make) -> None:
    case = play(MANY.format(due="{later_of: [2 days after ordered_at, 1 day after ship.at]}", live=""))
    case.open("2026-03-02 09:00", ORDERED)
    assert case.case.clocks == {}
    case.send("2026-03-02 10:00", "ship")
    assert case.due("arrive") == "2026-03-04 23:59:59"


def test_later_of_does_without_a_part_that_is_skipped_while_unknown(play: Make) -> None:
    due = '{later_of: [2 days after ordered_at, "promised, if any"]}'
    fixed, live = (
        play(MANY.format(due=due, live=live)).open("2026-03-02 09:00", ORDERED)
        for live in ("", "live: true, ")
    )
    assert fixed.due("arrive") == live.due("arrive") == "2026-03-04 23:59:59"
    for case in (fixed, live):
        case.send("2026-03-03 09:00", "promise", {"day": "2026-03-09"})
    # What was fixed when the clock started stays; what is live follows the facts.
    assert fixed.due("arrive") == "2026-03-04 23:59:59"
    assert live.due("arrive") == "2026-03-09 23:59:59"


def test_earlier_of_ignores_what_has_not_happened_until_it_happens(play: Make) -> None:
    due = "{earlier_of: [10 days after ordered_at, 1 day after ship.at]}"
    case = play(MANY.format(due=due, live="live: true, ")).open("2026-03-02 09:00", ORDERED)
    assert case.due("arrive") == "2026-03-12 23:59:59"
    case.send("2026-03-04 10:00", "ship")
    assert case.due("arrive") == "2026-03-05 23:59:59"
    case.verify()


def test_a_live_due_moment_that_comes_to_lie_in_the_past_breaches_at_once(play: Make) -> None:
    due = "{earlier_of: [10 days after ordered_at, 1 day after promised]}"
    case = play(MANY.format(due=due, live="live: true, ")).open("2026-03-02 09:00", ORDERED)
    case.send("2026-03-09 10:00", "promise", {"day": "2026-03-04"})
    assert case.armed() == [("breach:open/arrive", "2026-03-09 10:00:00")]
    case.run("2026-03-09 10:00")
    assert case.state == "lost"


def test_a_live_clock_whose_moment_is_no_longer_known_keeps_what_was_known_last(play: Make) -> None:
    text = (
        MANY.format(due="1 day after promised", live="live: true, ")
        .replace(
            "promise: {set: {promised: promise.day}}",
            "promise: {set: {promised: promise.day}}, ship: {set: {promised: null}}",
        )
        .replace("on: {ship: {}, ", "on: {")
    )
    case = play(text).open("2026-03-02 09:00", ORDERED)
    case.send("2026-03-02 10:00", "promise", {"day": "2026-03-09"})
    case.send("2026-03-02 11:00", "ship")
    assert case.due("arrive") == "2026-03-10 23:59:59"


# --- reminders --------------------------------------------------------------------------------------------------------


def reminders(case: Any) -> list[str | None]:
    return [case.local(step.at) for step in case.steps for effect in step.effects if effect.kind == "remind"]


def test_reminders_are_sent_at_their_instants_to_whom_the_state_waits_for(play: Make) -> None:
    case = play(waits("{due: 5 days, remind: [exactly 2 days before, 3 hours before]}")).open(
        "2026-03-02 09:00"
    )
    case.run("2026-03-20 00:00")
    assert reminders(case) == ["2026-03-05 23:59:59", "2026-03-07 20:59:59"]
    effects = [effect for step in case.steps for effect in step.effects]
    assert [effect.data["to"] for effect in effects] == ["agent", "agent"]
    assert effects[0].data["due"] == case.at("2026-03-07 23:59:59")
    case.verify()


def test_a_reminder_whose_instant_has_passed_when_the_clock_starts_is_not_sent(play: Make) -> None:
    case = play(waits("{due: 1 day, remind: [exactly 3 days before, 1 hour before]}")).open(
        "2026-03-02 09:00"
    )
    assert [timer for timer, _ in case.armed()] == ["remind:waiting/answer", "breach:waiting/answer"]
    case.run("2026-03-10 09:00")
    assert reminders(case) == ["2026-03-03 22:59:59"]


def test_no_reminder_is_sent_once_what_it_is_about_has_happened(play: Make) -> None:
    case = play(waits("{due: 5 days, remind: [exactly 2 days before]}")).open("2026-03-02 09:00")
    case.send("2026-03-03 09:00", "answer")
    assert case.armed() == []
    assert case.run("2026-03-20 00:00") == ()


def test_an_event_and_a_reminder_at_one_second_are_told_in_that_order_reminder_first(play: Make) -> None:
    case = play(waits("{due: 48 hours, remind: [24 hours before]}")).open("2026-03-02 09:00")
    sent = case.send("2026-03-03 09:00", "answer")
    assert [effect.kind for step in sent.before for effect in step.effects] == ["remind"]


def test_a_reminder_counts_days_in_the_zone_of_its_due_moment(play: Make) -> None:
    clock = "{due: {within: 3 days, timezone: Asia/Tokyo}, remind: [start of day 1 day before]}"
    case = play(waits(clock)).open("2026-03-02 20:00")
    assert case.local(case.clock("answer").reminders[0], "Asia/Tokyo") == "2026-03-05 00:00:00"


def test_a_paused_clock_does_not_remind_and_one_that_goes_on_reminds_before_its_new_due(play: Make) -> None:
    clock = "{due: 48 hours, remind: [24 hours before], pause_while: on_hold}"
    case = play(waits(clock)).open("2026-03-02 09:00")
    case.send("2026-03-02 12:00", "hold")
    assert case.armed() == []
    case.send("2026-03-10 12:00", "go_on")
    assert case.due("answer") == "2026-03-12 09:00:00"
    assert case.armed()[0] == ("remind:waiting/answer", "2026-03-11 09:00:00")
    case.run("2026-03-20 09:00")
    assert reminders(case) == ["2026-03-11 09:00:00"]


# --- catching up ------------------------------------------------------------------------------------------------------

TWO = """
events: {note: {}}
states:
  first: {initial: true, sla: {one: {due: 24 hours, breach: {to: second}}}, on: {note: {}}}
  second: {sla: {two: {due: 24 hours, breach: {to: third}}}, on: {note: {}}}
  third: {final: true}
sla:
  whole: {due: 30 hours, breach: {alarm: agent}}
"""


def test_after_downtime_everything_fires_in_due_order_each_at_its_own_instant(play: Make) -> None:
    case = play(TWO).open("2026-03-02 09:00")
    steps = case.run("2026-03-20 00:00")
    assert case.told() == [
        ("breach:first/one", "2026-03-03 09:00:01"),
        ("breach:whole", "2026-03-03 15:00:01"),
        ("breach:second/two", "2026-03-04 09:00:02"),
    ]
    assert all(step.input.fired_at == case.at("2026-03-20 00:00") for step in steps)
    case.verify()


def test_a_worker_that_comes_late_changes_nothing_of_what_happens(play: Make) -> None:
    late, punctual = play(TWO).open("2026-03-02 09:00"), play(TWO).open("2026-03-02 09:00")
    for hour in range(96):
        punctual.run(f"2026-03-{2 + (9 + hour) // 24:02} {(9 + hour) % 24:02}:00")
    late.run("2026-03-06 08:00")
    assert late.told() == punctual.told()
    assert late.case.clocks == punctual.case.clocks


def test_what_is_due_before_an_event_fires_first_and_stands_even_if_the_event_is_refused(play: Make) -> None:
    case = play(TWO).open("2026-03-02 09:00")
    sent = case.send("2026-03-05 00:00", "unheard_of")
    assert sent.refusal.code == "unknown_event"
    assert (sent.state, len(sent.before)) == ("third", 3)


# --- two times --------------------------------------------------------------------------------------------------------

WINDOW = """
facts: {delivered_at: timestamp}
windows: {claims: {opens: delivered_at, closes: 2 days after delivered_at, late: too_late}}
events: {claim: {by: [client, agent]}, scan: {}}
states:
  open:
    initial: true
    on:
      claim: {when: WHEN, to: taken}
      scan: {}
  taken: {sla: {answer: {due: 1 day after claim.at, breach: {to: late}}}}
  late: {final: true}
"""
DELIVERED = {"delivered_at": "2026-03-02T09:00:00-05:00"}


def test_sent_before_expiry_is_in_time_though_it_arrives_after_where_the_rule_asks_when_it_happened(
    play: Make,
) -> None:
    case = play(WINDOW.replace("WHEN", "claim.at in claims")).open("2026-03-02 10:00", DELIVERED)
    assert case.send("2026-03-06 09:00", "claim", occurred_at="2026-03-04 23:59:59").state == "taken"
    # Deadlines count from when it happened; the one that has passed meanwhile is breached as soon as it is known.
    assert case.due("answer") == "2026-03-05 23:59:59"
    assert case.armed() == [("breach:taken/answer", "2026-03-06 09:00:00")]


def test_a_window_that_is_open_is_asked_about_the_instant_of_the_step(play: Make) -> None:
    case = play(WINDOW.replace("WHEN", "claims.is_open")).open("2026-03-02 10:00", DELIVERED)
    sent = case.send("2026-03-06 09:00", "claim", occurred_at="2026-03-04 23:59:59")
    assert sent.refusal.code == "too_late"


def test_what_happened_after_expiry_is_late_whenever_it_is_recorded(play: Make) -> None:
    case = play(WINDOW.replace("WHEN", "claim.at in claims")).open("2026-03-02 10:00", DELIVERED)
    assert (
        case.send("2026-03-06 09:00", "claim", occurred_at="2026-03-05 00:00:00").refusal.code == "too_late"
    )


def test_nothing_happens_after_it_was_recorded_and_case_time_never_goes_back(play: Make) -> None:
    case = play(WINDOW.replace("WHEN", "claim.at in claims")).open("2026-03-02 10:00", DELIVERED)
    case.send("2026-03-04 12:00", "scan")
    sent = case.send("2026-03-03 09:00", "claim", occurred_at="2026-03-09 09:00")
    assert case.local(sent.step.at) == "2026-03-04 12:00:00"
    record = case.case.facts["claim"]
    assert record["at"] == record["recorded_at"] == case.at("2026-03-04 12:00")


# --- business hours ---------------------------------------------------------------------------------------------------

OPEN = "{business: {holidays: [2026-07-03], hours: 09:00-17:00}}"


@pytest.mark.parametrize(
    ("due", "start", "expected"),
    [
        ("4 business hours", "2026-03-02 10:00", "2026-03-02 14:00:00"),
        ("8 business hours", "2026-03-02 09:00", "2026-03-02 17:00:00"),  # ends at closing time
        ("8 business hours", "2026-03-02 10:00", "2026-03-03 10:00:00"),
        ("2 business hours", "2026-03-02 07:00", "2026-03-02 11:00:00"),  # counts from the next opening
        (
            "2 business hours",
            "2026-03-06 16:00",
            "2026-03-09 10:00:00",
        ),  # over a weekend, in which clocks leap
        ("2 business hours", "2026-07-02 18:00", "2026-07-06 11:00:00"),  # over a holiday
        ("90 business minutes", "2026-03-02 16:00", "2026-03-03 09:30:00"),
        ("0 business hours", "2026-03-02 20:00", "2026-03-02 20:00:00"),
        ("end of day 9 business hours", "2026-03-02 09:00", "2026-03-03 23:59:59"),
    ],
)
def test_business_hours_count_while_the_calendar_is_open(
    due: str, start: str, expected: str, play: Make
) -> None:
    case = play(waits(f"{{due: {due}}}", calendars=OPEN)).open(start)
    assert case.due("answer") == expected


def test_a_clock_of_business_hours_that_pauses_keeps_the_opening_time_that_is_left(play: Make) -> None:
    clock = "{due: 4 business hours, pause_while: on_hold}"
    case = play(waits(clock, calendars=OPEN)).open("2026-03-02 15:00")
    case.send("2026-03-02 16:00", "hold")
    assert case.clock("answer").left.count == 3 * 3600
    case.send("2026-03-05 20:00", "go_on")
    assert case.due("answer") == "2026-03-06 12:00:00"
    case.verify()


# --- calendars chosen by a fact -----------------------------------------------------------------------------------------

CHOSEN = """{business: '=place == "DE" ? "de" : "us"', de: [2026-04-03, 2026-04-06], us: []}"""


@pytest.mark.parametrize(
    ("place", "expected"), [("DE", "2026-04-07 23:59:59"), ("US", "2026-04-03 23:59:59")]
)
def test_a_fact_may_choose_the_calendar(place: str, expected: str, play: Make) -> None:
    text = waits("{due: 1 business day}", facts="place: text", calendars=CHOSEN)
    assert play(text).open("2026-04-02 10:00", {"place": place}).due("answer") == expected


def test_a_pause_counts_on_the_calendar_that_the_clock_started_with(play: Make) -> None:
    clock = "{due: 2 business days, pause_while: on_hold}"
    text = waits(clock, facts="place: text", calendars=CHOSEN).replace(
        "hold: {set: {on_hold: 'true'}}", "hold: {set: {on_hold: 'true', place: '\"US\"'}}"
    )
    case = play(text).open("2026-04-01 10:00", {"place": "DE"})
    assert case.due("answer") == "2026-04-07 23:59:59"
    case.send("2026-04-01 11:00", "hold")
    case.send("2026-04-02 11:00", "go_on")
    assert case.due("answer") == "2026-04-08 23:59:59"


def test_a_clock_whose_calendar_is_not_known_yet_waits_for_the_fact_that_chooses_it(play: Make) -> None:
    text = waits("{due: 1 business day}", facts="place: optional text", calendars=CHOSEN)
    text = text.replace("note: {}\n  late", "note: {set: {place: '\"DE\"'}}\n  late")
    case = play(text).open("2026-04-02 10:00")
    assert case.case.clocks == {}
    case.send("2026-04-02 11:00", "note")
    assert case.due("answer") == "2026-04-07 23:59:59"


LATER = """
facts: {place: text}
events: {go: {}}
calendars: {business: =place, de: =place}
states:
  open: {initial: true, on: {go: waiting}}
  waiting: {sla: {answer: {due: 1 business day, breach: {to: late}}}}
  late: {final: true}
"""


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("fr", "there is no calendar `fr`"),
        ("de", "the calendar `business` is chosen by itself: business → de → de"),
    ],
)
def test_a_calendar_that_nothing_declares_fails_as_a_rule_and_so_does_one_that_names_itself(
    place: str, problem: str, play: Make
) -> None:
    sent = play(LATER).open("2026-04-02 10:00", {"place": place}).send("2026-04-02 11:00", "go")
    assert (sent.refusal.code, sent.refusal.values["problem"]) == ("rule_failed", problem)
