"""The expectations of the shipped cases bite: change any one of them a little, and exactly that one fails."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amends.engine.library import Library
from amends.engine.scenario import ScenarioFile, run_file

IDS = [f"TT-{number:02}" for number in range(1, 14)]
CENT = Decimal("0.01")
SECOND = timedelta(seconds=1)
#: Keys of an expectation that say when it holds and how it was worked out, and claim nothing.
NOTES = {"at", "calc", "amount_calc"}

#: What is wrong instead, where what is right is known: names that the policies do have.
OTHERS = {
    "state": ("seller_review", "closed_refunded"),
    "decision": ("approved", "event_refused"),
    "reason": ("return_window_closed", "seller_timeout"),
    "currency": ("EUR", "JPY"),
    "route": ("original_method:wallet", "bank_transfer"),
}


def mutants(expectation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every expectation that differs in one claim, with the name of the check that must then fail."""
    for key, value in expectation.items():
        match key:
            case "state" | "decision" | "reason" | "currency" | "route":
                for other in OTHERS[key]:
                    if other != value:
                        yield key, {**expectation, key: other}
            case "amount":
                for step in (CENT, -CENT):
                    yield key, {**expectation, key: str(Decimal(value) + step)}
            case "deadline":
                single = isinstance(value, dict)
                for index, item in enumerate([value] if single else value):
                    for wrong in deadlines(item):
                        every = [wrong] if single else [*value[:index], wrong, *value[index + 1 :]]
                        yield f"deadline {wrong['name']}", {**expectation, key: every}
            case _:
                assert key in NOTES, f"nothing mutates `{key}`"


def deadlines(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a deadline a second later, a second earlier, and under a name that nothing has."""
    due = datetime.fromisoformat(item["due"])
    for shift in (SECOND, -SECOND):
        yield {**item, "due": (due + shift).isoformat()}
    yield {**item, "name": f"{item['name']}_too"}


def test_every_shipped_case_is_mutated(cases: Any) -> None:
    assert [case["id"] for case in cases["cases"]] == IDS


@pytest.mark.parametrize("case_id", IDS)
def test_every_changed_expectation_fails_alone(
    case_id: str,
    cases: Any,
    library: Library,
    read: Callable[[Path], ScenarioFile],
    tmp_path: Path,
) -> None:
    original = next(case for case in cases["cases"] if case["id"] == case_id)
    played = [original]
    must_fail: list[tuple[int, str] | None] = [None]
    for index, expectation in enumerate(original["expect"]):
        for key, mutant in mutants(expectation):
            case = copy.deepcopy(original)
            case["id"] = f"{case_id}/{len(played)}"
            case["expect"][index] = mutant
            played.append(case)
            must_fail.append((index, key))
    path = tmp_path / "mutants.yaml"
    # JSON is YAML, and one file is read once however many mutants it holds.
    path.write_text(json.dumps({**cases, "cases": played}), encoding="utf-8")
    results = list(run_file(read(path), library))
    claims = sum(len(expectation.keys() - NOTES) for expectation in original["expect"])
    assert len(results) > claims, "every claim has a mutant at least"
    for result, wanted in zip(results, must_fail, strict=True):
        assert result.error is None, (result.id, result.error)
        failed = [check.key for check in result.checks if not check.passed]
        assert failed == ([] if wanted is None else [wanted[1]]), result.id
        if wanted is not None:
            at = datetime.fromisoformat(original["expect"][wanted[0]]["at"])
            assert [check.at for check in result.checks if not check.passed] == [at]
