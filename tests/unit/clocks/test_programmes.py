"""What real programmes ask of their clocks, one test a demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[[str], Any]

REVIEW = """
facts: {amount: int, first_time: {type: bool, default: false}}
events:
  ask: {}
  decide: {}
  inform: {}
  extend: {data: {days: int}}
calendars: {business: []}
tables:
  review_time:
    inputs: [amount, first_time]
    outputs: period
    rules:
      - {id: small, when: ["<= 100", "-"], then: 2 business days}
      - {id: new, when: ["> 100", "true"], then: 48 hours}
      - {id: large, when: ["> 100", "false"], then: 4 business days}
states:
  review:
    initial: true
    waits_for: agent
    sla:
      decision: {due: =review_time, breach: {to: escalated, decision: granted_by_silence, reason: too_late}}
      target: {due: 24 hours, breach: {alarm: agent}}
    on:
      ask: {}
      decide: decided
  escalated: {waits_for: agent, sla: {second: {due: 1 day, breach: {to: decided}}}, on: {ask: {}, decide: decided}}
  decided: {final: true}
sla:
  tell: {starts: [decided, escalated], due: 2 business days, met_by: [inform], breach: {alarm: client}}
"""


def kinds(case: Any) -> list[tuple[str, str, str | None]]:
    return [(e.kind, e.data["to"], case.local(step.at)) for step in case.steps for e in step.effects]


@pytest.mark.parametrize(
    ("facts", "due"),
    [
        ({"amount": 100}, "2026-03-04 23:59:59"),
        ({"amount": 101}, "2026-03-06 23:59:59"),
        ({"amount": 101, "first_time": True}, "2026-03-04 09:00:00"),
    ],
)
def test_how_long_a_clock_runs_may_depend_on_facts_by_a_table(facts: Any, due: str, play: Make) -> None:
    assert play(REVIEW).open("2026-03-02 09:00", facts).due("decision") == due


def test_what_happens_on_timeout_is_declared_state_by_state_and_leads_on(play: Make) -> None:
    case = play(REVIEW).open("2026-03-02 09:00", {"amount": 5})
    case.run("2026-03-05 00:00")
    assert (case.state, case.case.decision, case.case.reason.code) == (
        "escalated",
        "granted_by_silence",
        "too_late",
    )
    case.run("2026-03-07 00:00")
    assert case.state == "decided"


def test_a_soft_target_raises_an_alarm_and_moves_nothing(play: Make) -> None:
    case = play(REVIEW).open("2026-03-02 09:00", {"amount": 5})
    case.run("2026-03-03 12:00")
    assert (case.state, kinds(case)) == ("review", [("alarm", "agent", "2026-03-03 09:00:01")])
    assert case.clock("decision").status == "running"


def test_an_obligation_runs_beside_the_states_until_it_is_met(play: Make) -> None:
    case = play(REVIEW).open("2026-03-02 09:00", {"amount": 5})
    case.run("2026-03-05 00:00")
    assert case.due("tell") == "2026-03-09 23:59:59"
    case.send("2026-03-05 12:00", "decide")
    assert case.due("tell") == "2026-03-09 23:59:59"  # a further start does not restart it
    assert case.send("2026-03-06 09:00", "inform").refusal is None
    assert (case.clock("tell").status, case.armed()) == ("met", [])


def test_an_obligation_that_nobody_meets_is_breached_in_a_final_state_too(play: Make) -> None:
    case = play(REVIEW).open("2026-03-02 09:00", {"amount": 5})
    case.send("2026-03-02 10:00", "decide")
    case.run("2026-04-01 00:00")
    assert kinds(case) == [("alarm", "client", "2026-03-05 00:00:00")]


EXTENDS = """
facts: {extra: {type: int, default: 0}}
events: {extend: {data: {days: int}}, hold: {}, wait_on: {}}
tables:
  more:
    inputs: [extra]
    outputs: period
    rules:
      - {id: none, when: ["< 8"], then: 3 days}
      - {id: once, when: ["[8..16)"], then: 11 days}
    otherwise: 19 days
states:
  open:
    initial: true
    sla:
      ship: {due: =more, live: true, breach: {to: lost}}
      certain: {due: 20 days, breach: {to: lost}}
    on:
      extend:
        - {when: extra + extend.days <= 16, set: {extra: extra + extend.days}}
        - {refuse: enough}
  lost: {final: true}
