"""The rules of windows, clocks and bundles, one test each; tests/rules.yaml says which rule is shown where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.engine.calendar import tzdata_version
from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.publishing.bundle import Bundle, open_bundle

Make = Callable[..., Any]

POLICY = """
events: {{answer: {{}}, hold: {{}}, go_on: {{}}, leave: {{}}, back: {{}}, longer: {{}}, ask: {{}}, meet: {{}}}}
facts:
  on_hold: {{type: bool, default: false}}
  time: {{type: period, default: 2 days}}
calendars: {{business: []}}
params: {{patience: 4 days}}
define: {{doubled: 'period("8 days")'}}
tables: {{tier: {{outputs: period, rules: [{{when: on_hold, then: 1 day}}], otherwise: 3 days}}}}
windows: {{asking: {{opens: opened.at, closes: time after opened.at, late: too_late}}}}
states:
  new: {{initial: true, on: {{opened: waiting}}}}
  waiting:
    sla: {{reply: {clock}}}
    on:
      answer: done
      leave: away
      hold: {{set: {{on_hold: 'true'}}}}
      go_on: {{set: {{on_hold: 'false'}}}}
      longer: {{set: {{time: 'period("9 days")'}}}}
      ask: {{when: asking.is_open, to: done}}
  away: {{on: {{back: waiting, hold: {{set: {{on_hold: 'true'}}}}}}}}
  late: {{final: true}}
  done: {{final: true}}
"""


@pytest.fixture
def waiting(play: Make) -> Make:
    """Return a case that came to `waiting` on Monday the 2nd of March 2026, at nine in New York."""

    def waiting(clock: str) -> Any:
        policy = POLICY.format(clock=clock[:-1] + ", breach: {to: late}}")
        case = play(policy.replace("events: {", "events: {opened: {}, ")).open("2026-03-02 09:00")
        case.send("2026-03-02 09:00", "opened")
        return case

    return waiting


# --- due ----------------------------------------------------------------------------------------------------------------


def test_a_due_moment_is_the_last_second_still_in_time(waiting: Make) -> None:
    assert waiting("{due: 48 hours}").send("2026-03-04 09:00:00", "answer").state == "done"
    late = waiting("{due: 48 hours}")
    late.run("2026-03-04 09:00:01")
    assert late.state == "late"


@pytest.mark.parametrize(
    ("due", "last"), [("=patience", "03-06"), ("=doubled", "03-10"), ("=tier", "03-05"), ("=time", "03-04")]
)
def test_a_period_may_name_a_param_a_define_a_table_or_a_fact(due: str, last: str, waiting: Make) -> None:
    assert waiting(f"{{due: {due}}}").due("reply") == f"2026-{last} 23:59:59"


def test_a_due_moment_is_fixed_when_the_clock_starts(waiting: Make) -> None:
    case = waiting("{due: =time}")
    case.send("2026-03-02 10:00", "longer")
    assert case.due("reply") == "2026-03-04 23:59:59"


def test_a_live_due_moment_follows_the_facts(waiting: Make) -> None:
    case = waiting("{due: =time, live: true}")
    case.send("2026-03-02 10:00", "longer")
    assert case.due("reply") == "2026-03-11 23:59:59"


def test_windows_are_always_live(waiting: Make) -> None:
    """It closes on the 4th, until a fact says that it closes on the 11th."""
    assert waiting("{due: 30 days}").send("2026-03-05 09:00", "ask").step.verdict == "refused"
    case = waiting("{due: 30 days}")
    case.send("2026-03-05 09:00", "longer")
    assert case.send("2026-03-05 10:00", "ask").state == "done"


# --- pauses -------------------------------------------------------------------------------------------------------------


def test_a_paused_clock_keeps_the_seconds_left_for_hours(waiting: Make) -> None:
    case = waiting("{due: 48 hours, pause_while: on_hold}")
    case.send("2026-03-03 09:00:01", "hold")
    case.send("2026-03-10 15:30:00", "go_on")
    assert case.due("reply") == "2026-03-11 15:29:59"


def test_a_paused_clock_keeps_whole_counted_days_left_for_days(waiting: Make) -> None:
    case = waiting("{due: 4 days, pause_while: on_hold}")
    case.send("2026-03-03 22:00", "hold")
    case.send("2026-03-10 08:00", "go_on")
    assert case.due("reply") == "2026-03-13 23:59:59"


# --- leaving and coming back --------------------------------------------------------------------------------------------


def test_leaving_a_state_ends_its_clocks(waiting: Make) -> None:
    case = waiting("{due: 2 days}")
    case.send("2026-03-03 09:00", "leave")
    assert case.armed() == []
    case.run("2026-03-09 09:00")
    assert case.state == "away"


def test_leaving_a_state_does_not_end_a_clock_that_runs_until_it_is_met(waiting: Make) -> None:
    case = waiting("{due: 2 days, met_by: [meet], until: met}")
    case.send("2026-03-03 09:00", "leave")
    case.run("2026-03-05 00:00")
    assert case.state == "late"
    met = waiting("{due: 2 days, met_by: [meet], until: met}")
    met.send("2026-03-03 09:00", "leave")
    met.send("2026-03-03 10:00", "meet")
    met.run("2026-03-09 09:00")
    assert met.state == "away"


def test_coming_back_resumes_a_paused_clock(waiting: Make) -> None:
    case = waiting("{due: 4 days, pause_while: on_hold}")
    case.send("2026-03-03 09:00", "hold")
    case.send("2026-03-03 10:00", "leave")
    case.send("2026-03-10 09:00", "back")
    case.send("2026-03-10 10:00", "go_on")
    assert case.due("reply") == "2026-03-13 23:59:59"


def test_coming_back_starts_a_finished_clock_anew(waiting: Make) -> None:
    case = waiting("{due: 4 days}")
    case.send("2026-03-03 10:00", "leave")
    case.send("2026-03-10 09:00", "back")
    assert case.due("reply") == "2026-03-14 23:59:59"


# --- bundles ------------------------------------------------------------------------------------------------------------

BUNDLED = """\
amends: 1
policy: bundled
version: 1
calendars: {business: US}
roles: [agent]
events: {ask: {}}
states:
  new: {initial: true, on: {ask: asked}}
  asked: {sla: {reply: {due: 1 business day, breach: {to: done}}}}
  done: {final: true}
