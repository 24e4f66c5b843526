"""`amends worker`: fires timers and delivers effects."""

from __future__ import annotations

import logging
import signal
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import click

from ..engine import Engine
from ..errors import AmendsError, InvalidValue
from ..library import Library
from ..worker import Worker
from .terminal import FAILED, STORE, say


@click.command("worker")
@STORE
@click.option(
    "--handlers",
    metavar="MODULE",
    help="A Python module whose function `register(engine)` registers handlers; without it only timers fire.",
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait when there is nothing to do.",
)
def command(store: str, handlers: str | None, idle: float) -> None:
    """Fire timers and deliver effects, until told to stop.

    Any number of workers may run at once. SIGTERM or SIGINT ends one after what it has in hand. Policies are taken from the
    store, where they were kept when cases were opened.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        engine = Engine(Library(), store)
    except InvalidValue as error:
        raise click.UsageError(str(error)) from error
    except AmendsError as error:
        say(f"amends: {error}", to=sys.stderr)
        sys.exit(FAILED)
    with engine:
        if handlers is not None:
            _register(handlers, engine)
        worker = Worker(engine, idle=timedelta(seconds=idle))
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
        worker.run()


def _register(name: str, engine: Engine) -> None:
    """Import a host's module, from the folder that the command is called in too, and let it register its handlers."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise click.UsageError(f"there is no module `{name}`") from error
    if not hasattr(module, "register"):
        raise click.UsageError(f"the module `{name}` has no function `register(engine)`")
    module.register(engine)
