"""The shipped cases make the same bytes through `decide` alone, in memory, in SQLite and in PostgreSQL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amends.engine.calendar import tzdata_version
from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.evolve import evolve
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.literal import plain
from amends.engine.policy import CompiledPolicy
from amends.engine.scenario import ScenarioCase, play, read_scenarios
from amends.engine.step import Due, Event, Open, Step
from amends.engine.stepping.answers import answer, decide_asking
from amends.engine.stepping.intake import floored
from amends.engine.store.protocol import Transaction
from amends.engine.verify import digests

#: A programme's policies, and its cases.
Programme = tuple[Library, list[ScenarioCase]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What is left of a case: as it stands, and its entries with their digests, as bytes."""

    case: Case
    journal: tuple[tuple[bytes, str], ...]


@pytest.fixture(scope="module")
def shipped(root: Path) -> dict[str, Programme]:
    """Return the policies of each programme with their cases."""
    found = {}
    for path in sorted(root.glob("policies/*/scenarios/cases.yaml")):
        file, _ = read_scenarios(path)
        assert file is not None
        found[path.parents[1].name] = (Library.load(path.parents[1]), list(file.cases))
    return found


def secret_of(case: ScenarioCase) -> bytes:
    """Return the key of a case's sensitive values: the same wherever it lives."""
    return hashlib.sha256(case.id.encode()).digest()


def end_of(case: ScenarioCase) -> Any:
    """Return the instant up to which a case lives: a year after its last event or expectation."""
    last = max([event.at for event in case.events] + [expected.at for expected in case.expect])
    return last.replace(year=last.year + 1)


class Alone:
    """A case that is moved by `decide` and `evolve` and nothing else: no engine, no store, no session."""

    def __init__(self, policy: CompiledPolicy, opening: Open) -> None:
        self.policy = policy
        self.case: Case | None = None
        self.entries: list[bytes] = []
        self.take(opening)

    def take(self, arrived: Open | Event | Due) -> None:
        """Take one step."""
        # There is no other case that could be asked about.
        step = decide_asking(self.policy, self.case, arrived, lambda query: answer(query, ()))
        self.entries.append(entry_of(step))
        self.case = evolve(self.case, step)

    def due(self, now: Any) -> None:
        """Fire what is due by an instant."""
        now = floored(now)
        while self.case and self.case.timers and self.case.timers[0].fires_at <= now:
            timer = self.case.timers[0]
            self.take(Due(timer=timer.id, fires_at=timer.fires_at, fired_at=now, tzdata=tzdata_version()))


def decided(library: Library, case: ScenarioCase) -> Lived:
    """Let a case live to its end by `decide` alone."""
    at = floored(case.opens_at)
    facts = plain(case.facts)
    policy = library.choose(facts, at, case.policy)
    opening = Open(
        case_id=case.id,
        policy=policy.ref,
        facts=facts,
        recorded_at=at,
        secret=secret_of(case),
        tzdata=tzdata_version(),
    )
    alone = Alone(policy, opening)
    for event in case.events:
        at = floored(event.at)
        alone.due(at)
        alone.take(
            Event(
                name=event.name,
                data=plain(event.data),
                actor=event.actor,
                role=event.actor.partition(":")[0],
                occurred_at=floored(event.occurred_at or at),
                recorded_at=at,
                tzdata=tzdata_version(),
            )
        )
    alone.due(end_of(case))
    assert alone.case is not None
    return Lived(case=alone.case, journal=tuple(zip(alone.entries, digests(alone.entries), strict=True)))


def lived(engine: Engine, case: ScenarioCase) -> None:
    """Let a case live to its end in a store."""
    engine.open(case.policy, case.facts, at=case.opens_at, case_id=case.id, secret=secret_of(case))
    play(engine, case.id, case.events)
    engine.run_due(end_of(case))


def kept(engine: Engine, case_id: str) -> Lived:
    """Return what a store has of a case: the bytes that it holds, and not what is made of them."""

    def work(transaction: Transaction) -> Lived:
        return Lived(case=transaction.cases([case_id])[case_id], journal=transaction.entries(case_id))

    return engine.store.transact(work, reads=True)


@pytest.fixture(scope="module")
def expected(shipped: dict[str, Programme]) -> dict[str, Lived]:
    """Return each case as `decide` alone makes it."""
    found = {case.id: decided(library, case) for library, cases in shipped.values() for case in cases}
    assert len(found) == sum(len(cases) for _, cases in shipped.values()), "two cases have one id"
    return found


def test_all_cases_of_the_first_four_programmes_are_among_them(
    shipped: dict[str, Programme], expected: dict[str, Lived]
) -> None:
    four = ("tiktok_shop", "ebay_money_back_guarantee", "paypal_dispute", "eu_withdrawal")
    assert [len(shipped[name][1]) for name in four] == [13, 13, 12, 12]
    assert all(case.id in expected for name in four for case in shipped[name][1])


def test_every_case_is_the_same_in_memory_and_through_decide(
    shipped: dict[str, Programme], expected: dict[str, Lived]
) -> None:
    for library, cases in shipped.values():
        for case in cases:
            engine = Engine(library)
            lived(engine, case)
            assert kept(engine, case.id) == expected[case.id], case.id


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_every_case_is_the_same_in_a_database_and_through_decide(
    database: str, shipped: dict[str, Programme], expected: dict[str, Lived], request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue(database))
    for library, cases in shipped.values():
        with Engine(library, url) as engine:
            for case in cases:
                lived(engine, case)
    # Without the policies, which it keeps itself.
    with Engine(Library(), url) as engine:
        for case_id, whole in expected.items():
            assert kept(engine, case_id) == whole, case_id
            assert engine.verify(case_id).decided == len(whole.journal)


def test_the_same_steps_are_read_back_from_what_a_store_holds(
    sqlite: str, shipped: dict[str, Programme]
) -> None:
    """The records that a host is given are those that the bytes say."""
    library, (case, *_) = shipped["eu_withdrawal"]
    with Engine(library, sqlite) as engine:
        lived(engine, case)
        steps: tuple[Step, ...] = engine.journal(case.id)
        assert [entry_of(step) for step in steps] == [entry for entry, _ in kept(engine, case.id).journal]
