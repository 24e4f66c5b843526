"""What stores tell of cases as a whole: each tells the same, of one moment, and nothing sensitive unless it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from amends.engine.engine import Engine
from amends.engine.errors import CorruptJournal
from amends.engine.library import Library
from amends.engine.store import searching, statements
from amends.engine.store.protocol import Fate, Kept, Sought, Transaction, Work
from amends.engine.values import Sealed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN = "DE02 1203 0000 0000 2020 51"


def done(engine: Any, work: Work[Any], *, reads: bool = True) -> Any:
    """Do some work by an engine's store, whichever kind it is."""
    if isinstance(engine, Engine):
        return engine.store.transact(work, reads=reads)
    waiting = engine.engine.store.transact(work, reads=reads)
    return asyncio.run_coroutine_threadsafe(waiting, engine.loop).result()


@pytest.fixture
def filled(engine: Any) -> Any:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="b", secret=bytes(32))
    engine.send("b", "return_late", {"days": 1, "contact": "you"}, by="reader", at=NOON + DAY, key="k")
    engine.send("b", "accept", by="desk", at=NOON + DAY + HOUR, key="l")
    engine.open("loan", {}, at=NOON + HOUR, case_id="a", secret=bytes(32))
    return engine


def test_a_case_to_be_looked_at_has_no_sensitive_value_and_no_key(filled: Any) -> None:
    found = done(filled, lambda transaction: transaction.sealed(["a", "b", "x"]))
    assert set(found) == {"a", "b"}
    assert isinstance(found["b"].facts["account"], Sealed)
    assert isinstance(found["b"].facts["return_late"]["contact"], Sealed)
    assert found["b"].secret == b""
    assert (found["b"].head, found["b"].clocks) == (filled.case("b").head, filled.case("b").clocks)
    assert found["a"].facts == filled.case("a").facts


def test_all_that_is_kept_of_cases_comes_in_the_order_of_their_ids(filled: Any) -> None:
    one, two = done(filled, lambda transaction: transaction.kept(["b", "x", "a", "b"]))
    assert (one.case_id, two.case_id) == ("a", "b")
    assert (one.keys, one.fates, one.parked, len(one.entries)) == ((), (), None, 1)
    assert [(key.key, key.first, key.seq) for key in two.keys] == [("k", 1, 1), ("l", 2, 2)]
    assert [fate.key for fate in two.fates] == ["b/2/0", "b/deposit/all/1"]
    assert two.heads[-1] == filled.case("b").head
    assert (two.secret, two.vault) == (b"", {})


def test_keys_and_values_come_when_they_are_asked_for_and_are_shown_by_no_repr(filled: Any) -> None:
    (kept,) = done(filled, lambda transaction: transaction.kept(["b"], reveal=True))
    assert kept.secret == bytes(32)
    assert set(kept.vault.values()) == {IBAN, "you"}
    assert IBAN not in repr(kept)
    filled.erase("b")
    (kept,) = done(filled, lambda transaction: transaction.kept(["b"], reveal=True))
    assert kept.vault == {}


def test_what_became_of_deliveries_elsewhere_is_noted(filled: Any) -> None:
    fates = [
        Fate(key="b/2/0", state="dead", attempts=3, next_at=NOON, error="no"),
        Fate(key="b/deposit/all/1", state="waiting", attempts=1, next_at=NOON + DAY, error=None),
    ]
    done(filled, lambda transaction: transaction.settle(fates), reads=False)
    (kept,) = done(filled, lambda transaction: transaction.kept(["b"]))
    assert list(kept.fates) == fates
    assert [(one.key, one.error) for one in filled.deliveries("dead")] == [("b/2/0", "no")]


def test_cases_are_sought_by_id_and_by_when_they_were_opened(filled: Any) -> None:
    def ids(**sought: Any) -> list[str]:
        found = done(filled, lambda transaction: transaction.summaries(Sought(**sought), None, 10))
        return [one.id for one in found]

    assert ids(ids=("a", "x")) == ["a"]
    assert ids(ids=()) == []
    assert ids(opened_from=NOON) == ["b", "a"]
    assert ids(opened_from=NOON + timedelta(seconds=1)) == ["a"]
    assert ids(opened_before=NOON + HOUR) == ["b"]
    assert ids(opened_before=NOON) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_is_read_of_a_case_is_of_one_moment(
    kind: str, library: Library, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    with Engine(library, url) as engine, Engine(library, url) as other:
        engine.open("loan", {}, at=NOON, case_id="a")

        def work(transaction: Transaction) -> tuple[Kept, ...]:
            (before,) = transaction.kept(["a"])
            other.send("a", "return_late", {"days": 0}, by="reader", at=NOON)
            return (before, *transaction.kept(["a"]))

        before, after = engine.store.transact(work, reads=True)
        assert before == after
        assert engine.case("a").seq == 1


PLACE = (NOON, "a")
QUESTIONS: dict[str, Any] = {
    **{
        name: getattr(statements, name).params(ids=["a", "b"])
        for name in ("SNAPSHOTS", "STANDING", "ENTRIES", "KEYS", "FATES", "SECRETS", "VAULTS")
    },
    "first page": searching.page_of(Sought(policy="loan", closed=False), None, 10),
    "next page": searching.page_of(Sought(state="out", opened_before=NOON), PLACE, 10),
    "some cases": searching.page_of(Sought(ids=("a", "b")), None, 10),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_sqlite_answers_by_an_index_whatever_is_asked_of_cases_as_a_whole(sqlite: str, name: str) -> None:
    asked = QUESTIONS[name].compile(
        dialect=sqlite_dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    database = create_engine(make_url(sqlite))
    with database.connect() as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
    database.dispose()
    assert all("USING" in line and "INDEX" in line for line in plan if line.startswith(("SEARCH", "SCAN"))), (
        plan
    )
    # A page begins where the one before ended: what came before is not looked through again.
    if name == "next page":
        assert any(line.startswith("SEARCH") and "(opened_at,id)>" in line for line in plan), plan


def test_a_page_goes_on_where_the_one_before_ended_however_many_share_an_instant(
    make: Callable[..., Any], library: Library
) -> None:
    engine = make(library)
    for name in ("c", "a", "b"):
        engine.open("loan", {}, at=NOON, case_id=name)
    found, after = [], None
    while True:
        page = engine.cases(limit=1, after=after)
        found += [one.id for one in page.cases]
        if (after := page.next) is None:
            break
    assert found == ["a", "b", "c"]


def test_a_row_with_what_is_no_instant_is_told_as_damaged(sqlite: str, library: Library) -> None:
    with Engine(library, sqlite) as engine:
        engine.open("loan", {}, at=NOON, case_id="a")
        database = create_engine(make_url(sqlite))
        for value in ("'soon'", "9223372036854775807"):
            with database.begin() as connection:
                connection.exec_driver_sql(f"UPDATE amends_cases SET due_at = {value}")  # noqa: S608
            with pytest.raises(CorruptJournal, match="is no instant"):
                engine.cases()
        database.dispose()
