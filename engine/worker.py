"""A worker: fires what is due and delivers what is asked for, until it is told to stop. Any number may run."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue

from .durable import notices
from .durable.delivery import CLAIM
from .durable.firing import BATCH
from .engine import Engine
from .errors import Conflict, StoreUnavailable


class Worker:
    """Works for an engine whose handlers are registered.

    Args:
        engine: on a store that other processes use too.
        idle: how long to wait when there is nothing to do, or nothing can be done.
    """

    def __init__(self, engine: Engine, *, idle: timedelta = timedelta(seconds=1)) -> None:
        self._engine = engine
        self._idle = idle.total_seconds()
        self._stopped = False
        # An event cannot be set by a signal that arrives while its lock is held; to put into this queue takes no lock.
        self._told: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        """Work until `stop` is called. A database that is away for a while is waited for."""
        notices.began()
        while not self._stopped:
            if not self._work():
                with suppress(Empty):
                    self._told.get(timeout=self._idle)
        notices.ended()

    def stop(self) -> None:
        """End after what is in hand; safe in a signal handler and from another thread."""
        self._stopped = True
        self._told.put(None)

    def _work(self) -> bool:
        """Do a little of everything, and return whether there was anything to do."""
        try:
            fired = self._engine.run_due(limit=BATCH)
            # What is in hand is ended before the worker is, so there is little of it.
            delivered = () if self._stopped else self._engine.deliver(limit=CLAIM)
        except (Conflict, StoreUnavailable) as error:
            notices.waiting(error)
            return False
        return bool(fired or delivered)
