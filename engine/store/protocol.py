"""What a store of cases must be able to do, and the rows it keeps, as plain records.

A store knows no policy and decides nothing. Whatever is done to cases is a function of a `Transaction`, written once and
without waiting for anything, so that the same function runs on every store, with and without asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, TypeVar, get_args

from ..case import Case, PolicyRef
from ..errors import AmendsError
from ..journal import path_to
from ..publishing.bundle import Bundle
from ..step import Effect, Query, Step
from ..values import Sealed, Value

Result = TypeVar("Result")

#: Where a delivery stands: to be made (or under way), made, or given up until an operator tries again.
DeliveryState = Literal["waiting", "done", "dead"]
DELIVERY_STATES: Final = get_args(DeliveryState)

#: Effects of money: those of one part of a payout are delivered in the order in which they were asked for.
_MONEY: Final = ("payout", "reversal")


class LostRace(AmendsError):  # noqa: N818 - a host never sees it
    """Another transaction was faster; do the same again on what it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A step as it is kept: the record, its journal entry, and the case after it, whose `head` is its digest."""

    step: Step
    entry: bytes
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """The steps that an event with an idempotency key made: those of timers due before it, and its own."""

    key: str
    first: int
    seq: int


#: A case and the idempotency key of an event that was sent to it.
CaseKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What cases are listed by, beside what stands in them; the policy tells it."""

    #: The states of its legs.
    states: tuple[str, ...]
    #: Roles that one of these states waits for.
    waits_for: tuple[str, ...]
    #: Whether all of them are final.
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a transaction did to one case."""

    #: The number of the step at which it was read; None for a new case.
    before: int | None
    case: Case
    written: tuple[Written, ...]
    filing: Filing
    #: The facts that other cases may ask by; none of them is sensitive.
    found_by: Mapping[str, Value]
    keys: tuple[Keyed, ...] = ()
    #: The idempotency key of its opening.
    opened_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A case in a list: what it stands at, without its facts."""

    id: str
    policy: PolicyRef
    seq: int
    opened_at: datetime
    #: The instant of its last step.
    at: datetime
    filing: Filing
    #: When its next timer fires; None while nothing is armed.
    due_at: datetime | None
    #: Why a person has to look at it: a rule failed.
    needs_human: str | None
    #: Why its timers are not fired: they could not be computed.
    parked: str | None

    @property
    def state(self) -> str:
        """The state of its first leg."""
        return self.filing.states[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which cases to list; what is None is not asked about."""

    #: Those with one of some ids: no more than a statement takes.
    ids: tuple[str, ...] | None = None
    policy: str | None = None
    state: str | None = None
    waits_for: str | None = None
    closed: bool | None = None
    #: Those with a timer that was due by then and has not fired.
    overdue_at: datetime | None = None
    #: Those that a person has to look at: a rule failed, or they are parked.
    stuck: bool | None = None
    #: Those that were opened at an instant or later, and those that were opened before one.
    opened_from: datetime | None = None
    opened_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An effect on its way to the host."""

    case_id: str
    #: The number of the step that asked for it, and the instant of that step.
    seq: int
    asked_at: datetime
    effect: Effect
    state: DeliveryState = "waiting"
    #: How often it was handed over, this time included.
    attempts: int = 0
    #: When it is handed over next, or again if nobody says what became of it.
    next_at: datetime
    #: What went wrong the last time.
    error: str | None = None
    #: Where in the effect's data sensitive values stand, as paths such as `details/account`.
    sensitive: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The effect's key: the same however often it is delivered."""
        return self.effect.key

    def shown(self) -> Mapping[str, Value]:
        """Return the effect's data with sensitive values sealed."""
        return {
            name: _shown(value, path_to(name), self.sensitive) for name, value in self.effect.data.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a delivery so far, by its key; the effect stands in the journal."""

    key: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is kept of a case: its journal, and what the journal does not tell. Everything else is made of it."""

    case_id: str
    #: As they were written, each with its digest, the opening first.
    entries: tuple[bytes, ...]
    heads: tuple[str, ...]
    #: Idempotency keys of its events, in the order of their steps.
    keys: tuple[Keyed, ...]
    #: In the order of their keys.
    fates: tuple[Fate, ...]
    parked: str | None
    #: The key of its sensitive values, and those that are not erased; empty where they were not asked for.
    secret: bytes = field(default=b"", repr=False)
    vault: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Transaction(Protocol):
    """All that is read and written together, or not at all.

    A case that was read to be written is nobody else's until the end.
    """

    def cases(self, ids: Collection[str]) -> Mapping[str, Case]:
        """Return those of some cases that there are, by id."""

    def sealed(self, ids: Collection[str]) -> Mapping[str, Case]:
        """Return those of some cases that there are, to be looked at: commitments stand for sensitive values."""

    def kept(self, ids: Collection[str], *, reveal: bool = False) -> tuple[Kept, ...]:
        """Return all that is kept of some cases, in the order of their ids; sensitive values only if asked for."""

    def settle(self, fates: Collection[Fate]) -> None:
        """Note of deliveries what became of them elsewhere."""

    def steps(self, case_id: str, first: int = 0, last: int | None = None) -> tuple[Step, ...]:
        """Return the steps of a case from one number to another, both included."""

    def entries(self, case_id: str) -> tuple[tuple[bytes, str], ...]:
        """Return the journal of a case as it was written: entries, each with its digest."""

    def vault(self, case_id: str) -> Mapping[str, Any]:
        """Return the sensitive values of a case that are not erased, as JSON by their commitments."""

    def opened(self, key: str) -> str | None:
        """Return the id of the case that was opened with a key."""

    def keyed(self, pairs: Collection[CaseKey]) -> Mapping[CaseKey, Keyed]:
        """Return what events with keys did to cases, for those that came."""

    def bundle(self, digest: str) -> Bundle | None:
        """Return a policy as it was when cases were opened under it."""

    def keep_bundle(self, ref: PolicyRef, bundle: Bundle | None) -> None:
        """Keep what a policy is made of, if it is not kept yet.

        Raises:
            InvalidValue: there is no bundle, and cases are to outlive the process.
        """

    def save(self, saved: Sequence[Saved]) -> None:
        """Write what was done to cases.

        Raises:
            LostRace: one is not what it was when it was read, or a new one is there already.
        """

    def answer(self, query: Query, case_id: str) -> Any:
        """Answer a question about all cases but one, which asks; None to one that only the host can answer.

        What was taken of a balance nobody else is told before the end of the transaction.
        """

    def due(self, by: datetime, limit: int) -> tuple[str, ...]:
        """Return the ids of cases with a timer due by an instant, in due order, but no parked ones.

        Those that another worker has in hand are left out where the database can tell.
        """

    def park(self, case_id: str, why: str | None) -> None:
        """Fire no more timers of a case on their own, or with None fire them again."""

    def erase(self, case_id: str, secret: bytes) -> None:
        """Forget the key of a case's sensitive values, and the values; those to come have the new key."""

    def summaries(
        self, sought: Sought, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Summary, ...]:
        """Return cases in the order of opening and id, from after a place in it."""

    def claim(
        self, by: datetime, until: datetime, limit: int, kinds: Collection[str] | None
    ) -> tuple[Delivery, ...]:
        """Take deliveries that are due, in due order; nobody else gets them before `until`.

        Of effects that belong to one part of a payout only the first that is not done is taken.
        """

    def told(
        self, delivery: Delivery, state: DeliveryState, next_at: datetime, error: str | None = None
    ) -> bool:
        """Note what became of an attempt, unless a later one was made since; return whether it was noted."""

    def deliveries(
        self, state: DeliveryState | None, case_id: str | None, after: str | None, limit: int
    ) -> tuple[Delivery, ...]:
        """Return deliveries in the order of their keys, from after one."""

    def resolve(self, key: str, state: DeliveryState, at: datetime) -> bool:
        """Deliver again, from a first attempt on, what was given up, or take it as done; return whether it was."""


Work = Callable[[Transaction], Result]


class Store(Protocol):
    """Where cases live."""

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do some work in one transaction and return what it returns; what it raises undoes it.

        Args:
            work: may be done again from the start, and does nothing but by its transaction.
            reads: it writes nothing, and locks nothing.
        Raises:
            LostRace: another transaction was faster.
            StoreUnavailable: the database does not answer, or cannot write.
        """

    def close(self) -> None:
        """Let go of everything that is open."""


class AsyncStore(Protocol):
    """Where cases live, for an application on asyncio."""

    async def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do what `Store.transact` does, without blocking the loop."""

    async def close(self) -> None:
        """Let go of everything that is open."""


def _shown(value: Value, path: str, sensitive: Collection[str]) -> Value:
    if path in sensitive:
        return Sealed("")
    if isinstance(value, Mapping):
        return {key: _shown(item, f"{path}/{path_to(key)}", sensitive) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_shown(item, f"{path}/{index}", sensitive) for index, item in enumerate(value))
    return value


def sealed_in(step: Step, index: int) -> tuple[str, ...]:
    """Return where in the data of one of a step's effects sensitive values stand."""
    within = f"effects/{index}/data/"
    return tuple(path.removeprefix(within) for path in step.sealed if path.startswith(within))


def lane_of(case_id: str, effect: Effect) -> str:
    """Return what an effect is delivered in order within: the part of a payout that it moves, or itself alone."""
    if effect.kind in _MONEY:
        return f"{case_id}/{effect.data['payout']}/{effect.data['part']}"
    return effect.key
