"""What is said of a case at an instant, and how it is compared: on a case made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amends.engine.case import Case, Part, PartStatus, Payout, PolicyRef, Reason
from amends.engine.diagnostics import Place
from amends.engine.engine import Engine
from amends.engine.errors import InvalidValue
from amends.engine.money import Money
from amends.engine.scenario import CaseResult, Expectation, ScenarioCase, ScenarioEvent, Wanted, run, run_case
from amends.engine.scenario.run import granted_last, recorded
from amends.engine.step import Event, Open, Step

START = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = Place("desk.scenarios.yaml", 1, 1, 1, 1)
REF = PolicyRef(name="desk", version="1", bundle="", model="")


def money(text: str, currency: str = "EUR") -> Money:
    return Money(Fraction(text), currency)


def payout(seq: int, *parts: tuple[str, str, str | None]) -> Payout:
    made = tuple(Part(id=name, amount=money(amount), status="asked", via=via) for name, amount, via in parts)
    return Payout(granted=money(str(sum(Fraction(amount) for _, amount, _ in parts))), parts=made, seq=seq)


def case_of(**fields: Any) -> Case:
    standing: dict[str, Any] = {
        "id": "c",
        "policy": REF,
        "seq": 0,
        "at": START,
        "legs": {"main": "answering"},
        "facts": {},
        "clocks": {},
        "payouts": {},
        "timers": (),
        "timezone": "UTC",
        "currency": "EUR",
    }
    return Case(**{**standing, **fields})


def step(seq: int, verdict: Any = "applied", decision: Any = None, reason: str | None = None) -> Step:
    given = Open(case_id="c", policy=REF, facts={}, recorded_at=START)
    sent = Event(name="ask", data={}, actor="a", role="a", occurred_at=START, recorded_at=START)
    return Step(
        seq=seq,
        at=START,
        input=sent if seq else given,
        verdict=verdict,
        decision=decision,
        reason=None if reason is None else Reason(code=reason),
    )


def _asks_nothing(*_: Any) -> Any:
    return SimpleNamespace(ref=SimpleNamespace(name="p"), facts={}, lookups={}, balances={})


@dataclass
class FakeEngine:
    """An engine that does as it is told, and writes down what it was asked."""

    case_: Case = field(default_factory=case_of)
    journal_: tuple[Step, ...] = (step(0),)
    asked: list[Any] = field(default_factory=list)
    refuses: str | None = None
    lookups: dict[str, Any] = field(default_factory=dict)
    #: The payouts that its policy declares.
    kinds: tuple[str, ...] = ()
    library: Any = field(default_factory=lambda: SimpleNamespace(choose=_asks_nothing, policies=()))

    def open(self, policy: str | None, facts: Mapping[str, Any], **options: Any) -> Case:
        self.asked.append(("open", policy, dict(facts), options["at"]))
        return self.case_

    def send(self, _id: str, event: str, _data: Mapping[str, Any], **options: Any) -> None:
        if event == self.refuses:
            raise InvalidValue("`x` is not an amount")
        self.asked.append((event, options["by"], options["at"]))

    def run_due(self, at: datetime) -> tuple[Step, ...]:
        self.asked.append(("run_due", at))
        return ()

    def case(self, _id: str) -> Case:
        return self.case_

    def journal(self, _id: str) -> tuple[Step, ...]:
        return self.journal_

    def policy_of(self, _id: str) -> Any:
        legs = [SimpleNamespace(name=leg, states={state: None}) for leg, state in self.case_.legs.items()]
        return SimpleNamespace(legs=legs, payouts=dict.fromkeys(self.kinds))


@pytest.fixture(autouse=True)
def deadlines(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let two deadlines stand, and keep what they were asked with."""
    asked: list[Any] = []

    def stand(_policy: Any, _case: Case, arriving: Event | None = None) -> dict[str, datetime | None]:
        asked.append(arriving)
        return {"answer": START + HOUR, "closing": None}

    monkeypatch.setattr(run, "deadlines", stand)
    return asked


