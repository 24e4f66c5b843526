"""Scenario files become records, and what is wrong with them becomes findings with a place."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from amends.engine.money import Money
from amends.engine.scenario import ScenarioCase, ScenarioFile, find_scenarios, read_scenarios

HEAD = """\
title: Help desk
timezone: Europe/Berlin
policy: {review: 2bd}
cases:
"""
CASE = """\
  - id: HD-1
    name: answered late
    given: {level: gold, price: "12.50", tries: 2, share: 0.25, urgent: true}
    events:
      - {at: "2026-03-05T20:00:00-05:00", actor: "customer:7", type: open_ticket, data: {proof: [photo]}}
      - {at: "2026-03-06T20:00:00-05:00", actor: agent, type: answer}
    expect:
      - {at: "2026-03-07T00:00:00Z", amount: "12.5", currency: EUR, route: {gift: "2.50", card: "10.00"}}
      - at: "2026-03-05T20:00:00-05:00"
        state: answering
        decision: {sound: repaired}
        reason: in_time
        deadline: [{name: answer, due: "2026-03-09T23:59:59Z", calc: note}, {name: closing, due: "2026-03-10T00:00:00Z"}]
    assumptions: [none]
    confidence: read
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.scenarios.yaml"


def read(path: Path, text: str) -> ScenarioFile:
    path.write_text(text, encoding="utf-8")
    file, found = read_scenarios(path)
    assert found == ()
    assert file is not None
    return file


def only(path: Path, text: str) -> ScenarioCase:
    (case,) = read(path, text).cases
    return case


def findings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    file, found = read_scenarios(path)
    assert file is None
    return [f"{item.place.line}:{item.place.column} {item.code} {item.message}" for item in found]


def test_a_case_opens_at_the_instant_of_its_first_event(path: Path) -> None:
    assert only(path, HEAD + CASE).opens_at == datetime(2026, 3, 6, 1, 0, tzinfo=UTC)


def test_what_is_given_is_plain_data_and_exact(path: Path) -> None:
    given = only(path, HEAD + CASE).given
    assert given == {"level": "gold", "price": "12.50", "tries": 2, "share": Fraction(1, 4), "urgent": True}


def test_events_carry_their_actor_and_data(path: Path) -> None:
    first, second = only(path, HEAD + CASE).events
    assert (first.actor, first.name, first.data) == ("customer:7", "open_ticket", {"proof": ["photo"]})
    assert (second.actor, second.name, second.data) == ("agent", "answer", {})


def test_expectations_come_in_time_order(path: Path) -> None:
    first, second = only(path, HEAD + CASE).expect
    assert first.at < second.at


def test_every_expected_thing_stands_alone_with_its_place(path: Path) -> None:
    first, second = only(path, HEAD + CASE).expect
    assert [
        (item.key, item.name, item.value, item.place.line) for item in (*first.wanted, *second.wanted)
    ] == [
        ("state", None, "answering", 14),
        ("decision", None, {"sound": "repaired"}, 15),
        ("reason", None, "in_time", 16),
        ("deadline", "answer", datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC), 17),
        ("deadline", "closing", datetime(2026, 3, 10, tzinfo=UTC), 17),
        ("amount", None, Money(Fraction(25, 2), ""), 12),
        ("currency", None, "EUR", 12),
        ("route", None, {"gift": Money(Fraction(5, 2), ""), "card": Money(Fraction(10), "")}, 12),
    ]


def test_a_case_is_in_the_zone_of_its_file(path: Path) -> None:
    case = only(path, HEAD + CASE)
    assert (case.timezone, case.facts["timezone"]) == ("Europe/Berlin", "Europe/Berlin")


def test_a_cases_own_zone_comes_before_its_files(path: Path) -> None:
    own = CASE.replace("    given:", "    timezone: Asia/Bangkok\n    given:")
    assert only(path, HEAD + own).facts["timezone"] == "Asia/Bangkok"


def test_a_zone_that_nobody_names_is_not_given(path: Path) -> None:
    case = only(path, HEAD.replace("timezone: Europe/Berlin\n", "") + CASE)
    assert case.timezone is None
    assert "timezone" not in case.facts


def test_a_zone_that_is_given_comes_before_all(path: Path) -> None:
    given = CASE.replace("given: {", "given: {timezone: Asia/Tokyo, ")
    assert only(path, HEAD + given).facts["timezone"] == "Asia/Tokyo"


