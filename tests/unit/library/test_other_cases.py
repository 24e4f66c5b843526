"""An engine answers what its policies ask about other cases, and hands on what only the host knows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.step import Query

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = """
amends: 1
policy: shop
version: v1
currency: USD
roles: [user]
facts: {owner: text, order: text, total: {type: money, default: 100}}
lookups:
  done_60d: {count: cases, same: owner, in: done, within: exactly 60 days}
  disputes: {count: cases, same: owner, policy: disputes}
  paid: {sum: refund.paid, same: owner, within: calendar year}
  risk: {type: [low, high], of: owner}
balances: {order_money: {of: order, limit: total}}
reasons: {no: "{done_60d}, {disputes}, {paid}"}
events: {ask: {by: user, data: {amount: money}}, look: {by: user}}
payouts: {refund: {amount: ask.amount, balance: order_money, routes: [{via: card}]}}
states:
  open:
    initial: true
    on:
      look: {refuse: no}
      ask: [{when: 'risk == "high"', unknown: {to: done}, to: gone}, {to: done}]
    sla: {end: {due: 900 days, breach: {to: gone}}}
  done: {final: true, enter: [{pay: refund}]}
  gone: {final: true}
"""
DISPUTES = """
amends: 1
policy: disputes
version: v1
facts: {owner: text, order: text, lost: money}
balances: {order_money: {of: order, limit: lost}}
payouts: {loss: {amount: lost, balance: order_money, routes: [{via: bank}]}}
states: {open: {initial: true, enter: [{pay: loss}], always: {to: over}}, over: {final: true}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "disputes.yaml").write_text(
        DISPUTES.replace("facts", "currency: USD\nfacts", 1), encoding="utf-8"
    )
    library = Library.load(tmp_path)
    assert [item for item in library.diagnostics if item.severity == "error"] == []
    return library


@pytest.fixture
def engine(library: Library) -> Engine:
    return Engine(library)


def opened(engine: Engine, at: datetime = NOON, **facts: Any) -> str:
    return engine.open("shop", {"owner": "ann", "order": "o-1", **facts}, at=at).id


def look(engine: Engine, at: datetime, **facts: Any) -> dict[str, str]:
    """Return what a new case is told of the others."""
    sent = engine.send(opened(engine, at, **facts), "look", by="user", at=at)
    assert sent.refusal is not None
    return {name: str(value) for name, value in sent.refusal.values.items()}


def test_cases_of_the_last_60_days_count_to_the_second(engine: Engine) -> None:
    engine.send(opened(engine), "ask", {"amount": "10"}, by="user", at=NOON + timedelta(days=1))
    last = NOON + timedelta(days=61)
    assert look(engine, last)["done_60d"] == "1"
    assert look(engine, last + timedelta(seconds=1))["done_60d"] == "0"
    assert look(engine, last, owner="bob")["done_60d"] == "0"


def test_money_counts_in_the_year_in_which_it_was_settled(engine: Engine) -> None:
    december = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    case = opened(engine, december)
    engine.send(case, "ask", {"amount": "10"}, by="user", at=december)
    assert look(engine, december)["paid"] == "0.00 USD"
    engine.send(case, "refund.settled", by="host", at=december + timedelta(seconds=1))
    assert look(engine, december + timedelta(seconds=1))["paid"] == "10.00 USD"
    engine.send(case, "refund.reversed", by="host", at=december + timedelta(days=3))
    assert look(engine, december + timedelta(days=4))["paid"] == "0.00 USD"


def test_a_balance_is_shared_with_cases_of_another_policy(engine: Engine) -> None:
    engine.open("disputes", {"owner": "ann", "order": "o-1", "lost": "70"}, at=NOON)
    assert look(engine, NOON)["disputes"] == "1"
    case = opened(engine)
    engine.send(case, "ask", {"amount": "50"}, by="user", at=NOON)
    assert str(engine.case(case).payouts["refund"].granted) == "30.00 USD"


def test_the_host_is_asked_for_what_only_it_knows(library: Library) -> None:
    asked: list[Query] = []

    def risk(query: Query) -> str | None:
        asked.append(query)
        return {"ann": "high"}.get(query.same[0].value)

    engine = Engine(library, lookups={"risk": risk})
    case = opened(engine)
    assert engine.send(case, "ask", {"amount": "5"}, by="user", at=NOON).state == "gone"
    assert [(query.kind, query.until) for query in asked] == [("host", NOON)]
    other = opened(engine, owner="bob")
    assert engine.send(other, "ask", {"amount": "5"}, by="user", at=NOON).state == "done"
    step = engine.journal(other)[-1]
    assert (step.answers[0].query.name, step.answers[0].value) == ("risk", None)


def test_threads_that_ask_at_once_never_exceed_a_balance(engine: Engine) -> None:
    cases = [opened(engine) for _ in range(12)]
    threads = [
        threading.Thread(
            target=engine.send, args=(case, "ask", {"amount": "15"}), kwargs={"by": "user", "at": NOON}
        )
        for case in cases
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    granted = sorted(engine.case(case).payouts["refund"].granted.amount for case in cases)
    assert granted == [Fraction(0)] * 5 + [Fraction(10)] + [Fraction(15)] * 6
