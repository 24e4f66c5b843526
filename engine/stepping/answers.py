"""Answering what a step asks about other cases, from what is kept of each.

A store that keeps tallies in tables answers by an index what `answer` finds by looking at all of them; both mean the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from ..case import GIVEN_BACK, Case, Payout, Share
from ..decide import decide
from ..money import Money
from ..policy import CompiledPolicy
from ..step import Input, Needs, Query, Step
from ..values import Value, to_text

#: Answers one question: a whole number, an amount, plain data of the host, or None where nobody knows.
Ask = Callable[[Query], Any]


def decide_asking(policy: CompiledPolicy, case: Case | None, arrived: Input, ask: Ask) -> Step:
    """Return the step that an input makes, asking for what it needs.

    Whoever answers `taken` must keep others from taking of the same balance until the step is committed.

    Args:
        policy: what the case is pinned to.
        case: the case before it, or None for an opening.
        arrived: the opening, an event, or a timer that passed.
        ask: answers a question; it is asked each one once.
    Raises:
        InvalidValue: an opening whose facts, or an answer that is not of its type.
        OutOfOrder: a timer that was due before the input has not fired yet.
    """
    answers: dict[Query, Any] = {}
    while isinstance(made := decide(policy, case, arrived, answers), Needs):
        answers.update((query, ask(query)) for query in made.queries)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Money of one part of a payout that was not given back."""

    payout: str
    part: str
    amount: Money
    granted_at: datetime
    #: When it was settled; None for what is not.
    paid_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What other cases may ask about a case: what is so, and since when."""

    case_id: str
    policy: str
    facts: Mapping[str, Value]
    opened_at: datetime
    #: The state that each leg stands in, and the instant at which it came there.
    states: Mapping[str, datetime]
    decision: Value = None
    decided_at: datetime | None = None
    money: tuple[Entry, ...] = ()
    takes: Mapping[str, Share]


def tallied(before: Tally | None, case: Case, step: Step) -> Tally:
    """Return the tally of a case after a step.

    Args:
        before: the tally before it, or None for an opening.
        case: as it stands after the step.
        step: its last.
    """
    decided = step.verdict == "applied" and step.decision is not None
    states = before.states if before else {}
    changed = set(step.changes.legs.values())
    return Tally(
        case_id=case.id,
        policy=case.policy.name,
        facts=case.facts,
        opened_at=before.opened_at if before else step.at,
        states={
            state: step.at if state in changed else states.get(state, step.at) for state in case.legs.values()
        },
        decision=case.decision,
        decided_at=step.at if decided else before.decided_at if before else None,
        money=_money(before.money if before else (), case.payouts, step),
        takes=case.takes,
    )


def _money(before: tuple[Entry, ...], payouts: Mapping[str, Payout], step: Step) -> tuple[Entry, ...]:
    if not step.changes.payouts:
        return before
    dated = {(entry.payout, entry.part): entry for entry in before}
    found = []
    # In one order, whether the case was at hand or read: the bytes that are kept are the same.
    for name, payout in sorted(payouts.items()):
        for part in payout.parts:
            old = dated.get((name, part.id))
            if part.status in GIVEN_BACK:
                continue
            if old is not None and part.returned:
                # What is left of it stays as old as it was.
                old = replace(old, amount=part.out)
            if old is None or old.amount != part.out:
                old = Entry(payout=name, part=part.id, amount=part.out, granted_at=step.at, paid_at=None)
            paid_at = (old.paid_at or step.at) if part.status == "settled" else None
            found.append(replace(old, paid_at=paid_at))
    return tuple(found)


def answer(query: Query, others: Iterable[Tally]) -> Any:
    """Return the answer to a question about other cases; None to one that only the host can answer.

    What counts is what happened from `since` to `until`: of a count that a case was opened, with `states` that it came to
    where it stands, else with `decisions` that it was decided so; of a sum that money was granted, or paid.
    """
    match query.kind:
        case "count":
            return sum(_in_time(_since(other, query), query) for other in others if _fits(other, query))
        case "sum":
            entries = (entry for other in others if _fits(other, query) for entry in other.money)
            amounts = (entry.amount.amount for entry in entries if _counts(entry, query))
            return Money(sum(amounts, Fraction(0)), query.currency or "")
        case "taken":
            return _taken(query, others)
        case "host":
            return None


def _fits(other: Tally, query: Query) -> bool:
    return (
        (not query.policies or other.policy in query.policies)
        and (not query.states or any(state in other.states for state in query.states))
        and (not query.decisions or other.decision in query.decisions)
        and all(_is_same(other.facts.get(same.fact), same.value) for same in query.same)
    )


def _is_same(value: Value, wanted: Value) -> bool:
    """Compare as the journal writes them: 1, 1.0 and true are three values."""
    return value is not None and bool(to_text(value) == to_text(wanted))


def _since(other: Tally, query: Query) -> datetime | None:
    if query.states:
        return max(other.states[state] for state in query.states if state in other.states)
    return other.decided_at if query.decisions else other.opened_at


def _counts(entry: Entry, query: Query) -> bool:
    at = entry.paid_at if query.figure == "paid" else entry.granted_at
    return entry.payout == query.payout and entry.amount.currency == query.currency and _in_time(at, query)


def _in_time(at: datetime | None, query: Query) -> bool:
    after = at is not None and (query.since is None or query.since <= at)
    return after and at is not None and (query.until is None or at <= query.until)


def _taken(query: Query, others: Iterable[Tally]) -> tuple[Money, ...]:
    (same,) = query.same
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for other in others:
        share = other.takes.get(query.name)
        if share and _is_same(share.of, same.value):
            amounts[share.taken.currency] += share.taken.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(amounts.items()) if amount)
