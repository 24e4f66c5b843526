"""Where cases live: in memory, or in SQLite or PostgreSQL. A database's packages are loaded when its address is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .memory import MemoryStore
from .protocol import AsyncStore, Result, Store, Work

if TYPE_CHECKING:
    from .migrate import StoreStatus


def open_store(store: Store | str | None) -> Store:
    """Return a store: one that is there, the one at an address, or a new one in memory.

    Raises:
        InvalidValue: the address is not that of a database.
        StoreOutdated: its tables are those of another version of amends.
        StoreUnavailable: it does not answer.
    """
    if store is None:
        return MemoryStore()
    if isinstance(store, str):
        from .connect import SqlStore  # noqa: PLC0415 - who keeps cases in memory needs no database

        return SqlStore(store)
    return store


def open_async_store(store: AsyncStore | MemoryStore | str | None) -> AsyncStore:
    """Return a store for asyncio: one that is there, the one at an address, or a new one in memory."""
    if store is None or isinstance(store, MemoryStore):
        return _Wrapped(store or MemoryStore())
    if isinstance(store, str):
        from .connect_async import AsyncSqlStore  # noqa: PLC0415 - as above

        return AsyncSqlStore(store)
    return store


def store_status(url: str) -> StoreStatus:
    """Return at which revision the tables of a database are; a file that is not there is not made."""
    from . import connect  # noqa: PLC0415 - whoever asks a command for help waits for no database

    return connect.store_status(url)


def upgrade_store(url: str) -> StoreStatus:
    """Bring the tables of a database up to date, or make them, and return what they are then."""
    from . import connect  # noqa: PLC0415 - as above

    return connect.upgrade_store(url)


class _Wrapped:
    """A store in memory, which never waits, as one for asyncio."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        return self._store.transact(work, reads=reads)

    async def close(self) -> None:
        self._store.close()
