"""The outbox: what the host has to do is handed to its handlers, at least once, until it is done or given up.

A handler is called outside of any transaction. The effect's key is the same however often it is called, so that a
provider that is asked twice pays once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from ..calendar import tzdata_version
from ..errors import InvalidValue
from ..policy import HOST
from ..step import Event
from ..store.protocol import Delivery, DeliveryState, Transaction, Work
from ..values import Sealed, Value
from . import notices
from .casework import Casework

#: How many deliveries are taken in hand at once: few, so that their lease holds however slow a handler is.
CLAIM: Final = 10
#: The kind of a handler that takes whatever has no handler of its own.
ANY: Final = "*"
#: A result's idempotency key begins with this, and ends with the effect's.
_RESULT: Final = "result:"
_LONGEST_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a handler of payouts returns when the money has gone: it becomes the payout's event `settled`."""

    event: ClassVar[str] = "settled"
    #: What the provider calls it.
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """What a handler of payouts returns when the money will not go this way: it becomes the event `failed`.

    A handler that may succeed later raises instead, and is called again.
    """

    event: ClassVar[str] = "failed"
    reference: str | None = None
    #: Why, for people.
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """What a handler of reversals returns when the money is back: it becomes the payout's event `reversed`."""

    event: ClassVar[str] = "reversed"
    reference: str | None = None


Outcome = Settled | Failed | Reversed
#: Which results an effect may have.
_RESULTS: Final[Mapping[str, tuple[type, ...]]] = {"payout": (Settled, Failed), "reversal": (Reversed,)}

Handler = Callable[[Delivery], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """When an effect that a handler could not deliver is delivered again, and when it is given up."""

    #: After so many attempts it is dead, and an operator has to look.
    attempts: int = 12
    #: How long the first pause is at most; each is at most twice as long as the one before.
    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=1)
    #: Who does not say within this time what became of a delivery is taken for dead, and another worker delivers it.
    lease: timedelta = timedelta(minutes=5)

    def pause(self, attempts: int, chance: float) -> timedelta:
        """Return how long to wait after so many attempts.

        Args:
            attempts: made so far, at least 1.
            chance: between 0 and 1; it spreads the attempts of many workers over the second half of the pause.

        >>> [Retries().pause(attempts, 1.0).total_seconds() for attempts in (1, 2, 3, 99)]
        [10.0, 20.0, 40.0, 3600.0]
        >>> Retries().pause(1, 0.0).total_seconds()
        5.0
        """
        # A power that large is longer than any pause.
        full = min(self.longest, self.first * 2 ** min(attempts - 1, 40)) if attempts < 40 else self.longest
        return full * (0.5 + chance / 2)


class Outbox:
    """Makes the work of delivering that engines have done by their stores.

    Args:
        casework: takes the results as events.
        retries: when to try again.
        chance: where the spread of the pauses comes from: numbers between 0 and 1.
    """

    def __init__(self, casework: Casework, retries: Retries, chance: Callable[[], float]) -> None:
        self.handlers: dict[str, Handler] = {}
        self._casework = casework
        self._retries = retries
        self._chance = chance

    def register(self, kind: str, handler: Handler) -> None:
        """Take a handler for a kind of effect, or for all others.

        Raises:
            InvalidValue: the kind has one.
        """
        if kind in self.handlers:
            raise InvalidValue(f"the effect `{kind}` has a handler already")
        self.handlers[kind] = handler

    def handler_of(self, delivery: Delivery) -> Handler:
        """Return who delivers an effect.

        Raises:
            InvalidValue: its values were erased, and cannot be delivered.
        """
        if _is_erased(delivery.effect.data):
            raise InvalidValue("what is to be delivered was erased")
        return self.handlers.get(delivery.effect.kind) or self.handlers[ANY]

    def claim(self, now: datetime, limit: int) -> Work[tuple[Delivery, ...]]:
        """Take deliveries in hand that somebody here can deliver."""
        kinds: Collection[str] | None = None if ANY in self.handlers else set(self.handlers)
        return lambda transaction: transaction.claim(now, now + self._retries.lease, limit, kinds)

    def finish(self, delivery: Delivery, outcome: Any, now: datetime) -> Work[Delivery]:
        """Note what a handler returned, and send it as the payout's event.

        Raises:
            InvalidValue: it returned what is not the result of such an effect.
        """
        if outcome is None:
            return lambda transaction: _told(transaction, delivery, "done", now)
        fits = isinstance(outcome, _RESULTS.get(delivery.effect.kind, ()))
        if not fits or not isinstance(outcome, Outcome):
            raise InvalidValue(
                f"the handler of `{delivery.effect.kind}` returned {type(outcome).__name__}, which is no result of it"
            )
        arrived = _result(delivery, outcome, now)

        def work(transaction: Transaction) -> Delivery:
            # What another attempt reported stands; that this one has another reference changes nothing.
            if not transaction.keyed([(delivery.case_id, _RESULT + delivery.key)]):
                self._casework.take(transaction, delivery.case_id, arrived)
            return _told(transaction, delivery, "done", now)

        return work

    def fail(self, delivery: Delivery, error: Exception, now: datetime) -> Work[Delivery]:
        """Note that a handler failed: it is tried again later, or given up."""
        gives_up = delivery.attempts >= self._retries.attempts or _is_erased(delivery.effect.data)
        text = _said(delivery, error).replace("\0", "�")[:_LONGEST_ERROR]
        if gives_up:
            notices.given_up(delivery, error)
            return lambda transaction: _told(transaction, delivery, "dead", now, text)
        again = now + self._retries.pause(delivery.attempts, self._chance())
        notices.failed(delivery, error, again)
        return lambda transaction: _told(transaction, delivery, "waiting", again, text)


