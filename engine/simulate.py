"""Dry runs: one case of a scenario on a virtual clock, as a timeline that says all that happened and why.

Nothing is asked of any host here; the timeline shows what would have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from .case import Approval, Case, Clock, Left, Part, PayoutStatus, Reason
from .engine import Engine
from .errors import InvalidValue
from .evolve import evolve
from .library import Library
from .literal import read_literal
from .money import Money
from .policy import CompiledPolicy, Field, Text
from .publishing.citing import cited
from .scenario import ScenarioCase, play
from .scenario.run import open_case
from .source import Source
from .step import Answered, Due, Effect, Event, Migrate, Move, Open, Step, Trace, Verdict, unsure
from .stepping.sealing import open_to_all
from .values import Value

#: Timers that fire after the last event before a run is stopped.
BOUND: Final = 1_000

Kind = Literal["opened", "event", "breach", "remind", "wake", "migrated"]
Ending = Literal["events", "until", "quiet", "bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShown:
    """A clock that runs or is paused."""

    name: str
    #: The last second in time; None while paused.
    due: datetime | None
    left: Left | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutShown:
    """Where a payout stands."""

    name: str
    state: PayoutStatus
    granted: Money
    paid: Money
    parts: tuple[Part, ...]
    #: What approvers have said of it, in order.
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step, and what stands after it."""

    seq: int
    at: datetime
    kind: Kind
    #: Who acted, such as `agent:7`; None for what happens by itself.
    who: str | None
    #: The event's name, or the clock's.
    what: str
    #: By field, as values of the declared types; sensitive ones sealed.
    data: Mapping[str, Value]
    verdict: Verdict
    #: What it has read of other cases and of the host.
    answers: tuple[Answered, ...]
    moves: tuple[Move, ...]
    #: Leg to state, after the step.
    legs: Mapping[str, str]
    decision: Value
    reason: Reason | None
    #: The rule that was taken, or that refused.
    rule: str | None
    #: Where the rule comes from; a source that the policy does not describe is not among them.
    sources: tuple[Source, ...]
    #: For a refusal, every candidate that did not hold, with its clauses; else those taken while their conditions were unknown.
    failed: tuple[Trace, ...]
    #: Facts that would have decided it.
    missing: tuple[str, ...]
    clocks: tuple[ClockShown, ...]
    effects: tuple[Effect, ...]
    payouts: tuple[PayoutShown, ...]
    needs_human: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What stays as it is until somebody acts: a leg in its state."""

    leg: str
    state: str
    says: Text
    #: Roles that are to act.
    roles: tuple[str, ...]
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A dry run from beginning to end."""

    id: str
    name: str
    policy: CompiledPolicy
    timezone: str
    currency: str | None
    entries: tuple[Entry, ...]
    #: Why it ends: with the events, at the instant asked for, as nothing would follow, or after too many steps.
    ending: Ending
    #: The instant it ends at.
    ends_at: datetime
    waiting: tuple[Waiting, ...]
    #: Payouts that wait for details, by name, with what is missing.
    wanted: Mapping[str, tuple[str, ...]]
    #: What would come next by itself, and when; None if nothing would.
    next_timer: tuple[str, datetime] | None


def simulate(
    case: ScenarioCase,
    library: Library,
    *,
    until: datetime | None = None,
    what_if_nobody_acts: bool = False,
) -> Timeline:
    """Run a case dry.

    Args:
        case: what is known at the opening, and what arrives.
        library: the policies, of which the one that serves the case is taken.
        until: what happens later is left out. Without it the run ends with the last event or expectation.
        what_if_nobody_acts: after the last event (up to `until`, if given) let time pass until nothing more happens by
            itself.
    Raises:
        AmendsError: no policy serves the case, or what it opens with does not fit.
    """
    engine = Engine(library)
    opened = open_case(case, engine)
    play(engine, opened.id, (event for event in case.events if until is None or event.at <= until))
    last = max([case.opens_at, *(event.at for event in case.events), *(item.at for item in case.expect)])
    end = last if until is None else until
    ending: Ending = "events" if until is None or until >= last else "until"
    if what_if_nobody_acts:
        ending = _let_time_pass(engine, opened.id)
    elif end > opened.at:
        engine.run_due(end)
    return _timeline(case, engine, opened.id, ending, end)


def _let_time_pass(engine: Engine, case_id: str) -> Ending:
    """Fire what is due, at the instant it is due, until nothing is."""
    for _ in range(BOUND):
        timers = engine.case(case_id).timers
        if not timers or not engine.run_due(timers[0].fires_at):
            return "quiet"
    return "bound"


