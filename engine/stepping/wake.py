"""When time alone gives conditions another worth: the first later instant, so that nothing has to poll."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..expression import Env
from ..rules.condition import Condition, leaves
from .steady import Moving, Stretch
from .work import Work

_SECOND: Final = timedelta(seconds=1)
#: Nobody waits longer than this; an instant beyond is looked for again after the next step.
HORIZON: Final = timedelta(days=36525)
#: So many stretches are looked at. Where that is not enough, the case looks again at the instant that was reached.
MAX_STRETCHES: Final = 2_000

#: What a case would do, told by what conditions are worth: MOVING where one that matters is, None for nothing.
Outcome = Callable[[Callable[[Condition | None], Any]], "Hashable | Moving"]


def reads_time(*conditions: Condition | None) -> bool:
    """Return whether one of some conditions can change by the passing of time alone."""
    return any("now" in leaf.checked.reads for condition in conditions for leaf in leaves(condition))


def next_change(work: Work, outcome: Outcome, env: Env | None = None) -> datetime | None:
    """Return the first later instant at which something comes of conditions that does not now, if time alone brings it.

    Args:
        work: the working copy after a step; it is left as it was.
        outcome: what comes of the worth of conditions, compared with what comes of them now.
        env: where the conditions have names of their own, their environment.
    """
    mark, now = len(work.trace), work.now
    present = outcome(Stretch(work, now, now, env).condition)
    try:
        return _first(work, outcome, present, env)
    finally:
        # What is looked at of the future is no part of the step.
        del work.trace[mark:]


def _first(work: Work, outcome: Outcome, present: Hashable | Moving, env: Env | None) -> datetime | None:
    end = min(work.now, datetime.max.replace(tzinfo=UTC) - 2 * HORIZON) + HORIZON
    waiting = [(work.now + _SECOND, end.replace(microsecond=0))]
    for _ in range(MAX_STRETCHES):
        if not waiting:
            return None
        begin, end = waiting.pop()
        stretch = Stretch(work, begin, end, env)
        found = outcome(stretch.condition)
        if isinstance(found, Moving) and begin < end:
            half = begin + ((end - begin) // _SECOND // 2 + 1) * _SECOND
            turn = min(stretch.turns, default=half)
            waiting += [(turn, end), (begin, turn - _SECOND)]
        elif found is not None and found != present:
            return begin
    return waiting[-1][0] if waiting else None
