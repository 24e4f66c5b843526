"""Every why names its sources: of the rule, and of all that the rule was computed from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from amends.engine.library import Library
from amends.engine.scenario import read_scenarios
from amends.engine.simulate import Entry, simulate

POLICY = """\
amends: 1
policy: desk
version: v1
roles: [user, clerk]
sources:
  by_param: {cite: page 1, read: primary, checked: 2026-02-01}
  by_window: {cite: page 2, read: secondary}
  by_rule: {cite: page 3, read: assumed}
  by_table: {cite: page 4, read: recalled}
  by_clock: {cite: page 5, read: primary}
  by_limit: {cite: page 6, read: primary}
  elsewhere: {cite: page 7, read: primary}
params:
  period: {is: 10 days, source: by_param}
  limit: {is: 5, source: by_limit}
  other: {is: 3 days, source: elsewhere}
facts: {at: timestamp, count: {type: int, default: 0}}
moments: {end: period after at}
windows: {open: {closes: end, late: too_late, source: by_window}}
reasons: {too_late: It is too late.}
define: {few: count < limit}
tables:
  time:
    inputs: [count]
    outputs: period
    rules: [{id: none, when: ["0"], then: =other, source: by_table}, {id: some, when: ["-"], then: 1 day}]
events: {ask: {by: user}, note: {by: user}, hint: {by: user}}
states:
  fresh:
    initial: true
    on:
      ask: {when: open.is_open, to: review, source: by_rule}
      note: {id: noted, when: few, to: review}
      hint: {id: noted, when: open.is_open, to: review, source: by_table}
  review: {waits_for: clerk, sla: {answer: {due: =time, source: by_clock, breach: {to: closed, decision: silence}}}}
  closed: {final: true}
"""


@pytest.fixture
def entries(tmp_path: Path) -> Callable[[str, str], tuple[Entry, ...]]:
    """Return what plays an event at an instant, until nothing happens any more."""

    def of(event: str, at: str) -> tuple[Entry, ...]:
        (tmp_path / "desk.yaml").write_text(POLICY, encoding="utf-8")
        case = (
            "cases:\n  - id: D\n    name: d\n    given: {at: '2026-03-01T00:00:00Z'}\n"
            f"    events: [{{at: '{at}', actor: user, type: {event}}}]\n"
            f"    expect: [{{at: '{at}', state: review}}]\n"
        )
        (tmp_path / "desk.scenarios.yaml").write_text(case, encoding="utf-8")
        file, found = read_scenarios(tmp_path / "desk.scenarios.yaml")
        assert file is not None, found
        library = Library.load(tmp_path / "desk.yaml")
        assert [item for item in library.diagnostics if item.severity == "error"] == []
        return simulate(file.cases[0], library, what_if_nobody_acts=True).entries

    return of


def names(entry: Entry) -> list[str]:
    return [source.name for source in entry.sources]


Play = Callable[[str, str], tuple[Entry, ...]]


def test_a_refusal_by_a_window_cites_it_and_the_param_that_its_moment_counts(entries: Play) -> None:
    refused = entries("ask", "2026-03-20T00:00:00Z")[1]
    assert refused.reason is not None
    assert (refused.verdict, refused.reason.code) == ("refused", "too_late")
    assert names(refused) == ["by_window", "by_param"]
    assert refused.sources[1].checked == date(2026, 2, 1)


def test_a_rule_that_is_taken_cites_its_own_source_first_then_what_it_read(entries: Play) -> None:
    taken = entries("ask", "2026-03-02T00:00:00Z")[1]
    assert taken.verdict == "applied"
    assert names(taken)[:3] == ["by_rule", "by_window", "by_param"]


def test_a_param_is_cited_through_a_define(entries: Play) -> None:
    assert names(entries("note", "2026-03-20T00:00:00Z")[1])[:1] == ["by_limit"]


def test_a_breach_cites_its_clock(entries: Play) -> None:
    breach = entries("ask", "2026-03-02T00:00:00Z")[-1]
    assert breach.decision == "silence"
    assert "by_clock" in names(breach)
    assert "elsewhere" not in names(breach)


def test_another_events_candidate_of_the_same_id_is_not_cited(entries: Play) -> None:
    assert names(entries("note", "2026-03-02T00:00:00Z")[1]) == ["by_limit", "elsewhere"]
