"""Journals that a host may have kept for years make the same cases today. make.py says how they came to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amends.engine.canonical import canonical
from amends.engine.case import Case
from amends.engine.decide import decide
from amends.engine.evolve import evolve, rebuild
from amends.engine.journal import entry_of, read_entry, record_to_json
from amends.engine.publishing.bundle import Bundle, open_bundle
from amends.engine.step import Step
from amends.engine.verify import Verified, digests, verify
from amends.engine.version import VERSION

HERE = Path(__file__).resolve().parent
SECRET = bytes(range(32))
JOURNALS = sorted(path for path in (HERE / "journals").iterdir() if path.is_dir())

journals = pytest.mark.parametrize("kept", JOURNALS, ids=lambda path: path.name)


def entries_of(kept: Path) -> list[bytes]:
    """Return the entries of a journal."""
    return (kept / "journal.jsonl").read_bytes().splitlines()


def vault_of(kept: Path) -> dict[str, Any]:
    """Return the sensitive values beside a journal."""
    vault: dict[str, Any] = json.loads((kept / "vault.json").read_bytes())
    return vault


def whole(kept: Path) -> list[Step]:
    """Return the steps of a journal, with their sensitive values."""
    return [read_entry(entry, vault_of(kept), secret=SECRET) for entry in entries_of(kept)]


def test_the_three_that_must_never_break_are_there() -> None:
    assert {path.name for path in JOURNALS} >= {"refusal", "breach_after_pause", "payout_waits_for_details"}


@journals
def test_a_journal_makes_the_case_that_it_made_when_it_was_written(kept: Path) -> None:
    case = rebuild(whole(kept))
    assert case is not None
    assert canonical(record_to_json(case)) == (kept / "case.json").read_bytes()
    assert case.head == digests(entries_of(kept))[-1]


@journals
def test_it_makes_the_same_case_without_what_was_erased(kept: Path) -> None:
    case = rebuild(read_entry(entry) for entry in entries_of(kept))
    assert canonical(record_to_json(case)) == (kept / "erased_case.json").read_bytes()
    for value in vault_of(kept).values():
        assert canonical(value) not in (kept / "erased_case.json").read_bytes()
        assert canonical(value) not in (kept / "journal.jsonl").read_bytes()


@journals
def test_its_entries_are_written_as_they_were_read(kept: Path) -> None:
    assert [entry_of(step) for step in whole(kept)] == entries_of(kept)


@journals
def test_its_steps_are_decided_as_they_were_by_the_engine_of_that_version(kept: Path) -> None:
    policy = open_bundle(Bundle.from_bytes((kept / "bundle.json").read_bytes()))
    case: Case | None = None
    for step, entry in zip(whole(kept), entries_of(kept), strict=True):
        # A later version may explain a step better. What it did is in the entry, and is never decided anew.
        if step.input.engine == VERSION:
            again = decide(policy, case, step.input)
            assert isinstance(again, Step)
            assert entry_of(again) == entry, step.seq
        case = evolve(case, step)


@journals
def test_it_can_be_believed(kept: Path) -> None:
    steps, entries = whole(kept), entries_of(kept)
    if all(step.input.engine == VERSION for step in steps):
        policy = open_bundle(Bundle.from_bytes((kept / "bundle.json").read_bytes()))
        verified = verify(policy, entries, digests(entries), vault=vault_of(kept), secret=SECRET)
        case = rebuild(steps)
        assert case is not None
        assert verified == Verified(case=case, decided=len(entries))


def test_a_refusal_moves_nothing_and_says_why() -> None:
    steps = whole(HERE / "journals" / "refusal")
    assert [step.verdict for step in steps] == ["applied", *["refused"] * 5]
    assert [step.reason.code for step in steps if step.reason] == [
        *("role_not_allowed", "invalid_data", "proof_missing", "unknown_event", "too_late"),
    ]
    assert all(step.moves == () and step.changes.facts == {} for step in steps[1:])


def test_a_clock_that_waited_over_easter_ran_out_after_the_days_it_had_left() -> None:
    steps = whole(HERE / "journals" / "breach_after_pause")
    clocks = [step.changes.clocks.get("review/answer") for step in steps]
    assert [clock.status for clock in clocks if clock] == [
        "running",
        "paused",
        "running",
        "running",
        "breached",
    ]
    assert [clock.left.count for clock in clocks if clock and clock.left] == [2]
    assert steps[-1].decision == "approved_by_silence"


def test_a_payout_waits_for_an_account_that_nobody_gave() -> None:
    case = rebuild(whole(HERE / "journals" / "payout_waits_for_details"))
    assert case is not None
    (part,) = case.payouts["refund"].parts
    assert (part.status, part.missing) == ("needs_details", ("account.bank", "account.number"))
    assert case.facts["contact"] == "+1 555 0100"