"""


def bundle_of(folder: Path) -> Bundle:
    """Return the bundle of a policy that counts on the holidays of a country."""
    (folder / "bundled.yaml").write_text(BUNDLED, encoding="utf-8")
    library = Library.load(folder)
    assert library.diagnostics == ()
    (bundle,) = library.bundles.values()
    return bundle


def test_a_bundle_carries_the_expanded_dates_of_its_holidays(tmp_path: Path) -> None:
    dates, first, last = bundle_of(tmp_path).holidays["US"]
    assert {date(2026, 7, 3), date(2026, 12, 25)} <= dates
    assert first < date(2026, 1, 1) < last


def test_newer_holidays_do_not_change_a_case_of_an_older_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 3rd of July stays a holiday, whatever the library says by then."""
    bundle = bundle_of(tmp_path)
    monkeypatch.setattr("amends.engine.publishing.bundle.expand_holidays", lambda _: frozenset[date]())
    policy = open_bundle(Bundle.from_bytes(bundle.to_bytes()))
    engine = Engine(Library(policies=(policy,), bundles={bundle.digest(): bundle}))
    engine.open("bundled", {}, at=datetime(2026, 7, 1, 12, tzinfo=UTC), case_id="case")
    engine.send("case", "ask", by="agent:1", at=datetime(2026, 7, 2, 12, tzinfo=UTC))
    (clock,) = engine.case("case").clocks.values()
    assert clock.due == datetime(2026, 7, 6, 23, 59, 59, tzinfo=UTC)


def test_the_version_of_the_zone_rules_is_recorded(waiting: Make) -> None:
    step = waiting("{due: 2 days}").steps[0]
    assert step.input.tzdata == tzdata_version()
