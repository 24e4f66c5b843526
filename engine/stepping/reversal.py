"""Taking money back: all of a payout, or an amount of it. Spec: docs/language.md, "Payouts"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..case import Part, Payout
from ..errors import RuleError
from ..money import Money
from ..policy import PayoutRule
from ..values import Value
from .work import Work

_UNDER_WAY = ("asked", "settled")


def taken_back(work: Work, rule: PayoutRule, payout: Payout, amount: Money | None) -> Payout:
    """Return a payout after asking for an amount back, or for all of it; what is asked back already is not asked for again.

    What nobody was asked for goes first and is dropped; then what was asked or paid, the last part first.

    Raises:
        RuleError: the amount is negative.
    """
    if amount is not None and amount.amount < 0:
        raise RuleError(f"of the payout `{rule.name}` {amount} cannot be taken back")
    takes = _takes(payout, amount and amount.rounded(work.policy.rounding))
    return replace(
        payout, parts=tuple(_without(work, rule, part, takes.get(part.id)) for part in payout.parts)
    )


def _takes(payout: Payout, amount: Money | None) -> dict[str, Money]:
    """Return what to take of each part."""
    unasked = [part for part in payout.parts if part.status not in _UNDER_WAY]
    under_way = [part for part in payout.parts if part.status in _UNDER_WAY]
    found = {}
    for part in (*reversed(unasked), *reversed(under_way)):
        most = _left(part)
        take = most if amount is None else min(most, amount)
        if take.amount:
            found[part.id] = take
        amount = None if amount is None else amount - take
    return found


def _left(part: Part) -> Money:
    """Return what of a part may still be taken back."""
    if part.status == "reversed":
        return part.amount.times(0)
    return part.amount - _gone(part) if part.status in _UNDER_WAY else part.amount


def _gone(part: Part) -> Money:
    """Return what of a part was asked back, or came back without."""
    return max(part.back or part.amount.times(0), part.returned or part.amount.times(0))


def _without(work: Work, rule: PayoutRule, part: Part, take: Money | None) -> Part:
    if take is None:
        return part
    if part.status not in _UNDER_WAY:
        if take == part.amount:
            return replace(part, status="reversed", wanted=False)
        return replace(part, amount=part.amount - take)
    part = replace(part, reversals=part.reversals + 1, back=_gone(part) + take)
    data: dict[str, Value] = {"payout": rule.name, "part": part.id, "amount": take, "via": part.via}
    if part.tender is not None:
        data["tender"] = part.tender
    key = f"{work.case.id}/{rule.name}/{part.id}/{part.attempt}/reversal"
    work.ask("reversal", data, key=key if part.reversals == 1 else f"{key}/{part.reversals}")
    return part


def returned(meant: list[Part], amount: Money | None) -> Mapping[str, Part]:
    """Return parts, by their ids, of which the host reports that an amount is back: where it names none, what was asked back.

    A part of which nothing was asked back is back as a whole; and one is reversed once all of it is.
    """
    pending = [part for part in meant if part.back and part.back > (part.returned or part.back.times(0))]
    found = {}
    for part in pending or meant:
        due = part.back if part in pending and amount is None and part.back else part.amount
        more = due - (part.returned or due.times(0))
        if amount is not None:
            more = min(more, amount)
            amount -= more
        back = part.returned + more if part.returned else more
        if back == part.amount:
            found[part.id] = replace(
                part, status="reversed", wanted=False, missing=(), back=None, returned=None, reversals=0
            )
        elif more.amount:
            found[part.id] = replace(part, returned=back)
    return found
