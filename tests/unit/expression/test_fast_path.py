"""The fast path: when an expression gets its function, what the function may touch, and what is never done twice."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from types import CodeType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.engine import calendar
from amends.engine.errors import RuleError
from amends.engine.expression import (
    Checked,
    Declared,
    check_text,
    evaluate,
    explain,
    interpret,
    observe,
    runtime,
    warm,
)
from amends.engine.types import BOOL, INT, MapType, Type
from amends.engine.values import Unknown, Value, parse_timestamp

NOON = parse_timestamp("2026-03-05T12:00:00Z")


@dataclass
class Chain:
    """A policy of defines, each built on the one before it, and an environment that forgets what has failed."""

    defines: dict[str, str]
    facts: dict[str, Value]
    now: datetime = NOON
    zone: ZoneInfo = field(default_factory=lambda: calendar.zone("UTC"))
    computed: Counter[str] = field(default_factory=Counter)
    known: dict[str, Value] = field(default_factory=dict)
    checked: dict[str, Checked] = field(default_factory=dict)

    def find(self, name: str) -> Declared | None:
        return Declared(type=INT, kind="define") if name in {*self.defines, *self.facts} else None

    def names(self) -> list[str]:
        return [*self.defines, *self.facts]

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - none is asked for
        return None

    def type_names(self) -> tuple[str, ...]:
        return ()

    def value(self, name: str) -> Value:
        if name not in self.known:
            self.computed[name] += 1
            self.known[name] = self.facts[name] if name in self.facts else evaluate(self.of(name), self)
        return self.known[name]

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        raise LookupError(name, arguments)

    def of(self, name: str) -> Checked:
        if name not in self.checked:
            checked, problems = check_text(self.defines[name], self)
            assert checked is not None, problems
            warm(checked)
            self.checked[name] = checked
        return self.checked[name]


def names_in(code: CodeType) -> set[str]:
    inner = [names_in(found) for found in code.co_consts if isinstance(found, CodeType)]
    return {*code.co_names, *code.co_varnames}.union(*inner)


def test_an_expression_gets_its_function_once_it_is_used_often(library: Any) -> None:
    checked = library.checked("tries > 1")
    for _ in range(runtime.WARM):
        assert evaluate(checked, library.env()) is True
        assert checked.compiled.plain is None
    assert evaluate(checked, library.env()) is True
    assert checked.compiled.plain is not None
    assert evaluate(checked, library.env(tries=1)) is False


def test_an_expression_that_is_explained_gets_its_function_sooner(library: Any) -> None:
    checked = library.checked("tries > 1")
    for _ in range(runtime.WARM_WATCHED):
        assert observe(checked, library.env()) == (True, None)
    assert observe(checked, library.env()) == (True, ((True,), (2,)))
    assert runtime.WARM_WATCHED < runtime.WARM


def test_nothing_is_kept_from_one_evaluation_to_the_next(library: Any) -> None:
    checked = library.checked("numbers.sum(n, n * tries) > limit && has(mark)")
    warm(checked)
    for tries in (2, 0, 2):
        for mark in ({}, {"mark": "torn"}):
            env = library.env(tries=tries, limit=5, **mark)
            assert evaluate(checked, env) == interpret(checked, env)


def test_an_expression_is_the_same_with_its_function_and_without(library: Any) -> None:
    checked, other = library.checked("tries > 1"), library.checked("tries > 1")
    warm(checked)
    warm(checked, watched=True)
    assert checked == other
    assert hash(checked.root) == hash(other.root)
    assert "compiled" not in repr(checked)


@pytest.mark.parametrize("through", [copy.deepcopy, lambda checked: pickle.loads(pickle.dumps(checked))])  # noqa: S301 - our own
def test_a_copy_makes_its_own_function(through: Any, library: Any) -> None:
    checked = library.checked("tries > 1")
    warm(checked)
    copied = through(checked)
    assert copied == checked
    assert copied.compiled.plain is None
    assert evaluate(copied, library.env()) is True


def test_threads_may_make_it_at_the_same_time(library: Any) -> None:
    checked = library.checked("lines.all(l, l.price > fee) && tries > 1")
    env = library.env()
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda _: observe(checked, env) and evaluate(checked, env), range(400))
    assert set(found) == {True}
    assert checked.compiled.plain is not None


def test_the_words_of_an_author_are_constants_only(library: Any) -> None:
    text = 'damage.kind == "atlas" && has(damage.note) && lines.exists(title, title.title == name) && scores.owed > 0'
    function = warm(library.checked(text))
    assert function is not None
    names = names_in(function.__code__)
    assert not names & {"damage", "kind", "note", "lines", "title", "name", "scores", "owed", "atlas"}
    assert function.__globals__["__builtins__"] == {}


@pytest.mark.parametrize(
    "name", ["known", "env", "ask", "v1", "turns", "ABSENT", "__class__", "__builtins__", "eval"]
)
def test_a_name_may_be_one_that_the_generated_code_uses_itself(name: str) -> None:
    chain = Chain({}, {name: 7})
    checked, problems = check_text(f"{name} + 1 > 7 && [{name}].exists(v2, v2 == {name})", chain)
    assert checked is not None, problems
    assert warm(checked) is not None
    assert evaluate(checked, chain) is interpret(checked, chain) is True


def test_a_chain_of_rules_that_fails_is_computed_once_a_link() -> None:
    depth = 40
    defines = {f"d{at}": f"d{at - 1} + 1" for at in range(1, depth)} | {"d0": "1 / zero"}
    chain = Chain(defines, {"zero": 0})
    with pytest.raises(RuleError, match="division by zero in `1 / zero`"):
        chain.value(f"d{depth - 1}")
    assert set(chain.computed.values()) == {1}


def test_a_table_that_leaves_its_value_open_is_called_once(library: Any) -> None:
    calls: list[str] = []

    class Open:
        now, zone = NOON, calendar.zone("UTC")

        def value(self, name: str) -> Value:
            return library.env().value(name)

        def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
            assert name == "verdict"
            calls.append(arguments[0]["title"])
            return {"owed": True} if len(calls) == 1 else Unknown(frozenset({"fee"}))

    checked = library.checked("lines.all(l, verdict(l).owed) && tries == 2")
    warm(checked)
    assert evaluate(checked, Open()) == Unknown(frozenset({"fee"}))
    assert calls == ["Emma", "Alps"]


def test_a_table_that_fails_is_called_once_and_fails_as_it_did(library: Any) -> None:
    calls: list[str] = []

    class Failing:
        now, zone = NOON, calendar.zone("UTC")

        def value(self, name: str) -> Value:
            return library.env().value(name)

        def call(self, name: str, arguments: tuple[Value, ...]) -> Value:  # noqa: ARG002 - it fails whatever it is given
            calls.append(name)
            raise RuleError("no rule of `verdict` holds")

    checked = library.checked("verdict(lines[0]).owed || urgent")
    warm(checked)
    with pytest.raises(RuleError, match="no rule of `verdict` holds"):
        evaluate(checked, Failing())
    assert calls == ["verdict"]


def test_loops_that_turn_too_often_fail_as_in_the_reference(library: Any) -> None:
    checked = library.checked("numbers.all(a, numbers.all(b, numbers.all(c, a + b + c >= 0)))")
    warm(checked)
    many = tuple(range(50))
    with pytest.raises(RuleError, match="the loops turn more than 100000 times"):
        evaluate(checked, library.env(numbers=many))
    assert evaluate(checked, library.env(numbers=many[:40])) is True


def test_what_python_cannot_hold_is_interpreted(library: Any) -> None:
    text = "tries > 1"
    for at in range(22):
        text = f"numbers.exists(n{at}, {text})"
    checked = library.checked(text)
    assert warm(checked) is None
    for _ in range(runtime.WARM + 2):
        assert evaluate(checked, library.env(numbers=(1,))) is True


@pytest.mark.parametrize(
    ("parts", "plain", "watched"), [(128, True, True), (129, True, False), (400, False, False)]
)
def test_what_is_very_long_is_interpreted(parts: int, *, plain: bool, watched: bool, library: Any) -> None:
    checked = library.checked(" && ".join(["urgent || tries > 1"] + ["tries > 1"] * (parts - 2)))
    assert (warm(checked, watched=True) is not None) is watched
    assert (warm(checked) is not None) is plain
    assert observe(checked, library.env())[0] is evaluate(checked, library.env()) is True


def test_an_explanation_shows_what_was_seen_though_it_has_changed_since(library: Any) -> None:
    checked = library.checked('tries > 1 && kind == "atlas"')
    warm(checked, watched=True)
    value, seen = observe(checked, library.env())
    assert value is True
    later = library.env(tries=0, kind="novel")
    assert explain(checked, later, seen=seen) == explain(checked, library.env())


def test_a_part_that_was_not_needed_is_not_explained(library: Any) -> None:
    checked = library.checked("urgent || tries > 3 || (sure ? tries > 1 : tries > 0)")
    warm(checked, watched=True)
    env = library.env(sure=False)
    value, seen = observe(checked, env)
    assert value is True
    assert seen is not None
    assert [leaf.text for leaf in explain(checked, env, seen=seen)] == [
        "urgent",
        "tries > 3",
        "sure",
        "tries > 0",
    ]


def test_a_fact_that_only_a_branch_reads_is_looked_up_when_it_is_told(library: Any) -> None:
    checked = library.checked("(urgent ? limit : tries) == 2")
    warm(checked, watched=True)
    env = library.env(limit=9)
    _, seen = observe(checked, env)
    (leaf,) = explain(checked, env, seen=seen)
    assert leaf.saw == (("limit", 9), ("tries", 2), ("urgent", False))
    assert (leaf,) == explain(checked, env)


def test_money_of_two_currencies_is_left_to_the_reference(library: Any) -> None:
    checked = library.checked("price - fee > half")
    warm(checked)
    with pytest.raises(RuleError, match="USD and EUR cannot be mixed in `price - fee`"):
        evaluate(checked, library.env(fee=library.value("euros")))


def test_an_environment_may_tell_only_some_of_what_it_knows() -> None:
    chain = Chain({"twice": "base * 2"}, {"base": 4})
    checked, _ = check_text("twice == 8 && base == 4", chain)
    assert checked is not None
    warm(checked)
    assert evaluate(checked, chain) is True
    assert chain.known == {"twice": 8, "base": 4}


def test_maps_with_keys_that_are_no_names_are_read_by_their_keys() -> None:
    class World(Chain):
        def find(self, name: str) -> Declared | None:
            return Declared(type=MapType(INT), kind="fact") if name == "found" else None

    world = World({}, {"found": {"__class__": 1, "a b": 2}})
    checked, problems = check_text('found["__class__"] + found["a b"] == 3', world, expect=BOOL)
    assert checked is not None, problems
    warm(checked)
    assert evaluate(checked, world) is True
