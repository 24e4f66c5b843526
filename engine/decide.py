"""The pure step: what one input does to a case. Spec: docs/semantics.md.

No clock, randomness or I/O is read: same policy, case and input, same step, to the byte.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from . import payout, sla
from .calendar import zone_names
from .case import MAIN, Case, Reason, Timer
from .choose import Chosen, choose
from .diagnostics import did_you_mean
from .errors import InvalidValue, OutOfOrder, RuleError
from .journal import commitments
from .literal import Misfit, read_literal
from .machine import machines
from .moment import Finished, evaluate_moment, opening
from .policy import Action, Ask, Candidate, CompiledPolicy, Escalation, Outcome
from .policy import Event as EventRule
from .step import REFUSED, Changes, Due, Event, Input, Move, Needs, Open, Query, Step
from .types import OptionalType, required
from .values import Sealed, Value
from .wake import next_change
from .work import MissingFacts, Work

#: More moves than these in one step mean that a policy goes in circles.
MICRO_MOVES: Final = 100

Answers = Mapping[Query, Any]


def decide(
    policy: CompiledPolicy, case: Case | None, arrived: Input, answers: Answers | None = None
) -> Step | Needs:
    """Return the step that an input makes.

    Args:
        policy: what the case is pinned to.
        case: the case before it, or None for an opening.
        arrived: the opening, an event, or a timer that passed.
        answers: to the questions that an earlier call returned as `Needs`.
    Raises:
        InvalidValue: an opening whose facts are not of their types.
        OutOfOrder: a timer that was due before the input has not fired yet.
    """
    match arrived:
        case Open():
            return _opening(policy, arrived)
        case Event():
            return _event(policy, _there(case), arrived)
        case Due():
            return _due(policy, _there(case), arrived)


def _there(case: Case | None) -> Case:
    if case is None:
        raise OutOfOrder("a case begins with its opening")
    return case


# --- the three inputs ---------------------------------------------------------------------------------------------------


def _opening(policy: CompiledPolicy, opening: Open) -> Step:
    now = _floored(opening.recorded_at)
    facts, currency = read_facts(policy, opening.facts)
    if opening.timezone is not None:
        facts["timezone"] = opening.timezone
    blank = Case(
        id=opening.case_id,
        policy=opening.policy,
        seq=-1,
        at=now,
        legs={},
        facts=facts,
        clocks={},
        payouts={},
        timers=(),
        timezone="UTC",
        currency=currency,
        secret=opening.secret,
    )
    zone_name = _zone_of(policy, Work(policy, blank, now))
    case = replace(blank, timezone=zone_name)
    steps = _Steps(policy, case, opening, now)
    return steps.open()


def read_facts(policy: CompiledPolicy, facts: Mapping[str, Any]) -> tuple[dict[str, Value], str | None]:
    """Return the facts that a case opens with, of their types and with defaults, and the case's currency.

    Raises:
        Misfit: a fact is not declared, not of its type, or missing; `path` begins with its name.
    """
    for name in facts:
        if name not in policy.facts:
            hint = did_you_mean(name, policy.facts)
            raise Misfit(f"the policy `{policy.ref.name}` has no fact `{name[:60]}`", (name,), hint)
    given = {name: value for name, value in facts.items() if value is not None}
    currency = given.get("currency")
    if currency is None and policy.currency is not None:
        # The currency may be computed, from facts that are no amounts.
        plain = {n: v for n, v in given.items() if n in policy.facts and not _holds_money(policy, n)}
        currency = _early(policy, _typed(policy, plain, None, partial=True)).demand(policy.currency)
    found = _typed(policy, given, currency, partial=False)
    work = _early(policy, found)
    for name, rule in policy.facts.items():
        if name not in found and rule.default is not None:
            found[name] = work.demand(rule.default)
    return found, currency


def _holds_money(policy: CompiledPolicy, name: str) -> bool:
    return "money" in repr(policy.facts[name].type).lower()


def _early(policy: CompiledPolicy, facts: Mapping[str, Value]) -> Work:
    """Return a working copy in which expressions can be evaluated before there is a case."""
    at = datetime(1, 1, 1, tzinfo=UTC)
    case = Case(
        id="",
        policy=policy.ref,
        seq=-1,
        at=at,
        legs={},
        facts=facts,
        clocks={},
        payouts={},
        timers=(),
        timezone="UTC",
        currency=None,
    )
    return Work(policy, case, at)


def _typed(
    policy: CompiledPolicy, facts: Mapping[str, Any], currency: str | None, *, partial: bool
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, rule in policy.facts.items():
        if name in facts:
            found[name] = read_literal(facts[name], rule.type, currency=currency, path=(name,))
        elif not partial and rule.default is None and not isinstance(rule.type, OptionalType):
            raise Misfit(f"the fact `{name}` is missing", (name,), "give it when the case is opened")
    return found


def _zone_of(policy: CompiledPolicy, work: Work) -> str:
    given = work.facts.get("timezone")
    name = given if given is not None else work.demand(policy.timezone)
    if name not in zone_names():
        raise Misfit(f"`{name[:60]}` is not a time zone", ("timezone",), did_you_mean(name, zone_names()))
    return str(name)


def _event(policy: CompiledPolicy, case: Case, event: Event) -> Step:
    now = _in_order(case, event.recorded_at)
    steps = _Steps(policy, case, event, now)
    return steps.event(event)


def _due(policy: CompiledPolicy, case: Case, due: Due) -> Step:
    timer = next((timer for timer in case.timers if timer.id == due.timer), None)
    if timer is None or timer.fires_at != due.fires_at:
        raise OutOfOrder(f"the case has no timer `{due.timer}` for that instant")
    if timer != case.timers[0]:
        raise OutOfOrder(f"the timer `{case.timers[0].id}` fires first")
    steps = _Steps(policy, case, due, max(case.at, due.fires_at))
    return steps.due(due.timer)


def _in_order(case: Case, recorded_at: datetime) -> datetime:
    """Return the instant of a step: case time never goes back."""
    now = max(case.at, _floored(recorded_at))
    if case.timers and case.timers[0].fires_at <= now:
        raise OutOfOrder(f"the timer `{case.timers[0].id}` was due before, and has not fired")
    return now


def _floored(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise InvalidValue("an instant needs an offset; pass an aware datetime")
    return instant.astimezone(UTC).replace(microsecond=0)


# --- one step -----------------------------------------------------------------------------------------------------------


class _Refused(Exception):  # noqa: N818 - it ends a step, and never leaves this module
    """The step moves nothing, for a reason."""

    def __init__(self, reason: Reason, decision: Value = REFUSED) -> None:
        self.reason = reason
        self.decision = decision


class _Undecided(Exception):  # noqa: N818 - likewise
    """Facts are missing that the step turns on."""

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = tuple(sorted(missing))


class _Steps:
    """Makes one step: what `leave`, `act` and `arrive_in` do to the working copy is what the move does to the case."""

    def __init__(self, policy: CompiledPolicy, case: Case, arrived: Input, now: datetime) -> None:
        self.policy = policy
        self.case = case
        self.arrived = arrived
        self.work = Work(policy, case, now)
        self.machines = machines(policy)
        self.states = {leg.name: leg.states for leg in policy.legs}
        self.rule = ""
        self.sources: tuple[str, ...] = ()
        self.moved = 0
        self.holding = case.holding

    # --- what a move does, called by the machine ----------------------------------------------------------------------

    def leave(self, leg: str, state: str) -> None:
        """End the clocks of a state, and run its exit actions."""
        sla.leave_state(self.work, leg, state)
        self.run(self.states[leg][state].exit)

    def act(self, outcome: Outcome) -> None:
        """State decision and reason, set facts, run actions; everything reads what was before."""
        work = self.work
        if outcome.decision is not None:
            work.decision = work.demand(outcome.decision)
        if outcome.reason is not None:
            work.reason = work.because(work.demand(outcome.reason), self.rule, self.sources)
        values = [(name, None if term is None else work.demand(term)) for name, term in outcome.sets]
        for name, value in values:
            if value is None:
                work.facts.pop(name, None)
            else:
                work.facts[name] = value
        work.changed()
        self.run(outcome.do)
        for role in outcome.alarm:
            work.ask("alarm", {"to": role, "rule": self.rule})

    def arrive_in(self, leg: str, state: str) -> None:
        """Start the clocks of a state, and run its enter actions."""
        self.work.legs[leg] = state
        self.work.changed()
        sla.enter_state(self.work, leg, state)
        self.run(self.states[leg][state].enter)

    def run(self, actions: Iterable[Action]) -> None:
        """Run actions in order."""
        for action in actions:
            if isinstance(action, Ask):
                data = {name: self.work.demand(term) for name, term in action.fields}
                secret = tuple(name for name, term in action.fields if self.work.reads_sensitive(term))
                self.work.ask(action.effect, data, sensitive=secret)
            else:
                payout.act(self.work, action)

    # --- the inputs ---------------------------------------------------------------------------------------------------

    def open(self) -> Step:
        """Enter the initial states, and settle."""
        for leg in self.policy.legs:
            self.work.moves.append(Move(leg=leg.name, source=None, target=leg.initial, rule="initial"))
            self.arrive_in(leg.name, leg.initial)
        for clock in self.policy.slas:
            if not clock.starts:
                sla.start(self.work, clock)
        self.settle()
        return self.applied()

    def event(self, event: Event) -> Step:
        """Check an event, choose, and act."""
        try:
            self.take(event)
            self.settle()
        except _Refused as refused:
            return self.unmoved("refused", decision=refused.decision, reason=refused.reason)
        except (_Undecided, MissingFacts) as undecided:
            missing = tuple(sorted(undecided.missing))
            reason = Reason(code="missing_facts", values={"missing": missing})
            return self.unmoved("undecided", reason=reason, missing=missing)
        except RuleError as error:
            return self.unmoved("refused", decision=REFUSED, reason=_failure(error, self.rule))
        return self.applied()

    def due(self, timer: str) -> Step:
        """Fire a timer; when a rule fails, its clock is used up and a person has to look."""
        kind, _, name = timer.partition(":")
        try:
            self.fire(kind, name)
            self.settle()
        except (_Undecided, MissingFacts) as undecided:
            missing = ", ".join(sorted(undecided.missing))
            return self.consumed(kind, name, f"missing: {missing}")
        except RuleError as error:
            return self.consumed(kind, name, str(error))
        return self.applied()

    def fire(self, kind: str, name: str) -> None:
        """Breach a clock, remind, or look again at what time may have changed."""
        if kind == "wake":
            return
        rule = next(found for found in sla.rules(self.policy) if found.id == name)
        clock = self.work.clocks[name]
        if kind == "remind":
            self.work.clocks[name] = replace(clock, reminders=clock.reminders[1:])
            for role in self.waiting_for(rule.state):
                self.work.ask("remind", {"to": role, "clock": rule.name, "due": clock.due})
            return
        self.work.clocks[name] = replace(clock, status="breached", reminders=())
        if rule.breach:
            chosen = self.chosen(choose(self.work, rule.breach))
            if chosen.candidate and chosen.outcome:
                self.go(self.leg_of(rule.state), chosen.candidate, chosen.outcome)

    def waiting_for(self, state: str | None) -> tuple[str, ...]:
        """Return the roles that a clock's reminder goes to: whoever its state, or the case, waits for."""
        names = [state] if state else list(self.work.legs.values())
        rules = [states[name] for states in self.states.values() for name in names if name in states]
        return tuple(dict.fromkeys(role for rule in rules for role in rule.waits_for))

    def leg_of(self, state: str | None) -> str:
        """Return the leg that a state belongs to; the main one for none."""
        for leg, states in self.states.items():
            if state in states:
                return leg
        return MAIN if MAIN in self.states else next(iter(self.states))

    # --- an event -----------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Check, choose, store and move.

        Raises:
            _Refused: it may not come now.
            _Undecided: facts are missing.
        """
        name, _, result = event.name.rpartition(".")
        if name in self.policy.payouts:
            self.take_result(event, name, result)
            return
        rule = self.policy.events.get(event.name)
        if rule is None:
            hint = did_you_mean(event.name, self.policy.events)
            raise _Refused(_built_in("unknown_event", event=event.name, hint=hint))
        self.check_role(event, rule.by)
        self.work.arrive(self.record(event, rule))
        listening = self.listening(event.name)
        meets = sla.meets(self.work, event.name)
        if not listening and not meets:
            raise _Refused(self.not_accepted(event.name))
        picks = [(leg, self.picked(candidates, event.role)) for leg, candidates in listening.items()]
        self.work.keep()
        for leg, pick in picks:
            if pick.candidate and pick.outcome:
                self.go(leg, pick.candidate, pick.outcome)
        sla.happened(self.work, event.name)

    def check_role(self, event: Event, allowed: tuple[str, ...]) -> None:
        """Refuse a role that may not send the event."""
        if event.role not in allowed:
            raise _Refused(_built_in("role_not_allowed", role=event.role, event=event.name, allowed=allowed))

    def record(self, event: Event, rule: EventRule) -> dict[str, Value]:
        """Return the records of the event, by its name and `keep_as`; refuse data that are not of their types."""
        declared = [item.name for item in rule.fields]
        record: dict[str, Value] = {}
        try:
            for name in event.data:
                if name not in declared:
                    hint = did_you_mean(name, declared)
                    raise Misfit(f"the event `{event.name}` has no field `{name[:60]}`", (name,), hint)
            for item in rule.fields:
                value = event.data.get(item.name)
                if value is not None:
                    path = (item.name,)
                    record[item.name] = read_literal(value, item.type, currency=self.case.currency, path=path)
                elif item.default is not None:
                    record[item.name] = self.work.demand(item.default)
                elif item.type == required(item.type):
                    raise Misfit(f"the field `{item.name}` is missing", (item.name,))
        except Misfit as misfit:
            path = ".".join(map(str, misfit.path))
            values = {"event": event.name, "field": path, "problem": str(misfit), "hint": misfit.hint}
            raise _Refused(_built_in("invalid_data", **values)) from None
        occurred = min(_floored(event.occurred_at), self.work.now)
        record.update(at=occurred, recorded_at=self.work.now, by=event.actor, event=event.name)
        names = dict.fromkeys([event.name, rule.keep_as or event.name])
        return dict.fromkeys(names, record)

    def listening(self, event: str) -> dict[str, tuple[Candidate, ...]]:
        """Return the candidates of each leg that listens: its state's own, then escalations in their order."""
        found = {}
        for leg, name in self.work.legs.items():
            own = self.states[leg][name].on.get(event, ())
            wider = tuple(
                e.candidate for e in self.policy.escalations if e.event == event and name in e.states
            )
            if own or wider:
                found[leg] = (*own, *wider)
        return found

    def not_accepted(self, event: str) -> Reason:
        """Return why no leg listens: the state is final, or waits for something else."""
        standing = [self.states[leg][name] for leg, name in self.work.legs.items()]
        accepted = tuple(dict.fromkeys(key for state in standing for key in state.on))
        code = next((state.final for state in standing if state.final), None)
        if code is None or not all(state.final for state in standing):
            return _built_in("not_accepted", event=event, state=standing[0].name, accepted=accepted)
        reason = self.work.because(code, f"{standing[0].name}.final")
        return replace(reason, values={**reason.values, "event": event, "state": standing[0].name})

    def picked(self, candidates: tuple[Candidate, ...], role: str) -> Chosen:
        """Choose among the candidates of one leg, or end the step."""
        chosen = self.chosen(choose(self.work, candidates, role))
        if chosen.candidate is None:
            values = {"missing": chosen.lacking} if chosen.lacking else {}
            code = chosen.window_reason or ("missing_facts" if chosen.lacking else "not_allowed")
            because = self.work.because(code, None)
            raise _Refused(replace(because, values={**because.values, **values}))
        outcome = chosen.outcome
        if outcome and outcome.refuse is not None:
            code = self.work.demand(outcome.refuse)
            decision = self.work.demand(outcome.decision) if outcome.decision else REFUSED
            raise _Refused(self.work.because(code, chosen.candidate.id, chosen.candidate.sources), decision)
        return chosen

    def chosen(self, found: Chosen) -> Chosen:
        """End the step where a rule failed, or where the choice turns on missing facts."""
        if found.failed is not None:
            self.rule = found.candidate.id if found.candidate else ""
            raise RuleError(found.failed)
        if found.missing and found.outcome is None:
            raise _Undecided(found.missing)
        return found

    def take_result(self, event: Event, name: str, result: str) -> None:
        """Take what the host reports of a payout; it moves its part in any state."""
        known = self.policy.events.get(event.name)
        rule = self.policy.payouts[name]
        if result not in ("settled", "failed", "reversed"):
            hint = did_you_mean(
                event.name, [*self.policy.events, *(f"{name}.{r}" for r in ("settled", "failed"))]
            )
            raise _Refused(_built_in("unknown_event", event=event.name, hint=hint))
        self.check_role(event, ("host", *rule.reported_by, *(known.by if known else ())))
        if payout.report(self.work, name, result, event.data):
            self.work.raised.append(event.name)
        sla.happened(self.work, event.name)

    # --- moving -------------------------------------------------------------------------------------------------------

    def go(self, leg: str, candidate: Candidate, outcome: Outcome) -> None:
        """Take a candidate in one leg."""
        self.moved += 1
        if self.moved > MICRO_MOVES:
            raise RuleError(f"the step does not come to rest within {MICRO_MOVES} moves")
        self.rule, self.sources = candidate.id, candidate.sources
        source = self.work.legs[leg]
        self.work.moves.append(Move(leg=leg, source=source, target=outcome.to, rule=candidate.id))
        if outcome.to is None:
            self.act(outcome)
        else:
            self.machines[leg].move(self, source, outcome.to, outcome)

    def settle(self) -> None:
        """Go on until nothing moves by itself: payouts, their events, `always`, then escalations."""
        while True:
            payout.route_all(self.work)
            if self.work.raised:
                self.offer(self.work.raised.pop(0))
            elif not self.always() and not self.escalate():
                break
        sla.refresh(self.work)

    def offer(self, event: str) -> None:
        """Let the legs hear of a payout's event; nobody has to listen."""
        for leg, candidates in self.listening(event).items():
            chosen = self.chosen(choose(self.work, candidates))
            if chosen.candidate and chosen.outcome and chosen.outcome.refuse is None:
                self.go(leg, chosen.candidate, chosen.outcome)

    def always(self) -> bool:
        """Take the first candidate of a state's `always` that holds; unknown means not yet."""
        for leg, name in self.work.legs.items():
            for candidate in self.states[leg][name].always:
                found = choose(self.work, (candidate,))
                if found.candidate and found.outcome and not found.failed:
                    self.go(leg, found.candidate, found.outcome)
                    return True
                self.chosen(replace(found, missing=frozenset()))
                self.work.trace.pop()
        return False

    def escalate(self) -> bool:
        """Take the first escalation that has become true; those that hold already have had their turn."""
        for escalation in self.policy.escalations:
            if escalation.event is not None:
                continue
            held = self.escalates(escalation)
            before = escalation.name in self.holding
            if held and not before:
                self.holding = (*self.holding, escalation.name)
                leg = next(leg for leg, state in self.work.legs.items() if state in escalation.states)
                found = self.chosen(replace(choose(self.work, (escalation.candidate,)), missing=frozenset()))
                if found.candidate and found.outcome:
                    self.go(leg, found.candidate, found.outcome)
                    return True
            elif before and not held:
                self.holding = tuple(name for name in self.holding if name != escalation.name)
        return False

    def escalates(self, escalation: Escalation) -> bool:
        """Return whether the state and the condition or moment of an escalation hold now."""
        if not any(state in escalation.states for state in self.work.legs.values()):
            return False
        if escalation.at is not None:
            moment = evaluate_moment(escalation.at, self.work, given=self.case.at)
            return isinstance(moment, Finished) and self.work.now >= opening(moment)
        found = choose(self.work, (escalation.candidate,))
        self.work.trace.pop()
        return self.chosen(replace(found, missing=frozenset())).candidate is not None and not found.missing

    # --- the record of it ---------------------------------------------------------------------------------------------

    def applied(self) -> Step:
        """Return the step as the working copy has it."""
        work = self.work
        step = Step(
            seq=self.case.seq + 1,
            at=work.now,
            input=self.arrived,
            verdict="applied",
            moves=tuple(work.moves),
            changes=self.changes(),
            effects=tuple(work.effects),
            trace=tuple(work.trace),
            decision=work.decision,
            reason=work.reason,
        )
        return self.sealed(step)

    def unmoved(
        self, verdict: str, *, reason: Reason, decision: Value = None, missing: tuple[str, ...] = ()
    ) -> Step:
        """Return a step that changed nothing but the case's time."""
        step = Step(
            seq=self.case.seq + 1,
            at=self.work.now,
            input=self.arrived,
            verdict=verdict,  # type: ignore[arg-type] # refused or undecided
            trace=tuple(self.work.trace),
            decision=decision,
            reason=reason,
            missing=missing,
        )
        return self.sealed(step)

    def consumed(self, kind: str, name: str, error: str) -> Step:
        """Return the step of a timer whose rule failed: its clock is used up, and nothing else moved."""
        clean = Work(self.policy, self.case, self.work.now)
        trace = tuple(self.work.trace)
        self.work = clean
        if name in clean.clocks:
            status = "breached" if kind == "breach" else clean.clocks[name].status
            clean.clocks[name] = replace(clean.clocks[name], status=status, reminders=())
        clean.reason = Reason(code="rule_failed", rule=self.rule or None, values={"problem": error})
        changes = replace(self.changes(woken=kind == "wake"), needs_human=error)
        step = Step(
            seq=self.case.seq + 1,
            at=clean.now,
            input=self.arrived,
            verdict="applied",
            changes=changes,
            trace=trace,
            reason=clean.reason,
        )
        return self.sealed(step)

    def changes(self, *, woken: bool = False) -> Changes:
        """Return how the working copy differs from the case."""
        work, case = self.work, self.case
        opened = isinstance(self.arrived, Open)
        before = {} if opened else case.facts
        facts: dict[str, Value] = {
            name: value for name, value in work.facts.items() if before.get(name) != value
        }
        facts.update({name: None for name in before if name not in work.facts})
        clocks: dict[str, Any] = {
            name: clock for name, clock in work.clocks.items() if case.clocks.get(name) != clock
        }
        clocks.update({name: None for name in case.clocks if name not in work.clocks})
        timers = tuple(self.timers(woken=woken))
        return Changes(
            legs={leg: state for leg, state in work.legs.items() if case.legs.get(leg) != state},
            facts=facts,
            clocks=clocks,
            payouts={name: p for name, p in work.payouts.items() if case.payouts.get(name) != p},
            timers=timers if timers != case.timers else None,
            holding=self.holding if self.holding != case.holding else None,
            timezone=case.timezone if opened else None,
            currency=case.currency if opened else None,
        )

    def timers(self, *, woken: bool) -> list[Timer]:
        """Return everything that will fire by itself, in the order in which it fires."""
        found = list(sla.timers(self.work))
        if not woken:
            instants = list(self.wakes())
            if instants:
                found.append(Timer(id="wake", fires_at=min(instants)))
        return sorted(found, key=lambda timer: timer.fires_at)

    def wakes(self) -> Iterator[datetime]:
        """Yield the next instants at which time alone changes a condition that the case waits on."""
        work = self.work
        for leg, name in work.legs.items():
            for candidate in self.states[leg][name].always:
                yield from _at(next_change(work, candidate.condition, lambda value: value is True))
        for escalation in self.policy.escalations:
            if escalation.event is None and any(state in escalation.states for state in work.legs.values()):
                yield from self.escalation_wakes(escalation)
        for clock in sla.rules(self.policy):
            running = work.clocks.get(clock.id)
            if clock.pause_while is not None and running and running.status in ("running", "paused"):
                paused = running.status == "paused"
                yield from _at(
                    next_change(work, clock.pause_while, lambda value, p=paused: (value is True) != p)
                )  # type: ignore[misc] # a default binds it
        for name, payout_ in work.payouts.items():
            if any(part.status in payout.WAITING for part in payout_.parts):
                for route in self.policy.payouts[name].routes:
                    yield from _at(next_change(work, route.condition, lambda value: value is True))

    def escalation_wakes(self, escalation: Escalation) -> Iterator[datetime]:
        """Yield when an escalation is to be looked at again."""
        if escalation.at is not None:
            moment = evaluate_moment(escalation.at, self.work, given=self.case.at)
            if isinstance(moment, Finished) and opening(moment) > self.work.now:
                yield opening(moment)
        elif escalation.name in self.holding:
            yield from _at(next_change(self.work, escalation.when, lambda value: value is not True))
        else:
            yield from _at(next_change(self.work, escalation.when, lambda value: value is True))

    def sealed(self, step: Step) -> Step:
        """Return the step with commitments to the sensitive values that stand in it."""
        paths = [
            *self.work.sensitive_paths,
            *_sensitive_inputs(self.policy, step),
            *_sensitive_changes(self.policy, step),
        ]
        if not paths or not self.case.secret:
            return step
        return replace(step, sealed=commitments(step, paths, self.case.secret))


