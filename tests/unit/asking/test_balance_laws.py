"""Laws of balances: whatever cases that share one are granted, asked for, told and take back, in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.engine.case import Case
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of
from amends.engine.literal import plain
from amends.engine.money import Money
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, open_bundle
from amends.engine.step import Event, Open, Query, Step
from amends.engine.stepping.answers import Tally, answer, decide_asking, tallied
from amends.engine.verify import digests, verify

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMIT: Final = 100
POLICY = """
currency: USD
roles: [user]
facts: {order: text, owner: text, share: {type: decimal, default: 1}}
balances:
  order_money: {of: order, limit: 'money("100 USD")'}
  owner_money: {of: owner, limit: 'money("150 USD")'}
events:
  grant: {by: user, data: {amount: money}}
  goodwill: {by: user, data: {amount: money}}
  pay: {by: user}
  take_back: {by: user}
  move: {by: user, data: {to: text}}
  end: {by: user}
payouts:
  refund: {amount: grant.amount / 3, balance: order_money, routes: [{via: card}]}
  gift: {amount: goodwill.amount, balance: [order_money, owner_money], routes: [{via: voucher}]}
states:
  only:
    initial: true
    on:
      grant: {do: [{grant: refund}]}
      goodwill: {do: [{pay: gift}]}
      pay: {when: has(grant), do: [{pay: refund}]}
      take_back: {do: [{reverse: refund}, {reverse: gift}]}
      move: {set: {order: move.to}}
      end: over
  over: {final: true}
"""

amounts = st.integers(0, 400).map(lambda n: {"amount": Fraction(n, 2)})
deeds: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("grant"), amounts),
    st.tuples(st.just("goodwill"), amounts),
    st.tuples(st.sampled_from(["pay", "pay", "take_back"]), st.just({})),
    st.tuples(st.just("move"), st.sampled_from([{"to": "o-1"}, {"to": "o-2"}])),
    st.tuples(
        st.sampled_from([f"{p}.{r}" for p in ("refund", "gift") for r in ("settled", "failed", "reversed")]),
        st.just({}),
    ),
)
cases = st.integers(0, 3)


@cache
def policy() -> CompiledPolicy:
    return open_bundle(Bundle(texts=("amends: 1\npolicy: small\nversion: v1\n" + POLICY,), holidays={}))


class Shop:
    """Four cases of two orders and one owner, driven as a store with one lock would."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.tallies: dict[str, Tally] = {}
        self.journals: dict[str, list[bytes]] = {}
        for number in range(4):
            facts = plain({"order": f"o-{number % 2 + 1}", "owner": "ann"})
            self.take(
                str(number), Open(case_id=str(number), policy=policy().ref, facts=facts, recorded_at=NOON)
            )

    def ask(self, case_id: str, query: Query) -> Any:
        return answer(query, (tally for other, tally in self.tallies.items() if other != case_id))

    def take(self, case_id: str, arrived: Open | Event) -> Step:
        step = decide_asking(
            policy(), self.cases.get(case_id), arrived, lambda query: self.ask(case_id, query)
        )
        case = self.cases[case_id] = evolve(self.cases.get(case_id), step)
        self.tallies[case_id] = tallied(self.tallies.get(case_id), case, step)
        self.journals.setdefault(case_id, []).append(entry_of(step))
        return step

    def send(self, number: int, name: str, data: dict[str, Any]) -> Step:
        by = "host" if "." in name else "user"
        arrived = Event(name=name, data=plain(data), actor=by, role=by, occurred_at=NOON, recorded_at=NOON)
        return self.take(str(number), arrived)

    def out(self, *, order: str | None = None) -> Fraction:
        """Return what is out of all cases, or on its way: of an order, or of gifts, which the owner shares."""
        found = Fraction(0)
        for case in self.cases.values():
            for name, payout in case.payouts.items():
                if (case.takes["order_money"].of == order) if order else name == "gift":
                    found += sum(
                        (p.amount.amount for p in payout.parts if p.status != "reversed"), Fraction(0)
                    )
        return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cases, deeds), max_size=25))
