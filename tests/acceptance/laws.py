"""What is true of every step of every case, whatever is sent and when.

Money out never exceeds money in, no step leaves the declared states, a refusal moves nothing, and every case ends or waits
on somebody who is named, with a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from amends.engine.case import Case, Part
from amends.engine.policy import CompiledPolicy, State
from amends.engine.step import Changes, Step


def money(facts: Any, *names: str) -> Fraction:
    """Return the sum of some amounts among the facts."""
    return sum((facts[name].amount for name in names if facts.get(name) is not None), Fraction(0))


def bought(facts: Any) -> Fraction:
    """Return what an order of goods or lines cost, with the postage of a return that the trader may bear."""
    lines = sum((line["price"].amount * line["quantity"] for line in facts["lines"]), Fraction(0))
    back = facts.get("goods_received")
    postage = back["return_postage"].amount if back else Fraction(0)
    return lines + money(facts, "goods", "delivery_paid") + postage


def paid(facts: Any) -> Fraction:
    """Return what was paid."""
    return money(facts, "paid")


#: What came in, of the facts of a case, by the policy's name without its region: no more may go out.
CAME_IN: Mapping[str, Callable[[Any], Fraction]] = {
    "ebay_money_back_guarantee": lambda facts: money(facts, "item_price", "original_shipping"),
    "eu_withdrawal": bought,
    "paypal_dispute": lambda facts: money(facts, "price", "original_shipping"),
    "tiktok_shop": lambda facts: money(facts, "order_total"),
    "return_by_parcel": paid,
    "advance": paid,
    "freeze": paid,
    "remedies": paid,
    "shared_flows": paid,
}


def hold(policy: CompiledPolicy, before: Case | None, step: Step, after: Case) -> None:
    """Hold one step to what is true of every step."""
    stands_in_declared_states(policy, after)
    if step.verdict != "applied":
        moves_nothing(before, step, after)
    pays_no_more_than_came_in(policy, after)
    waits(policy, after)


def stands_in_declared_states(policy: CompiledPolicy, case: Case) -> None:
    """Demand that each leg of the policy stands in a state of its own."""
    assert case.legs.keys() == {leg.name for leg in policy.legs}
    for leg in policy.legs:
        assert case.legs[leg.name] in leg.states, f"`{case.legs[leg.name]}` is no state of `{leg.name}`"


def moves_nothing(before: Case | None, step: Step, after: Case) -> None:
    """Demand that a step that was refused says why, and leaves everything as it was."""
    assert before is not None
    assert step.reason is not None
    assert (step.changes, step.moves, step.effects) == (Changes(), (), ())
    assert (after.legs, after.facts, after.payouts) == (before.legs, before.facts, before.payouts)
    assert (after.clocks, after.timers) == (before.clocks, before.timers)


def pays_no_more_than_came_in(policy: CompiledPolicy, case: Case) -> None:
    """Demand that what the host was asked to pay is no more than what was paid, and what others were charged."""
    out = {name: payout for name, payout in case.payouts.items() if policy.payouts[name].taken_from is None}
    back = {name: payout for name, payout in case.payouts.items() if name not in out}
    went = sum((payout.total("asked", "settled").amount for payout in out.values()), Fraction(0))
    came = CAME_IN[policy.ref.name.partition(".")[0]](case.facts)
    came += sum((payout.total("settled").amount for payout in back.values()), Fraction(0))
    assert went <= max(came, Fraction(0)), f"{went} went out, and {came} came in"


# --- every case ends or waits on a named party with a clock -------------------------------------------------------------


def waits(policy: CompiledPolicy, case: Case) -> None:
    """Demand that a case has ended, or waits for somebody who is named, and not for ever without anybody noticing."""
    live = [state for _, state in standing(policy, case) if state.final is None]
    if len(policy.legs) == 1:
        assert all(state.waits_for for state in live), f"{live[0].name} waits for nobody"
    begun = [state for state in live if not state.initial]
    if begun:
        assert waited_for(policy, case, begun), f"{[state.name for state in begun]} wait for nobody"
        assert is_clocked(case, begun), f"{[state.name for state in begun]} have no clock"
    for state in begun:
        assert not state.slas or has_its_clock(case, state), f"{state.name} has lost its clock"


def rests(policy: CompiledPolicy, case: Case) -> None:
    """Demand of a case in which nothing moves by itself any more that it has ended, or that somebody was told that it has not."""
    begun = [state for _, state in standing(policy, case) if state.final is None and not state.initial]
    told = any(clock.status == "breached" for clock in clocks_of(case, begun)) or any(moving(case))
    assert not begun or told, f"{[state.name for state in begun]} wait for ever, and nobody hears of it"


def standing(policy: CompiledPolicy, case: Case) -> Iterator[tuple[str, State]]:
    """Yield each leg with the state that it stands in."""
    for leg in policy.legs:
        yield leg.name, leg.states[case.legs[leg.name]]


def moving(case: Case) -> Iterator[Part]:
    """Yield the parts of payouts that the host was asked for, or that wait for details or for somebody to agree."""
    waiting = {"asked", "needs_details", "needs_approval", "held"}
    return (part for payout in case.payouts.values() for part in payout.parts if part.status in waiting)


def waited_for(policy: CompiledPolicy, case: Case, states: list[State]) -> set[str]:
    """Return who is named: whom a state waits for, or where it does not say, who may send what it listens to."""
    named = {role for state in states for role in state.waits_for}
    events = {name for state in states if not state.waits_for for name in state.on}
    named |= {role for name in events if name in policy.events for role in policy.events[name].by}
    return named | ({"host"} if any(moving(case)) else set())


def clocks_of(case: Case, states: list[State]) -> list[Any]:
    """Return the clocks of some states, and those of the case itself."""
    names = {None, *(state.name for state in states)}
    return [clock for clock in case.clocks.values() if clock.state in names]


def is_clocked(case: Case, states: list[State]) -> bool:
    """Tell whether time is kept: a clock that runs, stands still or has run out, a moment that is watched, or money under way."""
    kept = {"running", "paused", "breached"}
    return (
        any(clock.status in kept for clock in clocks_of(case, states))
        or bool(case.timers)
        or any(moving(case))
    )


def has_its_clock(case: Case, state: State) -> bool:
    """Tell whether a clock of a state has started, or waits for something that will start it."""
    return (
        any(clock.state == state.name for clock in case.clocks.values())
        or bool(case.timers)
        or any(moving(case))
    )
