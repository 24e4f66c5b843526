"""Everything of a case that fires by itself: breaches, reminders, and the instants to look again at conditions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from .. import payout, sla
from ..case import Payout, Timer
from ..errors import RuleError
from ..moment import Finished, evaluate_moment, opening
from ..policy import Candidate, Escalation, PayoutRule, Route, Tier
from ..rules.condition import AllOf, Condition, Leaf
from ..values import Unknown
from .moving import Mover
from .steady import Moving
from .wake import next_change, reads_time

#: What a condition is worth over some stretch of time.
Worths = Callable[[Condition | None], Any]


def timers(mover: Mover, *, woken: bool = False) -> list[Timer]:
    """Return everything that will fire by itself, in the order in which it fires.

    With `woken` nothing is looked at again: a condition failed, and would fail for ever.
    """
    found = list(sla.timers(mover.work))
    if not woken:
        instants = [instant for instant in _wakes(mover) if instant is not None]
        if instants:
            found.append(Timer(id="wake", fires_at=min(instants)))
    return sorted(found, key=lambda timer: timer.fires_at)


def _wakes(mover: Mover) -> Iterator[datetime | None]:
    """Yield the next instants at which time alone changes something that the case waits on."""
    work = mover.work
    for _, state in mover.standing():
        candidates = state.always
        if reads_time(*(candidate.condition for candidate in candidates)):
            yield next_change(work, partial(_taken, candidates))
    for escalation in mover.policy.escalations:
        if escalation.event is None and work.legs[escalation.leg] in escalation.states:
            yield _escalation_wakes(mover, escalation)
    for rule in mover.policy.clocks.values():
        clock = work.clocks.get(rule.id)
        goes_on = clock is not None and clock.status in ("running", "paused") and sla.is_here(work, rule)
        if goes_on and reads_time(rule.pause_while):
            yield next_change(work, partial(_held, rule.pause_while))
        if clock is None and reads_time(rule.condition) and sla.may_start(work, rule):
            yield next_change(work, partial(_held, rule.condition))
    for name, payout_ in work.payouts.items():
        yield from _route_wakes(mover, mover.policy.payouts[name], payout_)
        yield from _approval_wakes(mover, mover.policy.payouts[name].approvals, payout_)


def _route_wakes(mover: Mover, rule: PayoutRule, of: Payout) -> Iterator[datetime | None]:
    """Yield when the route of each part that waits is to be looked at again."""
    if not reads_time(*(route.condition for route in rule.routes)):
        return
    for part in of.parts:
        if part.status in payout.WAITING:
            try:
                env = payout.seen(mover.work, rule, part)
            except RuleError:
                # The tenders fail again, and are told, in the step that asks for them.
                return
            yield next_change(mover.work, partial(_routed, rule.routes), env)


def _approval_wakes(mover: Mover, tiers: Sequence[Tier], of: Payout) -> Iterator[datetime | None]:
    """Yield when it is to be looked at again who has to approve what waits."""
    if reads_time(*(tier.condition for tier in tiers)) and any(p.status in payout.WAITING for p in of.parts):
        yield next_change(mover.work, partial(_applying, tiers))


def _escalation_wakes(mover: Mover, escalation: Escalation) -> datetime | None:
    """Return when an escalation is to be looked at again."""
    if escalation.at is None:
        holding = escalation.name in mover.holding
        wakes = reads_time(escalation.when)
        return next_change(mover.work, partial(_turned, escalation.when, holding)) if wakes else None
    try:
        moment = evaluate_moment(escalation.at, mover.work)
    except RuleError:
        # It fails again, and is told, in the step that asks for it.
        return None
    return opening(moment) if isinstance(moment, Finished) and opening(moment) > mover.work.now else None


# --- what comes of conditions -------------------------------------------------------------------------------------------


def _taken(candidates: Sequence[Candidate], worth: Worths) -> Hashable | Moving:
    """Return which of some candidates without an event is taken, as `choose` takes them."""
    for candidate in candidates:
        held = False if candidate.by else worth(candidate.condition)
        if held is True:
            held = worth(
                AllOf(items=tuple(Leaf(checked=c, place=candidate.place) for _, c in candidate.needs))
            )
            if isinstance(held, Unknown):
                held = False
        if isinstance(held, Moving):
            return held
        if isinstance(held, Unknown):
            return (candidate.id, "unknown") if candidate.unknown else None
        if held is not False:
            return (candidate.id, "taken" if held is True else "failed")
    return None


def _turned(condition: Condition | None, holding: bool, worth: Worths) -> Hashable | Moving:  # noqa: FBT001 - bound
    """Return whether a condition turns from what an escalation knows of it; one that fails does."""
    held = worth(condition)
    if isinstance(held, Moving):
        return held
    return "turns" if isinstance(held, RuleError) or (held is True) != holding else None


def _held(condition: Condition | None, worth: Worths) -> Hashable | Moving:
    """Return whether a condition holds by which a clock is paused, or starts; one that fails does not."""
    held = worth(condition)
    return held if isinstance(held, Moving) else "holds" if held is True else "does not"


def _applying(tiers: Sequence[Tier], worth: Worths) -> Hashable | Moving:
    """Return which tiers apply: all but those that surely do not."""
    held = [worth(tier.condition) for tier in tiers]
    moving = next((one for one in held if isinstance(one, Moving)), None)
    return moving or tuple("failed" if isinstance(one, RuleError) else one is not False for one in held)


def _routed(routes: Sequence[Route], worth: Worths) -> Hashable | Moving:
    """Return the route of what waits: the first that holds, if none before it may."""
    for route in routes:
        held = worth(route.condition)
        if isinstance(held, Moving):
            return held
        if held is not False:
            kind = "held" if isinstance(held, Unknown) else "routed" if held is True else "failed"
            return (route.id, kind)
    return "held"
