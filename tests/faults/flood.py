"""Very many timers are due at once, and events that arrive meanwhile have their turn.

    python -m tests.faults.flood sqlite:////tmp/cases.db [--cases 50000]

Cases are opened, each with two timers, and a week later a worker fires all that is due, in due order, while another thread sends event after event
to other cases. Printed are the timers, the seconds that they took, the events that were answered meanwhile, and how long the
slowest of them took. What the database holds is deleted.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.store.protocol import Transaction, Work
from amends.engine.store.tables import cases
from tests.faults.story import DAY, NOON, empty, library, prove, rows_of, way_in

#: How many cases are opened in one transaction, which is quicker than one by one.
_AT_ONCE = 500


def opened(engine: Engine, many: int) -> None:
    """Open so many cases, each some seconds after the one before."""
    casework = engine._casework
    for start in range(0, many, _AT_ONCE):
        works = [
            casework.open(
                "pot",
                {"pot": f"{index}"},
                at=NOON + timedelta(seconds=index % 3600),
                timezone=None,
                key=None,
                case_id=f"{index:06}",
                secret=None,
            )
            for index in range(start, min(start + _AT_ONCE, many))
        ]

        engine.store.transact(partial(done, works))


def done(works: Sequence[Work[Case]], transaction: Transaction) -> None:
    """Do all of some work in one transaction."""
    for work in works:
        work(transaction)


def main() -> int:
    """Flood, and print what came of it."""
    options = argparse.ArgumentParser(description="Very many timers at once.")
    options.add_argument("url")
    options.add_argument("--cases", type=int, default=50_000)
    given = options.parse_args()
    policies = library()
    engine = Engine(policies, given.url)
    empty(given.url)
    opened(engine, given.cases)
    engine.open("pot", {"pot": "new"}, at=NOON + 6 * DAY, case_id="new")
    ends = threading.Event()
    waits: list[float] = []
    fired: list[datetime] = []

    def fire() -> None:
        try:
            while steps := engine.run_due(NOON + 7 * DAY, limit=1000):
                fired.extend(step.at for step in steps)
        finally:
            ends.set()

    worker = threading.Thread(target=fire)
    began = time.perf_counter()
    worker.start()
    while not ends.is_set():
        start = time.perf_counter()
        engine.send("new", "note", {"text": "hello"}, by="member", at=NOON + 6 * DAY, key=f"{len(waits)}")
        waits.append(time.perf_counter() - start)
    worker.join()
    took = time.perf_counter() - began
    assert fired == sorted(fired)
    assert len(fired) == 2 * given.cases
    assert engine.run_due(NOON + 7 * DAY) == ()
    if given.cases <= 1_000:
        prove(given.url, policies)
    else:
        database = way_in(given.url)
        assert sum(row["closed"] for row in rows_of(database, cases)) == given.cases
        database.dispose()
    engine.close()
    figures = {
        "timers": len(fired),
        "seconds": round(took, 1),
        "events meanwhile": len(waits) - 1,
        "slowest event, in milliseconds": round(1000 * max(waits[:-1], default=0)),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
