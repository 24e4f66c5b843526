"""Reading `calendars` and `timezone` of a policy, and what is said of mistakes in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from amends.engine.calendar import Calendar
from amends.engine.case import PolicyRef
from amends.engine.compile import compile_policy
from amends.engine.diagnostics import Diagnostic
from amends.engine.document import read_text
from amends.engine.policy import CompiledPolicy
from amends.engine.schema import check_document

REST = """
amends: 1
policy: times
version: 1
facts: {place: text, land: [de, fr], tries: int, maybe: optional text, at: timestamp}
states: {open: {initial: true, on: {}}}
"""


def read(text: str) -> tuple[CompiledPolicy | None, tuple[Diagnostic, ...]]:
    node, _ = read_text(text + REST, "policy.yaml")
    assert node is not None
    ref = PolicyRef(name="times", version="1", bundle="", model="")
    holidays = {"XX": (frozenset({date(2026, 1, 1)}), date(2020, 1, 1), date(2030, 12, 31))}
    return compile_policy(node, ref, holidays, shapely=False)


def calendars(text: str) -> Mapping[str, Any]:
    policy, found = read(text)
    assert policy is not None, [item.message for item in found]
    node, _ = read_text(text + REST, "policy.yaml")
    assert node is not None
    assert check_document(node, "policy") == ()
    return policy.calendars


DAY = ((540, 1020),)


@pytest.mark.parametrize(
    ("hours", "week"),
    [
        ("09:00-17:00", (DAY, DAY, DAY, DAY, DAY, (), ())),
        ('["09:00-12:30", "13:00-16:00"]', ((((540, 750), (780, 960)),) * 5 + ((), ()))),
        ("{mon: 09:00-17:00, wed-fri: [09:00-17:00]}", (DAY, (), DAY, DAY, DAY, (), ())),
        ("00:00-24:00", ((((0, 1440),),) * 5 + ((), ()))),
        ("[09:00-12:00, 12:00-17:00]", ((((540, 720), (720, 1020)),) * 5 + ((), ()))),
    ],
)
def test_hours_are_the_same_on_every_business_day_or_told_by_the_day_of_the_week(
    hours: str, week: Any
) -> None:
    assert calendars(f"calendars: {{business: {{hours: {hours}}}}}")["business"].hours == week


def test_a_day_of_the_weekend_may_be_opened_by_a_weekend_that_does_not_name_it() -> None:
    found = calendars("calendars: {shop: {weekend: [sun], hours: {mon-fri: 09:00-17:00, sat: 10:00-14:00}}}")
    assert found["shop"].hours[5:] == (((600, 840),), ())


def test_a_calendar_may_have_hours_and_nothing_else_or_no_hours_at_all() -> None:
    found = calendars("calendars: {a: {hours: 09:00-17:00}, b: XX, c: [2026-12-25], d: {}}")
    assert [calendar.hours is None for calendar in found.values()] == [False, True, True, True]
    assert found["b"] == Calendar(
        name="b", holidays=frozenset({date(2026, 1, 1)}), first=date(2020, 1, 1), last=date(2030, 12, 31)
    )


Said = Callable[[str], list[str]]


def said(text: str) -> list[str]:
    _, found = read(text)
    return [
        f"{i.place.line}:{i.place.column} {i.code} {i.message}" + (f" / {i.hint}" if i.hint else "")
        for i in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "calendars: {a: {hours: 9-17}}",
            "1:24 AM106 `9-17` are not opening hours such as `09:00-17:00`",
        ),
        (
            "calendars: {a: {hours: 22:00-06:00}}",
            "1:24 AM106 `22:00-06:00` end before they begin / hours over midnight belong to two days: `22:00-24:00`, and `00:00-06:00` on the next",
        ),
        (
            "calendars: {a: {hours: 09:00-24:30}}",
            "1:24 AM106 `09:00-24:30` are not opening hours such as `09:00-17:00`",
        ),
        (
            "calendars: {a: {hours: [09:00-12:00, 11:00-17:00]}}",
            "1:38 AM106 `11:00-17:00` begins before the hours in front of it have ended",
        ),
        (
            "calendars: {a: {hours: {mon-fri: 09:00-17:00, sat: 10:00-14:00}}}",
            "1:47 AM106 `sat` is no business day of the calendar `a` / its `weekend` is `[sat, sun]` unless it says otherwise, such as `weekend: [sun]`",
        ),
        (
            "calendars: {a: {hours: {mon-fri: 09:00-17:00, fri: 10:00-14:00}}}",
            "1:47 AM106 the hours of `fri` are given twice",
        ),
        (
            "calendars: {a: {hours: {fri-mon: 09:00-17:00}}}",
            "1:25 AM106 `fri-mon` ends before it begins / a week begins on Monday: write `fri-sun` and `mon-mon`",
        ),
        (
            "calendars: {a: {hours: {mno: 09:00-17:00}}}",
            "1:25 AM104 there is no day of the week `mno` / did you mean `mon`?",
        ),
        ("calendars: {a: {hours: []}}", "1:24 AM106 the calendar `a` is never open"),
        (
            'calendars: {a: \'=place == "DE" ? "de" : "us"\', de: []}',
            "1:41 AM104 there is no calendar `us` / one of `a`, `de`",
        ),
        ("calendars: {a: =land, de: []}", "1:17 AM104 there is no calendar `fr` / one of `a`, `de`"),
        (
            "calendars: {de: []}\nmoments: {due: {after: at, within: 1 business day, calendar: =land}}",
            "2:63 AM104 there is no calendar `fr` / one of `de`",
        ),
        (
            "moments: {due: tries days after at}",
            '1:16 AM106 `tries days` is not a period such as `30 days` or `2 business days` / a number that is a value is multiplied: `wait: period("1 day") * tries` under `define`, and `wait` here',
        ),
        ("timezone: =land", "1:12 AM104 there is no time zone `de`"),
        ("calendars: {a: =maybe.size(), de: []}", "1:17 AM202 `text` is due here, and this is `int`"),
        (
            "calendars: {a: =plaice, de: []}",
            "1:17 AM104 nothing is declared under `plaice` / did you mean `place`?",
        ),
        (
            'calendars: {a: \'=now > at ? "de" : "a"\', de: []}',
            "1:16 AM207 a calendar cannot depend on the instant of asking / choose it by a fact or an event",
        ),
        (
            'calendars: {business: \'=due > at ? "de" : "de"\', de: []}\nmoments: {due: 2 business days after at}',
            "2:11 AM205 `due` is defined by itself: due → due",
        ),
        (
            "timezone: Europe/Berlim",
            "1:11 AM104 there is no time zone `Europe/Berlim` / did you mean `Europe/Berlin`?",
        ),
        (
            'timezone: \'=place == "DE" ? "Europe/Berlim" : place\'',
            "1:29 AM104 there is no time zone `Europe/Berlim` / did you mean `Europe/Berlin`?",
        ),
        (
            "timezone: '=due > at ? place : place'\nmoments: {due: 2 days after at}",
            "2:11 AM205 `due` is defined by itself: due → due",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place_with_its_remedy(text: str, expected: str) -> None:
    assert expected in said(text)


def test_what_an_enum_may_be_behind_a_condition_is_not_guessed() -> None:
    assert calendars('calendars: {a: \'=land == "fr" ? "de" : land\', de: []}').keys() == {"a", "de"}


# --- what moments read through them ----------------------------------------------------------------------------------------

TEXT = """
calendars: {business: '=place == "DE" ? "de" : "eu"', de: [], eu: '=maybe == "x" ? "de" : "de"'}
timezone: =place
moments:
  plain: {after: at, within: 2 days, timezone: UTC}
  zoned: 2 days after at
  business: {after: at, within: 2 business days, timezone: UTC}
  rolled: {after: at, within: 2 days, timezone: UTC, roll: next_business_day}
"""


def test_a_moment_reads_what_chooses_its_calendar_and_the_zone_of_the_case() -> None:
    policy, found = read(TEXT)
    assert policy is not None, found
    reads = {name: (set(moment.reads), set(moment.may_miss)) for name, moment in policy.moments.items()}
    assert reads == {
        "plain": ({"at"}, set()),
        "zoned": ({"at", "place"}, set()),
        "business": ({"at", "place", "maybe"}, {"maybe"}),
        "rolled": ({"at", "place", "maybe"}, {"maybe"}),
    }
