"""Cases in this process's memory: the records themselves, under one lock. Nothing is encoded, and nothing survives."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from ..case import Case, PolicyRef
from ..evolve import rebuild
from ..journal import entry_of, read_entry, vault_of
from ..publishing.bundle import Bundle
from ..step import Query, Step
from ..stepping.answers import Tally, answer, tallied
from ..verify import digests
from .protocol import (
    CaseKey,
    Delivery,
    DeliveryState,
    Fate,
    Filing,
    Kept,
    Keyed,
    LostRace,
    Result,
    Saved,
    Sought,
    Summary,
    Work,
    lane_of,
    sealed_in,
)


@dataclass(slots=True)
class _Row:
    """A case with its journal."""

    case: Case
    filing: Filing
    journal: list[Step]
    #: What other cases may ask about it.
    tally: Tally
    keys: dict[str, Keyed] = field(default_factory=dict)
    parked: str | None = None


class MemoryStore:
    """Cases that live as long as the process: for tests, dry runs, and hosts that keep journals themselves."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[str, _Row] = {}
        self._opened: dict[str, str] = {}
        self._bundles: dict[str, Bundle] = {}
        self._outbox: dict[str, Delivery] = {}
        #: When timers fire, and of which case; what the case itself does not say is stale.
        self._due: list[tuple[datetime, str]] = []

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:  # noqa: ARG002 - readers wait too
        """Do some work with the store to itself; what it raises undoes it."""
        with self._lock:
            transaction = _Transaction(self)
            try:
                return work(transaction)
            except BaseException:
                transaction.undo()
                raise

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


