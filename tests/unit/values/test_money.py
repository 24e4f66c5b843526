"""Money: exact until it is rounded, once, in the minor units of its currency."""

from __future__ import annotations

import copy
import pickle
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from fractions import Fraction
from operator import add, ge, gt, le, lt, sub

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.errors import InvalidValue, RuleError
from amends.engine.money import (
    ROUNDINGS,
    UNITS,
    Money,
    Rounding,
    decimal_text,
    exponent,
    in_units,
    parse_money,
)

ZERO = Money(Fraction(0), "")
amounts = st.fractions(min_value=-(10**9), max_value=10**9)
currencies = st.sampled_from(["USD", "JPY", "KWD", "CLF"])
moneys = st.builds(Money, amounts, currencies)


def money(text: str) -> Money:
    return parse_money(text)


# --- minor units --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("IDR", 2),
        ("JPY", 0),
        ("VND", 0),
        ("KRW", 0),
        ("KWD", 3),
        ("TND", 3),
        ("CLF", 4),
    ],
)
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize(
    ("written", "half_up", "half_even", "down", "up"),
    [
        ("0.125 USD", "0.13", "0.12", "0.12", "0.13"),
        ("0.135 USD", "0.14", "0.14", "0.13", "0.14"),
        ("0.121 USD", "0.12", "0.12", "0.12", "0.13"),
        ("0.129 USD", "0.13", "0.13", "0.12", "0.13"),
        ("0.12 USD", "0.12", "0.12", "0.12", "0.12"),
        ("2.5 JPY", "3", "2", "2", "3"),
        ("3.5 JPY", "4", "4", "3", "4"),
        ("0.0005 KWD", "0.001", "0.000", "0.000", "0.001"),
        ("-0.125 USD", "-0.13", "-0.12", "-0.12", "-0.13"),
        ("-0.121 USD", "-0.12", "-0.12", "-0.12", "-0.13"),
    ],
)
def test_rounding_modes_differ_where_they_should(
    written: str, half_up: str, half_even: str, down: str, up: str
) -> None:
    expected = dict(zip(ROUNDINGS, (half_up, half_even, down, up), strict=True))
    currency = written[-3:]
    assert {mode: str(money(written).rounded(mode)) for mode in ROUNDINGS} == {
        mode: f"{amount} {currency}" for mode, amount in expected.items()
    }


_OF_DECIMAL = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
}


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9),
    currencies,
)
def test_rounding_is_that_of_the_decimal_module(amount: Decimal, currency: str) -> None:
    for mode in ROUNDINGS:
        with localcontext(prec=40):
            expected = amount.quantize(Decimal(1).scaleb(-exponent(currency)), _OF_DECIMAL[mode])
        assert Money(Fraction(amount), currency).rounded(mode).amount == Fraction(expected)


@given(moneys, st.sampled_from(ROUNDINGS))
def test_rounding_moves_less_than_one_minor_unit_and_only_once(amount: Money, mode: Rounding) -> None:
    rounded = amount.rounded(mode)
    unit = Fraction(1, 10 ** exponent(amount.currency))
    assert abs(rounded.amount - amount.amount) < unit
    assert rounded.amount % unit == 0
    assert rounded.rounded(mode) == rounded


def test_half_up_is_the_mode_where_none_is_named() -> None:
    assert str(money("0.125 USD").rounded()) == "0.13 USD"


# --- arithmetic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operate", [add, sub, lt, le, gt, ge, Money.ratio])
def test_two_currencies_cannot_be_mixed(operate: object) -> None:
    with pytest.raises(RuleError, match=r"(USD and EUR|EUR and USD) cannot be mixed"):
        operate(money("1 USD"), money("1 EUR"))  # type: ignore[operator] # each of them is called


def test_a_zero_that_names_its_currency_is_not_money_of_another() -> None:
    with pytest.raises(RuleError, match="cannot be mixed"):
        money("0 USD") + money("1 EUR")