def _at(instant: datetime | None) -> Iterator[datetime]:
    if instant is not None:
        yield instant


def _failure(error: RuleError, rule: str) -> Reason:
    return Reason(code="rule_failed", rule=rule or None, values={"problem": str(error)})


def _built_in(code: str, **values: Any) -> Reason:
    return Reason(code=code, values={key: value for key, value in values.items() if value is not None})


def _sensitive_inputs(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    """Yield where sensitive values stand in an input; what nothing declares may be one, and is taken for it."""
    arrived = step.input
    if isinstance(arrived, Open):
        yield from (f"input/open/facts/{name}" for name in arrived.facts if name in policy.sensitive)
    elif isinstance(arrived, Event):
        rule = policy.events.get(arrived.name)
        declared = {item.name: item.sensitive for item in rule.fields} if rule else {}
        yield from (f"input/event/data/{name}" for name in arrived.data if declared.get(name, True))


def _sensitive_changes(policy: CompiledPolicy, step: Step) -> Iterator[str]:
    for name, value in step.changes.facts.items():
        if name in policy.sensitive and value is not None and not isinstance(value, Sealed):
            yield f"changes/facts/{name}"
        elif isinstance(value, Mapping):
            yield from (f"changes/facts/{name}/{key}" for key in value if f"{name}.{key}" in policy.sensitive)


def judging(policy: CompiledPolicy, case: Case, arriving: Event | None = None) -> Work:
    """Return a working copy in which a case's moments can be asked for, as an event that was refused saw them."""
    if arriving is None:
        return Work(policy, case, case.at)
    steps = _Steps(policy, case, arriving, case.at)
    rule = policy.events.get(arriving.name)
    if rule is not None:
        # Data that could not be read were judged by nothing.
        with contextlib.suppress(_Refused):
            steps.work.arrive(steps.record(arriving, rule))
    return steps.work


def reading_of(policy: CompiledPolicy, facts: Mapping[str, Any]) -> Work:
    """Return a working copy that sees those facts which a policy declares and can read, for `serves`."""
    found: dict[str, Value] = {}
    for name, rule in policy.facts.items():
        if facts.get(name) is None:
            continue
        # What cannot be read stays unknown, and so decides nothing.
        with contextlib.suppress(Misfit):
            found[name] = read_literal(facts[name], rule.type)
    return _early(policy, found)