def test_a_case_may_name_its_policy(path: Path) -> None:
    assert only(path, HEAD + CASE).policy is None
    assert (
        only(path, HEAD + CASE.replace("    given:", "    policy: desk.eu\n    given:")).policy == "desk.eu"
    )


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("name: answered late", "nmae: answered late", "6:5 AM101 unknown key `nmae`"),
        (
            '"2026-03-07T00:00:00Z"',
            '"2026-02-30T00:00:00Z"',
            "12:14 AM106 `2026-02-30T00:00:00Z` is not a date and time",
        ),
        (
            'due: "2026-03-10T00:00:00Z"',
            'due: "2026-03-10T25:00:00Z"',
            "AM106 `2026-03-10T25:00:00Z` is not a date",
        ),
        (
            "timezone: Europe/Berlin",
            "timezone: Europe/Berln",
            "2:11 AM104 there is no time zone `Europe/Berln`",
        ),
        (
            '- {at: "2026-03-06',
            '- {at: "2026-03-04',
            "10:9 AM106 this event is earlier than the one above it",
        ),
        ('- {at: "2026-03-07', '- {at: "2026-03-05', "12:9 AM106 this is expected before the case opens"),
        ("id: HD-1", "id: HD-1\n    id: HD-2", "6:5 AM004 the key `id` stands twice in this map"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(path: Path, old: str, new: str, finding: str) -> None:
    assert old in HEAD + CASE
    (found,) = [line for line in findings(path, (HEAD + CASE).replace(old, new)) if finding in line]
    assert found


def test_an_unreadable_instant_is_told_once(path: Path) -> None:
    text = (HEAD + CASE).replace('"2026-03-06T20:00:00-05:00"', '"2026-03-32T20:00:00-05:00"')
    assert len(findings(path, text)) == 1


def test_two_cases_with_one_id_are_found(path: Path) -> None:
    assert findings(path, HEAD + CASE + CASE) == ["20:9 AM105 two cases have the id `HD-1`"]


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    file, (found,) = read_scenarios(tmp_path / "none.yaml")
    assert (file, found.code) == (None, "AM001")


def test_text_that_is_not_yaml_is_a_finding(path: Path) -> None:
    assert findings(path, "cases: [")[0].split()[1].startswith("AM")


def test_scenarios_are_found_beside_the_policies_of_a_folder(tmp_path: Path) -> None:
    wanted = {"desk.scenarios.yaml", "eu/scenarios/a.yaml", "eu/scenarios/deep/b.yaml"}
    for name in (*wanted, "desk.yaml", "eu/desk.yaml", "eu/scenarios/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# a file\ncases: []\n", encoding="utf-8")
    assert {path.relative_to(tmp_path).as_posix() for path in find_scenarios(tmp_path)} == wanted


def test_a_folder_of_scenarios_may_be_named_itself(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "a.yaml").write_text("cases: []\n", encoding="utf-8")
    assert find_scenarios(tmp_path / "scenarios") == (tmp_path / "scenarios" / "a.yaml",)


def test_a_policy_takes_the_scenarios_of_its_name(tmp_path: Path) -> None:
    for name in ("desk.yaml", "desk.scenarios.yaml", "other.scenarios.yaml"):
        (tmp_path / name).write_text("cases: []\n", encoding="utf-8")
    assert find_scenarios(tmp_path / "desk.yaml") == (tmp_path / "desk.scenarios.yaml",)
    (tmp_path / "desk.scenarios.yaml").unlink()
    assert find_scenarios(tmp_path / "desk.yaml") == ()


@pytest.mark.parametrize(
    "text", ["amends: 1\n", "holidays: [2026-01-01]\n", "  cases: []\n", "# cases: []\n", "encases: 1"]
)
def test_a_file_without_cases_at_its_top_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.scenarios.yaml").write_text(text, encoding="utf-8")
    assert find_scenarios(tmp_path) == ()


BY_ITSELF = '  - {id: HD-2, name: by itself, opened_at: "2026-03-05T20:00:00Z", expect: [{at: "2026-03-06T20:00:00Z", state: idle}]}\n'


def test_a_case_that_says_when_it_opens_needs_no_event(path: Path) -> None:
    case = only(path, HEAD + BY_ITSELF)
    assert case.opens_at == datetime(2026, 3, 5, 20, 0, tzinfo=UTC)
    assert case.events == ()


def test_a_case_may_open_before_its_first_event_and_not_after(path: Path) -> None:
    opens = "    opened_at: {}\n    events:"
    earlier = CASE.replace("    events:", opens.format('"2026-03-01T00:00:00Z"'))
    assert only(path, HEAD + earlier).opens_at == datetime(2026, 3, 1, tzinfo=UTC)
    later = CASE.replace("    events:", opens.format('"2026-03-06T01:00:01Z"'))
    assert findings(path, HEAD + later) == [
        "10:9 AM106 this event is earlier than the case opens",
        "14:9 AM106 this is expected before the case opens",
    ]


def test_a_case_needs_an_event_or_an_instant_at_which_it_opens(path: Path) -> None:
    (finding,) = findings(path, HEAD + "  - {id: HD-3, name: never}\n")
    assert finding == "5:6 AM103 item 1 of `cases` needs `events` or `opened_at`"


def test_expected_effects_stand_as_they_are_written(path: Path) -> None:
    expected = CASE.replace("amount:", 'effects: [{notify: {to: a}}, {payout: {amount: "1.00"}}], amount:')
    wanted = {item.key: item.value for item in only(path, HEAD + expected).expect[-1].wanted}
    assert wanted["effects"] == [{"notify": {"to": "a"}}, {"payout": {"amount": "1.00"}}]


def test_amounts_may_be_named_by_payout(path: Path) -> None:
    named = CASE.replace('amount: "12.5"', 'amount: {refund: "12.5", fine: "0"}')
    wanted = {item.key: item.value for item in only(path, HEAD + named).expect[-1].wanted}
    assert wanted["amount"] == {"refund": Money(Fraction(25, 2), ""), "fine": Money(Fraction(0), "")}
    (finding,) = findings(path, HEAD + CASE.replace('amount: "12.5"', "amount: {}"))
    assert "AM102" in finding
