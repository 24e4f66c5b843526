"""The face for hosts on asyncio. It has the same work done as `Engine`, by a store that does not block the loop."""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, Self

from .allowed import Allowed
from .case import Case
from .durable import notices
from .durable.casework import Casework, Clock, SystemClock
from .durable.delivery import CLAIM, Handler, Outbox, Remedy, Retries, resolved
from .durable.firing import BATCH
from .durable.listing import Page, listed
from .durable.session import NOT_THE_HOST, Limits
from .durable.trying import TRIES
from .errors import AmendsError, Conflict, StoreUnavailable
from .library import Library
from .policy import CompiledPolicy
from .publishing.migration import MigrationPreview
from .render.why import full_why
from .sent import Sending, Sent
from .step import Query, Step
from .stepping.answers import Ask
from .store import open_async_store
from .store.memory import MemoryStore
from .store.protocol import AsyncStore, Delivery, DeliveryState, LostRace, Result, Work
from .telemetry.watching import UNWATCHED, Call, Telemetry, Watch
from .verify import Verified

#: What the host answered in the call that is being made.
_TOLD: Final[ContextVar[dict[Query, Any]]] = ContextVar("told")


class AsyncEngine:
    """Runs cases of a library's policies on asyncio. Its methods are those of `Engine`, to be awaited.

    A database's tables are made or looked at when it is first used, and not when the engine is made.

    Args:
        library: the policies.
        store: where cases live: the address of a database, or a store; in this process's memory where left out.
        clock: where the time comes from when a call does not say; the machine's where left out.
        lookups: what the host answers, by the name of a lookup or balance: called with the question, gives plain data, or
            None where it does not know. What is not among them the cases of the store answer.
        limits: how large what is sent may be.
        retries: when an effect that could not be delivered is delivered again.
        chance: where the spread of its pauses comes from: numbers between 0 and 1; random ones where left out.
    """

    def __init__(
        self,
        library: Library,
        store: AsyncStore | MemoryStore | str | None = None,
        *,
        clock: Clock | None = None,
        lookups: Mapping[str, Ask] | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.library = library
        self.store = open_async_store(store)
        self.lookups: dict[str, Ask] = dict(lookups or {})
        self._casework = Casework(library, clock or SystemClock(), limits or Limits(), self._ask)
        self._outbox = Outbox(self._casework, retries or Retries(), chance or random.random)
        self._telemetry = Telemetry(self._casework.policies)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the store's connections."""
        await self.store.close()

    async def open(
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
        """Open a case and return it, as `Engine.open`."""
        work = self._casework.open(
            policy, facts, at=at, timezone=timezone, key=key, case_id=case_id, secret=secret
        )
        return await self._do(work, "open", case_id)

    async def send(
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
        """Send an event and return what became of it, as `Engine.send`."""
        sending = Sending(
            case_id=case_id, event=event, data=data, by=by, at=at, occurred_at=occurred_at, key=key
        )
        (sent,) = await self.send_many([sending])
        return sent

    async def send_many(self, sending: Iterable[Sending]) -> tuple[Sent, ...]:
        """Send events in one transaction, as `Engine.send_many`."""
        events = tuple(sending)
        alone = events[0].case_id if len(events) == 1 else None
        return await self._do(self._casework.send(events), "send", alone)

    async def preview(
        self,
        case_id: str,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        by: str,
        at: datetime | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        """Return what `send` would return, and do nothing, as `Engine.preview`."""
        sending = Sending(case_id=case_id, event=event, data=data, by=by, at=at, occurred_at=occurred_at)
        return await self._read(self._casework.preview(sending))

    async def migrate(
        self, case_id: str, version: str, *, by: str, at: datetime | None = None, key: str | None = None
    ) -> Sent:
        """Let a case go on under another version of its policy, as `Engine.migrate`."""
        work = self._casework.migrate(case_id, version, by=by, at=at, key=key)
        return await self._do(work, "migrate", case_id)

    async def preview_migration(
        self, case_id: str, version: str, *, at: datetime | None = None
    ) -> MigrationPreview:
        """Return what `migrate` would do to a case, as `Engine.preview_migration`."""
        return await self._read(self._casework.preview_migration(case_id, version, at))

    async def migrate_back(
        self, case_id: str, *, by: str, at: datetime | None = None, key: str | None = None
    ) -> Sent:
        """Take the last migration of a case back, as `Engine.migrate_back`."""
        work = self._casework.migrate_back(case_id, by=by, at=at, key=key)
        return await self._do(work, "migrate", case_id)

    async def run_due(self, at: datetime | None = None, *, limit: int | None = None) -> tuple[Step, ...]:
        """Fire every timer that is due, as `Engine.run_due`."""
        now = self._casework.now(at)
        fired: list[Step] = []
        while limit is None or len(fired) < limit:
            size = BATCH if limit is None else min(BATCH, limit - len(fired))
            batch = await self._do(self._casework.fire(now, size), "run_due")
            fired += batch.steps
            if batch.done:
                break
        return tuple(fired)

    def effect(self, kind: str) -> Callable[[Handler], Handler]:
        """Register a handler, as `Engine.effect`; it may be a coroutine function."""

        def register(handler: Handler) -> Handler:
            self._outbox.register(kind, handler)
            return handler

        return register

    async def deliver(self, at: datetime | None = None, *, limit: int | None = None) -> tuple[Delivery, ...]:
        """Call the handlers of what has to be done, as `Engine.deliver`."""
        done: list[Delivery] = []
        while limit is None or len(done) < limit:
            size = CLAIM if limit is None else min(CLAIM, limit - len(done))
            claimed = await self._do(self._outbox.claim(self._casework.now(at), size))
            for delivery in claimed:
                with self._telemetry.deliver(delivery) as watch:
                    done.append(watch.delivered(await self._deliver(delivery, at)))
            if not claimed:
                break
        return tuple(done)

    async def _deliver(self, delivery: Delivery, at: datetime | None) -> Delivery:
        try:
            outcome = self._outbox.handler_of(delivery)(delivery)
            if inspect.isawaitable(outcome):
                outcome = await outcome
            work = self._outbox.finish(delivery, outcome, self._casework.now(at))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the others have their turn
            return await self._do(self._outbox.fail(delivery, error, self._casework.now(at)))
        try:
            return await self._do(work)
        except (Conflict, StoreUnavailable):
            # Nothing can be noted now: the lease runs out, and it is delivered again.
            raise
        except AmendsError as error:
            return await self._do(self._outbox.fail(delivery, error, self._casework.now(at)))

    async def deliveries(
        self,
        state: DeliveryState | None = None,
        *,
        case_id: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[Delivery, ...]:
        """List deliveries, as `Engine.deliveries`."""
        return await self._read(lambda transaction: transaction.deliveries(state, case_id, after, limit))

    async def resolve(self, key: str, remedy: Remedy, *, at: datetime | None = None) -> None:
        """Deliver again what was given up, or take it as done, as `Engine.resolve`."""
        await self._do(resolved(key, remedy, self._casework.now(at)))

    async def case(self, case_id: str) -> Case:
        """Return a case as it stands, as `Engine.case`."""
        return await self._read(self._casework.case(case_id))

    async def cases(
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
        """List cases page by page, as `Engine.cases`."""
        return await self._read(
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

    async def journal(self, case_id: str) -> tuple[Step, ...]:
        """Return the steps of a case, as `Engine.journal`."""
        return await self._read(self._casework.journal(case_id))

    async def why(
        self, case_id: str, seq: int | Step | None = None, *, lang: str = "en", reveal: bool = False
    ) -> dict[str, Any]:
        """Return everything that a step did, and why, as `Engine.why`."""
        case, policy, step, said = await self._read(self._casework.step(case_id, seq, reveal=reveal))
        return full_why(policy, case, step, said, lang)

    async def allowed(self, case_id: str, at: datetime | None = None) -> tuple[Allowed, ...]:
        """Return the events that a case listens to, as `Engine.allowed`."""
        return await self._read(self._casework.allowed(case_id, self._casework.now(at)))

    async def deadlines(self, case_id: str) -> Mapping[str, datetime | None]:
        """Return what a case's clocks, windows and moments stand at, as `Engine.deadlines`."""
        return await self._read(self._casework.deadlines(case_id))

    async def policy_of(self, case_id: str) -> CompiledPolicy:
        """Return the policy that a case is pinned to, as `Engine.policy_of`."""
        return await self._read(self._casework.policy_of(case_id))

    async def unpark(self, case_id: str) -> None:
        """Fire the timers of a parked case again, as `Engine.unpark`."""
        await self._do(self._casework.unpark(case_id))

    async def verify(self, case_id: str) -> Verified:
        """Prove a journal and decide every step again, as `Engine.verify`."""
        return await self._read(self._casework.verify(case_id))

    async def erase(self, case_id: str) -> None:
        """Forget the sensitive values of a case for good, as `Engine.erase`."""
        await self._do(self._casework.erase(case_id))

    async def _read(self, work: Work[Result]) -> Result:
        return await self._tried(work, UNWATCHED, reads=True)

    def _ask(self, query: Query) -> Any:
        """Answer as the host does; what it has to wait for is awaited outside of the transaction, which begins again."""
        if query.name not in self.lookups:
            return NOT_THE_HOST
        told = _TOLD.get()
        if query not in told:
            answer = self.lookups[query.name](query)
            if inspect.isawaitable(answer):
                raise _MustWait(query, answer)
            told[query] = answer
        return told[query]

    async def _do(self, work: Work[Result], call: Call | None = None, case_id: str | None = None) -> Result:
        with self._telemetry.watch(call, case_id) as watch:
            return watch.done(await self._tried(watch.noting(work), watch))

    async def _tried(self, work: Work[Result], watch: Watch, *, reads: bool = False) -> Result:
        told: dict[Query, Any] = {}
        token = _TOLD.set(told)
        try:
            lost = 0
            while True:
                try:
                    return await self.store.transact(work, reads=reads)
                except _MustWait as waiting:
                    told[waiting.query] = await waiting.answer
                except LostRace as race:
                    watch.lost()
                    lost += 1
                    if lost == TRIES:
                        raise notices.conflict(TRIES) from race
        finally:
            _TOLD.reset(token)


class _MustWait(BaseException):
    """An answer has to be awaited before the work can be done; nothing on the way may take it for a failure."""

    def __init__(self, query: Query, answer: Awaitable[Any]) -> None:
        super().__init__(query.name)
        self.query = query
        self.answer = answer
