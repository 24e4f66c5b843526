"""Open cases under another version: what is carried over, what is refused, the way back, and that all of it replays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from amends.engine.case import Case
from amends.engine.engine import Engine
from amends.engine.errors import InvalidValue, OutOfOrder
from amends.engine.journal import entry_of, read_entry, vault_of
from amends.engine.library import Library
from amends.engine.money import Money
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, open_bundle
from amends.engine.publishing.migration import previewed, takes_over, way_back
from amends.engine.step import Migrate, Step
from amends.engine.verify import digests, verify

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)

OLD = """\
amends: 1
policy: desk
version: v1
currency: EUR
roles: [user, clerk]
facts:
  price: money
  tries: {type: int, default: 0}
  note: {type: optional text, sensitive: true}
  old_fact: {type: text, default: gone}
events:
  ask: {by: user, data: {amount: money, word: {type: optional text, sensitive: true}}}
  wait: {by: clerk}
  go_on: {by: clerk}
  refuse: {by: clerk}
  close: {by: clerk}
define: {waiting: has(wait) && (!has(go_on) || go_on.at < wait.at)}
payouts: {back: {amount: ask.amount, routes: [{via: card}]}}
states:
  fresh: {initial: true, on: {ask: review}}
  review:
    waits_for: clerk
    sla: {answer: {due: exactly 10 days after ask.at, remind: [exactly 1 day before], pause_while: waiting, breach: {to: closed, decision: silence}}}
    on: {wait: {}, go_on: {}, refuse: {to: refused, set: {tries: tries + 1}}, close: {to: closed, do: [{pay: back}]}}
  refused: {on: {ask: review, close: closed}, sla: {rest: {due: 30 days, breach: {to: closed}}}}
  closed: {final: true}
"""
NEW = """\
amends: 1
policy: desk
version: v2
currency: EUR
roles: [user, clerk]
migrates: {from: [v1], states: {review: in_review, refused: in_review}, set: {appeals: tries, word_limit: "100"}}
facts:
  price: money
  tries: {type: int, default: 0}
  note: {type: optional text, sensitive: true}
  appeals: int
  word_limit: {type: int, default: 50}
  paid_by: {type: [card, cash], default: card}
events:
  ask: {by: user, data: {amount: money}}
  wait: {by: clerk}
  go_on: {by: clerk}
  close: {by: clerk}
define: {waiting: has(wait) && (!has(go_on) || go_on.at < wait.at)}
payouts: {back: {amount: ask.amount, routes: [{via: =paid_by}]}}
states:
  fresh: {initial: true, on: {ask: in_review}}
  in_review:
    waits_for: clerk
    sla:
      answer: {due: exactly 20 days after ask.at, remind: [exactly 2 days before], pause_while: waiting, breach: {to: closed}}
      second: {due: 5 days, breach: {alarm: clerk}}
    on: {wait: {}, go_on: {}, close: {to: closed, do: [{pay: back}]}}
  closed: {final: true}
