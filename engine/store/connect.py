"""Databases: how they are opened and set, and how a transaction is begun, ended, and told apart from what failed."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from ..errors import InvalidValue
from .at_hand import AtHand
from .faults import told_apart, told_at_the_start
from .migrate import StoreStatus, ensure, status, upgrade
from .protocol import Result, Work
from .sql import SqlTransaction
from .tables import REVISION

#: How often, and after how many seconds, a setting is tried again that another process stands in the way of.
_SWITCHES: Final = 100
_SWITCH_PAUSE: Final = 0.05

#: docs/store.md says why each is as it is.
_PRAGMAS: Final = (
    # Milliseconds.
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class SqlStore:
    """Cases in a database, for threads.

    Args:
        url: such as `sqlite:///cases.db` or `postgresql://user@host/database`.
        options: of SQLAlchemy's `create_engine`.
    """

    def __init__(self, url: str, **options: Any) -> None:
        parsed = database_url(url)
        self._engine = create_engine(parsed, **{**defaults(parsed), **options})
        self._sqlite = parsed.get_backend_name() == "sqlite"
        self._turn = _Turn()
        self._at_hand = AtHand(self._engine.dialect)
        if self._sqlite:
            set_up(self._engine)
        with told_at_the_start():
            ensure(self._engine)

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do some work in one transaction."""
        if self._sqlite and not reads:
            # One process writes one transaction at a time; to wait in line is quicker, and fairer, than to try again.
            with self._turn, told_apart(), self._engine.connect() as connection:
                return transacted(connection, work, self._at_hand, reads=reads)
        with told_apart(), self._engine.connect() as connection:
            return transacted(connection, work, self._at_hand, reads=reads)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def database_url(url: str) -> URL:
    """Return a database's address with the driver that is used for it.

    Raises:
        InvalidValue: it is not one, or of a database that amends does not know.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except Exception as error:
        raise InvalidValue(f"`{url[:60]}` is not the address of a database: {error}") from error
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise InvalidValue("a database in memory is another one for every thread; leave `store` out")
        return parsed.set(drivername="sqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise InvalidValue(f"cases live in SQLite or PostgreSQL, and not in `{backend}`")


def store_status(url: str) -> StoreStatus:
    """Return at which revision the tables of a database are; a file that is not there is not made."""
    with _administered(url) as engine:
        return status(engine) if engine is not None else StoreStatus(revision=None, wanted=REVISION)


def upgrade_store(url: str) -> StoreStatus:
    """Bring the tables of a database up to date, or make them, and return what they are then."""
    with _administered(url, makes=True) as engine:
        upgrade(engine)
        return status(engine)


@contextmanager
def _administered(url: str, *, makes: bool = False) -> Iterator[Any]:
    """Yield a way into a database, or None where it is a file that is not there and is not to be made."""
    parsed = database_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and not makes and not Path(parsed.database or "").exists():
        yield None
        return
    engine = create_engine(parsed, **defaults(parsed))
    if sqlite:
        set_up(engine)
    try:
        with told_at_the_start():
            yield engine
    finally:
        engine.dispose()


def defaults(url: URL) -> dict[str, Any]:
    """Return how connections are kept: a server may have gone and come back, a file has not.

    Rows hold facts and the keys of cases: no exception and no log of SQLAlchemy shows what is written.
    """
    pinged = {} if url.get_backend_name() == "sqlite" else {"pool_pre_ping": True}
    return {"hide_parameters": True, **pinged}


def set_up(engine: Engine) -> None:
    """Set every new connection to SQLite up; its transactions are begun by us and not by the driver."""

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            _execute(cursor, pragma)
        cursor.close()


def _execute(cursor: Any, pragma: str) -> None:
    """Set one thing. To switch a new file to WAL SQLite waits for nobody, so we do."""
    for _ in range(_SWITCHES):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_SWITCH_PAUSE)
        else:
            return
    cursor.execute(pragma)


def transacted(connection: Connection, work: Work[Result], at_hand: AtHand, *, reads: bool) -> Result:
    """Begin, do the work, and commit; whatever it raises undoes it."""
    sqlite = connection.dialect.name == "sqlite"
    if reads and not sqlite:
        # A case and its journal are read one after the other, and have to be of one moment; in SQLite they are anyway.
        connection.execution_options(isolation_level="REPEATABLE READ")
    with connection.begin():
        if sqlite:
            # To begin as a reader and write later can fail half-way; a writer waits at the door.
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
        return work(SqlTransaction(connection, at_hand, locking=not sqlite and not reads))


class _Turn:
    """A lock that threads get in the order in which they ask for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._queue.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False
