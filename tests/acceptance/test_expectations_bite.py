"""The expectations of the shipped cases bite: change any one of them a little, and exactly that one fails."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amends.engine.scenario import ScenarioFile, run_file

if TYPE_CHECKING:
    from tests.acceptance.conftest import Programme

#: How many cases each programme is held to.
CASES = {"ebay_money_back_guarantee": 13, "eu_withdrawal": 12, "paypal_dispute": 12, "tiktok_shop": 13}
CENT = Decimal("0.01")
SECOND = timedelta(seconds=1)
#: Keys of an expectation that say when it holds and how it was worked out, and claim nothing.
NOTES = {"at", "calc", "amount_calc"}
#: Of the other names that a claim could have made, so many are tried.
OTHERS = 3


def names_of(programme: Programme) -> Mapping[str, list[str]]:
    """Return what is wrong instead, where what is right is known: names that the policies do have."""
    found: dict[str, set[str]] = {"currency": {"EUR", "JPY", "USD", "IDR"}, "decision": {"event_refused"}}
    found["state"] = {
        name for policy in programme.library.policies for leg in policy.legs for name in leg.states
    }
    found["reason"] = {code for policy in programme.library.policies for code in policy.reasons}
    found["route"] = {"original_method:wallet", "original_method:card", "bank_transfer", "store_credit"}
    for case in programme.cases["cases"]:
        found["decision"] |= {e["decision"] for e in case["expect"] if isinstance(e.get("decision"), str)}
    return {key: sorted(names) for key, names in found.items()}


def mutants(
    expectation: dict[str, Any], names: Mapping[str, list[str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every expectation that differs in one claim, with the name of the check that must then fail."""
    for key, value in expectation.items():
        match key, value:
            case "deadline", _:
                single = isinstance(value, dict)
                for index, item in enumerate([value] if single else value):
                    for wrong in deadlines(item):
                        every = [wrong] if single else [*value[:index], wrong, *value[index + 1 :]]
                        yield f"deadline {wrong['name']}", {**expectation, key: every}
            case _ if key in NOTES:
                pass
            case "amount", _:
                yield from ((key, {**expectation, key: other}) for other in near(value))
            case _, dict():
                for wrong in maps(value, names["decision"]):
                    yield key, {**expectation, key: wrong}
            case _:
                others = (name for name in names[key] if name != value)
                yield from ((key, {**expectation, key: other}) for other in islice(others, OTHERS))


def near(amount: str) -> Iterator[str]:
    """Yield an amount that is a cent more and one that is a cent less."""
    return (str(Decimal(amount) + step) for step in (CENT, -CENT))


def maps(right: dict[str, str], names: list[str]) -> Iterator[dict[str, str]]:
    """Yield maps of lines to verdicts, or of parts to amounts, that are wrong in one of them or lack it."""
    for line, value in right.items():
        others = near(value) if value[0].isdigit() else [name for name in names if name != value][:OTHERS]
        yield from ({**right, line: other} for other in others)
        if len(right) > 1:
            yield {other: kept for other, kept in right.items() if other != line}


def deadlines(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a deadline a second later, a second earlier, and under a name that nothing has."""
    due = datetime.fromisoformat(item["due"])
    for shift in (SECOND, -SECOND):
        yield {**item, "due": (due + shift).isoformat()}
    yield {**item, "name": f"{item['name']}_too"}


def test_every_shipped_case_is_mutated(programme: Programme) -> None:
    assert len(programme.cases["cases"]) == CASES[programme.name]


def test_every_changed_expectation_fails_alone(
    programme: Programme, read: Callable[[Path], ScenarioFile], tmp_path: Path
) -> None:
    names, played = names_of(programme), []
    must_fail: list[tuple[str, str] | None] = []
    for original in programme.cases["cases"]:
        played.append(original)
        must_fail.append(None)
        claims = 0
        for index, expectation in enumerate(original["expect"]):
            claims += len(expectation.keys() - NOTES)
            for key, mutant in mutants(expectation, names):
                case = copy.deepcopy(original)
                case["id"] = f"{original['id']}/{len(played)}"
                case["expect"][index] = mutant
                played.append(case)
                must_fail.append((expectation["at"], key))
        mutated = {wanted for wanted in must_fail[played.index(original) + 1 :] if wanted}
        assert len(mutated) >= claims, f"{original['id']}: every claim has a mutant at least"
    path = tmp_path / "mutants.yaml"
    # JSON is YAML, and one file is read once however many mutants it holds.
    path.write_text(json.dumps({**programme.cases, "cases": played}), encoding="utf-8")
    for result, wanted in zip(run_file(read(path), programme.library), must_fail, strict=True):
        assert result.error is None, (result.id, result.error)
        failed = [(check.at, check.key) for check in result.checks if not check.passed]
        right = [] if wanted is None else [(datetime.fromisoformat(wanted[0]), wanted[1])]
        assert failed == right, result.id
