"""Cases that come from another store: proven, made anew from their journals, and written, or refused.

Spec: docs/store.md, "From one store to another". What came is believed only as far as journals and policies bear it out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..case import Case, PolicyRef
from ..errors import CorruptJournal, InvalidValue
from ..evolve import evolve
from ..given import check_names
from ..journal import read_entry
from ..policy import CompiledPolicy
from ..publishing.bundle import open_bundle
from ..step import Event, Migrate, Open, Step
from ..store.protocol import Fate, Kept, Saved, Transaction, Written
from ..verify import verify, verify_chain
from .packing import Brought
from .session import Working, saved_of

#: Why a case that is only a copy does nothing by itself.
AT_REST: Final = "imported as a copy, which does nothing by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A case that came, ready to be written."""

    saved: Saved
    fates: tuple[Fate, ...]
    parked: str | None


class Arrivals:
    """Takes in what came from one place: policies, and cases that are pinned to them."""

    def __init__(self) -> None:
        self._policies: dict[PolicyRef, CompiledPolicy] = {}

    def add(self, brought: Brought) -> None:
        """Compile a policy.

        Raises:
            InvalidValue: it is not what it says it is.
        """
        policy = open_bundle(brought.bundle)
        if policy.ref != brought.ref:
            raise InvalidValue(f"the policy {brought.ref.name} {brought.ref.version} is another than it says")
        self._policies[brought.ref] = policy

    def of(self, kept: Kept, *, prove: bool) -> Arrival:
        """Return a case as it is to be written, made anew from its journal.

        Args:
            kept: as it came. Without its key it gets a new one, and what is sensitive in it stays unknown.
            prove: decide every step again; else only the chain is held against its digests.
        Raises:
            CorruptJournal: its journal is not the one that was written, or not what its policy makes.
            InvalidValue: the rest does not fit its journal, or a policy is not there.
        """
        check_names(kept.case_id)
        secret = kept.secret or secrets.token_bytes(32)
        steps = _steps(kept, secret)
        refs = (step.input.policy for step in steps if isinstance(step.input, Open | Migrate))
        policies = [self._policy(ref) for ref in dict.fromkeys(refs)]
        if prove:
            verify(policies, kept.entries, kept.heads, vault=kept.vault, secret=secret)
        else:
            verify_chain(kept.entries, kept.heads)
        opening = _fitting(kept, steps)
        written = _written(steps, kept.entries)
        case = written[-1].case
        working = Working(self._policy(case.policy), case, None, written, list(kept.keys), opening.key)
        return Arrival(saved=saved_of(working), fates=kept.fates, parked=kept.parked)

    def _policy(self, ref: PolicyRef) -> CompiledPolicy:
        if ref not in self._policies:
            raise InvalidValue(
                f"the policy {ref.name} {ref.version} ({ref.bundle[:12]}…) did not come before it"
            )
        return self._policies[ref]


def _steps(kept: Kept, secret: bytes) -> list[Step]:
    steps = []
    for seq, entry in enumerate(kept.entries):
        try:
            steps.append(read_entry(entry, kept.vault, secret=secret))
        except CorruptJournal as problem:
            raise CorruptJournal(f"entry {seq}: {problem}") from problem
    if not steps:
        raise CorruptJournal("a journal begins with the opening of the case")
    return steps


def _written(steps: list[Step], entries: Iterable[bytes]) -> list[Written]:
    case: Case | None = None
    found = []
    for step, entry in zip(steps, entries, strict=True):
        case = evolve(case, step, entry)
        found.append(Written(step=step, entry=entry, case=case))
    return found


def _fitting(kept: Kept, steps: list[Step]) -> Open:
    """Hold what came beside a journal against it: the id, the keys that its inputs came with, and what it asked for."""
    opening, *rest = (step.input for step in steps)
    if not isinstance(opening, Open) or opening.case_id != kept.case_id:
        raise InvalidValue(f"the journal is not that of the case `{kept.case_id}`")
    came = {
        (arrived.key, seq)
        for seq, arrived in enumerate(rest, 1)
        if isinstance(arrived, Event | Migrate) and arrived.key is not None
    }
    if came != {(one.key, one.seq) for one in kept.keys} or len(came) != len(kept.keys):
        raise InvalidValue("the idempotency keys are not those of the journal")
    if not all(0 < one.first <= one.seq for one in kept.keys):
        raise InvalidValue("what an idempotency key did cannot begin after it")
    asked = sorted(effect.key for step in steps for effect in step.effects)
    if asked != sorted(fate.key for fate in kept.fates):
        raise InvalidValue("the deliveries are not those that the journal asks for")
    return opening


def at_rest(arrived: Arrival) -> Arrival:
    """Return a case as a copy that does nothing by itself: no timer fires, and what nobody delivered waits for a person."""
    return replace(
        arrived,
        parked=arrived.parked or (AT_REST if arrived.saved.case.timers else None),
        fates=tuple(
            replace(fate, state="dead", error=AT_REST) if fate.state == "waiting" else fate
            for fate in arrived.fates
        ),
    )


def bring(transaction: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Write cases that are not there yet.

    Raises:
        InvalidValue: one is there, or was opened by a key that another case was opened by.
    """
    there = transaction.cases([one.saved.case.id for one in arrivals])
    for one in arrivals:
        case_id, key = one.saved.case.id, one.saved.opened_by
        if case_id in there:
            raise InvalidValue(f"there is a case `{case_id}` already")
        if key is not None and (other := transaction.opened(key)) is not None:
            raise InvalidValue(f"the case `{other}` was opened with the key `{key}` of `{case_id}`")
    transaction.save([one.saved for one in arrivals])
    transaction.settle([fate for one in arrivals for fate in one.fates])
    for one in arrivals:
        if one.parked is not None:
            transaction.park(one.saved.case.id, one.parked)
