"""Two people approve one payout at the same time, each from a process of their own, and one of these is killed.

    python -m tests.faults.approve sqlite:////tmp/cases.db [--every N] [--from N]

The points lie before and after every statement and every commit of the call by which the first approves. Then both calls are
made again with their keys, as programs that start again do, and the first one approves once more with another key. Whoever was
killed where: there must be two approvals, one of each, and the payout must be asked of the bank once. What the database holds
is deleted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.sent import Sent
from amends.engine.step import Event
from tests.faults.children import ended, forked, kill_me
from tests.faults.crash import at_every_point
from tests.faults.story import NOON, Bank, empty, engine_of, library, prove


def approve(engine: Engine, person: int, key: str) -> Sent:
    """Approve the payout."""
    return engine.send("a", "bonus.approved", by=f"desk:{person}", at=NOON, key=key)


def approving(
    url: str, policies: Library, bank: Bank, person: int, point: int | None = None
) -> Callable[[], None]:
    """Return what approves in a process of its own, which is killed at a point."""
    points = itertools.count(1)

    def act() -> None:
        if next(points) == point:
            kill_me()

    def work() -> None:
        engine = engine_of(url, bank, policies)
        if point is not None:
            at_every_point(act)
        approve(engine, person, f"yes-{person}")
        engine.close()

    return work


def judged(engine: Engine) -> None:
    """Hold that each of the two has approved once, and that one payout was asked for."""
    payout = engine.case("a").payouts["bonus"]
    assert sorted(one.by for one in payout.approvals) == ["desk:1", "desk:2"], payout.approvals
    taken = [
        step.input.key
        for step in engine.journal("a")
        if isinstance(step.input, Event) and step.input.name == "bonus.approved" and step.verdict == "applied"
    ]
    assert sorted(str(key) for key in taken) == ["yes-1", "yes-2"], taken
    assert [one.key for one in engine.deliveries()] == ["a/bonus/all/1"]
    assert payout.paid == payout.granted


def crash(url: str, *, start: int, every: int, folder: Path) -> dict[str, int]:
    """Kill at points, and return how often, and how often the killed one had approved already."""
    policies, bank = library(), Bank(folder / "bank")
    engine_of(url, bank, policies).close()
    kills = before = 0
    for point in itertools.count(start, every):
        empty(url)
        bank.path.unlink(missing_ok=True)
        with engine_of(url, bank, policies) as engine:
            engine.open("pot", {"pot": "a"}, at=NOON, case_id="a")
            engine.send("a", "ask_bonus", by="member:1", at=NOON)
        children = [
            forked(approving(url, policies, bank, 1, point)),
            forked(approving(url, policies, bank, 2)),
        ]
        killed, _ = [ended(child) for child in children]
        with engine_of(url, bank, policies) as engine:
            steps = len(engine.journal("a"))
            for person in (1, 2):
                assert approve(engine, person, f"yes-{person}").refusal is None
            before += steps == len(engine.journal("a"))
            assert approve(engine, 1, "again").refusal is not None
            engine.deliver(NOON)
            judged(engine)
        prove(url, policies)
        assert len(bank.calls()) == 1
        if not killed:
            break
        kills += 1
    return {"points": point, "kills": kills, "approved before": before}


def main() -> int:
    """Kill, and print how often."""
    options = argparse.ArgumentParser(description="Kill one of two who approve.")
    options.add_argument("url")
    options.add_argument("--from", dest="start", type=int, default=1)
    options.add_argument("--every", type=int, default=1)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(crash(given.url, start=given.start, every=given.every, folder=Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
