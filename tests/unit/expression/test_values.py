"""What operators and functions compute, and every way in which they fail."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from amends.engine.expression import OVERLOADS
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.values import Unknown, parse_timestamp


def usd(amount: str | int) -> Money:
    return Money(Fraction(amount), "USD")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # numbers
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7 % -2", 1),
        ("7.0 / 2", Fraction(7, 2)),
        ("1.0 / 3 * 3 == 1.0", True),
        ("0.1 + 0.2 == 0.3", True),
        ("-ratio", Fraction(-1, 4)),
        ("abs(-3)", 3),
        ("abs(-0.5)", Fraction(1, 2)),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(2.4)", 2),
        ("int(2.9)", 2),
        ("int(-2.9)", -2),
        ("int('-12')", -12),
        ("decimal('12.50')", Fraction(25, 2)),
        ("decimal(3)", Fraction(3)),
        ("decimal(ratio)", Fraction(1, 4)),
        ("int(decimal('7'))", 7),
        ("min(3, 2)", 2),
        ("max(3, 2.5)", Fraction(3)),
        ("numbers.min()", 1),
        ("max(numbers)", 3),
        ("numbers.sum()", 6),
        ("sum([0.5, 1])", Fraction(3, 2)),
        # money
        ("price + fee", usd("22.50")),
        ("price - fee * 2", usd(15)),
        ("price * ratio", usd(5)),
        ("ratio * price", usd(5)),
        ("price / 3 * 3 == price", True),
        ("price / fee", Fraction(8)),
        ("price / 0.5", usd(40)),
        ("-price < 0", True),
        ("0 < price", True),
        ("price - price == 0", True),
        ("price != 0", True),
        ("abs(fee - price)", usd("17.50")),
        ("max(fee, 0)", usd("2.50")),
        ("min(price, fee)", usd("2.50")),
        ("[price, fee].max()", usd(20)),
        ("[price, 0].sum()", usd(20)),
        ("lines.sum(l, l.price)", usd(20)),
        ("lines.filter(l, false).sum(l, l.price) == 0", True),
        ('money("12.50 " + "USD")', usd("12.50")),
        ('price == money("20.0 USD")', True),
        ("euros in [euros]", True),
        ("round(money('10.005 USD'))", usd("10.01")),
        ("round(-money('10.005 USD')) + money('10.01 USD') == 0", True),
        ("round(money('1000.5 JPY')) == money('1000.5 JPY')", False),
        ("round(money('3.001 KWD')) == money('3.001 KWD')", True),
        # texts
        ("name + '!'", "Ada!"),
        ("name.size() + size(tags) + size(scores)", 7),
        ("name.contains('d') && name.startsWith('A') && name.endsWith('a')", True),
        ("name.matches('^A.a$') && matches(name, 'd')", True),
        ("'a' < 'b'", True),
        ("string(true) + string(1) + string(1.50) + string('x')", "true11.5x"),
        ("string(price)", "20.00 USD"),
        ("string(grace)", "3 days"),
        ("string(day)", "2026-03-02"),
        ("string(lent_at)", "2026-03-01T10:00:00Z"),
        ("string(wait)", "129600s"),
        ("bool('1') && bool(true)", True),
        # time
        ("lent_at + wait", parse_timestamp("2026-03-02T22:00:00Z")),
        ("wait + lent_at == lent_at + wait", True),
        ("lent_at - wait", parse_timestamp("2026-02-27T22:00:00Z")),
        ("now - lent_at", timedelta(days=4, hours=2)),
        ("wait + wait - wait == wait", True),
        ("[wait, wait].sum()", timedelta(hours=72)),
        ("wait > duration('35h59m59s')", True),
        ("duration('-1h') < duration('0')", True),
        ("duration(wait) == wait && timestamp(lent_at) == lent_at", True),
        ("timestamp(0)", parse_timestamp("1970-01-01T00:00:00Z")),
        ("int(lent_at)", 1772359200),
        ("lent_at.getHours()", 10),
        ("lent_at.getHours('America/New_York')", 5),
        ("lent_at.getMinutes('+05:45')", 45),
        ("lent_at.getDate() - lent_at.getDayOfMonth()", 1),
        ("lent_at.getMonth()", 2),
        ("lent_at.getFullYear('-11:00')", 2026),
        ("lent_at.getDayOfYear()", 59),
        ("lent_at.getDayOfWeek()", 0),
        ("lent_at.getSeconds() + lent_at.getMilliseconds()", 0),
        ("wait.getHours()", 36),
        ("duration('-90m').getHours()", -1),
        ("wait.getMinutes() + wait.getSeconds()", 131760),
        ("wait.getMilliseconds()", 0),
        ("day > date('2026-03-01')", True),
        ("date(timestamp('2026-03-02T04:59:59Z'))", date(2026, 3, 1)),
        ("date(timestamp('2026-03-02T05:00:00Z')) == day", True),
        ("day - date('2026-02-27')", 3),
        ("day.getFullYear() * 100 + day.getMonth()", 202602),
        ("day.getDate() + day.getDayOfMonth() + day.getDayOfWeek()", 2 + 1 + 1),
        ("date('2024-12-31').getDayOfYear()", 365),
        ("date('2024-02-28') - date('2024-03-01')", -2),
        ("grace == period('3 days')", True),
        ("grace * tries", Period(6, "day")),
        ("0 * grace", Period(0, "day")),
        ("period('2 business days')", Period(2, "business day")),
        # lists, maps, records
        ("tags + ['new']", ("old", "rare", "new")),
        ("'rare' in tags && !('new' in tags)", True),
        ("'a' in scores && !('c' in scores)", True),
        ("scores.a + scores['b']", 1),
        ("tags == ['old', 'rare']", True),
        ("[tags] != [['old']]", True),
        ("scores == {'b': 0, 'a': 1}", True),
        ("lines[0] == lines[0] && lines[0] != lines[1]", True),
        ("verdict(lines[0]).owed && !verdict(lines[1]).owed", True),
        ("tariff.share", Fraction(1, 2)),
        ("[[1, 2], [3]][0][1]", 2),
    ],
)
def test_it_is_computed(text: str, value: object, library: Any) -> None:
    found = library.value(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("9223372036854775807 + tries", "the result does not fit into 64 bits in `9223372036854775807 + tries`"),
        ("-9223372036854775808 - tries", "the result does not fit into 64 bits in `-9223372036854775808 - tries`"),
        ("9223372036854775807 * tries", "the result does not fit into 64 bits in `9223372036854775807 * tries`"),
        ("-9223372036854775808 / (1 - tries)", "the result does not fit into 64 bits in `-9223372036854775808 / (1 - tries)`"),
        ("-(tries - 9223372036854775807 - 3)", "the result does not fit into 64 bits in `-(tries - 9223372036854775807 - 3)`"),
        ("abs(-9223372036854775808)", "the result does not fit into 64 bits in `abs(-9223372036854775808)`"),
        ("int('922337203685477580' + '8')", "the result does not fit into 64 bits in `int('922337203685477580' + '8')`"),
        ("int(9223372036854775808.0)", "the result does not fit into 64 bits in `int(9223372036854775808.0)`"),
        ("1 / (tries - 2)", "division by zero in `1 / (tries - 2)`"),
        ("1 % 0", "division by zero in `1 % 0`"),
        ("1.5 / 0", "division by zero in `1.5 / 0`"),
        ("price / 0", "division by zero in `price / 0`"),
        ("price / (fee - fee)", "division by zero in `price / (fee - fee)`"),
        ("price + euros > 0", "USD and EUR cannot be mixed in `price + euros`"),
        ("price < euros", "USD and EUR cannot be mixed in `price < euros`"),
        ("price == euros", "USD and EUR cannot be mixed in `price == euros`"),
        ("price in [euros]", "USD and EUR cannot be mixed in `price in [euros]`"),
        ("max(price, euros)", "USD and EUR cannot be mixed in `max(price, euros)`"),
        ("[price, euros].sum()", "USD and EUR cannot be mixed in `[price, euros].sum()`"),
        ("[price, euros].sum(p, p * 2)", "USD and EUR cannot be mixed in `[price, euros].sum(p, p * 2)`"),
        ("price / euros", "USD and EUR cannot be mixed in `price / euros`"),
        ("scores.c", "there is no key `c` in `scores.c`"),
        ("scores[name]", "there is no key `Ada` in `scores[name]`"),
        ("tags[2]", "there is no item 2 in a list of 2 in `tags[2]`"),
        ("tags[-1]", "there is no item -1 in a list of 2 in `tags[-1]`"),
        ("lines.filter(l, false).map(l, l.price).max()", "an empty list has no least and no greatest item in `lines.filter(l, false).map(l, l.price).max()`"),
        ("int(name)", "`Ada` is not a whole number in `int(name)`"),
        ("bool(name)", "`Ada` is neither `true` nor `false` in `bool(name)`"),
        ("decimal(name)", "`Ada` is not a number such as `12.50` in `decimal(name)`"),
        ("money(name)", "`Ada` is not an amount of money such as `12.50 USD` in `money(name)`"),
        ("name.matches(name + '(')", "`Ada(` is not a regular expression (RE2) in `name.matches(name + '(')`"),
        ("lent_at.getHours('Mars/' + name)", "`Mars/Ada` is not a time zone such as `America/New_York` in `lent_at.getHours('Mars/' + name)`"),
        ("lent_at.getHours('+25' + ':00')", "`+25:00` is not an offset such as `+07:00` in `lent_at.getHours('+25' + ':00')`"),
        ("timestamp('9999-12-31T23:59:59Z') + wait", "the instant lies outside the years 1 to 9999 in `timestamp('9999-12-31T23:59:59Z') + wait`"),
        ("timestamp('0001-01-01T00:00:00Z').getHours('-01:00')", "the instant lies outside the years 1 to 9999 in `timestamp('0001-01-01T00:00:00Z').getHours('-01:00')`"),
        ("timestamp(253402300800 + tries - 2)", "the instant lies outside the years 1 to 9999 in `timestamp(253402300800 + tries - 2)`"),
        ("timestamp('9999-12-31T00:00:00Z') - lent_at > wait", "the duration is longer than 292 years in `timestamp('9999-12-31T00:00:00Z') - lent_at`"),
        ("duration('2562040h') + wait", "the duration is longer than 292 years in `duration('2562040h') + wait`"),
        ("grace * -tries", "-6 is no length of a period: from 0 to 999999 in `grace * -tries`"),
        ("grace * 333334", "1000002 is no length of a period: from 0 to 999999 in `grace * 333334`"),
        ("tags.to_map(t, 'k', t)", "the key `k` comes twice in `tags.to_map(t, 'k', t)`"),
        ("{name: 1, 'Ada': 2}", "the key `Ada` comes twice in `{name: 1, 'Ada': 2}`"),
        ("always.opens", "the window has no beginning in `always.opens`"),
        ("always.closes", "the window has no end in `always.closes`"),
        ("always.reason", "the window gives no reason at this instant in `always.reason`"),
        ("1 + [1, 0].map(n, 1 / n)[0]", "division by zero in `1 / n`"),
    ],
)  # fmt: skip
def test_it_fails_and_says_in_which_part(text: str, failure: str, library: Any) -> None:
    assert library.failure(text) == failure


def test_zero_of_no_currency_is_money_of_any(library: Any) -> None:
    nothing = Money(Fraction(0), "")
    assert library.value("price + fee", fee=nothing) == usd(20)
    assert library.value("fee == 0 && fee < price", fee=nothing) is True
    assert library.value("fee == euros", fee=nothing) is False


def test_a_number_that_feeds_on_itself_ends(library: Any) -> None:
    assert library.failure("ratio * ratio", ratio=Fraction(1, 3**2000)).startswith(
        "the result has too many digits"
    )


def test_a_text_or_list_that_grows_ends(library: Any) -> None:
    assert library.failure("name + name", name="a" * 60_000).startswith("the text is longer than")
    assert library.failure("tags + tags", tags=("a",) * 60_000).startswith("the list is longer than")


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("2026-03-05T12:00:01Z", {"open": False, "closed": False, "reason": "too_early"}),
        ("2026-03-05T12:00:00Z", {"open": True, "closed": False, "reason": None}),
        ("2026-03-02T12:00:00Z", {"open": True, "closed": False, "reason": None}),
        ("2026-03-02T11:59:59Z", {"open": False, "closed": True, "reason": "too_late"}),
    ],
)
def test_a_window_is_asked_about_the_steps_instant(asked: str, value: dict[str, Any], library: Any) -> None:
    facts = {"asked_at": parse_timestamp(asked)}
    assert library.value("claims.is_open", **facts) is value["open"]
    assert library.value("claims.is_closed", **facts) is value["closed"]
    assert library.value("has(claims.reason)", **facts) is (value["reason"] is not None)
    if value["reason"]:
        assert library.value("claims.reason", **facts) == value["reason"]


def test_another_instant_may_be_in_a_window(library: Any) -> None:
    facts = {"asked_at": parse_timestamp("2026-02-27T12:00:00Z")}
    assert library.value("lent_at in claims", **facts) is True
    assert library.value("claims.is_open", **facts) is False
    assert library.value("claims.closes", **facts) == parse_timestamp("2026-03-02T12:00:00Z")
    assert library.value("lent_at in always") is True


def test_a_window_is_unknown_while_its_moments_are_missing(library: Any, missing: Any) -> None:
    for text in ("claims.is_open", "claims.is_closed", "claims.opens", "claims.reason", "lent_at in claims"):
        assert library.value(text) == missing("asked_at")


# --- sharing out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("split(price, [1, 1, 1])", ["6.66", "6.66", "6.68"]),
        ("split(price, [price, fee])", ["17.77", "2.23"]),
        ("split(price, [0.5, 0])", ["20.00", "0.00"]),
        ("split(price, [1, 1], [price, fee])", ["17.50", "2.50"]),
        ("split(price, [1, 1, 1], [price, price, fee])", ["6.66", "10.84", "2.50"]),
        ("split(fee * 0, [0, 0])", ["0.00", "0.00"]),
        ("split(0, [price, fee])", ["0.00", "0.00"]),
        ("split(fee / 3, [1, 1])", ["0.41", "0.42"]),
    ],
)
def test_the_remainder_goes_on_the_last_part_that_has_room(text: str, parts: list[str], library: Any) -> None:
    assert [str(part.rounded()) for part in library.value(text)] == [f"{part} USD" for part in parts]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("split(price, [1, 1], [fee, fee])", "the parts have no room for 20.00 USD"),
        ("split(price, [0, 0])", "no part has any weight"),
        ("split(price, numbers.filter(n, false))", "no part has any weight"),
        ("split(-price, [1])", "a negative amount cannot be shared out"),
        ("split(price, [-1, 2])", "a negative amount cannot be shared out"),
        ("split(price, [1, 1], [fee])", "there are 2 weights and 1 caps"),
        ("split(price, [1, 1], [fee, euros])", "USD and EUR cannot be mixed"),
    ],
)
def test_what_cannot_be_shared_out_fails(text: str, failure: str, library: Any) -> None:
    assert library.failure(text) == f"{failure} in `{text}`"


def test_a_currency_without_cents_is_shared_out_in_whole_units(library: Any) -> None:
    parts = library.value("split(price, [1, 1, 1])", price=Money(Fraction(100), "JPY"))
    assert [str(part) for part in parts] == ["33 JPY", "33 JPY", "34 JPY"]


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_row_is_found_by_its_own_name() -> None:
    for key, row in OVERLOADS.items():
        assert row.id == key
        assert str(row)


def test_a_window_row_may_answer_unknown(library: Any) -> None:
    assert isinstance(library.value("asked_at in claims"), Unknown)
