"""Time alone: what a case waits on turns at the right second, by one step, and by none where nothing turns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.case import Case
from amends.engine.errors import RuleError
from amends.engine.policy import CompiledPolicy
from amends.engine.rules.condition import holds
from amends.engine.stepping.wake import next_change
from amends.engine.stepping.work import Work
from amends.engine.values import Unknown

Make = Callable[[str], Any]

#: Delivered on Monday the 2nd at 09:00; `w` is open from the 4th at 00:00 to the 5th at 23:59:59.
POLICY = """
types: {line: {name: text, ship_by: timestamp}}
facts:
  delivered_at: timestamp
  day: {type: date, default: 2026-03-05}
  lines: {type: list of line, default: []}
  flag: {type: bool, default: false}
  shipped_at: optional timestamp
  other: {type: text, default: x}
events: {note: {}, raise: {}, ship: {}}
windows:
  w: {opens: 1 day after delivered_at, closes: 3 days after delivered_at, late: too_late}
  unknown_end: {opens: 1 day after delivered_at, closes: 1 day after shipped_at}
moments: {soon: 30 hours after delivered_at}
define:
  age: now - delivered_at
  late_lines: lines.filter(l, l.ship_by < now).size()
  nested: by_window == "open"
tables:
  by_now:
    inputs: [now]
    outputs: text
    rules:
      - {id: early, when: ["< 2026-03-03T12:00:00-05:00"], then: early}
      - {id: middle, when: ["[2026-03-03T12:00:00-05:00..2026-03-04T12:00:00-05:00]"], then: middle}
    otherwise: late
  by_age:
    hit: unique
    inputs: [age, flag]
    outputs: {name: text, hours: int}
    rules:
      - {id: young, when: ["< 36000s", "-"], then: {name: young, hours: 1}}
      - {id: old, when: [">= 36000s", "-"], then: {name: old, hours: 2}}
  by_window:
    inputs: [w.is_open]
    outputs: text
    rules: [{id: open, when: ["true"], then: open}]
    otherwise: shut
  by_condition:
    outputs: text
    rules:
      - {id: open, when: w.is_open, unless: flag, then: open}
      - {id: shut, all: [w.is_closed, {any: [flag, 'age > duration("1h")']}], then: shut}
    otherwise: waiting
  by_output:
    outputs: {late: bool, since: moment}
    rules: [{id: all, then: {late: =now > soon, since: 2 days after delivered_at}}]
  of_line:
    of: {l: line}
    outputs: text
    rules: [{id: late, when: now > l.ship_by, then: late}]
    otherwise: early
  deep:
    inputs: [nested]
    outputs: bool
    rules: [{id: deep, when: ["true"], then: true}]
    otherwise: false
states:
  open:
    initial: true
    always: [{when: 'WHEN', to: done}]
    on:
      note: {}
      raise: {set: {flag: 'true'}}
      ship: {set: {shipped_at: ship.at}}
  done: {final: true}
