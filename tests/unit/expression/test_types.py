"""How literals take the type that is due, and what is converted: little, and never silently wrong."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from amends.engine.money import Money
from amends.engine.types import (
    BOOL,
    DECIMAL,
    INT,
    MONEY,
    TEXT,
    EnumType,
    ListType,
    MapType,
    MoneyType,
    OptionalType,
    Type,
)
from amends.engine.values import Unknown

KIND = EnumType("kind", ("novel", "atlas", "score"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1 + 1", "int"),
        ("1 + 1.5", "decimal"),
        ("tries * ratio", "decimal"),
        ("price * 2", "money"),
        ("2 * price", "money"),
        ("price / 3", "money"),
        ("price / fee", "decimal"),
        ("price - 0", "money"),
        ("-price", "money"),
        ("lent_at + wait", "timestamp"),
        ("wait + lent_at", "timestamp"),
        ("lent_at - wait", "timestamp"),
        ("now - lent_at", "duration"),
        ("date(lent_at)", "date"),
        ("claims.opens", "timestamp"),
        ("claims.reason", "reason"),
        ("name + kind", "text"),
        ("urgent ? kind : name", "text"),
        ("urgent ? 1 : 2.5", "decimal"),
        ("urgent ? price : 0", "money"),
        ("damage.kind", "kind"),
        ("damage.note", "text"),
        ("scores.a", "int"),
        ('scores["a"]', "int"),
        ("lines[0].price", "money"),
        ("verdict(lines[0]).share", "decimal"),
        ("tariff.owed", "bool"),
        ("line.price", "money"),
        ("[1, 2.5]", "list of decimal"),
        ("[[], [[1]]]", "list of list of list of int"),
        ("tags + []", "list of text"),
        ('[{}, {"a": 1}]', "list of map of int"),
        ("[kind, name]", "list of text"),
        ("lines.map(l, l.kind)", "list of kind"),
        ("lines.filter(l, l.price > fee)", "list of line"),
        ("lines.to_map(l, l.title, l.price)", "map of money"),
        ("scores.map(k, k)", "list of text"),
        ("scores.filter(k, true)", "list of text"),
        ("scores.transformList(k, v, v)", "list of int"),
        ("numbers.transformList(i, n, i * n)", "list of int"),
        ("min(1, 2.5)", "decimal"),
        ("lines.sum(l, l.price)", "money"),
        ("split(price, [1, 2])", "list of money"),
        ('part{id: "a", method: kind, amount: 0}', "part"),
    ],
)
def test_an_expression_has_the_type(text: str, name: str, library: Any) -> None:
    assert str(library.checked(text).type) == name


@pytest.mark.parametrize(
    ("text", "expect", "value"),
    [
        ("0", MONEY, Money(Fraction(0), "")),
        ("0", MoneyType("USD"), Money(Fraction(0), "")),
        ("3", DECIMAL, Fraction(3)),
        ("tries", DECIMAL, Fraction(2)),
        ('"novel"', KIND, "novel"),
        ('urgent ? "novel" : "atlas"', KIND, "atlas"),
        ('["novel", "score"]', ListType(KIND), ("novel", "score")),
        ("[]", ListType(KIND), ()),
        ("[1, 2]", ListType(DECIMAL), (Fraction(1), Fraction(2))),
        ('{"a": 1}', MapType(DECIMAL), {"a": Fraction(1)}),
        ("{}", MapType(MONEY), {}),
        ("kind", TEXT, "atlas"),
        ("numbers.map(n, 0)", ListType(MONEY), (Money(Fraction(0), ""),) * 3),
        ("true", OptionalType(BOOL), True),
    ],
)
def test_a_literal_takes_the_type_that_is_due(text: str, expect: Type, value: object, library: Any) -> None:
    checked = library.checked(text, expect)
    found = library.value(text, expect)
    assert (found, type(found)) == (value, type(value))
    assert str(checked.type) == str(expect).removeprefix("optional ")


def test_the_currency_of_an_amount_is_known_where_the_text_tells_it(library: Any) -> None:
    assert library.checked('money("5 USD") * 2').type == MoneyType("USD")
    assert library.checked("price * 2").type == MoneyType(None)
    assert library.checked("dollars + price").type == MoneyType("USD")
    assert library.checked("[dollars, price]").type == ListType(MoneyType(None))


def test_a_literal_inside_a_function_is_read_when_it_is_checked(library: Any) -> None:
    assert library.checked('money("5 USD")').root.value == Money(Fraction(5), "USD")


def test_an_int_and_a_decimal_compare(library: Any) -> None:
    assert library.value("tries == 2.0") is True
    assert library.value("ratio < 1") is True
    assert library.value("1 in [0.5, 1.0]") is True


def test_enum_values_compare_with_quoted_texts_however_they_are_nested(library: Any) -> None:
    assert library.value('kind == (urgent ? "novel" : "atlas")') is True
    assert library.value('kind in ["novel", "atlas"]') is True
    assert library.value('lines.exists(l, l.kind == "novel")') is True
    assert library.value('"atlas" in lines.map(l, l.kind)') is True
    assert library.value('kinds == ["novel"]') is True
    assert library.value('damage.kind == "score"', damage={"kind": "score"}) is True


def test_an_enum_value_is_a_text_where_text_is_due(library: Any) -> None:
    assert library.value('"shelf:" + kind') == "shelf:atlas"
    assert library.value('kind.startsWith("at")') is True
    assert library.value("kind == name") is False


def test_a_checked_tree_resolves_every_name_and_macro(library: Any) -> None:
    root = library.checked("lines.exists(l, l.price > fee)").root
    assert type(root).__name__ == "Loop"
    assert root.condition.overload == ">(money, money)"
    assert root.condition.arguments[0].of.slot == "l"
    assert root.condition.arguments[1].name == "fee"


def test_a_loops_variable_may_hide_a_name_and_no_other_loop(library: Any) -> None:
    assert library.value("numbers.exists(price, price == 3) && price > fee") is True
    assert library.value("numbers.map(n, numbers.filter(n, n == 3).size() * n)") == (3, 1, 2)
    assert library.value("[1, 2].map(n, [10].map(m, m + n)[0] + n)") == (12, 14)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("price > fee", {"price", "fee"}),
        ("damage.amount > price", {"damage.amount", "price"}),
        ("has(damage)", {"damage"}),
        ("claims.is_open", {"asked_at", "now"}),
        ("claims.closes == lent_at", {"asked_at", "lent_at"}),
        ("now > lent_at", {"now", "lent_at"}),
        ("late && half > 0", {"asked_at", "price"}),
        ("lines.all(l, l.price > 0)", {"lines", "lines.price"}),
        ("lines[0].title == name", {"lines", "name"}),
        ("verdict(lines[0]).owed", {"lines", "price"}),
        ("tariff.owed", {"kind"}),
        ("tries < most", {"tries"}),
        ("[1].all(price, price > 0)", set()),
    ],
)
def test_what_an_expression_reads_is_known(text: str, reads: set[str], library: Any) -> None:
    assert library.checked(text).reads == reads


def test_a_record_literal_leaves_out_an_optional_field_that_is_missing(library: Any) -> None:
    text = 'part{id: "a", method: "b", amount: fee, note: mark}'
    assert "note" not in library.value(text)
    assert library.value(text, mark="torn")["note"] == "torn"
    assert library.checked(text).may_miss == frozenset()
    assert isinstance(library.value('part{id: mark, method: "b", amount: fee}'), Unknown)
    assert library.checked(text).type.field("id") == TEXT
    assert library.checked("tries").type == INT
