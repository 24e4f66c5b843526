"""Many do the same at once: open and send with one key, approve a payout, and draw from one pot more than it holds.

    python -m tests.faults.race sqlite:////tmp/cases.db [--threads 8] [--processes 4] [--rounds 1000]

In each round all begin together, half of them with one case and half with another, and both cases draw from one pot. They
open their case with the same key, send a payout with the same key, ask for another that two people must approve, approve it
twice, and send a payout of their own. Those of one case must be answered with the same case and the same steps, of each case two
approvals must be taken, the payouts of both cases together must be as many as the pot has room for, and each is asked of the
host once. What the database holds is deleted.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amends.engine.engine import Engine
from amends.engine.sent import Sent
from amends.engine.store import open_store
from amends.engine.store.protocol import LostRace, Result, Store, Work
from tests.faults.children import ended, forked
from tests.faults.story import IBAN, NOON, empty, library, prove


class Counting:
    """A store that counts the races that were lost, each of which is run again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lost = 0

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Hand the work on."""
        try:
            return self.store.transact(work, reads=reads)
        except LostRace:
            self.lost += 1
            raise

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def race(engine: Engine, me: int, size: str, rounds: int, begin: Callable[[], object]) -> list[Any]:
    """Take part in all rounds, and return what I was answered: the case, the shared steps, which draws were granted."""
    told = []

    def send(case_id: str, event: str, key: str, by: str = "member", amount: str | None = None) -> Sent:
        data = {} if amount is None else {"amount": amount}
        return engine.send(case_id, event, data, by=by, at=NOON, key=key)

    for index in range(rounds):
        facts = {"size": size, "account": IBAN, "pot": f"pot-{index}"}
        begin()
        case = engine.open("pot", facts, at=NOON, key=f"round-{index}-{me % 2}")
        shared = send(case.id, "draw", "shared", amount="10.00")
        bonus = send(case.id, "ask_bonus", "bonus")
        yes, again = (
            send(case.id, "bonus.approved", f"{word}-{me}", by=f"desk:{me}") for word in ("yes", "again")
        )
        mine = send(case.id, "draw", f"own-{me}", amount="10.00")
        seen = [case.id, *(one.case.head for one in (shared, bonus))]
        told.append([seen, *(one.refusal is None for one in (shared, mine, yes, again))])
    return told


def in_threads(url: str, many: int, size: str, rounds: int, report: Callable[[int, Any], object]) -> None:
    """Race in threads that share an engine."""
    store = Counting(open_store(url))
    engine = Engine(library(), store)
    barrier = threading.Barrier(many)

    def run(me: int) -> None:
        try:
            told = race(engine, me, size, rounds, barrier.wait)
        except BaseException:
            barrier.abort()
            raise
        report(me, {"told": told, "lost": store.lost if me == 0 else 0})

    threads = [threading.Thread(target=run, args=(me,)) for me in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()


def in_processes(url: str, many: int, size: str, rounds: int, report: Callable[[int, Any], object]) -> None:
    """Race in processes, each with an engine of its own."""
    barrier = multiprocessing.get_context("fork").Barrier(many)

    def run(me: int) -> None:
        store = Counting(open_store(url))
        engine = Engine(library(), store)
        try:
            told = race(engine, me, size, rounds, barrier.wait)
        except BaseException:
            barrier.abort()
            raise
        report(me, {"told": told, "lost": store.lost})
        engine.close()

    children = [forked(lambda me=me: run(me)) for me in range(many)]  # type: ignore[misc]
    for child in children:
        ended(child)


def judged(told: list[list[Any]], room: int) -> None:
    """Compare what all were answered, round by round."""
    for answers in zip(*told, strict=True):
        shared = 0
        for side in (answers[::2], answers[1::2]):
            assert all(answer[:2] == side[0][:2] for answer in side), side
            shared += side[0][1]
            # Two must approve: so many approvals are taken, of two people, and nobody's twice.
            assert (sum(answer[3] for answer in side), sum(answer[4] for answer in side)) == (2, 0), side
        assert shared + sum(answer[2] for answer in answers) == room, answers


def main() -> int:
    """Race, and print what came of it."""
    options = argparse.ArgumentParser(description="Race for one case.")
    options.add_argument("url")
    options.add_argument("--threads", type=int, default=0)
    options.add_argument("--processes", type=int, default=0)
    options.add_argument("--rounds", type=int, default=1000)
    given = options.parse_args()
    many = given.threads or given.processes
    room = many // 2 + 2
    Engine(library(), given.url).close()
    empty(given.url)
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder) / str(me) for me in range(many)]
        racing = in_threads if given.threads else in_processes
        racing(
            given.url,
            many,
            f"{10 * room}.00",
            given.rounds,
            lambda me, report: reports[me].write_text(json.dumps(report), encoding="utf-8"),
        )
        found = [json.loads(report.read_text(encoding="utf-8")) for report in reports]
    judged([one["told"] for one in found], room)
    proved = prove(given.url, library())
    assert proved.cases == 2 * given.rounds
    kinds = Counter(key.split("/")[1] for key in proved.effects)
    assert kinds == {"share": room * given.rounds, "bonus": 2 * given.rounds}, kinds
    figures = {
        "rounds": given.rounds,
        "racers": many,
        "steps": proved.steps,
        "conflicts": sum(one["lost"] for one in found),
        "replays": given.rounds * (many - 2) * 3,
        "payouts": len(proved.effects),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