def play(
    engine: FakeEngine, *wanted: tuple[str, Any], events: tuple[str, ...] = ("ask",), at: datetime = START
) -> CaseResult:
    """Run a case of events an hour apart, and expect things at one instant."""
    things = [
        Wanted(
            key=cast("Any", key.partition(" ")[0]),
            name=key.partition(" ")[2] or None,
            value=value,
            place=PLACE,
        )
        for key, value in wanted
    ]
    scenario = ScenarioCase(
        id="HD-1",
        name="",
        policy=None,
        timezone="UTC",
        given={"level": "gold"},
        events=tuple(
            ScenarioEvent(at=START + HOUR * n, actor="a:1", name=name, data={}, place=PLACE)
            for n, name in enumerate(events)
        ),
        expect=(Expectation(at=at, wanted=tuple(things), place=PLACE),),
        place=PLACE,
    )
    return run_case(scenario, cast("Engine", engine))


def actual(engine: FakeEngine, key: str, expected: Any) -> Any:
    (check,) = play(engine, (key, expected)).checks
    return check.actual, check.passed


def test_everything_up_to_and_including_the_instant_is_processed_first() -> None:
    engine = FakeEngine()
    play(engine, ("state", "answering"), events=("ask", "answer", "close"), at=START + HOUR)
    assert engine.asked == [
        ("open", None, {"timezone": "UTC", "level": "gold"}, START),
        ("ask", "a:1", START),
        ("answer", "a:1", START + HOUR),
        ("run_due", START + HOUR),
        ("close", "a:1", START + HOUR * 2),
    ]


def test_a_state_alone_is_that_of_whichever_leg_stands_in_it() -> None:
    engine = FakeEngine(case_of(legs={"money": "none", "main": "answering"}))
    assert actual(engine, "state", "answering") == ("answering", True)
    assert actual(engine, "state", "none") == ("none", True)
    assert actual(engine, "state", "closed") == ({"money": "none", "main": "answering"}, False)


def test_a_state_that_the_only_leg_does_not_stand_in_is_told_by_the_one_it_does() -> None:
    engine = FakeEngine(case_of(legs={"main": "answering"}))
    assert actual(engine, "state", "closed") == ("answering", False)


def test_a_map_of_states_is_compared_leg_by_leg() -> None:
    engine = FakeEngine(case_of(legs={"money": "none", "main": "answering"}))
    assert actual(engine, "state", {"money": "none"}) == ({"money": "none"}, True)
    assert actual(engine, "state", {"money": "paid", "main": "answering"})[1] is False
    assert actual(engine, "state", {"nowhere": "x"}) == ({"nowhere": None}, False)


@pytest.mark.parametrize(
    ("journal", "decision", "reason"),
    [
        ([step(0)], None, None),
        ([step(0), step(1, decision="granted", reason="in_time")], "granted", "in_time"),
        ([step(0), step(1, decision="granted", reason="in_time"), step(2)], "granted", "in_time"),
        (
            [step(0), step(1, decision="granted"), step(2, "refused", reason="closed")],
            "event_refused",
            "closed",
        ),
        ([step(0), step(1, "refused", "ineligible", "too_late")], "ineligible", "too_late"),
        ([step(0), step(1, "undecided", reason="missing_facts")], "undecided", "missing_facts"),
        ([step(0), step(1, "refused", reason="closed"), step(2, decision="granted")], "granted", "closed"),
    ],
)
def test_the_last_decision_and_reason_recorded_count_of_refused_events_too(
    journal: list[Step], decision: str | None, reason: str | None
) -> None:
    assert recorded(journal) == (decision, reason)


def test_a_decision_may_be_a_map_line_by_line() -> None:
    engine = FakeEngine(journal_=(step(0, decision={"a": "yes", "b": "no"}),))
    assert actual(engine, "decision", {"b": "no", "a": "yes"})[1] is True
    assert actual(engine, "decision", {"a": "yes"})[1] is False


