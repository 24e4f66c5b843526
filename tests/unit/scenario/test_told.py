"""What a scenario gives by the name of a lookup or balance is what the case is told when it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.engine.library import Library
from amends.engine.scenario import CaseResult, read_scenarios, run_file

POLICY = """
amends: 1
policy: small
version: v1
currency: USD
roles: [user]
facts: {owner: text}
lookups:
  many: {count: cases, same: owner}
  paid: {sum: refund.paid, same: owner}
  risk: {type: [low, high], of: owner}
balances: {whole: {of: owner, limit: 'money("10 USD")'}}
events: {ask: {by: user}}
payouts: {refund: {amount: 'money("10 USD")', balance: whole, routes: [{via: card}]}}
states:
  a:
    initial: true
    on:
      ask:
        - {when: 'many > 2 || paid > money("5 USD")', to: b, decision: seldom}
        - {when: 'risk == "high"', unknown: {to: b, decision: unknown}, to: b, decision: risky}
        - {to: b, decision: fine, do: [{pay: refund}]}
    sla: {end: {due: 9 days, breach: {to: b}}}
  b: {final: true}
"""


def run(folder: Path, given: str, expected: str) -> CaseResult:
    (folder / "small.yaml").write_text(POLICY, encoding="utf-8")
    cases = folder / "small.scenarios.yaml"
    event = '{at: "2026-03-02T10:00:00Z", actor: user, type: ask}'
    expect = f'{{at: "2026-03-02T10:00:00Z", {expected}}}'
    text = f"cases:\n  - id: T\n    name: told\n    given: {{owner: ann, {given}}}\n    events: [{event}]\n    expect: [{expect}]\n"
    cases.write_text(text, encoding="utf-8")
    file, found = read_scenarios(cases)
    assert file is not None, found
    (result,) = run_file(file, Library.load(folder / "small.yaml"))
    return result


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "decision: unknown, amount: '0'"),
        ("many: 3", "decision: seldom"),
        ("paid: '5.01'", "decision: seldom"),
        ("paid: '5', risk: low", "decision: fine, amount: '10'"),
        ("risk: null", "decision: unknown"),
        ("risk: low, whole: '4.50'", "decision: fine, amount: '5.50'"),
        ("risk: low, whole: ['4.50 USD', '1 USD']", "decision: fine, amount: '4.50'"),
        ("risk: low, whole: '11'", "decision: fine, amount: '0'"),
    ],
)
def test_answers_are_given_with_the_facts(given: str, expected: str, tmp_path: Path) -> None:
    result = run(tmp_path, given, expected)
    assert result.status == "passed", result


@pytest.mark.parametrize("given", ["many: some", "risk: hgh", "paid: '3 EURO'", "risk: low, whole: many"])
def test_an_answer_of_another_type_is_told_where_it_is_given(given: str, tmp_path: Path) -> None:
    result = run(tmp_path, given, "decision: fine")
    assert result.status == "error"
    assert "cannot be used" in str(result.error)
    assert result.error_place is not None
    assert result.error_place.line == 4
