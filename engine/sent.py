"""What a host sends, and what it is told became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .case import Case, Reason
from .step import Effect, Step
from .values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """An event to be sent with others; the fields are the arguments of `Engine.send`."""

    case_id: str
    event: str
    data: Mapping[str, Any] | None = None
    by: str
    at: datetime | None = None
    occurred_at: datetime | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of an event: its step, the timers that fired before it, and the case after it."""

    step: Step
    #: Steps of timers that were due first. They stand even where the event is refused.
    before: tuple[Step, ...]
    case: Case
    #: Clocks, windows and named moments, by name; None while unknown or paused.
    deadlines: Mapping[str, datetime | None]

    @property
    def state(self) -> str:
        """Where the case stands now."""
        return self.case.state

    @property
    def decision(self) -> Value:
        """The decision that this event led to, or None."""
        return self.step.decision

    @property
    def reason(self) -> Reason | None:
        """Why, as a code with the values of its sentence."""
        return self.step.reason

    @property
    def refusal(self) -> Reason | None:
        """Why the event moved nothing; None where it was taken."""
        return None if self.step.verdict == "applied" else self.step.reason

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the host has to do, the effects of `before` included."""
        return tuple(effect for step in (*self.before, self.step) for effect in step.effects)
