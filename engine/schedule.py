"""Everything of a case that fires by itself: breaches, reminders, and the instants to look again at conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from . import payout, sla
from .case import Timer
from .errors import RuleError
from .moment import Finished, evaluate_moment, opening
from .moving import Mover
from .policy import Escalation
from .wake import next_change


def timers(mover: Mover, *, woken: bool = False) -> list[Timer]:
    """Return everything that will fire by itself, in the order in which it fires.

    With `woken` nothing is looked at again: a condition failed, and would fail for ever.
    """
    found = list(sla.timers(mover.work))
    if not woken:
        instants = list(_wakes(mover))
        if instants:
            found.append(Timer(id="wake", fires_at=min(instants)))
    return sorted(found, key=lambda timer: timer.fires_at)


def _wakes(mover: Mover) -> Iterator[datetime]:
    """Yield the next instants at which time alone changes a condition that the case waits on."""
    work = mover.work
    for leg, name in work.legs.items():
        for candidate in mover.states[leg][name].always:
            yield from _at(next_change(work, candidate.condition, lambda value: value is True))
    for escalation in mover.policy.escalations:
        if escalation.event is None and any(state in escalation.states for state in work.legs.values()):
            yield from _escalation_wakes(mover, escalation)
    for clock in sla.rules(mover.policy):
        running = work.clocks.get(clock.id)
        if (
            clock.pause_while is not None
            and running
            and running.status in ("running", "paused")
            and sla.is_here(work, clock)
        ):
            paused = running.status == "paused"
            yield from _at(next_change(work, clock.pause_while, lambda value, p=paused: (value is True) != p))  # type: ignore[misc] # a default binds it
    for name, payout_ in work.payouts.items():
        if any(part.status in payout.WAITING for part in payout_.parts):
            for route in mover.policy.payouts[name].routes:
                yield from _at(next_change(work, route.condition, lambda value: value is True))


def _escalation_wakes(mover: Mover, escalation: Escalation) -> Iterator[datetime]:
    """Yield when an escalation is to be looked at again."""
    if escalation.at is not None:
        try:
            moment = evaluate_moment(escalation.at, mover.work)
        except RuleError:
            # It fails again, and is told, in the step that asks for it.
            return
        if isinstance(moment, Finished) and opening(moment) > mover.work.now:
            yield opening(moment)
    elif escalation.name in mover.holding:
        yield from _at(next_change(mover.work, escalation.when, lambda value: value is not True))
    else:
        yield from _at(next_change(mover.work, escalation.when, lambda value: value is True))


def _at(instant: datetime | None) -> Iterator[datetime]:
    if instant is not None:
        yield instant
