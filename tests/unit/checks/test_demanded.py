"""Conditions may be unknown, values may not: what a policy may do with what may be missing, place by place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amends.engine.diagnostics import Diagnostic
from amends.engine.library import Library

POLICY = """\
amends: 1
policy: small
version: 1
currency: EUR
roles: [reader, desk]
facts:
  price: money
  paid: optional money
  patience: optional period
  trusted: optional bool
  noted: optional text
  copy: {{type: text, default: {default}}}
events:
  ask: {{by: reader, data: {{amount: optional money, total: money}}}}
  answer: {{by: desk}}
  note: {{by: desk}}
effects:
  tell: {{what: text}}
payouts:
  credit: {{amount: {amount}, at_most: {at_most}, routes: [{{via: account}}]}}
tables:
  worth: {{outputs: {output}, rules: [{{when: price > 0, then: {then}}}], otherwise: {otherwise}}}
moments:
  later: 3 days after answer.at
states:
  new:
    initial: true
    on: {{ask: {ask}, note: {{set: {{noted: '"x"'}}}}, answer: {{}}}}
  asked:
    enter: {enter}
    sla: {{reply: {{due: 2 days, pause_while: {pause_while}, breach: {{to: done}}}}, late: {{due: =later, breach: {{to: done}}}}}}
    on: {{answer: {{to: done, do: [{{pay: credit}}]}}}}
  done: {{final: true, on: {{note: {{when: 'worth == {compared} && has(noted) && has(paid) && has(patience) && has(trusted)'}}}}}}
"""
PARTS = {
    "default": '""',
    "amount": "price",
    "at_most": "price",
    "output": "money",
    "then": "=price",
    "otherwise": "=price",
    "compared": "price",
    "ask": "asked",
    "enter": "[{tell: {what: =copy}}]",
    "pause_while": "trusted",
}


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """Return what finds the errors of the policy with some parts of it written otherwise."""

    def find(**parts: str) -> list[tuple[str, str]]:
        text = POLICY.format(**{**PARTS, **parts})
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return [marked(item, text) for item in Library.load(path).diagnostics if item.severity == "error"]

    return find


def marked(item: Diagnostic, text: str) -> tuple[str, str]:
    """Return a code, and the text that it stands at."""
    line = text.splitlines()[item.place.line - 1]
    return item.code, line[item.place.column - 1 : item.place.end_column - 1]


def test_the_policy_that_is_written_otherwise_is_right(found: Callable[..., list[tuple[str, str]]]) -> None:
    assert found() == []


@pytest.mark.parametrize(
    "parts",
    [
        {"ask": "{when: trusted, to: asked}"},
        {"ask": "{all: [trusted, paid > price], to: asked}"},
        {"ask": "{any: [trusted, {unless: paid > price}], to: asked}"},
        {"ask": "{when: price > 0, unless: trusted, to: asked}"},
        {"pause_while": "paid > price"},
    ],
    ids=["when", "all", "any", "unless", "pause_while"],
)
def test_a_condition_may_use_what_may_be_missing_unguarded(
    parts: dict[str, str], found: Callable[..., list[tuple[str, str]]]
) -> None:
    assert found(**parts) == []


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        ({"amount": "paid"}, "paid"),
        ({"at_most": "paid"}, "paid"),
        ({"then": "=paid", "amount": "worth"}, "worth"),
        ({"otherwise": "=paid", "amount": "worth"}, "worth"),
        ({"default": "=noted"}, "noted"),
        ({"ask": "{to: asked, set: {copy: noted}}"}, "noted"),
        ({"enter": "[{tell: {what: =noted}}]"}, "noted"),
        ({"ask": "{to: asked, decision: =noted}"}, "noted"),
    ],
    ids=["amount", "at_most", "table output", "otherwise", "default", "set", "effect", "decision"],
)
def test_an_unguarded_optional_where_a_value_is_demanded_is_a_check_error(
    parts: dict[str, str], at: str, found: Callable[..., list[tuple[str, str]]]
) -> None:
    assert set(found(**parts)) == {("AM204", at)}


def test_a_kept_event_is_optional_where_a_value_is_demanded(
    found: Callable[..., list[tuple[str, str]]],
) -> None:
    assert found(enter="[{tell: {what: =answer.by}}]") == [("AM204", "answer")]


@pytest.mark.parametrize("amount", ["'has(paid) ? paid : price'", "'has(ask.amount) ? ask.amount : price'"])
def test_has_guards_a_value(amount: str, found: Callable[..., list[tuple[str, str]]]) -> None:
    assert found(amount=amount) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"enter": "[{tell: {what: =ask.by}}]"},
        {"enter": "[{tell: {what: =noted}}]", "ask": "{when: has(noted), to: asked}"},
        {"enter": "[{tell: {what: =noted}}]", "ask": "{to: asked, set: {noted: copy}}"},
    ],
    ids=["an event taken", "a guard", "a set"],
)
def test_what_every_way_into_the_state_ensures_guards_a_value(
    parts: dict[str, str], found: Callable[..., list[tuple[str, str]]]
) -> None:
    assert found(**parts) == []


def test_what_only_one_of_two_ways_into_the_state_ensures_does_not_guard_a_value(
    found: Callable[..., list[tuple[str, str]]],
) -> None:
    ways = "[{when: 'price > money(\"5 EUR\")', to: asked, set: {noted: copy}}, asked]"
    assert found(enter="[{tell: {what: =noted}}]", ask=ways) == [("AM204", "noted")]


def test_a_moment_may_be_unknown_where_it_is_due_and_in_a_table(
    found: Callable[..., list[tuple[str, str]]],
) -> None:
    moment = {"output": "moment", "then": "3 days after answer.at", "otherwise": "=later", "compared": "now"}
    assert found(**moment) == []


OUTPUTS = """\
amends: 1
policy: outputs
version: 1
currency: EUR
roles: [reader]
facts: {{price: money, paid: optional money, trusted: optional bool}}
events: {{ask: {{by: reader}}, again: {{by: reader}}}}
tables:
  verdict:
    outputs: {{kind: text, owed: money, by: moment}}
    rules: [{{when: trusted, then: {{kind: whole, owed: =paid, by: 3 days after ask.at}}}}]
    otherwise: {{kind: half, owed: =price * 0.5, by: 5 days after ask.at}}
