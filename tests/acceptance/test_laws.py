"""The laws that the state machines hold every step to are laws: a case that breaks one fails it, and says so."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.evolve import evolve
from amends.engine.library import Library
from amends.engine.money import Money
from amends.engine.policy import CompiledPolicy

ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
PAID_IN_ADVANCE = ("ask_return", "agree", "hand_in")


def load(name: str) -> Any:
    """Return a module that stands beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


LAWS = load("laws")
M = load("machines")
LIBRARY = Library.load(ROOT / "examples" / "return_by_parcel.yaml")
POLICY = LIBRARY.get("return_by_parcel")


def story(*names: str, **facts: Any) -> tuple[Engine, str]:
    """Open a case and send some events, all at one instant."""
    engine = Engine(LIBRARY)
    given = {"delivered_at": MONDAY, "paid": "80.00", **facts}
    case = engine.open("return_by_parcel", given, at=MONDAY).id
    for name in names:
        data = {"amount": "80.00"} if name == "ask_return" else {"worth": "1"} if name == "inspect" else {}
        assert engine.send(case, name, data, by=POLICY.events[name].by[0], at=MONDAY).refusal is None
    return engine, case


def case_after(*names: str, **facts: Any) -> Case:
    engine, case = story(*names, **facts)
    return engine.case(case)


def with_states(leg: str, **changes: dict[str, Any]) -> CompiledPolicy:
    """Return the policy with some states of a leg otherwise."""
    legs = tuple(
        replace(
            item,
            states={
                **item.states,
                **{name: replace(item.states[name], **change) for name, change in changes.items()},
            },
        )
        if item.name == leg
        else item
        for item in POLICY.legs
    )
    return replace(POLICY, legs=legs)


def test_a_case_as_it_should_be_breaks_none() -> None:
    engine, case = story(*PAID_IN_ADVANCE, trusted=True)
    LAWS.hold(POLICY, None, engine.journal(case)[-1], engine.case(case))


def test_a_leg_that_stands_nowhere_is_found() -> None:
    case = case_after()
    with pytest.raises(AssertionError, match="`under_way` is no state of `claim`"):
        LAWS.stands_in_declared_states(POLICY, replace(case, legs={**case.legs, "claim": "under_way"}))


def test_a_leg_that_is_gone_is_found() -> None:
    case = case_after()
    with pytest.raises(AssertionError):
        LAWS.stands_in_declared_states(POLICY, replace(case, legs={"claim": "bought"}))


@pytest.mark.parametrize("change", ["legs", "facts", "payouts", "clocks", "timers"])
def test_a_refusal_that_changes_something_is_found(change: str) -> None:
    engine, case = story("ask_return")
    engine.send(case, "agree", by="buyer", at=MONDAY)
    before, refused = engine.case(case), engine.journal(case)[-1]
    LAWS.moves_nothing(before, refused, before)
    other: Any = {change: "something else"}
    with pytest.raises(AssertionError):
        LAWS.moves_nothing(before, refused, replace(before, **other))


def test_a_refusal_that_asks_for_something_or_gives_no_reason_is_found() -> None:
    engine, case = story("ask_return", trusted=True)
    engine.send(case, "agree", by="buyer", at=MONDAY)
    refused = engine.journal(case)[-1]
    engine.send(case, "agree", by="shop", at=MONDAY)
    engine.send(case, "hand_in", by="carrier", at=MONDAY)
    paid = engine.journal(case)[-1]
    assert paid.effects
    for broken in (replace(refused, effects=paid.effects), replace(refused, reason=None)):
        with pytest.raises(AssertionError):
            LAWS.moves_nothing(engine.case(case), broken, engine.case(case))


def test_a_cent_more_than_came_in_is_found() -> None:
    case = case_after(*PAID_IN_ADVANCE, trusted=True)
    payout = case.payouts["refund"]
    more = replace(payout.parts[0], amount=Money(Fraction("80.01"), "EUR"))
    LAWS.pays_no_more_than_came_in(POLICY, case)
    with pytest.raises(AssertionError, match="8001/100 went out, and 80 came in"):
        LAWS.pays_no_more_than_came_in(
            POLICY, replace(case, payouts={"refund": replace(payout, parts=(more,))})
        )


def test_a_case_that_waits_for_nobody_is_found() -> None:
    case = case_after("ask_return")
    LAWS.waits(POLICY, case)
    with pytest.raises(AssertionError, match="wait for nobody"):
        LAWS.waits(with_states("claim", asked={"waits_for": (), "on": {}}), case)


def test_a_case_without_a_clock_is_found() -> None:
    case = case_after("ask_return")
    with pytest.raises(AssertionError, match="have no clock"):
        LAWS.waits(POLICY, replace(case, clocks={}, timers=()))


def test_a_state_that_has_lost_its_clock_is_found_beside_one_that_has_its() -> None:
    case = case_after("ask_return", "dispute_opened")
    kept = {id_: clock for id_, clock in case.clocks.items() if clock.state != "disputed"}
    with pytest.raises(AssertionError, match="disputed has lost its clock"):
        LAWS.waits(POLICY, replace(case, clocks=kept, timers=()))


def test_a_case_that_rests_where_nobody_was_told_is_found() -> None:
    case = case_after("ask_return")
    with pytest.raises(AssertionError, match="wait for ever"):
        LAWS.rests(POLICY, replace(case, timers=()))


def test_a_case_that_has_ended_rests() -> None:
    engine, case = story("ask_return", "reject")
    LAWS.rests(POLICY, engine.case(case))


def test_what_no_case_came_to_is_told_by_its_name() -> None:
    engine, case = story("ask_return", "agree")
    reached, before = M.Reached(POLICY), None
    for step in engine.journal(case):
        after = evolve(before, step)
        reached.add(before, step, after)
        before = after
    missing = {*reached.missing()}
    assert missing >= {
        "state rejected",
        "asked.on.reject in asked",
        "asked/answer.breach in asked",
        "route refund by route_1",
    }
    assert not missing & {"state asked", "state agreed", "asked.on.agree in asked"}