class _Transaction:
    """What is written is written at once, and a way back is kept for everything."""

    def __init__(self, store: MemoryStore) -> None:
        self.rows = store._rows  # noqa: SLF001 - the store's own
        self.opened_by = store._opened  # noqa: SLF001
        self.bundles = store._bundles  # noqa: SLF001
        self.outbox = store._outbox  # noqa: SLF001
        self.armed = store._due  # noqa: SLF001
        self.back: list[Callable[[], object]] = []

    def undo(self) -> None:
        """Take everything back, the last thing first."""
        for step in reversed(self.back):
            step()

    # --- cases ----------------------------------------------------------------------------------------------------------

    def cases(self, ids: Collection[str]) -> Mapping[str, Case]:
        return {case_id: self.rows[case_id].case for case_id in ids if case_id in self.rows}

    def sealed(self, ids: Collection[str]) -> Mapping[str, Case]:
        return {case_id: _sealed(self.rows[case_id]) for case_id in ids if case_id in self.rows}

    def kept(self, ids: Collection[str], *, reveal: bool = False) -> tuple[Kept, ...]:
        return tuple(
            self._kept(self.rows[one], reveal=reveal) for one in sorted(set(ids)) if one in self.rows
        )

    def _kept(self, row: _Row, *, reveal: bool) -> Kept:
        case_id = row.case.id
        written = self.entries(case_id)
        # One after another, as an index finds them; there is none here.
        mine = sorted(delivery.key for delivery in self.outbox.values() if delivery.case_id == case_id)
        return Kept(
            case_id=case_id,
            entries=tuple(entry for entry, _ in written),
            heads=tuple(head for _, head in written),
            keys=tuple(sorted(row.keys.values(), key=lambda keyed: keyed.seq)),
            fates=tuple(_fate(self.outbox[key]) for key in mine),
            parked=row.parked,
            secret=row.case.secret if reveal else b"",
            vault=self.vault(case_id) if reveal else {},
        )

    def settle(self, fates: Collection[Fate]) -> None:
        for fate in fates:
            kept = self.outbox[fate.key]
            self._put(
                replace(
                    kept,
                    state=fate.state,
                    attempts=fate.attempts,
                    next_at=fate.next_at,
                    error=fate.error,
                )
            )

    def steps(self, case_id: str, first: int = 0, last: int | None = None) -> tuple[Step, ...]:
        row = self.rows.get(case_id)
        return tuple(row.journal[first : None if last is None else last + 1]) if row else ()

    def entries(self, case_id: str) -> tuple[tuple[bytes, str], ...]:
        entries = [entry_of(step) for step in self.steps(case_id)]
        return tuple(zip(entries, digests(entries), strict=True))

    def vault(self, case_id: str) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for step in self.steps(case_id):
            if step.sealed:
                found.update(vault_of(step))
        return found

    def opened(self, key: str) -> str | None:
        return self.opened_by.get(key)

    def keyed(self, pairs: Collection[CaseKey]) -> Mapping[CaseKey, Keyed]:
        return {
            (case_id, key): self.rows[case_id].keys[key]
            for case_id, key in pairs
            if case_id in self.rows and key in self.rows[case_id].keys
        }

    def bundle(self, digest: str) -> Bundle | None:
        return self.bundles.get(digest)

    def keep_bundle(self, ref: PolicyRef, bundle: Bundle | None) -> None:
        # Of what nobody opened a case under it would do no harm either.
        if bundle is not None:
            self.bundles.setdefault(ref.bundle, bundle)

    def save(self, saved: Sequence[Saved]) -> None:
        for one in saved:
            row = self.rows.get(one.case.id)
            if (row.case.seq if row else None) != one.before or one.opened_by in self.opened_by:
                raise LostRace
            self._file(self._row(row, one))
            if row is None:
                self.back.append(partial(self.rows.pop, one.case.id))
            else:
                self.back.append(partial(self._restore, row, len(row.journal)))
                row.journal.extend(written.step for written in one.written)
            if one.opened_by is not None:
                self.opened_by[one.opened_by] = one.case.id
                self.back.append(partial(self.opened_by.pop, one.opened_by))
            for written in one.written:
                for delivery in asked(one.case.id, written.step):
                    self._put(delivery)

    def _row(self, row: _Row | None, one: Saved) -> _Row:
        """Return what a case's row becomes; its journal is shared with the row before."""
        keys = {keyed.key: keyed for keyed in one.keys}
        tally = tallied_over(row.tally if row else None, one)
        if row is None:
            return _Row(one.case, one.filing, [written.step for written in one.written], tally, keys)
        kept = {**row.keys, **keys} if keys else row.keys
        return replace(row, case=one.case, filing=one.filing, tally=tally, keys=kept)

    def _file(self, row: _Row) -> None:
        self.rows[row.case.id] = row
        if row.case.timers and row.parked is None:
            heapq.heappush(self.armed, (row.case.timers[0].fires_at, row.case.id))

    def _restore(self, row: _Row, length: int) -> None:
        del row.journal[length:]
        self._file(row)

    def answer(self, query: Query, case_id: str) -> Any:
        return answer(query, (row.tally for one, row in self.rows.items() if one != case_id))

    def due(self, by: datetime, limit: int) -> tuple[str, ...]:
        found: dict[str, datetime] = {}
        while self.armed and self.armed[0][0] <= by and len(found) < limit:
            fires_at, case_id = heapq.heappop(self.armed)
            row = self.rows.get(case_id)
            if row and row.parked is None and row.case.timers and row.case.timers[0].fires_at == fires_at:
                found[case_id] = fires_at
        for case_id, fires_at in found.items():
            heapq.heappush(self.armed, (fires_at, case_id))
        return tuple(found)

    def park(self, case_id: str, why: str | None) -> None:
        row = self.rows[case_id]
        self._file(replace(row, parked=why))
        self.back.append(partial(self._restore, row, len(row.journal)))

    def erase(self, case_id: str, secret: bytes) -> None:
        row = self.rows[case_id]
        journal = [read_entry(entry_of(step)) if step.sealed else step for step in row.journal]
        case = rebuild(journal)
        if case is not None:
            tally = replace(row.tally, facts=case.facts)
            self._file(replace(row, case=replace(case, secret=secret), journal=journal, tally=tally))
            self.back.append(partial(self._restore, row, len(row.journal)))
        for key, delivery in self.outbox.items():
            if delivery.case_id == case_id:
                effects = {effect.key: effect for effect in journal[delivery.seq].effects}
                self._put(replace(delivery, effect=effects[key]))

    def summaries(
        self, sought: Sought, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Summary, ...]:
        found = sorted(
            (row.journal[0].at, case_id) for case_id, row in self.rows.items() if _is_sought(row, sought)
        )
        places = [place for place in found if after is None or place > after][:limit]
        return tuple(_summary(self.rows[case_id]) for _, case_id in places)

    # --- deliveries -----------------------------------------------------------------------------------------------------

    def _put(self, delivery: Delivery) -> None:
        before = self.outbox.get(delivery.key)
        self.outbox[delivery.key] = delivery
        if before is None:
            self.back.append(partial(self.outbox.pop, delivery.key))
        else:
            self.back.append(partial(self.outbox.update, {delivery.key: before}))

    def claim(
        self, by: datetime, until: datetime, limit: int, kinds: Collection[str] | None
    ) -> tuple[Delivery, ...]:
        lanes: dict[str, Delivery] = {}
        for delivery in sorted(self.outbox.values(), key=lambda one: one.seq):
            if delivery.state != "done":
                lanes.setdefault(lane_of(delivery.case_id, delivery.effect), delivery)
        ready = [
            one
            for one in lanes.values()
            if one.state == "waiting" and one.next_at <= by and (kinds is None or one.effect.kind in kinds)
        ]
        ready.sort(key=lambda one: (one.next_at, one.key))
        taken = tuple(replace(one, attempts=one.attempts + 1, next_at=until) for one in ready[:limit])
        for one in taken:
            self._put(one)
        return taken

    def told(
        self, delivery: Delivery, state: DeliveryState, next_at: datetime, error: str | None = None
    ) -> bool:
        kept = self.outbox.get(delivery.key)
        if kept is None or kept.state != "waiting" or kept.attempts != delivery.attempts:
            return False
        self._put(replace(kept, state=state, next_at=next_at, error=error))
        return True

    def deliveries(
        self, state: DeliveryState | None, case_id: str | None, after: str | None, limit: int
    ) -> tuple[Delivery, ...]:
        found = (
            one
            for one in self.outbox.values()
            if state in (None, one.state) and case_id in (None, one.case_id) and (after or "") < one.key
        )
        return tuple(sorted(found, key=lambda one: one.key)[:limit])

    def resolve(self, key: str, state: DeliveryState, at: datetime) -> bool:
        kept = self.outbox.get(key)
        if kept is None or kept.state != "dead":
            return False
        self._put(replace(kept, state=state, attempts=0, next_at=at))
        return True


