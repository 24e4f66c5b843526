"""The shipped cases make the same bytes in memory, in SQLite and in PostgreSQL, and `decide` makes them again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.scenario import ScenarioCase, play, read_scenarios

#: A sensitive value of the shipped cases.
ACCOUNT = b"0000000000"


@pytest.fixture(scope="module")
def shipped(root: Path) -> list[tuple[Library, list[ScenarioCase]]]:
    """Return the policies of each programme with their cases."""
    found = []
    for folder in sorted(path for path in (root / "policies").iterdir() if path.is_dir()):
        files = [read_scenarios(path) for path in sorted(folder.glob("scenarios/cases.yaml"))]
        cases = [case for file, _ in files if file is not None for case in file.cases]
        found.append((Library.load(folder), cases))
    return found


def lived(engine: Engine, case: ScenarioCase) -> None:
    """Let a case live to its end, and a year on."""
    secret = hashlib.sha256(case.id.encode()).digest()
    engine.open(case.policy, case.facts, at=case.opens_at, case_id=case.id, secret=secret)
    play(engine, case.id, case.events)
    last = max([event.at for event in case.events] + [expected.at for expected in case.expect])
    engine.run_due(last.replace(year=last.year + 1))


@pytest.fixture(scope="module")
def expected(shipped: list[tuple[Library, list[ScenarioCase]]]) -> dict[str, Any]:
    """Return each case and its entries, as they come about in memory."""
    found = {}
    for library, cases in shipped:
        for case in cases:
            engine = Engine(library)
            lived(engine, case)
            assert engine.verify(case.id).decided == engine.case(case.id).seq + 1
            found[case.id] = (engine.case(case.id), [entry_of(step) for step in engine.journal(case.id)])
    assert len(found) >= 38
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_every_case_is_the_same_in_a_database(
    url: str, shipped: list[tuple[Library, list[ScenarioCase]]], expected: dict[str, Any]
) -> None:
    for library, cases in shipped:
        with Engine(library, url) as engine:
            for case in cases:
                lived(engine, case)
    with Engine(Library(), url) as engine:
        for case_id, (case, entries) in expected.items():
            assert engine.case(case_id) == case
            assert [entry_of(step) for step in engine.journal(case_id)] == entries
            assert engine.verify(case_id).decided == len(entries)
