"""What the fault tests have in common: a story of calls, a bank, and the proof that a database holds what its journals make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine as Database
from sqlalchemy import Table, create_engine, select

from amends.engine.case import Case
from amends.engine.durable.delivery import Retries, Settled
from amends.engine.durable.session import Working, saved_of
from amends.engine.engine import Engine
from amends.engine.evolve import evolve
from amends.engine.journal import read_entry
from amends.engine.library import Library
from amends.engine.sent import Sending
from amends.engine.step import Due, Event, Open
from amends.engine.stepping.answers import Tally, tallied
from amends.engine.store import codec
from amends.engine.store.connect import database_url
from amends.engine.store.protocol import Written
from amends.engine.store.tables import cases, event_keys, facts, journal, metadata, openings, outbox, shares
from amends.engine.verify import digests

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN: Final = "DE02 1203 0000 0000 2020 51"
#: All that can be made from the journals, and they themselves.
_TABLES: Final = (cases, event_keys, facts, journal, openings, outbox, shares)
#: What becomes of a delivery; the rest of its row is what the journal says.
_ON_THE_WAY: Final = ("state", "attempts", "next_at", "error")


def library() -> Library:
    """Return the policy that these tests are about."""
    return Library.load(Path(__file__).with_name("policies.yaml"))


# --- a story ------------------------------------------------------------------------------------------------------------


class Bank:
    """A payment provider that is asked with keys, and notes every call in a file that outlives whoever calls.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def pay(self, delivery: Any) -> Settled:
        """Pay, or answer as before."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{delivery.key}\t{delivery.effect.data['amount']}\n")
        return Settled(reference=f"bank:{delivery.key}")

    def calls(self) -> list[str]:
        """Return the calls, each as its key and its amount."""
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []

    def paid(self) -> dict[str, str]:
        """Return what was paid, by key."""
        return dict(call.split("\t") for call in self.calls())


def engine_of(store: Any, bank: Bank, policies: Library, **options: Any) -> Engine:
    """Return an engine whose effects go to a bank, and are delivered again at once where whoever had them died."""
    options.setdefault("retries", Retries(lease=timedelta(0)))
    engine = Engine(policies, store, **options)
    engine.effect("payout")(bank.pay)
    engine.effect("*")(lambda _: None)
    return engine


def story(engine: Engine) -> Iterable[Callable[[], object]]:
    """Return the calls of an application that is started again from the top: all of them, with the same keys.

    In case `c` two people must approve: one does so twice, another once, and a third one comes too late.
    """

    def draw(case_id: str, amount: str, key: str, **options: Any) -> Sending:
        data = {"amount": amount, "note": f"for {key}"}
        return Sending(case_id=case_id, event="draw", data=data, by="member:1", key=key, **options)

    def opened(case_id: str, **facts: Any) -> Case:
        return engine.open(
            "pot",
            {"account": IBAN, "pot": case_id, **facts},
            at=NOON,
            key=f"open-{case_id}",
            case_id=case_id,
            secret=b"s" * 32,
        )

    def approval(by: str, key: str) -> Sending:
        return Sending(case_id="c", event="bonus.approved", by=by, key=key, at=NOON + HOUR)

    yield lambda: opened("a")
    yield lambda: engine.send_many([draw("a", "40.00", "a1", at=NOON + HOUR)])
    yield lambda: opened("b", size="30.00", divisor=0)
    yield lambda: engine.send_many(
        [
            draw("a", "25.50", "a2", at=NOON + HOUR),
            draw("b", "30.00", "b1", at=NOON + HOUR, occurred_at=NOON - 400 * DAY),
            draw("a", "99.00", "a3", at=NOON + HOUR),
        ]
    )
    yield lambda: opened("c")
    yield lambda: engine.send_many(
        [
            Sending(case_id="c", event="ask_bonus", by="member:1", key="c1", at=NOON + HOUR),
            approval("desk:1", "c2"),
            approval("desk:1", "c3"),
        ]
    )
    yield lambda: engine.send_many([approval("desk:2", "c4")])
    yield lambda: engine.send_many([approval("desk:3", "c5")])
    yield lambda: engine.deliver(NOON + 2 * HOUR)
    yield lambda: engine.run_due(NOON + 2 * DAY)
    late = NOON + 2 * DAY + 12 * HOUR
    yield lambda: engine.send("a", "finish", by="desk:1", at=late, key="a4")
    yield lambda: engine.deliver(late)
    yield lambda: engine.run_due(NOON + 9 * DAY)
    yield lambda: engine.deliver(NOON + 9 * DAY)
    yield lambda: engine.erase("a")


def tell(engine: Engine) -> None:
    """Do all calls of the story."""
    for call in story(engine):
        call()


# --- the proof ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a database was found to hold."""

    cases: int
    steps: int
    #: The keys of what has to be done, with their states.
    effects: Mapping[str, str]
    #: The rows of tables, as JSON: what became of deliveries and what is encrypted left out.
    rows: bytes


