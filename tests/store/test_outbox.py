"""What the host has to do is asked of its handlers at least once, in order, and what becomes of it comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.engine.cloud_event import cloud_event
from amends.engine.durable.delivery import Failed, Retries, Reversed, Settled
from amends.engine.errors import InvalidValue
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
IBAN = "DE02 1203 0000 0000 2020 51"
DEPOSIT = "a/deposit/all/1"


@pytest.fixture
def engine(make: Callable[..., Any], library: Library) -> Any:
    """Return an engine that pauses as long as it may, with a case that asks for a letter and a deposit."""
    made = make(library, chance=lambda: 1.0, retries=Retries(attempts=3))
    closed(made)
    return made


def closed(engine: Any, case_id: str = "a") -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id=case_id)
    engine.send(case_id, "return_late", {"days": 0}, by="reader", at=NOON)
    assert engine.send(case_id, "accept", by="desk", at=NOON).state == "closed"


def states(engine: Any) -> dict[str, str]:
    return {one.key: one.state for one in engine.deliveries()}


def test_what_is_asked_for_waits_until_there_is_a_handler(engine: Any) -> None:
    assert engine.deliver(NOON) == ()
    assert states(engine) == {"a/2/0": "waiting", DEPOSIT: "waiting"}


def test_a_handler_gets_the_effect_and_what_it_returns_comes_back_as_the_payouts_event(engine: Any) -> None:
    seen = []

    def never(_: Any) -> None:
        raise AssertionError

    engine.effect("deposit_is_not_a_kind")(never)

    def pay(delivery: Any) -> Settled:
        seen.append(delivery)
        return Settled(reference="bank-1")

    engine.effect("payout")(pay)
    (done,) = engine.deliver(NOON + HOUR)
    assert (done.key, done.state, done.attempts) == (DEPOSIT, "done", 1)
    (delivery,) = seen
    assert delivery.effect.data["details"] == {"account": IBAN}
    assert (delivery.case_id, delivery.seq, delivery.asked_at) == ("a", 2, NOON)
    last = engine.journal("a")[-1]
    assert (last.input.name, last.input.actor) == ("deposit.settled", "host")
    assert last.input.data == {"part": "all", "reference": "bank-1"}
    assert engine.case("a").payouts["deposit"].state == "settled"
    assert engine.deliver(NOON + HOUR) == ()
    assert states(engine) == {"a/2/0": "waiting", DEPOSIT: "done"}


def test_a_payout_that_failed_for_good_is_told_so(engine: Any) -> None:
    engine.effect("payout")(lambda _: Failed(cause="account closed"))
    engine.deliver(NOON)
    assert engine.case("a").payouts["deposit"].state == "failed"
    assert engine.journal("a")[-1].input.data == {"part": "all", "cause": "account closed"}


def test_a_handler_that_says_nothing_has_only_sent_it_on(engine: Any) -> None:
    engine.effect("*")(lambda _: None)
    assert len(engine.deliver(NOON)) == 2
    assert engine.case("a").payouts["deposit"].state == "asked"
    assert set(states(engine).values()) == {"done"}


def test_a_handler_that_fails_is_called_again_later_and_then_given_up(engine: Any) -> None:
    calls = []

    def pay(delivery: Any) -> None:
        calls.append((delivery.key, delivery.attempts))
        raise ConnectionError("no route\0")

    engine.effect("payout")(pay)

    def told(at: datetime) -> list[tuple[str, int]]:
        return [(one.state, one.attempts) for one in engine.deliver(at)]

    assert told(NOON) == [("waiting", 1)]
    assert told(NOON + 9 * SECOND) == []
    assert told(NOON + 10 * SECOND) == [("waiting", 2)]
    assert told(NOON + 29 * SECOND) == []
    assert told(NOON + 30 * SECOND) == [("dead", 3)]
    assert told(NOON + 24 * HOUR) == []
    assert calls == [(DEPOSIT, 1), (DEPOSIT, 2), (DEPOSIT, 3)]
    (dead,) = engine.deliveries("dead")
    assert dead.error == "ConnectionError: no route�"


def test_what_was_given_up_is_delivered_again_when_an_operator_says_so(engine: Any) -> None:
    answers: list[Any] = [OSError(), OSError(), OSError(), None]

    def pay(_: Any) -> None:
        answer = answers.pop(0)
        if answer:
            raise answer

    engine.effect("payout")(pay)
    with pytest.raises(InvalidValue, match="was given up"):
        engine.resolve(DEPOSIT, "again", at=NOON)
    for hours in range(3):
        engine.deliver(NOON + hours * HOUR)
    engine.resolve(DEPOSIT, "again", at=NOON + 4 * HOUR)
    (done,) = engine.deliver(NOON + 4 * HOUR)
    assert (done.state, done.attempts, answers) == ("done", 1, [])


def test_what_was_done_by_other_means_is_not_delivered_again(engine: Any) -> None:
    def pay(_: Any) -> None:
        raise OSError

    engine.effect("payout")(pay)
    for hours in range(3):
        engine.deliver(NOON + hours * HOUR)
    engine.resolve(DEPOSIT, "done", at=NOON + 4 * HOUR)
    assert engine.deliver(NOON + 9 * HOUR) == ()
    assert states(engine)[DEPOSIT] == "done"


@pytest.mark.parametrize("outcome", [Reversed(), True, {"reference": "x"}], ids=repr)
def test_what_is_no_result_of_the_effect_is_a_failure_of_the_handler(engine: Any, outcome: Any) -> None:
    engine.effect("payout")(lambda _: outcome)
    (done,) = engine.deliver(NOON)
    assert done.state == "waiting"
    assert "which is no result of it" in done.error
    assert engine.case("a").payouts["deposit"].state == "asked"


def test_only_payouts_have_results(engine: Any) -> None:
    engine.effect("letter")(lambda _: Settled())
    (done,) = engine.deliver(NOON)
    assert (done.effect.kind, done.state) == ("letter", "waiting")


def test_who_dies_with_a_delivery_in_hand_leaves_it_to_the_next_and_money_is_counted_once(
    engine: Any, make: Callable[..., Any], library: Library
) -> None:
    class Killed(BaseException):
        pass

    def dies(_: Any) -> None:
        raise Killed

    engine.effect("payout")(dies)
    with pytest.raises(Killed):
        engine.deliver(NOON)
    other = make(library)
    other.effect("payout")(lambda _: Settled(reference="second"))
    assert other.deliver(NOON + timedelta(minutes=5) - SECOND) == ()
    (done,) = other.deliver(NOON + timedelta(minutes=5))
    assert (done.attempts, done.state) == (2, "done")
    assert other.case("a").payouts["deposit"].state == "settled"


def test_an_answer_that_comes_when_another_worker_has_reported_changes_nothing(
    engine: Any, make: Callable[..., Any], library: Library
) -> None:
    other = make(library)
    other.effect("payout")(lambda _: Settled(reference="second"))

    def slow(_: Any) -> Settled:
        other.deliver(NOON + HOUR)
        return Settled(reference="first")

    engine.effect("payout")(slow)
    engine.deliver(NOON)
    assert [step.input.data.get("reference") for step in engine.journal("a")[3:]] == ["second"]
    assert states(engine)[DEPOSIT] == "done"
    assert engine.verify("a").decided == 4


def test_effects_of_one_payout_are_delivered_in_order(engine: Any) -> None:
    seen = []

    def pay(delivery: Any) -> None:
        seen.append(delivery.effect.kind)
        if len(seen) == 1:
            raise OSError

    engine.effect("payout")(pay)
    engine.effect("reversal")(lambda delivery: seen.append(delivery.effect.kind))
    engine.send("a", "take_back", by="desk", at=NOON)
    assert len(engine.deliver(NOON)) == 1
    assert engine.deliver(NOON) == ()
    assert len(engine.deliver(NOON + HOUR)) == 2
    assert seen == ["payout", "payout", "reversal"]


def test_a_reversal_reports_that_the_money_is_back(engine: Any) -> None:
    engine.effect("payout")(lambda _: Settled())
    engine.effect("reversal")(lambda _: Reversed(reference="back-1"))
    engine.send("a", "take_back", by="desk", at=NOON)
    engine.deliver(NOON)
    assert engine.case("a").payouts["deposit"].state == "reversed"


def test_what_was_erased_is_given_up_and_not_delivered(engine: Any) -> None:
    called: list[Any] = []
    engine.effect("payout")(called.append)
    engine.erase("a")
    (done,) = engine.deliver(NOON)
    assert (done.state, called) == ("dead", [])
    assert "was erased" in done.error


def test_no_more_is_delivered_than_asked_for(make: Callable[..., Any], library: Library) -> None:
    engine = make(library)
    for index in range(7):
        closed(engine, f"{index}")
    engine.effect("*")(lambda _: None)
    assert [len(engine.deliver(NOON, limit=limit)) for limit in (5, None)] == [5, 9]
    keys = [one.key for one in engine.deliveries("done", limit=5)]
    assert len(engine.deliveries("done", after=keys[-1])) == 9
    assert {one.case_id for one in engine.deliveries(case_id="3")} == {"3"}


def test_workers_share_the_work_and_none_is_done_twice(make: Callable[..., Any], library: Library) -> None:
    engine = make(library)
    for index in range(12):
        closed(engine, f"{index}")
    seen: list[str] = []
    workers = [make(library) for _ in range(3)]
    for worker in workers:
        worker.effect("*")(lambda delivery: seen.append(delivery.key))
    threads = [threading.Thread(target=worker.deliver, args=(NOON,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(set(seen)) == 24


def test_a_kind_has_one_handler(engine: Any) -> None:
    engine.effect("payout")(lambda _: None)
    with pytest.raises(InvalidValue, match="has a handler already"):
        engine.effect("payout")(lambda _: None)


def test_a_delivery_is_a_cloud_event(engine: Any) -> None:
    deposit = next(one for one in engine.deliveries() if one.effect.kind == "payout")
    event = cloud_event(deposit, source="https://library.example/loans")
    assert json.loads(json.dumps(event)) == event
    assert event == {
        "specversion": "1.0",
        "id": DEPOSIT,
        "source": "https://library.example/loans",
        "type": "amends.payout",
        "subject": "a",
        "time": "2026-03-02T12:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {
            "payout": "deposit",
            "part": "all",
            "amount": "10.00 EUR",
            "via": "bank",
            "details": {"account": {"sensitive": True}},
        },
    }
    whole = cloud_event(deposit, source="https://library.example/loans", reveal=True)
    assert whole["data"] == {**event["data"], "details": {"account": IBAN}}
    # CloudEvents 1.0: required attributes are texts that are not empty; names are lower-case letters and digits.
    assert all(
        isinstance(event[name], str) and event[name] for name in ("id", "source", "specversion", "type")
    )
    assert all(name.isalnum() and name.islower() for name in event)
    assert datetime.fromisoformat(event["time"]).tzinfo is not None


LETTING = """
amends: 1
policy: letting
version: v1
currency: EUR
roles: [guest, host]
events: {cancel: {by: host}}
payouts: {deposit: {amount: 'money("100 EUR")', routes: [{via: card}]}}
states:
  booked: {initial: true, on: {cancel: {to: cancelled, do: [{pay: deposit}]}}}
  cancelled: {on: {deposit.settled: closed}}
  closed: {final: true}
"""


def test_results_are_those_of_the_application_where_a_policy_has_a_host_of_its_own(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "letting.yaml").write_text(LETTING, encoding="utf-8")
    engine = make(Library.load(tmp_path / "letting.yaml"))
    engine.effect("payout")(lambda _: Settled(reference="bank-1"))
    engine.open("letting", {}, at=NOON, case_id="a")
    engine.send("a", "cancel", by="host:4", at=NOON)
    (settled,) = [one for one in engine.allowed("a", NOON) if one.event == "deposit.settled"]
    assert settled.by == ("system",)
    engine.deliver(NOON)
    assert engine.case("a").state == "closed"
    assert engine.journal("a")[-1].input.actor == "system"
