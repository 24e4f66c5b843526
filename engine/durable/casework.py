"""What a host can have done to cases, each as a function of one transaction: the same for every store and every engine."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ..allowed import Allowed, allowed
from ..calendar import tzdata_version
from ..case import Case
from ..deadlines import deadlines
from ..errors import CorruptJournal, InvalidValue, UnknownCase
from ..evolve import rebuild
from ..given import check_names, check_size, check_texts
from ..journal import entry_of, read_entry
from ..library import Library
from ..literal import plain
from ..policy import CompiledPolicy
from ..publishing.migration import MigrationPreview, previewed, way_back
from ..sent import Sending, Sent
from ..step import Event, Migrate, Open, Step
from ..stepping.answers import Ask
from ..stepping.intake import floored
from ..stepping.messages import Messages, messages
from ..store.protocol import Keyed, Transaction, Work
from ..verify import Verified, verify
from .again import check_opened_before, migrated_before, sent_before, sent_of
from .firing import Fired, fire_batch
from .session import Limits, Policies, Session, Working


class Clock(Protocol):
    """Where the engine takes the time from, when the host does not pass it."""

    def now(self) -> datetime:
        """Return an aware instant."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


class Casework:
    """Makes the work that engines have done by their stores.

    Args:
        library: the policies.
        clock: tells the time where a call does not.
        limits: of what hosts send.
        ask: answers what the host answers, and says of what it does not that it does not.
    """

    def __init__(self, library: Library, clock: Clock, limits: Limits, ask: Ask) -> None:
        self.library = library
        self.policies = Policies(library)
        self._clock = clock
        self._limits = limits
        self._ask = ask

    def now(self, at: datetime | None) -> datetime:
        """Return an instant that was given, or the present one."""
        return floored(at or self._clock.now())

    def _session(self, transaction: Transaction, *, reads: bool = False) -> Session:
        return Session(transaction, self.policies, self._limits, self._ask, reads=reads)

    # --- opening ------------------------------------------------------------------------------------------------------

    def open(
        self,
        policy: str | None,
        facts: Mapping[str, Any],
        *,
        at: datetime | None,
        timezone: str | None,
        key: str | None,
        case_id: str | None,
        secret: bytes | None,
    ) -> Work[Case]:
        """Open a case, or find the one that was opened with the key."""
        given = plain(facts)
        check_texts(timezone)
        check_names(case_id, key)
        check_size(given, self._limits.facts_bytes, "the facts")
        now = self.now(at)
        new_id = case_id or uuid.uuid4().hex
        new_secret = secrets.token_bytes(32) if secret is None else secret

        def work(transaction: Transaction) -> Case:
            if key is not None and (known := transaction.opened(key)) is not None:
                check_opened_before(transaction, known, key, policy, given)
                return case_in(transaction, known)
            chosen = self.library.choose(given, now, policy)
            opening = Open(
                case_id=new_id,
                policy=chosen.ref,
                facts=given,
                timezone=timezone,
                key=key,
                recorded_at=now,
                secret=new_secret,
                tzdata=tzdata_version(),
            )
            session = self._session(transaction)
            case = session.open(chosen, opening).case
            session.flush()
            return case

        return work

    # --- events -------------------------------------------------------------------------------------------------------

    def send(self, sending: Sequence[Sending]) -> Work[tuple[Sent, ...]]:
        """Send events in their order, all in one transaction."""
        arriving = [(one.case_id, self.event(one)) for one in sending]

        def work(transaction: Transaction) -> tuple[Sent, ...]:
            session = self._session(transaction)
            session.load({case_id for case_id, _ in arriving})
            session.load_keys([(case_id, one.key) for case_id, one in arriving if one.key is not None])
            sent = tuple(_send(session, case_id, arrived) for case_id, arrived in arriving)
            session.flush()
            return sent

        return work

    def take(self, transaction: Transaction, case_id: str, arrived: Event) -> Sent:
        """Send what the application itself has to say, within a transaction that does more."""
        session = self._session(transaction)
        host = session.working(case_id).policy.host
        sent = _send(session, case_id, replace(arrived, actor=host, role=host))
        session.flush()
        return sent

    def preview(self, sending: Sending) -> Work[Sent]:
        """Find out what an event would do; nothing is written."""
        arrived = self.event(sending)
        return lambda transaction: _send(self._session(transaction, reads=True), sending.case_id, arrived)

    def event(self, sending: Sending) -> Event:
        """Return what arrives.

        Raises:
            InvalidValue: it cannot be written down.
            TooLarge: there is too much of it.
        """
        given = plain(sending.data or {})
        check_texts(sending.event, sending.by)
        check_names(sending.key)
        check_size(given, self._limits.event_bytes, f"the data of the event `{sending.event[:60]}`")
        now = self.now(sending.at)
        return Event(
            name=sending.event,
            data=given,
            actor=sending.by,
            role=sending.by.partition(":")[0],
            occurred_at=floored(sending.occurred_at or now),
            recorded_at=now,
            key=sending.key,
            tzdata=tzdata_version(),
        )

    # --- other versions -----------------------------------------------------------------------------------------------

    def migrate(
        self, case_id: str, version: str, *, by: str, at: datetime | None, key: str | None
    ) -> Work[Sent]:
        """Let a case go on under another version of its policy."""
        now = self.now(at)

        def way(session: Session, working: Working) -> tuple[Migrate, CompiledPolicy]:
            policy = self.library.get(working.case.policy.name, version)
            self.policies.keep(policy.ref, session.transaction)
            return Migrate(policy=policy.ref, actor=by, recorded_at=now, key=key), policy

        return self._migrating(case_id, by, now, key, way)

    def migrate_back(self, case_id: str, *, by: str, at: datetime | None, key: str | None) -> Work[Sent]:
        """Take the last migration of a case back."""
        now = self.now(at)

        def way(session: Session, working: Working) -> tuple[Migrate, CompiledPolicy]:
            session.flush()
            steps = session.transaction.steps(case_id)
            arrived = way_back(steps, working.policy, actor=by, at=now, key=key)
            return arrived, self.policies.of(arrived.policy, session.transaction)

        return self._migrating(case_id, by, now, key, way)

    def preview_migration(self, case_id: str, version: str, at: datetime | None) -> Work[MigrationPreview]:
        """Find out what a migration would do; nothing is written."""
        now = self.now(at)

        def work(transaction: Transaction) -> MigrationPreview:
            session = self._session(transaction, reads=True)
            working = session.working(case_id)
            policy = self.library.get(working.case.policy.name, version)
            session.fire(working, now)
            before, hidden = working.case, working.policy.sensitive
            step = session.migrate(working, Migrate(policy=policy.ref, actor="", recorded_at=now), policy)
            return previewed(policy, before, step, hidden)

        return work

    def _migrating(
        self,
        case_id: str,
        by: str,
        now: datetime,
        key: str | None,
        way: Callable[[Session, Working], tuple[Migrate, CompiledPolicy]],
    ) -> Work[Sent]:
        check_texts(by)
        check_names(key)

        def work(transaction: Transaction) -> Sent:
            session = self._session(transaction)
            working = session.working(case_id)
            if key is not None and (known := session.keyed(case_id, key)) is not None:
                return migrated_before(session, working, known, by, self.policies)
            first = working.case.seq + 1
            before = session.fire(working, now)
            arrived, policy = way(session, working)
            step = session.migrate(working, replace(arrived, tzdata=tzdata_version()), policy)
            if key is not None:
                session.used(working, Keyed(key=key, first=first, seq=step.seq))
            sent = sent_of(working.policy, working.case, before, step)
            session.flush()
            return sent

        return work

    # --- timers -------------------------------------------------------------------------------------------------------

    def fire(self, now: datetime, limit: int) -> Work[Fired]:
        """Fire what is due in some cases, in due order; a case that cannot be computed is parked."""
        return lambda transaction: fire_batch(self._session(transaction), now, limit)

    # --- reading ------------------------------------------------------------------------------------------------------

    def case(self, case_id: str) -> Work[Case]:
        """Return a case as it stands."""
        return lambda transaction: case_in(transaction, case_id)

    def policy_of(self, case_id: str) -> Work[CompiledPolicy]:
        """Return the policy that a case is pinned to."""
        return lambda transaction: self.policies.of(case_in(transaction, case_id).policy, transaction)

    def journal(self, case_id: str) -> Work[tuple[Step, ...]]:
        """Return the steps of a case."""
        return lambda transaction: _known(case_id, transaction.steps(case_id))

    def deadlines(self, case_id: str) -> Work[Mapping[str, datetime | None]]:
        """Return what a case's clocks, windows and moments stand at."""

        def work(transaction: Transaction) -> Mapping[str, datetime | None]:
            case = case_in(transaction, case_id)
            return deadlines(self.policies.of(case.policy, transaction), case)

        return work

    def step(
        self, case_id: str, wanted: int | Step | None, *, reveal: bool
    ) -> Work[tuple[Case, CompiledPolicy, Step, Messages]]:
        """Return a step of a case, by default the last, with what it is told by; sensitive values only if asked for."""

        def work(transaction: Transaction) -> tuple[Case, CompiledPolicy, Step, Messages]:
            case = case_in(transaction, case_id)
            policy = self.policies.of(case.policy, transaction)
            if isinstance(wanted, Step):
                return case, policy, _shown(wanted, reveal=reveal), {}
            step = _numbered(transaction, case, wanted)
            said: Messages = {}
            if step.effects:
                # A sentence speaks of nothing sensitive: AM208.
                left = rebuild(transaction.steps(case_id, 0, step.seq)) or case
                said = messages(self.policies.of(left.policy, transaction), left, step.effects)
            return case, policy, _shown(step, reveal=reveal), said

        return work

    def allowed(self, case_id: str, now: datetime) -> Work[tuple[Allowed, ...]]:
        """Return which events may be sent; what is due by then is taken to have fired."""

        def work(transaction: Transaction) -> tuple[Allowed, ...]:
            session = self._session(transaction, reads=True)
            working = session.working(case_id)
            session.fire(working, now)
            return allowed(working.policy, working.case, now)

        return work

    def verify(self, case_id: str) -> Work[Verified]:
        """Prove the chain of a case, decide every step again, and compare the case that this makes with the one kept."""

        def work(transaction: Transaction) -> Verified:
            case = case_in(transaction, case_id)
            written = transaction.entries(case_id)
            inputs = (step.input for step in transaction.steps(case_id))
            refs = dict.fromkeys(arrived.policy for arrived in inputs if isinstance(arrived, Open | Migrate))
            verified = verify(
                [self.policies.of(ref, transaction) for ref in refs],
                [entry for entry, _ in written],
                [head for _, head in written],
                vault=transaction.vault(case_id),
                secret=case.secret,
            )
            if verified.case != case:
                raise CorruptJournal(f"the case `{case_id}` is not what its journal makes")
            return verified

        return work

    def unpark(self, case_id: str) -> Work[None]:
        """Fire the timers of a parked case again."""

        def work(transaction: Transaction) -> None:
            case_in(transaction, case_id)
            transaction.park(case_id, None)

        return work

    def erase(self, case_id: str) -> Work[None]:
        """Forget the sensitive values of a case."""
        secret = secrets.token_bytes(32)

        def work(transaction: Transaction) -> None:
            case_in(transaction, case_id)
            transaction.erase(case_id, secret)

        return work


