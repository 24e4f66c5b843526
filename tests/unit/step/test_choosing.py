"""The rules of choosing, one test each; cases/events.yaml has more of each, and tests/rules.yaml says which is shown where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]

POLICY = """
roles: [user, agent]
reasons: {{too_late: Too late., too_early: Too early., out: Out.}}
facts:
  paid: {{type: int, default: 10}}
  score: optional int
  note: optional text
  since: {{type: timestamp, default: 2026-03-01T00:00:00Z}}
windows:
  first: {{opens: since, closes: 1 hour after since, late: too_late}}
  second: {{opens: since, closes: 2 hours after since, late: out}}
events: {{ask: {{data: {{n: {{type: int, default: 0}}}}}}, close: {{}}}}
states:
  start: {{initial: true, on: {{ask: {on}, close: done}}}}
  one: {{final: true}}
  two: {{final: true}}
  done: {{final: true}}
"""


@pytest.fixture
def asked(play: Make) -> Make:
    """Return what opens a case, asks, and gives the step."""

    def asked(on: str, facts: dict[str, Any] | None = None, *, by: str = "user:1") -> Any:
        return play(POLICY.format(on=on), facts).send("ask", {"n": 3}, by=by)

    return asked


def taken(step: Any) -> str:
    """Return the state that a step moved to, or its verdict."""
    return str(step.moves[-1].target) if step.moves else str(step.verdict)


def test_candidates_are_tried_in_order_and_the_first_true_one_wins(asked: Make) -> None:
    assert (
        taken(asked("[{when: paid > 10, to: done}, {when: paid > 5, to: one}, {when: paid > 1, to: two}]"))
        == "one"
    )


@pytest.mark.parametrize(
    ("candidate", "facts", "by", "result"),
    [
        ("{by: agent, when: paid > 5, to: one}", {}, "agent:1", "one"),
        ("{by: agent, when: paid > 5, to: one}", {}, "user:1", "refused"),
        ("{all: [paid > 5, paid < 20], to: one}", {}, "user:1", "one"),
        ("{all: [paid > 5, paid > 20], to: one}", {}, "user:1", "refused"),
        ("{any: [paid > 50, paid < 20], to: one}", {}, "user:1", "one"),
        ("{any: [paid > 50, paid < 2], to: one}", {}, "user:1", "refused"),
        ("{when: paid > 5, unless: paid == 7, to: one}", {}, "user:1", "one"),
        ("{when: paid > 5, unless: paid == 10, to: one}", {}, "user:1", "refused"),
        ("{when: paid > 5, needs: [note], to: one}", {"note": "x"}, "user:1", "one"),
        ("{when: paid > 5, needs: [note], to: one}", {}, "user:1", "refused"),
        (
            "{by: agent, all: [paid > 5], unless: paid == 7, needs: [note], to: one}",
            {"note": "x"},
            "agent:1",
            "one",
        ),
    ],
)
def test_by_when_all_any_unless_and_needs_all_must_hold(
    candidate: str, facts: dict[str, Any], by: str, result: str, asked: Make
) -> None:
    assert taken(asked(f"[{candidate}]", facts, by=by)) == result


def test_unknown_before_any_true_makes_the_step_undecided_and_names_the_missing_facts(asked: Make) -> None:
    step = asked("[{when: score > 5, to: one}, {when: paid > 1, to: two}]")
    assert (step.verdict, step.missing, step.moves) == ("undecided", ("score",), ())


def test_unknown_after_a_true_one_does_not_matter(asked: Make) -> None:
    assert taken(asked("[{when: paid > 1, to: two}, {when: score > 5, to: one}]")) == "two"


def test_a_candidate_that_is_unknown_follows_what_it_says_of_unknown(asked: Make) -> None:
    assert (
        taken(asked("[{when: score > 5, unknown: {to: done}, to: one}, {when: paid > 1, to: two}]")) == "done"
    )


def test_none_true_is_refused_for_the_reason_of_the_first_failing_window(asked: Make) -> None:
    step = asked("[{when: paid > 50, to: one}, {when: first.is_open && second.is_open, to: two}]")
    assert (step.verdict, step.reason.code) == ("refused", "too_late")
    step = asked("[{when: second.is_open, to: one}, {when: first.is_open, to: two}]")
    assert (step.verdict, step.reason.code) == ("refused", "out")


@pytest.mark.parametrize(
    ("candidate", "code"),
    [
        ("{unless: first.is_closed, to: one}", "too_late"),
        ("{when: paid > 5, unless: first.is_closed, to: one}", "too_late"),
        ("{when: '!first.is_closed', to: one}", "too_late"),
        ("{when: '!(paid > 5 && first.is_closed)', to: one}", "too_late"),
        ("{all: [{unless: '!first.is_open'}, paid > 5], to: one}", "too_late"),
        ("{any: [second.is_open, {unless: first.is_closed}], to: one}", "out"),
        # Closed is what these ask of the window, so that it is not what failed.
        ("{when: first.is_closed && paid > 50, to: one}", "not_allowed"),
        ("{all: [first.is_closed, paid > 50], to: one}", "not_allowed"),
        ("{when: paid > 5, unless: first.is_closed && paid > 50, to: one}", "taken"),
        ("{unless: '!first.is_open && paid > 5', to: one}", "too_late"),
        ("{unless: first.is_open || paid > 5, to: one}", "not_allowed"),
        # Either may serve, so that neither is what failed.
        ("{when: 'first.is_closed ? paid > 50 : paid > 60', to: one}", "not_allowed"),
    ],
)
def test_a_window_below_unless_or_behind_a_not_has_failed_when_its_clause_holds(
    candidate: str, code: str, asked: Make
) -> None:
    step = asked(f"[{candidate}]")
    assert (step.reason.code if step.reason else "taken") == code


METS = """
roles: [user]
events: {{ask: {{}}, close: {{}}}}
states:
  start:
    initial: true
    sla: {{answer: {{due: 2 days, met_by: [ask], breach: {{to: done}}}}}}
    on: {on}
  done: {{final: true}}
