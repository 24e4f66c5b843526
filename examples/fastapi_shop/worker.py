"""Who fires what is due and delivers what is asked for: a thread of the application, or processes of their own.

    amends worker --store sqlite:///shop.db --handlers fastapi_shop.worker

Any number of both may run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from httpx2 import Client

from amends import Engine, Worker

from .shop import Clock, Settings
from .webhooks import send_effects


def register(engine: Engine) -> None:
    """Register the handlers; `amends worker` calls this."""
    send_effects(engine, Settings.from_environment(), Clock(), Client())


@contextmanager
def working(engine: Engine) -> Iterator[None]:
    """Work in a thread, and end after what is in hand."""
    worker = Worker(engine)
    thread = Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
