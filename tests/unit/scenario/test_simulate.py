"""Dry runs: how far they go, and what they say stands at the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from amends.engine.errors import UnknownPolicy
from amends.engine.library import Library
from amends.engine.money import Money
from amends.engine.scenario import ScenarioCase, read_scenarios
from amends.engine.simulate import BOUND, Timeline, simulate
from amends.engine.values import Sealed

POLICY = """\
amends: 1
policy: deposits
version: 2026-01-01
timezone: Europe/Berlin
currency: EUR
roles: [guest, desk]
sources: {house_rules: {cite: House rules 3, read: secondary}}
facts: {paid: money, pin: {type: optional text, sensitive: true}}
reasons: {silence: The desk did not answer in time.}
events:
  ask_back: {by: guest, data: {amount: money, iban: {type: optional text, sensitive: true}}}
  agree: {by: desk}
effects: {tell: {to: role, iban: optional text}}
states:
  stayed: {initial: true, on: {ask_back: asked}}
  asked:
    waits_for: desk
    says: The desk looks at it.
    sla:
      answer:
        due: 2 days
        remind: [exactly 1 day before]
        breach: {to: owed, decision: granted, reason: silence, source: house_rules}
    on: {agree: owed}
  owed: {final: true, enter: [pay: deposit], on: {ask_back: {when: has(ask_back.iban), set: {pin: ask_back.iban}}}}
payouts:
  deposit:
    amount: ask_back.amount
    at_most: paid
    routes:
      - {when: "true", via: bank_transfer, needs: [ask_back.iban]}
"""
CASES = """\
cases:
  - id: DP-1
    name: silence
    given: {paid: "40.00", pin: "9999"}
    events:
      - {at: "2026-03-02T10:00:00+01:00", actor: guest, type: ask_back, data: {amount: "50.00"}}
      - {at: "2026-03-20T10:00:00+01:00", actor: guest, type: ask_back, data: {amount: "50.00", iban: DE00}}
    expect:
      - {at: "2026-03-10T10:00:00+01:00", state: owed}
      - {at: "2026-03-25T10:00:00+01:00", state: owed}
