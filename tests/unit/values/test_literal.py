"""Plain data read as values of declared types: each kind of misfit with the path to it, and what no journal can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.literal import MAX_DEPTH, MAX_TEXT, Misfit, plain, read_literal
from amends.engine.money import Money
from amends.engine.period import Period
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
    MoneyType,
    OptionalType,
    RecordType,
    Type,
    optional,
    required,
)
from amends.engine.values import from_json, to_text

PROOF = EnumType("proof", ("photo", "video"))
LINE = RecordType(
    "line",
    (("name", TEXT), ("price", MONEY), ("tries", INT), ("note", OptionalType(TEXT))),
    (("tries", 0),),
)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "type_", "value"),
    [
        (True, BOOL, True),
        (3, INT, 3),
        ("-3", INT, -3),
        (2**63 - 1, INT, 2**63 - 1),
        (-(2**63), INT, -(2**63)),
        (3, DECIMAL, Fraction(3)),
        ("0.25", DECIMAL, Fraction(1, 4)),
        (Decimal("0.25"), DECIMAL, Fraction(1, 4)),
        ("", TEXT, ""),
        ("2026-03-02T12:00:00Z", TIMESTAMP, NOON),
        (datetime(2026, 3, 2, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2))), TIMESTAMP, NOON),
        ("2026-03-02", DATE, date(2026, 3, 2)),
        (date(2026, 3, 2), DATE, date(2026, 3, 2)),
        ("90s", DURATION, timedelta(seconds=90)),
        ("1h30m", DURATION, timedelta(hours=1, minutes=30)),
        (timedelta(seconds=90, microseconds=7), DURATION, timedelta(seconds=90)),
        ("2 days", PERIOD, Period(2, "day")),
        (Period(2, "day"), PERIOD, Period(2, "day")),
        ("photo", PROOF, "photo"),
        ("5 EUR", MONEY, Money(Fraction(5), "EUR")),
        ("5", MONEY, Money(Fraction(5), "USD")),
        (5, MONEY, Money(Fraction(5), "USD")),
        (5, MoneyType("JPY"), Money(Fraction(5), "JPY")),
        (Money(Fraction(5), "EUR"), MONEY, Money(Fraction(5), "EUR")),
        ([], ListType(TEXT), ()),
        (("a", "b"), ListType(TEXT), ("a", "b")),
        ({"a": 1}, MapType(INT), {"a": 1}),
        ({"name": "x", "price": 1}, LINE, {"name": "x", "price": Money(Fraction(1), "USD"), "tries": 0}),
        (
            {"name": "x", "price": "1 EUR", "tries": 2, "note": None},
            LINE,
            {"name": "x", "price": Money(Fraction(1), "EUR"), "tries": 2},
        ),
        ("x", OptionalType(TEXT), "x"),
        (object, HOLE, object),
    ],
    ids=lambda value: str(value)[:40],
)
def test_data_of_a_type_is_read_as_its_value(data: Any, type_: Type, value: Any) -> None:
    read = read_literal(data, type_, currency="USD")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("data", "type_", "path", "message"),
    [
        (1, BOOL, (), "a value of type bool is due here, such as `true`"),
        ("true", BOOL, (), "a value of type bool is due here, such as `true`"),
        (True, INT, (), "a value of type int is due here, such as `3`"),
        ("3.0", INT, (), "a value of type int is due here, such as `3`"),
        (1.0, INT, (), "a value of type int is due here, such as `3`"),
        (2**63, INT, (), "a value of type int is due here, such as `3`"),
        (str(-(2**63) - 1), INT, (), "a value of type int is due here, such as `3`"),
        (True, DECIMAL, (), "a value of type decimal is due here, such as `0.25`"),
        (0.25, DECIMAL, (), "a value of type decimal is due here, such as `0.25`"),
        ("1e3", DECIMAL, (), "a value of type decimal is due here, such as `0.25`"),
        (1, TEXT, (), "a value of type text is due here, such as `some words`"),
        ("x" * (MAX_TEXT + 1), TEXT, (), "the text is longer than 100,000 characters"),
        (
            "soon",
            TIMESTAMP,
            (),
            "`soon` is not an instant with an offset, such as `2026-03-05T20:00:00-05:00`",
        ),
        (NOON.replace(tzinfo=None), TIMESTAMP, (), "the instant has no offset"),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            TIMESTAMP,
            (),
            "the instant lies outside the years 1 to 9999",
        ),
        (
            date(2026, 3, 2),
            TIMESTAMP,
            (),
            "a value of type timestamp is due here, such as `2026-03-05T20:00:00-05:00`",
        ),
        (NOON, DATE, (), "a value of type date is due here, such as `2026-03-05`"),
        ("tomorrow", DATE, (), "`tomorrow` is not a date such as `2026-03-05`"),
        ("90", DURATION, (), "`90` is not a duration such as `1h30m` or `90s`"),
        ("2 moons", PERIOD, (), "`2 moons` is not a period such as `30 days` or `2 business days`"),
        (
            Period(10**7, "day"),
            PERIOD,
            (),
            "`10000000 days` is not a period such as `30 days` or `2 business days`",
        ),
        (1, PROOF, (), "a text is due here, for it is a proof"),
        ("audio", PROOF, (), "`audio` is not a proof"),
        (True, MONEY, (), "an amount of money is due here, such as `12.50 USD`"),
        (1.5, MONEY, (), "an amount of money is due here, such as `12.50 USD`"),
        ("lots", MONEY, (), "`lots` is not an amount of money such as `12.50 USD`"),
        ("photo", ListType(PROOF), (), "a list is due here"),
        (["photo", "phoyo"], ListType(PROOF), (1,), "`phoyo` is not a proof"),
        (["a"] * 4, ListType(TEXT, limit=3), (), "the list has more than 3 items"),
        ([], MapType(INT), (), "a map is due here"),
        ({"a": "x"}, MapType(INT), ("a",), "a value of type int is due here, such as `3`"),
        ("x", LINE, (), "a map with the fields of line is due here"),
        ({"name": "x"}, LINE, (), "the field `price` of line is missing"),
        ({"name": None, "price": 1}, LINE, (), "the field `name` of line is missing"),
        ({"name": "x", "prise": 1}, LINE, ("prise",), "line has no field `prise`"),
        (
            [{"name": "x", "price": "?"}],
            ListType(LINE),
            (0, "price"),
            "`?` is not an amount of money such as `12.50 USD`",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_data_of_another_type_is_a_misfit_that_says_where(
    data: Any, type_: Type, path: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(Misfit) as raised:
        read_literal(data, type_, currency="USD", path=("here",))
    assert (raised.value.path, str(raised.value)) == (("here", *path), message)


@pytest.mark.parametrize(
    ("data", "type_", "hint"),
    [
        ("phoyo", PROOF, "did you mean `photo`?"),
        ({"name": "x", "prise": 1}, LINE, "did you mean `price`?"),
        ("audio", PROOF, "one of `photo`, `video`"),
    ],
)
def test_a_name_that_is_nearly_right_is_told(data: Any, type_: Type, hint: str) -> None:
    with pytest.raises(Misfit) as raised:
        read_literal(data, type_, currency="USD")
    assert raised.value.hint == hint


def test_an_amount_needs_a_currency_from_somewhere() -> None:
    for amount in (5, "5", Fraction(5), Decimal(5)):
        with pytest.raises(Misfit, match="names no currency"):
            read_literal(amount, MONEY)


def test_optional_twice_is_optional_once_and_required_is_the_type_inside() -> None:
    assert optional(optional(TEXT)) == optional(TEXT)
    assert required(optional(LINE)) is LINE
    assert required(TEXT) is TEXT


# --- data of a host -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "a float is never exact"),
        (float("nan"), "a float is never exact"),
        (Decimal("NaN"), "NaN is not a number"),
        (Decimal("Infinity"), "Infinity is not a number"),
        (Decimal("1E+999999999"), "the number has more than 40 digits"),
        (Decimal("1E-999999999"), "the number has more than 40 digits"),
        (10**40, "the number has more than 40 digits"),
        (-(10**5000), "the number has more than 40 digits"),
        (Fraction(1, 10**40), "the number has more than 40 digits"),
        (Money(1.5, "USD"), "a float is never exact"),  # type: ignore[arg-type] # what a host may do
        (Money(Fraction(1), "\ud800"), "half a character"),
        ("\ud800", "half a character"),
        ({"\ud800": 1}, "half a character"),
        ({1: "a", "1": "b"}, "two keys are written `1`"),
        (NOON.replace(tzinfo=None), "the instant has no offset"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "outside the years 1 to 9999"),
        (Period(-1, "day"), "is not a period"),
        (b"bytes", "bytes is not data"),
        ({1, 2}, "set is not data"),
        (object(), "object is not data"),
    ],
    ids=lambda value: f"{value.bit_length()} bits" if isinstance(value, int) else ascii(type(value).__name__),
)
@pytest.mark.parametrize("nested", [False, True])
def test_what_a_journal_cannot_hold_is_refused_with_its_path(
    value: Any, message: str, *, nested: bool
) -> None:
    with pytest.raises(Misfit, match=message) as raised:
        plain({"field": [value]} if nested else {"field": value})
    assert raised.value.path == (("field", 0) if nested else ("field",))


def test_half_a_character_in_a_name_is_refused() -> None:
    with pytest.raises(Misfit, match="half a character"):
        plain({"\udfff": 1})


def test_data_may_be_as_deep_as_is_said_and_no_deeper() -> None:
    data: Any = "x"
    for _ in range(MAX_DEPTH - 1):
        data = [data]
    plain({"deep": data})
    with pytest.raises(Misfit, match="nested more than 32 deep"):
        plain({"deep": [data]})


def test_numbers_dates_and_lists_are_taken_exactly() -> None:
    given_ = {
        "amount": Decimal("1.50"),
        "price": Money(Decimal("1.50"), "USD"),  # type: ignore[arg-type] # what a host may do
        "at": NOON.replace(microsecond=5),
        "took": timedelta(seconds=1, microseconds=5),
        7: ["a", {"b": None}],
    }
    assert plain(given_) == {  # type: ignore[arg-type] # likewise
        "amount": Fraction(3, 2),
        "price": Money(Fraction(3, 2), "USD"),
        "at": NOON,
        "took": timedelta(seconds=1),
        "7": ("a", {"b": None}),
    }


json_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.decimals()
    | st.timedeltas(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(st.characters(), max_size=3), json_data, max_size=3))
def test_whatever_a_host_sends_is_refused_or_can_be_written_and_read_again(data: Mapping[str, Any]) -> None:
    try:
        kept = plain(data)
    except Misfit:
        return
    assert from_json(json.loads(to_text(kept))) == kept
