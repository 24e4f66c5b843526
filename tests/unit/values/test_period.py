"""Periods: a count and a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.errors import InvalidValue
from amends.engine.period import UNITS, Period, Unit, parse_period


@given(st.integers(0, 999_999), st.sampled_from(UNITS))
def test_a_period_that_is_written_is_read_as_the_same_period(count: int, unit: Unit) -> None:
    assert parse_period(str(Period(count, unit))) == Period(count, unit)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1 day", "1 day"),
        ("1 days", "1 day"),
        ("2 day", "2 days"),
        ("3 calendar days", "3 days"),
        ("  4 weeks ", "4 weeks"),
        ("1 business day", "1 business day"),
        ("0 days", "0 days"),
    ],
)
def test_singular_and_plural_mean_the_same(text: str, written: str) -> None:
    assert str(parse_period(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "days",
        "2",
        "2days",
        "2  days",
        "-2 days",
        "+2 days",
        "2.5 days",
        "٢ days",
        "two days",
        "2 Days",
        "1000000 days",
        "2 businessdays",
        "2 working days",
        "2 days 3 hours",
        "2 dayss",
    ],
)
def test_what_is_not_a_period_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not a period"):
        parse_period(text)


@pytest.mark.parametrize("unit", UNITS)
def test_only_units_shorter_than_a_day_are_exact(unit: Unit) -> None:
    assert Period(2, unit).exact == unit.endswith(("second", "minute", "hour"))