def way_in(url: str) -> Database:
    """Return a way to a database beside the engine."""
    return create_engine(database_url(url))


def rows_of(database: Database, table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table in the order of its key."""
    with database.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]


def empty(url: str) -> None:
    """Delete every row."""
    database = way_in(url)
    with database.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    database.dispose()


def as_json(rows: Any) -> bytes:
    """Return rows as bytes that can be compared."""
    return json.dumps(rows, sort_keys=True, default=repr).encode()


def prove(url: str, policies: Library) -> Proved:
    """Verify every case, make every row anew from the journals alone, and compare them byte for byte.

    Raises:
        AssertionError: something is lost, doubled, or not what the journal makes.
        CorruptJournal: a chain is broken.
    """
    database = way_in(url)
    engine = Engine(policies, url)
    try:
        kept = {table.name: rows_of(database, table) for table in _TABLES}
        for row in kept[cases.name]:
            engine.verify(row["id"])
        made = _made_from(kept[journal.name], engine)
    finally:
        engine.close()
        database.dispose()
    states = {row["key"]: row["state"] for row in kept[outbox.name]}
    kept[outbox.name] = _without(kept[outbox.name], *_ON_THE_WAY)
    kept[cases.name] = _without(kept[cases.name], "parked")
    for row, most in zip(kept[event_keys.name], made[event_keys.name], strict=True):
        # Of the timers that fired before an event, the last so many fired for it; nothing else tells how many.
        assert most["first"] <= row["first"] <= row["seq"]
        most["first"] = row["first"]
    for name, rows in made.items():
        assert as_json(kept[name]) == as_json(rows), name
    return Proved(
        cases=len(kept[cases.name]), steps=len(kept[journal.name]), effects=states, rows=as_json(kept)
    )


def _made_from(entries: list[dict[str, Any]], engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Make the rows of all tables from those of the journal."""
    made: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _TABLES}
    by_case: dict[str, list[bytes]] = {}
    for row in entries:
        by_case.setdefault(row["case_id"], []).append(row["entry"])
    for case_id, its in by_case.items():
        _make(case_id, its, engine, made)
    for table in _TABLES:
        names = [column.name for column in table.primary_key.columns]
        made[table.name].sort(key=lambda row, names=names: [row[name] for name in names])  # type: ignore[misc]
    return made


def _make(case_id: str, entries: list[bytes], engine: Engine, made: dict[str, list[dict[str, Any]]]) -> None:
    case: Case | None = None
    tally: Tally | None = None
    seals: codec.Seals = {}
    written = []
    fired = 0  # how many timers fired since the last event
    for seq, (entry, head) in enumerate(zip(entries, digests(entries), strict=True)):
        # Without the vault: what a row holds of sensitive values is what the entry holds.
        step = read_entry(entry)
        assert step.seq == seq
        case = evolve(case, step, entry)
        seals = codec.seals_after(seals, step)
        tally = tallied(tally, case, step)
        written.append(Written(step=step, entry=entry, case=case))
        made[journal.name].append({"case_id": case_id, "seq": seq, "entry": entry, "head": head})
        made[outbox.name] += _without(codec.delivery_rows(case_id, step), *_ON_THE_WAY)
        match step.input:
            case Open(key=str(key)):
                made[openings.name].append({"key": key, "case_id": case_id})
            case Event(key=str(key)):
                made[event_keys.name].append(
                    {"case_id": case_id, "key": key, "first": seq - fired, "seq": seq}
                )
        fired = fired + 1 if isinstance(step.input, Due) else 0
    assert case is not None
    assert tally is not None
    working = Working(engine.policy_of(case_id), case, None, written)
    saved = saved_of(working)
    made[cases.name].append({**codec.case_row(saved, seals, tally), **codec.opened_row(saved)})
    made[facts.name] += codec.fact_rows(saved)[1]
    made[shares.name] += codec.share_rows(saved)[1]


def _without(rows: Iterable[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]
