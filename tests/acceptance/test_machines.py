"""Two state machines run every policy that ships, by events that fit and events that do not, at any time.

One follows a case through and out of every scenario; the other runs several cases in one engine at once, with keys that
come twice. They say what they reached, and whatever a policy declares and no case ever comes to fails them. Each law that
they hold a case to is itself tried, on a case that breaks it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.errors import InvalidValue, RuleError
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of, vault_of
from amends.engine.verify import digests, verify

if TYPE_CHECKING:
    from tests.acceptance.machines import Reached, Seed, World


def load(name: str) -> Any:
    """Return a module that stands beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


M = load("machines")
LAWS = load("laws")
SECRET = bytes(32)
#: Most timers that may fire before a case is at rest.
BOUND = 200


#: What an overlay has from its base and no case can come to: outside the US there is no longer guarantee.
NEVER = dict.fromkeys(("tiktok_shop.id", "tiktok_shop.th"), ("guaranteed in start",))


@dataclass
class Run:
    """A case in an engine, watched."""

    world: World
    reached: Reached
    engine: Engine
    id: str
    looked_at: int = 0
    before: Case | None = None

    @property
    def case(self) -> Case:
        """The case as it stands."""
        return self.engine.case(self.id)

    def look(self) -> None:
        """Hold every step since the last look to the laws, and note what it reached."""
        now = self.case
        for step in self.engine.journal(self.id)[self.looked_at :]:
            after = now if step.seq == now.seq else evolve(self.before, step)
            LAWS.hold(self.world.policy, self.before, step, after)
            self.reached.add(self.before, step, after)
            self.looked_at, self.before = self.looked_at + 1, after

    def send(self, name: str, data: Any, by: str, at: datetime, **more: Any) -> None:
        """Send an event, at an instant that is not before the case's."""
        self.engine.send(self.id, name, data, by=by, at=M.now_of(max(at, self.case.at)), **more)

    def rest(self) -> None:
        """Let time pass until nothing moves by itself."""
        for _ in range(BOUND):
            timers = self.case.timers
            if not timers or timers[0].fires_at.year > 2200:
                break
            self.engine.run_due(timers[0].fires_at)
        else:
            pytest.fail(f"{BOUND} timers fired, and the case is not at rest")
        self.look()
        if not self.case.timers:
            LAWS.rests(self.world.policy, self.case)

    def decide_again(self) -> None:
        """Decide the whole journal again: it is the same to the byte."""
        journal = self.engine.journal(self.id)
        entries = [entry_of(step) for step in journal]
        vault = {key: value for step in journal for key, value in vault_of(step).items()}
        verified = verify(self.world.policy, entries, digests(entries), vault=vault, secret=SECRET)
        assert verified.decided == len(entries)
        assert verified.case.head == self.case.head


def opened(world: World, reached: Reached, engine: Engine, seed: Seed, facts: Any, **more: Any) -> Run | None:
    """Open a case, or return None where its facts do not go together."""
    try:
        case = engine.open(world.name, facts, at=M.now_of(seed.opens_at), secret=SECRET, **more)
    except (InvalidValue, RuleError):
        return None
    run = Run(world, reached, engine, case.id)
    run.look()
    return run


def has_more(machine: OneCase) -> bool:
    """Tell whether the scenario goes on."""
    return bool(machine.rest)