def _timeline(case: ScenarioCase, engine: Engine, case_id: str, ending: Ending, end: datetime) -> Timeline:
    policy, last = engine.policy_of(case_id), engine.case(case_id)
    timer = next(iter(last.timers), None)
    return Timeline(
        id=case.id,
        name=case.name,
        policy=policy,
        timezone=last.timezone,
        currency=last.currency,
        entries=tuple(entries(policy, engine.journal(case_id))),
        ending=ending,
        ends_at=last.at if ending in {"quiet", "bound"} else end,
        waiting=tuple(_waiting(policy, last)),
        wanted={
            name: missing
            for name, payout in last.payouts.items()
            if (missing := tuple(path for part in payout.parts for path in part.missing))
        },
        next_timer=None if timer is None else (timer.id, timer.fires_at),
    )


def entries(policy: CompiledPolicy, journal: Iterable[Step]) -> Iterator[Entry]:
    """Yield what a timeline shows of each step of a journal, from the opening on."""
    case: Case | None = None
    for step in journal:
        case = evolve(case, step)
        kind, who, what, data = _told(step, policy, case.currency)
        rule = _rule(step)
        yield Entry(
            seq=step.seq,
            at=step.at,
            kind=kind,
            who=who,
            what=what,
            data=data,
            verdict=step.verdict,
            answers=step.answers,
            moves=step.moves,
            legs=case.legs,
            decision=step.decision,
            reason=step.reason,
            rule=rule,
            sources=cited(policy, step, rule),
            failed=unsure(step)
            if step.verdict == "applied"
            else tuple(trace for trace in step.trace if trace.result != "holds"),
            missing=step.missing,
            clocks=tuple(_clocks(case.clocks)),
            effects=tuple(_effects(step)),
            payouts=tuple(
                PayoutShown(
                    name=name,
                    state=payout.state,
                    granted=payout.granted,
                    paid=payout.paid,
                    parts=payout.parts,
                    approvals=payout.approvals,
                )
                for name, payout in case.payouts.items()
            ),
            needs_human=step.changes.needs_human,
        )


def _told(
    step: Step, policy: CompiledPolicy, currency: str | None
) -> tuple[Kind, str | None, str, Mapping[str, Value]]:
    """Return what an input is, who gave it, its name and its data, without what is sensitive."""
    match step.input:
        case Open(facts=facts):
            shown = _typed(facts, policy.facts.values(), currency)
            return "opened", None, "", open_to_all(step, "input/open/facts", shown)
        case Event(name=name, data=data, actor=actor):
            declared = policy.events.get(name)
            shown = _typed(data, declared.fields if declared else (), currency)
            return "event", actor, name, open_to_all(step, "input/event/data", shown)
        case Due(timer=timer):
            kind, _, name = timer.partition(":")
            kinds: dict[str, Kind] = {"breach": "breach", "remind": "remind"}
            return kinds.get(kind, "wake"), None, name, {}
        case Migrate(policy=ref, actor=actor):
            return "migrated", actor, ref.version, {}


def _effects(step: Step) -> Iterator[Effect]:
    for index, effect in enumerate(step.effects):
        yield replace(effect, data=open_to_all(step, f"effects/{index}/data", effect.data))


def _typed(data: Mapping[str, Any], fields: Iterable[Field], currency: str | None) -> Mapping[str, Value]:
    """Return data as values of the declared types; what does not fit stays as it came."""
    types = {field.name: field.type for field in fields}
    typed = dict(data)
    for name in data.keys() & types.keys():
        # What does not fit is shown as it came: the refusal says what is wrong with it.
        with suppress(InvalidValue):
            typed[name] = read_literal(data[name], types[name], currency=currency)
    return typed


def _rule(step: Step) -> str | None:
    """Return the rule that a step is about: the reason's, else that of its first move or refusal."""
    if step.reason is not None and step.reason.rule is not None:
        return step.reason.rule
    if step.moves:
        return step.moves[0].rule
    return next((trace.rule for trace in step.trace if trace.result in {"taken", "refused", "failed"}), None)


def _clocks(clocks: Mapping[str, Clock]) -> Iterator[ClockShown]:
    for clock in clocks.values():
        if clock.status in {"running", "paused"}:
            yield ClockShown(name=clock.name, due=clock.due, left=clock.left)


def _waiting(policy: CompiledPolicy, case: Case) -> Iterator[Waiting]:
    for leg in policy.legs:
        name = case.legs.get(leg.name)
        if name is not None and (state := leg.states.get(name)) is not None:
            yield Waiting(
                leg=leg.name,
                state=name,
                says=state.says,
                roles=state.waits_for,
                final=state.final is not None,
            )
