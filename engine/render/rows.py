"""Lists of cases: a row for each, as text in columns or as a line of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ..calendar import zone
from ..durable.listing import place_of
from ..durable.standing import Standing
from .diagnostics import one_line
from .paint import Paint
from .plain import lined, plain, stamp
from .text import NOTHING, padded, width
from .why import speech

_HEADER: Final = ("case", "policy", "state", "waits for", "opened", "due", "")
_HOUR: Final = 3600


def span(late: timedelta) -> str:
    """Return how late something is, or how much time is left, in its two largest units.

    >>> span(timedelta(days=3, hours=5)), span(timedelta(minutes=-90)), span(timedelta())
    ('3 d 5 h late', 'in 1 h 30 min', 'now')
    """
    seconds = abs(int(late.total_seconds()))
    units = [("d", seconds // (24 * _HOUR)), ("h", seconds // _HOUR % 24), ("min", seconds // 60 % 60)]
    while units and not units[0][1]:
        del units[0]
    told = " ".join(f"{count} {unit}" for unit, count in units[:2] if count) or f"{seconds} s"
    if not seconds:
        return "now"
    return f"{told} late" if late > timedelta() else f"in {told}"


class Rows:
    """Writes rows below one another, in columns that grow with what has come so far.

    Args:
        at: what is late is late by then.
        colour: whether it is a terminal's.
    """

    def __init__(self, at: datetime, *, colour: bool) -> None:
        self._at = at
        self._paint = Paint(on=colour)
        self._say = speech(None, None, "en")
        self._widths = [width(title) for title in _HEADER]
        self._begun = False

    def lines(self, page: Sequence[Standing]) -> Iterator[str]:
        """Yield the lines of some cases; before the first ones a header."""
        cells = [[one_line(cell) for cell in self._cells(one)] for one in page]
        for row in cells:
            self._widths = [max(known, width(cell)) for known, cell in zip(self._widths, row, strict=True)]
        if not self._begun:
            self._begun = True
            yield self._paint.faint(self._line(_HEADER))
        for one, row in zip(page, cells, strict=True):
            line = self._line(row)
            overdue = one.is_overdue(self._at) or one.case is None or row[-1]
            yield self._paint.warning(line) if overdue else line

    def _line(self, cells: Iterable[str]) -> str:
        return "  ".join(map(padded, cells, self._widths)).rstrip()

    def _cells(self, one: Standing) -> list[str]:
        summary = one.summary
        return [
            summary.id,
            f"{summary.policy.name} {summary.policy.version}",
            " + ".join(summary.filing.states),
            ", ".join(summary.filing.waits_for) or NOTHING,
            self._say.when(summary.opened_at),
            self._due(one),
            "; ".join(attention(one)),
        ]

    def _due(self, one: Standing) -> str:
        late = one.late(self._at)
        if one.due is not None and late is not None:
            return f"{self._say.when(one.due)} ({span(late)})"
        return "paused" if one.clock is not None else NOTHING


def attention(one: Standing) -> Iterator[str]:
    """Yield why a person has to look at a case."""
    if one.case is None:
        yield "damaged"
    if one.summary.needs_human is not None:
        yield f"needs a person: {one.summary.needs_human}"
    if one.summary.parked is not None:
        yield f"parked: {one.summary.parked}"


def row_json(one: Standing, at: datetime) -> str:
    """Return a case as a line of JSON; instants carry the offset of its zone."""
    return lined(row_data(one, at))


def row_data(one: Standing, at: datetime) -> dict[str, Any]:
    """Return how a case stands as JSON data."""
    summary, case, clock = one.summary, one.case, one.clock
    here = None if case is None else zone(case.timezone)
    return {
        "id": summary.id,
        "policy": summary.policy.name,
        "version": summary.policy.version,
        "seq": summary.seq,
        "opened_at": stamp(summary.opened_at, here),
        "at": stamp(summary.at, here),
        "states": list(summary.filing.states),
        "waits_for": list(summary.filing.waits_for),
        "closed": summary.filing.closed,
        "decision": None if case is None else plain(case.decision, here),
        "clock": None
        if clock is None
        else {"name": clock.name, "status": clock.status, "due": plain(clock.due, here)},
        "overdue": one.is_overdue(at),
        "next_timer_at": plain(summary.due_at, here),
        "needs_human": summary.needs_human,
        "parked": summary.parked,
        "damaged": case is None,
        "place": place_of(summary),
    }
