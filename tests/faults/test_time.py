"""Clocks jump, news is old, and everything is due at once: each timer fires once, at its own instant, and events have their turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.step import Due, Event
from tests.faults.story import DAY, HOUR, NOON, prove


class Jumps:
    """A clock that shows what a test sets."""

    now_is = NOON

    def now(self) -> Any:
        """Return the instant that is shown."""
        return self.now_is


def test_a_clock_that_jumps_ahead_and_back_fires_each_timer_once_and_case_time_never_goes_back(
    url: str, policies: Library
) -> None:
    clock = Jumps()
    engine = Engine(policies, url, clock=clock)
    for name in "ab":
        engine.open("pot", {"pot": name}, case_id=name)
    fired: list[Any] = []
    for jump in (2 * DAY, -400 * DAY, HOUR, 100 * DAY, -1 * DAY, 0 * DAY, 101 * DAY):
        clock.now_is = NOON + jump
        fired += engine.run_due()
        engine.send("b", "note", {"text": "x"}, by="member")
        engine.send("a", "note", {"text": "x"}, by="member")
    assert sorted((step.input.timer, step.at) for step in fired) == sorted(
        [("remind:drawing/drawing", NOON + 2 * DAY + 12 * HOUR - timedelta(seconds=1))] * 2
        + [("breach:drawing/drawing", NOON + 3 * DAY + 12 * HOUR)] * 2
    )
    for name in "ab":
        times = [step.at for step in engine.journal(name)]
        assert times == sorted(times)
        # What the clock showed is kept beside what the case took it for.
        shown = [step.input.recorded_at for step in engine.journal(name) if isinstance(step.input, Event)]
        assert shown[1] == NOON - 400 * DAY
        late = [step.input.fired_at for step in engine.journal(name) if isinstance(step.input, Due)]
        assert late == [NOON + 100 * DAY] * 2
    prove(url, policies)
    engine.close()


def test_news_of_long_ago_is_taken_now_and_says_when_it_happened(url: str, policies: Library) -> None:
    engine = Engine(policies, url)
    engine.open("pot", {"pot": "a", "account": "x"}, at=NOON, case_id="a")
    engine.run_due(NOON + 9 * DAY)
    before = engine.case("a")
    for back in (1 * DAY, 8 * DAY, 4000 * DAY):
        sent: Any = engine.send(
            "a", "note", {"text": "x"}, by="member", at=NOON + 9 * DAY, occurred_at=NOON + 9 * DAY - back
        )
        assert sent.refusal.code == "closed"
        assert (sent.step.at, sent.step.input.occurred_at) == (NOON + 9 * DAY, NOON + 9 * DAY - back)
    assert engine.case("a").legs == before.legs
    assert prove(url, policies).steps == 3 + 3
    engine.close()


def test_events_have_their_turn_while_very_many_timers_are_due(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("flood", url, "--cases", 300)
    assert figures["timers"] == 600
    assert figures["events meanwhile"] >= 3


@pytest.mark.long
def test_events_have_their_turn_while_a_hundred_thousand_timers_are_due(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("flood", url)
    assert figures["timers"] == 100_000
    assert figures["events meanwhile"] >= 500
