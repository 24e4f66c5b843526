"""What fits the JSON Schema of a type is read as a value of it, and what is written of a value fits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from amends.engine.form import object_schema, schema_of
from amends.engine.literal import Misfit, read_literal
from amends.engine.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    HOLE,
    INT,
    MONEY,
    PERIOD,
    TEXT,
    TIMESTAMP,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)

PROOF = EnumType("proof", ("photo", "video"))
LINE = RecordType(
    "line",
    (("sku", TEXT), ("price", MONEY), ("note", OptionalType(TEXT)), ("count", INT)),
    defaults=(("count", 1),),
)
TAKEN: list[tuple[Type, Any]] = [
    (BOOL, True),
    (INT, -(2**63)),
    (INT, 2**63 - 1),
    (DECIMAL, "-0.000000000001"),
    (MONEY, "42.5"),
    (MONEY, "-1 JPY"),
    (TEXT, ""),
    (TEXT, "x" * 100_000),
    (TIMESTAMP, "2026-03-05T20:00:00-05:00"),
    (DATE, "2026-03-05"),
    (DURATION, "90s"),
    (PERIOD, "2 business days"),
    (PERIOD, "1 calendar day"),
    (PROOF, "photo"),
    (ListType(PROOF, limit=2), ["photo", "photo"]),
    (OptionalType(ListType(PROOF)), []),
    (MapType(MONEY), {"a": "1.00"}),
    (LINE, {"sku": "a", "price": "1.00"}),
    (LINE, {"sku": "a", "price": "1.00", "note": "b", "count": 2}),
    (HOLE, {"anything": ["at all"]}),
]
REFUSED: list[tuple[Type, Any]] = [
    (BOOL, "true"),
    (INT, 2**63),
    (INT, True),
    (INT, 1.5),
    (DECIMAL, "1."),
    (DECIMAL, 0.25),
    (MONEY, 42.5),
    (MONEY, "42.50EUR"),
    (MONEY, "42.50 eur"),
    (TEXT, 7),
    (TEXT, "x" * 100_001),
    (DURATION, "90"),
    (PERIOD, "two days"),
    (PROOF, "rumour"),
    (ListType(PROOF, limit=2), ["photo"] * 3),
    (ListType(PROOF), "photo"),
    (MapType(MONEY), {"a": "much"}),
    (LINE, {"sku": "a"}),
    (LINE, {"sku": "a", "price": "1.00", "colour": "red"}),
]


def fits(type_: Type, data: Any) -> bool:
    schema = schema_of(type_)
    Draft202012Validator.check_schema(schema)
    return bool(Draft202012Validator(schema).is_valid(data))


@pytest.mark.parametrize(("type_", "data"), TAKEN, ids=lambda part: str(part)[:30])
def test_what_is_read_fits(type_: Type, data: Any) -> None:
    read_literal(data, type_, currency="EUR")
    assert fits(type_, data)


@pytest.mark.parametrize(("type_", "data"), REFUSED, ids=lambda part: str(part)[:30])
def test_what_is_not_read_does_not_fit(type_: Type, data: Any) -> None:
    with pytest.raises(Misfit):
        read_literal(data, type_, currency="EUR")
    assert not fits(type_, data)


@pytest.mark.parametrize("type_", [DECIMAL, MONEY, DURATION, PERIOD], ids=str)
@given(data=st.data())
def test_whatever_fits_a_pattern_is_read(type_: Type, data: st.DataObject) -> None:
    pattern = re.compile(schema_of(type_)["pattern"].replace("$", r"\Z"))
    read_literal(data.draw(st.from_regex(pattern)), type_, currency="EUR")


@pytest.mark.parametrize("type_", [DECIMAL, MONEY, TIMESTAMP, DATE, DURATION, PERIOD], ids=str)
def test_every_example_is_one(type_: Type) -> None:
    for example in schema_of(type_)["examples"]:
        read_literal(example, type_, currency="EUR")
        assert fits(type_, example)


def test_an_object_has_its_properties_and_no_others() -> None:
    schema = object_schema({"a": schema_of(BOOL), "b": schema_of(TEXT)}, ["a"])
    valid = Draft202012Validator(schema).is_valid
    assert valid({"a": True})
    assert valid({"a": True, "b": ""})
    assert not valid({"b": ""})
    assert not valid({"a": True, "c": 1})
