"""Laws of money that goes back to several tenders: whatever they paid, and in whatever order it is granted and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.money import Money, exponent
from amends.engine.stepping.tender import numbered

POLICY = """
currency: EUR
roles: [user]
facts: {paid_with: list of tender}
events:
  grant: {by: user, data: {amount: money}}
  pay: {by: user}
  take_back: {by: user}
  end: {by: user}
payouts:
  refund:
    amount: grant.amount
    at_most: paid_with.map(t, t.amount).sum()
    tenders: {of: paid_with, split: SPLIT}
    routes: [{when: part.failures < 2, via: =tender.method}, {via: bank}]
states:
  only:
    initial: true
    on:
      grant: {do: [{grant: refund}]}
      pay: {when: has(grant), do: [{pay: refund}]}
      take_back: {do: [{reverse: refund}]}
      refund.failed: {}
      end: over
  over: {final: true}
"""
CURRENCIES = ("EUR", "JPY", "KWD")
#: Ids that look like those of later parts of one another.
NAMES = ("a", "a.2", "b", "a.2.2")
Inputs = Sequence[tuple[str, dict[str, Any]]]

parts = st.sampled_from([None, "a", "a.2", "b", "b.2", "a.3", "a.2.2"])
inputs = st.one_of(
    st.tuples(st.just("grant"), st.integers(0, 400)),
    st.tuples(st.just("pay"), st.none()),
    st.tuples(st.just("pay"), st.none()),
    st.tuples(st.just("take_back"), st.none()),
    st.tuples(st.sampled_from(["refund.settled", "refund.failed", "refund.reversed"]), parts),
)
paid = st.lists(st.integers(0, 100), min_size=1, max_size=4)


class Run:
    """A case with tenders that paid some minor units of a currency each."""

    def __init__(self, play: Callable[..., Any], split: str, currency: str, paid: Sequence[int]) -> None:
        self.unit = Fraction(1, 10 ** exponent(currency))
        self.paid = dict(zip(NAMES, paid, strict=False))
        self.currency = currency
        tenders = [
            {"id": name, "method": f"m{name}", "amount": self.money(units)}
            for name, units in self.paid.items()
        ]
        self.made = play(POLICY.replace("SPLIT", split), {"paid_with": tenders, "currency": currency})

    def money(self, units: int) -> Money:
        return Money(units * self.unit, self.currency)

    def send(self, name: str, what: Any) -> Any:
        if name == "grant":
            return self.made.send("grant", {"amount": self.money(what)})
        if "." in name:
            return self.made.send(name, {} if what is None else {"part": what}, by="host")
        return self.made.send(name)

    @property
    def payout(self) -> Any:
        return self.made.now.payouts.get("refund")

    def units(self, *statuses: str, tender: str | None = None) -> Fraction:
        """Return the minor units of parts in some statuses, of one tender or of all."""
        amounts = [
            part.amount.amount
            for part in self.payout.parts
            if part.status in statuses and tender in (None, part.tender)
        ]
        return sum(amounts, Fraction(0)) / self.unit


@pytest.fixture
def run(play: Callable[..., Any]) -> Callable[[str, str, Sequence[int]], Run]:
    """Return a maker of cases."""
    return lambda split, currency, paid: Run(play, split, currency, paid)


OUT = ("granted", "needs_details", "held", "asked", "settled")
splits = st.sampled_from(["pro_rata", "in_order"])
currencies = st.sampled_from(CURRENCIES)
long = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@long
@given(splits, currencies, paid, st.integers(0, 500))
def test_the_parts_make_up_the_amount_and_none_is_more_than_its_tender_paid(
    run: Callable[..., Run], split: str, currency: str, paid: list[int], amount: int
) -> None:
    case = run(split, currency, paid)
    case.send("grant", amount)
    assert case.units(*OUT) == min(amount, sum(paid)) == case.payout.granted.amount / case.unit
    for part in case.payout.parts:
        assert 0 < part.amount.amount / case.unit <= case.paid[part.id]
        assert (part.amount.amount / case.unit).denominator == 1


@long
@given(currencies, paid, st.integers(0, 500))
def test_pro_rata_is_less_than_a_unit_off_but_for_the_last_parts(
    run: Callable[..., Run], currency: str, paid: list[int], amount: int
) -> None:
    case = run("pro_rata", currency, paid)
    case.send("grant", amount)
    due = min(amount, sum(paid))
    got = [case.units(*OUT, tender=name) for name in case.paid]
    assert all(share >= due * units // max(sum(paid), 1) for share, units in zip(got, paid, strict=True))


@long
@given(currencies, paid, st.integers(0, 500))
def test_in_order_nobody_gets_anything_before_the_one_before_has_all(
    run: Callable[..., Run], currency: str, paid: list[int], amount: int
) -> None:
    case = run("in_order", currency, paid)
    case.send("grant", amount)
    got = [case.units(*OUT, tender=name) for name in case.paid]
    for before, units, after in zip(got, paid, got[1:], strict=False):
        assert before == units or after == 0


@settings(long, max_examples=200)
@given(splits, paid, st.lists(inputs, max_size=25))
def test_whatever_happens_a_tender_never_gets_more_than_it_paid(
    run: Callable[..., Run], split: str, paid: list[int], todo: Inputs
) -> None:
    case, keys = run(split, "EUR", paid), []
    for name, what in todo:
        step = case.send(name, what)
        keys += [effect.key for effect in step.effects if effect.kind == "payout"]
        if case.payout is None:
            continue
        for tender, units in case.paid.items():
            assert case.units(*OUT, tender=tender) <= units
        assert len({part.id for part in case.payout.parts}) == len(case.payout.parts)
        if name == "grant" and step.verdict == "applied":
            out = max(case.units("asked", "settled"), case.payout.granted.amount / case.unit)
            assert case.units(*OUT) == out
    assert len(keys) == len(set(keys))


@given(st.lists(st.sampled_from(NAMES), max_size=12))
def test_no_two_parts_ever_get_one_id(tenders: list[str]) -> None:
    numbers: dict[str, int] = {}
    ids = []
    for tender in tenders:
        name, number = numbered(tender, numbers)
        numbers[tender] = number
        ids.append(name)
    assert len(ids) == len(set(ids))
