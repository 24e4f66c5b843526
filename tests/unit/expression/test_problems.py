"""What an author is told, word for word and place for place: problems.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.diagnostics import CATALOGUE
from amends.engine.types import BOOL, EnumType, Type

CASES = yaml.safe_load(Path(__file__).with_name("problems.yaml").read_text(encoding="utf-8"))
TYPES: dict[str | None, Type] = {"bool": BOOL, "kind": EnumType("kind", ("novel", "atlas", "score"))}


def span(case: dict[str, Any], problem: dict[str, Any]) -> tuple[int, int]:
    """Return where the marked text stands."""
    start = -1
    for _ in range(problem.get("nth", 1)):
        start = case["expr"].index(problem["at"], start + 1)
    return start, start + len(problem["at"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expr"])
def test_the_author_is_told(case: dict[str, Any], library: Any) -> None:
    found = library.problems(case["expr"], TYPES.get(case.get("expect")))
    told = [(problem.code, problem.start, problem.end, problem.message, problem.hint) for problem in found]
    due = [
        (problem["code"], *span(case, problem), problem["message"], problem.get("hint"))
        for problem in case["problems"]
    ]
    assert told == due


def test_every_code_is_in_the_catalogue_and_shown() -> None:
    shown = {problem["code"] for case in CASES for problem in case["problems"]}
    assert shown == {"AM104", "AM106", "AM201", "AM202", "AM203", "AM206"}
    assert shown <= CATALOGUE.keys()


def test_messages_are_in_the_house_style() -> None:
    for case in CASES:
        for problem in case["problems"]:
            for sentence in filter(None, (problem["message"], problem.get("hint"))):
                assert "\n" not in sentence
                assert not sentence.endswith(".")
                assert sentence[0] in "`“0123456789" or sentence[0].islower() or sentence[:3].isupper(), (
                    sentence
                )


def test_one_expression_tells_at_most_twenty_problems(library: Any) -> None:
    assert len(library.problems(" + ".join(f"unknown_{number}" for number in range(50)))) == 20


def test_a_bound_problem_is_told_once(library: Any) -> None:
    (problem,) = library.problems("pirce + fee > fee && pirce2 > 0")[:1]
    assert problem.hint == "did you mean `price`?"