states:
  new:
    initial: true
    on:
      ask: {ask}
      again: {{to: done, decision: =verdict.kind}}
  done: {{final: true}}
"""


@pytest.mark.parametrize(
    ("ask", "misses"),
    [
        ("{to: done, decision: =verdict.kind}", ["trusted"]),
        ("{to: done, decision: =verdict.owed}", ["paid", "trusted"]),
        ("{to: done, decision: =verdict}", ["paid", "trusted"]),
        ('{when: verdict.kind == "half", to: done, decision: =verdict.kind}', []),
        ("{when: has(trusted), to: done, decision: =verdict.kind}", []),
        # Which rule hits is known then, and what another output gives is not.
        ('{when: verdict.kind == "whole", to: done, decision: =verdict.owed}', ["paid"]),
        ('{when: verdict.kind == "whole" && has(paid), to: done, decision: =verdict.owed}', []),
        ("{when: verdict.owed > 0, to: done, decision: =verdict.owed}", []),
        ("{when: verdict.owed > 0, to: done, decision: =verdict.kind}", []),
        ("{when: has(verdict.owed), to: done, decision: =verdict}", []),
    ],
)
def test_an_output_of_a_table_misses_what_it_reads_and_not_what_another_does(
    ask: str, misses: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "outputs.yaml"
    path.write_text(OUTPUTS.format(ask=ask), encoding="utf-8")
    found = Library.load(path).diagnostics
    at_ask = [item for item in found if item.place.line == 17]
    assert sorted(item.message.split("`")[1] for item in at_ask) == misses
    assert {item.code for item in found} == {"AM204"}