class OneCase(RuleBasedStateMachine):
    """Follows a scenario so far as it likes, and goes on by itself."""

    world: ClassVar[World]
    seed: ClassVar[Seed]
    reached: ClassVar[Reached]

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Open the case and send what the scenario sends, all of it or but the last few events."""
        left_out = data.draw(st.integers(0, len(self.seed.events)))
        engine = Engine(self.world.library)
        facts = dict(self.seed.facts)
        if left_out and data.draw(st.booleans()):
            fact = self.world.policy.facts[data.draw(st.sampled_from(sorted(self.world.policy.facts)))]
            facts[fact.name] = data.draw(M.of_type(self.world, fact.type))
        run = opened(self.world, self.reached, engine, self.seed, facts)
        run = run or opened(self.world, self.reached, engine, self.seed, self.seed.facts)
        assert run is not None, self.seed.id
        self.run = run
        self.rest = list(self.seed.events)
        for _ in range(len(self.rest) - left_out):
            self.follow()
        if not left_out:
            engine.run_due(M.now_of(max(self.seed.ends_at, self.run.case.at)))
            self.run.look()

    @precondition(has_more)
    @rule()
    def follow(self) -> None:
        """Send the scenario's next event, when it is sent there or later."""
        event = self.rest.pop(0)
        self.run.send(event.name, event.data, event.actor, event.at, occurred_at=event.occurred_at)
        self.run.look()

    @rule(data=st.data())
    def fits(self, data: st.DataObject) -> None:
        """Send something that may be taken here, by one who may send it."""
        if names := M.listened_to(self.world, self.run.case):
            name = data.draw(st.sampled_from(names))
            by = data.draw(st.sampled_from(M.roles_of(self.world.policy, name)))
            self.run.send(
                name,
                data.draw(M.data_of(self.world.name, name)),
                by,
                self.run.case.at + data.draw(M.offsets(self.run.case)),
            )
            self.run.look()

    @rule(data=st.data())
    def does_not_fit(self, data: st.DataObject) -> None:
        """Send anything, by anybody."""
        policy = self.world.policy
        name = data.draw(
            st.sampled_from([*sorted(policy.events), "nothing", *(f"{p}.failed" for p in policy.payouts)])
        )
        by = data.draw(st.sampled_from([*sorted(policy.roles), "host", "nobody", "buyer:7"]))
        sent = data.draw(
            M.data_of(self.world.name, name) | st.sampled_from([{}, {"amount": "much"}, {"x": [None]}])
        )
        self.run.send(name, sent, by, self.run.case.at + data.draw(M.offsets(self.run.case)))
        self.run.look()

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        """Let what is due fire, late or on the second."""
        self.run.engine.run_due(M.now_of(self.run.case.at + data.draw(M.offsets(self.run.case))))
        self.run.look()

    def teardown(self) -> None:
        """Let the case come to rest, and believe its journal."""
        if hasattr(self, "run"):
            self.run.rest()
            self.run.decide_again()