"""
FACTS = {"delivered_at": "2026-03-02T09:00:00-05:00"}
LINES = [
    {"name": "a", "ship_by": "2026-03-02T10:00:00-05:00"},
    {"name": "b", "ship_by": "2026-03-02T12:00:00-05:00"},
]
FULL = {**FACTS, "lines": LINES}

TURNS = [
    ("w.is_open", "2026-03-04 00:00:00"),
    ("w.is_closed", "2026-03-06 00:00:00"),
    ('!w.is_open && age > duration("72h")', "2026-03-06 00:00:00"),
    ("has(w.reason)", "2026-03-06 00:00:00"),
    ("now > w.closes", "2026-03-06 00:00:00"),
    ("now >= w.opens", "2026-03-04 00:00:00"),
    ("w.opens <= now", "2026-03-04 00:00:00"),
    ("now == w.opens", "2026-03-04 00:00:00"),
    ("now > soon", "2026-03-03 15:00:01"),
    ('now - delivered_at > duration("48h")', "2026-03-04 09:00:01"),
    ('now - duration("48h") >= delivered_at', "2026-03-04 09:00:00"),
    ('delivered_at + duration("48h") < now', "2026-03-04 09:00:01"),
    ('delivered_at - now <= duration("-48h")', "2026-03-04 09:00:00"),
    ('now + duration("1h") > soon', "2026-03-03 14:00:01"),
    ('age >= duration("48h")', "2026-03-04 09:00:00"),
    ("age.getHours() >= 48", "2026-03-04 09:00:00"),
    ("age.getMinutes() / 60 * 2 >= 96", "2026-03-04 09:00:00"),
    ("int(now) - int(delivered_at) > 3600", "2026-03-02 10:00:01"),
    ("(int(now) - int(delivered_at)) / 86400 == 2", "2026-03-04 09:00:00"),
    ("max(now, soon) == now", "2026-03-03 15:00:00"),
    ("date(now) > day", "2026-03-06 00:00:00"),
    ("date(now) == day", "2026-03-05 00:00:00"),
    ('now.getDayOfWeek("America/New_York") == 5', "2026-03-06 00:00:00"),
    ('now.getHours("America/New_York") == 3', "2026-03-03 03:00:00"),
    ("now.getMinutes() == 30", "2026-03-02 09:30:00"),
    ('now.getMonth("America/New_York") == 4 && w.is_closed', "2026-05-01 00:00:00"),
    ('string(now) == "2026-03-02T14:00:09Z"', "2026-03-02 09:00:09"),
    ("lines.exists(l, l.ship_by < now)", "2026-03-02 10:00:01"),
    ("lines.all(l, l.ship_by < now)", "2026-03-02 12:00:01"),
    ("lines.exists_one(l, now > l.ship_by) && late_lines == 1", "2026-03-02 10:00:01"),
    ("late_lines == 2", "2026-03-02 12:00:01"),
    ('lines.exists(l, of_line(l) == "late" && l.name == "b")', "2026-03-02 12:00:01"),
    ("flag ? w.is_open : w.is_closed", "2026-03-06 00:00:00"),
    ('w.is_open ? age > duration("40h") : false', "2026-03-04 01:00:01"),
    ('by_now == "middle"', "2026-03-03 12:00:00"),
    ('by_now == "late"', "2026-03-04 12:00:01"),
    ('by_age.name == "old"', "2026-03-02 19:00:00"),
    ("by_age.hours > 1", "2026-03-02 19:00:00"),
    ('by_window == "open"', "2026-03-04 00:00:00"),
    ("nested && deep", "2026-03-04 00:00:00"),
    ('by_condition == "shut"', "2026-03-06 00:00:00"),
    ("by_output.late", "2026-03-03 15:00:01"),
    ("now > by_output.since", "2026-03-05 00:00:00"),
    ("shipped_at < now || w.is_closed", "2026-03-06 00:00:00"),
    ('[by_window, by_now] == ["open", "middle"]', "2026-03-04 00:00:00"),
    ('{"a": by_window}["a"] == "open"', "2026-03-04 00:00:00"),
]


@pytest.mark.parametrize(("when", "at"), TURNS)
def test_a_condition_is_looked_at_in_the_second_in_which_time_turns_it_and_in_no_other(
    when: str, at: str, play: Make
) -> None:
    case = play(POLICY.replace("WHEN", when)).open("2026-03-02 09:00", FULL)
    assert case.armed() == [("wake", at)]
    case.run("2027-01-01 00:00")
    assert (case.state, case.told()) == ("done", [("wake", at)])
    case.verify()


@pytest.mark.parametrize(
    "when",
    [
        "flag && w.is_open",
        "w.is_open && w.is_closed",
        "now < delivered_at",
        "shipped_at < now",
        "unknown_end.is_open",
        "now.getHours() == 25",
        "delivered_at in w",
        "soon in w && flag",
        'by_condition == "nothing"',
        'lines.exists(l, l.ship_by < now && l.name == "c")',
        "w.is_closed && now < w.opens",
    ],
)
def test_where_time_alone_turns_nothing_nothing_is_armed(when: str, play: Make) -> None:
    case = play(POLICY.replace("WHEN", when)).open("2026-03-02 09:00", FULL)
    assert case.armed() == []


def test_what_an_event_brings_is_armed_from_then_on(play: Make) -> None:
    case = play(POLICY.replace("WHEN", 'now > shipped_at + duration("5h")')).open("2026-03-02 09:00", FULL)
    assert case.armed() == []
    case.send("2026-03-03 10:00", "ship")
    assert case.armed() == [("wake", "2026-03-03 15:00:01")]
    late = play(POLICY.replace("WHEN", "flag && w.is_closed")).open("2026-03-02 09:00", FULL)
    assert late.send("2026-03-09 10:00", "raise").state == "done"


def test_looking_ahead_leaves_no_trace_in_the_step(play: Make) -> None:
    case = play(POLICY.replace("WHEN", 'by_now == "late"')).open("2026-03-02 09:00", FULL)
    case.send("2026-03-02 10:00", "note")
    assert {entry.rule for step in case.steps for entry in step.trace if "tables" in entry.rule} <= {
        "tables.by_now.early"
    }


def test_what_lies_more_than_a_hundred_years_ahead_is_armed_when_it_has_come_near(play: Make) -> None:
    text = POLICY.replace("WHEN", 'now > timestamp("2127-01-01T00:00:00Z")')
    case = play(text).open("2026-03-02 09:00", FULL)
    assert case.armed() == []
    case.send("2030-01-01 00:00", "note")
    assert case.case.timers[0].fires_at == datetime(2127, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_condition_that_may_turn_every_second_is_looked_at_now_and_then_and_still_turns_in_time(
    play: Make,
) -> None:
    when = 'lines.map(l, now - l.ship_by).exists(d, d > duration("2h"))'
    case = play(POLICY.replace("WHEN", when)).open("2026-03-02 09:00", FULL)
    case.run("2026-03-02 12:30")
    assert case.told()[-1] == ("wake", "2026-03-02 12:00:01")
    assert len(case.told()) < 15


# --- several candidates -----------------------------------------------------------------------------------------------


def test_a_candidate_that_comes_first_and_is_unknown_holds_back_those_below_it_without_a_step(
    play: Make,
) -> None:
    text = POLICY.replace(
        "[{when: 'WHEN', to: done}]", "[{when: shipped_at < now, to: done}, {when: w.is_open, to: done}]"
    )
    case = play(text).open("2026-03-02 09:00", FULL)
    assert case.armed() == []
    case.send("2026-03-02 10:00", "ship")
    assert case.armed() == [("wake", "2026-03-02 10:00:01")]


def test_a_candidate_whose_needs_are_not_met_is_not_woken_for(play: Make) -> None:
    text = POLICY.replace("to: done}]", "needs: [shipped_at], to: done}]").replace("WHEN", "w.is_open")
    case = play(text).open("2026-03-02 09:00", FULL)
    assert case.armed() == []
    case.send("2026-03-02 10:00", "ship")
    assert case.armed() == [("wake", "2026-03-04 00:00:00")]


def test_a_rule_that_will_fail_fails_in_a_step_of_its_own_and_once(play: Make) -> None:
    text = POLICY.replace("WHEN", "10 / (age.getHours() - 5) > 100")
    case = play(text).open("2026-03-02 09:00", FULL)
    case.run("2026-04-01 00:00")
    assert case.told() == [("wake", "2026-03-02 14:00:00")]
    assert "division by zero" in case.case.needs_human


# --- escalations, pauses, routes ----------------------------------------------------------------------------------------

ESCALATES = """
facts: {delivered_at: timestamp, flag: {type: bool, default: false}}
events: {note: {}, raise: {}}
windows: {w: {opens: 1 day after delivered_at, closes: 3 days after delivered_at}}
states:
  open: {initial: true, on: {note: {}, raise: {set: {flag: '!flag'}}}}
  other: {final: true}