"""


def policy_of(text: str) -> CompiledPolicy:
    return open_bundle(Bundle(texts=(text,), holidays={}))


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def old(unopened: Callable[[str], Any]) -> Any:
    """Return a case of the old version under review, asked for at noon."""
    play = _play(unopened)
    play.open({"price": "50", "note": "secret"})
    play.send("ask", {"amount": "20", "word": "please"})
    return play


def _play(unopened: Callable[[str], Any]) -> Any:
    play = unopened("states: {a: {initial: true, final: true}}")
    play.policy = policy_of(OLD)
    return play


def migrate(play: Any, text: str = NEW, at: datetime = NOON + DAY) -> Step:
    """Take a case over; where that is refused it stays under its version."""
    policy = policy_of(text)
    before, play.policy = play.policy, policy
    step = play.take(Migrate(policy=policy.ref, actor="ops:1", recorded_at=at))
    if step.verdict != "applied":
        play.policy = before
    assert isinstance(step, Step)
    return step


def back(play: Any, at: datetime = NOON + 2 * DAY) -> Step:
    arrived = way_back(play.steps, play.policy, actor="ops:1", at=at)
    play.policy = policy_of(OLD)
    step = play.take(arrived)
    assert isinstance(step, Step)
    return step


# --- what is carried over -----------------------------------------------------------------------------------------------


def test_a_case_goes_on_in_the_state_that_the_map_says(old: Any) -> None:
    step = migrate(old)
    assert step.verdict == "applied"
    assert [(move.source, move.target, move.rule) for move in step.moves] == [
        ("review", "in_review", "migrates")
    ]
    assert (old.now.state, old.now.policy.version) == ("in_review", "v2")
    assert old.send("close", by="clerk:1", at=NOON + DAY).effects[0].kind == "payout"
    assert old.now.state == "closed"


def test_a_state_that_is_not_named_keeps_its_name(unopened: Callable[[str], Any]) -> None:
    play = _play(unopened)
    play.open({"price": "50"})
    assert migrate(play).verdict == "applied"
    assert play.now.state == "fresh"


def test_facts_are_kept_set_cleared_and_defaulted(old: Any) -> None:
    migrate(old)
    facts = old.now.facts
    assert facts["price"] == Money(Fraction(50), "EUR")
    assert (facts["tries"], facts["appeals"], facts["word_limit"], facts["paid_by"]) == (0, 0, 100, "card")
    assert "old_fact" not in facts
    assert "word" not in facts["ask"]
    assert facts["ask"]["amount"] == Money(Fraction(20), "EUR")


def test_what_is_set_reads_what_was_carried_over(old: Any) -> None:
    old.send("refuse", by="clerk:1")
    migrate(old)
    assert (old.now.state, old.now.facts["appeals"]) == ("in_review", 1)


def test_nothing_is_entered_or_left_for_it(old: Any) -> None:
    text = changed(NEW, ("    waits_for: clerk\n    sla:\n", "    enter: [{pay: back}]\n    sla:\n"))
    step = migrate(old, text)
    assert (step.effects, old.now.payouts) == ((), {})


def test_what_holds_under_the_new_version_happens_at_once(old: Any) -> None:
    text = changed(
        NEW, ("    on: {wait: {}", "    always: {when: ask.amount < price, to: closed}\n    on: {wait: {}")
    )
    step = migrate(old, text)
    assert [(move.target, move.rule) for move in step.moves] == [
        ("in_review", "migrates"),
        ("closed", "in_review.always"),
    ]


# --- clocks -------------------------------------------------------------------------------------------------------------


def due(case: Case, name: str) -> datetime | None:
    return case.clocks[name].due


def test_a_clock_stands_where_it_would_had_it_always_run_by_the_new_rule(old: Any) -> None:
    assert due(old.now, "review/answer") == NOON + 10 * DAY
    migrate(old)
    clock = old.now.clocks["in_review/answer"]
    assert (clock.due, clock.started_at, clock.state) == (NOON + 20 * DAY, NOON, "in_review")
    assert clock.reminders == (NOON + 18 * DAY,)
    assert "review/answer" not in old.now.clocks


def test_a_pause_that_is_over_is_kept(old: Any) -> None:
    old.send("wait", by="clerk:1", at=NOON + DAY)
    old.send("go_on", by="clerk:1", at=NOON + 3 * DAY)
    assert due(old.now, "review/answer") == NOON + 12 * DAY
    migrate(old, at=NOON + 4 * DAY)
    assert due(old.now, "in_review/answer") == NOON + 22 * DAY


def test_a_clock_that_is_paused_stays_so_and_goes_on_with_what_the_new_rule_leaves(old: Any) -> None:
    old.send("wait", by="clerk:1", at=NOON + DAY)
    migrate(old, at=NOON + 2 * DAY)
    assert old.now.clocks["in_review/answer"].status == "paused"
    old.send("go_on", by="clerk:1", at=NOON + 3 * DAY)
    assert due(old.now, "in_review/answer") == NOON + 22 * DAY


def test_a_paused_clock_that_no_longer_pauses_goes_on_at_once(old: Any) -> None:
    old.send("wait", by="clerk:1", at=NOON + DAY)
    migrate(
        old,
        changed(
            NEW,
            ("pause_while: waiting, ", ""),
            ("define: {waiting: has(wait) && (!has(go_on) || go_on.at < wait.at)}\n", ""),
        ),
        at=NOON + 2 * DAY,
    )
    clock = old.now.clocks["in_review/answer"]
    assert (clock.status, clock.due) == ("running", NOON + 21 * DAY)


def test_a_clock_that_only_the_new_version_has_starts_now_and_one_that_it_lacks_ends(old: Any) -> None:
    old.send("refuse", by="clerk:1")
    assert "refused/rest" in old.now.clocks
    migrate(old)
    # The clock of the state that became the same one had ended, and starts as it does on entering.
    assert old.now.clocks["in_review/answer"].started_at == NOON + DAY
    assert set(old.now.clocks) == {"in_review/answer", "in_review/second"}
    assert old.now.clocks["in_review/second"].started_at == NOON + DAY


def test_a_due_moment_that_has_passed_under_the_new_rule_is_breached_at_once(old: Any) -> None:
    migrate(
        old, changed(NEW, ("exactly 20 days", "exactly 6 hours"), (", remind: [exactly 2 days before]", ""))
    )
    (fired, *_) = old.wait(NOON + DAY)
    assert (fired.input.timer, old.now.state) == ("breach:in_review/answer", "closed")


def test_what_is_due_fires_first_under_the_version_of_then(old: Any) -> None:
    with pytest.raises(OutOfOrder):
        migrate(old, at=NOON + 11 * DAY)


# --- what stays ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([("from: [v1]", "from: [v0]")], "it takes over no cases of version `v1`"),
        ([("review: in_review, ", "")], "it says nothing of the state `review`, and has none of that name"),
        ([("appeals: tries, ", "")], "it needs the fact `appeals`, which the case does not have"),
        ([("price: money", "price: text")], "`price` does not fit it: a value of type text is due there"),
        (
            [("ask: {by: user, data: {amount: money}}", "ask: {by: user, data: {amount: money, why: text}}")],
            "`ask",
        ),
        ([("  back: {amount", "  other: {amount"), ("pay: back", "pay: other")], "it has no payout `back`"),
        ([('word_limit: "100"', "word_limit: 1 / tries")], "division by zero"),
        ([("policy: desk", "policy: other")], "the case is one of `desk`"),
    ],
)
def test_a_case_for_which_too_little_is_said_stays_and_is_told_why(
    old: Any, changes: list[tuple[str, str]], problem: str
) -> None:
    text = changed(NEW, ("payouts: {back", "payouts: {  back"))
    if "payout" in problem:
        old.send("close", by="clerk:1")
    before = old.now
    step = migrate(old, changed(text, *changes))
    assert step.verdict == "refused"
    assert step.reason is not None
    assert step.reason.code == "not_migrated"
    assert problem in str(step.reason.values["problem"])
    kept = replace(old.now, seq=before.seq, at=before.at, head=before.head)
    assert kept == before
    assert old.now.seq == before.seq + 1


def test_a_case_is_not_taken_over_twice(old: Any) -> None:
    migrate(old)
    step = migrate(old)
    assert step.reason is not None
    assert step.reason.values["problem"] == "the case is under this version already"


# --- the way back -------------------------------------------------------------------------------------------------------


def same(first: Case, second: Case) -> None:
    """Compare all of two cases but how many steps they took."""
    assert replace(first, seq=0, at=NOON, head="") == replace(second, seq=0, at=NOON, head="")


def test_there_and_back_the_case_is_what_it_was(old: Any) -> None:
    before = old.now
    migrate(old)
    assert back(old).verdict == "applied"
    same(old.now, before)


def test_a_clock_that_was_dropped_runs_on_as_if_it_never_had_been(old: Any) -> None:
    old.send("refuse", by="clerk:1")
    before = old.now
    migrate(old)
    back(old)
    assert old.now.clocks["refused/rest"] == before.clocks["refused/rest"]
    same(old.now, before)


def test_two_states_that_became_one_are_told_apart_while_the_case_has_not_moved(old: Any) -> None:
    old.send("refuse", by="clerk:1")
    migrate(old)
    back(old)
    assert old.now.state == "refused"


def test_what_happened_since_stays(old: Any) -> None:
    migrate(old)
    old.send("ask", {"amount": "30"}, at=NOON + DAY)
    old.send("wait", by="clerk:1", at=NOON + DAY)
    step = back(old)
    assert step.verdict == "applied"
    assert old.now.state == "review"
    assert old.now.clocks["review/answer"].status == "paused"
    assert old.now.facts["old_fact"] == "gone"


def test_a_case_that_has_moved_to_where_no_state_leads_back_stays(old: Any) -> None:
    text = changed(
        NEW,
        ("close: {to: closed", "close: {to: done"),
        ("  closed: {final: true}", "  closed: {final: true}\n  done: {final: true}"),
    )
    migrate(old, text)
    old.send("close", by="clerk:1", at=NOON + DAY)
    step = back(old)
    assert step.verdict == "refused"
    assert (old.now.state, old.now.policy.version) == ("done", "v2")


def test_what_was_not_taken_over_cannot_be_taken_back(old: Any) -> None:
    with pytest.raises(InvalidValue):
        back(old)
    migrate(old)
    back(old)
    with pytest.raises(InvalidValue):
        back(old)


# --- replay -------------------------------------------------------------------------------------------------------------


def test_a_journal_across_the_switch_is_verified_with_both_versions(old: Any) -> None:
    old.send("wait", by="clerk:1", at=NOON + DAY)
    migrate(old, at=NOON + DAY)
    old.send("go_on", by="clerk:1", at=NOON + 2 * DAY)
    back(old, at=NOON + 3 * DAY)
    old.send("close", by="clerk:1", at=NOON + 4 * DAY)
    entries = [entry_of(step) for step in old.steps]
    assert all(b"secret" not in entry and b"please" not in entry for entry in entries)
    vault = {key: value for step in old.steps for key, value in vault_of(step).items()}
    both = [policy_of(OLD), policy_of(NEW)]
    verified = verify(both, entries, digests(entries), vault=vault, secret=old.now.secret)
    assert (verified.case, verified.decided) == (old.now, len(entries))
    with pytest.raises(InvalidValue, match="pinned to desk v2"):
        verify(policy_of(OLD), entries, digests(entries), vault=vault, secret=old.now.secret)


def test_a_migration_is_read_as_it_was_written(old: Any) -> None:
    step = migrate(old)
    read = read_entry(entry_of(step), vault_of(step), secret=old.now.secret)
    assert entry_of(read) == entry_of(step)
    assert isinstance(read.input, Migrate)
    assert read.changes.policy == policy_of(NEW).ref


# --- before it is done --------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_move_and_what_would_change(old: Any) -> None:
    before = old.now
    told = previewed(policy_of(NEW), before, migrate(old))
    assert (told.case_id, told.before, told.after, told.refused) == ("c", "v1", "v2", None)
    assert told.legs == ({"main": "review"}, {"main": "in_review"})
    assert told.facts["appeals"] == (None, 0)
    assert told.facts["old_fact"] == ("gone", None)
    clock, after = told.clocks["in_review/answer"]
    assert (clock, after and after.due) == (None, NOON + 20 * DAY)


def test_it_tells_why_a_case_would_stay(unopened: Callable[[str], Any]) -> None:
    play = _play(unopened)
    play.open({"price": "50"}, case_id="d")
    text = changed(NEW, ("fresh: {initial: true", "begun: {initial: true"))
    told = previewed(policy_of(text), play.now, migrate(play, text))
    assert told.refused is not None
    assert (told.case_id, told.refused.code, told.legs) == (
        "d",
        "not_migrated",
        ({"main": "fresh"}, {"main": "fresh"}),
    )
    assert (told.facts, told.clocks, told.effects) == ({}, {}, ())


def test_a_version_takes_over_the_versions_that_it_names_and_no_other_policy(old: Any) -> None:
    assert takes_over(policy_of(NEW), old.now)
    for text in (
        OLD,
        changed(NEW, ("from: [v1]", "from: [v0]")),
        changed(NEW, ("policy: desk", "policy: office")),
    ):
        assert not takes_over(policy_of(text), old.now)


# --- a host -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Any) -> Engine:
    for name, text, until in (("old", OLD, "until"), ("new", NEW, "from")):
        rule = f"in_force: {{{until}: 2026-06-01T00:00:00Z}}\n"
        (tmp_path / f"{name}.yaml").write_text(text + rule, encoding="utf-8")
    return Engine(Library.load(tmp_path))


def test_an_engine_takes_a_case_over_and_back(engine: Engine) -> None:
    case = engine.open("desk", {"price": "50"}, at=NOON)
    engine.send(case.id, "ask", {"amount": "20"}, by="user:1", at=NOON)
    sent = engine.migrate(case.id, "v2", by="ops:1", at=NOON + DAY, key="m1")
    assert (sent.refusal, sent.state, sent.case.policy.version) == (None, "in_review", "v2")
    assert engine.migrate(case.id, "v2", by="ops:1", at=NOON + 3 * DAY, key="m1") == sent
    assert engine.policy_of(case.id).ref.version == "v2"
    again = engine.migrate_back(case.id, by="ops:1", at=NOON + 2 * DAY, key="m2")
    assert (again.state, again.case.policy.version) == ("review", "v1")
    assert engine.migrate_back(case.id, by="ops:1", key="m2") == again
    assert engine.send(case.id, "close", by="clerk:1", at=NOON + 2 * DAY).state == "closed"


def test_an_engine_fires_what_is_due_before_under_the_version_of_then(engine: Engine) -> None:
    case = engine.open("desk", {"price": "50"}, at=NOON)
    engine.send(case.id, "ask", {"amount": "20"}, by="user:1", at=NOON)
    sent = engine.migrate(case.id, "v2", by="ops:1", at=NOON + 11 * DAY)
    assert [step.decision for step in sent.before if step.decision] == ["silence"]
    assert (sent.state, sent.case.policy.version) == ("closed", "v2")
    engine.send(case.id, "ask", {"amount": "20"}, by="user:1", at=NOON + 11 * DAY, key="k")
    with pytest.raises(InvalidValue, match="came before"):
        engine.migrate(case.id, "v2", by="ops:1", key="k")


def test_an_engine_tells_what_a_migration_would_do_and_does_nothing(engine: Engine) -> None:
    case = engine.open("desk", {"price": "50"}, at=NOON).id
    engine.send(case, "ask", {"amount": "20", "word": "hush"}, by="user:1", at=NOON)
    before, journal = engine.case(case), engine.journal(case)
    would = engine.preview_migration(case, "v2", at=NOON + DAY)
    assert (would.refused, would.legs[1]) == (None, {"main": "in_review"})
    assert "hush" not in str(would)
    assert (engine.case(case), engine.journal(case)) == (before, journal)
    # What is due by then is taken to have fired, under the version of then.
    assert engine.preview_migration(case, "v2", at=NOON + 11 * DAY).legs == (
        {"main": "closed"},
        {"main": "closed"},
    )
    assert engine.migrate(case, "v2", by="ops:1", at=NOON + DAY).state == "in_review"
    told = engine.preview_migration(case, "v2", at=NOON + DAY)
    assert told.refused is not None
    assert told.refused.values["problem"] == "the case is under this version already"


def test_a_dry_run_asks_what_the_migration_would_ask(tmp_path: Path) -> None:
    lookups = """
