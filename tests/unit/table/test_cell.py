"""What cells hold for, by the type of their input: `cells.yaml`; and that no text makes their reading crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amends.engine.diagnostics import Diagnostics
from amends.engine.document import Fields, Items, Scalar, read_file, read_text, to_plain
from amends.engine.errors import RuleError
from amends.engine.expression import Declared
from amends.engine.literal import read_literal
from amends.engine.money import Money
from amends.engine.period import UNITS, Period
from amends.engine.read.cells import read_cell
from amends.engine.rules.cell import matches, precedes
from amends.engine.types import BOOL, INT, MONEY, NAMED, PERIOD, TEXT, EnumType, OptionalType, Type
from amends.engine.values import Unknown, Value

COLOUR = EnumType("colour", ("red", "light-green", "no"))
TYPES: dict[str, Type] = {**NAMED, "colour": COLOUR, "optional int": OptionalType(INT)}


def rows() -> Iterator[Any]:
    node, found = read_file(Path(__file__).parent / "cells.yaml")
    assert isinstance(node, Items)
    assert found == ()
    for item in node.items:
        assert isinstance(item, Fields)
        type_, cell = item.get("type"), item.get("cell")
        assert isinstance(type_, Scalar)
        assert isinstance(cell, Scalar)
        assert set(item.keys()) <= {"type", "cell", "holds", "not", "fails"}
        yield pytest.param(TYPES[type_.text], cell, to_plain(item), id=f"{type_.text}: {cell.text}")


def outcome(cell: Any, value: Value) -> str:
    try:
        return "holds" if matches(cell, value) is True else "not"
    except RuleError:
        return "fails"


@pytest.mark.parametrize(("type_", "node", "row"), list(rows()))
def test_a_cell_holds_for_these_values_and_not_for_those(
    type_: Type, node: Scalar, row: dict[str, Any]
) -> None:
    diagnostics = Diagnostics()
    cell = read_cell(node, type_, diagnostics, currency="USD")
    assert diagnostics.found == []
    for due in ("holds", "not", "fails"):
        values = [read_literal(value, type_, currency="USD") for value in row.get(due, [])]
        assert {value: outcome(cell, value) for value in values} == dict.fromkeys(values, due)


@pytest.mark.parametrize(("text", "due"), [("-", True), ("5", None), ("not(5)", None), ("< 5", None)])
def test_only_a_dash_is_sure_of_a_missing_value(text: str, due: bool | None) -> None:  # noqa: FBT001 - a table's column
    cell = read_cell(scalar(text), INT, Diagnostics())
    missing = Unknown(frozenset({"n"}))
    assert cell is not None
    assert matches(cell, missing) == (missing if due is None else due)


def test_zero_is_money_of_any_currency_where_the_policy_names_none() -> None:
    cell = read_cell(scalar("> 0"), MONEY, Diagnostics())
    assert cell is not None
    assert matches(cell, read_literal("1 JPY", MONEY)) is True
    assert matches(cell, read_literal("0 KWD", MONEY)) is False


def scalar(text: str) -> Scalar:
    quoted = text.replace("'", "''")
    node, found = read_text(f"'{quoted}'", "p.yaml")
    assert found == ()
    assert isinstance(node, Scalar)
    return node


PIECES = st.sampled_from(
    [
        *"-,()[]<>=!.'\"\\ ",
        *("..", "not(", "1", "1,000", "100 USD", "3 days", "red", "true", "2026-03-05", "é"),
        *("limit", "=limit", "= most", "colour", "total", "broken"),
    ]
)


class Params:
    """A scope of params of some types, and of a fact."""

    found: Mapping[str, Declared] = MappingProxyType(
        {
            "limit": Declared(type=MONEY, kind="param", literal=Money(Fraction(5), "USD")),
            "most": Declared(type=INT, kind="param", literal=3),
            "colour": Declared(type=COLOUR, kind="param", literal="red"),
            "total": Declared(type=MONEY, kind="fact"),
        }
    )

    def find(self, name: str) -> Declared | None:
        return self.found.get(name)

    def names(self) -> Iterator[str]:
        return iter(self.found)

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - the scope's interface
        return None

    def type_names(self) -> Iterator[str]:
        return iter(())


@given(text=st.lists(PIECES, max_size=12).map("".join), type_=st.sampled_from(list(TYPES.values())))
@example(text="[..]", type_=INT)
@example(text="[1..2..3]", type_=INT)
@example(text="not()", type_=TEXT)
@example(text="<", type_=PERIOD)
@example(text="[limit..=limit]", type_=MONEY)
@example(text="=", type_=COLOUR)
@example(text="= most", type_=NAMED["decimal"])
def test_any_text_is_a_cell_or_has_a_finding_inside_of_it(text: str, type_: Type) -> None:
    diagnostics = Diagnostics()
    node = Scalar(text, text, plain=False, stands=scalar("x").place)
    cell = read_cell(node, type_, diagnostics, currency="USD", scope=Params())
    assert (cell is None) == bool(diagnostics.found)
    assert {item.code for item in diagnostics.found} <= {"AM403", "AM104"}


@pytest.mark.parametrize(
    "text", [" " * 50_000, "," * 20_000, "'" * 20_001, "not(" * 9_000, "[" + "." * 20_000 + "]"]
)
def test_a_long_cell_is_read_at_once(text: str) -> None:
    node = Scalar(text, text, plain=False, stands=scalar("x").place)
    assert read_cell(node, BOOL, Diagnostics()) is None


@given(
    left=st.builds(Period, st.integers(0, 50), st.sampled_from(UNITS)),
    right=st.builds(Period, st.integers(0, 50), st.sampled_from(UNITS)),
)
def test_of_two_periods_one_comes_first_or_they_are_as_long_or_they_cannot_be_compared(
    left: Period, right: Period
) -> None:
    try:
        before, after = precedes(left, right), precedes(right, left)
    except RuleError:
        with pytest.raises(RuleError):
            precedes(right, left)
        return
    cell = read_cell(scalar(str(left)), PERIOD, Diagnostics())
    assert cell is not None
    assert [before, after, matches(cell, right)].count(True) == 1


def test_a_decimal_is_exact() -> None:
    cell = read_cell(scalar("[0.1..0.3]"), NAMED["decimal"], Diagnostics())
    assert cell is not None
    assert matches(cell, Fraction(3, 10)) is True
    assert matches(cell, Fraction(1, 10) + Fraction(2, 10) + Fraction(1, 10**12)) is False
