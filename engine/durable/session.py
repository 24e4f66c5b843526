"""A unit of work: cases that are read once, moved step by step, and written together at the end of a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ..calendar import tzdata_version
from ..case import Case, PolicyRef
from ..errors import InvalidValue, TooLarge, UnknownCase, UnknownPolicy
from ..evolve import evolve
from ..journal import entry_of
from ..library import Library
from ..policy import CompiledPolicy
from ..publishing.bundle import open_bundle
from ..step import Due, Input, Migrate, Open, Query, Step
from ..stepping.answers import Ask, decide_asking
from ..store.protocol import CaseKey, Filing, Keyed, Saved, Transaction, Written
from ..values import Sealed, Value
from . import notices

#: What a host answers to a question that is none of its own.
NOT_THE_HOST: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large what hosts send may be, how long a case may become, and how late its timers may fire unnoticed."""

    #: Bytes of the facts of an opening, and of the data of an event, as canonical JSON.
    facts_bytes: int = 262_144
    event_bytes: int = 65_536
    #: Steps of one case.
    steps: int = 10_000
    #: Bytes of one entry of the journal, as canonical JSON.
    entry_bytes: int = 1_048_576
    #: A timer that fires later than this after its instant is logged.
    late: timedelta = timedelta(minutes=5)


class Policies:
    """Compiled policies by the digest of their bundle: those of a library, and those that only the store has left."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._known = {policy.ref.bundle: policy for policy in library.policies}

    def of(self, ref: PolicyRef, transaction: Transaction) -> CompiledPolicy:
        """Return the policy that a case is pinned to.

        Raises:
            UnknownPolicy: neither the library nor the store has it.
        """
        known = self._known.get(ref.bundle)
        if known is None:
            bundle = transaction.bundle(ref.bundle)
            if bundle is None:
                raise UnknownPolicy(
                    f"neither library nor store has {ref.name} {ref.version} ({ref.bundle[:12]}…)"
                )
            # Two threads may compile it at once; either is as good.
            known = self._known[ref.bundle] = open_bundle(bundle)
        return known

    def known(self, ref: PolicyRef) -> CompiledPolicy | None:
        """Return the policy that a case is pinned to if it was compiled already."""
        return self._known.get(ref.bundle)

    def keep(self, ref: PolicyRef, transaction: Transaction) -> None:
        """Keep a policy of the library in the store, beside the cases that are opened under it."""
        transaction.keep_bundle(ref, self.library.bundles.get(ref.bundle))


@dataclass(slots=True)
class Working:
    """A case in a transaction's hands."""

    policy: CompiledPolicy
    case: Case
    #: The step at which the store has it; None for a case that it does not have yet.
    stored: int | None
    written: list[Written] = field(default_factory=list)
    keys: list[Keyed] = field(default_factory=list)
    opened_by: str | None = None


