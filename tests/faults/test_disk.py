"""A disk that is full and a database that may only be read are said so; nothing is written by halves, and later it goes on."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from amends.engine.engine import Engine
from amends.engine.errors import StoreUnavailable
from amends.engine.library import Library
from amends.engine.store.tables import journal
from tests.faults.full import fill
from tests.faults.story import Bank, engine_of, prove, tell, way_in

REMEDY = "mend it, and do the call again with the same key"


def test_a_file_that_may_not_grow_takes_all_of_a_step_or_nothing(
    sqlite: str, policies: Library, bank: Bank
) -> None:
    engine = engine_of(sqlite, bank, policies)
    pages = {"may have": 120}

    @event.listens_for(engine.store._engine, "checkout")  # type: ignore[attr-defined] # it is of the SQL kind
    def _(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages['may have']}")

    told = fill(engine)
    assert "disk is full" in told
    assert REMEDY in told
    prove(sqlite, policies)
    pages["may have"] = 1_000_000
    assert fill(engine, at_most=3) == ""
    assert prove(sqlite, policies).cases > 3
    engine.close()


def test_a_process_that_may_write_no_larger_files_goes_on_when_it_may_again(
    run: Callable[..., dict[str, Any]], sqlite: str
) -> None:
    figures = run("full", sqlite)
    assert REMEDY in figures["told"]
    assert figures["cases before"] > 0
    assert figures["cases after"] == figures["cases before"] + 3


@pytest.fixture
def small_disk(postgres_server: str) -> Iterator[Path]:
    """Return a folder on a disk of 400 kB that the server may write to."""
    with tempfile.TemporaryDirectory(prefix="amends-small-", ignore_cleanup_errors=True) as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k,mode=777", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip("a disk of its own needs the right to mount one")
        place = Path(folder) / "space"
        place.mkdir()
        owner = Path(postgres_server.partition("host=")[2]).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        place.chmod(0o700)
        try:
            yield place
        finally:
            subprocess.run(["umount", folder], check=True)


def test_a_server_whose_disk_is_full_takes_all_of_a_step_or_nothing(
    postgres: str, small_disk: Path, policies: Library, bank: Bank
) -> None:
    engine = engine_of(postgres, bank, policies)
    database = way_in(postgres).execution_options(isolation_level="AUTOCOMMIT")
    with database.connect() as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{small_disk}'"))
        try:
            # What other tests deleted takes room until it is cleared away.
            connection.execute(text(f"TRUNCATE {journal.name}"))
            connection.execute(text(f"ALTER TABLE {journal.name} SET TABLESPACE small"))
            told = fill(engine)
            assert "No space left on device" in told
            assert REMEDY in told
            prove(postgres, policies)
        finally:
            engine.close()
            connection.execute(text(f"ALTER TABLE {journal.name} SET TABLESPACE pg_default"))
            connection.execute(text("DROP TABLESPACE small"))
    assert fill(engine, at_most=3) == ""
    assert prove(postgres, policies).cases > 3
    engine.close()
    database.dispose()


@pytest.fixture
def only_read(url: str) -> str:
    """Return the address of the same database for somebody who may only read."""
    if url.startswith("sqlite"):
        return f"{url.replace('sqlite:///', 'sqlite:///file:')}?mode=ro&uri=true"
    return f"{url}&options=-c%20default_transaction_read_only%3Don"


def test_a_database_that_may_only_be_read_is_read_and_takes_nothing(
    url: str, only_read: str, policies: Library, bank: Bank
) -> None:
    engine = engine_of(url, bank, policies)
    tell(engine)
    before = prove(url, policies)
    reader = Engine(policies, only_read)
    assert reader.case("a") == engine.case("a")
    assert reader.verify("a").case == engine.case("a")
    writes: list[Callable[[], object]] = [
        lambda: reader.open("pot", {"pot": "c"}),
        lambda: reader.send("b", "note", {"text": "x"}, by="member"),
        lambda: reader.erase("b"),
    ]
    for write in writes:
        with pytest.raises(StoreUnavailable, match=REMEDY):
            write()
    reader.close()
    assert prove(url, policies) == before
    assert engine.send("b", "note", {"text": "x"}, by="member").step.seq == before.rows.count(
        b'"case_id": "b", "entry"'
    )
    engine.close()
