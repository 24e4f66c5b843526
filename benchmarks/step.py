"""What a step in memory costs, with all its reasons, beside a bare transition of the package that runs the moves.

    python benchmarks/step.py [--rounds N] [--profile NAME]

An event arrives that two candidates listen to; the second one holds, and moves the case to another state, sets a fact, starts
a clock and asks the host for something. What is compared:

- bare: the package transitions alone: a trigger whose first transition has a condition that fails and whose second has one
  that passes, on a model with one attribute. It keeps no data, no time and no reasons.
- decide: the pure function: the step with its trace, changes, timers and effects.
- step: that, its journal entry with its digest, and the case after it.
- send: `Engine.send`, with cases in this process's memory.

Rounds are interleaved, and medians are compared; `--profile` runs one of them alone under cProfile.
"""

from __future__ import annotations

import argparse
import cProfile
import statistics
import sys
import tempfile
import time
import timeit
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from transitions import Machine

from amends.engine.calendar import tzdata_version
from amends.engine.decide import decide
from amends.engine.durable.session import Limits
from amends.engine.engine import Engine
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.step import Event, Step

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
    on:
      move:
        - {when: move.grams < 0, to: here}
        - {when: move.grams >= 0, set: {weight: move.grams}, to: there, do: [{letter: {to: =move.place}}]}
  there:
    sla: {resting: {due: 30 days, breach: {to: here}}}
    on:
      move:
        - {when: move.grams < 0, to: there}
        - {when: move.grams >= 0, set: {weight: move.grams}, to: here, do: [{letter: {to: =move.place}}]}
"""
DATA = {"grams": 700, "place": "the second shelf on the left"}


class Parcel:
    """The model of the bare machine."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = "here"


def bare() -> tuple[Any, Parcel]:
    """Return what triggers the event of the bare machine, and a model."""
    machine = Machine(
        model=None, states=["here", "there"], initial="here", auto_transitions=False, send_event=True
    )
    for source, target in (("here", "there"), ("there", "here")):
        machine.add_transition("move", source, source, conditions=lambda event: event.kwargs["grams"] < 0)
        machine.add_transition("move", source, target, conditions=lambda event: event.kwargs["grams"] >= 0)
    return machine.events["move"].trigger, Parcel()


def contenders(policy: Path) -> dict[str, timeit.Timer]:
    """Return everything that is measured, by name; the first is what the others are compared with."""
    library = Library.load(policy)
    (compiled,) = library.policies
    case = Engine(library).open("parcel", {}, at=NOON, case_id="parcel-1")
    event = Event(
        name="move",
        data=DATA,
        actor="clerk:7",
        role="clerk",
        occurred_at=NOON,
        recorded_at=NOON,
        tzdata=tzdata_version(),
    )
    trigger, model = bare()

    def decided() -> Step:
        return cast("Step", decide(compiled, case, event))

    def stepped() -> Any:
        step = decided()
        return evolve(case, step, entry_of(step))

    engine = Engine(library, limits=Limits(steps=10**9))
    engine.open("parcel", {}, at=NOON, case_id="parcel-1")

    def sent() -> Any:
        return engine.send("parcel-1", "move", DATA, by="clerk:7", at=NOON)

    running = {
        "bare": lambda: trigger(model, grams=700),
        "decide": decided,
        "step": stepped,
        "send": sent,
    }
    return {word: timeit.Timer(work, timer=time.thread_time) for word, work in running.items()}


def main() -> int:
    """Measure, and print medians and ratios."""
    options = argparse.ArgumentParser(description="What a step in memory costs.")
    options.add_argument("--rounds", type=int, default=51)
    options.add_argument("--profile", help="such as `step`")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "parcel.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        running = contenders(policy)
    if given.profile:
        timer = running[given.profile]
        timer.timeit(100)
        cProfile.runctx("timer.timeit(5000)", globals(), locals(), sort="tottime")
        return 0
    times = {word: max(1, int(0.02 / (timer.timeit(20) / 20))) for word, timer in running.items()}
    rounds: dict[str, list[float]] = {word: [] for word in running}
    for _ in range(given.rounds):
        for word, timer in running.items():
            rounds[word].append(timer.timeit(times[word]) / times[word])
    print(f"one step; Python {sys.version.split()[0]}, medians of {given.rounds} interleaved rounds")
    for word, measured in rounds.items():
        ratio = statistics.median(base / mine for mine, base in zip(measured, rounds["bare"], strict=True))
        print(
            f"{word:>8}  {statistics.median(measured) * 1e6:8.1f} µs  {ratio:6.3f} × the speed of a bare one"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