def _said(delivery: Delivery, error: Exception) -> str:
    """Return what a handler raised, or only where it did if that repeats a sensitive value."""
    said = f"{type(error).__name__}: {error}"
    if any(text in said for text in _secrets(delivery.effect.data, delivery.shown())):
        return f"{notices.where(error)}; what it says holds a sensitive value, and is left out"
    return said


def _secrets(value: Value, shown: Value) -> Iterator[str]:
    """Yield the texts that a value holds where what is shown of it is sealed."""
    match value:
        case Sealed():
            return
        case Mapping():
            for key, item in value.items():
                if isinstance(shown, Sealed):
                    yield key
                yield from _secrets(item, shown if isinstance(shown, Sealed) else shown[key])
        case tuple() | list():
            for index, item in enumerate(value):
                yield from _secrets(item, shown if isinstance(shown, Sealed) else shown[index])
        case _ if isinstance(shown, Sealed) and str(value):
            yield str(value)


def _told(
    transaction: Transaction, delivery: Delivery, state: DeliveryState, at: datetime, error: str | None = None
) -> Delivery:
    transaction.told(delivery, state, at, error)
    return replace(delivery, state=state, next_at=at, error=error)


def _result(delivery: Delivery, outcome: Outcome, now: datetime) -> Event:
    data = {
        "part": delivery.effect.data["part"],
        "reference": outcome.reference,
        "cause": outcome.cause if isinstance(outcome, Failed) else None,
        # Several reversals of one part may be under way.
        "amount": delivery.effect.data.get("amount") if isinstance(outcome, Reversed) else None,
    }
    return Event(
        name=f"{delivery.effect.data['payout']}.{outcome.event}",
        data={name: value for name, value in data.items() if value is not None},
        actor=HOST,  # `Casework.take` puts the name there by which the policy knows the application
        role=HOST,
        occurred_at=now,
        recorded_at=now,
        key=_RESULT + delivery.key,
        tzdata=tzdata_version(),
    )


def _is_erased(value: Value) -> bool:
    match value:
        case Sealed():
            return True
        case Mapping():
            return any(_is_erased(item) for item in value.values())
        case tuple() | list():
            return any(_is_erased(item) for item in value)
    return False


#: What an operator may do with what was given up: have it delivered again, or take it as done by other means.
Remedy = Literal["again", "done"]


def resolved(key: str, remedy: Remedy, at: datetime) -> Work[None]:
    """Deliver again what was given up, or take it as done, so that what waits behind it goes on.

    Raises:
        InvalidValue: nothing of that key was given up.
    """

    def work(transaction: Transaction) -> None:
        if not transaction.resolve(key, "waiting" if remedy == "again" else "done", at):
            raise InvalidValue(f"no delivery `{key[:60]}` was given up")

    return work
