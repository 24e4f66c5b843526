"""A step says which rule of which table it went by, and what that rule is founded on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.library import Library

POLICY = """
amends: 1
policy: parcels
version: 1
currency: EUR
roles: [sender, clerk]
sources:
  tariff: {cite: Tariff of 2026, read: primary}
  custom: {cite: what clerks do, read: recalled}
types: {parcel: {weight: int, fragile: bool}}
facts: {parcels: list of parcel, sent_at: optional timestamp}
params:
  heavy: {is: 20, source: tariff}
events:
  ask: {by: sender, data: {weight: int}}
  close: {by: clerk}
tables:
  answer_time:
    inputs: [ask.weight]
    outputs: period
    source: tariff
    rules:
      - {id: light, when: "<= 5", then: 1 day}
      - {id: normal, when: "<= heavy", then: 3 days, source: custom}
      - {id: heavy, when: "> heavy", then: 5 days}
  fee:
    of: {one: parcel}
    outputs: money
    rules:
      - {id: fragile, when: one.fragile, then: 9, source: [tariff, custom]}
      - {id: plain, when: "true", then: =money("1 EUR") * one.weight}
  marks:
    hit: collect
    inputs: [ask.weight]
    outputs: text
    rules:
      - {id: heavy, when: "> heavy", then: heavy, source: tariff}
      - {id: round, when: "10, 20, 30", then: round, source: custom}
  back_by:
    of: {from_when: timestamp, days: period}
    outputs: moment
    rules: [{id: once, when: "true", then: days after from_when, source: custom}]
define:
  total: parcels.map(p, fee(p)).sum()
states:
  open:
    initial: true
    on:
      ask: {to: asked, set: {sent_at: 'back_by(ask.at, period("2 days"))'}, decision: '=size(marks) > 0 ? marks[0] : "none"'}
  asked:
    sla: {answer: {due: =answer_time, breach: {to: closed}}}
    on:
      close: {when: 'total <= money("100 EUR")', to: closed}
  closed: {final: true}
"""
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path: Path = tmp_path_factory.mktemp("parcels") / "parcels.yaml"
    path.write_text(POLICY, encoding="utf-8")
    library = Library.load(path)
    assert [f"{item.place.line} {item.message}" for item in library.diagnostics] == []
    return library


def asked(library: Library, weight: int) -> Any:
    engine = Engine(library)
    parcels = [{"weight": 4, "fragile": False}, {"weight": 2, "fragile": True}]
    case = engine.open("parcels", {"parcels": parcels}, at=NOON)
    sent = engine.send(case.id, "ask", {"weight": weight}, by="sender", at=NOON)
    return engine, case.id, sent.step


def founded(step: Any) -> dict[str, tuple[str, ...]]:
    return {entry.rule: entry.sources for entry in step.trace if entry.rule.startswith("tables.")}


@pytest.mark.parametrize(
    ("weight", "rule", "sources"),
    [(5, "light", ("tariff",)), (20, "normal", ("custom",)), (21, "heavy", ("tariff",))],
)
def test_a_step_names_the_rule_that_hit_and_its_sources_or_those_of_the_table(
    library: Library, weight: int, rule: str, sources: tuple[str, ...]
) -> None:
    _, _, step = asked(library, weight)
    assert founded(step)[f"tables.answer_time.{rule}"] == sources


def test_a_step_names_all_rules_that_were_collected(library: Library) -> None:
    _, _, step = asked(library, 30)
    assert founded(step)["tables.marks.heavy, round"] == ("tariff", "custom")
    assert step.decision == "heavy"


def test_a_step_names_the_rules_of_a_table_that_was_called_once_each(library: Library) -> None:
    engine, case_id, _ = asked(library, 5)
    step = engine.send(case_id, "close", by="clerk", at=NOON).step
    assert step.verdict == "applied"
    assert founded(step) == {"tables.fee.plain": (), "tables.fee.fragile": ("tariff", "custom")}


def test_a_called_table_may_give_a_moment_counted_from_a_parameter(library: Library) -> None:
    _, _, step = asked(library, 5)
    assert step.changes.facts["sent_at"].isoformat() == "2026-03-07T23:59:59+00:00"
    assert founded(step)["tables.back_by.once"] == ("custom",)
