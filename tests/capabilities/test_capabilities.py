"""What the language can say, shown: small policies beside their cases, all of it YAML.

Every `NAME.scenarios.yaml` below this folder is run against the `NAME.yaml` beside it. Its cases are the tests, under
the ids that they have there; adding one needs no Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.scenario import ScenarioCase, read_scenarios, run_case

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.scenarios.yaml"))


@cache
def library_of(policy: Path) -> Library:
    return Library.load(policy)


def policy_of(cases: Path) -> Path:
    return cases.with_name(cases.name.replace(".scenarios.yaml", ".yaml"))


def cases() -> Iterator[Any]:
    for path in FILES:
        file, found = read_scenarios(path)
        assert file is not None, found
        for case in file.cases:
            yield pytest.param(path, case, id=case.id)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem.removesuffix(".scenarios"))
def test_the_policy_has_nothing_to_be_said_about_it(path: Path) -> None:
    assert [f"{item.place}: {item.message}" for item in library_of(policy_of(path)).diagnostics] == []


@pytest.mark.parametrize(("path", "case"), list(cases()))
def test_a_capability_is_there(path: Path, case: ScenarioCase) -> None:
    result = run_case(case, Engine(library_of(policy_of(path))))
    failed = [(check.key, check.expected, check.actual) for check in result.checks if not check.passed]
    assert (result.error, failed) == (None, [])


def test_no_two_cases_have_one_id() -> None:
    ids = [case.id for path in FILES for case in read_scenarios(path)[0].cases]  # type: ignore[union-attr] # they can be read
    assert len(ids) == len(set(ids))
