"""What every store keeps to: memory, SQLite and PostgreSQL answer alike, and what they keep survives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.engine.durable.session import Limits
from amends.engine.errors import InvalidValue, TooLarge, UnknownCase
from amends.engine.library import Library
from amends.engine.sent import Sending
from amends.engine.step import Due
from amends.engine.values import Sealed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IBAN = "DE02 1203 0000 0000 2020 51"


TWO_PAYOUTS = """amends: 1
policy: two_payouts
version: v1
currency: EUR
roles: [desk]
facts: {account: optional text}
events: {owe_rent: {by: desk}, owe_fee: {by: desk}, give_account: {by: desk, data: {iban: text}}, end: {by: desk}}
payouts:
  rent: {amount: 'money("5 EUR")', routes: [{via: bank, needs: [account]}]}
  fee: {amount: 'money("7 EUR")', routes: [{via: bank, needs: [account]}]}
states:
  running:
    initial: true
    on:
      owe_rent: {do: [{pay: rent}]}
      owe_fee: {do: [{pay: fee}]}
      give_account: {set: {account: give_account.iban}}
      end: {to: ended}
  ended: {final: true}
"""


# --- what is kept -------------------------------------------------------------------------------------------------------


def test_a_case_is_there_for_whoever_comes_later(
    engine: Any, make: Callable[..., Any], library: Library
) -> None:
    opened = engine.open("loan", {"fee": "12.50"}, at=NOON, case_id="a")
    sent = engine.send("a", "return_late", {"days": 2, "contact": "me@example.org"}, by="reader:1", at=NOON)
    later = make(library)
    assert later.case("a") == sent.case
    assert [step.seq for step in later.journal("a")] == [0, 1]
    assert later.journal("a")[1] == sent.step
    assert later.journal("a")[0].input.secret == opened.secret
    assert later.verify("a").decided == 2


def test_what_a_case_does_does_not_depend_on_whether_it_was_read(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "two.yaml").write_text(TWO_PAYOUTS, encoding="utf-8")
    engine = make(Library.load(tmp_path))
    engine.open("two_payouts", {}, at=NOON, case_id="a")
    for event in ("owe_rent", "owe_fee"):
        engine.send("a", event, by="desk:1", at=NOON)
    sent = engine.send("a", "give_account", {"iban": IBAN}, by="desk:1", at=NOON)
    assert [effect.data["payout"] for effect in sent.effects] == ["fee", "rent"]
    assert engine.verify("a").decided == 4


def test_a_case_needs_only_the_store_when_its_policy_is_gone(engine: Any, make: Callable[..., Any]) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    later = make(Library())
    assert later.policy_of("a").ref == engine.policy_of("a").ref
    sent = later.send("a", "return_late", {"days": 1}, by="reader", at=NOON + HOUR)
    assert (sent.state, later.verify("a").decided) == ("back", 2)


def test_the_same_key_opens_once_and_answers_the_same(engine: Any) -> None:
    first = engine.open("loan", {"fee": "1"}, at=NOON, key="order-1")
    assert engine.open("loan", {"fee": "1"}, at=NOON + DAY, key="order-1") == first
    assert engine.open(None, {"fee": "1"}, at=NOON + DAY, key="order-1") == first
    with pytest.raises(InvalidValue, match="the key `order-1` came before, with another case"):
        engine.open("loan", {"fee": "2"}, at=NOON, key="order-1")


def test_the_same_key_gives_the_same_step_and_the_case_as_it_was(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    late = NOON + 2 * DAY + 23 * HOUR
    sent = engine.send("a", "return_late", {"days": 2, "contact": "x"}, by="reader:1", at=late, key="k")
    assert [step.input.timer for step in sent.before] == ["remind:out/lending"]
    engine.send("a", "accept", by="desk", at=late)
    assert (
        engine.send("a", "return_late", {"days": 2, "contact": "x"}, by="reader:1", at=late, key="k") == sent
    )
    assert len(engine.journal("a")) == 4
    for data, by in [({"days": 3, "contact": "x"}, "reader:1"), ({"days": 2, "contact": "x"}, "reader:2")]:
        with pytest.raises(InvalidValue, match="the key `k` came before, with another event"):
            engine.send("a", "return_late", data, by=by, at=late, key="k")


def test_a_key_that_was_refused_is_used_up(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    refused = engine.send("a", "accept", by="desk", at=NOON, key="k")
    assert refused.refusal.code == "not_accepted"
    engine.send("a", "return_late", {"days": 0}, by="reader", at=NOON)
    assert engine.send("a", "accept", by="desk", at=NOON, key="k") == refused


def test_an_id_is_taken_once(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    with pytest.raises(InvalidValue, match="there is a case `a` already"):
        engine.open("loan", {}, at=NOON, case_id="a")


def test_what_is_not_there_is_said(engine: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: engine.send("x", "accept", by="desk"),
        lambda: engine.preview("x", "accept", by="desk"),
        lambda: engine.case("x"),
        lambda: engine.journal("x"),
        lambda: engine.policy_of("x"),
        lambda: engine.verify("x"),
        lambda: engine.erase("x"),
        lambda: engine.unpark("x"),
    ]
    for call in calls:
        with pytest.raises(UnknownCase, match="there is no case `x`"):
            call()


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 201, "\ud800"], ids=ascii)
def test_an_id_or_a_key_that_no_table_can_hold_is_refused(engine: Any, name: str) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    calls: list[Callable[[], object]] = [
        lambda: engine.open("loan", {}, case_id=name),
        lambda: engine.open("loan", {}, key=name),
        lambda: engine.send("a", "accept", by="desk", key=name),
    ]
    for call in calls:
        with pytest.raises(InvalidValue):
            call()


def test_what_is_strange_but_can_be_written_comes_back_as_it_was(engine: Any) -> None:
    name = "O'Brien \"; DROP TABLE amends_cases; -- % _ 退款 😀"
    engine.open("loan", {}, at=NOON, case_id=name, key=name)
    data = {"days": 1, "contact": "\0\x01\u2028 \\ ' \" 退款 😀"}
    sent = engine.send(name, "return_late", data, by=f"reader:{name}\0", at=NOON, key=name)
    assert sent.case.facts["return_late"]["contact"] == data["contact"]
    assert engine.case(name) == sent.case
    assert engine.send(name, "return_late", data, by=f"reader:{name}\0", at=NOON, key=name) == sent


def test_too_much_is_refused_and_leaves_nothing(library: Library, make: Callable[..., Any]) -> None:
    engine = make(library, limits=Limits(facts_bytes=200, event_bytes=100, steps=3))
    with pytest.raises(TooLarge, match=r"the facts take 2\d\d bytes, and may take 200"):
        engine.open("loan", {"account": "x" * 200}, at=NOON, case_id="a")
    engine.open("loan", {}, at=NOON, case_id="a")
    with pytest.raises(TooLarge, match="the data of the event `return_late` take"):
        engine.send("a", "return_late", {"days": 1, "contact": "x" * 100}, by="reader", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)
    engine.send("a", "accept", by="desk", at=NOON)
    with pytest.raises(TooLarge, match="the case `a` has had 3 steps"):
        engine.send("a", "accept", by="desk", at=NOON)
    assert len(engine.journal("a")) == 3


# --- many ---------------------------------------------------------------------------------------------------------------


def test_many_events_are_one_transaction(engine: Any) -> None:
    for name in "ab":
        engine.open("loan", {}, at=NOON, case_id=name)
    sending = [
        Sending(case_id="a", event="return_late", data={"days": 1}, by="reader", at=NOON, key="k"),
        Sending(case_id="b", event="return_late", data={"days": 2}, by="reader", at=NOON + 71 * HOUR),
        Sending(case_id="a", event="accept", by="desk", at=NOON),
        Sending(case_id="a", event="return_late", data={"days": 1}, by="reader", at=NOON, key="k"),
    ]
    sent = engine.send_many(sending)
    assert [one.state for one in sent] == ["back", "back", "closed", "back"]
    assert sent[3] == sent[0]
    assert engine.case("a") == sent[2].case
    assert [engine.verify(name).decided for name in "ab"] == [3, 3]


def test_where_one_of_many_cannot_be_sent_none_is(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    good = Sending(case_id="a", event="return_late", data={"days": 1}, by="reader", at=NOON)
    with pytest.raises(UnknownCase):
        engine.send_many([good, Sending(case_id="x", event="accept", by="desk", at=NOON)])
    assert engine.case("a").state == "out"
    assert engine.send_many([]) == ()


def test_a_preview_says_what_would_be_and_does_nothing(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    before = engine.case("a")
    would = engine.preview("a", "return_late", {"days": 1}, by="reader", at=NOON + 4 * DAY)
    assert [step.input.timer for step in would.before] == [
        "remind:out/lending",
        "breach:out/lending",
        "breach:overdue/soon",
    ]
    assert would.refusal.code == "closed"
    assert engine.case("a") == before
    assert engine.preview("a", "return_late", {"days": 1}, by="reader", at=NOON).state == "back"
    assert engine.send("a", "return_late", {"days": 1}, by="reader", at=NOON).state == "back"


# --- timers -------------------------------------------------------------------------------------------------------------


def test_timers_fire_in_due_order_over_all_cases_and_once(engine: Any) -> None:
    for name, opened in [("late", NOON + 2 * HOUR), ("early", NOON), ("middle", NOON + HOUR)]:
        engine.open("loan", {}, at=opened, case_id=name)
    assert engine.run_due(NOON + DAY) == ()
    fired = engine.run_due(NOON + 9 * DAY)
    assert [step.at for step in fired] == sorted(step.at for step in fired)
    assert len(fired) == 9
    assert all(step.input.fired_at == NOON + 9 * DAY for step in fired)
    assert engine.run_due(NOON + 9 * DAY) == ()
    assert {engine.case(name).state for name in ("early", "middle", "late")} == {"closed"}


def test_no_more_timers_fire_than_asked_for(engine: Any) -> None:
    for name in "abc":
        engine.open("loan", {}, at=NOON, case_id=name)
    found = []
    while fired := engine.run_due(NOON + 9 * DAY, limit=2):
        found.append([step.input.timer.partition(":")[0] for step in fired])
    assert [len(batch) for batch in found] == [2, 2, 2, 2, 1]
    assert found[0] == ["remind", "remind"]


def test_more_cases_than_a_batch_are_all_fired(engine: Any) -> None:
    for index in range(130):
        engine.open("loan", {}, at=NOON + timedelta(seconds=index), case_id=f"{index:03}")
    fired = engine.run_due(NOON + 9 * DAY)
    assert len(fired) == 390
    assert [step.at for step in fired] == sorted(step.at for step in fired)


def test_a_rule_that_fails_at_a_breach_marks_its_case_and_stops_nobody(engine: Any) -> None:
    engine.open("loan", {"divisor": 0}, at=NOON, case_id="bad")
    engine.open("loan", {}, at=NOON, case_id="good")
    engine.run_due(NOON + 9 * DAY)
    assert engine.case("good").state == "closed"
    assert engine.case("bad").state == "overdue"
    assert "zero" in engine.case("bad").needs_human
    assert engine.run_due(NOON + 9 * DAY) == ()
    assert [one.id for one in engine.cases(stuck=True).cases] == ["bad"]


def test_a_clock_that_goes_back_fires_nothing_and_takes_events_at_the_last_instant(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    engine.send("a", "divide", by="desk", at=NOON + DAY)
    assert engine.run_due(NOON - DAY) == ()
    sent = engine.send("a", "return_late", {"days": 0}, by="reader", at=NOON - DAY)
    assert sent.step.at == NOON + DAY
    assert sent.step.input.recorded_at == NOON - DAY


def test_a_clock_that_jumps_ahead_fires_each_timer_at_its_own_instant(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    fired = engine.run_due(NOON + 3650 * DAY)
    assert fired[0].at < NOON + 3 * DAY
    assert engine.case("a").at < NOON + 5 * DAY
    assert isinstance(fired[0].input, Due)


# --- lists --------------------------------------------------------------------------------------------------------------


def ids(page: Any) -> list[str]:
    return [one.id for one in page.cases]


def test_cases_are_listed_by_what_they_stand_at(engine: Any) -> None:
    for index, name in enumerate("dcba"):
        engine.open("loan", {}, at=NOON + index * HOUR, case_id=name)
    engine.send("c", "return_late", {"days": 0}, by="reader", at=NOON + DAY)
    engine.send("b", "return_late", {"days": 0}, by="reader", at=NOON + DAY)
    engine.send("b", "accept", by="desk", at=NOON + DAY)
    assert ids(engine.cases()) == ["d", "c", "b", "a"]
    assert ids(engine.cases(state="out")) == ["d", "a"]
    assert ids(engine.cases(state="ou")) == []
    assert ids(engine.cases(waits_for="bank")) == ["c"]
    assert ids(engine.cases(closed=True)) == ["b"]
    assert ids(engine.cases(closed=False, waits_for="reader")) == ["d", "a"]
    assert ids(engine.cases(policy="loan", stuck=False)) == ["d", "c", "b", "a"]
    assert ids(engine.cases(policy="other")) == []
    assert ids(engine.cases(stuck=True)) == []
    assert ids(engine.cases(overdue_at=NOON + DAY + 2 * HOUR)) == []
    assert ids(engine.cases(overdue_at=NOON + DAY + 2 * HOUR + timedelta(seconds=1))) == ["c"]
    one = engine.cases(state="back").cases[0]
    case = engine.case("c")
    assert (one.policy, one.seq, one.at, one.due_at) == (case.policy, 1, case.at, case.timers[0].fires_at)
    assert (one.state, one.filing.waits_for, one.opened_at) == ("back", ("desk", "bank"), NOON + HOUR)


def test_pages_hold_every_case_once(engine: Any) -> None:
    for index in range(7):
        engine.open("loan", {}, at=NOON + (index % 2) * HOUR, case_id=f"{index} of them")
    found, after = [], None
    while True:
        page = engine.cases(limit=2, after=after)
        found += ids(page)
        after = page.next
        if after is None:
            break
    assert found == [f"{index} of them" for index in (0, 2, 4, 6, 1, 3, 5)]
    for wrong in ({"limit": 0}, {"limit": 1001}, {"after": "x"}, {"after": "x y"}):
        with pytest.raises(InvalidValue):
            engine.cases(**wrong)


# --- sensitive values ---------------------------------------------------------------------------------------------------


def test_erased_values_are_gone_and_the_journal_is_whole(
    engine: Any, make: Callable[..., Any], library: Library
) -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    engine.send("a", "return_late", {"days": 1, "contact": "me@example.org"}, by="reader", at=NOON, key="k")
    whole = engine.case("a")
    assert whole.facts["account"] == IBAN
    engine.erase("a")
    for one in (engine, make(library)):
        case = one.case("a")
        assert isinstance(case.facts["account"], Sealed)
        assert isinstance(case.facts["return_late"]["contact"], Sealed)
        assert (case.head, case.legs, case.clocks) == (whole.head, whole.legs, whole.clocks)
        assert case.secret != whole.secret
        assert one.verify("a").decided == 0
    # What was erased cannot be compared, and everything else still is.
    same = {"days": 1, "contact": "me@example.org"}
    assert engine.send("a", "return_late", same, by="reader", at=NOON, key="k").step.seq == 1
    with pytest.raises(InvalidValue):
        engine.send("a", "return_late", {**same, "days": 2}, by="reader", at=NOON, key="k")


def test_values_that_come_after_an_erasure_are_kept_under_the_new_key(engine: Any) -> None:
    engine.open("loan", {"account": IBAN}, at=NOON, case_id="a")
    engine.erase("a")
    engine.send("a", "give_account", {"iban": "NL91"}, by="reader", at=NOON)
    assert engine.case("a").facts["account"] == "NL91"
    assert engine.journal("a")[1].input.data["iban"] == "NL91"
    assert isinstance(engine.journal("a")[0].input.facts["account"], Sealed)
    engine.verify("a")
    engine.erase("a")
    assert isinstance(engine.case("a").facts["account"], Sealed)


# --- threads ------------------------------------------------------------------------------------------------------------


def test_threads_that_send_to_one_case_lose_nothing(engine: Any) -> None:
    engine.open("loan", {}, at=NOON, case_id="a")
    problems: list[Exception] = []

    def work(name: int) -> None:
        try:
            for index in range(5):
                engine.send("a", "divide", by=f"desk:{name}", at=NOON, key=f"{name}/{index}")
        except Exception as error:  # noqa: BLE001 - the test says which
            problems.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [step.seq for step in engine.journal("a")] == list(range(21))
    assert engine.verify("a").decided == 21


def test_threads_that_open_with_one_key_open_one_case(engine: Any) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(engine.open("loan", {}, at=NOON, key="k")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({case.id for case in found}) == 1