"""
DAY = timedelta(days=1)
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 4, 22, 59, 59, tzinfo=UTC)


def library_of(folder: Path, policy: str = POLICY) -> Library:
    (folder / "deposits.yaml").write_text(policy, encoding="utf-8")
    library = Library.load(folder / "deposits.yaml")
    assert [item for item in library.diagnostics if item.severity == "error"] == []
    return library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(tmp_path)


@pytest.fixture
def case(tmp_path: Path) -> ScenarioCase:
    path = tmp_path / "deposits.scenarios.yaml"
    path.write_text(CASES, encoding="utf-8")
    file, found = read_scenarios(path)
    assert found == ()
    assert file is not None
    return file.cases[0]


def kinds(timeline: Timeline) -> list[str]:
    return [entry.kind for entry in timeline.entries]


def test_a_run_ends_with_the_last_event_or_expectation(case: ScenarioCase, library: Library) -> None:
    timeline = simulate(case, library)
    assert kinds(timeline) == ["opened", "event", "remind", "breach", "event"]
    assert (timeline.ending, timeline.ends_at) == ("events", datetime(2026, 3, 25, 9, 0, tzinfo=UTC))


def test_a_run_stops_where_it_is_told_to(case: ScenarioCase, library: Library) -> None:
    timeline = simulate(case, library, until=DUE)
    assert kinds(timeline) == ["opened", "event", "remind"]
    assert (timeline.ending, timeline.ends_at) == ("until", DUE)
    assert timeline.next_timer == ("breach:asked/answer", DUE + timedelta(seconds=1))


def test_the_last_second_of_a_clock_is_in_time_and_the_next_is_not(
    case: ScenarioCase, library: Library
) -> None:
    assert simulate(case, library, until=DUE).entries[-1].legs == {"main": "asked"}
    assert simulate(case, library, until=DUE + timedelta(seconds=1)).entries[-1].legs == {"main": "owed"}


def test_a_run_may_go_on_past_its_last_event(case: ScenarioCase, library: Library) -> None:
    far = OPENED + 365 * DAY
    assert simulate(case, library, until=far).ending == "events"
    assert simulate(case, library, until=far).ends_at == far


def test_if_nobody_acts_after_an_instant_later_events_are_left_out(
    case: ScenarioCase, library: Library
) -> None:
    timeline = simulate(case, library, until=OPENED, what_if_nobody_acts=True)
    assert kinds(timeline) == ["opened", "event", "remind", "breach"]
    assert (timeline.ending, timeline.ends_at) == ("quiet", DUE + timedelta(seconds=1))
    assert timeline.next_timer is None


def test_what_never_ends_is_stopped(case: ScenarioCase, tmp_path: Path) -> None:
    endless = POLICY.replace("{to: owed, decision", "{to: asked, decision").replace(
        "        remind: [exactly 1 day before]\n", ""
    )
    timeline = simulate(case, library_of(tmp_path, endless), until=OPENED, what_if_nobody_acts=True)
    assert timeline.ending == "bound"
    assert len(timeline.entries) == BOUND + 2
    assert timeline.next_timer is not None


def test_an_entry_says_why_by_which_rule_and_how_sure_that_is(case: ScenarioCase, library: Library) -> None:
    breach = simulate(case, library, until=DUE + DAY).entries[-1]
    assert breach.reason is not None
    assert (breach.kind, breach.what, breach.reason.code, breach.decision) == (
        *("breach", "asked/answer"),
        *("silence", "granted"),
    )
    assert [(source.name, source.read) for source in breach.sources] == [("house_rules", "secondary")]
    assert [(move.source, move.target) for move in breach.moves] == [("asked", "owed")]


def test_an_entry_shows_the_clocks_that_run_after_it(case: ScenarioCase, library: Library) -> None:
    entries = simulate(case, library).entries
    assert [[(clock.name, clock.due) for clock in entry.clocks] for entry in entries] == [
        [],
        [("answer", DUE)],
        [("answer", DUE)],
        [],
        [],
    ]


def test_data_is_shown_as_values_of_the_declared_types(case: ScenarioCase, library: Library) -> None:
    opened, asked, *_ = simulate(case, library).entries
    assert opened.data["paid"] == Money(Fraction(40), "EUR")
    assert asked.data["amount"] == Money(Fraction(50), "EUR")
    assert asked.who == "guest"


def test_no_sensitive_value_is_in_a_timeline(case: ScenarioCase, library: Library) -> None:
    timeline = simulate(case, library)
    assert timeline.entries[0].data["pin"] == Sealed("")
    assert timeline.entries[-1].data["iban"] == Sealed("")
    for entry in timeline.entries:
        assert "DE00" not in repr(entry)
        assert "9999" not in repr(entry)


def test_money_that_waits_for_details_says_what_is_missing(case: ScenarioCase, library: Library) -> None:
    timeline = simulate(case, library, until=DUE + DAY)
    assert timeline.wanted == {"deposit": ("ask_back.iban",)}
    (payout,) = timeline.entries[-1].payouts
    assert (payout.state, payout.granted) == ("needs_details", Money(Fraction(40), "EUR"))
    assert timeline.entries[-1].effects == ()


def test_money_is_asked_for_once_the_details_are_there(case: ScenarioCase, library: Library) -> None:
    last = simulate(case, library).entries[-1]
    assert [effect.kind for effect in last.effects] == ["payout"]
    assert last.payouts[0].state == "asked"


def test_what_stays_waiting_is_said_and_for_whom(case: ScenarioCase, library: Library) -> None:
    (asked,) = simulate(case, library, until=OPENED).waiting
    assert (asked.leg, asked.state, asked.roles, asked.final) == ("main", "asked", ("desk",), False)
    assert dict(asked.says) == {"": "The desk looks at it."}
    (owed,) = simulate(case, library).waiting
    assert owed.final


def test_the_same_run_gives_the_same_timeline(case: ScenarioCase, library: Library) -> None:
    assert simulate(case, library) == simulate(case, library)


def test_a_case_that_no_policy_takes_cannot_be_run(case: ScenarioCase) -> None:
    with pytest.raises(UnknownPolicy):
        simulate(case, Library())
