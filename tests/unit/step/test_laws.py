"""Laws of every step, on the policies and examples that ship: whatever arrives, whenever, from whomever."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.canonical import canonical, keys_in_order
from amends.engine.case import Case
from amends.engine.decide import decide
from amends.engine.errors import AmendsError
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of, read_entry, record_to_json, vault_of
from amends.engine.library import Library
from amends.engine.literal import plain
from amends.engine.policy import CompiledPolicy, Field
from amends.engine.scenario import find_scenarios, read_scenarios
from amends.engine.step import Changes, Due, Event, Open, Step
from amends.engine.types import (
    EnumType,
    ListType,
    MapType,
    MoneyType,
    OptionalType,
    RecordType,
    ScalarType,
    Type,
)

SECRET = b"s" * 32


@dataclass(frozen=True)
class World:
    """Policies that ship, and openings of cases of theirs."""

    openings: list[tuple[CompiledPolicy, dict[str, Any], datetime]] = field(default_factory=list)


@pytest.fixture(scope="session")
def world(root: Path) -> World:
    """Return the shipped policies and examples, with the openings of the cases that try them."""
    made = World()
    for folder in (root / "policies" / "tiktok_shop", root / "examples"):
        library = Library.load(folder)
        for path in find_scenarios(folder):
            file, _ = read_scenarios(path)
            for case in file.cases if file else ():
                policy = library.choose(plain(case.facts), case.opens_at, case.policy)
                made.openings.append((policy, plain(case.facts), case.opens_at))
    assert len({policy.ref for policy, _, _ in made.openings}) >= 4
    return made


def of_type(type_: Type) -> st.SearchStrategy[Any]:
    """Return data that are of a type."""
    match type_:
        case OptionalType(item):
            return st.none() | of_type(item)
        case EnumType(values=values):
            return st.sampled_from(values)
        case ListType(item):
            return st.lists(of_type(item), max_size=3)
        case MapType(item):
            return st.dictionaries(st.text("ab/$~", max_size=2), of_type(item), max_size=2)
        case RecordType(fields=fields):
            return st.fixed_dictionaries({name: of_type(inner) for name, inner in fields})
        case MoneyType():
            return st.integers(-5, 5000).map(lambda n: f"{n}.50")
        case ScalarType(name="bool"):
            return st.booleans()
        case ScalarType(name="int"):
            return st.integers(-(2**63), 2**63 - 1)
        case ScalarType(name="timestamp"):
            return st.datetimes(timezones=st.just(UTC))
        case ScalarType(name="date"):
            return st.dates()
        case ScalarType(name="period"):
            return st.sampled_from(["2 days", "1 month", "999999 years", "3 business days"])
        case ScalarType(name="duration"):
            return st.just("90s")
        case ScalarType(name="decimal"):
            return st.sampled_from(["0.5", "-1", "3"])
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("a$/~", max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def fitting(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Return data for some fields, most of them right."""
    right = st.fixed_dictionaries({item.name: of_type(item.type) for item in fields})
    return (
        right
        | right
        | st.dictionaries(st.sampled_from(["amount", "a/b", "$sealed", "", "part"]), anything, max_size=2)
    )


@st.composite
def inputs(draw: st.DrawFn, policy: CompiledPolicy) -> tuple[str, dict[str, Any], str, timedelta]:
    """Return an event, its data, who sends it, and how long after the one before."""
    results = [f"{name}.{result}" for name in policy.payouts for result in ("settled", "failed", "reversed")]
    name = draw(st.sampled_from([*policy.events, *policy.events, *results, "nothing", "refund.", ""]))
    rule = policy.events.get(name)
    data: Any = draw(fitting(rule.fields) if rule else st.sampled_from([{}, {"part": "all"}, {"x/y": 1}]))
    roles = rule.by if rule else ("host",)
    role = draw(st.sampled_from([*roles, *roles, *roles, "nobody"]))
    later = draw(
        st.sampled_from(
            [timedelta(0), timedelta(seconds=1), timedelta(hours=7), timedelta(days=3), -timedelta(days=1)]
        )
        | st.timedeltas(timedelta(0), timedelta(days=400))
    )
    return name, plain(data), role, later


