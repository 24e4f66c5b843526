"""What operators are told by log records: each thing that wants a look, once, with fields, and without facts."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.engine.async_engine import AsyncEngine
from amends.engine.durable.delivery import Retries
from amends.engine.durable.session import Limits
from amends.engine.durable.trying import TRIES
from amends.engine.engine import Engine
from amends.engine.errors import Conflict
from amends.engine.library import Library
from amends.engine.store.memory import MemoryStore
from amends.engine.store.protocol import LostRace

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN, CONTACT = "DE02120300000000202051", "me@example.org"

Record = tuple[str, str, dict[str, Any]]


def records(caplog: pytest.LogCaptureFixture) -> list[Record]:
    """Return what was logged since the last time: logger, level and our fields; and hold that nothing else has a fact."""
    found = [
        (
            record.name,
            record.levelname,
            {name: value for name, value in vars(record).items() if name.startswith("amends_")},
        )
        for record in caplog.records
        if record.name.startswith("amends")
    ]
    for record in caplog.records:
        whole = logging.Formatter("%(message)s").format(record) + str(vars(record))
        assert not any(text in whole for text in (IBAN, CONTACT, "77.77"))
        assert record.exc_info is None
    caplog.clear()
    return found


@pytest.fixture
def closed(engine: Any) -> Any:
    """Return an engine with a case that asks for a payout and a letter."""
    engine.open("loan", {"account": IBAN, "fee": "77.77"}, at=NOON, case_id="a")
    engine.send("a", "return_late", {"days": 1, "contact": CONTACT}, by="reader:1", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)
    return engine


def test_a_handler_that_raises_is_told_with_its_place_and_then_given_up(
    make: Callable[..., Any], library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make(library, retries=Retries(attempts=2), chance=lambda: 1.0)
    engine.open("loan", {"account": IBAN, "fee": "77.77"}, at=NOON, case_id="a")
    engine.send("a", "return_late", {"days": 1, "contact": CONTACT}, by="reader:1", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)

    def refuse(account: str) -> None:
        raise ConnectionError(account)

    engine.effect("payout")(lambda delivery: refuse(delivery.effect.data["details"]["account"]))
    engine.deliver(NOON)
    engine.deliver(NOON + HOUR)
    first, second = records(caplog)
    of = {"amends_delivery": "a/deposit/all/1", "amends_case": "a", "amends_effect": "payout"}
    assert first[:2] == ("amends.outbox", "WARNING")
    frames = first[2].pop("amends_frames")
    assert first[2] == {
        **of,
        "amends_attempt": 1,
        "amends_error": "ConnectionError",
        "amends_again": "2026-03-02T12:00:10+00:00",
    }
    assert frames[-1].startswith("test_notices.py:")
    assert frames[-1].endswith(" in refuse")
    assert second[:2] == ("amends.outbox", "ERROR")
    assert second[2].pop("amends_frames") == frames
    assert second[2] == {**of, "amends_attempt": 2, "amends_error": "ConnectionError"}


def test_what_a_handler_raised_is_kept_beside_the_delivery_but_for_what_is_sensitive(closed: Any) -> None:
    said = ["card declined", f"no account {IBAN}", ""]

    def fail(_: Any) -> None:
        raise OSError(said.pop(0))

    closed.effect("payout")(fail)
    errors = [closed.deliver(NOON + hours * HOUR)[0].error for hours in range(3)]
    assert errors[0] == "OSError: card declined"
    assert errors[1].startswith("OSError at test_notices.py:")
    assert errors[1].endswith("; what it says holds a sensitive value, and is left out")
    assert errors[2] == "OSError: "


def test_timers_that_fire_late_are_told_together_by_the_latest(
    engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abc":
        engine.open("loan", {}, at=NOON, case_id=name)
    due = engine.case("a").timers[0].fires_at
    engine.run_due(due + timedelta(minutes=5))
    assert records(caplog) == []
    engine.run_due(due + DAY + timedelta(minutes=5, seconds=2))
    ((logger, level, fields),) = records(caplog)
    assert (logger, level, fields["amends_timers"]) == ("amends.timers", "WARNING", 3)
    assert fields["amends_lateness"] == 301
    assert fields["amends_case"] in {"a", "b", "c"}


def test_timers_that_nobody_fired_are_told_when_an_event_does(
    engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.preview("a", "accept", by="desk", at=NOON + 9 * DAY)
    engine.allowed("a", NOON + 9 * DAY)
    assert records(caplog) == []
    engine.send("a", "accept", by="desk", at=NOON + 9 * DAY)
    ((logger, level, fields),) = records(caplog)
    assert (logger, level, fields["amends_timers"], fields["amends_case"]) == (
        "amends.timers",
        "WARNING",
        3,
        "a",
    )


def test_a_host_says_what_is_late(
    make: Callable[..., Any], library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make(library, limits=Limits(late=30 * DAY))
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.run_due(NOON + 9 * DAY)
    assert records(caplog) == []


def test_a_case_that_is_parked_is_told(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    Engine(library, store).open("loan", {"fee": "77.77"}, at=NOON, case_id="a")
    store.transact(lambda transaction: transaction.bundles.clear())  # type: ignore[attr-defined]
    Engine(Library(), store).run_due(NOON + 9 * DAY)
    ((logger, level, fields),) = records(caplog)
    assert (logger, level, fields["amends_case"], fields["amends_error"]) == (
        "amends.timers",
        "ERROR",
        "a",
        "UnknownPolicy",
    )
    assert fields["amends_frames"][-1].startswith("session.py:")


class Poisoned(MemoryStore):
    """A store in which a case cannot be read, and whose failure quotes it."""

    def transact(self, work: Callable[[Any], Any], *, reads: bool = False) -> Any:
        def poisoned(transaction: Any) -> Any:
            def fail(_: Any) -> None:
                raise ValueError(IBAN)

            transaction.cases = fail
            return work(transaction)

        return super().transact(poisoned if not reads else work, reads=reads)


def test_what_an_exception_of_anothers_says_is_not_written_down_with_a_parked_case(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    Engine(library, store).open("loan", {}, at=NOON, case_id="a")
    store.__class__ = Poisoned
    engine = Engine(library, store)
    engine.run_due(NOON + 9 * DAY)
    ((_, _, fields),) = records(caplog)
    assert fields["amends_error"] == "ValueError"
    (summary,) = engine.cases(stuck=True).cases
    assert summary.parked is not None
    assert summary.parked.startswith("ValueError at test_notices.py:")


class Losing(MemoryStore):
    """A store in which others are always faster."""

    def transact(self, work: Callable[[Any], Any], *, reads: bool = False) -> Any:  # noqa: ARG002 - it does nothing
        raise LostRace


def test_a_call_that_lost_every_race_is_told_once(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Conflict):
        Engine(library, Losing()).open("loan", {}, at=NOON)
    assert records(caplog) == [("amends.engine", "WARNING", {"amends_tries": TRIES})]
    with pytest.raises(Conflict):
        asyncio.run(AsyncEngine(library, Losing()).open("loan", {}, at=NOON))
    assert records(caplog) == [("amends.engine", "WARNING", {"amends_tries": TRIES})]


PROGRAM = """
from datetime import UTC, datetime, timedelta
from amends import Engine, Library
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
engine = Engine(Library.load("tests/store/policies.yaml"))
engine.open("loan", {}, at=noon)
print(len(engine.run_due(noon + timedelta(days=9))))
"""


def test_a_host_that_sets_no_logging_up_is_told_nothing(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("3\n", "")
