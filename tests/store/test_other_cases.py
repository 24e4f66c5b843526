"""What cases ask about one another is the same on every store, and what they share is never exceeded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from amends.engine.library import Library
from amends.engine.money import Money
from amends.engine.sent import Sending

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def library() -> Library:
    """Return two policies that share a balance."""
    loaded = Library.load(Path(__file__).with_name("others"))
    assert [item for item in loaded.diagnostics if item.severity == "error"] == []
    return loaded


def opened(engine: Any, name: str, *, at: datetime = NOON, **facts: Any) -> None:
    engine.open("shop", {"owner": "ann", "order": "o", **facts}, at=at, case_id=name)


def seen(engine: Any, name: str, at: datetime = NOON) -> dict[str, Any]:
    refusal = engine.send(name, "look", by="user", at=at).refusal
    return {key: value for key, value in refusal.values.items() if key != "event"}


def ask(engine: Any, name: str, amount: str) -> Any:
    payout = engine.send(name, "ask", {"amount": amount}, by="user", at=NOON).case.payouts["refund"]
    return payout.granted.amount


def test_cases_count_and_sum_what_others_did(engine: Any) -> None:
    for name in "abcd":
        opened(engine, name)
    opened(engine, "e", owner="bob")
    opened(engine, "f", count=2)
    assert seen(engine, "a")["done_60d"] == 0
    assert seen(engine, "a")["opened_60d"] == 3
    ask(engine, "b", "20")
    ask(engine, "c", "5")
    engine.send("b", "refund.settled", by="host", at=NOON)
    engine.open("disputes", {"owner": "ann", "order": "p", "lost": "7"}, at=NOON, case_id="x")
    found = seen(engine, "a")
    assert (found["done_60d"], found["disputes"], found["paid"]) == (2, 1, Money(Fraction(20), "USD"))
    assert found["order_money.left"] == Money(Fraction(75), "USD")
    assert seen(engine, "e")["done_60d"] == 0
    assert seen(engine, "a", NOON + 61 * DAY)["done_60d"] == 0
    assert [engine.verify(name).decided for name in "ae"] == [5, 2]


def test_a_case_is_found_by_what_its_facts_are_now(engine: Any) -> None:
    opened(engine, "a")
    opened(engine, "b")
    engine.send("b", "rename", {"owner": "bob"}, by="user", at=NOON)
    assert seen(engine, "a")["opened_60d"] == 0
    engine.send("b", "rename", {"owner": "ann"}, by="user", at=NOON)
    assert seen(engine, "a")["opened_60d"] == 1


def test_events_of_one_batch_see_one_another(engine: Any) -> None:
    for name in "abc":
        opened(engine, name)
    sent = engine.send_many(
        Sending(case_id=name, event="ask", data={"amount": "60"}, by="user", at=NOON) for name in "abc"
    )
    assert [one.case.payouts["refund"].granted.amount for one in sent] == [60, 40, 0]


def test_a_preview_asks_and_takes_nothing(engine: Any) -> None:
    for name in "ab":
        opened(engine, name)
    would = engine.preview("a", "ask", {"amount": "60"}, by="user", at=NOON)
    assert would.case.payouts["refund"].granted.amount == 60
    assert seen(engine, "b")["order_money.left"] == Money(Fraction(100), "USD")


def test_what_came_back_may_be_taken_by_others(engine: Any) -> None:
    for name in "ab":
        opened(engine, name)
    assert ask(engine, "a", "100") == 100
    engine.send("a", "refund.settled", by="host", at=NOON)
    engine.send("a", "refund.reversed", by="host", at=NOON)
    assert ask(engine, "b", "100") == 100


def test_the_host_answers_what_it_knows_and_is_asked_once(
    make: Callable[..., Any], library: Library, face: str
) -> None:
    asked = []

    def risk(query: Any) -> str:
        asked.append(query.same[0].value)
        return "high"

    async def slow_risk(query: Any) -> str:
        return risk(query)

    engine = make(library, lookups={"risk": risk if face == "threads" else slow_risk})
    opened(engine, "a")
    assert engine.send("a", "ask", {"amount": "1"}, by="user", at=NOON).state == "gone"
    assert asked == ["ann"]
    assert engine.verify("a").decided == 2
    assert asked == ["ann"]


def test_payouts_that_arrive_together_never_exceed_the_balance(
    make: Callable[..., Any], library: Library
) -> None:
    engines = [make(library) for _ in range(2)]
    names = [f"{index}" for index in range(8)]
    for name in names:
        opened(engines[0], name)
    problems: list[Exception] = []

    def work(engine: Any, mine: list[str]) -> None:
        try:
            for name in mine:
                ask(engine, name, "30")
        except Exception as error:  # noqa: BLE001 - the test says which
            problems.append(error)

    threads = [threading.Thread(target=work, args=(engines[part % 2], names[part::4])) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    granted = sorted(engines[0].case(name).payouts["refund"].granted.amount for name in names)
    assert granted == [0, 0, 0, 0, 10, 30, 30, 30]
