"""The face for hosts: policies, cases and a clock. Cases live in memory, in this process."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from .answers import Ask, Tally, answer, decide_asking, tallied
from .calendar import tzdata_version
from .case import Case, Reason
from .deadlines import deadlines
from .errors import InvalidValue, UnknownCase
from .evolve import evolve
from .intake import floored
from .library import Library
from .literal import plain, written
from .policy import CompiledPolicy
from .step import Due, Effect, Event, Input, Open, Query, Step
from .values import Value


class Clock(Protocol):
    """Where the engine takes the time from, when the host does not pass it."""

    def now(self) -> datetime:
        """Return an aware instant."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


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


@dataclass(slots=True)
class _Held:
    """A case in memory, with what it is made of."""

    policy: CompiledPolicy
    case: Case
    journal: list[Step]
    #: What other cases may ask about it.
    tally: Tally
    keys: dict[str, tuple[Event, Sent]] = field(default_factory=dict)


class Engine:
    """Runs cases of a library's policies.

    Safe for threads: one call works at a time. Time is passed in, or read from the clock.

    Args:
        library: the policies.
        clock: where the time comes from when a call does not say.
        lookups: what the host answers, by the name of a lookup or balance: called with the question, gives plain data, or
            None where it does not know. What is not among them the engine's own cases answer.
    """

    def __init__(
        self, library: Library, *, clock: Clock | None = None, lookups: Mapping[str, Ask] | None = None
    ) -> None:
        self.library = library
        self.lookups: dict[str, Ask] = dict(lookups or {})
        self._clock = clock or SystemClock()
        self._cases: dict[str, _Held] = {}
        self._opened: dict[str, str] = {}
        self._lock = threading.RLock()

    def open(
        self,
        policy: str | None,
        facts: Mapping[str, Any],
        *,
        at: datetime | None = None,
        timezone: str | None = None,
        key: str | None = None,
        case_id: str | None = None,
        secret: bytes | None = None,
    ) -> Case:
        """Open a case and return it.

        Args:
            policy: its name, or None to let `serves` choose.
            facts: by name, as plain data or typed values.
            at: when; the clock's present where left out.
            timezone: of the case, where it is not the policy's.
            key: makes opening twice the same as opening once.
            case_id: the case's id; a random one where left out.
            secret: the key that sensitive values are committed with; a random one where left out.
        Raises:
            UnknownPolicy: no policy takes the case.
            InvalidValue: the facts are not of their declared types.
            RuleError: a rule failed, or needs a fact that is missing; no case is opened.
        """
        given = plain(facts)
        _check_texts(case_id, timezone, key)
        with self._lock:
            if key is not None and key in self._opened:
                return self._opened_before(key, policy, given)
            now = floored(at or self._clock.now())
            chosen = self.library.choose(given, now, policy)
            opening = Open(
                case_id=case_id or uuid.uuid4().hex,
                policy=chosen.ref,
                facts=given,
                timezone=timezone,
                key=key,
                recorded_at=now,
                secret=secrets.token_bytes(32) if secret is None else secret,
                tzdata=tzdata_version(),
            )
            if opening.case_id in self._cases:
                raise InvalidValue(f"there is a case `{opening.case_id}` already")
            step = self._decide(chosen, None, opening)
            case = evolve(None, step)
            held = _Held(chosen, case, [step], tallied(None, case, step))
            self._cases[held.case.id] = held
            if key is not None:
                self._opened[key] = held.case.id
            return held.case

    def send(
        self,
        case_id: str,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str,
        at: datetime | None = None,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> Sent:
        """Send an event and return what became of it; a refusal is an answer, not an exception.

        Args:
            case_id: of an open case.
            event: its name.
            data: by field, as plain data or typed values.
            by: who sends it, such as `agent:7`; what stands before the colon is the role.
            at: when it is recorded; the clock's present where left out.
            occurred_at: when it happened, where that was earlier.
            key: the same key with the same data gives the first answer again.
        Raises:
            UnknownCase: there is no such case.
            InvalidValue: the data cannot be written down (floats, foreign objects), or the key came with other data.
        """
        given = plain(data or {})
        _check_texts(event, by, key)
        with self._lock:
            held = self._held(case_id)
            now = floored(at or self._clock.now())
            arrived = Event(
                name=event,
                data=given,
                actor=by,
                role=by.partition(":")[0],
                occurred_at=floored(occurred_at or now),
                recorded_at=now,
                key=key,
                tzdata=tzdata_version(),
            )
            if key is not None and key in held.keys:
                first, answer = held.keys[key]
                if (first.name, first.data, first.actor) != (arrived.name, arrived.data, arrived.actor):
                    raise InvalidValue(f"the key `{key}` came before, with another event")
                return answer
            before = self._fire(held, now)
            step = self._step(held, arrived)
            refused = arrived if step.verdict != "applied" else None
            sent = Sent(
                step=step,
                before=before,
                case=held.case,
                deadlines=deadlines(held.policy, held.case, refused),
            )
            if key is not None:
                held.keys[key] = (arrived, sent)
            return sent

    def run_due(self, at: datetime | None = None) -> tuple[Step, ...]:
        """Fire every timer that is due by an instant, in due order in each case, and return the steps."""
        with self._lock:
            now = floored(at or self._clock.now())
            return tuple(step for held in list(self._cases.values()) for step in self._fire(held, now))

    def case(self, case_id: str) -> Case:
        """Return a case as it stands.

        Raises:
            UnknownCase: there is no such case.
        """
        return self._held(case_id).case

    def journal(self, case_id: str) -> tuple[Step, ...]:
        """Return the steps of a case, the opening first."""
        return tuple(self._held(case_id).journal)

    def policy_of(self, case_id: str) -> CompiledPolicy:
        """Return the policy that a case is pinned to."""
        return self._held(case_id).policy

    def _held(self, case_id: str) -> _Held:
        try:
            return self._cases[case_id]
        except KeyError:
            raise UnknownCase(f"there is no case `{case_id}`") from None

    def _opened_before(self, key: str, policy: str | None, facts: Mapping[str, Any]) -> Case:
        held = self._cases[self._opened[key]]
        opening = held.journal[0].input
        same = isinstance(opening, Open) and opening.facts == facts and policy in (None, opening.policy.name)
        if not same:
            raise InvalidValue(f"the key `{key}` came before, with another case")
        return held.case

    def _fire(self, held: _Held, now: datetime) -> tuple[Step, ...]:
        """Fire what is due, one after another: each step may arm or disarm the next.

        Case time never goes back, so what was due by the last step is due, however early an input says it is.
        """
        now = max(now, held.case.at)
        fired = []
        while held.case.timers and held.case.timers[0].fires_at <= now:
            timer = held.case.timers[0]
            due = Due(timer=timer.id, fires_at=timer.fires_at, fired_at=now, tzdata=tzdata_version())
            fired.append(self._step(held, due))
        return tuple(fired)

    def _step(self, held: _Held, arrived: Input) -> Step:
        step = self._decide(held.policy, held.case, arrived)
        held.case = evolve(held.case, step)
        held.journal.append(step)
        held.tally = tallied(held.tally, held.case, step)
        return step

    def _decide(self, policy: CompiledPolicy, case: Case | None, arrived: Input) -> Step:
        """Decide, answering from all other cases; none of them can change meanwhile."""

        def ask(query: Query) -> Any:
            if query.name in self.lookups:
                return self.lookups[query.name](query)
            return answer(query, (held.tally for held in self._cases.values() if held.case is not case))

        return decide_asking(policy, case, arrived, ask)


def _check_texts(*texts: str | None) -> None:
    """Refuse what a journal cannot hold."""
    for text in texts:
        written(text or "")
