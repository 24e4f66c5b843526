"""Trying a call again where others changed the same case first."""

from __future__ import annotations

from typing import Final

from ..store.protocol import LostRace, Result, Store, Work
from ..telemetry.watching import UNWATCHED, Watch
from . import notices

#: How often a call is tried when others change the same case first.
TRIES: Final = 10


def tried(store: Store, work: Work[Result], watch: Watch = UNWATCHED, *, reads: bool = False) -> Result:
    """Have work done by a store, on the fresh case each time that a race was lost.

    Raises:
        Conflict: it was lost too often.
    """
    for _ in range(TRIES):
        try:
            return store.transact(work, reads=reads)
        except LostRace as race:
            watch.lost()
            lost = race
    raise notices.conflict(TRIES) from lost
