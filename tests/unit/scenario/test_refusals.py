"""What a scenario writes wrongly is told at its place: a fact that is given, an event, an actor, a field of its data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.render.results import results_text
from amends.engine.scenario import CaseResult, Results, read_scenarios, run_case

Run = Callable[[str, str], tuple[CaseResult, str]]
POLICY = """\
amends: 1
policy: desk
version: 1
roles: [customer, agent]
facts: {plan: [basic, plus]}
events: {ask: {by: customer, data: {subject: text}}, answer: {by: agent}}
states:
  new: {initial: true, on: {ask: asked}}
  asked: {sla: {reply: {due: 2 days, breach: {to: done}}}, on: {answer: {to: done, decision: =string(plan)}}}
  done: {final: true}
"""
CASES = """\
cases:
  - id: D-1
    name: asked and answered
    policy: desk
    given: {plan: basic}
    events:
      - {at: "2026-03-02T10:00:00Z", actor: customer, type: ask, data: {subject: x}}
      - {at: "2026-03-03T10:00:00Z", actor: agent, type: answer}
    expect:
      - {at: "2026-03-03T10:00:00Z", state: done}
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs the case with some of its text written otherwise, and the text."""

    def play(was: str, now: str) -> tuple[CaseResult, str]:
        assert CASES.count(was) == 1
        text = CASES.replace(was, now)
        (tmp_path / "desk.yaml").write_text(POLICY, encoding="utf-8")
        (tmp_path / "desk.scenarios.yaml").write_text(text, encoding="utf-8")
        library = Library.load(tmp_path)
        assert library.diagnostics == ()
        file, found = read_scenarios(tmp_path / "desk.scenarios.yaml")
        assert file is not None, found
        return run_case(file.cases[0], Engine(library)), text

    return play


def pointed_at(text: str, line: int, column: int, word: str) -> bool:
    return text.splitlines()[line - 1][column - 1 :].startswith(word)


@pytest.mark.parametrize(
    ("was", "now", "word", "told"),
    [
        ("type: ask,", "type: aks,", "aks", "The policy knows no event aks: did you mean `ask`?"),
        ("actor: customer,", "actor: custmer,", "custmer", "custmer may not send ask; customer may."),
        ("subject: x", "subjct: x", "subjct", "did you mean `subject`?"),
        ("subject: x", "subject: 7", "subject", "The data does not fit ask at subject"),
    ],
    ids=["event", "actor", "field", "value"],
)
def test_an_event_that_was_not_taken_is_told_at_its_place_where_something_later_fails(
    was: str, now: str, word: str, told: str, run: Run
) -> None:
    result, text = run(was, now)
    assert result.status == "failed"
    place = result.refused[0].place
    assert pointed_at(text, place.line, place.column, word)
    shown = results_text(Results(cases=(result,)))
    assert f"{place}\n" in shown.partition("not taken before")[2]
    assert told in shown


def test_a_refusal_that_is_meant_is_no_failure(run: Run) -> None:
    result, _ = run(
        '- {at: "2026-03-03T10:00:00Z", state: done}',
        '- {at: "2026-03-03T10:00:00Z", state: done}\n'
        '      - {at: "2026-03-04T10:00:00Z", decision: answered}',
    )
    assert result.refused == ()
    refused, _ = run("actor: agent, type: answer", "actor: customer, type: answer")
    assert [item.step.verdict for item in refused.refused] == ["refused"]
    meant, _ = run(
        'actor: agent, type: answer}\n    expect:\n      - {at: "2026-03-03T10:00:00Z", state: done}',
        'actor: customer, type: answer}\n    expect:\n      - {at: "2026-03-03T10:00:00Z", decision: event_refused, reason: role_not_allowed}',
    )
    assert meant.status == "passed"
    assert results_text(Results(cases=(meant,))) == "1 passed, 0 failed, 0 errors\n"


@pytest.mark.parametrize(
    ("was", "now", "word", "hint"),
    [
        ("{plan: basic}", "{paln: basic}", "paln", "did you mean `plan`?"),
        ("{plan: basic}", "{plan: bsaic}", "plan", "did you mean `basic`?"),
    ],
    ids=["name", "value"],
)
def test_a_fact_that_is_given_wrongly_is_told_at_its_key_with_what_was_meant(
    was: str, now: str, word: str, hint: str, run: Run
) -> None:
    result, text = run(was, now)
    assert (result.status, result.hint) == ("error", hint)
    place = result.error_place
    assert place is not None
    assert pointed_at(text, place.line, place.column, word)
    assert f"{place}\n    help      {hint}" in results_text(Results(cases=(result,)))


def test_a_fact_that_is_not_given_is_told_of_the_case(run: Run) -> None:
    result, _ = run("    given: {plan: basic}\n", "")
    assert (result.error, result.error_place) == ("the fact `plan` is missing", None)
    assert result.hint == "give it when the case is opened"