def test_cases_never_take_more_together_than_the_limit(
    todo: list[tuple[int, tuple[str, dict[str, Any]]]],
) -> None:
    shop = Shop()
    for number, (name, data) in todo:
        shop.send(number, name, data)
        assert shop.out(order="o-1") <= LIMIT
        assert shop.out(order="o-2") <= LIMIT
        assert shop.out() <= 150


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(cases, deeds), max_size=15))
def test_what_a_case_takes_is_what_its_payouts_hold(
    todo: list[tuple[int, tuple[str, dict[str, Any]]]],
) -> None:
    shop = Shop()
    for number, (name, data) in todo:
        shop.send(number, name, data)
    for case in shop.cases.values():
        for balance, payouts in (("order_money", {"refund", "gift"}), ("owner_money", {"gift"})):
            held = sum(
                (case.payouts[name].taken for name in payouts & case.payouts.keys()),
                Money(Fraction(0), "USD"),
            )
            taken = case.takes[balance].taken if balance in case.takes else Money(Fraction(0), "USD")
            assert taken == held


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(cases, deeds), max_size=12))
def test_every_journal_can_be_decided_again_without_the_others(
    todo: list[tuple[int, tuple[str, dict[str, Any]]]],
) -> None:
    shop = Shop()
    for number, (name, data) in todo:
        shop.send(number, name, data)
    for case_id, entries in shop.journals.items():
        verified = verify(policy(), entries, digests(entries))
        assert (verified.decided, verified.case) == (len(entries), shop.cases[case_id])


def test_a_grant_is_cut_to_what_is_left() -> None:
    shop = Shop()
    shop.send(0, "goodwill", {"amount": "70"})
    shop.send(2, "goodwill", {"amount": "70"})
    assert str(shop.cases["2"].payouts["gift"].granted) == "30.00 USD"


def test_what_a_payout_took_itself_counts_towards_its_new_amount() -> None:
    shop = Shop()
    shop.send(0, "goodwill", {"amount": "60"})
    shop.send(2, "grant", {"amount": "90"})
    assert str(shop.cases["2"].payouts["refund"].granted) == "30.00 USD"
    shop.send(2, "grant", {"amount": "150"})
    assert str(shop.cases["2"].payouts["refund"].granted) == "40.00 USD"


def test_an_owner_caps_what_two_orders_would_allow() -> None:
    shop = Shop()
    shop.send(0, "goodwill", {"amount": "100"})
    shop.send(1, "goodwill", {"amount": "100"})
    assert str(shop.cases["1"].payouts["gift"].granted) == "50.00 USD"


def test_what_failed_still_counts_until_it_is_taken_back() -> None:
    shop = Shop()
    shop.send(0, "goodwill", {"amount": "100"})
    shop.send(0, "gift.failed", {})
    shop.send(2, "goodwill", {"amount": "10"})
    assert str(shop.cases["2"].payouts["gift"].granted) == "0.00 USD"
    shop.send(0, "take_back", {})
    shop.send(2, "goodwill", {"amount": "10"})
    assert str(shop.cases["2"].payouts["gift"].granted) == "0.00 USD"
    shop.send(2, "grant", {"amount": "30"})
    assert str(shop.cases["2"].payouts["refund"].granted) == "10.00 USD"


def test_a_case_keeps_to_the_balance_that_it_took_from_first() -> None:
    shop = Shop()
    shop.send(0, "goodwill", {"amount": "80"})
    shop.send(0, "move", {"to": "o-2"})
    shop.send(0, "grant", {"amount": "300"})
    assert shop.cases["0"].takes["order_money"].of == "o-1"
    assert str(shop.cases["0"].payouts["refund"].granted) == "20.00 USD"
    shop.send(1, "grant", {"amount": "300"})
    assert str(shop.cases["1"].payouts["refund"].granted) == "100.00 USD"
