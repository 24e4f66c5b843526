"""Databases for applications on asyncio: the same work on the same kind of connection, without blocking the loop."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from .at_hand import AtHand
from .connect import database_url, defaults, set_up, transacted
from .faults import told_apart, told_at_the_start
from .migrate import ensure
from .protocol import Result, Work


class AsyncSqlStore:
    """Cases in a database, for asyncio; the loop is never blocked.

    Args:
        url: as `SqlStore` takes it.
        options: of SQLAlchemy's `create_async_engine`.
    """

    def __init__(self, url: str, **options: Any) -> None:
        parsed = database_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        driver = "sqlite+aiosqlite" if self._sqlite else parsed.drivername
        self._engine = create_async_engine(parsed.set(drivername=driver), **{**defaults(parsed), **options})
        self._turn = asyncio.Lock()
        self._at_hand = AtHand(self._engine.sync_engine.dialect)
        self._ready = False
        if self._sqlite:
            set_up(self._engine.sync_engine)
        self._sync_url = parsed

    async def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do some work in one transaction."""
        if not self._ready:
            await asyncio.to_thread(self._prepare)
        if self._sqlite and not reads:
            async with self._turn:
                return await self._transacted(work, reads=reads)
        return await self._transacted(work, reads=reads)

    async def _transacted(self, work: Work[Result], *, reads: bool) -> Result:
        with told_apart():
            async with self._engine.connect() as connection:
                return await connection.run_sync(transacted, work, self._at_hand, reads=reads)

    def _prepare(self) -> None:
        """Make or check the tables, which is done once, by a connection of its own."""
        with told_at_the_start():
            engine = create_engine(self._sync_url, **defaults(self._sync_url))
            if self._sqlite:
                set_up(engine)
            try:
                ensure(engine)
            finally:
                engine.dispose()
        self._ready = True

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
