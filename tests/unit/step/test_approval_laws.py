"""Laws of approvals and of money taken back: whoever approves, declines, grants, pays and reverses, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

POLICY = """
currency: USD
roles: [user, lead, finance]
events:
  claim: {by: [user, lead, finance]}
  grant: {by: user, data: {amount: money}}
  pay: {by: user}
  take: {by: user, data: {amount: money}}
  take_all: {by: user}
  end: {by: user}
payouts:
  refund:
    amount: grant.amount
    approvals:
      - {above: 10 USD, by: [lead, finance], not: [claim.by]}
      - {above: 20 USD, by: finance, count: 2, not: [claim.by]}
    routes: [{via: card}]
states:
  only:
    initial: true
    on:
      claim: {}
      grant: {do: [{grant: refund}]}
      pay: {when: has(grant), do: [{pay: refund}]}
      take: {do: [{reverse: refund, amount: take.amount}]}
      take_all: {do: [{reverse: refund}]}
      end: over
  over: {final: true}
"""
people = st.sampled_from(["lead:1", "lead:2", "finance:1", "finance:2", "finance:3"])
amounts = st.integers(0, 30).map(lambda n: {"amount": Fraction(n)})
some = st.integers(0, 30).map(lambda n: {"amount": str(n)})
parts = st.sampled_from([{}, {"part": "all"}, {"part": "all.2"}])
inputs = st.one_of(
    st.tuples(st.just("claim"), people, st.just({})),
    st.tuples(st.just("grant"), st.just("user:1"), amounts),
    st.tuples(st.just("pay"), st.just("user:1"), st.just({})),
    st.tuples(st.just("take"), st.just("user:1"), amounts),
    st.tuples(st.just("take_all"), st.just("user:1"), st.just({})),
    st.tuples(st.just("refund.approved"), people, st.just({}) | some),
    st.tuples(st.just("refund.approved"), people, st.just({})),
    st.tuples(st.just("refund.declined"), people, st.just({})),
    st.tuples(st.sampled_from(["refund.settled", "refund.failed"]), st.just("host"), parts),
    st.tuples(st.just("refund.reversed"), st.just("host"), parts | some),
)
Inputs = Sequence[tuple[str, str, dict[str, Any]]]
long = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@long
@given(st.lists(inputs, max_size=25))
def test_nothing_is_asked_for_before_enough_others_have_approved(
    play: Callable[..., Any], todo: Inputs
) -> None:
    made = play(POLICY)
    said: list[tuple[str, Fraction]] = []
    for name, actor, data in todo:
        step = made.send(name, data, by=actor)
        payout = made.now.payouts.get("refund")
        if step.verdict == "applied" and name == "refund.approved":
            upto = Fraction(data["amount"]) if "amount" in data else payout.granted.amount
            said.append((actor, min(upto, payout.granted.amount)))
        if step.verdict == "applied" and name == "refund.declined":
            said.clear()
        if any(effect.kind == "payout" for effect in step.effects):
            asker = made.now.facts["claim"]["by"] if "claim" in made.now.facts else None
            total = payout.granted.amount
            enough = {who for who, upto in said if upto >= total and who != asker}
            assert total <= 10 or enough
            assert total <= 20 or sum(who.startswith("finance") for who in enough) >= 2
            # What is asked for counts what was before it, so that no number of small grants ducks under a threshold.
            assert payout.total("asked", "settled").amount <= total


@long
@given(st.lists(inputs, max_size=25))
def test_no_more_is_asked_back_than_was_asked_for_and_never_twice_under_one_key(
    play: Callable[..., Any], todo: Inputs
) -> None:
    made = play(POLICY)
    asked: dict[str, Fraction] = {}
    back: dict[str, Fraction] = {}
    keys: list[str] = []
    for name, actor, data in todo:
        step = made.send(name, data, by=actor)
        for effect in step.effects:
            keys.append(effect.key)
            if effect.kind == "payout":
                asked[effect.key] = effect.data["amount"].amount
            else:
                of = effect.key.partition("/reversal")[0]
                back[of] = back.get(of, Fraction(0)) + effect.data["amount"].amount
                assert effect.data["amount"].amount > 0
                assert back[of] <= asked[of]
        for payout in made.now.payouts.values():
            assert all(part.amount.amount > 0 and part.out.amount >= 0 for part in payout.parts)
            assert payout.paid.amount >= 0
    assert len(keys) == len(set(keys))
    made.send("take_all")
    made.send("refund.reversed", by="host")
    assert all(payout.total("asked", "settled").amount == 0 for payout in made.now.payouts.values())