lookups: {earlier: {count: cases, same: name}}
balances: {purse: {of: name, limit: money("50 EUR")}}
"""
    facts = ("  price: money\n", "  price: money\n  name: text\n  seen: {type: int, default: 0}\n")
    old = changed(OLD, ("  price: money\n", "  price: money\n  name: text\n"))
    new = changed(NEW, facts, ('word_limit: "100"', 'word_limit: "100", seen: earlier'))
    new = changed(
        new,
        ("{amount: ask.amount,", "{amount: ask.amount, balance: purse,"),
        ("    on: {wait: {}", "    always: {when: purse.left < ask.amount, to: closed}\n    on: {wait: {}"),
    )
    for name, text, until in (("old", old, "until"), ("new", new + lookups, "from")):
        rule = f"in_force: {{{until}: 2026-06-01T00:00:00Z}}\n"
        (tmp_path / f"{name}.yaml").write_text(text + rule, encoding="utf-8")
    engine = Engine(Library.load(tmp_path))
    assert [item for item in engine.library.diagnostics if item.severity == "error"] == []
    may, june = datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
    spender = engine.open("desk", {"price": "50", "name": "ann", "appeals": 0}, at=june).id
    engine.send(spender, "ask", {"amount": "40"}, by="user:1", at=june)
    assert engine.send(spender, "close", by="clerk:1", at=june).state == "closed"
    for name, state in (("ann", "closed"), ("bob", "in_review")):
        case = engine.open("desk", {"price": "50", "name": name}, at=may).id
        engine.send(case, "ask", {"amount": "20"}, by="user:1", at=may)
        would = engine.preview_migration(case, "v2", at=june)
        assert (would.facts.get("seen"), would.legs[1]["main"]) == ((None, int(name == "ann")), state)
        sent = engine.migrate(case, "v2", by="ops:1", at=june)
        assert (sent.case.facts["seen"], sent.state) == (int(name == "ann"), state)
