"""The rules of docs/language.md for tables while facts are missing, one test each; `three_valued.yaml` has them case by case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from amends.engine.errors import RuleError
from amends.engine.values import Unknown

SIGNS = {"t": True, "f": False, "?": None}


@pytest.fixture
def value(read: Callable[[str], Any]) -> Callable[..., Any]:
    """Return what gives the value of a table of three rules, which ask for a fact each."""

    def value(hit: str, marks: str, then: Sequence[str], otherwise: str | None = None) -> Any:
        rules = ", ".join(
            f"{{when: {fact}, then: {output}}}" for fact, output in zip("abc", then, strict=True)
        )
        last = f", otherwise: {otherwise}" if otherwise else ""
        world = read(
            "facts: {a: optional bool, b: optional bool, c: optional bool}\n"
            f"tables: {{t: {{hit: {hit}, outputs: [A, B, C], rules: [{rules}]{last}}}}}"
        )
        facts = {fact: SIGNS[mark] for fact, mark in zip("abc", marks.split(), strict=True)}
        return world.look_up("t", **facts).value

    return value


def missing(*names: str) -> Unknown:
    return Unknown(frozenset(names))


def test_first_with_an_unknown_before_a_true_is_unknown(value: Callable[..., Any]) -> None:
    assert value("first", "? t f", "AAA") == missing("a")
    assert value("first", "f ? t", "ABC") == missing("b")


def test_first_with_an_unknown_after_a_true_is_known(value: Callable[..., Any]) -> None:
    assert value("first", "f t ?", "ABC") == "B"


def test_unique_is_unknown_unless_every_possible_outcome_agrees(value: Callable[..., Any]) -> None:
    assert value("unique", "f ? f", "ABC", otherwise="C") == missing("b")
    assert value("unique", "f ? f", "ABC", otherwise="B") == "B"


def test_unique_is_unknown_where_a_second_rule_may_yet_hold_and_fail_it(value: Callable[..., Any]) -> None:
    assert value("unique", "t ? f", "AAA") == missing("b")


def test_any_is_unknown_unless_every_possible_outcome_agrees(value: Callable[..., Any]) -> None:
    assert value("any", "t ? f", "ABC") == missing("b")
    assert value("any", "t ? f", "AAB") == "A"
    assert value("any", "? f f", "AAB", otherwise="B") == missing("a")


def test_priority_looks_at_higher_rules_only(value: Callable[..., Any]) -> None:
    assert value("priority", "? t ?", "BAC") == "A"
    assert value("priority", "t f ?", "BCA") == missing("c")


def test_collect_is_unknown_with_any_unknown(value: Callable[..., Any]) -> None:
    assert value("collect", "t ? f", "ABC") == missing("b")
    assert value("collect count", "t t ?", "ABC") == missing("c")
    assert value("collect", "t f t", "ABC") == ("A", "C")


@pytest.mark.parametrize("hit", ["first", "unique", "any", "priority"])
def test_otherwise_is_used_only_if_all_are_false(value: Callable[..., Any], hit: str) -> None:
    assert value(hit, "f f f", "ABC", otherwise="B") == "B"
    assert value(hit, "f f ?", "ABC", otherwise="B") == missing("c")


@pytest.mark.parametrize("hit", ["first", "unique", "any", "priority"])
def test_no_rule_and_no_otherwise_fails(value: Callable[..., Any], hit: str) -> None:
    with pytest.raises(RuleError, match="no rule of `t` holds"):
        value(hit, "f f f", "ABC")


def test_no_rule_of_a_collecting_table_is_an_empty_list(value: Callable[..., Any]) -> None:
    assert value("collect", "f f f", "ABC") == ()


def test_a_dash_matches_missing(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: optional int}
tables: {t: {inputs: [n], outputs: int, rules: [{when: "-", then: 1}]}}
""")
    assert world.look_up("t").value == 1


def test_no_other_cell_matches_missing(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: optional int}
tables: {t: {inputs: [n], outputs: int, rules: [{when: "not(5)", then: 1}, {when: "5", then: 1}]}}
""")
    assert world.look_up("t").value == missing("n")