@given(moneys)
def test_zero_is_money_of_any_currency(amount: Money) -> None:
    assert ZERO + amount == amount + ZERO == amount - ZERO == amount
    assert ZERO - amount == -amount
    assert (amount > ZERO) == (amount.amount > 0)
    assert (amount <= ZERO) == (amount.amount <= 0)


@given(amounts, amounts)
def test_order_of_amounts_is_that_of_their_numbers(one: Fraction, other: Fraction) -> None:
    a, b = Money(one, "USD"), Money(other, "USD")
    assert (a < b, a <= b, a > b, a >= b) == (one < other, one <= other, one > other, one >= other)


@given(moneys, st.fractions(min_value=-1000, max_value=1000).filter(bool))
def test_dividing_undoes_multiplying_exactly(amount: Money, factor: Fraction) -> None:
    assert amount.times(factor).divided_by(factor) == amount
    assert amount.amount == 0 or amount.times(factor).ratio(amount) == factor


@pytest.mark.parametrize(
    "divide", [lambda m: m.divided_by(0), lambda m: m.ratio(ZERO), lambda m: m.ratio(money("0 USD"))]
)
def test_division_by_zero_is_an_error_of_the_rule(divide: object) -> None:
    with pytest.raises(RuleError, match="division by zero"):
        divide(money("1 USD"))  # type: ignore[operator] # each of them is called


# --- text ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "USD",
            "1,000 USD",
            "1_000 USD",
            "$5",
            "12.50USD",
            "12.50  USD",
            "12.5 usd",
            "12.5 US",
            "12. USD",
        ),
        *(
            ".5 USD",
            "1e3 USD",
            "+5 USD",
            "٣ USD",
            "nan USD",
            "1234567890123456789 USD",
            "0.1234567890123 USD",
        ),
        *("5 USD EUR", "5\nUSD"),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not an amount of money"):
        parse_money(text, "EUR")


def test_an_amount_without_a_currency_needs_one() -> None:
    assert parse_money("5", "EUR") == Money(Fraction(5), "EUR")
    with pytest.raises(InvalidValue, match="`5` names no currency"):
        parse_money("5")


def test_a_currency_that_is_named_wins_over_the_default() -> None:
    assert parse_money("5 USD", "EUR").currency == "USD"


@given(moneys)
def test_written_amounts_keep_the_digits_of_their_currency_and_more_where_they_need_them(
    amount: Money,
) -> None:
    rounded = amount.rounded()
    assert parse_money(str(rounded)) == rounded
    digits = str(rounded).partition(" ")[0].partition(".")[2]
    assert len(digits) == exponent(amount.currency)


@given(st.fractions())
def test_a_number_that_is_written_is_read_as_the_same_number(value: Fraction) -> None:
    assert Fraction(decimal_text(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_decimal_that_ends_is_written_without_a_fraction_bar(value: Decimal) -> None:
    text = decimal_text(Fraction(value))
    assert "/" not in text
    assert not ("." in text and text.endswith("0"))


# --- units ----------------------------------------------------------------------------------------------------


@given(moneys)
def test_an_amount_is_so_many_ten_thousandths_or_no_whole_number_of_them(amount: Money) -> None:
    found = in_units(amount)
    assert found == (amount.amount * UNITS if (amount.amount * UNITS).denominator == 1 else None)


@given(moneys, moneys)
def test_what_an_amount_remembers_is_no_part_of_its_value(one: Money, other: Money) -> None:
    before = (one == other, hash(one), repr(one), str(one))
    in_units(one)
    assert (one == other, hash(one), repr(one), str(one)) == before
    assert copy.copy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own bytes


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "CLF"])
def test_a_minor_unit_is_a_whole_number_of_units(currency: str) -> None:
    assert in_units(Money(Fraction(1, 10 ** exponent(currency)), currency)) is not None
