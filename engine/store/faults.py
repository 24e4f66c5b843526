"""What a database raises, told apart: a race that was lost, or a database that cannot be worked with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError

from ..errors import Conflict, StoreUnavailable
from .protocol import LostRace

#: What PostgreSQL says where doing it again may do: could not serialize, deadlock, lock not available.
_AGAIN: Final = frozenset({"40001", "40P01", "55P03"})


@contextmanager
def told_apart() -> Iterator[None]:
    """Raise what a database raises as what it means here.

    Raises:
        LostRace: another transaction was faster.
        StoreUnavailable: anything else.
    """
    try:
        yield
    except DBAPIError as error:
        raise meaning_of(error) from error


def meaning_of(error: DBAPIError) -> LostRace | StoreUnavailable:
    """Return what something that a database raised means here."""
    again = getattr(error.orig, "sqlstate", None) in _AGAIN or "database is locked" in str(error.orig)
    if again or isinstance(error, IntegrityError):
        return LostRace(str(error.orig))
    return StoreUnavailable(
        f"the database failed: {error.orig}; mend it, and do the call again with the same key"
    )


@contextmanager
def told_at_the_start() -> Iterator[None]:
    """Raise what a database raises while its tables are looked at or made.

    Raises:
        Conflict: others are at it, and did not end in time.
        StoreUnavailable: anything else.
    """
    try:
        with told_apart():
            yield
    except LostRace as race:
        raise Conflict("others are working on the tables, and did not end in time; try again") from race
