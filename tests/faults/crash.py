"""A process is killed at each point at which it talks to its database, started again, and must come to the same end.

    python -m tests.faults.crash sqlite:////tmp/cases.db [--every N] [--from N] [--again]

The points lie before and after every statement and every commit of a story, the making of the tables included. A child is
killed there with SIGKILL; then the same program is started again from the top, with the same keys. The journals, cases, keys
and effects must be those of a story that nobody interrupted, and the bank must have paid each effect once. With `--again`
the second run is killed as well, at a point drawn with the seed 1, and the third one goes on.

What the database holds is deleted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import event
from sqlalchemy.engine.default import DefaultDialect

from amends.engine.library import Library
from amends.engine.store.connect import database_url
from tests.faults.children import ended, forked, kill_me
from tests.faults.story import Bank, empty, engine_of, library, prove, tell


def at_every_point(act: Callable[[], None]) -> None:
    """Call a function before and after every statement and every commit of this process."""
    for moment in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(Database, moment, lambda *_: act())
    commit: Any = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        act()
        commit(self, connection)
        act()

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def killed(tells: Callable[[], None], point: int) -> bool:
    """Do something in a child that is killed at a point; return whether it came so far.

    Raises:
        RuntimeError: the child failed by itself.
    """
    points = itertools.count(1)

    def act() -> None:
        if next(points) == point:
            kill_me()

    def work() -> None:
        at_every_point(act)
        tells()

    return ended(forked(work))


class Stage:
    """A database and a bank on which the story is told again and again."""

    def __init__(self, url: str, policies: Library, folder: Path) -> None:
        self.url = url
        self.policies = policies
        self.bank = Bank(folder / "bank")
        parsed = database_url(url)
        self.file = Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None

    def clear(self) -> None:
        """Begin with nothing; of a file not even the tables are left."""
        self.bank.path.unlink(missing_ok=True)
        if self.file is None:
            empty(self.url)
            return
        for suffix in ("", "-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)

    def tell(self) -> None:
        """Tell the whole story."""
        engine = engine_of(self.url, self.bank, self.policies)
        tell(engine)
        engine.close()


def crash(url: str, *, start: int, every: int, again: bool, folder: Path) -> dict[str, int]:
    """Kill at points, and return how often."""
    stage = Stage(url, library(), folder)
    chance = random.Random(1)  # noqa: S311 - which points are drawn is no secret
    engine_of(url, stage.bank, stage.policies).close()
    stage.clear()
    stage.tell()
    told, paid = prove(url, stage.policies), stage.bank.paid()
    kills = calls = 0
    for point in itertools.count(start, every):
        stage.clear()
        if not killed(stage.tell, point):
            break
        kills += 1
        if again:
            kills += killed(stage.tell, chance.randrange(1, point + 1))
        stage.tell()
        found = prove(url, stage.policies)
        assert (found.rows, found.effects) == (told.rows, told.effects), f"another end after point {point}"
        assert stage.bank.paid() == paid, f"another payment after point {point}"
        calls += len(stage.bank.calls())
    return {
        "points": point,
        "kills": kills,
        "payments": kills and len(paid),
        "calls": calls,
        "steps": told.steps,
    }


def main() -> int:
    """Kill, and print how often."""
    options = argparse.ArgumentParser(description="Kill at every point, and go on.")
    options.add_argument("url")
    options.add_argument("--from", dest="start", type=int, default=1)
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--again", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(
            json.dumps(
                crash(given.url, start=given.start, every=given.every, again=given.again, folder=Path(folder))
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
