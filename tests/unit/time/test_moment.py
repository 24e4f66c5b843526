"""What moments come to, over data: moments.yaml, and every deadline of four real programmes (calc.yaml)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.calendar import Calendar, zone
from amends.engine.errors import RuleError
from amends.engine.moment import Finished, closing, evaluate_moment, opening
from amends.engine.values import Unknown, parse_timestamp

DATA = Path(__file__).parent
MOMENTS: dict[str, Any] = yaml.safe_load((DATA / "moments.yaml").read_text("utf-8"))
CALC: dict[str, Any] = yaml.safe_load((DATA / "calc.yaml").read_text("utf-8"))
ROWS = [
    pytest.param(row, id=f"{claim}: {row['moment']}")
    for claim, rows in MOMENTS["rows"].items()
    for row in rows
]


def declare(read: Any, names: Any) -> None:
    for name, text in MOMENTS["moments"].items():
        names.moments[name], problems = read(text)
        assert problems == ()


@pytest.mark.parametrize("row", ROWS)
def test_a_moment_comes_to_what_its_row_says(
    row: dict[str, Any], read: Any, names: Any, world: Callable[..., Any]
) -> None:
    declare(read, names)
    moment, problems = read(as_yaml(str(row["moment"])))
    assert problems == ()
    env = world(MOMENTS["facts"], row.get("zone", "America/New_York"))
    if "fails" in row:
        with pytest.raises(RuleError) as caught:
            evaluate_moment(moment, env)
        assert str(caught.value) == row["fails"]
        return
    found = evaluate_moment(moment, env)
    if "missing" in row:
        assert found == Unknown(frozenset(row["missing"]))
        assert found.missing <= moment.may_miss
        return
    assert isinstance(found, Finished)
    assert told(closing(found), env.zone, row["at"]) == row["at"]
    assert told(opening(found), env.zone, row["at"]) == row.get("opens", row["at"])
    assert found.whole_day is ("opens" in row)
    assert found.counted.unit == row.get("keeps", "seconds")
    assert moment.whole_day in (None, found.whole_day)


def as_yaml(text: str) -> str:
    """Return a moment as it stands in a policy; texts that YAML would read otherwise are quoted."""
    return (
        text
        if text.startswith("{") or not re.search(r"[:{}\[\],#\"]", text)
        else yaml.dump(text, width=1000).strip()
    )


def told(instant: datetime, rules: Any, like: str) -> str:
    """Return local time, with its offset where the expectation has one."""
    return instant.astimezone(rules).isoformat()[: len(like)]


def test_missing_facts_are_named_though_they_would_not_be_reached(
    read: Any, world: Callable[..., Any]
) -> None:
    moment, _ = read("{later_of: [grace after shipped_at, leaves_on]}")
    assert evaluate_moment(moment, world({})) == Unknown(frozenset({"grace", "shipped_at", "leaves_on"}))


@pytest.mark.parametrize(
    ("text", "reads", "may_miss"),
    [
        ("30 days after ordered_at", {"ordered_at"}, set()),
        ("grace after claim.at", {"grace", "claim.at"}, {"grace"}),
        ("return_period after delivered_at", {"delivered_at"}, {"delivered_at"}),
        ("1 day after possession", {"delivered_at"}, {"delivered_at"}),
        ("{later_of: [ordered_at, shipped_at]}", {"ordered_at", "shipped_at"}, {"shipped_at"}),
        ('{later_of: [ordered_at, "shipped_at, if any"]}', {"ordered_at", "shipped_at"}, set()),
        ('{later_of: ["shipped_at, if any"]}', {"shipped_at"}, {"shipped_at"}),
        ("{earlier_of: [ordered_at, shipped_at]}", {"ordered_at", "shipped_at"}, set()),
        (
            "{earlier_of: [delivered_at, shipped_at]}",
            {"delivered_at", "shipped_at"},
            {"delivered_at", "shipped_at"},
        ),
        (
            "{after: ordered_at, within: 1 business day, calendar: =calendar_name, timezone: =zone_name}",
            {"ordered_at", "calendar_name", "zone_name"},
            {"calendar_name"},
        ),
    ],
)
def test_a_moment_tells_what_it_reads_and_what_it_may_miss(
    text: str, reads: set[str], may_miss: set[str], read: Any, names: Any
) -> None:
    declare(read, names)
    moment, problems = read(text)
    assert problems == ()
    assert (moment.reads, moment.may_miss) == (reads, may_miss)


@pytest.mark.parametrize(
    ("whole_day", "texts"),
    [
        (
            True,
            [
                *(
                    "30 days after ordered_at",
                    "end of day 2 hours after ordered_at",
                    "two_days after ordered_at",
                ),
                *("check_in", "{later_of: [2 days after ordered_at, check_in]}"),
            ],
        ),
        (
            False,
            [
                *(
                    "2 hours after ordered_at",
                    "exactly 2 days after ordered_at",
                    "answer_within after ordered_at",
                ),
                *("start of day 2 days after ordered_at", "ordered_at"),
                "{later_of: [2 days after ordered_at, ordered_at], ends: same_time}",
            ],
        ),
        (None, ["review_time after ordered_at", "{later_of: [2 days after ordered_at, ordered_at]}"]),
    ],
)
def test_a_moment_tells_whether_it_is_a_whole_day_as_far_as_the_policy_knows(
    *, whole_day: bool | None, texts: list[str], read: Any
) -> None:
    for text in texts:
        moment, problems = read(text)
        assert problems == ()
        assert moment.whole_day is whole_day


# --- moments that count from what they are given --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 days", "2026-03-04T23:59:59"),
        ("24 hours", "2026-03-03T09:30:00"),
        ("exactly 2 days", "2026-03-04T09:30:00"),
        ("start of day review_time", "2026-03-04T00:00:00"),
        ("review_time", "2026-03-04T23:59:59"),
        ("=review_time", "2026-03-04T23:59:59"),
        ("return_period", "2026-04-01T23:59:59"),
        ("2 days from", "2026-03-03T23:59:59"),
        ("exactly 1 business day before", "2026-02-27T09:30:00"),
        ("1 hour before", "2026-03-02T08:30:00"),
        ("{within: 2 business days, calendar: gulf}", "2026-03-04T23:59:59"),
        ("{later_of: [2 days, 24 hours]}", "2026-03-04T23:59:59"),
        ("{after: {within: 1 day}, within: 1 hour}", "2026-03-03T10:30:00"),
        ("2 days after delivered_at", "2026-03-07T23:59:59"),
        ("delivered_at", "2026-03-05T20:00:00"),
    ],
)
def test_a_moment_may_count_from_what_it_is_given(
    text: str, expected: str, read: Any, world: Callable[..., Any]
) -> None:
    moment, problems = read(text, given=True)
    assert problems == ()
    env = world(MOMENTS["facts"])
    found = evaluate_moment(moment, env, given=parse_timestamp("2026-03-02T09:30:00-05:00"))
    assert isinstance(found, Finished)
    assert told(found.at, env.zone, expected) == expected


def test_a_moment_may_count_from_another_that_is_given(read: Any, world: Callable[..., Any]) -> None:
    due, _ = read("2 days after ordered_at")
    reminder, _ = read("exactly 1 day before", given=True)
    env = world(MOMENTS["facts"])
    finished = evaluate_moment(due, env)
    assert isinstance(finished, Finished)
    found = evaluate_moment(reminder, env, given=finished)
    assert isinstance(found, Finished)
    assert told(found.at, env.zone, "2026-03-03T23:59:59") == "2026-03-03T23:59:59"


def test_to_give_nothing_to_what_needs_it_is_a_wrong_call(read: Any, world: Callable[..., Any]) -> None:
    moment, _ = read("2 days", given=True)
    with pytest.raises(TypeError, match="counts from what it is given"):
        evaluate_moment(moment, world({}))


# --- the deadlines of four real programmes --------------------------------------------------------------------------------

UNITS = {"d": "days", "h": "hours", "mo": "months", "bd": "business days"}


def as_moment(calc: str) -> str:
    """Write a `calc` as the map of a moment."""
    choice = re.fullmatch(r"(max|min)\((.*)\)", calc)
    if choice:
        parts = ", ".join(as_moment(part.strip()) for part in choice[2].split("|"))
        return f"{{{'later_of' if choice[1] == 'max' else 'earlier_of'}: [{parts}]}}"
    start, *rest = calc.split()
    moment, extra = start, ""
    ends = {"eod": "end_of_day", "wall": "same_time"}
    for index, word in enumerate(rest):
        if word.startswith("+"):
            step = re.fullmatch(r"\+(\d+)(d|h|mo|bd):?(\w*)", word)
            assert step, word
            key = "from" if rest[index + 1 : index + 2] == ["incl"] else "after"
            moment = f"{{{key}: {moment}, within: {step[1]} {UNITS[step[2]]}"
            moment += f", calendar: {step[3]}}}" if step[3] else "}"
        elif word in ends:
            extra += f", ends: {ends[word]}"
        elif word.startswith("roll:"):
            extra += f", roll: next_business_day, calendar: {word[5:]}"
        else:
            assert word == "incl", word
    return moment[:-1] + extra + "}"


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=f"{r['case']} {r['clock']}: {r['calc']}") for r in CALC["rows"]]
)
def test_a_deadline_of_a_real_programme_is_met(
    row: dict[str, str], read: Any, world: Callable[..., Any]
) -> None:
    calendars = {
        name: Calendar(name=name, holidays=frozenset(days)) for name, days in CALC["calendars"].items()
    }
    moment, problems = read(as_moment(row["calc"]), calendars=calendars)
    assert problems == ()
    env = world({}, row["zone"])
    env.calendar = calendars.__getitem__
    found = evaluate_moment(moment, env)
    assert isinstance(found, Finished)
    assert found.at.astimezone(zone(row["zone"])).isoformat() == row["due"]
    assert found.at.tzinfo is UTC