escalations:
  chase: {WHEN, alarm: agent}
"""


def alarms(case: Any) -> list[str | None]:
    return [case.local(step.at) for step in case.steps for effect in step.effects if effect.kind == "alarm"]


def test_an_escalation_fires_when_time_makes_its_condition_true_and_again_only_after_it_was_not(
    play: Make,
) -> None:
    case = play(ESCALATES.replace("WHEN", "when: w.is_open || flag")).open("2026-03-02 09:00", FACTS)
    case.run("2026-04-01 00:00")
    assert alarms(case) == ["2026-03-04 00:00:00"]
    assert case.told() == [("wake", "2026-03-04 00:00:00"), ("wake", "2026-03-06 00:00:00")]
    case.send("2026-04-02 00:00", "raise")
    assert alarms(case) == ["2026-03-04 00:00:00", "2026-04-02 00:00:00"]
    case.verify()


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        ("exactly 2 days after delivered_at", "2026-03-04 09:00:00"),
        ("48 hours after delivered_at", "2026-03-04 09:00:00"),
        ("2 days after delivered_at", "2026-03-05 00:00:00"),
        ("start of day 2 days after delivered_at", "2026-03-04 00:00:00"),
        ("2026-03-07", "2026-03-07 00:00:00"),
    ],
)
def test_an_escalation_at_a_moment_fires_once_when_a_window_would_open_on_it(
    moment: str, at: str, play: Make
) -> None:
    case = play(ESCALATES.replace("WHEN", f"at: {moment}")).open("2026-03-02 09:00", FACTS)
    assert case.armed() == [("wake", at)]
    case.run("2026-04-01 00:00")
    assert (alarms(case), case.told()) == ([at], [("wake", at)])


PAUSES = """
facts: {delivered_at: timestamp}
events: {note: {}, leave: {}}
windows: {w: {opens: 1 day after delivered_at, closes: 3 days after delivered_at}}
states:
  waiting:
    initial: true
    sla: {answer: {due: 60 hours, pause_while: w.is_open, breach: {to: late}}}
    on: {note: {}, leave: away}
  away: {on: {note: {}, leave: waiting}}
  late: {final: true}
