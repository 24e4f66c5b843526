"""Databases for the fault tests, and programs that run in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

ROOT = Path(__file__).parents[2]
# Last, so that nothing of this tree hides what is installed: programs and tests share modules of this folder.
sys.path.append(str(ROOT))

from amends.engine.library import Library  # noqa: E402
from amends.engine.store.connect import SqlStore  # noqa: E402
from tests.faults.story import Bank, empty, library  # noqa: E402
from tests.store.conftest import made_once, postgres_server, sqlite  # noqa: E402

__all__ = ["made_once", "postgres_server", "sqlite"]


@pytest.fixture(scope="session")
def postgres_of_its_own(postgres_server: str) -> Iterator[str]:
    """Return the address of a database of this worker, with its tables."""
    name = f"amends_faults_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    address = make_url(postgres_server).set(drivername="postgresql+psycopg")
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = address.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    SqlStore(url).close()
    yield url
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture
def postgres(postgres_of_its_own: str) -> str:
    """Return the address of a database with empty tables."""
    empty(postgres_of_its_own)
    return postgres_of_its_own


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of a database with empty tables."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def policies() -> Library:
    """Return the policy that these tests are about."""
    loaded = library()
    assert loaded.diagnostics == ()
    return loaded


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Return a payment provider."""
    return Bank(tmp_path / "bank")


@pytest.fixture
def run() -> Callable[..., dict[str, Any]]:
    """Return what runs one of the programs of this folder, and returns the figures that it prints."""

    def run(program: str, *arguments: object) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.faults.{program}", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(program, *arguments, figures)  # what `make faults` shows
        return figures

    return run
