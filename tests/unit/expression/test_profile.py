"""The rules of the profile, one test each; tests/rules.yaml says which rule is shown where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType
from typing import Any

import pytest

from amends.engine.expression import evaluate
from amends.engine.literal import Misfit, read_literal
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.types import INT, ListType, MoneyType, Type
from amends.engine.values import parse_timestamp

# --- types --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("urgent", "bool", False),
        ("7", "int", 7),
        ("0.25", "decimal", Fraction(1, 4)),
        ("'Ada'", "text", "Ada"),
        ("timestamp('2026-03-01T10:00:00Z')", "timestamp", parse_timestamp("2026-03-01T10:00:00Z")),
        ("duration('36h')", "duration", timedelta(hours=36)),
        ("date('2026-03-02')", "date", date(2026, 3, 2)),
        ("period('2 business days')", "period", Period(2, "business day")),
        ("price", "money", Money(Fraction(20), "USD")),
        ("kind", "kind", "atlas"),
        ("[1, 2]", "list of int", (1, 2)),
        ("lines[0].title", "text", "Emma"),
        ("{'a': 1}", "map of int", {"a": 1}),
        ("limit", "int", None),
    ],
)
def test_every_type_of_the_profile_has_its_values(
    text: str, type_: str, value: Any, library: Any, missing: Any
) -> None:
    checked = library.checked(text)
    assert str(checked.type) == type_
    assert library.value(text) == (missing("limit") if value is None else value)


def test_a_window_is_a_type_of_the_profile(library: Any) -> None:
    assert str(library.checked("claims").type) == "window"


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775807 + tries",
        "-9223372036854775808 - tries",
        "4611686018427387904 * tries",
        "-(-9223372036854775808 + tries - tries)",
    ],
)
def test_an_int_has_64_bits_and_overflow_is_an_error_of_the_rule(text: str, library: Any) -> None:
    assert library.value("9223372036854775806 + 1") == 2**63 - 1
    assert "does not fit into 64 bits" in library.failure(text)


def test_a_number_with_a_point_is_an_exact_decimal(library: Any) -> None:
    assert library.value("0.1 + 0.2 == 0.3") is True
    assert library.value("1.0 / 3 * 3 == 1.0") is True
    assert str(library.checked("2.0").type) == "decimal"


def test_a_duration_is_exact_seconds(library: Any) -> None:
    assert library.value("duration('25h') == duration('90000s')") is True
    assert library.value("lent_at + duration('24h') - lent_at == duration('86400s')") is True


def test_the_keys_of_a_map_are_text(library: Any) -> None:
    (problem,) = library.problems("{1: 'a'}")
    assert problem.code == "AM202"
    assert problem.message == "the keys of a map are `text`, and this is `int`"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1e3 > tries", "floating-point numbers are not part of the profile"),
        ("double(tries) > 1", "`double` is not part of the profile"),
        ("b'Ada' == name", "bytes are not part of the profile"),
        ("bytes(name) == name", "`bytes` is not part of the profile"),
        ("tries == 5u", "unsigned numbers are not part of the profile"),
        ("uint(tries) == 5", "`uint` is not part of the profile"),
        ("dyn(tries) == 1", "`dyn` is not part of the profile"),
        ("mark == null", "`null` is not part of the profile"),
    ],
)
def test_there_is_no_double_bytes_uint_dyn_and_null(text: str, told: str, library: Any) -> None:
    assert library.problems(text)[0].message == told


# --- money --------------------------------------------------------------------------------------------------------------


def test_money_is_an_exact_rational_until_it_is_stored(library: Any) -> None:
    assert library.value("price / 3") == Money(Fraction(20, 3), "USD")
    assert library.value("price / 3 * 3 == price") is True


def test_mixing_currencies_is_a_type_error_where_both_are_known(library: Any) -> None:
    assert library.problems("dollars + euros > 0")[0].message == "USD and EUR cannot be mixed"
    assert library.problems('dollars < money("5 EUR")')[0].code == "AM202"


def test_mixing_currencies_that_only_the_case_knows_is_an_error_of_the_rule(library: Any) -> None:
    assert library.failure("price + euros > 0") == "USD and EUR cannot be mixed in `price + euros`"


def test_zero_without_a_currency_is_money_of_any(library: Any) -> None:
    assert library.value("price > 0 && euros > 0 && dollars > 0") is True
    # Also where the policy has one: a case may be in another.
    assert library.value("0", MoneyType("USD")) == Money(Fraction(0), "")


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("price * ratio", "money"),
        ("ratio * price", "money"),
        ("price * 2", "money"),
        ("price / 2", "money"),
        ("price / ratio", "money"),
        ("price / fee", "decimal"),
    ],
)
def test_money_times_or_by_a_number_is_money_and_money_by_money_is_a_decimal(
    text: str, type_: str, library: Any
) -> None:
    assert str(library.checked(text).type) == type_


def test_money_and_period_make_literals_in_expressions(library: Any) -> None:
    assert library.value('money("100 USD")') == Money(Fraction(100), "USD")
    assert library.value('period("3 days")') == Period(3, "day")


def test_to_map_makes_a_map_by_key_and_value(library: Any) -> None:
    assert library.value("lines.to_map(l, l.title, l.price)") == {
        "Emma": Money(Fraction(8), "USD"),
        "Alps": Money(Fraction(12), "USD"),
    }
    assert str(library.checked("lines.to_map(l, l.title, l.price)").type) == "map of money"


# --- conditions may be unknown, values may not --------------------------------------------------------------------------


def test_a_missing_optional_fact_is_unknown(library: Any, missing: Any) -> None:
    assert library.value("limit") == missing("limit")
    assert library.value("damage.amount") == missing("damage")


@pytest.mark.parametrize(
    "text",
    [
        "limit == 2",
        "limit != 2",
        "limit < 2",
        "limit >= 2",
        "limit in numbers",
        "2 in [limit]",
        "limit + 1",
        "2 * limit",
        "-limit",
    ],
)
def test_equality_order_in_and_arithmetic_on_unknown_are_unknown(
    text: str, library: Any, missing: Any
) -> None:
    assert library.value(text) == missing("limit")


def test_has_takes_a_bare_fact_and_a_path(library: Any) -> None:
    assert library.value("has(limit)") is False
    assert library.value("has(limit)", limit=2) is True
    assert library.value("has(damage.note)") is False


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("1 / (tries - 2) > 0", "division by zero"),
        ("9223372036854775807 + tries > 0", "does not fit into 64 bits"),
        ("scores.c > 0", "there is no key `c`"),
    ],
)
def test_division_by_zero_overflow_and_a_missing_key_are_errors_of_the_rule_and_not_unknown(
    text: str, failure: str, library: Any
) -> None:
    assert failure in library.failure(text)


@pytest.mark.parametrize("error", ["1 / (tries - 2) > 0", "scores.c > 0"])
def test_and_and_or_absorb_errors_as_cels_do(error: str, library: Any) -> None:
    assert library.value(f"{error} || true") is True
    assert library.value(f"true || {error}") is True
    assert library.value(f"{error} && false") is False
    assert library.value(f"false && {error}") is False


# --- windows ------------------------------------------------------------------------------------------------------------


def test_the_ends_of_a_window_are_timestamps(library: Any) -> None:
    asked_at = parse_timestamp("2026-03-04T12:00:00Z")
    assert library.value("claims.opens", asked_at=asked_at) == asked_at
    assert library.value("claims.closes", asked_at=asked_at) == parse_timestamp("2026-03-07T12:00:00Z")
    assert (
        str(library.checked("claims.opens").type) == str(library.checked("claims.closes").type) == "timestamp"
    )


@pytest.mark.parametrize(
    ("asked_at", "reason"), [("2026-03-06T12:00:00Z", "too_early"), ("2026-03-01T12:00:00Z", "too_late")]
)
def test_the_reason_of_a_window_is_the_early_or_late_one_that_applies(
    asked_at: str, reason: str, library: Any
) -> None:
    assert library.value("claims.reason", asked_at=parse_timestamp(asked_at)) == reason


# --- what is made of the text -------------------------------------------------------------------------------------------


def parts(value: Any) -> Iterator[Any]:
    """Yield everything that a tree of records is made of."""
    yield value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            yield from parts(getattr(value, item.name))
    elif isinstance(value, tuple | list | frozenset):
        for each in value:
            yield from parts(each)
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from parts(each)


def test_the_checked_tree_is_plain_data(library: Any) -> None:
    root = library.checked(
        'lines.exists(l, l.price > fee && l.kind == "novel") || verdict(lines[0]).owed'
    ).root
    plain = (str, int, bool, float, Fraction, type(None), tuple, list, dict, frozenset, Enum, Type)
    for part in parts(root):
        assert dataclasses.is_dataclass(part) or isinstance(part, plain), part
        assert not isinstance(part, FunctionType | BuiltinFunctionType), part


def test_the_checked_tree_keeps_where_each_part_stands(library: Any) -> None:
    text = 'price > fee && kind == "novel"'
    root = library.checked(text).root
    spans = {
        text[part.start : part.end] for part in parts(root) if hasattr(part, "start") and hasattr(part, "end")
    }
    assert {text, "price > fee", "price", 'kind == "novel"', '"novel"'} <= spans


def test_a_table_is_asked_as_a_rule_by_its_name(library: Any) -> None:
    assert library.value("tariff.share") == Fraction(1, 2)
    assert library.value("verdict(lines[0]).owed && !verdict(lines[1]).owed") is True


@pytest.mark.parametrize(
    "text",
    [
        "name.__class__ == name",
        "price.amount > 1",
        "lent_at.tzinfo == name",
        "lines.__len__() > 1",
        "numbers.count > 1",
        "name.upper() == name",
    ],
)
def test_no_attribute_of_what_a_value_is_made_of_can_be_reached(text: str, library: Any) -> None:
    assert {problem.code for problem in library.problems(text)} <= {"AM104", "AM201", "AM202", "AM206"}
    assert library.problems(text) != ()


def test_a_list_holds_no_more_items_than_its_type_may() -> None:
    type_ = ListType(INT)
    assert len(read_literal([1] * type_.limit, type_)) == type_.limit
    with pytest.raises(Misfit, match="the list has more than"):
        read_literal([1] * (type_.limit + 1), type_)


def test_a_loop_turns_no_more_often_than_its_list_is_long(library: Any) -> None:
    checked = library.checked("numbers.map(n, n)")
    assert len(evaluate(checked, library.env(numbers=(1,) * 50))) == 50