def test_nothing_granted_is_zero_and_goes_nowhere() -> None:
    assert actual(FakeEngine(), "amount", money("0.00", "")) == (money("0"), True)
    assert actual(FakeEngine(), "route", "card") == (None, False)
    assert actual(FakeEngine(), "currency", "EUR") == ("EUR", True)


def test_amounts_are_compared_as_exact_numbers() -> None:
    engine = FakeEngine(case_of(payouts={"gift": payout(1, ("all", "12.50", "card"))}))
    assert actual(engine, "amount", money("12.5", ""))[1] is True
    assert actual(engine, "amount", money("12.500000000001", ""))[1] is False
    assert actual(engine, "amount", money("12.51", ""))[1] is False


def test_the_payout_granted_last_counts() -> None:
    case = case_of(payouts={"new": payout(4, ("all", "2", "card")), "old": payout(2, ("all", "1", "bank"))})
    assert actual(FakeEngine(case), "route", "card") == ("card", True)
    assert actual(FakeEngine(case), "amount", money("2", ""))[1] is True


def test_of_two_payouts_granted_in_one_step_the_later_counts() -> None:
    first, second = payout(2, ("all", "1", "bank")), replace(payout(2, ("all", "2", "card")), turn=1)
    assert granted_last(case_of(payouts={"a": second, "b": first})) is second


def test_the_route_of_several_parts_is_amounts_by_part() -> None:
    engine = FakeEngine(case_of(payouts={"gift": payout(1, ("gc", "30", "gift"), ("cc", "54.80", "card"))}))
    assert actual(engine, "route", {"cc": money("54.8", ""), "gc": money("30.00", "")})[1] is True
    assert actual(engine, "route", {"cc": money("54.9", ""), "gc": money("30.00", "")})[1] is False
    assert actual(engine, "route", {"cc": money("54.8", "")})[1] is False
    assert actual(engine, "route", "card")[1] is False


def test_parts_that_go_one_way_have_one_route() -> None:
    engine = FakeEngine(case_of(payouts={"gift": payout(1, ("all", "30", "card"), ("all.2", "5", "card"))}))
    assert actual(engine, "route", "card") == ("card", True)


def test_parts_of_one_tender_are_one_amount_and_what_was_taken_back_is_none() -> None:
    whole = payout(1, ("cc", "30", "card"), ("cc.2", "5", "card"), ("gc", "9", "gift"), ("gc.2", "8", "gift"))
    tenders = ("cc", "cc", "gc", "gc")
    statuses: tuple[PartStatus, ...] = ("settled", "asked", "reversed", "held")
    parts = tuple(
        replace(part, tender=tender, status=status)
        for part, tender, status in zip(whole.parts, tenders, statuses, strict=True)
    )
    engine = FakeEngine(case_of(payouts={"gift": replace(whole, parts=parts)}))
    assert actual(engine, "route", {"cc": money("35", ""), "gc": money("8", "")})[1] is True
    taken = tuple(replace(part, status="reversed") for part in parts)
    engine = FakeEngine(case_of(payouts={"gift": replace(whole, parts=taken)}))
    assert actual(engine, "route", {"cc": money("35", ""), "gc": money("17", "")})[1] is True


def test_a_part_that_is_held_has_no_route() -> None:
    engine = FakeEngine(case_of(payouts={"gift": payout(1, ("all", "30", None))}))
    assert actual(engine, "route", "card") == (None, False)


def test_of_several_payouts_it_is_said_which_one_an_amount_is_of() -> None:
    payouts = {"credit": payout(2, ("all", "30", "card")), "debit": payout(1, ("all", "30", "invoice"))}
    (check,) = play(FakeEngine(case_of(payouts=payouts)), ("route", {"debit": money("30")})).checks
    said = "of `credit`, which was granted last; `effects` tell of every one that is asked for"
    assert (check.passed, check.hint) == (False, said)
    (check,) = play(FakeEngine(case_of(payouts=payouts)), ("amount", money("1"))).checks
    said = 'of `credit`, which was granted last; a map such as `{NAME: "12.00"}` says which payout is meant'
    assert (check.passed, check.hint) == (False, said)
    (check,) = play(FakeEngine(case_of(payouts={"credit": payouts["credit"]})), ("amount", money("1"))).checks
    assert check.hint is None