"""


def test_a_clock_pauses_and_goes_on_in_the_very_seconds_in_which_a_window_opens_and_has_closed(
    play: Make,
) -> None:
    case = play(PAUSES).open("2026-03-02 09:00", FACTS)
    case.run("2026-04-01 00:00")
    assert case.told() == [
        ("wake", "2026-03-04 00:00:00"),
        ("wake", "2026-03-06 00:00:00"),
        ("breach:waiting/answer", "2026-03-06 21:00:01"),
    ]
    case.verify()


def test_no_step_is_made_for_a_paused_clock_of_a_state_that_was_left(play: Make) -> None:
    case = play(PAUSES).open("2026-03-02 09:00", FACTS)
    case.send("2026-03-04 12:00", "leave")
    assert (case.clock("answer").status, case.armed()) == ("paused", [])
    case.send("2026-03-09 12:00", "leave")
    assert case.due("answer") == "2026-03-10 09:00:00"


def test_a_pause_whose_condition_fails_is_none_and_wakes_nobody(play: Make) -> None:
    text = PAUSES.replace(
        "pause_while: w.is_open", "pause_while: 1 / ((now - delivered_at).getHours() - 10) > 5"
    )
    case = play(text).open("2026-03-02 09:00", FACTS)
    assert case.armed() == [("breach:waiting/answer", "2026-03-04 21:00:01")]


PAYS = """
currency: EUR
facts: {delivered_at: timestamp, account: optional text}
events: {note: {}}
windows: {w: {opens: 1 day after delivered_at, closes: 3 days after delivered_at}}
states:
  open: {initial: true, enter: [{pay: back}], on: {note: {}, back.settled: done}}
  done: {final: true}
payouts:
  back:
    amount: money("5 EUR")
    routes: ROUTES
"""


def routed(case: Any) -> list[tuple[str, str | None]]:
    (part,) = case.case.payouts["back"].parts
    return [(part.status, part.route)]


@pytest.mark.parametrize(
    ("routes", "before", "steps", "after"),
    [
        (
            "[{id: early, when: w.is_open, via: card}, {id: wait}]",
            ("held", "wait"),
            [("wake", "2026-03-04 00:00:00")],
            ("asked", "early"),
        ),
        (
            # The first route stops holding, and the one below it takes over.
            '[{id: fast, when: "!w.is_closed", via: card, needs: [account]}, {id: slow, via: cheque}]',
            ("needs_details", "fast"),
            [("wake", "2026-03-06 00:00:00")],
            ("asked", "slow"),
        ),
        (
            "[{id: first, when: \"account == 'x'\", via: card}, {id: second, when: w.is_open, via: cheque}]",
            ("held", None),
            [],
            ("held", None),
        ),
    ],
)
def test_held_money_goes_its_way_in_the_second_in_which_time_changes_its_route(
    routes: str, before: Any, steps: Any, after: Any, play: Make
) -> None:
    case = play(PAYS.replace("ROUTES", routes)).open("2026-03-02 09:00", FACTS)
    assert routed(case) == [before]
    case.run("2026-04-01 00:00")
    assert (case.told(), routed(case)) == (steps, [after])
    case.verify()


# --- law: a condition changes only at instants that are found ------------------------------------------------------------

INSTANTS = st.sampled_from(
    [
        "now",
        "at",
        "now + gap",
        "now - gap",
        "soon",
        "w.opens",
        "w.closes",
        "max(now, at)",
        "min(soon, now - gap)",
    ]
)
LENGTHS = st.sampled_from(["now - at", "at - now", "gap", "soon - (now - gap)", "now - (now - gap)", "age"])
NUMBERS = st.sampled_from(
    [
        "age.getSeconds()",
        "int(now) - int(at)",
        "(int(now) - int(at)) / 7",
        "now.getSeconds() % 5",
        "now.getMinutes()",
        "3",
        "15",
        "late_lines",
        "-late_lines * 2",
    ]
)
COMPARED = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])


def compared(sides: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda left, sign, right: f"({left}) {sign} ({right})", sides, COMPARED, sides)


ATOMS = st.one_of(
    compared(INSTANTS),
    compared(LENGTHS),
    compared(NUMBERS),
    st.sampled_from(
        [
            "w.is_open",
            "w.is_closed",
            "has(w.reason)",
            "flag",
            "missing",
            "lines.exists(l, l < now)",
            "lines.all(l, l <= now)",
            "lines.exists_one(l, now > l)",
            'by_second == "middle"',
            'by_second == "late"',
            'by_cells == "b"',
            "by_both.open && by_both.count > 1",
            'called(at) == "yes"',
            "1 / (age.getSeconds() - 9) > 0",
        ]
    ),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} && {b})", inner, inner),
        st.builds(lambda a, b: f"({a} || {b})", inner, inner),
        st.builds(lambda a: f"!({a})", inner),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
    ),
    max_leaves=5,
)
LAW = """
facts:
  at: timestamp
  gap: {type: duration, default: 7s}
  lines: list of timestamp
  flag: {type: bool, default: false}
  missing: optional bool
