"""What a step asks about other cases, and what it is told. Cases: lookback.yaml, answers.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.case import Case, Share
from amends.engine.decide import decide
from amends.engine.errors import CorruptJournal, InvalidValue
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of, read_entry
from amends.engine.literal import plain
from amends.engine.money import Money, parse_money
from amends.engine.policy import CompiledPolicy
from amends.engine.step import Due, Event, Input, Needs, Open, Query, Same, Step
from amends.engine.stepping.answers import Entry, Tally, answer, decide_asking, tallied
from amends.engine.stepping.work import Work
from amends.engine.values import Unknown
from amends.engine.verify import digests, verify

HERE = Path(__file__).parent
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Opened = Callable[[str], CompiledPolicy]


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return found


def opening(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime = NOON) -> Open:
    return Open(case_id="c", policy=policy.ref, facts=plain(facts), recorded_at=at)


def event(name: str, at: datetime = NOON, **data: Any) -> Event:
    return Event(name=name, data=plain(data), actor="user:1", role="user", occurred_at=at, recorded_at=at)


# --- how far back -------------------------------------------------------------------------------------------------------

LOOKBACK = read("lookback.yaml")


@pytest.mark.parametrize("case", LOOKBACK.values(), ids=LOOKBACK.keys())
def test_a_lookup_looks_back_from_the_instant_of_its_step(case: dict[str, Any], compiled: Opened) -> None:
    policy = compiled(
        f"""
        timezone: {case["zone"]}
        params: {{far: 10 days}}
        calendars: {{work: {{holidays: []}}}}
        lookups: {{many: {{count: cases, within: {yaml.safe_dump(case["within"], default_flow_style=True).splitlines()[0]}}}}}
        states: {{a: {{initial: true, always: {{when: many > 9 && far == period("10 days"), to: b}}}}, b: {{final: true}}}}
        """
    )
    at = datetime.fromisoformat(case["at"])
    needs = decide(policy, None, opening(policy, {}, at))
    assert isinstance(needs, Needs)
    (query,) = needs.queries
    assert (query.since, query.until) == (datetime.fromisoformat(case["since"]), at)


# --- what is answered ---------------------------------------------------------------------------------------------------

ANSWERS = read("answers.yaml")


def at(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def tally(written: dict[str, Any]) -> Tally:
    money = [{"paid_at": None, **entry} for entry in written.get("money", ())]
    dated = {"opened_at": at(written["opened_at"]), "decided_at": at(written.get("decided_at"))}
    return Tally(
        **{
            **written,
            **dated,
            "states": {state: datetime.fromisoformat(since) for state, since in written["states"].items()},
            "money": tuple(
                Entry(
                    payout=entry["payout"],
                    part=entry["part"],
                    amount=parse_money(entry["amount"]),
                    granted_at=datetime.fromisoformat(entry["granted_at"]),
                    paid_at=at(entry["paid_at"]),
                )
                for entry in money
            ),
            "takes": {
                name: Share(of=share["of"], taken=parse_money(share["taken"]))
                for name, share in written["takes"].items()
            },
        }
    )


def query_of(written: dict[str, Any]) -> Query:
    lists: dict[str, Any] = {
        key: tuple(written[key]) for key in ("policies", "states", "decisions") if key in written
    }
    same = tuple(Same(fact=name, value=value) for name, value in written.get("same", {}).items())
    bounds = {key: at(written.get(key)) for key in ("since", "until")}
    fields: dict[str, Any] = {"name": "asked", **written, **lists, **bounds, "same": same}
    return Query(**fields)


def told(value: Any) -> Any:
    if isinstance(value, tuple):
        return [told(item) for item in value]
    return parse_money(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", ANSWERS["queries"].values(), ids=ANSWERS["queries"].keys())
def test_other_cases_answer(case: dict[str, Any]) -> None:
    others = [tally(written) for written in ANSWERS["tallies"]]
    expected = case["is"]
    expected = tuple(map(parse_money, expected)) if isinstance(expected, list) else told(expected)
    assert answer(query_of(case["query"]), others) == expected


# --- asking -------------------------------------------------------------------------------------------------------------

ASKS = """
currency: USD
roles: [user]
facts: {owner: text, order: optional text, total: {type: money, default: 100}}
lookups:
  many: {count: cases, same: owner, in: [done], within: 60 days}
  spent: {sum: refund.granted, same: owner}
  risk: {type: [low, high], of: [owner, order]}
  tier: {type: text, of: owner}