def test_a_map_names_the_payouts_that_amounts_are_of_and_one_that_was_never_granted_is_zero() -> None:
    payouts = {"credit": payout(2, ("all", "30", "card")), "debit": payout(1, ("all", "5", "invoice"))}
    engine = FakeEngine(case_of(payouts=payouts), kinds=("credit", "debit", "fine"))
    named = {"debit": money("5", ""), "fine": money("0", "")}
    assert actual(engine, "amount", named)[1] is True
    assert actual(engine, "amount", {**named, "fine": money("0.01", "")})[1] is False
    assert actual(engine, "amount", {**named, "credit": money("5", "")})[1] is False


def test_an_amount_of_a_payout_that_there_is_not_is_wrong_and_says_which_was_meant() -> None:
    (check,) = play(FakeEngine(kinds=("credit",)), ("amount", {"credti": money("0", "")})).checks
    assert (check.actual, check.passed) == ({"credti": None}, False)
    assert check.hint == "did you mean `credit`?"


def test_a_map_of_states_names_legs_and_payouts() -> None:
    engine = FakeEngine(
        case_of(payouts={"credit": payout(2, ("all", "30", "card"))}), kinds=("credit", "fine")
    )
    assert actual(engine, "state", {"main": "answering", "credit": "asked", "fine": "none"})[1] is True
    assert actual(engine, "state", {"credit": "settled"}) == ({"credit": "asked"}, False)
    assert actual(engine, "state", {"debit": "none"}) == ({"debit": None}, False)


def test_a_state_that_no_payout_can_have_says_what_was_probably_meant() -> None:
    engine = FakeEngine(kinds=("credit",))
    hints = [
        play(engine, ("state", {name: state})).checks[0].hint
        for name, state in (("credit", "needs_detail"), ("credt", "none"), ("credit", "settled"))
    ]
    assert hints == ["did you mean `needs_details`?", "did you mean `credit`?", None]


def test_a_deadline_is_compared_to_the_second() -> None:
    assert actual(FakeEngine(), "deadline answer", START + HOUR)[1] is True
    assert actual(FakeEngine(), "deadline answer", START + HOUR + timedelta(seconds=1))[1] is False
    assert actual(FakeEngine(), "deadline closing", START) == (None, False)


def test_a_deadline_that_nothing_is_named_after_says_what_was_probably_meant() -> None:
    (check,) = play(FakeEngine(), ("deadline answr", START)).checks
    assert (check.passed, check.key, check.hint) == (False, "deadline answr", "did you mean `answer`?")


def test_deadlines_are_those_that_a_refused_event_was_judged_by(deadlines: list[Any]) -> None:
    for verdict in ("refused", "undecided", "applied"):
        play(FakeEngine(journal_=(step(0), step(1, verdict))), ("deadline answer", START))
    assert [None if event is None else event.name for event in deadlines] == ["ask", "ask", None]


def test_a_case_passes_when_everything_is_as_expected() -> None:
    assert play(FakeEngine(), ("state", "answering"), ("currency", "EUR")).status == "passed"
    assert play(FakeEngine(), ("state", "answering"), ("currency", "USD")).status == "failed"


def test_what_the_engine_does_not_take_at_all_is_an_error_and_keeps_what_was_seen() -> None:
    result = play(FakeEngine(refuses="answer"), ("state", "answering"), events=("ask", "answer"))
    assert (result.status, result.error, len(result.checks)) == ("error", "`x` is not an amount", 1)


def test_a_failure_is_about_the_last_step_that_says_why() -> None:
    refused = step(1, "refused", reason="closed")
    (check,) = play(FakeEngine(journal_=(step(0), refused, step(2))), ("state", "closed")).checks
    assert check.step is refused