def steps_of(case: Case, policy: CompiledPolicy, event: Event) -> list[tuple[Case, Step, Case]]:
    """Fire what is due and take an event; return each step with the case before and after it."""
    found: list[tuple[Case, Step, Case]] = []

    def take(case: Case, arrived: Any) -> Case:
        step = decide(policy, case, arrived)
        assert isinstance(step, Step)
        after = evolve(case, step)
        found.append((case, step, after))
        return after

    now = max(case.at, event.recorded_at)
    while case.timers and case.timers[0].fires_at <= now and len(found) < 60:
        timer = case.timers[0]
        case = take(case, Due(timer=timer.id, fires_at=timer.fires_at, fired_at=now))
    if len(found) < 60:
        take(case, event)
    return found


def check(policy: CompiledPolicy, before: Case, step: Step, after: Case) -> None:
    """Hold one step to what is true of every step."""
    states = {name for leg in policy.legs for name in leg.states}
    assert set(after.legs.values()) <= states
    assert after.seq == before.seq + 1
    assert after.at == step.at >= before.at
    assert [t.fires_at for t in after.timers] == sorted(t.fires_at for t in after.timers)
    assert all(timer.fires_at >= after.at for timer in after.timers)
    if step.verdict != "applied":
        assert step.reason is not None
        assert (step.changes, step.moves, step.effects) == (Changes(), (), ())
        assert replace(after, seq=before.seq, at=before.at, head=before.head) == before
        assert (step.verdict == "undecided") == bool(step.missing)
    entry = entry_of(step)
    assert canonical(json.loads(entry)) == entry
    read = read_entry(entry, vault_of(step), secret=SECRET)
    assert entry_of(read) == entry
    assert evolve(before, read) == after
    # What comes next must not depend on whether the case was read, which gives it this order.
    for found in (after.legs, after.facts, after.clocks, after.payouts, after.takes):
        assert list(found) == keys_in_order(found)
    again = decide(policy, before, read.input)
    assert isinstance(again, Step)
    assert entry_of(again).decode() == entry.decode()
    assert record_to_json(read) == record_to_json(step)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whatever_arrives_every_step_is_sound(world: World, data: st.DataObject) -> None:
    policy, facts, at = data.draw(st.sampled_from(world.openings))
    opening = Open(case_id="c", policy=policy.ref, facts=facts, recorded_at=at, secret=SECRET)
    step = decide(policy, None, opening)
    assert isinstance(step, Step)
    case = evolve(None, step)
    now = at
    for _ in range(data.draw(st.integers(1, 8))):
        name, content, role, later = data.draw(inputs(policy))
        now += later
        event = Event(name=name, data=content, actor=f"{role}:1", role=role, occurred_at=now, recorded_at=now)
        for before, taken, after in steps_of(case, policy, event):
            check(policy, before, taken, after)
            case = after


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whatever_arrives_at_whatever_time_nothing_is_raised_but_what_a_host_can_cause(
    world: World, data: st.DataObject
) -> None:
    policy, facts, _ = data.draw(st.sampled_from(world.openings))
    changed = data.draw(st.sampled_from(sorted(facts)))
    facts = {**facts, changed: data.draw(of_type(policy.facts[changed].type) | anything)}
    at = data.draw(st.datetimes(timezones=st.just(UTC)))
    now = data.draw(st.just(at) | st.datetimes(timezones=st.just(UTC)))
    try:
        step = decide(
            policy,
            None,
            Open(case_id="c", policy=policy.ref, facts=plain(facts), recorded_at=at, secret=SECRET),
        )
        assert isinstance(step, Step)
        case = evolve(None, step)
        name, content, role, _ = data.draw(inputs(policy))
        event = Event(name=name, data=content, actor=role, role=role, occurred_at=now, recorded_at=now)
        for before, taken, after in steps_of(case, policy, event):
            check(policy, before, taken, after)
    except AmendsError:
        pass


def test_the_world_has_every_shipped_policy(world: World, root: Path) -> None:
    names = {policy.ref.name for policy, _, _ in world.openings}
    assert names >= {policy.ref.name for policy in Library.load(root / "policies" / "tiktok_shop").policies}
