"""The law of presence: where the check finds nothing, no value that is demanded is ever missing, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amends.engine.checks.ways import listening, states_of
from amends.engine.engine import Engine
from amends.engine.expression import Env
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy, Field
from amends.engine.rules.condition import Term
from amends.engine.stepping.work import MissingFacts, Work
from amends.engine.types import (
    BOOL,
    INT,
    TEXT,
    TIMESTAMP,
    EnumType,
    ListType,
    MoneyType,
    OptionalType,
    Type,
    required,
)
from amends.engine.values import Value

HERE = Path(__file__).parent
SHIPPED = Library.load(HERE.parents[2] / "policies", HERE.parents[2] / "examples")
GOOD = Library.load(*sorted((HERE / "good").glob("*.yaml")))
SHOWN = Library.load(HERE.parents[1] / "capabilities")
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARLIER = st.integers(0, 40).map(lambda days: (START - timedelta(days=days)).isoformat())

VALUES: dict[Type, st.SearchStrategy[Any]] = {
    BOOL: st.booleans(),
    INT: st.integers(0, 6),
    TEXT: st.sampled_from(["a", "b"]),
    TIMESTAMP: EARLIER,
}


def values(type_: Type) -> st.SearchStrategy[Any] | None:
    """Return plain data of a type, or None for a type that nothing here needs."""
    match type_:
        case EnumType(values=names):
            return st.sampled_from(names)
        case ListType(item=item):
            found = values(item)
            return None if found is None else st.lists(found, max_size=3)
        case MoneyType():
            return st.integers(0, 300).map(str)
    return VALUES.get(type_)


def filled(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Return data for fields; those that may be left out sometimes are."""
    must: dict[str, st.SearchStrategy[Any]] = {}
    may: dict[str, st.SearchStrategy[Any]] = {}
    for item in fields:
        found = values(required(item.type))
        if found is not None:
            free = item.default is not None or isinstance(item.type, OptionalType)
            (may if free else must)[item.name] = found
    return st.fixed_dictionaries(must, optional=may)


def watched(demand: Callable[..., Value]) -> Callable[..., Value]:
    def run(work: Work, term: Term, env: Env | None = None) -> Value:
        try:
            return demand(work, term, env)
        except MissingFacts as missing:
            raise AssertionError(f"demanded and missing: {sorted(missing.missing)}") from missing

    return run


def runnable(policy: CompiledPolicy) -> bool:
    facts = (item for item in policy.facts.values() if item.default is None)
    return all(values(item.type) is not None for item in facts if not isinstance(item.type, OptionalType))


LIBRARIES = {
    policy.ref.name: library for library in (SHIPPED, GOOD) for policy in library.policies if runnable(policy)
} | {policy.ref.name: SHOWN for policy in SHOWN.policies if len(policy.legs) > 1 and runnable(policy)}


@pytest.mark.parametrize("name", LIBRARIES)
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_no_value_is_missing_where_it_is_demanded(name: str, data: st.DataObject) -> None:
    library = LIBRARIES[name]
    policy = library.get(name)
    plain = tuple(item for name, item in policy.facts.items() if name not in {"timezone", "currency"})
    engine, now = Engine(library), START
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, "demand", watched(Work.demand))
        case = engine.open(policy.ref.name, data.draw(filled(plain)), at=now)
        for _ in range(data.draw(st.integers(1, 10))):
            standing = [states_of(policy)[name] for name in case.legs.values()]
            listened = dict.fromkeys(event for state in standing for event in listening(policy, state))
            heard = [event for event in listened if event in policy.events]
            now += timedelta(hours=data.draw(st.sampled_from([1, 30, 100, 600])))
            if heard:
                rule = policy.events[data.draw(st.sampled_from(heard))]
                sent = engine.send(
                    case.id,
                    rule.name,
                    data.draw(filled(rule.fields)),
                    by=data.draw(st.sampled_from(rule.by)),
                    at=now,
                )
                case = sent.case
