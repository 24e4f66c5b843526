"""`amends migrate --dry-run`: what it shows of every case, and what it never shows."""

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
facts: {note: {type: optional text, sensitive: true}, price: money}
events: {ask: {by: user, data: {word: {type: text, sensitive: true}}}, close: {by: clerk}}
states:
  fresh: {initial: true, on: {ask: review}}
  review: {waits_for: clerk, on: {close: closed}, sla: {answer: {due: 10 days, breach: {to: closed}}}}
  closed: {final: true}
"""
NEW = """\
amends: 1
policy: desk
version: v2
currency: EUR
in_force: {from: 2026-06-01T00:00:00Z}
migrates: {from: v1, states: {review: looked_at}, set: {tries: "1"}}
roles: [user, clerk]
facts: {price: money, tries: {type: int, default: 0}}
effects: {tell: {amount: money}}
events: {ask: {by: user, data: {word: {type: text, sensitive: true}}}, close: {by: clerk}}
states:
  begun: {initial: true, on: {ask: looked_at}}
  looked_at:
    waits_for: clerk
    always: {when: price > money("90 EUR"), to: closed, do: [{tell: {amount: =price}}]}
    on: {close: closed}
    sla: {answer: {due: 20 days, breach: {to: closed}}}
  closed: {final: true}
"""
CASES = """\
cases:
  - id: D-1
    name: asked
    given: {price: "10", note: hush}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: ask, data: {word: whisper}}]
    expect: [{at: "2026-03-02T12:00:00Z", state: review}]
  - id: D-2
    name: worth too much
    given: {price: "100"}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: ask, data: {word: whisper}}]
    expect: [{at: "2026-03-02T12:00:00Z", state: review}]
  - id: D-3
    name: not asked yet
    given: {price: "10"}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: close}]
    expect: [{at: "2026-03-02T12:00:00Z", state: fresh}]
  - id: D-4
    name: over
    given: {price: "10"}
    events:
      - {at: "2026-03-02T12:00:00Z", actor: user, type: ask, data: {word: whisper}}
      - {at: "2026-03-03T12:00:00Z", actor: clerk, type: close}
    expect: [{at: "2026-03-03T12:00:00Z", state: closed}]
  - id: D-5
    name: new already
    given: {price: "10"}
    events: [{at: "2026-06-02T12:00:00Z", actor: user, type: ask, data: {word: whisper}}]
    expect: [{at: "2026-06-02T12:00:00Z", state: looked_at}]
  - id: D-6
    name: unreadable
    given: {price: much}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: ask, data: {word: whisper}}]
    expect: [{at: "2026-03-02T12:00:00Z", state: review}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"old": OLD, "new": NEW, "desk.scenarios": CASES}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def amends(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["migrate", *(str(argument) for argument in arguments)])


def cases(folder: Path, *more: str) -> dict[str, Any]:
    data = json.loads(amends(folder, "--dry-run", "--format", "json", *more).stdout)
    return {case["id"]: case for case in data["cases"]}


def test_every_case_is_told_what_would_become_of_it(folder: Path) -> None:
    assert {name: case["fate"] for name, case in cases(folder).items()} == {
        "D-1": "moves",
        "D-2": "moves",
        "D-3": "stays",
        "D-4": "closed",
        "D-5": "not asked",
        "D-6": "error",
    }


def test_what_would_change_is_told_beside_what_is(folder: Path) -> None:
    case = cases(folder)["D-1"]
    assert (case["policy"], case["from"], case["to"]) == ("desk", "v1", "v2")
    assert case["legs"] == {"before": {"main": "review"}, "after": {"main": "looked_at"}}
    assert case["facts"]["tries"] == {"before": None, "after": 1}
    assert case["clocks"]["review/answer"]["after"] is None
    assert case["clocks"]["looked_at/answer"]["after"]["due"] == "2026-03-22T23:59:59+00:00"
    assert case["moves"] == []


def test_what_would_happen_at_once_and_be_asked_for_is_told(folder: Path) -> None:
    case = cases(folder)["D-2"]
    assert [(move["from"], move["to"]) for move in case["moves"]] == [("looked_at", "closed")]
    assert case["effects"] == [{"kind": "tell", "data": {"amount": "100.00 EUR"}}]


