"""A handler may hang, fail, or succeed and lose its answer: the bank pays once, and the journal has one result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from amends.engine.durable.delivery import Retries, Settled
from amends.engine.engine import Engine
from amends.engine.errors import Conflict
from amends.engine.library import Library
from amends.engine.store.protocol import Result, Work
from tests.faults.story import HOUR, IBAN, NOON, Bank, prove

LEASE = timedelta(minutes=5)
KEY = "a/share/all/1"


@pytest.fixture
def engines(url: str, policies: Library) -> Iterator[Callable[..., Engine]]:
    """Return what makes engines on one database, where a payout has been asked for."""
    made: list[Engine] = []

    def engine_with(pay: Callable[[Any], Any]) -> Engine:
        engine = Engine(policies, url, retries=Retries(attempts=3), chance=lambda: 1.0)
        engine.effect("payout")(pay)
        made.append(engine)
        return engine

    with Engine(policies, url) as engine:
        engine.open("pot", {"account": IBAN, "pot": "a"}, at=NOON, case_id="a")
        engine.send("a", "draw", {"amount": "10.00"}, by="member", at=NOON)
    yield engine_with
    for engine in made:
        engine.close()


def results(engine: Engine) -> list[Any]:
    """Return the references of the results in the journal."""
    return [
        step.input.data["reference"]  # type: ignore[union-attr] # it is an event
        for step in engine.journal("a")
        if getattr(step.input, "name", "") == "share.settled"
    ]


def test_one_that_hangs_is_left_behind_and_what_it_says_in_the_end_changes_nothing(
    url: str, engines: Callable[..., Engine], bank: Bank, policies: Library
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(delivery: Any) -> Settled:
        bank.pay(delivery)
        hangs.set()
        assert goes_on.wait(60)
        return Settled(reference="late")

    slow, quick = engines(hang), engines(bank.pay)
    thread = threading.Thread(target=lambda: slow.deliver(NOON))
    thread.start()
    assert hangs.wait(60)
    # It is outside of any transaction, so nobody waits for it but its own delivery.
    assert quick.send("a", "note", {"text": "x"}, by="member", at=NOON).step.verdict == "applied"
    assert quick.deliver(NOON + LEASE - timedelta(seconds=1)) == ()
    (done,) = quick.deliver(NOON + LEASE)
    assert (done.key, done.attempts, done.state) == (KEY, 2, "done")
    goes_on.set()
    thread.join()
    assert results(quick) == [f"bank:{KEY}"]
    assert (len(bank.calls()), [*bank.paid()]) == (2, [KEY])
    assert prove(url, policies).effects == {KEY: "done"}


def test_one_that_fails_is_called_again_and_given_up_and_an_operator_has_it_called_anew(
    url: str, engines: Callable[..., Engine], bank: Bank, policies: Library
) -> None:
    fails = [True] * 3

    def pay(delivery: Any) -> Settled:
        if fails:
            fails.pop()
            raise ConnectionError("no route")
        return bank.pay(delivery)

    engine = engines(pay)
    assert [one.state for hours in range(4) for one in engine.deliver(NOON + hours * HOUR)] == [
        "waiting",
        "waiting",
        "dead",
    ]
    assert prove(url, policies).effects == {KEY: "dead"}
    engine.resolve(KEY, "again", at=NOON + 4 * HOUR)
    (done,) = engine.deliver(NOON + 4 * HOUR)
    assert (done.state, done.attempts) == ("done", 1)
    assert results(engine) == [f"bank:{KEY}"]
    assert prove(url, policies).effects == {KEY: "done"}


class Loses:
    """A store whose connection goes when a certain transaction is about to begin.

    Args:
        store: that does the work.
        lost: the number of the transaction.
    """

    def __init__(self, store: Any, lost: int) -> None:
        self.store = store
        self.left = lost

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do the work, or lose it."""
        self.left -= 1
        if self.left == 0:
            raise Conflict
        result: Result = self.store.transact(work, reads=reads)
        return result


def test_one_that_pays_and_cannot_say_so_pays_again_with_the_same_key(
    url: str, engines: Callable[..., Engine], bank: Bank, policies: Library
) -> None:
    unlucky, other = engines(bank.pay), engines(bank.pay)
    # The first takes the delivery in hand, the second would note the result.
    unlucky.store = Loses(unlucky.store, 2)  # type: ignore[assignment] # it is not closed by us
    with pytest.raises(Conflict):
        unlucky.deliver(NOON)
    unlucky.store = unlucky.store.store  # type: ignore[attr-defined]
    assert (results(other), len(bank.calls())) == ([], 1)
    assert other.deliver(NOON) == ()
    (done,) = other.deliver(NOON + LEASE)
    assert (done.state, done.attempts) == ("done", 2)
    assert results(other) == [f"bank:{KEY}"]
    assert (len(bank.calls()), [*bank.paid()]) == (2, [KEY])
    assert prove(url, policies).effects == {KEY: "done"}
