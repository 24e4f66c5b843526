"""Moments as data over checked expressions, and what they come to in a case.

A moment starts somewhere (an instant, another moment, the later or earlier of several), counts periods from there, and
ends once. moment.py makes these from text; counting.py does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

from ..calendar import Calendar, zone
from ..counting import (
    Finished,
    Position,
    counting,
    earlier_of,
    exactly_at,
    finish,
    later_of,
    moved,
    natural_ends,
    on_day,
    position,
)
from ..errors import InvalidValue, RuleError
from ..expression import Checked, Env, discreet, evaluate
from ..period import Direction, Ends, Period, Roll
from ..values import Unknown

#: The calendar that business days are counted on where none is named.
DEFAULT_CALENDAR: Final = "business"

#: What counting starts from: an instant, a whole local day, or a moment.
Anchor = datetime | date | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Starts at the value of an expression: a timestamp or a date."""

    checked: Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Literally:
    """Starts at an instant or a day that the author wrote."""

    value: datetime | date


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Starts at a declared moment, which is finished first."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Starts at what `evaluate_moment` is given: the start of a clock, or its due moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of several moments to choose from."""

    moment: CompiledMoment
    #: Whether `later_of` does without it while it is unknown.
    if_any: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Starts at the later or the earlier of several moments, each finished first."""

    pick: Literal["later", "earlier"]
    parts: tuple[Part, ...]


Base = Computed | Literally | Named | Given | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One period to count."""

    direction: Direction
    period: Period | Checked
    #: The name of the calendar of its business days, or a text that tells it.
    calendar: str | Checked = DEFAULT_CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMoment:
    """An instant computed from facts."""

    base: Base
    #: Counted one after another; the wall clock is kept between them.
    steps: tuple[Step, ...] = ()
    #: None: as the last period ends by nature, else as the base does.
    ends: Ends | None = None
    roll: Roll = "none"
    #: Of `roll`.
    calendar: str | Checked = DEFAULT_CALENDAR
    #: None: the case's time zone.
    timezone: str | Checked | None = None
    #: The paths that it reads, through everything it names.
    reads: frozenset[str] = frozenset()
    #: The optional paths whose absence can leave it unknown.
    may_miss: frozenset[str] = frozenset()
    #: Whether it is the end of a local day; None where only the case tells.
    whole_day: bool | None = None


class MomentEnv(Env, Protocol):
    """What a moment is computed in; `zone` is the case's."""

    def calendar(self, name: str) -> Calendar | Unknown:
        """Return a declared calendar, which facts may choose; raise RuleError if there is none of that name."""

    def finished(self, name: str) -> Finished | Unknown:
        """Return a declared moment."""


def evaluate_moment(
    moment: CompiledMoment, env: MomentEnv, given: Anchor | None = None
) -> Finished | Unknown:
    """Return a moment as it stands in a case, or Unknown with the paths that it waits for.

    Args:
        moment: what was read.
        env: the case's values, zone and calendars.
        given: what a moment counts from that does not say so itself.

    Raises:
        RuleError: an expression fails, or counting leaves the days that the calendar is known for.
    """
    try:
        return _evaluated(moment, env, given)
    except RuleError as error:
        raise discreet(error, moment.reads, env) from None


def _evaluated(moment: CompiledMoment, env: MomentEnv, given: Anchor | None) -> Finished | Unknown:
    base = _anchor(moment.base, env, given)
    zone_ = _zone(moment, base, env)
    rolls_on = None if moment.roll == "none" else _calendar(moment.calendar, env)
    steps = [_ready(step, env) for step in moment.steps]
    ready = [step for step in steps if not isinstance(step, Unknown)]
    if (
        isinstance(zone_, Unknown)
        or isinstance(rolls_on, Unknown)
        or isinstance(base, Unknown)
        or len(ready) < len(steps)
    ):
        return _union((zone_, rolls_on, base, *steps))
    start = _finished(base, zone_)
    if ready or moment.ends is not None or moment.roll != "none":
        here = position(base.at if isinstance(base, Finished) else base, zone_)
        start = _ended(moment, here, ready, start, zone_, rolls_on)
    if moment.timezone is None:
        return start
    return replace(start, counted=replace(start.counted, timezone=zone_.key))


