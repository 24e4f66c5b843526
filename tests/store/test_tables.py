"""The tables: what makes them, what they are set to, and that no other version is worked with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from amends import cli
from amends.engine.engine import Engine
from amends.engine.errors import CorruptJournal, InvalidValue, StoreOutdated, StoreUnavailable
from amends.engine.library import Library
from amends.engine.store.connect import SqlStore, store_status
from amends.engine.store.statements import KEYED, KEYED_ONE, READ, READ_ONE
from amends.engine.store.tables import REVISION, VERSIONS, metadata


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def connected(url: str) -> Any:
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return create_engine(parsed.set(drivername=driver))


def test_the_migrations_make_the_tables_that_the_statements_are_about(url: str) -> None:
    database = connected(url)
    with database.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSIONS, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    database.dispose()


def test_a_host_may_have_tables_and_an_alembic_of_its_own() -> None:
    assert {name for name in metadata.tables if not name.startswith("amends_")} == set()
    assert VERSIONS.startswith("amends_")


def test_tables_of_another_version_are_refused_with_the_remedy(sqlite: str, library: Library) -> None:
    database = connected(sqlite)
    with database.begin() as connection:
        connection.execute(text("UPDATE amends_version SET version_num = '9999'"))
    database.dispose()
    with pytest.raises(StoreOutdated, match=r"at revision 9999.*amends store upgrade"):
        Engine(library, sqlite)


def test_processes_that_make_the_tables_at_once_make_them_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "amends", "store", "upgrade", f"sqlite:///{tmp_path / 'new.db'}"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert {process.communicate()[0] for process in running} == {f"revision {REVISION}: up to date\n"}


def test_the_command_makes_tables_and_says_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    url = f"sqlite:///{path}"

    def run(*arguments: str, **options: Any) -> tuple[int, str]:
        done = CliRunner().invoke(cli.main, ["store", *arguments], **options)
        return done.exit_code, done.output

    assert run("status", url) == (1, f"no tables; `amends store upgrade` makes them (revision {REVISION})\n")
    assert not path.exists()
    assert run("upgrade", url) == (0, f"revision {REVISION}: up to date\n")
    assert run("upgrade", url) == (0, f"revision {REVISION}: up to date\n")
    code, output = run("status", "--format", "json", env={"AMENDS_STORE": url})
    assert (code, json.loads(output)) == (0, {"current": True, "revision": REVISION, "wanted": REVISION})


@pytest.mark.parametrize(
    ("url", "code"),
    [("oracle://x", 2), ("nonsense", 2), ("sqlite://", 2), ("postgresql://localhost:1/none", 3)],
)
def test_what_cannot_be_opened_is_said_shortly(url: str, code: int) -> None:
    done = CliRunner().invoke(cli.main, ["store", "status", url])
    assert done.exit_code == code
    assert "Traceback" not in done.output


def test_what_is_no_database_or_cannot_be_reached_is_told_apart(library: Library, tmp_path: Path) -> None:
    for wrong in ("mysql://localhost/x", "sqlite:///:memory:", "not an address"):
        with pytest.raises(InvalidValue):
            Engine(library, wrong)
    for away in ("postgresql://localhost:1/none", f"sqlite:///{tmp_path / 'no' / 'folder.db'}"):
        with pytest.raises(StoreUnavailable, match="the database failed"):
            Engine(library, away)


def test_sqlite_is_set_as_the_page_says(sqlite: str) -> None:
    store = SqlStore(sqlite)
    with store._engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_policy_that_was_changed_in_the_store_is_found(sqlite: str, library: Library) -> None:
    with Engine(library, sqlite) as engine:
        engine.open("loan", {}, case_id="a")
    database = connected(sqlite)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE amends_policies SET content = CAST(replace(content, 'lent + ', 'lent - ') AS BLOB)")
        )
    database.dispose()
    with Engine(Library(), sqlite) as engine, pytest.raises(CorruptJournal, match="is another"):
        engine.policy_of("a")


def test_no_case_is_kept_under_a_policy_that_could_not_be_kept(sqlite: str) -> None:
    checked = Library.check(Path(__file__).with_name("policies.yaml"))
    with Engine(checked, sqlite) as engine, pytest.raises(InvalidValue, match="only checked"):
        engine.open("loan", {})


def test_status_asks_and_does_nothing(url: str) -> None:
    assert store_status(url).is_current


@pytest.mark.parametrize(
    "statement",
    [
        KEYED.params(ids=["a", "b"], keys=["k", "l"]),
        KEYED_ONE.params(case_id="a", key="k"),
        READ.params(ids=["a", "b"]),
        READ_ONE.params(id="a"),
    ],
    ids=["keys", "key", "cases", "case"],
)
def test_sqlite_finds_rows_by_an_index_and_looks_through_no_table(sqlite: str, statement: Any) -> None:
    asked = statement.compile(
        dialect=sqlite_dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    database = connected(sqlite)
    with database.connect() as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
    database.dispose()
    assert plan
    assert [line for line in plan if not line.startswith("SEARCH")] == []
