"""A tiny policy a test, run by an engine whose time the test passes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest

from amends.engine.calendar import zone
from amends.engine.case import Case, Clock, PolicyRef
from amends.engine.compile import compile_policy
from amends.engine.decide import decide
from amends.engine.document import read_text
from amends.engine.engine import Engine
from amends.engine.evolve import evolve, rebuild
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.schema import check_document
from amends.engine.sent import Sent
from amends.engine.step import Due, Step

HEAD = """
amends: 1
policy: clocks
version: 1
timezone: ZONE
roles: [agent, client]
reasons: {too_late: Too late., too_soon: Too soon., enough: No further extension.}
"""


@lru_cache
def compiled(text: str) -> CompiledPolicy:
    node, problems = read_text(text, "policy.yaml")
    assert node is not None
    assert not problems, problems
    # What the checks of the flow say of these tiny policies is not asked here.
    ref = PolicyRef(name="clocks", version="1", bundle="", model="")
    policy, found = compile_policy(node, ref, {}, shapely=False)
    found = (*check_document(node, "policy"), *found)
    assert policy is not None, [f"{item.place}: {item.message}" for item in found]
    return policy


@dataclass
class Play:
    """One case of a policy; instants are local text such as `2026-03-02 09:30`, of the case's zone."""

    text: str
    zone: str = "America/New_York"
    engine: Engine = field(init=False)
    case_id: str = "case"

    def __post_init__(self) -> None:
        self.engine = Engine(Library(policies=(compiled(HEAD.replace("ZONE", self.zone) + self.text),)))

    @property
    def case(self) -> Case:
        return self.engine.case(self.case_id)

    @property
    def policy(self) -> CompiledPolicy:
        return self.engine.policy_of(self.case_id)

    @property
    def state(self) -> str:
        return self.case.state

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.engine.journal(self.case_id)

    def open(self, at: str, facts: Mapping[str, Any] | None = None, **more: Any) -> Play:
        instant = self.at(at, more.get("timezone"))
        self.engine.open("clocks", facts or {}, at=instant, case_id=self.case_id, **more)
        return self

    def send(self, at: str, event: str, data: Mapping[str, Any] | None = None, **more: Any) -> Sent:
        if "occurred_at" in more:
            more["occurred_at"] = self.at(more["occurred_at"])
        return self.engine.send(
            self.case_id, event, data, by=more.pop("by", "agent:1"), at=self.at(at), **more
        )

    def run(self, at: str) -> tuple[Step, ...]:
        return self.engine.run_due(self.at(at))

    def at(self, text: str, zone_name: str | None = None) -> datetime:
        """Return an instant: with an offset as it says, else by the wall clock of New York or of the case."""
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant
        name = zone_name or (self.case.timezone if self.engine.cases().cases else "America/New_York")
        return instant.replace(tzinfo=zone(name))

    def local(self, instant: datetime | None, zone_name: str | None = None) -> str | None:
        """Return an instant as its local text, to the second."""
        if instant is None:
            return None
        return instant.astimezone(zone(zone_name or self.case.timezone)).strftime("%Y-%m-%d %H:%M:%S")

    def clock(self, name: str) -> Clock:
        return next(clock for clock in self.case.clocks.values() if clock.name == name)

    def due(self, name: str) -> str | None:
        return self.local(self.clock(name).due)

    def armed(self) -> list[tuple[str, str | None]]:
        """Return every timer with its instant."""
        return [(timer.id, self.local(timer.fires_at)) for timer in self.case.timers]

    def told(self) -> list[tuple[str, str | None]]:
        """Return every step after the opening: what came, and when it took place."""
        return [
            (step.input.timer if isinstance(step.input, Due) else step.input.name, self.local(step.at))  # type: ignore[union-attr] # only the first opens
            for step in self.steps[1:]
        ]

    def verify(self) -> None:
        """Hold the journal to what a replay of it gives."""
        case = None
        for step in self.steps:
            assert decide(self.policy, case, step.input) == step
            case = evolve(case, step)
        assert rebuild(self.steps) == self.case


@pytest.fixture(scope="session")
def play() -> Callable[[str], Play]:
    """Return what makes a case of a policy's text."""
    return Play