"""


def test_an_extension_moves_a_live_clock_up_to_its_cap_and_every_one_is_in_the_journal(play: Make) -> None:
    case = play(EXTENDS).open("2026-03-02 09:00")
    dues = []
    for day in (3, 4, 5):
        sent = case.send(f"2026-03-{day:02} 09:00", "extend", {"days": 8})
        dues.append((case.due("ship"), sent.refusal and sent.refusal.code))
    assert dues == [
        ("2026-03-13 23:59:59", None),
        ("2026-03-21 23:59:59", None),
        ("2026-03-21 23:59:59", "enough"),
    ]
    assert case.due("certain") == "2026-03-22 23:59:59"
    assert len(case.steps) == 4


STOPS = """
facts: {asked: {type: bool, default: false}}
events: {ask: {by: agent}, answer: {by: client}, finish: {}}
states:
  open:
    initial: true
    sla:
      decide: {due: 5 days, pause_while: asked, breach: {to: lost}}
      in_any_case: {due: 30 days, breach: {to: lost}}
    on:
      ask: {set: {asked: 'true'}}
      answer: {set: {asked: 'false'}}
      finish: lost
  lost: {final: true}
"""


def test_one_clock_stops_while_a_party_is_waited_for_and_another_explicitly_does_not(play: Make) -> None:
    case = play(STOPS).open("2026-03-02 09:00")
    case.send("2026-03-04 09:00", "ask")
    case.send("2026-03-20 09:00", "answer", by="client:1")
    assert (case.due("decide"), case.due("in_any_case")) == ("2026-03-23 23:59:59", "2026-04-01 23:59:59")
    again = play(STOPS).open("2026-03-02 09:00")
    again.send("2026-03-04 09:00", "ask")
    again.run("2026-06-01 09:00")
    assert (again.state, again.told()[-1]) == ("lost", ("breach:open/in_any_case", "2026-04-02 00:00:00"))


FROM_EACH_END = """
facts: {delivered_at: timestamp, promised: date, escalated_at: optional timestamp}
events: {step_in: {}}
calendars: {business: []}
windows:
  step_in_window:
    opens: exactly 3 business days after delivered_at
    closes: {earlier_of: [21 business days after delivered_at, 10 days after promised]}
    early: too_soon
    late: too_late
states:
  open: {initial: true, on: {step_in: {when: step_in_window.is_open, to: done}}}
  done: {final: true}
"""


def test_a_window_may_open_by_one_anchor_and_close_by_another_and_says_which_end_was_missed(
    play: Make,
) -> None:
    facts = {"delivered_at": "2026-03-02T09:30:00-05:00", "promised": "2026-03-06"}
    case = play(FROM_EACH_END).open("2026-03-02 10:00", facts)
    assert case.send("2026-03-05 09:29:59", "step_in").refusal.code == "too_soon"
    assert (
        play(FROM_EACH_END).open("2026-03-02 10:00", facts).send("2026-03-05 09:30", "step_in").state
        == "done"
    )
    assert (
        play(FROM_EACH_END).open("2026-03-02 10:00", facts).send("2026-03-16 23:59:59", "step_in").state
        == "done"
    )
    assert case.send("2026-03-17 00:00", "step_in").refusal.code == "too_late"


def test_timers_of_one_instant_fire_in_the_order_of_the_file_breaches_before_a_second_look(
    play: Make,
) -> None:
    text = """
facts: {flag: {type: bool, default: false}}
events: {note: {}}
moments: {end: 24 hours after open_at}
states:
  open:
    initial: true
    sla:
      b: {due: 24 hours, breach: {alarm: agent}}
      a: {due: 24 hours, breach: {alarm: client}}
    on: {note: {}}
escalations: {last: {when: now > end, alarm: agent}}
""".replace("facts: {", "facts: {open_at: timestamp, ")
    case = play(text).open("2026-03-02 09:00", {"open_at": "2026-03-02T09:00:00-05:00"})
    case.run("2026-04-01 00:00")
    # The first step at that instant settles the escalation too, so that no second look is needed.
    assert [timer for timer, _ in case.told()] == ["breach:open/b", "breach:open/a"]
    assert [to for _, to, _ in kinds(case)] == ["agent", "agent", "client"]
