"""How each due moment was worked out (`calc`) is computed again, with numpy and the standard library alone.

The grammar of `calc`: `<timestamp> +Nd eod` (calendar days, the event's own day not counted, to the end of that local day), `+Nd incl
eod` (it is day 1), `+Nd wall` (the same time of day), `+Nh` (exact), `+Nbd:<calendar> eod`, `+Nmo eod`, several of them one after
another (`+14d +12mo eod`), then `roll:<calendar>` where a last day off moves to the next working day; `max(a | b)`, `min(a | b)`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

if TYPE_CHECKING:
    from tests.acceptance.conftest import Programme

ROOT = Path(__file__).resolve().parents[2]
#: Where the cases were handed over, for who works on a tree that has them beside it.
HANDED_OVER = ROOT.parent / "shared" / "cases"
beside = pytest.mark.skipif(
    not HANDED_OVER.is_dir(), reason="the cases as they were handed over are not beside this tree"
)

EBAY = "ebay_money_back_guarantee"
#: How many due moments the cases of a programme work out.
DUES = {EBAY: 13, "eu_withdrawal": 11, "paypal_dispute": 9, "tiktok_shop": 15}

FILES = sorted([*ROOT.glob("policies/**/scenarios/*.yaml"), *ROOT.glob("examples/*.scenarios.yaml")])
TERM = re.compile(
    r"(?P<start>\S+)"
    r"(?P<steps>(?: \+\d+(?:d|h|mo|bd)(?::\w+)?)*)"
    r"(?: (?P<ends>incl eod|eod|wall))?"
    r"(?: roll:(?P<roll>\w+))?"
)
STEP = re.compile(r" \+(?P<count>\d+)(?P<unit>d|h|mo|bd)(?::(?P<calendar>\w+))?")


def compute(calc: str, zone: ZoneInfo, calendars: Any) -> datetime:
    """Return the last second in time that a `calc` describes, in the zone of its case."""
    both = re.fullmatch(r"(max|min)\((.+)\)", calc)
    if both is not None:
        parts = [compute(part.strip(), zone, calendars) for part in both[2].split("|")]
        return max(parts) if both[1] == "max" else min(parts)
    term = TERM.fullmatch(calc)
    assert term is not None, f"not a calc: {calc}"
    start = datetime.fromisoformat(term["start"]).astimezone(zone)
    steps = [(int(step["count"]), step["unit"], step["calendar"]) for step in STEP.finditer(term["steps"])]
    match steps:
        case [(count, "h", _)]:
            assert term["ends"] is None
            return (start.astimezone(ZoneInfo("UTC")) + timedelta(hours=count)).astimezone(zone)
    day = start.date() - timedelta(days=term["ends"] == "incl eod")
    for count, unit, name in steps:
        day = counted(day, count, unit, days_off(name, calendars))
    if term["roll"] is not None:
        day = counted(day, 0, "bd", days_off(term["roll"], calendars), roll="forward")
    if term["ends"] == "wall":
        return start.replace(year=day.year, month=day.month, day=day.day)
    assert term["ends"] in {"eod", "incl eod"}, f"when does it end? {calc}"
    return datetime.combine(day, time(23, 59, 59), zone)


def counted(day: date, count: int, unit: str, off: np.busdaycalendar, *, roll: Any = "backward") -> date:
    """Return the day that lies some days, months or business days after a day."""
    if unit == "mo":
        year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    if unit == "bd":
        # Backward: the first business day after a day off is day 1.
        found = np.busday_offset(np.datetime64(day, "D"), count, roll=roll, busdaycal=off).item()
        assert isinstance(found, date)
        return found
    return day + timedelta(days=count)


def days_off(name: str | None, calendars: Any) -> np.busdaycalendar:
    """Return a calendar of calendars.yaml as numpy has it."""
    if name is None:
        return np.busdaycalendar()
    week = "".join("0" if day in calendars[name]["weekend"] else "1" for day in range(1, 8))
    return np.busdaycalendar(weekmask=week, holidays=calendars[name]["holidays"])


def claims(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield the due moments of a file: the case, its zone, the moment and its `calc`."""
    file = yaml.safe_load(path.read_text(encoding="utf-8"))
    zone = file.get("timezone") or zone_beside(path)
    for case in file["cases"]:
        for expectation in case["expect"]:
            found = expectation.get("deadline", [])
            for item in [found] if isinstance(found, dict) else found:
                if "calc" in item:
                    yield case["id"], case.get("timezone") or zone, item["due"], item["calc"]


