"""Timelines, compared whole with golden files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from amends.engine.render.timeline import timeline_json, timeline_text
from amends.engine.simulate import Timeline, Waiting
from amends.engine.step import Move

Golden = Callable[[str, str], None]


def test_a_timeline_tells_who_did_what_and_why(timeline: Timeline, golden: Golden) -> None:
    golden("timeline.txt", timeline_text(timeline))


def test_a_timeline_is_told_in_chinese(timeline: Timeline, golden: Golden) -> None:
    golden("timeline.zh.txt", timeline_text(timeline, language="zh-CN"))


def test_a_language_that_nobody_wrote_is_told_in_english(timeline: Timeline) -> None:
    assert timeline_text(timeline, language="tlh") == timeline_text(timeline)


def test_a_timeline_is_json(timeline: Timeline, golden: Golden) -> None:
    golden("timeline.json", timeline_json(timeline))


def test_json_holds_no_floats(timeline: Timeline) -> None:
    def refuse(number: str) -> Any:
        pytest.fail(f"{number} is a float")

    json.loads(timeline_json(timeline), parse_float=refuse)


def test_colour_is_the_only_difference_that_colour_makes(timeline: Timeline) -> None:
    coloured = timeline_text(timeline, colour=True)
    for code in (1, 2, 31, 32, 33, 0):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == timeline_text(timeline)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("events", "The events of the case end here."),
        ("until", "Stopped at 2026-03-07 00:00."),
        ("quiet", "From here on nothing happens by itself."),
        ("bound", "Stopped after 5 steps; more would follow."),
    ],
)
def test_the_end_says_why_it_is_one(timeline: Timeline, ending: Any, said: str) -> None:
    at = datetime(2026, 3, 7, 5, 0, tzinfo=UTC)
    assert said in timeline_text(replace(timeline, ending=ending, ends_at=at)).splitlines()


def test_a_final_state_waits_for_nobody(timeline: Timeline) -> None:
    done = Waiting(leg="main", state="closed", says={}, roles=(), final=True)
    assert timeline_text(replace(timeline, waiting=(done,), wanted={})).endswith("\nclosed is final.\n")


def test_the_next_timer_is_announced(timeline: Timeline) -> None:
    timer = ("breach:answering/answer", datetime(2026, 3, 7, 5, 0, tzinfo=UTC))
    text = timeline_text(replace(timeline, next_timer=timer))
    assert text.endswith("Next by itself, at 2026-03-07 00:00: answer runs out.\n")


def test_a_step_that_moves_nothing_says_where_the_case_stays(timeline: Timeline) -> None:
    opened = replace(timeline.entries[0], moves=(Move(leg="main", source=None, target=None, rule="r"),))
    assert "    stays in answering\n" in timeline_text(replace(timeline, entries=(opened,)))


def test_a_move_of_another_leg_names_it(timeline: Timeline) -> None:
    opened = replace(timeline.entries[0], moves=(Move(leg="money", source="none", target="owed", rule="r"),))
    assert "    money: none -> owed\n" in timeline_text(replace(timeline, entries=(opened,)))


def test_a_result_that_nothing_comes_of_says_so(timeline: Timeline) -> None:
    owed = next(entry for entry in timeline.entries if entry.payouts)
    failed = replace(owed, kind="event", what="refund.failed", verdict="applied", moves=())
    first = replace(failed, what="ask", payouts=())
    told = timeline_text(replace(timeline, entries=(first, failed)))
    assert "    no state acts on it\n" in told
    again = timeline_text(replace(timeline, entries=(failed, failed)))
    assert again.count("    changes nothing\n") == 1
    assert "changes nothing" not in timeline_text(
        replace(timeline, entries=(first, replace(failed, what="refund.settled")))
    )


def test_long_lists_are_broken_between_their_items(timeline: Timeline) -> None:
    opened = replace(timeline.entries[0], data={f"fact_{n}": "x" * 20 for n in range(7)})
    lines = timeline_text(replace(timeline, entries=(opened,))).splitlines()
    shown = [line for line in lines if "fact_" in line]
    assert len(shown) == 3
    assert all(len(line) <= 110 for line in shown)
    assert [line.endswith(";") for line in shown] == [True, True, False]
