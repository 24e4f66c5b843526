"""Rebuilding a case from its steps: no policy, no expressions, no calendars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .canonical import keys_in_order
from .case import MAIN, Case
from .errors import CorruptJournal
from .journal import chain, entry_of
from .step import Open, Step


def evolve(case: Case | None, step: Step, entry: bytes | None = None) -> Case:
    """Return the case after a step.

    Args:
        case: the case before it, or None before the opening.
        step: the step that follows; its number is one more than the case's.
        entry: its journal entry, where it is at hand.
    Raises:
        CorruptJournal: the step does not follow.
    """
    changes = step.changes
    if case is None:
        if not isinstance(step.input, Open) or step.seq != 0:
            raise CorruptJournal("a journal begins with the opening of the case")
        case = _opened(step, step.input)
    elif step.seq != case.seq + 1 or isinstance(step.input, Open):
        raise CorruptJournal(f"step {step.seq} does not follow step {case.seq}")
    applied = step.verdict == "applied"
    return replace(
        case,
        seq=step.seq,
        at=step.at,
        policy=changes.policy or case.policy,
        legs=_patched(case.legs, changes.legs),
        facts=_patched(case.facts, changes.facts),
        clocks=_patched(case.clocks, changes.clocks),
        payouts=_patched(case.payouts, changes.payouts),
        takes=_patched(case.takes, changes.takes),
        timers=case.timers if changes.timers is None else changes.timers,
        holding=case.holding if changes.holding is None else changes.holding,
        needs_human=changes.needs_human or case.needs_human,
        decision=step.decision if applied and step.decision is not None else case.decision,
        reason=step.reason if applied and step.reason is not None else case.reason,
        head=chain(case.head, entry_of(step) if entry is None else entry),
    )


def rebuild(steps: Iterable[Step]) -> Case | None:
    """Return the case that a whole journal makes, or None for an empty one."""
    case: Case | None = None
    for step in steps:
        case = evolve(case, step)
    return case


def _opened(step: Step, opening: Open) -> Case:
    return Case(
        id=opening.case_id,
        policy=opening.policy,
        seq=-1,
        at=step.at,
        legs={},
        facts={},
        clocks={},
        payouts={},
        timers=(),
        timezone=step.changes.timezone or "UTC",
        currency=step.changes.currency,
        secret=opening.secret,
        # Legs are entered in the order in which they are declared.
        first=step.moves[0].leg if step.moves else MAIN,
    )


def _patched(before: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    if not changes:
        return before
    after = {**before, **changes}
    # In the order in which a case is read back, so that what is done one after another is the same for both.
    return {key: after[key] for key in keys_in_order(after) if after[key] is not None}
