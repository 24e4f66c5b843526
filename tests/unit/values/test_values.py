"""Values and their canonical JSON: what is written is read back, and nothing else is read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.canonical import canonical
from amends.engine.errors import InvalidValue
from amends.engine.money import Money
from amends.engine.period import UNITS, Period
from amends.engine.values import (
    Sealed,
    Unknown,
    Window,
    from_json,
    in_order,
    instant_text,
    parse_date,
    parse_duration,
    parse_timestamp,
    to_text,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
instants = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.fractions(),
    texts,
    instants,
    st.dates(),
    st.timedeltas().map(lambda d: timedelta(days=d.days, seconds=d.seconds)),
    st.builds(Period, st.integers(0, 999_999), st.sampled_from(UNITS)),
    st.builds(Money, st.fractions(), st.sampled_from(["", "USD", "JPY"])),
    st.builds(Unknown, st.frozensets(texts, max_size=3)),
    st.builds(Sealed, st.text("0123456789abcdef", max_size=8)),
)
keys = texts | st.sampled_from(["$", "$int", "$sealed", "$map"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_value_that_is_written_as_json_is_read_as_the_same_value(value: Any) -> None:
    read = from_json(json.loads(to_text(value)))
    assert read == value
    assert type(read) is type(value)


@given(values)
def test_what_was_read_has_its_keys_in_the_order_of_the_journal(value: Any) -> None:
    read = from_json(json.loads(to_text(value)))
    assert json.dumps(read, default=to_text) == json.dumps(in_order(value), default=to_text)


@given(values)
def test_a_value_is_written_in_canonical_json(value: Any) -> None:
    assert to_text(value).encode() == canonical(json.loads(to_text(value)))


@given(st.integers())
def test_whole_numbers_decimals_and_truth_are_told_apart(number: int) -> None:
    assert to_text(number) == f'{{"$int":"{number}"}}'
    assert len({to_text(value) for value in (1, True, "1", Period(1, "day"))}) == 4


@pytest.mark.parametrize(
    "data",
    [
        1,
        1.5,
        {"$int": "x"},
        {"$int": None},
        {"$decimal": "1/0"},
        {"$money": 5},
        {"$money": "x USD"},
        {"$at": "yesterday"},
        {"$at": 7},
        {"$date": "2026-02-30"},
        {"$duration": "x"},
        {"$duration": "9" * 30 + "s"},
        {"$period": "2 moons"},
        {"$unknown": 5},
        {"$map": [["a"]]},
        {"$map": 5},
        {"$float": "1.5"},
    ],
    ids=str,
)
def test_json_that_no_value_was_written_as_is_refused(data: Any) -> None:
    with pytest.raises(InvalidValue, match="is not a stored"):
        from_json(data)


def test_what_is_not_a_value_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="float is not a value"):
        to_text(1.5)


# --- instants, dates, durations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-05T20:00:00-05:00", "2026-03-06T01:00:00Z"),
        ("2026-03-05T20:00:00Z", "2026-03-05T20:00:00Z"),
        ("2026-03-05t20:00:00z", "2026-03-05T20:00:00Z"),
        ("2026-03-05 20:00+07:00", "2026-03-05T13:00:00Z"),
        ("2026-03-05T20:00:00.999999999Z", "2026-03-05T20:00:00Z"),
        ("1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2026-03-05T20:00:00-00:00", "2026-03-05T20:00:00Z"),
    ],
)
def test_an_instant_is_read_in_utc_and_cut_to_the_second(text: str, utc: str) -> None:
    assert instant_text(parse_timestamp(text)) == utc


@given(instants)
def test_an_instant_that_is_written_is_read_as_the_same_instant(instant: datetime) -> None:
    text = instant_text(instant)
    assert len(text) == 20
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-03-05", "2026-03-05T20:00:00", "20:00Z", "2026-3-5T20:00:00Z", "2026-03-05T20Z", "now"),
        *("2026-03-05T24:00:00Z", "2026-03-05T20:60:00Z", "2026-03-05T20:00:60Z", "2026-02-29T00:00:00Z"),
        *("2026-03-05T20:00:00+01:75", "2026-03-05T20:00:00+24:00", "2026-03-05T20:00:00+0100"),
        *(
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-01:00",
            "2026-W10-4T20:00:00Z",
            "٢٠٢٦-03-05T20:00:00Z",
        ),
        *("2026-03-05T20:00:00Z ", "2026-03-05T20:00:00.Z", "2026-03-05T20:00:00 Z"),
    ],
)
def test_what_is_not_an_instant_of_the_calendar_with_its_offset_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"is not an instant|is not a date and time"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text", ["", "2026-3-05", "20260305", "2026-02-30", "2026-W10-4", "2026-064", "26-03-05", "٢٠٢٦-03-05"]
)
def test_what_is_not_a_day_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not a date"):
        parse_date(text)


def test_a_day_is_read_as_it_is_written() -> None:
    assert parse_date("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("+2m", 120),
        ("-90s", -90),
        ("-1h1m1s", -3661),
        ("2000ms", 2),
        ("0", 0),
        ("9223372036s", 9223372036),
    ],
)
def test_a_duration_is_written_in_hours_minutes_and_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "90", "s", "5 s", "1h 30m", "1d", "--5s", "٥s", "1e3s", "1234567890123456s"]
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.5s", "not a whole number of seconds"),
        ("1500ms", "not a whole"),
        ("9223372037s", "longer than 292 years"),
    ],
)
def test_a_duration_of_parts_of_a_second_or_of_centuries_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        parse_duration(text)


# --- windows ------------------------------------------------------------------------------------------------------------

MISSING = Unknown(frozenset({"start"}))
LATER = Unknown(frozenset({"end"}))


def at(second: int) -> datetime:
    return datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opens", "closes", "inside"),
    [
        (at(10), at(20), {9: False, 10: True, 20: True, 21: False}),
        (None, at(20), {9: True, 20: True, 21: False}),
        (at(10), None, {9: False, 10: True, 59: True}),
        (None, None, {0: True, 59: True}),
        (MISSING, at(20), {9: MISSING, 20: MISSING, 21: False}),
        (at(10), LATER, {9: False, 10: LATER, 59: LATER}),
        (MISSING, LATER, {0: MISSING | LATER}),
        (MISSING, None, {0: MISSING}),
        (None, LATER, {0: LATER}),
    ],
)
def test_a_window_holds_its_first_and_last_second_and_is_unknown_only_where_an_end_decides(
    opens: Any, closes: Any, inside: dict[int, bool | Unknown]
) -> None:
    window = Window(opens=opens, closes=closes)
    assert {second: window.contains(at(second)) for second in inside} == inside


def test_a_window_is_closed_when_its_last_second_is_over_and_not_before_it_opens() -> None:
    window = Window(opens=at(10), closes=at(20), early="too_early", late="too_late")
    assert [window.is_past(at(s)) for s in (9, 20, 21)] == [False, False, True]
    assert [window.reason(at(s)) for s in (9, 10, 20, 21)] == ["too_early", None, None, "too_late"]


def test_a_window_of_unknown_end_has_no_reason_to_be_late() -> None:
    assert Window(opens=at(10), closes=LATER, early="too_early", late="too_late").reason(at(30)) is None