def case_in(transaction: Transaction, case_id: str) -> Case:
    """Return a case.

    Raises:
        UnknownCase: there is no such case.
    """
    found = transaction.cases([case_id]).get(case_id)
    if found is None:
        raise UnknownCase(f"there is no case `{case_id}`")
    return found


def _numbered(transaction: Transaction, case: Case, seq: int | None) -> Step:
    number = case.seq if seq is None else seq
    if not 0 <= number <= case.seq:
        raise InvalidValue(f"the case `{case.id}` has the steps 0 to {case.seq}, and no step {number}")
    (step,) = transaction.steps(case.id, number, number)
    return step


def _shown(step: Step, *, reveal: bool) -> Step:
    return step if reveal or not step.sealed else read_entry(entry_of(step))


def _known(case_id: str, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps:
        raise UnknownCase(f"there is no case `{case_id}`")
    return steps


# --- one event ----------------------------------------------------------------------------------------------------------


def _send(session: Session, case_id: str, arrived: Event) -> Sent:
    working = session.working(case_id)
    if arrived.key is not None and (known := session.keyed(case_id, arrived.key)) is not None:
        return sent_before(session, working, known, arrived)
    first = working.case.seq + 1
    before = session.fire(working, arrived.recorded_at)
    step = session.step(working, arrived)
    if arrived.key is not None:
        session.used(working, Keyed(key=arrived.key, first=first, seq=step.seq))
    return sent_of(working.policy, working.case, before, step)