balances: {order_money: {of: order, limit: total}}
reasons: {too_many: "{many} are too many", over: "{order_money.left} of {order_money.limit}"}
events:
  ask: {by: user, data: {amount: {type: money, default: 30}}}
  look: {by: user}
  divide: {by: user}
payouts: {refund: {amount: ask.amount, balance: order_money, routes: [{via: card}]}}
states:
  open:
    initial: true
    on:
      ask:
        - {when: many >= 3, refuse: too_many}
        - {when: has(order) && ask.amount > order_money.left, refuse: over}
        - {when: 'risk == "high"', unknown: {to: waiting}, to: waiting}
        - {needs: [order], to: done}
      look: [{when: has(tier) && spent > money("50 USD"), to: waiting}, {}]
      divide: {when: 1 / many > 0}
    sla: {end: {due: 9 days, breach: {to: gone}}}
  waiting: {on: {look: open}, sla: {end: {due: 9 days, breach: {to: open}}}}
  done: {final: true, enter: [{pay: refund}]}
  gone: {final: true}
"""

FACTS = {"owner": "ann", "order": "o-1"}


@pytest.fixture
def policy(compiled: Opened) -> CompiledPolicy:
    return compiled(ASKS)


@pytest.fixture
def case(policy: CompiledPolicy) -> Case:
    step = decide(policy, None, opening(policy, FACTS))
    assert isinstance(step, Step)
    return evolve(None, step)


def stubborn(known: Mapping[str, Any], asked: list[str] | None = None) -> Callable[[Query], Any]:
    """Return what answers by name, and notes what it was asked."""

    def ask(query: Query) -> Any:
        if asked is not None:
            asked.append(query.name)
        return known[query.name]

    return ask


def test_what_is_read_is_asked_for_one_after_another_and_once(policy: CompiledPolicy, case: Case) -> None:
    asked: list[str] = []
    known = {"many": 0, "order_money": ["20"], "risk": "low"}
    step = decide_asking(policy, case, event("ask"), stubborn(known, asked))
    assert asked == ["many", "order_money", "risk"]
    assert [(item.query.name, item.value) for item in step.answers] == [
        ("many", 0),
        ("order_money", (Money(20, "USD"),)),  # type: ignore[arg-type] # 20 is a rational
        ("risk", "low"),
    ]
    assert evolve(case, step).payouts["refund"].granted == parse_money("30 USD")


def test_the_first_question_is_the_same_however_often_it_is_asked(policy: CompiledPolicy, case: Case) -> None:
    needs = decide(policy, case, event("ask"))
    assert needs == decide(policy, case, event("ask"), {})
    assert isinstance(needs, Needs)
    (query,) = needs.queries
    assert query == Query(
        kind="count",
        name="many",
        same=(Same(fact="owner", value="ann"),),
        policies=("small",),
        states=("done",),
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=NOON,
    )


def test_what_is_not_read_does_not_become_part_of_the_step(policy: CompiledPolicy, case: Case) -> None:
    needs = decide(policy, case, event("ask"))
    assert isinstance(needs, Needs)
    (many,) = needs.queries
    step = decide(policy, case, event("ask"), {many: 3, replace(many, name="another"): 7})
    assert isinstance(step, Step)
    assert step.verdict == "refused"
    assert step.reason is not None
    assert (step.reason.code, step.reason.values) == ("too_many", {"many": 3})
    assert [item.query for item in step.answers] == [many]


def test_the_trace_shows_what_a_condition_saw(policy: CompiledPolicy, case: Case) -> None:
    step = decide_asking(
        policy, case, event("ask", amount="90"), stubborn({"many": 0, "order_money": ["20"]})
    )
    assert step.reason is not None
    assert step.reason.code == "over"
    saw = {
        path: str(value)
        for trace in step.trace
        for clause in trace.clauses
        for path, value in clause.saw.items()
    }
    assert saw == {"many": "0", "order": "o-1", "ask.amount": "90.00 USD", "order_money.left": "80.00 USD"}


def test_what_the_host_does_not_know_is_unknown(policy: CompiledPolicy, case: Case) -> None:
    step = decide_asking(policy, case, event("ask"), stubborn({"many": 0, "order_money": [], "risk": None}))
    assert evolve(case, step).state == "waiting"
    assert step.answers[-1].value is None


def test_nobody_is_asked_by_a_fact_that_is_missing(policy: CompiledPolicy) -> None:
    case = evolve(None, decide_asking(policy, None, opening(policy, {"owner": "ann"}), stubborn({})))
    step = decide_asking(policy, case, event("ask"), stubborn({"many": 0}))
    assert evolve(case, step).state == "waiting"
    assert [item.query.name for item in step.answers] == ["many"]


def test_a_sum_needs_no_host_and_has_the_currency_of_the_case(policy: CompiledPolicy, case: Case) -> None:
    asked: list[str] = []
    step = decide_asking(policy, case, event("look"), stubborn({"tier": "x", "spent": "60"}, asked))
    assert asked == ["tier", "spent"]
    assert step.answers[1].query.currency == "USD"
    assert evolve(case, step).state == "waiting"


def test_an_answer_of_another_type_is_the_hosts_mistake(policy: CompiledPolicy, case: Case) -> None:
    for known in ({"many": "some"}, {"many": 1.5}, {"many": 0, "order_money": [], "risk": "hgh"}):
        with pytest.raises(InvalidValue, match="the answer to"):
            decide_asking(policy, case, event("ask"), stubborn(known))


def test_what_others_took_in_another_currency_fails_the_rule(policy: CompiledPolicy, case: Case) -> None:
    step = decide_asking(policy, case, event("ask"), stubborn({"many": 0, "order_money": ["1 EUR"]}))
    assert (step.verdict, step.reason and step.reason.code) == ("refused", "rule_failed")
    nothing = stubborn({"many": 0, "order_money": ["0 EUR"], "risk": "low"})
    assert decide_asking(policy, case, event("ask"), nothing).verdict == "applied"


def test_a_rule_that_fails_keeps_what_it_was_told(policy: CompiledPolicy, case: Case) -> None:
    step = decide_asking(policy, case, event("divide"), stubborn({"many": 0}))
    assert (step.verdict, [item.value for item in step.answers]) == ("refused", [0])


# --- the journal --------------------------------------------------------------------------------------------------------


def journal(policy: CompiledPolicy) -> list[bytes]:
    known = {"many": 0, "order_money": ["20"], "risk": None, "tier": None, "spent": "0"}
    case: Case | None = None
    entries = []
    for arrived in (opening(policy, FACTS), event("look"), event("ask", amount="90"), event("ask")):
        step = decide_asking(policy, case, arrived, stubborn(known))
        entries.append(entry_of(step))
        case = evolve(case, step)
    return entries


def test_a_replay_asks_nobody_and_gives_the_same_bytes(policy: CompiledPolicy) -> None:
    entries = journal(policy)
    verified = verify(policy, entries, digests(entries))
    assert verified.decided == len(entries)
    assert [entry_of(read_entry(entry)) for entry in entries] == entries


def test_another_answer_in_a_journal_is_found_out(policy: CompiledPolicy) -> None:
    entries = journal(policy)
    forged = [entry.replace(b'"value":{"$int":"0"}', b'"value":{"$int":"3"}') for entry in entries]
    assert forged != entries
    with pytest.raises(CorruptJournal, match="is not what the policy makes of its input"):
        verify(policy, forged, digests(forged))


def test_a_question_that_nothing_can_be_found_by_is_no_question(policy: CompiledPolicy) -> None:
    entries = journal(policy)
    forged = [entry.replace(b'"value":"ann"', b'"value":{"a":"b"}') for entry in entries]
    with pytest.raises(CorruptJournal, match=r"nothing can be found by|cannot come of its input"):
        verify(policy, forged, digests(forged))


# --- tallies ------------------------------------------------------------------------------------------------------------


def test_a_tally_says_since_when(policy: CompiledPolicy) -> None:
    known = {"many": 0, "order_money": [], "risk": "low", "tier": None, "spent": "0"}
    later, last = NOON.replace(hour=13), NOON.replace(hour=14)
    case: Case | None = None
    found: Tally | None = None
    reports = [
        Event(name=f"refund.{name}", data={}, actor="host", role="host", occurred_at=at_, recorded_at=at_)
        for name, at_ in (("settled", last), ("reversed", last.replace(hour=15)))
    ]
    tallies = []
    inputs: list[Input] = [opening(policy, FACTS), event("ask", later), *reports]
    for arrived in inputs:
        step = decide_asking(policy, case, arrived, stubborn(known))
        case = evolve(case, step)
        found = tallied(found, case, step)
        tallies.append(found)
    assert tallies[0].states == {"open": NOON}
    assert tallies[1].states == {"done": later}
    assert all(item.opened_at == NOON for item in tallies)
    assert [[(str(e.amount), e.granted_at, e.paid_at) for e in item.money] for item in tallies] == [
        [],
        [("30.00 USD", later, None)],
        [("30.00 USD", later, last)],
        [],
    ]
    assert [str(item.takes["order_money"].taken) for item in tallies[1:]] == [
        "30.00 USD",
        "30.00 USD",
        "0.00 USD",
    ]
    assert tallies[1].takes["order_money"].of == "o-1"


# --- time ---------------------------------------------------------------------------------------------------------------

WAITS = """
currency: USD
facts: {day: timestamp, owner: text}
windows: {early: {closes: exactly 3 days after day}}
lookups: {many: {count: cases, same: owner, within: exactly 2 days}}
balances: {whole: {of: owner, limit: 'early.is_open ? money("10 USD") : money("5 USD")'}}
states:
  a: {initial: true, always: [{when: whole.left < money("6 USD"), to: b}, {when: now > day + duration("86400s") && many > 3, to: c}]}
  b: {final: true}
  c: {final: true}
