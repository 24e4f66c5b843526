"""What was changed behind the engine's back is found and named, and a database that was brought back from a copy goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import delete, insert, update

from amends.engine.errors import CorruptJournal
from amends.engine.library import Library
from amends.engine.store.tables import cases, journal, metadata, vault
from tests.faults.story import DAY, NOON, Bank, engine_of, prove, rows_of, story, tell, way_in

Rows = dict[str, list[dict[str, Any]]]


def copied(database: Database) -> Rows:
    """Return every row."""
    return {table.name: rows_of(database, table) for table in metadata.sorted_tables}


def brought_back(database: Database, rows: Rows) -> None:
    """Put every row back as it was."""
    with database.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for table in metadata.sorted_tables:
            if rows[table.name]:
                connection.execute(insert(table), rows[table.name])


def other(entry: bytes) -> bytes:
    """Return an entry in which one letter is another."""
    return entry.replace(b'"verdict":"applied"', b'"verdict":"aqplied"').replace(b"too_much", b"too_mucj")


def at(seq: int) -> Any:
    """Return the place of an entry of case `a`."""
    return (journal.c.case_id == "a") & (journal.c.seq == seq)


def changed(seq: int) -> Callable[[Rows], Any]:
    """Return what changes an entry of case `a`."""
    return lambda rows: update(journal).where(at(seq)).values(entry=other(entry_of(rows, seq)))


#: What is done to a database in which case `a` has the entries 0 to 8, and what is said of it.
DAMAGES: dict[str, tuple[Callable[[Rows], Any], str]] = {
    **{
        f"entry {seq} is another": (changed(seq), f"entry {seq} is not the one that was written")
        for seq in range(9)
    },
    "an entry is gone": (lambda _: delete(journal).where(at(3)), "entry 3 is not the one that was written"),
    "the last entry is gone": (lambda _: delete(journal).where(at(8)), "`a` is not what its journal makes"),
    "the first entry is gone": (lambda _: delete(journal).where(at(0)), "entry 0 is not the one that was"),
    "an entry is that of another": (
        lambda rows: update(journal).where(at(2)).values(entry=entry_of(rows, 1), head=head_of(rows, 1)),
        "entry 2 is not the one that was written",
    ),
    "a digest is another": (
        lambda _: update(journal).where(at(4)).values(head="0" * 64),
        "entry 4 is not the one that was written",
    ),
    "the case is another": (
        lambda rows: (
            update(cases)
            .where(cases.c.id == "a")
            .values(snapshot=case_of(rows)["snapshot"].replace('"65.5 EUR"', '"6.5 EUR"'))
        ),
        "`a` is not what its journal makes",
    ),
    "the case is none": (
        lambda _: update(cases).where(cases.c.id == "a").values(snapshot="{}"),
        "not a case",
    ),
    "a sensitive value is another": (
        lambda _: update(vault).where(vault.c.case_id == "a").values(value=b"x" * 40),
        "the sensitive value committed to as",
    ),
}


def entry_of(rows: Rows, seq: int) -> bytes:
    """Return an entry of case `a`."""
    found: bytes = next(
        row["entry"] for row in rows[journal.name] if (row["case_id"], row["seq"]) == ("a", seq)
    )
    return found


def head_of(rows: Rows, seq: int) -> str:
    """Return the digest of an entry of case `a`."""
    found: str = next(row["head"] for row in rows[journal.name] if (row["case_id"], row["seq"]) == ("a", seq))
    return found


def case_of(rows: Rows) -> dict[str, Any]:
    """Return the row of case `a`."""
    return next(row for row in rows[cases.name] if row["id"] == "a")


def test_whatever_is_changed_is_found_and_named(url: str, policies: Library, bank: Bank) -> None:
    engine = engine_of(url, bank, policies)
    *calls, _erasure = story(engine)
    for call in calls:
        call()
    assert engine.verify("a").decided == 9
    database = way_in(url)
    rows = copied(database)
    for name, (damage, told) in DAMAGES.items():
        with database.begin() as connection:
            assert connection.execute(damage(rows)).rowcount > 0, name
        with pytest.raises(CorruptJournal, match=told):
            engine.verify("a")
        with pytest.raises((CorruptJournal, AssertionError)):
            prove(url, policies)
        assert engine.verify("b").decided > 0
        brought_back(database, rows)
        assert engine.verify("a").decided == 9, name
    prove(url, policies)
    engine.close()
    database.dispose()


def test_a_copy_that_is_brought_back_comes_to_the_same_end_and_nobody_is_paid_twice(
    url: str, policies: Library, bank: Bank
) -> None:
    engine = engine_of(url, bank, policies)
    calls = [*story(engine)]
    database = way_in(url)
    copies = []
    for call in calls:
        copies.append(copied(database))
        call()
    end, paid = prove(url, policies), bank.paid()
    for number, rows in enumerate(copies):
        brought_back(database, rows)
        # Those that had been answered are sent again too: nobody knows which of them the copy lacks.
        tell(engine)
        found = prove(url, policies)
        assert (found.rows, found.effects) == (end.rows, end.effects), number
        assert bank.paid() == paid
    # What was delivered after a copy was made is delivered again, with its key.
    assert len(bank.calls()) > len(paid)
    engine.close()
    database.dispose()


def test_a_case_that_cannot_be_read_is_parked_and_the_others_go_on(
    url: str, policies: Library, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(url, bank, policies)
    for name in "abc":
        engine.open("pot", {"pot": name}, at=NOON, case_id=name)
    database = way_in(url)
    rows = copied(database)
    with database.begin() as connection:
        connection.execute(update(cases).where(cases.c.id == "b").values(snapshot="{}"))
    assert len(engine.run_due(NOON + 9 * DAY)) == 4
    assert "case b is parked" in caplog.text
    assert [one.id for one in engine.cases(stuck=True).cases] == ["b"]
    assert engine.run_due(NOON + 9 * DAY) == ()
    mended = case_of({cases.name: [{**row, "id": "a"} for row in rows[cases.name] if row["id"] == "b"]})
    with database.begin() as connection:
        connection.execute(update(cases).where(cases.c.id == "b").values(snapshot=mended["snapshot"]))
    engine.unpark("b")
    assert len(engine.run_due(NOON + 9 * DAY)) == 2
    assert prove(url, policies).cases == 3
    engine.close()
    database.dispose()
