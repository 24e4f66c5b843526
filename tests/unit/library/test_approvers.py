"""Whom a host may ask to approve: those whose approval is lacking, as far as that can be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from amends.engine.engine import Engine
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = """
amends: 1
policy: loans
version: "1"
currency: EUR
roles: [clerk, lead, chief]
facts: {is_late: {type: bool, default: false}, customer: {type: text, default: c}}
lookups: {granted: {sum: credit.granted, same: customer}}
define: {free: money("500 EUR") - granted}
events: {ask: {by: clerk}, credit.approved: {says: {en: agrees, zh: 同意}}}
payouts:
  credit:
    amount: money("600 EUR")
    approvals: [{above: LIMIT, by: lead, count: 2, unless: is_late}, {above: LIMIT, by: chief, when: is_late}]
    routes: [{via: card}]
states:
  open: {initial: true, on: {ask: owed}, sla: {idle: {due: 60 days, breach: {to: closed}}}}
  owed:
    enter: [{pay: credit}]
    on: {credit.settled: closed, credit.failed: closed, credit.declined: closed}
    sla: {late: {due: 3 days, breach: {set: {is_late: true}}}}
  closed: {final: true}
"""


def asked(tmp_path: Path, limit: str) -> Engine:
    (tmp_path / "loans.yaml").write_text(POLICY.replace("LIMIT", limit), encoding="utf-8")
    library = Library.load(tmp_path)
    assert [found for found in library.diagnostics if found.severity == "error"] == []
    engine = Engine(library)
    engine.open("loans", {}, at=NOON, case_id="c")
    engine.send("c", "ask", by="clerk", at=NOON)
    return engine


def offered(engine: Engine, at: datetime) -> dict[str, tuple[str, ...]]:
    return {one.event: one.by for one in engine.allowed("c", at)}


def test_an_approval_is_offered_to_those_of_whom_one_is_lacking(tmp_path: Path) -> None:
    engine = asked(tmp_path, "500 EUR")
    assert offered(engine, NOON) == {"credit.approved": ("lead",), "credit.declined": ("lead",)}
    engine.run_due(NOON + 5 * DAY)
    assert offered(engine, NOON + 5 * DAY) == {"credit.approved": ("chief",), "credit.declined": ("chief",)}


def test_where_it_turns_on_other_cases_it_is_offered_to_all_that_ever_may(tmp_path: Path) -> None:
    engine = asked(tmp_path, "=free")
    assert offered(engine, NOON)["credit.approved"] == ("lead", "chief")


def test_what_a_policy_says_of_an_approval_is_told(tmp_path: Path) -> None:
    approved, _ = asked(tmp_path, "500 EUR").allowed("c", NOON)
    assert approved.says == {"en": "agrees", "zh": "同意"}
