"""A rule that fails on a sensitive value does not repeat it: not in reasons, traces, marks for people, or exceptions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amends.engine.errors import InvalidValue
from amends.engine.journal import entry_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = """
currency: EUR
roles: [user]
types: {colour: [red, blue], account: {number: text, bank: optional text}}
facts:
  iban: {type: text, sensitive: true}
  born: {type: date, sensitive: true}
  span: {type: period, sensitive: true}
  began: {type: timestamp, sensitive: true}
  counts: {type: map of int, sensitive: true}
  names: {type: list of text, sensitive: true}
  plain: {type: text, default: nothing}
  pin: {type: optional int, sensitive: true}
  colour: {type: optional colour, sensitive: true}
  paid: {type: optional money, sensitive: true}
  home: {type: optional account, sensitive: true}
calendars: {business: DE, named: =iban}
reasons: {told: "It is {int(iban) > 3 ? 'a' : 'b'}."}
define: {number: int(iban), more: number + 1}
tables:
  short: {inputs: [span], outputs: bool, rules: [{id: a, when: ["< 3 days"], then: true}], otherwise: false}
  above: {of: {x: text}, outputs: bool, rules: [{id: a, when: int(x) > 3, then: true}], otherwise: false}
  same: {of: {x: text}, outputs: text, rules: [{id: a, when: x != "", then: =x}], otherwise: none}
moments:
  in_days: 5 business days after born
  in_a_day: {after: began, within: 1 business day, calendar: named}
windows: {days: {opens: in_days}, day: {opens: in_a_day}}
events: {ask: {by: user}, note: {by: user}, start: {by: user}}
states:
  a:
    initial: true
    on: {ask: {when: CONDITION, to: b}, note: {to: b, reason: told}, start: {to: timed}}
  b: {on: {ask: a}}
  timed: {sla: {clock: {due: 1 day, breach: [{when: CONDITION, to: b}, {when: int(iban) > 3, to: b}, {to: a}]}}, on: {ask: b}}
"""
#: No whole number, no date, no pattern, no calendar and no key.
TEXT = "QXZQXZ(("
FACTS = {
    "iban": TEXT,
    "born": "2411-11-11",
    "span": "7 months",
    "began": NOON,
    "counts": {"x": 1},
    "names": [TEXT],
}


@pytest.mark.parametrize(
    "condition",
    [
        "int(iban) > 3",
        "int(iban + plain) > 3",
        "more > 3",
        "'x'.matches(iban)",
        "counts[iban] > 3",
        "date(iban) > born",
        "short",
        "above(iban)",
        "days.is_open",
        "day.is_open",
        "names.exists(x, int(x) > 3)",
        "int(iban) > 3 || plain == 'x'",
    ],
)
def test_nothing_of_it_is_written_or_told(play: Callable[..., Any], condition: str) -> None:
    made = play(POLICY.replace("CONDITION", f'"{condition}"'), FACTS)
    asked = made.send("ask")
    assert asked.reason.code in {"rule_failed", "not_allowed"}
    made.send("start")
    made.wait(NOON + timedelta(days=3))
    assert made.case.needs_human == "a rule failed on a sensitive value"
    for step in made.steps:
        shown = entry_of(step).decode() + str((step.reason, step.trace, step.changes.needs_human))
        assert [text for text in (TEXT, "2411", "7 months") if text in shown] == []


def test_a_sentence_that_fails_on_it_says_only_that(play: Callable[..., Any]) -> None:
    told = play(POLICY.replace("CONDITION", "size(plain) > 3"), FACTS).send("note")
    assert set(told.reason.values.values()) == {"a rule failed on a sensitive value"}


def test_a_rule_that_fails_on_what_is_not_sensitive_says_on_what(play: Callable[..., Any]) -> None:
    step = play(POLICY.replace("CONDITION", "int(plain) > 3"), FACTS).send("ask")
    assert step.reason.values == {"problem": "`nothing` is not a whole number in `int(plain)`"}


def test_what_a_table_makes_of_it_is_not_in_the_trace(play: Callable[..., Any]) -> None:
    step = play(POLICY.replace("CONDITION", "'same(iban) == \"x\"'"), FACTS).send("ask")
    (clause,) = (clause for entry in step.trace for clause in entry.clauses)
    assert clause.saw.keys() == {"iban", "same"}
    assert TEXT.encode() not in entry_of(step)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("iban", [TEXT]),
        ("born", TEXT),
        ("span", TEXT),
        ("began", TEXT),
        ("counts", {TEXT: "x"}),
        ("counts", {"x": TEXT}),
        ("names", TEXT),
        ("pin", TEXT),
        ("colour", TEXT),
        ("paid", TEXT),
        ("paid", f"1 {TEXT}"),
        ("home", {TEXT: "x"}),
        ("home", {"number": {TEXT: "x"}}),
    ],
)
def test_an_opening_with_a_value_of_another_type_names_the_fact_and_not_the_value(
    play: Callable[..., Any], fact: str, value: Any
) -> None:
    with pytest.raises(InvalidValue, match=f"the fact `{fact}` is not of its type") as raised:
        play(POLICY.replace("CONDITION", "size(plain) > 3"), {**FACTS, fact: value})
    assert TEXT not in str(raised.value)
    assert raised.value.hint is None  # type: ignore[attr-defined] # it is a Misfit
