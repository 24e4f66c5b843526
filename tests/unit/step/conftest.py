"""Small policies from text, and cases of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amends.engine.case import Case
from amends.engine.decide import decide
from amends.engine.engine import Engine
from amends.engine.evolve import evolve
from amends.engine.library import Library
from amends.engine.literal import plain
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, open_bundle
from amends.engine.step import Due, Event, Open, Step

HEADER = "amends: 1\npolicy: small\nversion: v1\n"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = b"k" * 32


class Play:
    """A case of a policy, driven by the pure functions alone."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self.steps: list[Step] = []
        self.case: Case | None = None

    def take(self, arrived: Open | Event | Due) -> Step:
        """Decide, evolve, and keep the step."""
        step = decide(self.policy, self.case, arrived)
        assert isinstance(step, Step)
        self.case = evolve(self.case, step)
        self.steps.append(step)
        return step

    def open(self, facts: dict[str, Any] | None = None, *, at: datetime = NOON, **more: Any) -> Step:
        """Open the case `c`."""
        opening = {"case_id": "c", "policy": self.policy.ref, "secret": SECRET, **more}
        return self.take(Open(facts=plain(facts or {}), recorded_at=at, **opening))

    def send(
        self,
        name: str,
        data: dict[str, Any] | None = None,
        *,
        by: str = "user:1",
        at: datetime = NOON,
        occurred_at: datetime | None = None,
    ) -> Step:
        """Send an event after firing what is due before it."""
        self.wait(at)
        return self.take(
            Event(
                name=name,
                data=plain(data or {}),
                actor=by,
                role=by.partition(":")[0],
                occurred_at=occurred_at or at,
                recorded_at=at,
            )
        )

    def wait(self, until: datetime) -> list[Step]:
        """Fire every timer up to an instant."""
        fired: list[Step] = []
        while (step := self.fire(until)) is not None:
            fired.append(step)
            assert len(fired) < 50, "timers without end"
        return fired

    def fire(self, until: datetime) -> Step | None:
        """Fire the first timer up to an instant."""
        until = max(until, self.now.at)
        if not self.now.timers or self.now.timers[0].fires_at > until:
            return None
        timer = self.now.timers[0]
        return self.take(Due(timer=timer.id, fires_at=timer.fires_at, fired_at=until))

    def follow(self, step: Step) -> None:
        """Evolve by a step that was decided before."""
        self.case = evolve(self.case, step)
        self.steps.append(step)

    @property
    def now(self) -> Case:
        """The case as it stands."""
        assert self.case is not None
        return self.case


@cache
def policy_of(text: str) -> CompiledPolicy:
    """Return the policy that a text holds; identity and version are put before it."""
    return open_bundle(Bundle(texts=(HEADER + text,), holidays={}))


@pytest.fixture(scope="session")
def unopened() -> Callable[[str], Play]:
    """Return a maker of cases that are not open yet, of a policy's text."""
    return lambda text: Play(policy_of(text))


@pytest.fixture(scope="session")
def play() -> Callable[..., Play]:
    """Return a maker of cases: of a policy's text, opened with some facts."""

    def of(text: str, facts: dict[str, Any] | None = None, **more: Any) -> Play:
        made = Play(policy_of(text))
        made.open(facts, **more)
        return made

    return of


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[str], Engine]:
    """Return a maker of engines that serve the policy of a text."""

    def of(text: str) -> Engine:
        (tmp_path / "small.yaml").write_text(HEADER + text, encoding="utf-8")
        library = Library.load(tmp_path)
        assert [found for found in library.diagnostics if found.severity == "error"] == []
        return Engine(library)

    return of
