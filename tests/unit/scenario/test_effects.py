"""What is asked of the host at an instant, compared with what a scenario expects of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from amends.engine.case import PolicyRef
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.scenario.effects import are_among, asked_at, fits
from amends.engine.step import Effect, Open, Step

START = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)
REF = PolicyRef(name="desk", version="1", bundle="", model="")


def step(at: datetime, *kinds: str) -> Step:
    opening = Open(case_id="c", policy=REF, facts={}, recorded_at=at)
    effects = tuple(Effect(key=kind, kind=kind, data={"to": kind}) for kind in kinds)
    return Step(seq=0, at=at, input=opening, verdict="applied", effects=effects)


def test_only_what_was_asked_at_the_instant_itself_counts() -> None:
    second = timedelta(seconds=1)
    journal = [
        step(START - second, "early"),
        step(START, "one"),
        step(START, "two"),
        step(START + second, "late"),
    ]
    assert asked_at(journal, START) == ({"one": {"to": "one"}}, {"two": {"to": "two"}})
    assert asked_at(journal, START + 2 * second) == ()


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ([{"a": {}}], True),
        ([{"a": {}}, {"c": {}}], True),
        ([{"a": {"n": 1}}, {"a": {"n": 2}}], True),
        ([{"c": {}}, {"a": {}}], False),  # in this order
        ([{"a": {}}, {"a": {}}, {"a": {}}], False),  # as often
        ([{"d": {}}], False),
        ([{"a": {"m": 1}}], False),  # a field that is not there
        ([], False),  # nothing at all
    ],
)
def test_effects_are_claimed_in_their_order_and_as_often_as_they_are_listed(
    expected: Any, *, holds: bool
) -> None:
    asked = [{"a": {"n": 1}}, {"b": {}}, {"a": {"n": 2}}, {"c": {}}]
    assert are_among(expected, asked) is holds


def test_that_nothing_is_asked_holds_where_nothing_is() -> None:
    assert are_among([], [])
    assert not are_among([{"a": {}}], [])


@pytest.mark.parametrize(
    ("wanted", "actual", "same"),
    [
        ("12.50", Money(Fraction("12.5"), "EUR"), True),
        ("12.50 EUR", Money(Fraction("12.5"), "EUR"), True),
        ("12.50 USD", Money(Fraction("12.5"), "EUR"), False),
        ("12.51", Money(Fraction("12.5"), "EUR"), False),
        ("much", Money(Fraction("12.5"), "EUR"), False),
        ("2026-03-05T21:00:00+01:00", START, True),
        ("2026-03-05T20:00:01Z", START, False),
        ("2026-03-05", date(2026, 3, 5), True),
        ("2026-03-06", date(2026, 3, 5), False),
        ("2 business days", Period(2, "business day"), True),
        ("2 days", Period(2, "business day"), False),
        ("90s", timedelta(seconds=90), True),
        ("0.25", Fraction(1, 4), True),
        (Fraction(1, 4), Fraction(1, 4), True),
        ("a quarter", Fraction(1, 4), False),
        (True, True, True),
        (1, True, False),
        ("1", 1, False),
        (1, 1, True),
        (None, None, True),
        ("late", "late", True),
        (["a", "b"], ("a", "b"), True),
        (["a"], ("a", "b"), False),
        ("a", ("a",), False),
        ({"street": "x"}, {"street": "x", "city": "y"}, True),
        ("x", {"street": "x"}, False),
        ("anything", object(), False),
    ],
)
def test_a_text_is_read_as_the_value_that_it_is_compared_with(
    wanted: Any, actual: Any, *, same: bool
) -> None:
    assert fits(wanted, actual) is same