def zone_beside(path: Path) -> str:
    """Return the time zone of the policy that a file of cases belongs to: where the file names none, it is the policy's."""
    (policy,) = [
        beside
        for beside in path.parent.parent.glob("*.yaml")
        if "\nextends:" not in beside.read_text(encoding="utf-8")
    ]
    found: str = yaml.safe_load(policy.read_text(encoding="utf-8"))["timezone"]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_calc_gives_its_due_moment(path: Path, calendars: Any) -> None:
    found = list(claims(path))
    assert found, "a file of cases that works out no moment"
    for case, zone, due, calc in found:
        assert (case, compute(calc, ZoneInfo(zone), calendars).isoformat()) == (case, due), calc


def test_every_due_moment_of_the_cases_is_worked_out(programme: Programme) -> None:
    cases = programme.cases["cases"]
    expected = [e["deadline"] for case in cases for e in case["expect"] if "deadline" in e]
    dues = sum(1 if isinstance(item, dict) else len(item) for item in expected)
    assert dues == len(list(claims(programme.file))) == DUES[programme.name]


@pytest.mark.parametrize(
    ("calc", "due"),
    [
        ("2026-11-20T09:30:00-05:00 +4bd:us_federal eod", "2026-11-27T23:59:59-05:00"),
        ("2026-11-21T09:30:00-05:00 +1bd:us_federal eod", "2026-11-23T23:59:59-05:00"),
        ("2026-03-05T20:00:00-05:00 +14d incl eod", "2026-03-18T23:59:59-04:00"),
        ("2026-03-07T02:30:00-05:00 +2d wall", "2026-03-09T02:30:00-04:00"),
        ("2026-03-07T12:00:00-05:00 +24h", "2026-03-08T13:00:00-04:00"),
        ("2026-01-31T12:00:00-05:00 +1mo eod", "2026-02-28T23:59:59-05:00"),
        ("2026-11-12T12:00:00-05:00 +14d eod roll:us_federal", "2026-11-27T23:59:59-05:00"),
        ("2026-01-17T12:00:00-05:00 +14d +1mo eod", "2026-02-28T23:59:59-05:00"),
        (
            "max(2026-03-05T20:00:00-05:00 +1d eod | 2026-03-05T20:00:00-05:00 +48h)",
            "2026-03-07T20:00:00-05:00",
        ),
        (
            "min(2026-03-05T20:00:00-05:00 +1d eod | 2026-03-05T20:00:00-05:00 +48h)",
            "2026-03-06T23:59:59-05:00",
        ),
    ],
)
def test_calc_is_read_as_it_is_described(calc: str, due: str, calendars: Any) -> None:
    assert compute(calc, ZoneInfo("America/New_York"), calendars).isoformat() == due


@beside
def test_the_shipped_cases_are_those_handed_over(programme: Programme) -> None:
    handed_over = HANDED_OVER / f"{'ebay_mbg' if programme.name == EBAY else programme.name}.yaml"
    assert programme.file.read_bytes() == handed_over.read_bytes()


@beside
def test_the_calendars_are_those_handed_over() -> None:
    here = Path(__file__).with_name("calendars.yaml")
    assert here.read_bytes() == (HANDED_OVER / "calendars.yaml").read_bytes()