events: {note: {}}
moments: {soon: 12 seconds after at}
windows: {w: {opens: 5 seconds after at, closes: 20 seconds after at, late: too_late}}
define:
  age: now - at
  late_lines: lines.filter(l, l < now).size()
tables:
  by_second:
    inputs: [now - at]
    outputs: text
    rules:
      - {id: early, when: ["< 3s"], then: early}
      - {id: middle, when: ["[3s..9s)"], then: middle}
    otherwise: late
  by_cells:
    hit: unique
    inputs: [w.is_open, late_lines]
    outputs: text
    rules:
      - {id: a, when: ["true", "<= 1"], then: a}
      - {id: b, when: ["-", "2"], then: b}
    otherwise: c
  by_both:
    outputs: {open: bool, count: int}
    rules:
      - {id: one, when: now > soon, unless: w.is_closed, then: {open: =w.is_open, count: =late_lines}}
    otherwise: {open: false, count: 0}
  called:
    of: {t: timestamp}
    outputs: text
    rules: [{id: yes, when: 'now - t >= duration("6s")', then: "yes"}]
    otherwise: "no"
states:
  open: {initial: true, always: [{when: 'WHEN', to: done}], on: {note: done}}
  done: {final: true}
"""
BEGIN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def told(policy: CompiledPolicy, case: Case, at: datetime) -> Any:
    """Return what the condition of `always` is worth at an instant: true, false, unknown or failed."""
    (candidate,) = policy.legs[0].states["open"].always
    try:
        value = holds(candidate.condition, Work(policy, case, at))
    except RuleError:
        return "failed"
    return "unknown" if isinstance(value, Unknown) else value


@given(CONDITIONS)
def test_a_condition_asked_at_every_second_changes_only_at_the_instants_that_are_found(
    play: Make, when: str
) -> None:
    made = play(LAW.replace("WHEN", when.replace("'", "''")))
    policy = made.engine.library.policies[0]
    case = blank(policy)
    (candidate,) = policy.legs[0].states["open"].always
    seconds = [BEGIN + timedelta(seconds=n) for n in range(45)]
    worth = [told(policy, case, at) for at in seconds]

    def outcome(ask: Any) -> Any:
        found = ask(candidate.condition)
        if isinstance(found, RuleError):
            return "failed"
        return "unknown" if isinstance(found, Unknown) else found

    now = seconds[0]
    found = [now]
    while (turn := next_change(Work(policy, case, now), outcome)) is not None and turn < seconds[-1]:
        found.append(turn)
        now = turn
    turns = [seconds[0], *(at for at, a, b in zip(seconds[1:-1], worth, worth[1:], strict=False) if a != b)]
    assert found == turns


def blank(policy: CompiledPolicy) -> Case:
    lines = (BEGIN + timedelta(seconds=7), BEGIN + timedelta(seconds=14))
    facts = {"at": BEGIN + timedelta(seconds=3), "gap": timedelta(seconds=7), "lines": lines, "flag": False}
    return Case(
        id="case",
        policy=policy.ref,
        seq=0,
        at=BEGIN,
        legs={"main": "open"},
        facts=facts,
        clocks={},
        payouts={},
        timers=(),
        timezone="UTC",
        currency=None,
    )
