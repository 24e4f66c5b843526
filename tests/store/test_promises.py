"""What docs/store.md promises beside the contract: secrets, damage, poison, backups, conflicts, and being told why."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text

from amends.engine.allowed import Allowed, AllowedField
from amends.engine.durable.delivery import Settled
from amends.engine.durable.trying import TRIES
from amends.engine.engine import Engine
from amends.engine.errors import Conflict, CorruptJournal, InvalidValue, UnknownCase, UnknownPolicy
from amends.engine.form import schema_of
from amends.engine.library import Library
from amends.engine.store.memory import MemoryStore
from amends.engine.store.protocol import LostRace
from amends.engine.store.tables import metadata
from amends.engine.types import INT, TEXT, Type

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN, CONTACT = "DE02120300000000202051", "me@example.org"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def changed(url: str, statement: str) -> None:
    """Change a database behind the engine's back."""
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    database = create_engine(parsed.set(drivername=driver))
    with database.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1
    database.dispose()


def everything(url: str) -> dict[str, list[str]]:
    """Return every value of every table, as text."""
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    database = create_engine(parsed.set(drivername=driver))
    with database.connect() as connection:
        found = {
            table.name: [
                value.decode("latin-1") if isinstance(value, bytes) else str(value)
                for row in connection.execute(select(table))
                for value in row
            ]
            for table in metadata.sorted_tables
        }
    database.dispose()
    return found


def lived(engine: Any, case_id: str = "a") -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id=case_id)
    engine.send(case_id, "return_late", {"days": 1, "contact": CONTACT}, by="reader:1", at=NOON, key="k")
    engine.send(case_id, "accept", {"undeclared": IBAN}, by="desk", at=NOON)
    engine.send(case_id, "accept", by="desk", at=NOON)


# --- secrets ------------------------------------------------------------------------------------------------------------


def test_no_row_and_no_log_holds_a_sensitive_value_in_clear(
    url: str, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Any) -> None:
        raise OSError

    with caplog.at_level(logging.DEBUG), Engine(library, url) as engine:
        lived(engine)
        engine.effect("payout")(fails)
        engine.deliver(NOON)
        assert engine.case("a").facts["account"] == IBAN
    found = everything(url)
    assert found["amends_vault"] != []
    assert {
        name for name, values in found.items() for value in values if IBAN in value or CONTACT in value
    } == set()
    assert IBAN not in caplog.text
    assert CONTACT not in caplog.text


