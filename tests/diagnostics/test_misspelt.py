"""Wherever a name is looked up, a misspelt one is found at its place, and the right one is offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.library import Library

HERE = Path(__file__).parent
BASE = (HERE / "loans.yaml").read_text(encoding="utf-8")
CASES = yaml.safe_load((HERE / "misspelt.yaml").read_text(encoding="utf-8"))


def test_the_policy_that_is_misspelt_is_right() -> None:
    assert Library.load(HERE / "loans.yaml").diagnostics == ()


def test_no_name_is_misspelt_twice_under_the_same_title() -> None:
    titles = [case["what"] for case in CASES]
    assert sorted(set(titles)) == sorted(titles)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_a_misspelt_name_is_one_finding_at_its_place_and_the_right_one_is_offered(
    case: dict[str, Any], tmp_path: Path
) -> None:
    assert BASE.count(case["was"]) == 1, (
        f"{case['was']!r} stands {BASE.count(case['was'])} times in loans.yaml"
    )
    text = BASE.replace(case["was"], case["now"])
    path = tmp_path / "loans.yaml"
    path.write_text(text, encoding="utf-8")
    begin = text.index(case["now"])
    word = case.get("at") or case["now"].split()[-1]
    start = text.index(word, begin)
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    wanted = (case.get("code", "AM104"), line, column, column + len(word), case["hint"])
    found = [
        (item.code, item.place.line, item.place.column, item.place.end_column, item.hint)
        for item in Library.load(path).diagnostics
    ]
    assert found == [wanted]
