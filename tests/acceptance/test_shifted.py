"""The shipped cases, moved by 364 days with their calendars: nothing in the policies hangs on one year.

The weekdays and the local times stay, the offsets are those of the zone on the new day.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.scenario import ScenarioFile, run_file

if TYPE_CHECKING:
    from tests.acceptance.conftest import Programme

YEAR = timedelta(days=364)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Which of the cases' calendars a policy's calendar is; the Indonesian cases count no business days.
CALENDARS: dict[str, dict[str, str | None]] = {
    "ebay_money_back_guarantee": {"business": "us_federal"},
    "eu_withdrawal": {"de": "de"},
    "paypal_dispute": {},
    "tiktok_shop.us": {"business": "us_federal"},
    "tiktok_shop.th": {"business": "th"},
    "tiktok_shop.id": {"business": None},
}


def shifted(value: Any, zone: ZoneInfo, by: timedelta) -> Any:
    """Return data with every instant and date moved, the time of day kept, and without notes."""
    if isinstance(value, dict):
        return {key: shifted(item, zone, by) for key, item in value.items() if key != "calc"}
    if isinstance(value, list):
        return [shifted(item, zone, by) for item in value]
    if isinstance(value, str) and INSTANT.fullmatch(value):
        local = datetime.fromisoformat(value).astimezone(zone)
        assert local.isoformat() == value, "an instant is written in the zone of its case"
        return (local + by).isoformat()
    if isinstance(value, str) and DAY.fullmatch(value):
        return (date.fromisoformat(value) + by).isoformat()
    return value


def shifted_cases(cases: Any, by: timedelta) -> dict[str, Any]:
    """Return the file of cases, moved: each in the zone of its own."""
    moved = [
        {**case, **{key: shifted(case[key], zone, by) for key in ("given", "events", "expect")}}
        for case in cases["cases"]
        for zone in [ZoneInfo(case.get("timezone", cases["timezone"]))]
    ]
    return {"title": cases["title"], "timezone": cases["timezone"], "cases": moved}


def overlay(policy: CompiledPolicy, source: Any, calendars: Any, by: timedelta) -> dict[str, Any]:
    """Return a document that lays moved holidays over a shipped policy, and moves the time it is in force."""
    starts = policy.in_force.starts
    assert starts is not None
    local = starts.astimezone(ZoneInfo(source["timezone"]))
    return {
        "amends": 1,
        "policy": policy.ref.name,
        "version": f"moved by {by.days} days",
        "extends": {"policy": policy.ref.name, "version": policy.ref.version},
        "in_force": {"from": (local + by).isoformat()},
        "serves": source["serves"],
        "calendars": {
            ours: {
                "holidays": [str(day + by) for day in calendars[name]["holidays"]] if name else [],
                "weekend": ["sat", "sun"],
            }
            for ours, name in CALENDARS[policy.ref.name].items()
        },
    }


def moved_library(programme: Programme, calendars: Any, by: timedelta, folder: Path) -> Library:
    """Return the shipped policies with moved holidays, each laid over the one it is named after."""
    overlays = []
    for path in sorted(programme.folder.glob("*.yaml")):
        shutil.copy(path, folder)
        # Not safe_load: it would read the version as a date.
        source = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - builds text only
        policy = programme.library.get(source["policy"])
        overlays.append(folder / f"moved_{path.name}")
        overlays[-1].write_text(json.dumps(overlay(policy, source, calendars, by)), encoding="utf-8")
    moved = Library.load(*overlays)
    assert moved.diagnostics == ()
    assert len(moved.policies) == len(programme.library.policies)
    return moved


@pytest.mark.parametrize("by", [YEAR, -YEAR], ids=["a year later", "a year earlier"])
def test_cases_hold_in_another_year(
    by: timedelta,
    programme: Programme,
    calendars: Any,
    read: Callable[[Path], ScenarioFile],
    tmp_path: Path,
) -> None:
    cases = programme.cases
    moved = moved_library(programme, calendars, by, tmp_path)
    path = tmp_path / "moved_cases.yaml"
    path.write_text(json.dumps(shifted_cases(cases, by)), encoding="utf-8")
    results = list(run_file(read(path), moved))
    assert [(result.id, result.status, result.error) for result in results] == [
        (case["id"], "passed", None) for case in cases["cases"]
    ]
    assert {result.policy.ref.version for result in results if result.policy} == {f"moved by {by.days} days"}


def test_summer_time_begins_on_another_day_in_another_year(cases: Any) -> None:
    (first, *_) = cases["cases"]
    (moved, *_) = shifted_cases(cases, YEAR)["cases"]
    assert first["events"][1]["at"] == "2026-03-10T12:00:00-04:00"
    assert moved["events"][1]["at"] == "2027-03-09T12:00:00-05:00"


def test_moved_cases_need_moved_holidays(
    cases: Any, library: Library, read: Callable[[Path], ScenarioFile], tmp_path: Path
) -> None:
    path = tmp_path / "moved_cases.yaml"
    path.write_text(json.dumps(shifted_cases(cases, YEAR)), encoding="utf-8")
    failed = [result.id for result in run_file(read(path), library) if result.status == "failed"]
    assert "TT-12" in failed, "Songkran is on the same dates, and so on other weekdays"
