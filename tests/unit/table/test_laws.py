"""Laws of tables: looking up agrees with trying every case, and so do the checks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.checks import cover
from amends.engine.checks.columns import column_of
from amends.engine.diagnostics import Place
from amends.engine.errors import RuleError
from amends.engine.literal import read_literal
from amends.engine.rules.cell import Cell, Interval, exactly, matches
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


HIT = st.sampled_from(["first", "unique"])


@given(rules=RULES, hit=HIT)
def test_a_table_is_said_to_have_a_gap_if_and_only_if_some_case_has_no_rule(
    read: Callable[[str], Any], rules: list[tuple[str, str, str]], hit: str
) -> None:
    world = read(table_of(rules, hit))
    table = world.tables["t"]
    found = [item for item in world.findings if item.code == "AM404"]
    gaps = {point for point in points() if not holding(table, point)}
    assert len(found) == bool(gaps)
    for item in found:
        # What the case leaves out may be anything.
        case = {name: [value] for name, value in witness(item.message).items()}
        assert set(itertools.product(*({**GRID, **case}).values())) <= gaps


ASKED = ["n", "n > 3", "!v", "4 >= n", "v", "n == most"]
DEPENDING = st.lists(
    st.tuples(listed(NUMBER), *[listed(st.sampled_from(["true", "false"]))] * 5), min_size=1, max_size=4
)


def depending(rules: Sequence[Sequence[str]], hit: str) -> str:
    rows = [
        f"      - {{id: r{index}, when: [{', '.join(map(repr, cells))}], then: {index}}}"
        for index, cells in enumerate(rules)
    ]
    head = "facts: {n: int, v: bool}\nparams: {most: {type: int, is: 5}}\ntables:\n  t:\n"
    inputs = ", ".join(map(repr, ASKED))
    return f"{head}    hit: {hit}\n    inputs: [{inputs}]\n    outputs: int\n    rules:\n" + "\n".join(rows)


@given(rules=DEPENDING, hit=HIT)
def test_inputs_that_ask_about_the_same_value_never_make_a_case_that_cannot_be(
    read: Callable[[str], Any], rules: list[tuple[str, ...]], hit: str
) -> None:
    world = read(depending(rules, hit))
    table = world.tables["t"]
    cases = itertools.product(GRID["n"], GRID["v"])
    hold = [holding(table, [n, n > 3, not v, n <= 4, v, n == 5]) for n, v in cases]
    found: dict[str, set[int]] = {"AM401": set(), "AM402": set(), "AM404": set()}
    for item in world.findings:
        found[item.code].add(int(re.findall(r"`r(\d)`", item.message + "`r0`")[item.code == "AM402"]))
    empty = set(range(len(rules))) - {index for rules_ in hold for index in rules_}
    never = set(range(len(rules))) - {rules_[0] for rules_ in hold if rules_}
    assert found["AM401"] == (never if hit == "first" else empty)
    assert found["AM402"] == ({late for rules_ in hold for late in rules_[1:]} if hit == "unique" else set())
    assert bool(found["AM404"]) == (not all(hold))


# --- sets of rules against trying every sample ------------------------------------------------------------------------

SIDE = 5
MASKS = st.integers(0, 2**SIDE - 1)
BOXES = st.lists(st.tuples(MASKS, MASKS, MASKS), min_size=1, max_size=8)


def inside(box: Sequence[int], point: Sequence[int]) -> bool:
    return all(mask >> at & 1 for mask, at in zip(box, point, strict=True))


@given(boxes=BOXES, within=st.tuples(MASKS, MASKS, MASKS))
def test_a_free_box_is_found_if_and_only_if_a_sample_is_free(
    boxes: list[tuple[int, ...]], within: tuple[int, ...]
) -> None:
    rows = [cover.holding(masks, SIDE) for masks in zip(*boxes, strict=True)]
    grid = [point for point in itertools.product(range(SIDE), repeat=3) if inside(within, point)]
    free = [point for point in grid if not any(inside(box, point) for box in boxes)]
    everyone = (1 << len(boxes)) - 1
    found = cover.free(rows, within, everyone, cover.Patience())
    assert (found is not None) == bool(free)
    assert cover.fills(rows, within, everyone, cover.Patience()) == (not free)
    if found is not None:
        named = {point for point in grid if inside(found, point)}
        assert named
        assert named <= set(free)


@given(masks=st.lists(MASKS, min_size=1, max_size=8))
def test_which_rules_meet_and_which_cover_is_what_the_samples_say(masks: list[int]) -> None:
    rows = cover.holding(masks, SIDE)
    meeting, covering = cover.meeting(masks, rows), cover.covering(masks, rows)
    for mask in masks:
        assert meeting[mask] == sum(1 << at for at, other in enumerate(masks) if mask & other)
        if mask:
            assert covering[mask] == sum(1 << at for at, other in enumerate(masks) if not mask & ~other)


def test_a_search_that_takes_too_long_says_nothing() -> None:
    rows = [cover.holding([0b01, 0b10], 2), cover.holding([0b01, 0b10], 2)]
    with pytest.raises(cover.GaveUp):
        cover.free(rows, (0b11, 0b11), 0b11, cover.Patience(1))
    with pytest.raises(cover.GaveUp):
        cover.free(rows * cover.MAX_COLUMNS, (0b11,) * 2 * cover.MAX_COLUMNS, 0b11, cover.Patience())


# --- tiers ------------------------------------------------------------------------------------------------------------

TIERS = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def tiers_of(outputs: Sequence[int]) -> str:
    rules = [f"{{id: r{at}, when: '< {at}', then: {output}}}" for at, output in enumerate(outputs[:-1])]
    rules.append(f"{{id: r{len(outputs) - 1}, when: '-', then: {outputs[-1]}}}")
    return f"facts: {{n: int}}\ntables: {{t: {{inputs: [n], outputs: int, rules: [{', '.join(rules)}]}}}}"


@given(outputs=TIERS)
def test_tiers_that_rise_or_fall_are_fine_and_of_others_three_neighbours_show_it(
    read: Callable[[str], Any], outputs: list[int]
) -> None:
    found = [item for item in read(tiers_of(outputs)).findings if item.code == "AM405"]
    in_order = outputs in (sorted(outputs), sorted(outputs, reverse=True))
    assert not (in_order and found)
    for item in found:
        (odd,) = map(int, re.findall(r"with `r(\d)`", item.message))
        values = [int(text) for text in re.findall(r"(\d) for n", item.message)]
        assert values == outputs[odd - 1 : odd + 2]
        assert values not in (sorted(values), sorted(values, reverse=True))
        rest = outputs[:odd] + outputs[odd + 1 :]
        assert rest in (sorted(rest), sorted(rest, reverse=True))


@given(outputs=st.lists(st.integers(0, 9), min_size=5, max_size=6, unique=True), data=st.data())
def test_one_tier_in_the_middle_that_breaks_the_order_is_found(
    read: Callable[[str], Any], outputs: list[int], data: st.DataObject
) -> None:
    outputs.sort(reverse=data.draw(st.booleans()))
    at = data.draw(st.integers(1, len(outputs) - 2))
    outputs[at] = data.draw(st.sampled_from([-1, 10]))
    assert [item.code for item in read(tiers_of(outputs)).findings] == ["AM405"]


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


def truths(cells: Sequence[Cell], value: Value, *, if_it_fails: bool = False) -> tuple[bool, ...]:
    def holds(cell: Cell) -> bool:
        try:
            return matches(cell, value) is True
        except RuleError:
            return if_it_fails

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
        perhaps = tuple(bool(mask >> index & 1) for mask in column.loose)
        assert sample is None or perhaps == truths(cells, sample, if_it_fails=True)
        seen.add(bits)
    # Values of a kind that no cell names hold nowhere but in `-`: there is nothing to overlap or to cover.
    named = [cell.intervals is None for cell in cells]
    assert {truths(cells, value) for value in values} - {tuple(named)} <= seen


def test_a_bool_and_an_enum_have_their_values_as_samples() -> None:
    yes = Cell(text="true", place=PLACE, intervals=(exactly(True),))  # noqa: FBT003 - the value of a cell
    red = Cell(text="red", place=PLACE, intervals=(exactly("red"),))
    assert column_of(BOOL, [yes]).samples == (True, False)
    assert column_of(EnumType("colour", ("red", "blue")), [red]).masks == (1,)
