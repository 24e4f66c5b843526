"""Money out: grants, routes, and what the host reports. Spec: docs/language.md, "Payouts".

A part goes granted → needs_details | needs_approval | held → asked → settled | failed, and settled → reversed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from .case import Approval, Part, Payout
from .errors import RuleError
from .expression import Env, evaluate
from .money import Money
from .policy import Pay, PayoutRule, Route
from .rules.condition import Computed, Term, holds
from .stepping import balance
from .stepping.approval import lacking
from .stepping.intake import said_amount
from .stepping.reversal import returned, taken_back
from .stepping.tender import numbered, shares, shown, tenders_of
from .stepping.work import Work
from .table import Inside
from .values import Unknown, Value

#: Parts that nobody was asked for yet; they are routed anew after every step.
WAITING: Final = ("granted", "needs_details", "needs_approval", "held")
#: What a part whose sums count as done or under way.
_UNDER_WAY: Final = ("asked", "settled")


def act(work: Work, action: Pay) -> None:
    """Run `pay`, `grant` or `reverse`."""
    rule = work.policy.payouts[action.payout]
    match action.verb:
        case "grant":
            grant(work, rule, action.amount)
        case "pay":
            pay(work, rule)
        case "reverse":
            reverse(work, rule, action.amount)


def grant(work: Work, rule: PayoutRule, amount: Term | None = None) -> None:
    """Fix the amount: what is asked or settled counts towards it, what is not yet asked is replaced.

    Raises:
        RuleError: the amount is negative, or an expression failed.
    """
    granted = _amount(work, rule, amount)
    before = work.payouts.get(rule.name) or Payout(granted=granted, parts=(), seq=0)
    kept = tuple(part for part in before.parts if part.status not in (*WAITING, "failed"))
    payer = work.demand(rule.taken_from) if isinstance(rule.taken_from, Computed) else None
    seq = work.case.seq + 1
    earlier = (other for name, other in work.payouts.items() if name != rule.name and other.seq == seq)
    turn = max((other.turn + 1 for other in earlier), default=0)
    after = replace(before, granted=granted, parts=kept, seq=seq, turn=turn, payer=payer)
    under_way = tuple(part for part in kept if part.status in _UNDER_WAY)
    if rule.tenders:
        for tender, share in shares(work, rule, granted, under_way).items():
            after = _with_part(before, after, share, tender)
    else:
        rest = granted.amount - sum((part.out.amount for part in under_way), Fraction(0))
        after = _with_part(before, after, Money(rest, granted.currency), None)
    _put(work, rule.name, after)
    route(work, rule)


def _with_part(before: Payout, after: Payout, amount: Money, tender: str | None) -> Payout:
    """Return a payout with one part more, if that is of more than nothing."""
    if amount.amount <= 0:
        return after
    replaced = [part for part in before.parts if part not in after.parts and part.tender == tender]
    # The host knows nothing of a part that it was never asked for, so another may have its id.
    free = next((part.id for part in replaced if not part.attempt), None)
    made, numbers = after.made + (free is None), after.numbered
    name = free or ("all" if made == 1 else f"all.{made}")
    if tender is not None and free is None:
        name, number = numbered(tender, numbers)
        numbers = {**numbers, tender: number}
    # What failed once may fail again: the new part goes on where the one that it replaces was.
    tried = tuple(route for part in replaced for route in part.tried)
    part = Part(id=name, amount=amount, status="granted", tender=tender, tried=tried)
    return replace(after, parts=(*after.parts, part), made=made, numbered=numbers)


def _amount(work: Work, rule: PayoutRule, amount: Term | None) -> Money:
    asked: Money = work.demand(amount or rule.amount)
    if asked.amount < 0:
        raise RuleError(f"the payout `{rule.name}` cannot be of {asked}")
    cap = balance.cap(work, rule, work.demand(rule.at_most) if rule.at_most else None)
    if cap is not None:
        cap = Money(max(cap.amount, Fraction(0)), cap.currency)
        if cap < asked:
            asked = Money(cap.amount, asked.currency or cap.currency)
    if not asked.currency:
        asked = Money(asked.amount, work.currency or "")
    if asked.amount and not asked.currency:
        raise RuleError(f"the payout `{rule.name}` has no currency")
    rounded = asked.rounded(work.policy.rounding)
    # At most is at most: where rounding would lift the amount above its cap, it is cut instead.
    return rounded if cap is None or rounded <= cap else asked.rounded("down")


def pay(work: Work, rule: PayoutRule) -> None:
    """Grant if needed, and ask for every part that waits for nothing; for failed parts again."""
    if rule.name not in work.payouts:
        grant(work, rule)
    payout = work.payouts[rule.name]
    parts = tuple(
        replace(part, wanted=True, status="granted" if part.status == "failed" else part.status)
        if part.status in (*WAITING, "failed")
        else part
        for part in payout.parts
    )
    _put(work, rule.name, replace(payout, parts=parts))
    route(work, rule)
    if all(part.status == "settled" for part in parts):
        # Nothing is owed, or nothing more: whoever waits for that hears of it.
        work.raised.append(f"{rule.name}.settled")


def reverse(work: Work, rule: PayoutRule, amount: Term | None = None) -> None:
    """Take back an amount, or all: ask for what was asked or settled, and drop what was not."""
    payout = work.payouts.get(rule.name)
    if payout is not None:
        asked = work.demand(amount) if amount else None
        _put(work, rule.name, taken_back(work, rule, payout, asked))


def route_all(work: Work) -> None:
    """Route every waiting part anew, and ask for those that are wanted and wait for nothing."""
    for name, payout in list(work.payouts.items()):
        if any(part.status in WAITING for part in payout.parts):
            route(work, work.policy.payouts[name])


def route(work: Work, rule: PayoutRule) -> None:
    """Choose the route of each waiting part: the first whose conditions hold; unknown before it holds the money."""
    payout = work.payouts[rule.name]
    unapproved = bool(lacking(work, rule, payout))
    parts = tuple(
        _routed(work, rule, part, unapproved=unapproved) if part.status in WAITING else part
        for part in payout.parts
    )
    if parts != payout.parts:
        _put(work, rule.name, replace(payout, parts=parts))


def _routed(work: Work, rule: PayoutRule, part: Part, *, unapproved: bool) -> Part:
    env = seen(work, rule, part)
    found, missing = _choose(rule, env)
    if found is None or found.via is None:
        return replace(part, status="held", route=found.id if found else None, via=None, missing=missing)
    via: str = work.demand(found.via, env)
    lacking = tuple(path for path, asked in found.needs if evaluate(asked, env) is not True)
    part = replace(part, route=found.id, via=via, missing=lacking)
    if lacking:
        return replace(part, status="needs_details")
    if unapproved:
        return replace(part, status="needs_approval")
    if not part.wanted:
        return replace(part, status="granted")
    return _ask(work, rule, part, found, env)


def seen(work: Work, rule: PayoutRule, part: Part) -> Inside:
    """Return what the routes of a part see: the case, and the records `part` and `tender`."""
    names: dict[str, Value] = {"part": shown(part)}
    if rule.tenders:
        names["tender"] = tenders_of(work, rule).get(part.tender or "") or Unknown(frozenset({"tender"}))
    return Inside(work, names)


def _choose(rule: PayoutRule, env: Env) -> tuple[Route | None, tuple[str, ...]]:
    """Return the route that holds, or the facts that are missing to tell."""
    for candidate in rule.routes:
        held = holds(candidate.condition, env)
        if isinstance(held, Unknown):
            return None, tuple(sorted(held.missing))
        if held:
            return candidate, ()
    return None, ()


def _ask(work: Work, rule: PayoutRule, part: Part, chosen: Route, env: Env) -> Part:
    part = replace(
        part, status="asked", attempt=part.attempt + 1, wanted=False, back=None, reversals=0, returned=None
    )
    details = {path: _value_at(env, path) for path, _ in chosen.needs}
    data: dict[str, Value] = {"payout": rule.name, "part": part.id, "amount": part.amount, "via": part.via}
    if part.tender is not None:
        data["tender"] = part.tender
    if payer := rule.payer or work.payouts[rule.name].payer:
        data["from"] = payer
    if details:
        data["details"] = details
    work.ask(
        "payout",
        data,
        key=f"{work.case.id}/{rule.name}/{part.id}/{part.attempt}",
        sensitive=tuple(f"details/{path}" for path in _sensitive_parts(work, details)),
    )
    return part


def _value_at(env: Env, path: str) -> Value:
    name, *rest = path.split(".")
    value = env.value(name)
    for key in rest:
        value = value[key]
    return value


def _sensitive_parts(work: Work, details: Mapping[str, Any]) -> list[str]:
    """Return where sensitive values stand in the details of an effect."""
    found = []
    for path, value in details.items():
        inner = [
            secret.removeprefix(path + ".")
            for secret in work.policy.sensitive
            if secret.startswith(path + ".")
        ]
        if work.is_sensitive(path) and not inner:
            found.append(path)
        found.extend(f"{path}/{key}" for key in sorted(inner) if isinstance(value, Mapping) and key in value)
    return found


def report(work: Work, name: str, result: str, data: Mapping[str, Value]) -> bool:
    """Take what the host reports of a payout; return whether the legs are to hear of it.

    A result moves its part in any state; one for a part that is no longer there changes nothing.
    """
    payout = work.payouts.get(name)
    if payout is None:
        return False
    chosen = data.get("part")
    meant = [part for part in payout.parts if _may_become(part, result) and chosen in (None, part.id)]
    if chosen is None:
        # Of those that it was asked for; a part that failed is meant only where there is no other.
        meant = [part for part in meant if part.status in _UNDER_WAY] or meant
    keeps = work.policy.payouts[name].reads_part
    if result == "reversed":
        changed = returned(meant, said_amount(data, payout.granted.currency))
    else:
        changed = {part.id: _reported(part, result, keeps=keeps) for part in meant}
    parts = tuple(changed.get(part.id, part) for part in payout.parts)
    moved = parts != payout.parts
    _put(work, name, replace(payout, parts=parts))
    if result == "settled":
        return moved and all(part.status in ("settled", "reversed") for part in parts)
    return moved


def judge(work: Work, name: str, verdict: Approval) -> bool:
    """Take what somebody said to a payout's amount; return whether the legs are to hear of it.

    They hear of the approval that was still lacking, and of everybody who declines: then nothing is asked for that is not
    paid again.
    """
    payout = work.payouts[name]
    payout = replace(payout, approvals=(*payout.approvals, verdict))
    if verdict.declined:
        payout = replace(payout, parts=tuple(replace(part, wanted=False) for part in payout.parts))
    _put(work, name, payout)
    return verdict.declined or not lacking(work, work.policy.payouts[name], payout)


def _reported(part: Part, result: str, *, keeps: bool) -> Part:
    """Return a part as a result leaves it; with `keeps` by which route it failed."""
    failed = (part.route or "",) if keeps and result == "failed" else ()
    return replace(part, status=result, wanted=False, missing=(), tried=(*part.tried, *failed))  # type: ignore[arg-type] # one of the three results


def _may_become(part: Part, result: str) -> bool:
    """Return whether a result can be of a part: the host was asked for it, and has not said the same before."""
    if result == "settled":
        # A late success counts, also where the part waits to be asked for again: it is not to be paid twice.
        return part.attempt > 0 and part.status not in ("settled", "reversed")
    return part.status in _UNDER_WAY


def _put(work: Work, name: str, payout: Payout) -> None:
    work.payouts[name] = payout
    work.changed()
