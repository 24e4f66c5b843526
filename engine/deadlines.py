"""What a case's clocks, windows and moments stand at."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime

from .case import Case
from .errors import RuleError
from .literal import Misfit
from .moment import Finished
from .policy import CompiledPolicy
from .step import Event
from .stepping.intake import read_record
from .stepping.work import Work


def deadlines(
    policy: CompiledPolicy, case: Case, arriving: Event | None = None
) -> Mapping[str, datetime | None]:
    """Return the last second in time of every clock, window and named moment, by name; None while unknown or paused.

    Args:
        policy: what the case is pinned to.
        case: as it stands.
        arriving: an event that was refused; what it was judged by is then seen, its data included.
    """
    work = _judging(policy, case, arriving)
    found: dict[str, datetime | None] = {}
    for name in policy.moments:
        try:
            moment = work.finished(name)
        except RuleError:
            continue
        found[name] = moment.at if isinstance(moment, Finished) else None
    for name, rule in policy.windows.items():
        try:
            closes = work.window(rule).closes
        except RuleError:
            continue
        found[name] = closes if isinstance(closes, datetime) else None
    for status in ("breached", "paused", "running"):
        # Of clocks that share a name the one that still runs is meant; one that was met or left stands for nothing.
        found.update({clock.name: clock.due for clock in case.clocks.values() if clock.status == status})
    return found


def _judging(policy: CompiledPolicy, case: Case, arriving: Event | None) -> Work:
    """Return a working copy in which a case's moments can be asked for, as an event that was refused saw them."""
    work = Work(policy, case, case.at)
    rule = policy.events.get(arriving.name) if arriving else None
    if arriving and rule:
        # Data that could not be read were judged by nothing.
        with contextlib.suppress(Misfit):
            work.arrive(read_record(arriving, rule, work))
    return work
