"""The face for hosts: policies, a store of cases, and a clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Self

from .allowed import Allowed
from .case import Case
from .durable.casework import Casework, Clock, SystemClock
from .durable.delivery import CLAIM, Handler, Outbox, Remedy, Retries, resolved
from .durable.firing import BATCH
from .durable.listing import Page, listed
from .durable.session import NOT_THE_HOST, Limits
from .durable.trying import tried
from .errors import AmendsError, Conflict, StoreUnavailable
from .library import Library
from .policy import CompiledPolicy
from .publishing.migration import MigrationPreview
from .render.why import full_why
from .sent import Sending, Sent
from .step import Query, Step
from .stepping.answers import Ask
from .store import open_store
from .store.protocol import Delivery, DeliveryState, Result, Store, Work
from .telemetry.watching import Call, Telemetry
from .verify import Verified


class Engine:
    """Runs cases of a library's policies. Safe for threads; time is passed in, or read from the clock.

    Args:
        library: the policies.
        store: where cases live: the address of a database, such as `sqlite:///cases.db` or
            `postgresql://user@host/database`, or a store; in this process's memory where left out.
        clock: where the time comes from when a call does not say; the machine's where left out.
        lookups: what the host answers, by the name of a lookup or balance: called with the question, gives plain data, or
            None where it does not know. What is not among them the cases of the store answer.
        limits: how large what is sent may be.
        retries: when an effect that could not be delivered is delivered again.
        chance: where the spread of its pauses comes from: numbers between 0 and 1; random ones where left out.
    Raises:
        InvalidValue: the store is not the address of a database.
        StoreOutdated: its tables are those of another version of amends.
        StoreUnavailable: it does not answer. Any call may raise this, and `Conflict`.
    """

    def __init__(
        self,
        library: Library,
        store: Store | str | None = None,
        *,
        clock: Clock | None = None,
        lookups: Mapping[str, Ask] | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.library = library
        self.store = open_store(store)
        self.lookups: dict[str, Ask] = dict(lookups or {})
        self._casework = Casework(library, clock or SystemClock(), limits or Limits(), self._ask)
        self._outbox = Outbox(self._casework, retries or Retries(), chance or random.random)
        self._telemetry = Telemetry(self._casework.policies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store's connections."""
        self.store.close()

    def open(
        self,
        policy: str | None,
        facts: Mapping[str, Any],
        *,
        at: datetime | None = None,
        timezone: str | None = None,
        key: str | None = None,
        case_id: str | None = None,
        secret: bytes | None = None,
    ) -> Case:
        """Open a case and return it.

        Args:
            policy: its name, or None to let `serves` choose.
            facts: by name, as plain data or typed values.
            at: when; the clock's present where left out.
            timezone: of the case, where it is not the policy's.
            key: makes opening twice the same as opening once.
            case_id: the case's id; a random one where left out.
            secret: the key that sensitive values are committed with; a random one where left out.
        Raises:
            UnknownPolicy: no policy takes the case.
            InvalidValue: the facts are not of their declared types.
            RuleError: a rule failed, or needs a fact that is missing; no case is opened.
        """
        work = self._casework.open(
            policy, facts, at=at, timezone=timezone, key=key, case_id=case_id, secret=secret
        )
        return self._do(work, "open", case_id)

    def send(
        self,
        case_id: str,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str,
        at: datetime | None = None,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> Sent:
        """Send an event and return what became of it; a refusal is an answer, not an exception.

        Args:
            case_id: of an open case.
            event: its name.
            data: by field, as plain data or typed values.
            by: who sends it, such as `agent:7`; what stands before the colon is the role.
            at: when it is recorded; the clock's present where left out.
            occurred_at: when it happened, where that was earlier.
            key: the same key with the same data gives the first answer again.
        Raises:
            UnknownCase: there is no such case.
            InvalidValue: the data cannot be written down (floats, foreign objects), or the key came with other data.
        """
        sending = Sending(
            case_id=case_id, event=event, data=data, by=by, at=at, occurred_at=occurred_at, key=key
        )
        (sent,) = self.send_many([sending])
        return sent

    def send_many(self, sending: Iterable[Sending]) -> tuple[Sent, ...]:
        """Send events in their order, in one transaction: all of them are kept, or, where one raises, none.

        Raises:
            UnknownCase: there is no such case.
            InvalidValue: as `send`.
        """
        events = tuple(sending)
        return self._do(self._casework.send(events), "send", events[0].case_id if len(events) == 1 else None)

    def preview(
        self,
        case_id: str,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str,
        at: datetime | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        """Return what `send` would return, and do nothing."""
        sending = Sending(case_id=case_id, event=event, data=data, by=by, at=at, occurred_at=occurred_at)
        return self._read(self._casework.preview(sending))

    def migrate(
        self, case_id: str, version: str, *, by: str, at: datetime | None = None, key: str | None = None
    ) -> Sent:
        """Let a case go on under another version of its policy that takes it over; a refusal is an answer.

        Raises:
            UnknownCase: there is no such case.
            UnknownPolicy: the library has no such version.
        """
        return self._do(self._casework.migrate(case_id, version, by=by, at=at, key=key), "migrate", case_id)

    def preview_migration(
        self, case_id: str, version: str, *, at: datetime | None = None
    ) -> MigrationPreview:
        """Return what `migrate` would do to a case, and do nothing."""
        return self._read(self._casework.preview_migration(case_id, version, at))

    def migrate_back(
        self, case_id: str, *, by: str, at: datetime | None = None, key: str | None = None
    ) -> Sent:
        """Take the last migration of a case back: it goes on under the version before.

        Raises:
            InvalidValue: it was not migrated, or that was taken back already.
        """
        return self._do(self._casework.migrate_back(case_id, by=by, at=at, key=key), "migrate", case_id)

    def run_due(self, at: datetime | None = None, *, limit: int | None = None) -> tuple[Step, ...]:
        """Fire every timer that is due by an instant, in due order over all cases, and return the steps.

        It works in small transactions, so that events find their turn between them. A case whose timers cannot be
        computed is parked, logged and left out.

        Args:
            at: by when; the clock's present where left out.
            limit: how many timers to fire at most.
        """
        now = self._casework.now(at)
        fired: list[Step] = []
        while limit is None or len(fired) < limit:
            size = BATCH if limit is None else min(BATCH, limit - len(fired))
            batch = self._do(self._casework.fire(now, size), "run_due")
            fired += batch.steps
            if batch.done:
                break
        return tuple(fired)

    def effect(self, kind: str) -> Callable[[Handler], Handler]:
        """Register the decorated function as the handler of a kind of effect, or with `*` of all that have none.

        It is called with a `Delivery`, outside of any transaction and perhaps more than once, and hands `delivery.key` on
        as an idempotency key. It returns None when the effect is on its way; one of payouts may return `Settled` or
        `Failed`, and one of reversals `Reversed`, which becomes the payout's own event. If it raises, it is called again
        later.

        Raises:
            InvalidValue: the kind has a handler.
        """

        def register(handler: Handler) -> Handler:
            self._outbox.register(kind, handler)
            return handler

        return register

    def deliver(self, at: datetime | None = None, *, limit: int | None = None) -> tuple[Delivery, ...]:
        """Call the handlers of what has to be done by an instant, and return what was delivered or failed.

        Any number of workers may do this at once; none of them gets what another has in hand.

        Args:
            at: by when; the clock's present where left out.
            limit: how many deliveries to make at most.
        """
        done: list[Delivery] = []
        while limit is None or len(done) < limit:
            size = CLAIM if limit is None else min(CLAIM, limit - len(done))
            claimed = self._do(self._outbox.claim(self._casework.now(at), size))
            for delivery in claimed:
                with self._telemetry.deliver(delivery) as watch:
                    done.append(watch.delivered(self._deliver(delivery, at)))
            if not claimed:
                break
        return tuple(done)

    def _deliver(self, delivery: Delivery, at: datetime | None) -> Delivery:
        try:
            outcome = self._outbox.handler_of(delivery)(delivery)
            work = self._outbox.finish(delivery, outcome, self._casework.now(at))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the others have their turn
            return self._do(self._outbox.fail(delivery, error, self._casework.now(at)))
        try:
            return self._do(work)
        except (Conflict, StoreUnavailable):
            # Nothing can be noted now: the lease runs out, and it is delivered again.
            raise
        except AmendsError as error:
            return self._do(self._outbox.fail(delivery, error, self._casework.now(at)))

    def deliveries(
        self,
        state: DeliveryState | None = None,
        *,
        case_id: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[Delivery, ...]:
        """List deliveries in the order of their keys.

        Args:
            state: `waiting`, `done`, or `dead`: given up after too many attempts.
            case_id: those of one case.
            after: the key of the last one of the page before.
            limit: how many at most.
        """
        return self._read(lambda transaction: transaction.deliveries(state, case_id, after, limit))

    def resolve(self, key: str, remedy: Remedy, *, at: datetime | None = None) -> None:
        """Deliver `again` what was given up, or take it as `done` by other means; what waits behind it goes on.

        Raises:
            InvalidValue: nothing of that key was given up.
        """
        self._do(resolved(key, remedy, self._casework.now(at)))

    def case(self, case_id: str) -> Case:
        """Return a case as it stands, or raise `UnknownCase`."""
        return self._read(self._casework.case(case_id))

    def cases(
        self,
        *,
        policy: str | None = None,
        state: str | None = None,
        waits_for: str | None = None,
        closed: bool | None = None,
        overdue_at: datetime | None = None,
        stuck: bool | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        """List cases in the order in which they were opened, page by page.

        Args:
            policy: those of a policy.
            state: those that stand in a state.
            waits_for: those that wait for a role.
            closed: those that are over, or with False those that are not.
            overdue_at: those with a timer that was due by then and has not fired.
            stuck: those that a person has to look at, for a rule failed or they are parked; or with False the others.
            after: the `next` of the page before.
            limit: how many at most.
        Raises:
            InvalidValue: there is no such page.
        """
        return self._read(
            listed(
                policy=policy,
                state=state,
                waits_for=waits_for,
                closed=closed,
                overdue_at=overdue_at,
                stuck=stuck,
                after=after,
                limit=limit,
            )
        )

    def journal(self, case_id: str) -> tuple[Step, ...]:
        """Return the steps of a case, the opening first."""
        return self._read(self._casework.journal(case_id))

    def why(
        self, case_id: str, seq: int | Step | None = None, *, lang: str = "en", reveal: bool = False
    ) -> dict[str, Any]:
        """Return everything that a step did, and why, as JSON data.

        Args:
            case_id: of the case.
            seq: the number of the step, or the step itself, such as one of `preview`; the last one where left out.
            lang: of the sentences.
            reveal: show sensitive values too.
        Raises:
            InvalidValue: there is no such step.
        """
        case, policy, step, said = self._read(self._casework.step(case_id, seq, reveal=reveal))
        return full_why(policy, case, step, said, lang)

    def allowed(self, case_id: str, at: datetime | None = None) -> tuple[Allowed, ...]:
        """Return the events that a case listens to at an instant: by whom they may be sent, and with which data."""
        return self._read(self._casework.allowed(case_id, self._casework.now(at)))

    def deadlines(self, case_id: str) -> Mapping[str, datetime | None]:
        """Return the last second of every clock, window and named moment, by name; None while unknown or paused."""
        return self._read(self._casework.deadlines(case_id))

    def policy_of(self, case_id: str) -> CompiledPolicy:
        """Return the policy that a case is pinned to."""
        return self._read(self._casework.policy_of(case_id))

    def unpark(self, case_id: str) -> None:
        """Fire the timers of a parked case again, once what was wrong is mended.

        Raises:
            UnknownCase: there is no such case.
        """
        self._do(self._casework.unpark(case_id))

    def verify(self, case_id: str) -> Verified:
        """Prove that a journal is the one that was written, and that it makes the case; decide every step again.

        Raises:
            CorruptJournal: it is not; the message names the entry.
        """
        return self._read(self._casework.verify(case_id))

    def erase(self, case_id: str) -> None:
        """Forget the sensitive values of a case for good: they become unknown, and the journal stays whole."""
        self._do(self._casework.erase(case_id))

    def _ask(self, query: Query) -> Any:
        return self.lookups[query.name](query) if query.name in self.lookups else NOT_THE_HOST

    def _read(self, work: Work[Result]) -> Result:
        return tried(self.store, work, reads=True)

    def _do(self, work: Work[Result], call: Call | None = None, case_id: str | None = None) -> Result:
        with self._telemetry.watch(call, case_id) as watch:
            return watch.done(tried(self.store, watch.noting(work), watch))