"""


def test_the_future_is_looked_at_with_what_the_step_was_told(compiled: Opened) -> None:
    policy = compiled(WAITS)
    asked: list[str] = []
    facts = {"day": NOON, "owner": "ann"}
    step = decide_asking(policy, None, opening(policy, facts), stubborn({"many": 4, "whole": []}, asked))
    # The second rule would hold a day from now if as many were counted then; nobody is asked what will be then.
    assert asked == ["whole", "many"]
    assert step.answers[1].query.until == NOON
    wakes = [timer.fires_at for timer in evolve(None, step).timers]
    assert wakes == [NOON.replace(day=3, second=1)]


def test_a_limit_that_time_changes_is_looked_at_again(compiled: Opened) -> None:
    policy = compiled(WAITS)
    facts = {"day": NOON, "owner": "ann"}
    step = decide_asking(policy, None, opening(policy, facts), stubborn({"many": 3, "whole": []}))
    case = evolve(None, step)
    (wake,) = case.timers
    assert wake.fires_at == NOON.replace(day=5, second=1)
    due = Due(timer=wake.id, fires_at=wake.fires_at, fired_at=wake.fires_at)
    after = decide_asking(policy, case, due, stubborn({"many": 3, "whole": []}))
    assert evolve(case, after).state == "b"


def test_outside_of_a_step_nobody_is_asked(policy: CompiledPolicy, case: Case) -> None:
    work = Work(policy, case, NOON)
    assert work.value("many") == Unknown(frozenset({"many"}))
    assert work.value("order_money") == Unknown(frozenset({"order_money"}))