"""


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("{close: done}", "applied"),
        ("{close: done, ask: {when: 1 < 2, to: done}}", "applied"),
        ("{close: done, ask: {when: 1 > 2, to: done}}", "refused"),
    ],
)
def test_an_event_that_meets_a_running_clock_is_accepted_unless_the_state_listens_and_no_candidate_holds(
    on: str, verdict: str, play: Make
) -> None:
    step = play(METS.format(on=on)).send("ask", {}, by="user:1")
    assert step.verdict == verdict
    assert bool(step.changes.clocks) == (verdict == "applied")


def test_none_true_and_no_window_failing_is_refused_as_not_allowed(asked: Make) -> None:
    step = asked("[{when: paid > 50, to: one}, {when: paid < 0, to: two}]")
    assert (step.verdict, step.reason.code) == ("refused", "not_allowed")


def test_a_refusal_tells_every_candidates_failed_clauses_and_the_values_they_saw(asked: Make) -> None:
    step = asked("[{id: rich, all: [paid > 5, paid > 50], to: one}, {id: poor, when: ask.n < 1, to: two}]")
    told = {
        entry.rule: [(clause.text, dict(clause.saw)) for clause in entry.clauses if clause.value == "false"]
        for entry in step.trace
    }
    assert told == {"rich": [("paid > 50", {"paid": 10})], "poor": [("ask.n < 1", {"ask.n": 3})]}


def test_all_candidates_see_one_snapshot(asked: Make) -> None:
    """The second candidate sees what the first saw, though both read the arriving event."""
    step = asked(
        "[{when: ask.n == 4, to: one}, {when: ask.n == 3 && paid == 10, to: two, set: {paid: ask.n}}]"
    )
    assert taken(step) == "two"


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("[{when: paid > 50, to: one, set: {paid: '1'}}]", "refused"),
        ("[{when: score > 5, to: one, set: {paid: '1'}}]", "undecided"),
    ],
)
def test_what_is_refused_or_undecided_stops_the_whole_step(on: str, verdict: str, asked: Make) -> None:
    step = asked(on)
    assert step.verdict == verdict
    assert (step.moves, step.effects, dict(step.changes.facts), dict(step.changes.legs)) == ((), (), {}, {})
