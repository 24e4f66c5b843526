"""Firing what is due in many cases: in due order, a batch at a time, and no case stops the others."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from ..errors import AmendsError, StoreUnavailable
from ..step import Step
from ..store.protocol import LostRace, Transaction
from . import notices
from .session import Session, Working

#: How many cases one transaction takes in hand, and timers it fires, so that events need not wait for long.
BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What one batch of timers came to."""

    steps: tuple[Step, ...]
    #: Whether nothing that is due was left behind.
    done: bool


def fire_batch(session: Session, now: datetime, limit: int) -> Fired:
    """Fire what is due in some cases, in due order; a case that cannot be computed is parked.

    Args:
        session: of the transaction.
        now: by when.
        limit: how many timers to fire at most.
    """
    size = min(limit, BATCH)
    ids = session.transaction.due(now, size)
    waiting = [_place(session.working(case_id)) for case_id in _sound(session, ids)]
    heapq.heapify(waiting)
    # Whatever else is due is due no earlier than the last of these, so the order is that of all cases together.
    horizon = max((fires_at for fires_at, _ in waiting), default=now) if len(ids) == size else now
    fired: list[tuple[str, Step]] = []
    while waiting and len(fired) < size:
        _, case_id = heapq.heappop(waiting)
        working = session.working(case_id)
        with _Parking(session.transaction, case_id) as parking:
            fired.append((case_id, session.fire_next(working, max(now, working.case.at))))
        timers = working.case.timers
        if not parking.parked and timers and timers[0].fires_at <= horizon:
            heapq.heappush(waiting, _place(working))
    session.flush()
    notices.late(fired, session.limits.late)
    return Fired(steps=tuple(step for _, step in fired), done=not ids)


class _Parking:
    """Parks a case where something fails that is not the store's fault, so that it does not stop the others."""

    def __init__(self, transaction: Transaction, case_id: str) -> None:
        self._transaction = transaction
        self._case_id = case_id
        self.parked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, LostRace | StoreUnavailable):
            return False
        notices.parked(self._case_id, error)
        # What an exception that is not ours says may quote anything.
        why = f"{type(error).__name__}: {error}" if isinstance(error, AmendsError) else notices.where(error)
        self._transaction.park(self._case_id, why[:500])
        self.parked = True
        return True


def _sound(session: Session, ids: Collection[str]) -> list[str]:
    """Read cases, and return those that could be read."""
    try:
        session.load(ids)
    except (LostRace, StoreUnavailable):
        raise
    except Exception:  # noqa: BLE001 - whichever it is, is found one by one
        return [case_id for case_id in ids if _is_sound(session, case_id)]
    return list(ids)


def _is_sound(session: Session, case_id: str) -> bool:
    with _Parking(session.transaction, case_id) as parking:
        session.working(case_id)
    return not parking.parked


def _place(working: Working) -> tuple[datetime, str]:
    return working.case.timers[0].fires_at, working.case.id
