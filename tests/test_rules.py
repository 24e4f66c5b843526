"""Every rule of expressions, of time and of choosing has a test that states it: rules.yaml names them, and they are there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
RULES: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "rules.yaml").read_text(encoding="utf-8"))
ALL = [pytest.param(rule, id=f"{part}: {rule['rule']}") for part, rules in RULES.items() for rule in rules]


@cache
def functions(file: str) -> frozenset[str]:
    """Return the names of the tests of a file that run in every run of the suite."""
    tree = ast.parse((HERE / "unit" / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not is_left_out(node)
    )


def is_left_out(test: ast.FunctionDef) -> bool:
    """Tell whether a test is skipped, expected to fail, or runs only when it is asked for."""
    marks = {ast.unparse(mark).partition("(")[0] for mark in test.decorator_list}
    return bool(marks & {"pytest.mark.long", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"})


def rows(file: str) -> Iterator[str]:
    """Yield the ids of the tests that a file makes of the claims beside it."""
    for path in sorted((HERE / "unit" / file).parent.glob("cases/*.yaml")):
        claims = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
        yield from (f"{path.stem}: {claim}" for claim in claims)


def test_the_rules_are_those_of_expressions_time_and_choosing() -> None:
    assert list(RULES) == ["expressions", "time", "choosing"]
    assert all(len(rules) > 10 for rules in RULES.values())


def test_no_rule_stands_twice_and_each_is_one_sentence() -> None:
    rules = [rule for part in RULES.values() for rule in part]
    assert len({rule["rule"] for rule in rules}) == len(rules)
    assert all(set(rule) == {"rule", "shown_by"} and rule["rule"].endswith(".") for rule in rules)


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_has_a_test_whose_name_states_it(rule: dict[str, Any]) -> None:
    assert rule["shown_by"], "no test shows it"
    for test in rule["shown_by"]:
        file, _, name = test.partition("::")
        function, bracket, row = name.partition("[")
        assert function in functions(file), f"there is no test {test}"
        if bracket:
            assert row.removesuffix("]") in set(rows(file)), f"there is no test {test}"