class SeveralCases(RuleBasedStateMachine):
    """Runs several cases of one policy in one engine, turn by turn, and sends some things twice."""

    world: ClassVar[World]
    seeds: ClassVar[tuple[Seed, ...]]
    reached: ClassVar[Reached]

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(self.world.library)
        self.runs: list[tuple[Run, list[Any]]] = []
        self.sent = 0

    @initialize()
    def begin(self) -> None:
        """Open every case, each twice under one key."""
        for number, seed in enumerate(self.seeds):
            run = opened(
                self.world,
                self.reached,
                self.engine,
                seed,
                seed.facts,
                key=f"k{number}",
                case_id=f"c{number}",
            )
            assert run is not None, seed.id
            assert (
                self.engine.open(self.world.name, seed.facts, at=M.now_of(seed.opens_at), key=f"k{number}").id
                == run.id
            )
            self.runs.append((run, list(seed.events)))

    @rule(turns=st.lists(st.integers(0, 7), min_size=1, max_size=6))
    def follow(self, turns: list[int]) -> None:
        """Send the next events of some of the cases, each twice under one key."""
        for turn in turns:
            run, rest = self.runs[turn % len(self.runs)]
            if rest:
                self.twice(run, rest.pop(0))

    def twice(self, run: Run, event: Any) -> None:
        """Send an event and send it again: the second answer is the first, and nothing moves."""
        self.sent += 1
        more = {"key": f"e{self.sent}", "occurred_at": event.occurred_at}
        run.send(event.name, event.data, event.actor, event.at, **more)
        run.look()
        seen, others = run.looked_at, [other.case for other, _ in self.runs if other is not run]
        run.send(event.name, event.data, event.actor, event.at + timedelta(days=1), **more)
        run.look()
        assert run.looked_at == seen
        assert others == [other.case for other, _ in self.runs if other is not run]

    @rule(data=st.data(), turn=st.integers(0, 7))
    def fits(self, data: st.DataObject, turn: int) -> None:
        """Send one of the cases something that may be taken there."""
        run, _ = self.runs[turn % len(self.runs)]
        if names := M.listened_to(self.world, run.case):
            name = data.draw(st.sampled_from(names))
            by = data.draw(st.sampled_from(M.roles_of(self.world.policy, name)))
            run.send(
                name,
                data.draw(M.data_of(self.world.name, name)),
                by,
                run.case.at + data.draw(M.offsets(run.case)),
            )
            run.look()

    @rule(data=st.data(), turn=st.integers(0, 7))
    def time_passes(self, data: st.DataObject, turn: int) -> None:
        """Let what is due in any of the cases fire: a case that is ahead of the others stays where it is."""
        case = self.runs[turn % len(self.runs)][0].case
        self.engine.run_due(M.now_of(case.at + data.draw(M.offsets(case))))
        for run, _ in self.runs:
            run.look()

    def teardown(self) -> None:
        """Bring every scenario to its end, turn by turn, and let every case come to rest."""
        while any(rest for _, rest in self.runs):
            for run, rest in self.runs:
                if rest:
                    self.twice(run, rest.pop(0))
        for run, _ in self.runs:
            run.rest()
            for other, _ in self.runs:
                other.look()
        for run, _ in self.runs:
            run.decide_again()


def options(*, long: bool) -> settings:
    """Return how far the machines look: the suite always in the same way, `long` elsewhere each time."""
    return settings(
        max_examples=60 if long else 2,
        stateful_step_count=25 if long else 6,
        derandomize=not long,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def run_one(world: World, *, long: bool) -> Reached:
    """Run every scenario of a policy by the first machine."""
    reached: Reached = M.Reached(world.policy)
    for seed in world.seeds:
        machine = type("OneCase", (OneCase,), {"world": world, "seed": seed, "reached": reached})
        run_state_machine_as_test(machine, settings=options(long=long))
    return reached


def run_several(world: World, *, long: bool) -> Reached:
    """Run the scenarios of a policy, four at once, by the second machine."""
    reached: Reached = M.Reached(world.policy)
    for first in range(0, len(world.seeds), 4):
        seeds = world.seeds[first : first + 4]
        machine = type("SeveralCases", (SeveralCases,), {"world": world, "seeds": seeds, "reached": reached})
        run_state_machine_as_test(machine, settings=options(long=long))
    return reached


@pytest.mark.parametrize("name", M.names())
@pytest.mark.parametrize("run", [run_one, run_several], ids=["one_case", "several_cases"])
def test_every_state_and_transition_is_reached_and_every_law_holds(
    run: Callable[..., Reached], name: str
) -> None:
    reached = run(M.world_of(name), long=False)
    print(reached.told())  # noqa: T201 - a report
    assert reached.missing() == list(NEVER.get(name, ()))


@pytest.mark.long
@pytest.mark.parametrize("name", M.names())
@pytest.mark.parametrize("run", [run_one, run_several], ids=["one_case", "several_cases"])
def test_every_law_holds_wherever_cases_go(run: Callable[..., Reached], name: str) -> None:
    reached = run(M.world_of(name), long=True)
    print(reached.told())  # noqa: T201 - a report
    assert reached.missing() == list(NEVER.get(name, ()))


def test_every_policy_that_ships_is_run() -> None:
    assert (
        {name.partition(".")[0] for name in M.names()}
        == {*LAWS.CAME_IN}
        >= {folder.name for folder in M.FOLDERS}
    )