def test_after_an_erasure_the_key_is_nowhere(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        lived(engine)
        secret = engine.case("a").secret.decode("latin-1")
        assert secret in everything(url)["amends_case_keys"]
        engine.erase("a")
        found = everything(url)
        assert found["amends_vault"] == []
        assert secret not in found["amends_case_keys"]


def test_a_value_of_the_vault_that_was_changed_is_found(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
        engine.open("loan", {"account": "x"}, at=NOON, case_id="b")
        changed(
            url,
            "UPDATE amends_vault SET value = (SELECT value FROM amends_vault WHERE case_id = 'b' LIMIT 1)"
            " WHERE commitment = (SELECT commitment FROM amends_vault WHERE case_id = 'a' LIMIT 1)",
        )
        with pytest.raises(CorruptJournal, match="the sensitive value committed to as"):
            engine.verify("a")


# --- why, and what next -------------------------------------------------------------------------------------------------


def test_a_why_is_data_without_secrets_unless_asked_for(engine: Any) -> None:
    lived(engine)
    why = engine.why("a", 1)
    assert json.loads(json.dumps(why)) == why
    assert (why["who"], why["what"], why["verdict"], why["seq"]) == ("reader:1", "return_late", "applied", 1)
    assert why["data"] == {"days": 1, "contact": {"sensitive": True}}
    assert engine.why("a", 1, reveal=True)["data"]["contact"] == CONTACT
    refused = engine.why("a", 2)
    assert refused["reason"]["code"] == "invalid_data"
    assert "undeclared" in refused["reason"]["text"]
    last = engine.why("a")
    assert (last["seq"], last["decision"], last["moves"][0]["to"]) == (3, "accepted", "closed")
    assert last["effects"][1]["data"]["details"] == {"account": {"sensitive": True}}
    for wrong in (-1, 4):
        with pytest.raises(InvalidValue, match="the steps 0 to 3"):
            engine.why("a", wrong)


def test_what_a_preview_would_do_is_explained_too_and_without_secrets(engine: Any) -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    would = engine.preview("a", "return_late", {"days": -1, "contact": CONTACT}, by="reader", at=NOON)
    told = engine.why("a", would.step)
    assert (told["seq"], told["verdict"], told["reason"]["code"]) == (1, "refused", "not_allowed")
    assert told["data"] == {"days": -1, "contact": {"sensitive": True}}
    assert engine.why("a", would.step, reveal=True)["data"]["contact"] == CONTACT
    assert engine.why("a")["seq"] == 0


def test_deadlines_are_told_of_a_case_as_it_stands(engine: Any) -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    assert engine.deadlines("a") == {"lending": datetime(2026, 3, 5, 23, 59, 59, tzinfo=UTC)}
    sent = engine.send("a", "return_late", {"days": 1}, by="reader", at=NOON)
    assert engine.deadlines("a") == sent.deadlines == {"look": NOON + 2 * HOUR}
    with pytest.raises(UnknownCase):
        engine.deadlines("b")


def test_a_late_firing_tells_both_times(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.run_due(NOON + 9 * DAY, limit=1)
    why = engine.why("a")
    assert (why["at"], why["fired_at"]) == ("2026-03-04T23:59:59+00:00", "2026-03-11T12:00:00+00:00")


def test_what_may_be_sent_is_told_with_roles_and_fields(engine: Any) -> None:
    def field(name: str, type_: Type, *, required: bool, sensitive: bool) -> AllowedField:
        return AllowedField(
            name=name,
            type=str(type_),
            required=required,
            sensitive=sensitive,
            schema=schema_of(type_),
            says={},
        )

    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    late, give, divide = engine.allowed("a", NOON)
    assert late == Allowed(
        event="return_late",
        by=("reader",),
        fields=(
            field("days", INT, required=True, sensitive=False),
            field("contact", TEXT, required=False, sensitive=True),
        ),
        says={},
    )
    assert late in engine.library.events("loan")
    assert (give.event, divide.event, divide.fields) == ("give_account", "divide", ())
    with pytest.raises(UnknownPolicy):
        engine.library.events("lone")
    # What is due by then is taken to have fired, and is not fired.
    assert [one.event for one in engine.allowed("a", NOON + 3 * DAY + 12 * HOUR)] == ["accept"]
    assert engine.case("a").seq == 0
    engine.run_due(NOON + 9 * DAY)
    told = {one.event: one.by for one in engine.allowed("a", NOON + 9 * DAY)}
    assert told["deposit.settled"] == ("host",)
    assert set(told) == {
        "give_account",
        "take_back",
        "deposit.settled",
        "deposit.failed",
        "deposit.reversed",
    }


# --- damage -------------------------------------------------------------------------------------------------------------


def test_an_entry_that_was_changed_is_found_and_named(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        lived(engine)
        changed(
            url,
            "UPDATE amends_journal SET entry = (SELECT entry FROM amends_journal WHERE seq = 1) WHERE seq = 2",
        )
        with pytest.raises(CorruptJournal, match=r"^entry 2 "):
            engine.verify("a")


def test_a_case_that_its_journal_does_not_make_is_found(url: str, library: Library) -> None:
    with Engine(library, url) as engine:
        lived(engine)
        changed(url, "UPDATE amends_cases SET snapshot = replace(snapshot, '\"accepted\"', '\"refused\"')")
        with pytest.raises(CorruptJournal, match="is not what its journal makes"):
            engine.verify("a")


def test_what_others_wrote_is_seen_by_an_engine_that_has_the_case_at_hand(url: str, library: Library) -> None:
    with Engine(library, url) as engine, Engine(library, url) as other:
        engine.open("loan", {}, at=NOON, case_id="a")
        before = engine.case("a")
        sent = other.send("a", "return_late", {"days": 2}, by="reader:1", at=NOON)
        assert engine.case("a") == sent.case != before
        other.erase("a")
        assert engine.case("a").secret == other.case("a").secret != before.secret


def test_a_case_that_cannot_be_read_is_parked_and_stops_nobody(
    url: str, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine(library, url) as engine:
        for name in "abc":
            engine.open("loan", {}, at=NOON, case_id=name)
        changed(url, "UPDATE amends_cases SET snapshot = '~' || snapshot WHERE id = 'b'")
        assert len(engine.run_due(NOON + 9 * DAY)) == 6
        (stuck,) = engine.cases(stuck=True).cases
        assert stuck.id == "b"
        assert stuck.parked is not None
        assert stuck.parked.startswith("CorruptJournal: not a case")
        assert "case b is parked" in caplog.text
        assert engine.run_due(NOON + 9 * DAY) == ()
        changed(url, "UPDATE amends_cases SET snapshot = substr(snapshot, 2) WHERE id = 'b'")
        engine.unpark("b")
        assert len(engine.run_due(NOON + 9 * DAY)) == 3
        assert engine.cases(stuck=True).cases == ()


def test_a_case_whose_policy_is_gone_is_parked(library: Library) -> None:
    store = MemoryStore()
    Engine(library, store).open("loan", {}, at=NOON, case_id="a")
    store._bundles.clear()
    engine = Engine(Library(), store)
    assert engine.run_due(NOON + 9 * DAY) == ()
    assert engine.cases().cases[0].parked == next(iter(engine.cases(stuck=True).cases)).parked
    whole = Engine(library, store)
    whole.unpark("a")
    assert len(whole.run_due(NOON + 9 * DAY)) == 3


# --- backups ------------------------------------------------------------------------------------------------------------


def test_a_restored_backup_comes_to_the_same_and_delivers_with_the_same_keys(
    sqlite: str, library: Library, tmp_path: Path
) -> None:
    path, backup = Path(make_url(sqlite).database or ""), tmp_path / "backup.db"
    seen: list[str] = []

    def pay(delivery: Any) -> Settled:
        seen.append(delivery.key)
        return Settled(reference="one")

    def rest(engine: Engine) -> str:
        engine.effect("payout")(pay)
        engine.run_due(NOON + 9 * DAY)
        engine.deliver(NOON + 9 * DAY)
        assert engine.verify("a").decided == engine.case("a").seq + 1
        return engine.case("a").head

    with Engine(library, sqlite) as engine:
        engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
        source, target = sqlite3.connect(path), sqlite3.connect(backup)
        source.backup(target)
        source.close()
        target.close()
        first = rest(engine)
    for beside in path.parent.glob(f"{path.name}*"):
        beside.unlink()
    shutil.copy(backup, path)
    with Engine(library, sqlite) as engine:
        assert engine.case("a").seq == 0
        assert rest(engine) == first
    assert seen == ["a/deposit/all/1"] * 2


# --- conflicts ----------------------------------------------------------------------------------------------------------


class Racing(MemoryStore):
    """A store in which others are faster, so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def transact(self, work: Callable[[Any], Any], *, reads: bool = False) -> Any:
        if not reads and self.times:
            self.times -= 1
            super().transact(lambda transaction: _undone(work(transaction)))
        return super().transact(work, reads=reads)


def _undone(_: Any) -> None:
    raise LostRace


def test_a_race_that_was_lost_is_run_again_on_what_the_other_left(library: Library) -> None:
    engine = Engine(library, Racing(TRIES - 1))
    assert engine.open("loan", {}, at=NOON, case_id="a").seq == 0
    assert len(engine.journal("a")) == 1


def test_who_never_wins_is_told_so_and_has_changed_nothing(library: Library) -> None:
    store = Racing(0)
    engine = Engine(library, store)
    engine.open("loan", {}, at=NOON, case_id="a")
    store.times = TRIES
    with pytest.raises(Conflict, match="do the call again"):
        engine.send("a", "divide", by="desk", at=NOON)
    assert engine.case("a").seq == 0
    assert engine.send("a", "divide", by="desk", at=NOON).step.seq == 1


def test_what_a_transaction_did_in_memory_is_undone_whole(library: Library) -> None:
    store = MemoryStore()
    engine = Engine(library, store)
    lived(engine)
    before = (
        engine.case("a"),
        engine.journal("a"),
        engine.deliveries(),
        store.transact(lambda t: t.due(NOON + DAY, 9)),
    )

    def work(transaction: Any) -> None:
        engine._casework.open("loan", {}, at=NOON, timezone=None, key="o", case_id="z", secret=None)(
            transaction
        )
        transaction.erase("a", b"x")
        transaction.park("a", "why")
        for delivery in transaction.claim(NOON, NOON, 9, None):
            transaction.told(delivery, "dead", NOON)
            transaction.resolve(delivery.key, "done", NOON)
        raise LostRace

    with pytest.raises(LostRace):
        store.transact(work)
    after = (
        engine.case("a"),
        engine.journal("a"),
        engine.deliveries(),
        store.transact(lambda t: t.due(NOON + DAY, 9)),
    )
    assert after == before
    assert store.transact(lambda transaction: transaction.opened("o")) is None
    assert [one.parked for one in engine.cases().cases] == [None]
