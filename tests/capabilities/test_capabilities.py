"""What real programmes take, shown in YAML alone: every policy below this folder checks clean, and its cases pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amends.engine.library import Library
from amends.engine.scenario import read_scenarios, run_file

HERE = Path(__file__).parent
POLICIES = sorted(path for path in HERE.rglob("*.yaml") if not path.name.endswith(".scenarios.yaml"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: str(path.relative_to(HERE)))
def test_a_policy_checks_clean_and_its_cases_pass(path: Path) -> None:
    library = Library.load(path)
    assert library.diagnostics == ()
    file, found = read_scenarios(path.with_name(f"{path.stem}.scenarios.yaml"))
    assert found == ()
    assert file is not None
    failed: dict[str, Any] = {
        result.id: result.error or [(check.key, check.expected, check.actual) for check in result.checks]
        for result in run_file(file, library)
        if result.status != "passed"
    }
    assert failed == {}