def tallied_over(tally: Tally | None, saved: Saved) -> Tally:
    """Return the tally of a case after what was done to it."""
    for written in saved.written:
        tally = tallied(tally, written.case, written.step)
    if tally is None:
        raise ValueError("a case begins with a step")
    return tally


def asked(case_id: str, step: Step) -> Iterable[Delivery]:
    """Return the deliveries that a step asks for."""
    return (
        Delivery(
            case_id=case_id,
            seq=step.seq,
            asked_at=step.at,
            effect=effect,
            next_at=step.at,
            sensitive=sealed_in(step, index),
        )
        for index, effect in enumerate(step.effects)
    )


def _sealed(row: _Row) -> Case:
    """Return a case without any sensitive value, as its entries make it."""
    if not any(step.sealed for step in row.journal):
        return replace(row.case, secret=b"")
    case = rebuild(read_entry(entry_of(step)) for step in row.journal)
    return row.case if case is None else case


def _fate(delivery: Delivery) -> Fate:
    return Fate(
        key=delivery.key,
        state=delivery.state,
        attempts=delivery.attempts,
        next_at=delivery.next_at,
        error=delivery.error,
    )


def _summary(row: _Row) -> Summary:
    case = row.case
    return Summary(
        id=case.id,
        policy=case.policy,
        seq=case.seq,
        opened_at=row.journal[0].at,
        at=case.at,
        filing=row.filing,
        due_at=case.timers[0].fires_at if case.timers else None,
        needs_human=case.needs_human,
        parked=row.parked,
    )


def _is_sought(row: _Row, sought: Sought) -> bool:
    case, filing = row.case, row.filing
    due_at = case.timers[0].fires_at if case.timers else None
    stuck = case.needs_human is not None or row.parked is not None
    return (
        (sought.ids is None or case.id in sought.ids)
        and sought.policy in (None, case.policy.name)
        and (sought.state is None or sought.state in filing.states)
        and (sought.waits_for is None or sought.waits_for in filing.waits_for)
        and sought.closed in (None, filing.closed)
        and (sought.overdue_at is None or (due_at is not None and due_at <= sought.overdue_at))
        and sought.stuck in (None, stuck)
        and (sought.opened_from is None or sought.opened_from <= row.journal[0].at)
        and (sought.opened_before is None or row.journal[0].at < sought.opened_before)
    )
