"""Clocks: when they start, pause, go on, are met, and breach. Spec: docs/language.md, "Clocks"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .calendar import Calendar, zone
from .case import Clock, Counted, Left, Pause, Timer
from .errors import RuleError
from .moment import Finished, due_again, evaluate_moment, left
from .policy import Sla, State
from .rules.condition import holds
from .stepping.work import Work
from .values import Unknown

_SECOND = timedelta(seconds=1)


def enter_state(work: Work, state: State) -> None:
    """Start the clocks of a state anew, go on with its paused ones, and let the state meet or start others."""
    for sla in state.slas:
        clock = work.clocks.get(sla.id)
        if clock is None or clock.status not in ("running", "paused"):
            work.clocks.pop(sla.id, None)
            start(work, sla)
    happened(work, state.name)


def leave_state(work: Work, state: State) -> None:
    """End the clocks of a state, but for paused ones and those that only being met ends."""
    for sla in state.slas:
        clock = work.clocks.get(sla.id)
        if clock and clock.status == "running" and not sla.until_met:
            work.clocks[sla.id] = replace(clock, status="ended", reminders=())


def happened(work: Work, name: str) -> None:
    """Let an accepted event, or a state that was entered, meet and start clocks."""
    for sla in work.policy.hearing.get(name, ()):
        clock = work.clocks.get(sla.id)
        if clock and clock.status in ("running", "paused") and name in sla.met_by:
            work.clocks[sla.id] = replace(clock, status="met", reminders=())
        if sla.state is None and name in sla.starts:
            awaits_start = clock is None or clock.status not in ("running", "paused")
            if awaits_start:
                work.clocks.pop(sla.id, None)
                start(work, sla)


def meets(work: Work, event: str) -> bool:
    """Return whether an event meets a clock that runs."""
    return any(
        event in sla.met_by
        and (clock := work.clocks.get(sla.id)) is not None
        and clock.status in ("running", "paused")
        for sla in work.policy.hearing.get(event, ())
    )


def start(work: Work, sla: Sla) -> None:
    """Start a clock if its condition holds and its due is known; else it is tried again after every step."""
    if sla.condition is not None and holds(sla.condition, work) is not True:
        return
    due = evaluate_moment(sla.due, work, given=work.now)
    if isinstance(due, Unknown):
        return
    work.clocks[sla.id] = _running(work, sla, due, started_at=work.now)


def _running(work: Work, sla: Sla, due: Finished, **kept: Any) -> Clock:
    """Return a clock that runs towards a due moment; `kept` is what else it has."""
    return Clock(
        name=sla.name,
        state=sla.state,
        status="running",
        due=due.at,
        counted=due.counted,
        reminders=_reminders(work, sla, due),
        **kept,
    )


def _reminders(work: Work, sla: Sla, due: Finished) -> tuple[datetime, ...]:
    """Return the instants at which to remind; one that has passed already is not sent."""
    found = (evaluate_moment(moment, work, given=due) for moment in sla.reminders)
    return tuple(sorted({f.at for f in found if isinstance(f, Finished) and work.now < f.at <= due.at}))


def refresh(work: Work) -> None:
    """Bring every clock up to date after a step: late starts, due moments that are live, and pauses."""
    for sla in work.policy.clocks.values():
        if sla.id not in work.clocks and may_start(work, sla):
            start(work, sla)
        clock = work.clocks.get(sla.id)
        if clock is None or clock.status not in ("running", "paused"):
            continue
        if sla.live:
            clock = _recomputed(work, sla, clock)
        if sla.pause_while is not None and is_here(work, sla):
            clock = _paused_or_resumed(work, sla, clock)
        work.clocks[sla.id] = clock


def _recomputed(work: Work, sla: Sla, clock: Clock) -> Clock:
    """Return a live clock as it would stand had its due moment always been what it is now: every pause is kept.

    While the moment is unknown, what was known last holds.
    """
    due = evaluate_moment(sla.due, work, given=clock.started_at)
    if isinstance(due, Unknown):
        return clock
    for pause in clock.pauses:
        kept = _left(work, due, pause.since)
        if pause.until is None:
            return replace(clock, left=kept, counted=due.counted)
        due = _again(work, kept, due.counted, pause.until)
    if (due.at, due.counted) == (clock.due, clock.counted):
        return clock
    return _running(work, sla, due, started_at=clock.started_at, pauses=clock.pauses)


def carried(work: Work, sla: Sla, clock: Clock) -> Clock:
    """Return a clock of another version as it would stand had it always run by this rule: every pause is kept.

    It starts when it did, and its due moment is what the rule makes of that with the facts as they are now; while that is
    unknown, what was known last holds. What has ended stays as it ended.
    """
    named = replace(clock, name=sla.name, state=sla.state)
    if clock.status not in ("running", "paused"):
        return named
    # Without a due moment of its own it is computed anew, and its reminders with it.
    again = _recomputed(work, sla, replace(named, due=None))
    known = named if again.due is None and again.left is None else again
    return known if sla.pause_while is not None else _paused_or_resumed(work, sla, known)


def is_here(work: Work, sla: Sla) -> bool:
    """Return whether a clock goes on: outside its state a paused one stays as it was left."""
    return sla.state is None or sla.until_met or sla.state in work.legs.values()


def may_start(work: Work, sla: Sla) -> bool:
    """Return whether a clock that does not run yet would start, if its condition held and its due were known."""
    if sla.state is None:
        return not sla.starts or _started_by(work, sla)
    return sla.state in work.legs.values()


def _started_by(work: Work, sla: Sla) -> bool:
    """Return whether what starts a clock of the case has happened, while its due was unknown."""
    return any(name in work.legs.values() or name in work.facts for name in sla.starts)


def pauses(work: Work, sla: Sla) -> bool:
    """Return whether the condition by which a clock pauses holds.

    One that is unknown or fails is none: time runs on, and the breach will say what it found.
    """
    try:
        return sla.pause_while is not None and holds(sla.pause_while, work) is True
    except RuleError:
        return False


def _paused_or_resumed(work: Work, sla: Sla, clock: Clock) -> Clock:
    held = pauses(work, sla)
    if held and clock.due is not None and work.now <= clock.due:
        due = Finished(at=clock.due, opens=clock.due, whole_day=False, counted=clock.counted)
        return replace(
            clock,
            status="paused",
            due=None,
            left=_left(work, due, work.now),
            pauses=(*clock.pauses, Pause(since=work.now)),
            reminders=(),
        )
    if not held and clock.left is not None:
        due = _again(work, clock.left, clock.counted, work.now)
        *before, last = clock.pauses
        ended = (*before, replace(last, until=work.now))
        return _running(work, sla, due, started_at=clock.started_at, pauses=ended)
    # What is past due already is not rescued by a pause.
    return clock


def _left(work: Work, due: Finished, since: datetime) -> Left:
    counted = due.counted
    return left(due, since, _zone(work, counted), _calendar(work, counted.calendar))


def _again(work: Work, kept: Left, counted: Counted, until: datetime) -> Finished:
    zone_, rolls_on = _zone(work, counted), _calendar(work, counted.rolls_on)
    return due_again(kept, counted, until, zone_, _calendar(work, counted.calendar), rolls_on=rolls_on)


def _zone(work: Work, counted: Counted) -> ZoneInfo:
    return zone(counted.timezone) if counted.timezone else work.zone


def _calendar(work: Work, name: str) -> Calendar | None:
    """Return a calendar by the name that counting came to, which no expression chooses any more."""
    found = work.calendar(name) if name else None
    return found if isinstance(found, Calendar) else None


def timers(work: Work) -> Iterator[Timer]:
    """Yield the timer of every running clock's breach, and of its next reminder."""
    for sla in work.policy.clocks.values():
        clock = work.clocks.get(sla.id)
        if clock is None or clock.status != "running" or clock.due is None:
            continue
        # Past due when it starts, it is breached at once, and never before it was armed.
        yield Timer(id=f"breach:{sla.id}", fires_at=max(clock.due + _SECOND, work.now))
        if clock.reminders:
            yield Timer(id=f"remind:{sla.id}", fires_at=clock.reminders[0])
