"""The pure step: what one input does to a case. Spec: docs/semantics.md.

No clock, randomness or I/O is read: same policy, case and input, same step, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from . import sla
from .case import Case, Reason
from .errors import OutOfOrder, RuleError
from .policy import RESULTS, CompiledPolicy
from .step import REFUSED, Changes, Due, Event, Input, Migrate, Move, Needs, Open, Step
from .stepping import balance
from .stepping.asking import Answers, Asked, Asking
from .stepping.choose import choose
from .stepping.intake import blank, floored, read_facts, zone_of
from .stepping.migrating import migrate, not_migrated
from .stepping.moving import Mover
from .stepping.schedule import timers
from .stepping.sealing import seal
from .stepping.taking import Refused, report, take
from .stepping.work import MissingFacts, Work
from .values import Value


def decide(
    policy: CompiledPolicy,
    case: Case | None,
    arrived: Input,
    answers: Answers | None = None,
) -> Step | Needs:
    """Return the step that an input makes, or the questions whose answers it turns on.

    Args:
        policy: what the case is pinned to; of a migration, what it is to be pinned to.
        case: the case before it, or None for an opening.
        arrived: the opening, an event, a timer that passed, or a migration to another version.
        answers: to all questions that earlier calls returned as `Needs`: whole numbers, amounts, plain data of the host,
            or None where nobody knows. Others may stand among them; only those that are read become part of the step.
    Raises:
        InvalidValue: an opening whose facts, or an answer that is not of its type.
        OutOfOrder: a timer that was due before the input has not fired yet.
    """
    asking = Asking(answers or {})
    try:
        match arrived:
            case Open():
                return _opening(policy, arrived, asking)
            case Event():
                return _event(policy, _there(case), arrived, asking)
            case Due():
                return _due(policy, _there(case), arrived, asking)
            case Migrate():
                return _migration(policy, _there(case), arrived, asking)
    except Asked as asked:
        return Needs(queries=(asked.query,))


def _there(case: Case | None) -> Case:
    if case is None:
        raise OutOfOrder("a case begins with its opening")
    return case


# --- the inputs ---------------------------------------------------------------------------------------------------


def _opening(policy: CompiledPolicy, opening: Open, asking: Asking) -> Step:
    now = floored(opening.recorded_at)
    facts, currency = read_facts(policy, opening.facts, now)
    if opening.timezone is not None:
        facts["timezone"] = opening.timezone
    unopened = blank(policy, facts, now, currency)
    unzoned = replace(unopened, id=opening.case_id, policy=opening.policy, secret=opening.secret)
    case = replace(unzoned, timezone=zone_of(policy, Work(policy, unzoned, now)))
    return _Step(policy, case, opening, now, asking).open()


def _event(policy: CompiledPolicy, case: Case, event: Event, asking: Asking) -> Step:
    now = _in_order(case, event.recorded_at)
    return _Step(policy, case, event, now, asking).event(event)


def _due(policy: CompiledPolicy, case: Case, due: Due, asking: Asking) -> Step:
    timer = next((timer for timer in case.timers if timer.id == due.timer), None)
    if timer is None or timer.fires_at != due.fires_at:
        raise OutOfOrder(f"the case has no timer `{due.timer}` for that instant")
    if due.fired_at < due.fires_at:
        raise OutOfOrder(f"the timer `{due.timer}` fires no earlier than {due.fires_at.isoformat()}")
    if timer != case.timers[0]:
        raise OutOfOrder(f"the timer `{case.timers[0].id}` fires first")
    return _Step(policy, case, due, max(case.at, due.fires_at), asking).due(due.timer)


def _migration(policy: CompiledPolicy, case: Case, migration: Migrate, asking: Asking) -> Step:
    now = _in_order(case, migration.recorded_at)
    return _Step(policy, case, migration, now, asking).migrate(migration)


def _in_order(case: Case, recorded_at: datetime) -> datetime:
    """Return the instant of a step: case time never goes back."""
    now = max(case.at, floored(recorded_at))
    if case.timers and case.timers[0].fires_at <= now:
        raise OutOfOrder(f"the timer `{case.timers[0].id}` was due before, and has not fired")
    return now


# --- one step -----------------------------------------------------------------------------------------------------------


class _Step:
    """Makes the step of one input."""

    def __init__(
        self, policy: CompiledPolicy, case: Case, arrived: Input, now: datetime, asking: Asking
    ) -> None:
        self.policy = policy
        self.case = case
        self.arrived = arrived
        self.asking = asking
        self.work = Work(policy, case, now, asking)
        self.mover = Mover(self.work)

    # --- the inputs ---------------------------------------------------------------------------------------------------

    def open(self) -> Step:
        """Enter the initial states, and settle."""
        self.work.legs.update({leg.name: leg.initial for leg in self.policy.legs})
        for leg in self.policy.legs:
            self.work.moves.append(Move(leg=leg.name, source=None, target=leg.initial, rule="initial"))
            self.mover.arrive_in(leg.name, leg.initial)
        for clock in self.policy.slas:
            if not clock.starts:
                sla.start(self.work, clock)
        self.mover.settle()
        return self.applied()

    def event(self, event: Event) -> Step:
        """Check an event, choose, and act."""
        payout_name, _, result = event.name.rpartition(".")
        try:
            take(self.mover, event)
            self.mover.settle()
        except Refused as refused:
            return self.unmoved("refused", decision=refused.decision, reason=refused.reason)
        except RuleError as error:
            if payout_name in self.policy.payouts and result in RESULTS:
                # What became of money is never lost, whatever the rules make of it.
                return self.broken(error, partial(_report, event=event))
            return self.failed(error)
        return self.applied()

    def failed(self, error: RuleError) -> Step:
        """Return the step of an event that a rule could not judge: undecided where facts are missing, else refused."""
        if isinstance(error, MissingFacts):
            missing = tuple(sorted(error.missing))
            reason = Reason(code="missing_facts", values={"missing": missing})
            return self.unmoved("undecided", reason=reason, missing=missing)
        return self.unmoved("refused", decision=REFUSED, reason=_failure(error, self.mover.rule))

    def due(self, timer: str) -> Step:
        """Fire a timer; when a rule fails, its clock is used up and a person has to look."""
        kind, _, name = timer.partition(":")
        try:
            self.fire(kind, name)
            self.mover.settle()
        except RuleError as error:
            return self.broken(error, partial(_use_up, kind=kind, name=name), woken=kind == "wake")
        return self.applied()

    def migrate(self, migration: Migrate) -> Step:
        """Carry the case over to the policy, and settle; where that cannot be, it stays."""
        try:
            migrate(self.mover, migration)
            self.mover.settle()
        except Refused as refused:
            return self.unmoved("refused", reason=refused.reason)
        except RuleError as error:
            return self.unmoved("refused", reason=not_migrated(self.policy, self.case, str(error)))
        return self.applied()

    def fire(self, kind: str, name: str) -> None:
        """Breach a clock, remind, or look again at what time may have changed."""
        if kind == "wake":
            return
        rule = self.policy.clocks[name]
        clock = self.work.clocks[name]
        if kind == "remind":
            self.work.clocks[name] = replace(clock, reminders=clock.reminders[1:])
            for role in self.waiting_for(rule.state):
                self.work.ask("remind", {"to": role, "clock": rule.name, "due": clock.due})
            return
        self.work.clocks[name] = replace(clock, status="breached", reminders=())
        if rule.breach:
            chosen = self.mover.chosen(choose(self.work, rule.breach))
            if chosen.candidate and chosen.outcome:
                leg = self.mover.leg_of(chosen.outcome.to) or rule.leg
                self.mover.go([(leg, chosen.candidate, chosen.outcome)])

    def waiting_for(self, state: str | None) -> tuple[str, ...]:
        """Return the roles that a clock's reminder goes to: whoever its state, or the case, waits for."""
        names = [state] if state else list(self.work.legs.values())
        rules = [states[name] for states in self.mover.states.values() for name in names if name in states]
        return tuple(dict.fromkeys(role for rule in rules for role in rule.waits_for))

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
            answers=self.asking.read,
            trace=tuple(work.trace),
            decision=work.decision,
            reason=work.told(),
        )
        return seal(step, self.policy, self.case.secret, self.work.sensitive_paths)

    def unmoved(
        self, verdict: str, *, reason: Reason, decision: Value = None, missing: tuple[str, ...] = ()
    ) -> Step:
        """Return a step that changed nothing but the case's time."""
        step = Step(
            seq=self.case.seq + 1,
            at=self.work.now,
            input=self.arrived,
            verdict=verdict,  # type: ignore[arg-type] # refused or undecided
            answers=self.asking.read,
            trace=tuple(self.work.trace),
            decision=decision,
            reason=reason,
            missing=missing,
        )
        # What was asked for on the way is thrown away with the working copy.
        return seal(step, self.policy, self.case.secret)

    def broken(self, error: RuleError, keep: Callable[[Work], None], *, woken: bool = False) -> Step:
        """Return the step of an input that must not come again, though a rule failed: a person has to look.

        Args:
            error: what failed.
            keep: does what happened all the same to a fresh working copy; nothing else moves.
            woken: the failure was in a condition that time changes, and it is not to be looked at again.
        """
        trace, rule = tuple(self.work.trace), self.mover.rule
        self.work = Work(self.policy, self.case, self.work.now, self.asking)
        self.mover = Mover(self.work)
        keep(self.work)
        step = Step(
            seq=self.case.seq + 1,
            at=self.work.now,
            input=self.arrived,
            verdict="applied",
            changes=replace(self.changes(woken=woken), needs_human=str(error)),
            answers=self.asking.read,
            trace=trace,
            reason=_failure(error, rule),
        )
        return seal(step, self.policy, self.case.secret, self.work.sensitive_paths)

    def changes(self, *, woken: bool = False) -> Changes:
        """Return how the working copy differs from the case."""
        work, case = self.work, self.case
        opened = isinstance(self.arrived, Open)
        armed = tuple(timers(self.mover, woken=woken))
        return Changes(
            legs=_changed(case.legs, work.legs),
            facts=_changed({} if opened else case.facts, work.facts),
            clocks=_changed(case.clocks, work.clocks),
            payouts=_changed(case.payouts, work.payouts),
            takes=balance.changed(work),
            timers=armed if armed != case.timers else None,
            holding=self.mover.holding if self.mover.holding != case.holding else None,
            timezone=case.timezone if opened else None,
            currency=case.currency if opened else None,
            policy=self.policy.ref if isinstance(self.arrived, Migrate) else None,
        )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is new or other in a map, and None for what is gone from it."""
    found = {
        name: value
        for name, value in after.items()
        # Most are the very same, and to compare records takes long.
        if (old := before.get(name)) is not value and old != value
    }
    found.update((name, None) for name in before if name not in after)
    return found


def _use_up(work: Work, *, kind: str, name: str) -> None:
    """Take a clock, or its reminders, out of what will fire."""
    clock = work.clocks.get(name)
    if clock is not None:
        status = "breached" if kind == "breach" else clock.status
        work.clocks[name] = replace(clock, status=status, reminders=())


def _report(work: Work, *, event: Event) -> None:
    report(work, event)


def _failure(error: RuleError, rule: str) -> Reason:
    return Reason(code="rule_failed", rule=rule or None, values={"problem": str(error)})
