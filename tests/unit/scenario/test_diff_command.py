"""`amends diff`: the paths at which two versions differ, and the cases that come out otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from amends.cli import main

OLD = """\
amends: 1
policy: desk
version: v1
currency: EUR
in_force: {until: 2026-06-01T00:00:00Z}
roles: [user, clerk]
facts: {price: money}
params: {share: 0.5, answer: 10 days}
events: {ask: {by: user}, close: {by: clerk}}
payouts: {back: {amount: price * share, routes: [{id: card, via: card}]}}
states:
  fresh: {initial: true, on: {ask: review}}
  review: {waits_for: clerk, on: {close: closed}, sla: {answer: {due: =answer, breach: {to: closed, decision: silence}}}}
  closed: {final: true, enter: [{pay: back}]}
"""
NEW = """\
amends: 1
policy: desk
version: v2
extends: {policy: desk, version: v1}
in_force: {from: 2026-06-01T00:00:00Z}
params: {share: 0.75, answer: 20 days, note: some}
states: {review: {sla: {answer: {breach: {decision: null}}}}}
"""
CASES = """\
cases:
  - id: D-1
    name: closed in time
    given: {price: "10"}
    events:
      - {at: "2026-03-02T12:00:00Z", actor: user, type: ask}
      - {at: "2026-03-03T12:00:00Z", actor: clerk, type: close}
    expect: [{at: "2026-03-03T12:00:00Z", state: closed}]
  - id: D-2
    name: nobody answers
    given: {price: "10"}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: ask}]
    expect: [{at: "2026-03-13T00:00:00Z", state: closed, decision: silence}]
  - id: D-3
    name: nothing else
    given: {price: "10"}
    events: [{at: "2026-03-02T12:00:00Z", actor: clerk, type: close}]
    expect: [{at: "2026-03-02T12:00:00Z", state: fresh}]
  - id: D-4
    name: unreadable
    given: {price: much}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: ask}]
    expect: [{at: "2026-03-02T12:00:00Z", state: review}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"old": OLD, "new": NEW, "cases": CASES}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def amends(folder: Path, *more: str, old: str = "old", new: str = "new") -> Result:
    return CliRunner().invoke(main, ["diff", str(folder / f"{old}.yaml"), str(folder / f"{new}.yaml"), *more])


def data(folder: Path, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(amends(folder, "--format", "json", *more).stdout)
    return found


def test_every_path_that_differs_is_told_with_both_places(folder: Path) -> None:
    changes = {item["path"]: item for item in data(folder)["changes"]}
    assert list(changes) == [
        "params.share",
        "params.answer",
        "params.note",
        "in_force.from",
        "in_force.until",
        "states.review.sla.answer.breach.decision",
    ]
    share = changes["params.share"]
    assert [(share[side]["value"], share[side]["place"]["line"]) for side in ("before", "after")] == [
        ("0.5", 8),
        ("0.75", 6),
    ]
    assert changes["params.note"]["before"] is None
    assert changes["states.review.sla.answer.breach.decision"]["after"] is None


def test_a_policy_does_not_differ_from_itself(folder: Path) -> None:
    result = amends(folder, new="old")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "0 values differ")


def test_cases_are_played_under_both_whichever_is_in_force(folder: Path) -> None:
    cases = {item["id"]: item for item in data(folder, "--cases", str(folder / "cases.yaml"))["cases"]}
    told = {
        name: [(item["at"], item["key"], item["before"], item["after"]) for item in case["differences"]]
        for name, case in cases.items()
    }
    assert told["D-1"] == [
        (
            "2026-03-02T12:00:00+00:00",
            "deadline answer",
            "2026-03-12T23:59:59+00:00",
            "2026-03-22T23:59:59+00:00",
        ),
        ("2026-03-03T12:00:00+00:00", "amount", "5.00 EUR", "7.50 EUR"),
    ]
    assert [item[1:] for item in told["D-2"]][1:] == [
        ("state", "closed", "review"),
        ("decision", "silence", None),
        ("amount", "5.00 EUR", None),
        ("route", ["card"], None),
    ]
    assert told["D-3"] == []
    assert told["D-4"] == []
    assert all(cases["D-4"]["errors"].values())


def test_the_text_shows_only_cases_that_come_out_otherwise(folder: Path) -> None:
    lines = amends(folder, "--cases", str(folder / "cases.yaml")).stdout.splitlines()
    assert lines[0] == "desk v1 -> desk v2"
    old, new = folder / "old.yaml", folder / "new.yaml"
    assert f"    params.share: 0.5 -> 0.75  {old}:8 -> {new}:6" in lines
    assert f"  + params.note: some  {new}:6" in lines
    assert "  2026-03-03 12:00  amount: 5.00 EUR -> 7.50 EUR" in lines
    assert not any(line.startswith("D-3") for line in lines)
    assert lines[-1] == "6 values differ; 3 of 4 cases come out otherwise"


@pytest.mark.parametrize("new", ["cases", "nowhere"])
def test_what_is_no_policy_is_wrong_usage(folder: Path, new: str) -> None:
    assert amends(folder, new=new).exit_code == 2


def test_a_policy_with_errors_is_not_compared(folder: Path) -> None:
    (folder / "new.yaml").write_text(NEW.replace("answer: 20 days", "answer: soon"), encoding="utf-8")
    assert amends(folder).exit_code == 1