def test_a_case_may_give_what_only_the_version_after_asks(folder: Path) -> None:
    new = NEW.replace('set: {tries: "1"}', "set: {tries: earlier}")
    new = new.replace("roles:", "lookups: {earlier: {count: cases, same: price}}\nroles:")
    (folder / "new.yaml").write_text(new, encoding="utf-8")
    given = CASES.replace(
        'given: {price: "10", note: hush}', 'policy: desk\n    given: {price: "10", earlier: 3}'
    )
    (folder / "desk.scenarios.yaml").write_text(given, encoding="utf-8")
    found = cases(folder)
    assert found["D-1"]["facts"]["tries"] == {"before": None, "after": 3}
    assert found["D-2"]["facts"]["tries"] == {"before": None, "after": 0}


def test_why_a_case_would_stay_is_told_in_words(folder: Path) -> None:
    refused = cases(folder)["D-3"]["refused"]
    assert refused["code"] == "not_migrated"
    assert refused["text"] == (
        "The case stays under version v1, for version v2 cannot take it over: it says nothing of the state `fresh`, "
        "and has none of that name."
    )


def test_nothing_sensitive_is_shown(folder: Path) -> None:
    assert cases(folder)["D-1"]["facts"]["note"] == {"before": {"sensitive": True}, "after": None}
    for form in ("text", "json"):
        shown = amends(folder, "--dry-run", "--format", form).stdout
        assert "hush" not in shown
        assert "whisper" not in shown


def test_the_text_lists_what_moves_and_what_stays_and_counts_the_rest(folder: Path) -> None:
    lines = amends(folder, "--dry-run").stdout.splitlines()
    assert "    state    review -> looked_at" in lines
    assert "    then     looked_at -> closed (looked_at.always)" in lines
    assert "    fact     note: (sensitive) -> –" in lines
    assert (
        lines[-1]
        == "2 would move, 1 would stay, 1 closed already, 1 under versions that none takes over, 1 could not be played"
    )


def test_it_ends_with_one_where_a_case_would_stay_and_with_zero_where_all_move(folder: Path) -> None:
    assert amends(folder, "--dry-run").exit_code == 1
    (folder / "desk.scenarios.yaml").write_text(CASES.partition("  - id: D-2")[0], encoding="utf-8")
    assert amends(folder, "--dry-run").exit_code == 0


def test_an_instant_says_when_it_would_be(folder: Path) -> None:
    later = cases(folder, "--at", "2026-03-20T00:00:00Z")
    assert {name: case["fate"] for name, case in later.items()} == {
        "D-1": "closed",
        "D-2": "closed",
        "D-3": "stays",
        "D-4": "closed",
        "D-5": "error",
        "D-6": "error",
    }
    assert later["D-5"]["error"] == "the case is not open by then"


def test_of_several_versions_that_take_it_over_one_is_to_be_named(folder: Path) -> None:
    third = NEW.replace("version: v2", "version: v3").replace("from: 2026-06-01", "from: 2026-09-01")
    (folder / "third.yaml").write_text(third, encoding="utf-8")
    second = NEW.replace(
        "{from: 2026-06-01T00:00:00Z}", "{from: 2026-06-01T00:00:00Z, until: 2026-09-01T00:00:00Z}"
    )
    (folder / "new.yaml").write_text(second, encoding="utf-8")
    assert cases(folder)["D-1"]["error"] == "several versions take it over (v2, v3); say which"
    assert cases(folder, "--to", "v3")["D-1"]["to"] == "v3"


@pytest.mark.parametrize(
    "options", [(), ("--dry-run", "--at", "tomorrow"), ("--dry-run", "--cases", "nowhere.yaml")]
)
def test_wrong_usage_ends_with_two(folder: Path, options: tuple[str, ...]) -> None:
    assert amends(folder, *options).exit_code == 2


def test_without_scenario_files_there_is_nothing_to_try(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    assert amends(tmp_path, "--dry-run").exit_code == 2
