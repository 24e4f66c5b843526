"""Laws of tables: looking up agrees with trying every case, and so do the checks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amends.engine.cell import Cell, Interval, exactly, matches
from amends.engine.checks.columns import column_of
from amends.engine.diagnostics import Place
from amends.engine.errors import RuleError
from amends.engine.literal import read_literal
from amends.engine.types import BOOL, NAMED, EnumType, Type
from amends.engine.values import Unknown, Value

FAILS = "fails"
SIGNS = {"t": True, "f": False, "?": None}


def outcome(world: Any, **facts: Any) -> Any:
    try:
        return world.look_up("t", **facts).value
    except RuleError:
        return FAILS


# --- looking up against every way in which missing facts may fall -----------------------------------------------------


def naive(hit: str, holding: Sequence[str], otherwise: str | None) -> Any:
    """Return what a table of text outputs gives when all is known; `holding` has the outputs of the rules that hold."""
    if hit == "collect":
        return tuple(holding) or (() if otherwise is None else (otherwise,))
    if hit == "collect count":
        return len(holding) or (0 if otherwise is None else 1)
    if not holding:
        return FAILS if otherwise is None else otherwise
    if hit == "priority":
        return min(holding)
    if (hit == "unique" and len(holding) > 1) or (hit == "any" and len(set(holding)) > 1):
        return FAILS
    return holding[0]


def completions(facts: Mapping[str, bool | None]) -> Iterator[dict[str, bool]]:
    choices = [[True, False] if value is None else [value] for value in facts.values()]
    for values in itertools.product(*choices):
        yield dict(zip(facts, values, strict=True))


HITS = st.sampled_from(["first", "unique", "any", "priority", "collect", "collect count"])
OUTPUT = st.sampled_from(["A", "B"])


@given(
    hit=HITS,
    outputs=st.lists(OUTPUT, min_size=3, max_size=3),
    otherwise=st.none() | OUTPUT,
    marks=st.lists(st.sampled_from(list(SIGNS)), min_size=3, max_size=3),
)
def test_a_value_is_known_while_facts_are_missing_only_if_it_is_the_same_however_they_fall(
    read: Callable[[str], Any], hit: str, outputs: list[str], otherwise: str | None, marks: list[str]
) -> None:
    rules = "".join(
        f"\n      - {{when: {fact}, then: {then}}}" for fact, then in zip("abc", outputs, strict=True)
    )
    last = "" if otherwise is None else f"\n    otherwise: {otherwise}"
    world = read(
        "facts: {a: optional bool, b: optional bool, c: optional bool}\n"
        f"tables:\n  t:\n    hit: {hit}\n    outputs: [A, B]{last}\n    rules:{rules}"
    )
    facts = {fact: SIGNS[mark] for fact, mark in zip("abc", marks, strict=True)}
    possible = [
        naive(hit, [then for fact, then in zip("abc", outputs, strict=True) if full[fact]], otherwise)
        for full in completions(facts)
    ]
    got = outcome(world, **facts)
    if not isinstance(got, Unknown):
        assert set(possible) == {got}
    elif hit in {"unique", "any", "priority"}:
        # These three look for agreement, so unknown means that there is none.
        assert len(set(possible)) > 1 or possible[0] == FAILS
    assert not isinstance(got, Unknown) or got.missing <= {fact for fact in facts if facts[fact] is None}


# --- cells against a grid ---------------------------------------------------------------------------------------------

NUMBERS = range(7)
GRID: dict[str, list[Any]] = {"n": list(range(-2, 9)), "v": [True, False], "m": ["card", "cod", "wallet"]}
TYPES = (
    "facts: {n: optional int, v: optional bool, m: optional method}\ntypes: {method: [card, cod, wallet]}\n"
)


def listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(values, min_size=1, max_size=2).map(", ".join)
    return st.one_of(st.just("-"), joined, joined.map("not({})".format))


def a_range(ends: tuple[int, int], brackets: str) -> str:
    return f"{brackets[0]}{min(ends)}..{max(ends) + 1}{brackets[1]}"


NUMBER = st.one_of(
    st.sampled_from(NUMBERS).map(str),
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(NUMBERS)),
    st.builds(
        a_range,
        st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
        st.sampled_from(["[]", "()", "[)", "(]"]),
    ),
)
RULE = st.tuples(
    listed(NUMBER),
    listed(st.sampled_from(["true", "false"])),
    listed(st.sampled_from(["card", "cod", "wallet"])),
)
RULES = st.lists(RULE, min_size=1, max_size=5)


def table_of(rules: Sequence[Sequence[str]], hit: str) -> str:
    lines = [
        TYPES,
        "tables:",
        "  t:",
        f"    hit: {hit}",
        "    inputs: [n, v, m]",
        "    outputs: int",
        "    rules:",
    ]
    for index, cells in enumerate(rules):
        quoted = ", ".join(f"'{cell}'" for cell in cells)
        lines.append(f"      - {{id: r{index}, when: [{quoted}], then: {index}}}")
    return "\n".join(lines)


def points() -> Iterator[tuple[Any, ...]]:
    return itertools.product(*GRID.values())


def holding(table: Any, point: Sequence[Any]) -> list[int]:
    return [
        index
        for index, rule in enumerate(table.rules)
        if all(matches(cell, value) is True for cell, value in zip(rule.cells, point, strict=True))
    ]


def witness(message: str) -> dict[str, Any]:
    """Return the case that a finding shows; inputs that it leaves out may be anything."""
    found = dict(re.findall(r"(\w) = (\S+?)(?:,|$)", message))
    kept = {name: value for name, value in found.items() if name in GRID}
    read_: dict[str, Any] = {"n": int, "v": lambda text: text == "true", "m": str}
    return {name: read_[name](text) for name, text in kept.items()}


@given(rules=RULES)
def test_two_rules_of_a_unique_table_are_said_to_overlap_if_and_only_if_they_do(
    read: Callable[[str], Any], rules: list[tuple[str, str, str]]
) -> None:
    world = read(table_of(rules, "unique"))
    table = world.tables["t"]
    overlapping = {late for point in points() for late in holding(table, point)[1:]}
    found = {item.message: item for item in world.findings if item.code == "AM402"}
    named = {message: [int(i) for i in re.findall(r"`r(\d)`", message)] for message in found}
    assert {late for _, late in named.values()} == overlapping
    for message, pair in named.items():
        example = {name: values[0] for name, values in GRID.items()} | witness(message)
        assert set(pair) <= set(holding(table, list(example.values())))


@given(rules=RULES)
def test_a_rule_is_said_never_to_hit_if_and_only_if_it_never_does(
    read: Callable[[str], Any], rules: list[tuple[str, str, str]]
) -> None:
    world = read(table_of(rules, "first"))
    table = world.tables["t"]
    hits = {holds[0] for point in points() if (holds := holding(table, point))}
    found = {int(item.message[2]) for item in world.findings if item.code == "AM401"}
    assert found == set(range(len(rules))) - hits


@given(rules=RULES, data=st.data())
def test_looking_up_cells_agrees_with_trying_every_value_of_what_is_missing(
    read: Callable[[str], Any], rules: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    world = read(table_of(rules, "first"))
    point = {name: data.draw(st.none() | st.sampled_from(values)) for name, values in GRID.items()}
    choices = [GRID[name] if value is None else [value] for name, value in point.items()]
    possible = {outcome(world, **dict(zip(GRID, full, strict=True))) for full in itertools.product(*choices)}
    got = outcome(world, **point)
    assert isinstance(got, Unknown) or possible == {got}


# --- samples of a column ----------------------------------------------------------------------------------------------

VALUES: dict[str, list[Any]] = {
    "decimal": ["0", "0.5", "1", "1.01"],
    "money": ["0 USD", "1 USD", "1.01 USD", "5 EUR", "6 EUR", "3 JPY"],
    "date": ["0001-01-01", "2026-02-28", "2026-03-01", "9999-12-31"],
    "timestamp": ["2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z", "2026-03-02T00:00:00+05:00"],
    "duration": ["-1s", "0s", "1s", "90s"],
    "period": [
        "0 days",
        "1 week",
        "7 days",
        "8 days",
        "1 month",
        "1 year",
        "3 business days",
        "1 hour",
        "60 minutes",
    ],
    "int": [-(2**63), 0, 1, 2**63 - 1],
    "text": ["a", "b", "something else"],
}
PLACE = Place("p.yaml", 1, 1, 1, 2)


@st.composite
def columns(draw: st.DrawFn) -> tuple[Type, list[Cell], list[Value]]:
    """Draw a type, cells of it, and values to try them with."""
    name = draw(st.sampled_from(list(VALUES)))
    type_ = NAMED[name]
    values = [read_literal(text, type_) for text in VALUES[name]]
    one = st.sampled_from(values).map(exactly)
    half = st.builds(Interval, st.none(), st.sampled_from(values), st.booleans(), st.booleans())
    other = st.builds(Interval, st.sampled_from(values), st.none(), st.booleans(), st.booleans())
    parts = one if name == "text" else st.one_of(one, half, other)
    cells = draw(
        st.lists(
            st.builds(
                lambda intervals, negated: Cell(text="", place=PLACE, intervals=intervals, negated=negated),
                st.none() | st.lists(parts, min_size=1, max_size=3).map(tuple),
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        )
    )
    return type_, cells, values


def truths(cells: Sequence[Cell], value: Value) -> tuple[bool, ...]:
    def holds(cell: Cell) -> bool:
        try:
            return matches(cell, value) is True
        except RuleError:
            return False

    return tuple(map(holds, cells))


@given(drawn=columns())
def test_the_samples_of_a_column_tell_apart_whatever_its_cells_do(
    drawn: tuple[Type, list[Cell], list[Value]],
) -> None:
    type_, cells, values = drawn
    column = column_of(type_, cells)
    seen = set()
    for index, sample in enumerate(column.samples):
        bits = tuple(bool(mask >> index & 1) for mask in column.masks)
        assert sample is None or bits == truths(cells, sample)
        seen.add(bits)
    # Values of a kind that no cell names hold nowhere but in `-`: there is nothing to overlap or to cover.
    named = [cell.intervals is None for cell in cells]
    assert {truths(cells, value) for value in values} - {tuple(named)} <= seen


def test_a_bool_and_an_enum_have_their_values_as_samples() -> None:
    yes = Cell(text="true", place=PLACE, intervals=(exactly(True),))  # noqa: FBT003 - the value of a cell
    red = Cell(text="red", place=PLACE, intervals=(exactly("red"),))
    assert column_of(BOOL, [yes]).samples == (True, False)
    assert column_of(EnumType("colour", ("red", "blue")), [red]).masks == (1,)
