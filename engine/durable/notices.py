"""What an operator is told as it happens: log records with fields, by the standard library, which the host sets up.

They hold names, codes and counts, and never a fact. What an exception says may quote one, so only its type is told, and where
it was raised; the rest stands with the case or the delivery. docs/howto/observe.md lists every record and field.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ..errors import AmendsError, Conflict
from ..step import Due, Step
from ..store.protocol import Delivery

_ENGINE: Final = logging.getLogger("amends.engine")
_OUTBOX: Final = logging.getLogger("amends.outbox")
_TIMERS: Final = logging.getLogger("amends.timers")
_WORKER: Final = logging.getLogger("amends.worker")

# So that a host that sets nothing up is told nothing, and not on its error stream.
logging.getLogger("amends").addHandler(logging.NullHandler())


def parked(case_id: str, error: Exception) -> None:
    """Tell that the timers of a case are left alone, for they could not be fired."""
    fields = {"amends_case": case_id, **_told(error)}
    _TIMERS.error("case %s is parked: %s", case_id, _summary(fields), extra=fields)


def late(fired: Iterable[tuple[str, Step]], bound: timedelta) -> None:
    """Tell of timers that fired later than a bound, of however many in one record.

    Args:
        fired: steps of timers, each with the id of its case.
        bound: how late a timer may fire.
    """
    found = [
        (lateness, case_id)
        for case_id, step in fired
        if isinstance(step.input, Due) and (lateness := step.input.fired_at - step.input.fires_at) > bound
    ]
    if not found:
        return
    lateness, case_id = max(found)
    fields = {
        "amends_timers": len(found),
        "amends_lateness": lateness.total_seconds(),
        "amends_case": case_id,
    }
    _TIMERS.warning(
        "%d timers fired late, that of case %s by %s", len(found), case_id, lateness, extra=fields
    )


def failed(delivery: Delivery, error: Exception, again: datetime) -> None:
    """Tell that a delivery failed, and when it is made again."""
    fields = {**_of(delivery), **_told(error), "amends_again": again.isoformat()}
    _OUTBOX.warning(
        "delivery %s failed, and is made again at %s: %s", delivery.key, again, _summary(fields), extra=fields
    )


def given_up(delivery: Delivery, error: Exception) -> None:
    """Tell that a delivery is made no more until an operator says so."""
    fields = {**_of(delivery), **_told(error)}
    _OUTBOX.error(
        "delivery %s is given up after %d attempts: %s",
        delivery.key,
        delivery.attempts,
        _summary(fields),
        extra=fields,
    )


def conflict(tries: int) -> Conflict:
    """Tell that others were faster each time a call was tried, and return what the host is told."""
    _ENGINE.warning("a call is given up: others were faster %d times", tries, extra={"amends_tries": tries})
    return Conflict()


def waiting(error: AmendsError) -> None:
    """Tell that a worker can do nothing now, and why: what the database says quotes no fact."""
    fields = {"amends_error": type(error).__qualname__}
    _WORKER.warning("nothing can be done now: %s", error, extra=fields)


def began() -> None:
    """Tell that a worker begins."""
    _WORKER.info("the worker begins")


def ended() -> None:
    """Tell that a worker ends."""
    _WORKER.info("the worker ends")


def _of(delivery: Delivery) -> dict[str, Any]:
    return {
        "amends_delivery": delivery.key,
        "amends_case": delivery.case_id,
        "amends_effect": delivery.effect.kind,
        "amends_attempt": delivery.attempts,
    }


def _told(error: Exception) -> dict[str, Any]:
    """Return the type of an exception, and the frames that it came through, the outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "amends_error": type(error).__qualname__,
        "amends_frames": tuple(f"{Path(one.filename).name}:{one.lineno} in {one.name}" for one in frames),
    }


def _summary(fields: dict[str, Any]) -> str:
    return " at ".join([fields["amends_error"], *fields["amends_frames"][-1:]])


def where(error: Exception) -> str:
    """Return the type of an exception and where it was raised, without what it says.

    >>> where(ValueError("DE02 1203"))
    'ValueError'
    """
    return _summary(_told(error))