class Session:
    """Moves cases within one transaction.

    Args:
        transaction: of any store.
        policies: to find what cases are pinned to.
        limits: how long a case may become.
        ask: answers what the host answers, and NOT_THE_HOST to all else.
        reads: nothing is to be written, whatever happens to the cases.
    """

    def __init__(
        self, transaction: Transaction, policies: Policies, limits: Limits, ask: Ask, *, reads: bool = False
    ) -> None:
        self.transaction = transaction
        self._host = ask
        self._reads = reads
        self._policies = policies
        self.limits = limits
        self._working: dict[str, Working] = {}
        #: What is known of keys; None for one that has not come.
        self._keyed: dict[CaseKey, Keyed | None] = {}

    def load(self, ids: Collection[str]) -> None:
        """Read cases, so that no more than one question is put to the store for all of them."""
        for case in self.transaction.cases([one for one in ids if one not in self._working]).values():
            policy = self._policies.of(case.policy, self.transaction)
            self._working[case.id] = Working(policy, case, case.seq)

    def working(self, case_id: str) -> Working:
        """Return a case to be moved.

        Raises:
            UnknownCase: there is no such case.
        """
        if case_id not in self._working:
            self.load([case_id])
        try:
            return self._working[case_id]
        except KeyError:
            raise UnknownCase(f"there is no case `{case_id}`") from None

    def open(self, policy: CompiledPolicy, opening: Open) -> Working:
        """Open a case.

        Raises:
            InvalidValue: there is one of that id.
        """
        if opening.case_id in self._working or self.transaction.cases([opening.case_id]):
            raise InvalidValue(f"there is a case `{opening.case_id}` already")
        self._policies.keep(policy.ref, self.transaction)
        step = decide_asking(policy, None, opening, self._asking(opening.case_id))
        entry = self._entry(step, opening.case_id)
        case = evolve(None, step, entry)
        working = Working(policy, case, None, [Written(step=step, entry=entry, case=case)])
        working.opened_by = opening.key
        self._working[case.id] = working
        return working

    def migrate(self, working: Working, arrived: Migrate, policy: CompiledPolicy) -> Step:
        """Take the step by which a case goes on under another policy, where it can."""
        step = self.step(working, arrived, policy)
        if working.case.policy == policy.ref:
            working.policy = policy
        return step

    def step(self, working: Working, arrived: Input, policy: CompiledPolicy | None = None) -> Step:
        """Take a step, and return it; `policy` where it is not the one that the case is under.

        Raises:
            TooLarge: the case has had as many steps as it may have.
        """
        if working.case.seq + 1 >= self.limits.steps:
            raise TooLarge(
                f"the case `{working.case.id}` has had {self.limits.steps} steps, and may have no more; "
                "raise `Limits.steps` if that is as it should be"
            )
        step = decide_asking(policy or working.policy, working.case, arrived, self._asking(working.case.id))
        entry = self._entry(step, working.case.id)
        working.case = evolve(working.case, step, entry)
        working.written.append(Written(step=step, entry=entry, case=working.case))
        return step

    def _entry(self, step: Step, case_id: str) -> bytes:
        """Return the journal entry of a step, unless facts have grown beyond what one may hold."""
        entry = entry_of(step)
        if len(entry) > self.limits.entry_bytes:
            raise TooLarge(
                f"the step {step.seq} of the case `{case_id}` takes {len(entry)} bytes of journal, and may take "
                f"{self.limits.entry_bytes}; send less, or raise `Limits.entry_bytes` if that is as it should be"
            )
        return entry

    def _asking(self, case_id: str) -> Ask:
        """Return what answers a case: the host, else all other cases as they stand, those of this transaction too."""

        def ask(query: Query) -> Any:
            told = self._host(query)
            if told is not NOT_THE_HOST:
                return told
            if not self._reads:
                self.flush()
            return self.transaction.answer(query, case_id)

        return ask

    def fire(self, working: Working, now: datetime) -> tuple[Step, ...]:
        """Fire what is due, one after another: each step may arm or disarm the next.

        Case time never goes back, so what was due by the last step is due, however early an input says it is.
        """
        now = max(now, working.case.at)
        fired = []
        while working.case.timers and working.case.timers[0].fires_at <= now:
            fired.append(self.fire_next(working, now))
        if not self._reads:
            notices.late(((working.case.id, step) for step in fired), self.limits.late)
        return tuple(fired)

    def fire_next(self, working: Working, now: datetime) -> Step:
        """Fire the timer that is due first."""
        timer = working.case.timers[0]
        due = Due(timer=timer.id, fires_at=timer.fires_at, fired_at=now, tzdata=tzdata_version())
        return self.step(working, due)

    def load_keys(self, pairs: Collection[CaseKey]) -> None:
        """Look up what events with keys did to cases; after `load`, so that nobody else adds to them."""
        self._keyed.update(dict.fromkeys(pairs))
        self._keyed.update(self.transaction.keyed(pairs))

    def keyed(self, case_id: str, key: str) -> Keyed | None:
        """Return what an event with a key did to a case, in this transaction or before."""
        if (case_id, key) not in self._keyed:
            self.load_keys([(case_id, key)])
        return self._keyed[case_id, key]

    def used(self, working: Working, keyed: Keyed) -> None:
        """Note what an event with a key did."""
        working.keys.append(keyed)
        self._keyed[working.case.id, keyed.key] = keyed

    def flush(self) -> None:
        """Write what was done since the last time."""
        moved = [working for working in self._working.values() if working.written]
        if moved:
            self.transaction.save([saved_of(working) for working in moved])
        for working in moved:
            working.stored = working.case.seq
            working.written, working.keys, working.opened_by = [], [], None


def saved_of(working: Working) -> Saved:
    """Return what is to be written of a case."""
    return Saved(
        before=working.stored,
        case=working.case,
        written=tuple(working.written),
        filing=filing_of(working.policy, working.case),
        found_by=_found_by(working.policy, working.case),
        keys=tuple(working.keys),
        opened_by=working.opened_by,
    )


def filing_of(policy: CompiledPolicy, case: Case) -> Filing:
    """Return what a case is listed by."""
    states = [leg.states[case.legs[leg.name]] for leg in policy.legs]
    return Filing(
        states=tuple(state.name for state in states),
        waits_for=tuple(dict.fromkeys(role for state in states for role in state.waits_for)),
        closed=all(state.final is not None for state in states),
    )


def _found_by(policy: CompiledPolicy, case: Case) -> Mapping[str, Value]:
    """Return the facts that other cases may ask by: simple ones, and nothing sensitive."""
    return {
        name: value
        for name, value in case.facts.items()
        if name not in policy.sensitive and not isinstance(value, Mapping | tuple | list | Sealed)
    }
