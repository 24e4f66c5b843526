"""Results of scenario cases, compared whole with golden files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from amends.engine.case import PolicyRef
from amends.engine.diagnostics import Diagnostics, Place
from amends.engine.render.results import results_json, results_text
from amends.engine.scenario import Results
from amends.engine.step import Clause, Move, Open, Step, Trace

Golden = Callable[[str, str], None]


def test_failures_are_told_as_expected_against_actual(results: Results, golden: Golden) -> None:
    golden("results.txt", results_text(results))


def test_results_are_json(results: Results, golden: Golden) -> None:
    golden("results.json", results_json(results))


def test_every_case_is_counted_once(results: Results) -> None:
    assert (results.passed, results.failed, results.errors) == (1, 1, 1)


def test_results_without_a_case_are_all_zero() -> None:
    assert results_text(Results(cases=())) == "0 passed, 0 failed, 0 errors\n"


def test_findings_that_kept_cases_from_running_count_as_errors() -> None:
    found = Diagnostics()
    found.add("AM104", Place("a.yaml", 1, 1, 1, 2), "undeclared state `a`")
    found.add("AM501", Place("a.yaml", 2, 1, 2, 2), "`b` is never used")
    data = json.loads(results_json(Results(cases=()), found.sorted()))
    assert (data["passed"], data["failed"], data["errors"], data["cases"]) == (0, 0, 1, [])
    assert [item["code"] for item in data["diagnostics"]] == ["AM104", "AM501"]


def test_an_undecided_step_says_what_is_missing(results: Results) -> None:
    _, failed, _ = results.cases
    check = failed.checks[0]
    assert check.step is not None
    step = replace(check.step, verdict="undecided", missing=("ticket.subject",), reason=None)
    decision = replace(check, key="decision", expected={"a": "yes"}, actual=None, step=step)
    text = results_text(Results(cases=(replace(failed, checks=(decision,)),)))
    assert "    expected  a: yes\n    actual    \u2013\n" in text
    assert "customer:7 reopen: undecided\n              missing ticket.subject\n" in text


def test_what_was_taken_while_its_conditions_were_unknown_says_so(results: Results) -> None:
    _, failed, _ = results.cases
    check = failed.checks[0]
    assert check.step is not None
    step = replace(
        check.step,
        verdict="applied",
        reason=None,
        moves=(Move(leg="main", source="open", target=None, rule="guard"),),
        trace=(
            Trace(rule="guard", result="unknown", clauses=(Clause(text="is_late", value="unknown"),)),
            Trace(rule="later", result="unknown"),
        ),
    )
    text = results_text(Results(cases=(replace(failed, checks=(replace(check, step=step),)),)))
    told = ("stays in open by guard", "guard: unknown", "  `is_late` is unknown")
    assert "".join(f"              {line}\n" for line in told) in text
    assert "later" not in text


def test_the_opening_is_the_hosts(results: Results) -> None:
    _, failed, _ = results.cases
    ref = PolicyRef(name="desk", version="1", bundle="", model="")
    opening = Open(case_id="c", policy=ref, facts={}, recorded_at=failed.checks[0].at)
    step = Step(seq=0, at=opening.recorded_at, input=opening, verdict="applied")
    check = replace(failed.checks[0], step=step)
    assert "host opens the case: applied" in results_text(Results(cases=(replace(failed, checks=(check,)),)))
