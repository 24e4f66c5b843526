"""What operators do with a store of cases: look through them, count them, prove them, and carry them to another store.

Cases are read a page at a time, however many there are, and what is read of one is of one moment. No sensitive value is
even read unless it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO, Any, Final, TypeVar

from .case import Case
from .deadlines import deadlines
from .durable.arriving import Arrivals
from .durable.importing import CHUNK, Imported, absent, chunks, proven, written
from .durable.listing import page_of
from .durable.packing import Packing, refs_of
from .durable.session import Policies
from .durable.standing import Report, Standing
from .durable.trying import tried
from .engine import Engine
from .errors import (
    AmendsError,
    Conflict,
    CorruptJournal,
    InvalidValue,
    StoreUnavailable,
    UnknownCase,
    UnknownPolicy,
)
from .journal import read_entry, uncovered
from .policy import CompiledPolicy
from .publishing.bundle import Bundle
from .render.plain import plain
from .simulate import Entry, entries
from .step import Step
from .store.protocol import Fate, Kept, Result, Sought, Summary, Transaction, Work
from .values import Value

Item = TypeVar("Item")
#: Told how many cases are done.
Tell = Callable[[int], None]

#: How many cases are read at once, with how they stand.
PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything about one case."""

    standing: Standing
    case: Case
    policy: CompiledPolicy
    #: Clocks, windows and named moments; None while unknown or paused.
    deadlines: Mapping[str, datetime | None]
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An entry of a journal: as it stands there, its digest, and the step that it holds."""

    data: dict[str, Any]
    head: str
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The journal of a case, and what is needed to speak of it."""

    policy: CompiledPolicy
    timezone: str
    written: tuple[Written, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A step of a case, also as a timeline shows it."""

    policy: CompiledPolicy
    timezone: str
    entry: Entry
    step: Step


@dataclass(slots=True)
class Proven:
    """What came of proving journals."""

    cases: int = 0
    entries: int = 0
    #: How many entries were decided again; those from the first erased value of a case on are held by the chain alone.
    decided: int = 0
    #: Cases that are not sound, each with what is wrong with it.
    wrong: dict[str, str] = field(default_factory=dict)


class Operations:
    """What operators do.

    Args:
        engine: on a store; its library is only asked for policies that cases are pinned to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._policies = Policies(engine.library)

    # --- looking ------------------------------------------------------------------------------------------------------

    def summaries(self, sought: Sought, after: str | None = None) -> Iterator[Summary]:
        """Yield cases in the order in which they were opened, from after a place on.

        Raises:
            InvalidValue: `after` is not a place.
        """
        while True:
            page = self._read(page_of(sought, after, PAGE))
            yield from page.cases
            after = page.next
            if after is None:
                return

    def standings(
        self, sought: Sought, after: str | None = None, *, overdue_at: datetime | None = None
    ) -> Iterator[Standing]:
        """Yield cases as `summaries` does, with how they stand.

        Args:
            sought: which.
            after: where to begin.
            overdue_at: only those for which it is overdue by then.
        """
        while True:
            after, page = self._read(_page(sought, after))
            yield from (one for one in page if overdue_at is None or one.is_overdue(overdue_at))
            if after is None:
                return

    def show(self, case_id: str, *, reveal: bool = False) -> Shown:
        """Return everything about a case.

        Raises:
            UnknownCase: there is no such case.
        """

        def work(transaction: Transaction) -> Shown:
            summary = _only(transaction.summaries(Sought(ids=(case_id,)), None, 1), case_id)
            read = transaction.cases if reveal else transaction.sealed
            case = _only(tuple(read([case_id]).values()), case_id)
            policy = self._policies.of(case.policy, transaction)
            (kept,) = transaction.kept([case_id])
            return Shown(
                standing=Standing(summary=summary, case=case),
                case=case,
                policy=policy,
                deadlines=deadlines(policy, case),
                fates=kept.fates,
            )

        return self._read(work)

    def journal(self, case_id: str, *, reveal: bool = False) -> Journal:
        """Return the entries of a case.

        Raises:
            UnknownCase: there is no such case.
            CorruptJournal: an entry is none.
        """

        def work(transaction: Transaction) -> Journal:
            kept = _only(transaction.kept([case_id], reveal=reveal), case_id)
            case = _only(tuple(transaction.sealed([case_id]).values()), case_id)
            policy = self._policies.of(case.policy, transaction)
            return Journal(policy=policy, timezone=case.timezone, written=tuple(_entries(kept)))

        return self._read(work)

    def why(self, case_id: str, seq: int | None, *, lang: str, reveal: bool = False) -> dict[str, Any]:
        """Return everything that a step did, and why, as JSON data."""
        return self._engine.why(case_id, seq, lang=lang, reveal=reveal)

    def story(self, case_id: str, seq: int | None, *, reveal: bool = False) -> Story:
        """Return a step of a case, by default the last.

        Raises:
            UnknownCase: there is no such case.
            InvalidValue: there is no such step.
        """
        journal = self.journal(case_id, reveal=reveal)
        last = len(journal.written) - 1
        if seq is not None and seq > last:
            raise InvalidValue(f"the case `{case_id}` has the steps 0 to {last}, and no step {seq}")
        told = journal.written[: (last if seq is None else seq) + 1]
        # Who is to see what is sensitive sees it as if it were not.
        steps = [replace(one.step, sealed={}) if reveal else one.step for one in told]
        *_, entry = entries(journal.policy, steps)
        return Story(policy=journal.policy, timezone=journal.timezone, entry=entry, step=steps[-1])

    def report(self, sought: Sought, at: datetime, tell: Tell) -> Report:
        """Count cases at an instant."""
        report = Report(at=at)
        for page in chunks(self.standings(sought), PAGE):
            payouts = self._taken_from(page)
            for one in page:
                decision = "" if one.case is None else _decided(one.case.decision)
                report.add(one, decision, payouts.get(one.summary.policy.bundle, {}))
            tell(report.cases)
        return report

    def _taken_from(self, page: Iterable[Standing]) -> dict[str, Mapping[str, str | None]]:
        """Return, by policy, the role that the money of each payout is taken from, or the expression that says."""
        refs = {one.case.policy for one in page if one.case is not None and one.case.payouts}

        def work(transaction: Transaction) -> dict[str, Mapping[str, str | None]]:
            return {
                ref.bundle: {
                    name: rule.payer for name, rule in self._policies.of(ref, transaction).payouts.items()
                }
                for ref in refs
            }

        return self._read(work)

    # --- proving ------------------------------------------------------------------------------------------------------

    def meant(self, ids: Collection[str], sought: Sought) -> Sought:
        """Return what seeks some cases, or where none is named those sought.

        Raises:
            UnknownCase: there is no case of one of the ids.
        """
        if not ids:
            return sought
        named = replace(sought, ids=tuple(dict.fromkeys(ids)))
        there = {summary.id for summary in self.summaries(Sought(ids=named.ids))}
        for case_id in ids:
            _only([case_id] if case_id in there else [], case_id)
        return named

    def verify(self, sought: Sought, tell: Tell) -> Proven:
        """Prove the journals of cases one after another, and decide every step again."""
        proven = Proven()
        for summary in self.summaries(sought):
            proven.cases += 1
            try:
                verified = self._engine.verify(summary.id)
            except (StoreUnavailable, Conflict):
                raise
            except AmendsError as problem:
                proven.wrong[summary.id] = str(problem)
            else:
                proven.entries += verified.case.seq + 1
                proven.decided += verified.decided
            tell(proven.cases)
        return proven

    # --- carrying -----------------------------------------------------------------------------------------------------

    def export(self, sought: Sought, *, reveal: bool, tell: Tell) -> Iterator[bytes]:
        """Yield the lines of a file that holds cases, and all that is needed to go on with them elsewhere.

        Raises:
            CorruptJournal: a journal is not the one that was written; the message names the case.
        """
        packing = Packing(sensitive=reveal)
        yield packing.first()
        count = 0
        for page in chunks((summary.id for summary in self.summaries(sought)), CHUNK):
            kept = self._read(_kept(page, reveal=reveal))
            for one in sorted(kept, key=lambda one: page.index(one.case_id)):
                yield from self._packed(packing, one)
            count += len(page)
            tell(count)
        yield packing.last()

    def _packed(self, packing: Packing, kept: Kept) -> Iterator[bytes]:
        try:
            lacking = packing.lacks(refs_of(kept))
        except CorruptJournal as problem:
            raise CorruptJournal(f"the case `{kept.case_id}`: {problem}") from problem
        for ref in lacking:
            bundle = self._read(_bundle(ref.bundle))
            if bundle is None:
                raise UnknownPolicy(f"the store does not have {ref.name} {ref.version} ({ref.bundle[:12]}…)")
            yield packing.policy(ref, bundle)
        yield packing.case(kept)

    def import_(self, file: IO[bytes], *, live: bool, tell: Tell) -> Imported:
        """Write the cases of a file: all of them, or none where anything is wrong.

        Everything is proven first, so that the transaction that writes is short.

        Args:
            file: as `export` wrote it; it is read twice.
            live: go on with them here; else they are copies that do nothing by themselves.
            tell: told how many cases are proven.
        Raises:
            InvalidValue: the file or a line is wrong, or a case is there already; the message says which.
        """
        arrivals = Arrivals()
        count = 0
        for ids in chunks(proven(file, arrivals), CHUNK):
            self._read(absent(ids))
            count += len(ids)
            tell(count)
        return tried(self._engine.store, written(file, arrivals, live=live))

    def _read(self, work: Work[Result]) -> Result:
        return tried(self._engine.store, work, reads=True)


def _page(sought: Sought, after: str | None) -> Work[tuple[str | None, list[Standing]]]:
    """Read a page of cases with how they stand, and where the next one begins."""
    listed = page_of(sought, after, PAGE)

    def work(transaction: Transaction) -> tuple[str | None, list[Standing]]:
        page = listed(transaction)
        found = _sound(transaction, [one.id for one in page.cases])
        return page.next, [Standing(summary=one, case=found.get(one.id)) for one in page.cases]

    return work


def _sound(transaction: Transaction, ids: Sequence[str]) -> Mapping[str, Case]:
    """Return cases; one whose row is damaged is left out, and keeps no other from being shown."""
    try:
        return transaction.sealed(ids)
    except CorruptJournal:
        if len(ids) == 1:
            return {}
        half = len(ids) // 2
        return {**_sound(transaction, ids[:half]), **_sound(transaction, ids[half:])}


def _kept(ids: Sequence[str], *, reveal: bool) -> Work[tuple[Kept, ...]]:
    return lambda transaction: transaction.kept(ids, reveal=reveal)


def _bundle(digest: str) -> Work[Bundle | None]:
    return lambda transaction: transaction.bundle(digest)


def _entries(kept: Kept) -> Iterator[Written]:
    for seq, (entry, head) in enumerate(zip(kept.entries, kept.heads, strict=True)):
        try:
            step = read_entry(entry, kept.vault)
            data, _ = uncovered(json.loads(entry), kept.vault)
        except (CorruptJournal, ValueError) as problem:
            raise CorruptJournal(f"the case `{kept.case_id}`: entry {seq}: {problem}") from problem
        yield Written(data=data, head=head, step=step)


def _decided(decision: Value) -> str:
    """Return a decision as text, to be counted by; one for each of several lines counts as that."""
    if decision is None:
        return ""
    return "(several)" if isinstance(decision, Mapping) else str(plain(decision))


def _only(found: Sequence[Item], case_id: str) -> Item:
    if not found:
        raise UnknownCase(f"there is no case `{case_id}`")
    return found[0]
