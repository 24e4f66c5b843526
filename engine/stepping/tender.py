"""Sharing a payout out over its tenders, the means by which the money came in. Spec: docs/language.md, "Payouts".

Each tender gets back no more than it paid, less what went back to it already. This room knows amounts and no routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from ..case import Part
from ..errors import RuleError
from ..expression.arithmetic import split
from ..money import Money
from ..policy import PayoutRule
from ..values import Value
from .work import Work


def tenders_of(work: Work, rule: PayoutRule) -> dict[str, Mapping[str, Any]]:
    """Return the tenders of a payout by their ids, in the order in which they are listed; none where it has none.

    Raises:
        RuleError: two have one id, or one paid less than nothing.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for record in work.demand(rule.tenders.of) if rule.tenders else ():
        name = record["id"]
        if not name or name in found:
            problem = f"two tenders with the id `{name[:60]}`" if name else "a tender without an id"
            raise RuleError(f"the payout `{rule.name}` has {problem}")
        if record["amount"].amount < 0:
            raise RuleError(f"the tender `{name[:60]}` cannot have paid {record['amount']}")
        found[name] = record
    return found


def shares(work: Work, rule: PayoutRule, granted: Money, kept: Iterable[Part]) -> dict[str, Money]:
    """Return what each tender is still to get back, in whole minor units, so that the payout comes to its amount.

    Args:
        work: the working copy.
        rule: a payout with tenders.
        granted: the amount of the whole, rounded.
        kept: its parts that are asked for or settled; they count towards the whole, and towards their tender's share.
    Raises:
        RuleError: the tenders have no room for the amount.
    """
    tenders = tenders_of(work, rule)
    none = Money(Fraction(0), granted.currency)
    own = _sums(kept, none)
    rest = granted - sum(own.values(), none)
    if rest <= none:
        return {}
    others = _elsewhere(work, rule, none)
    # A tender that has got back more than it paid stands at what it got.
    caps = {
        name: max(record["amount"] - others.get(name, none), own.get(name, none))
        for name, record in tenders.items()
    }
    rooms = {name: (cap - own.get(name, none)).rounded("down") for name, cap in caps.items()}
    if (room := sum(rooms.values(), none)) < rest:
        raise RuleError(f"the tenders of the payout `{rule.name}` have no room for {rest}, only for {room}")
    if rule.tenders and rule.tenders.split == "in_order":
        return _in_order(rest, rooms)
    whole = sum((own.get(name, none) for name in tenders), rest)
    fair = split(whole, [record["amount"] for record in tenders.values()], list(caps.values()))
    wanted = [max(share - own.get(name, none), none) for name, share in zip(tenders, fair, strict=True)]
    # Where a tender has got more than its share already, the others get so much less.
    return dict(zip(tenders, split(rest, wanted, list(rooms.values())), strict=True))


def _in_order(rest: Money, rooms: Mapping[str, Money]) -> dict[str, Money]:
    found = {}
    for name, room in rooms.items():
        found[name] = min(rest, room)
        rest -= found[name]
    return found


def _sums(parts: Iterable[Part], none: Money) -> dict[str, Money]:
    """Return what is out by tender; what goes by none counts under no name of a tender."""
    sums: dict[str, Money] = {}
    for part in parts:
        name = part.tender or ""
        sums[name] = sums.get(name, none) + part.out
    return sums


def _elsewhere(work: Work, rule: PayoutRule, none: Money) -> dict[str, Money]:
    """Return what other payouts of the case give back to each tender; what is taken from a role gives nothing back."""
    if rule.taken_from:
        return {}
    giving = (
        payout
        for name, payout in work.payouts.items()
        if name != rule.name and not work.policy.payouts[name].taken_from
    )
    return _sums((part for payout in giving for part in payout.parts if part.status != "reversed"), none)


def numbered(name: str, before: Mapping[str, int]) -> tuple[str, int]:
    """Return the id of a tender's next part, and its number: the tender's own, and then with the first free number.

    >>> numbered("card", {}), numbered("card", {"card": 1}), numbered("a.2", {"a": 2})
    (('card', 1), ('card.2', 2), ('a.2.2', 2))
    """
    taken = {_id(other, number) for other, last in before.items() for number in range(1, last + 1)}
    number = before.get(name, 0) + 1
    while _id(name, number) in taken:
        number += 1
    return _id(name, number), number


def _id(tender: str, number: int) -> str:
    return tender if number == 1 else f"{tender}.{number}"


def shown(part: Part) -> Value:
    """Return the record `part` that routes may read."""
    return {"id": part.id, "amount": part.amount, "failures": len(part.tried), "tried": part.tried}
