"""Laws of money out: whatever is granted, asked, reported and taken back, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.journal import entry_of
from amends.engine.step import Step

POLICY = """
currency: USD
roles: [user]
types: {method: [card, bank, hold]}
facts: {way: {type: method, default: card}, account: optional text}
events:
  grant: {by: user, data: {amount: money}}
  pay: {by: user}
  end: {by: user}
  take_back: {by: user}
  choose: {by: user, data: {method: method}}
  give: {by: user, data: {account: optional text}}
payouts:
  refund:
    amount: grant.amount
    routes: [{when: way == "card", via: card}, {when: way == "bank", via: bank, needs: [account]}]
states:
  only:
    initial: true
    on:
      grant: {do: [{grant: refund}]}
      pay: {when: has(grant), do: [{pay: refund}]}
      take_back: {do: [{reverse: refund}]}
      choose: {set: {way: choose.method}}
      give: [{when: has(give.account), set: {account: give.account}}, {set: {account: null}}]
      refund.settled: {}
      refund.failed: {}
      end: over
  over: {final: true}
"""

parts = st.sampled_from([None, "all", "all.2", "all.3", "all.4", "nobody"])
inputs = st.one_of(
    st.tuples(st.just("grant"), st.integers(0, 50).map(lambda n: {"amount": Fraction(n, 2)})),
    st.tuples(st.just("pay"), st.just({})),
    st.tuples(st.just("take_back"), st.just({})),
    st.tuples(st.just("choose"), st.sampled_from(["card", "bank", "hold"]).map(lambda m: {"method": m})),
    st.tuples(st.just("give"), st.sampled_from([{}, {"account": "1"}])),
    st.tuples(
        st.sampled_from(["refund.settled", "refund.failed", "refund.reversed"]),
        parts.map(lambda part: {} if part is None else {"part": part}),
    ),
)
#: Only what leads to a payment, or to another one: keys are made here.
payments: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("grant"), st.sampled_from([0, 5, 9]).map(lambda n: {"amount": Fraction(n)})),
    st.tuples(st.just("pay"), st.just({})),
    st.tuples(st.just("pay"), st.just({})),
    st.tuples(st.just("refund.failed"), st.sampled_from([{}, {"part": "all"}])),
)
Inputs = Sequence[tuple[str, dict[str, Any]]]


@pytest.fixture
def run(play: Callable[..., Any]) -> Callable[[Inputs], Any]:
    """Return a runner of inputs; the steps are in `steps`."""

    def of(todo: Inputs) -> Any:
        made = play(POLICY)
        for name, data in todo:
            made.send(name, data, by="host" if "." in name else "user:1")
        return made

    return of


def asked(step: Step, kind: str = "payout") -> list[Any]:
    return [effect for effect in step.effects if effect.kind == kind]


long = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(long, max_examples=200)
@given(st.lists(inputs, max_size=25) | st.lists(payments, min_size=10, max_size=25))
def test_no_two_payments_ever_share_a_key(run: Callable[[Inputs], Any], todo: Inputs) -> None:
    keys = [effect.key for step in run(todo).steps for effect in asked(step)]
    assert len(keys) == len(set(keys))


@long
@given(st.lists(inputs, max_size=25))
def test_what_is_asked_for_and_not_failed_or_reversed_is_never_more_than_ever_was_granted(
    run: Callable[[Inputs], Any], todo: Inputs
) -> None:
    most = Fraction(0)
    made = run([])
    for name, data in todo:
        step = made.send(name, data, by="host" if "." in name else "user:1")
        payout = made.now.payouts.get("refund")
        if payout is None:
            continue
        most = max(most, payout.granted.amount)
        assert payout.total("asked", "settled").amount <= most
        assert payout.paid.amount <= most
        if asked(step):
            assert payout.total("asked", "settled").amount <= payout.granted.amount


@long
@given(st.lists(inputs, max_size=25))
def test_parts_have_ids_of_their_own_and_amounts_above_zero(
    run: Callable[[Inputs], Any], todo: Inputs
) -> None:
    made = run(todo)
    for payout in made.now.payouts.values():
        assert len({part.id for part in payout.parts}) == len(payout.parts) <= payout.made
        assert all(part.amount.amount > 0 for part in payout.parts)
        assert not any(part.wanted for part in payout.parts if part.status not in ("needs_details", "held"))


@long
@given(st.lists(inputs, max_size=25))
def test_what_is_asked_for_is_the_amount_of_its_part(run: Callable[[Inputs], Any], todo: Inputs) -> None:
    for step in run(todo).steps:
        for effect in asked(step):
            (part,) = [p for p in step.changes.payouts["refund"].parts if p.id == effect.data["part"]]
            assert (part.status, part.amount, part.via) == (
                "asked",
                effect.data["amount"],
                effect.data["via"],
            )
            assert effect.key == f"c/refund/{part.id}/{part.attempt}"


@long
@given(st.lists(inputs, max_size=25))
def test_once_all_is_granted_routed_and_paid_nothing_more_is_asked(
    run: Callable[[Inputs], Any], todo: Inputs
) -> None:
    made = run([*todo, ("grant", {"amount": 9}), ("choose", {"method": "card"}), ("pay", {})])
    made.send("refund.settled", by="host")
    payout = made.now.payouts["refund"]
    assert payout.state in ("settled", "reversed")
    assert payout.paid.amount >= 9
    assert made.send("pay").effects == ()


@long
@given(st.lists(inputs, max_size=15))
def test_the_same_inputs_give_the_same_bytes(run: Callable[[Inputs], Any], todo: Inputs) -> None:
    assert [entry_of(step) for step in run(todo).steps] == [entry_of(step) for step in run(todo).steps]
