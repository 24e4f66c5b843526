"""Balances: amounts that several cases share, and what each of them takes. Spec: docs/language.md, "Balances".

A payout is cut to what is left of each of its balances when it is granted, and what it takes is part of the step, so that a
store can keep what all cases have taken in one row.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..case import Share
from ..money import Money
from ..policy import PayoutRule
from .work import Work


def cap(work: Work, rule: PayoutRule, most: Money | None) -> Money | None:
    """Return the lowest of a payout's caps: `most`, and what is left of each balance for all of the payout.

    Raises:
        MissingFacts: a fact that a balance turns on is missing.
        RuleError: amounts of several currencies meet.
    """
    before = work.payouts.get(rule.name)
    for name, asked in rule.balances:
        found = work.demand(asked)
        work.sharing.setdefault(name, work.shared(name))
        # What it has taken itself counts towards its new amount.
        left: Money = found["limit"] - found["taken"]
        left = left + before.taken if before else left
        most = left if most is None or left < most else most
    return most


def changed(work: Work) -> Mapping[str, Share]:
    """Return what the case has now taken of each balance, where that is not what it was before the step."""
    shares = {name: Share(of=of, taken=work.taken(name)) for name, of in work.sharing.items()}
    return {name: share for name, share in shares.items() if work.case.takes.get(name) != share}