def _ended(
    moment: CompiledMoment,
    here: Position,
    steps: Sequence[_Ready],
    start: Finished,
    zone_: ZoneInfo,
    rolls_on: Calendar | None,
) -> Finished:
    """Return the moment that counting from a start comes to."""
    for step in steps:
        here = moved(here, step.period, step.direction, zone=zone_, calendar=step.calendar)
    last = steps[-1] if steps else None
    ends = moment.ends or (natural_ends(last.period) if last else _ends_of(start))
    end = finish(here, zone=zone_, ends=ends, roll=moment.roll, calendar=rolls_on)
    counted = counting(
        start.counted,
        here,
        period=last.period if last else None,
        calendar=last.calendar if last else None,
        ends=ends,
        roll=moment.roll,
        rolls_on=rolls_on,
    )
    return replace(end, counted=counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A step whose period is known."""

    direction: Direction
    period: Period
    calendar: Calendar | None


def _ready(step: Step, env: MomentEnv) -> _Ready | Unknown:
    period = evaluate(step.period, env) if isinstance(step.period, Checked) else step.period
    if isinstance(period, Unknown):
        return period
    calendar = _calendar(step.calendar, env) if period.of_business else None
    if isinstance(calendar, Unknown):
        return calendar
    return _Ready(direction=step.direction, period=period, calendar=calendar)


def _anchor(base: Base, env: MomentEnv, given: Anchor | None) -> Anchor | Unknown:
    match base:
        case Computed(checked=checked):
            value: Anchor | Unknown = evaluate(checked, env)
            return value
        case Literally(value=value):
            return value
        case Named(name=name):
            return env.finished(name)
        case Choice():
            return _chosen(base, env, given)
        case Given():
            if given is None:
                raise TypeError("the moment counts from what it is given, and nothing was")
            return given


def _chosen(choice: Choice, env: MomentEnv, given: Anchor | None) -> Finished | Unknown:
    parts = [(part, evaluate_moment(part.moment, env, given)) for part in choice.parts]
    known = [moment for _, moment in parts if isinstance(moment, Finished)]
    if choice.pick == "earlier":
        return earlier_of(known) if known else _union(moment for _, moment in parts)
    awaited = [moment for part, moment in parts if isinstance(moment, Unknown) and not part.if_any]
    if awaited or not known:
        return _union(awaited or (moment for _, moment in parts))
    return later_of(known)


def _finished(anchor: Anchor, zone_: ZoneInfo) -> Finished:
    match anchor:
        case Finished():
            return anchor
        case datetime():
            return exactly_at(anchor)
        case date():
            return on_day(anchor, zone_)


def _ends_of(moment: Finished) -> Ends:
    return "end_of_day" if moment.whole_day else "same_time"


def _calendar(named: str | Checked, env: MomentEnv) -> Calendar | Unknown:
    name = named if isinstance(named, str) else evaluate(named, env)
    return name if isinstance(name, Unknown) else env.calendar(name)


def _zone(moment: CompiledMoment, base: Anchor | Unknown, env: MomentEnv) -> ZoneInfo | Unknown:
    """Return where days begin and end: what the moment says, or of a clock what its due moment says."""
    named = moment.timezone
    if named is None:
        inherited = isinstance(moment.base, Given) and isinstance(base, Finished) and base.counted.timezone
        return zone(inherited) if inherited else env.zone
    name = named if isinstance(named, str) else evaluate(named, env)
    if isinstance(name, Unknown):
        return name
    try:
        return zone(name)
    except InvalidValue as error:
        raise RuleError(str(error)) from None


def _union(parts: Iterable[object]) -> Unknown:
    """Return one Unknown with every path that is missing."""
    return reduce(or_, (part for part in parts if isinstance(part, Unknown)), Unknown())
