"""Approvals: how many people have to say yes to a payout's amount, who may, and who has. Spec: docs/language.md, "Payouts".

What is approved is an amount of the whole payout, however many grants it came about by: who approves covers it up to what
it was then, or to less if they say so, and whatever is granted above that needs approval anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..case import Approval, Part, Payout, Reason
from ..expression import evaluate
from ..money import Money
from ..policy import PayoutRule, Tier
from ..rules.condition import holds
from ..step import Event
from .work import Work


def lacking(work: Work, rule: PayoutRule, payout: Payout) -> tuple[Tier, ...]:
    """Return the tiers that the amount of a payout is above and that are not met."""
    return tuple(tier for tier in above(work, rule, payout) if _count(work, tier, payout) < tier.count)


def above(work: Work, rule: PayoutRule, payout: Payout) -> Iterator[Tier]:
    """Yield the tiers that apply and that the amount of a payout is above; one that nobody can tell of applies."""
    for tier in rule.approvals:
        if holds(tier.condition, work) is False:
            continue
        if tier.above is None or payout.granted > work.demand(tier.above):
            yield tier


def _count(work: Work, tier: Tier, payout: Payout) -> int:
    """Return how many approvals of a tier there are; of those who may not approve by now none counts."""
    barred = _excluded(work, tier)
    given = [_person(one.by, tier) for one in _standing(payout) if one.role in tier.by]
    counting = [person for person in given if person not in barred]
    return len(set(counting)) if tier.distinct else len(counting)


def _person(actor: str, tier: Tier) -> str:
    """Return what a tier tells somebody apart by: the whole actor, or the name that follows the role."""
    return actor.partition(":")[2] or actor if tier.by_name else actor


def _excluded(work: Work, tier: Tier) -> frozenset[str]:
    """Return who may not approve; where it is not known who asked, nobody is."""
    named = (evaluate(checked, work) for checked in tier.excluded)
    return frozenset(_person(name, tier) for name in named if isinstance(name, str))


def _standing(payout: Payout) -> Iterator[Approval]:
    """Yield the approvals that cover the amount; those before somebody declined do no more."""
    last = max((i for i, one in enumerate(payout.approvals) if one.declined), default=-1)
    return (one for one in payout.approvals[last + 1 :] if one.amount >= payout.granted)


def objection(work: Work, rule: PayoutRule, event: Event, *, declines: bool) -> Reason | None:
    """Return why somebody cannot approve or decline now, or None.

    Who declines may have approved before, and may be of any role whose approval the amount needs.
    """
    payout = work.payouts.get(rule.name)
    waits = payout is not None and any(_is_waiting(part) for part in payout.parts)
    lacks = lacking(work, rule, payout) if payout is not None and waits else ()
    tiers = tuple(above(work, rule, payout)) if payout is not None and lacks and declines else lacks
    theirs = [tier for tier in tiers if event.role in tier.by]
    if payout is None or not tiers:
        state = f"{rule.name}: {payout.state if payout else 'none'}"
        return Reason(code="not_accepted", values={"event": event.name, "state": state, "accepted": ()})
    if not theirs:
        allowed = tuple(dict.fromkeys(role for tier in tiers for role in tier.by))
        said = {"role": event.role, "event": event.name, "allowed": allowed}
        return Reason(code="role_not_allowed", values=said)
    standing = () if declines else tuple(_standing(payout))
    if all(_is_barred(work, tier, event.actor, standing) for tier in theirs):
        return Reason(code="may_not_approve", values={"event": event.name, "actor": event.actor})
    return None


def _is_barred(work: Work, tier: Tier, actor: str, standing: Sequence[Approval]) -> bool:
    """Return whether the approval of an actor would not count towards a tier, or not once more."""
    person = _person(actor, tier)
    spoken = tier.distinct and person in {_person(one.by, tier) for one in standing if one.role in tier.by}
    return spoken or person in _excluded(work, tier)


def _is_waiting(part: Part) -> bool:
    return part.status not in ("asked", "settled", "reversed")


def given(payout: Payout, event: Event, *, at: datetime, upto: Money | None, declined: bool) -> Approval:
    """Return what somebody says to a payout: to all that is granted, or to less where they name an amount."""
    amount = payout.granted if upto is None else min(upto, payout.granted)
    return Approval(by=event.actor, role=event.role, at=at, amount=amount, declined=declined)
