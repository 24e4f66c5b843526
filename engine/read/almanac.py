"""What a policy declares of time: `calendars` with their holidays and opening hours, and `timezone`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Final

from ..calendar import Calendar, Stretch, zone_names
from ..diagnostics import Diagnostics
from ..document import Fields, Node, Scalar
from ..errors import InvalidValue
from ..expression import Checked
from ..rules.condition import Computed, Constant, Context, Term, read_expression, read_term
from ..rules.moment_parts import named_by
from ..types import TEXT
from ..values import parse_date
from .shape import at, entries, items, known, unknown, word

#: The holidays of a code of the holidays library: the dates, and the first and last day for which they are known.
Expanded = tuple[frozenset[date], date, date]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)


class PolicyAlmanac:
    """The calendars and the time zone of one policy; those that expressions choose are read when first asked for."""

    def __init__(
        self,
        policy: Node,
        holidays: Mapping[str, Expanded],
        context: Context,
    ) -> None:
        """Read what is written out; `holidays` has what each holiday code stands for that the policy names."""
        self.place = policy.place
        self.diagnostics = context.diagnostics
        self.context = context
        self._nodes = {name: value for name, _, value in entries(at(policy, "calendars"))}
        self._read: dict[str, Calendar | Checked | None] = {
            name: read_calendar(name, value, holidays, self.diagnostics)
            for name, value in self._nodes.items()
            if not _is_computed(value)
        }
        self._timezone_node = at(policy, "timezone")
        self._timezone: Term | None = None

    def names(self) -> tuple[str, ...]:
        """Return the name of every declared calendar."""
        return tuple(self._nodes)

    def calendar(self, name: str) -> Calendar | Checked | None:
        """Return a declared calendar, or the expression that names one; None where that has findings of its own."""
        if name not in self._read:
            node = self._nodes[name]
            # What leads back to itself does so through a name, and the scope tells.
            checked = read_expression(node, self.context, expect=TEXT, start=1)
            if checked:
                self._check_outcomes(checked, node, "calendar", self.names())
            if checked and "now" in checked.reads:
                message = "a calendar cannot depend on the instant of asking"
                self.diagnostics.add("AM207", node.place, message, hint="choose it by a fact or an event")
            self._read[name] = checked
        return self._read[name]

    def calendars(self) -> dict[str, Calendar | Checked]:
        """Return every calendar by its name."""
        found = {name: self.calendar(name) for name in self._nodes}
        return {name: calendar for name, calendar in found.items() if calendar is not None}

    def zone(self) -> Checked | None:
        """Return the expression that the zone of a case is computed from, if it is."""
        term = self.timezone()
        return term.checked if isinstance(term, Computed) else None

    def timezone(self) -> Term:
        """Return `timezone`; UTC where there is none."""
        node = self._timezone_node
        if self._timezone is None:
            utc = Constant(value="UTC", place=self.place)
            if node is None:
                return utc
            term = read_term(node, TEXT, self.context)
            if isinstance(term, Computed):
                self._check_outcomes(term.checked, node, "time zone", zone_names())
            elif term and isinstance(node, Scalar) and term.value not in zone_names():
                unknown(node, "time zone", zone_names(), self.diagnostics)
            self._timezone = term or utc
        return self._timezone

    def _check_outcomes(self, checked: Checked, node: Node, what: str, among: Collection[str]) -> None:
        """Report what an expression may come to, as far as its text tells, and is not declared."""
        for constant in named_by(checked, self.context.scope):
            text = str(constant.value)
            if text not in among and isinstance(node, Scalar):
                place = node.place_of(constant.start + 1, constant.end + 1)
                hint = self.diagnostics.near(text, among)
                self.diagnostics.add("AM104", place, f"there is no {what} `{text[:60]}`", hint=hint)


def _is_computed(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text.startswith("=")


def read_calendar(
    name: str, node: Node, holidays: Mapping[str, Expanded], diagnostics: Diagnostics
) -> Calendar:
    """Read a calendar that is written out; `holidays` has what its holiday codes stand for."""
    listed = at(node, "holidays") if isinstance(node, Fields) else node
    days = known(at(node, "weekend"), "day of the week", WEEKDAYS, diagnostics)
    dates: set[date] = set()
    first, last = date.min, date.max
    for item in items(listed):
        if isinstance(item, Scalar) and item.text in holidays:
            expanded, begins, ends = holidays[item.text]
            dates |= expanded
            first, last = max(first, begins), min(last, ends)
        elif (day := _date(item, diagnostics)) is not None:
            dates.add(day)
    weekend = frozenset(WEEKDAYS.index(day) + 1 for day in days) if at(node, "weekend") else frozenset({6, 7})
    if len(weekend) == len(WEEKDAYS):
        diagnostics.add("AM106", node.place, f"the calendar `{name}` has no business day at all")
    hours = at(node, "hours")
    return Calendar(
        name=name,
        weekend=weekend,
        holidays=frozenset(dates),
        first=first,
        last=last,
        hours=None if hours is None else _Hours(name, weekend, diagnostics).read(hours),
    )


class _Hours:
    """Reads `hours`: the same on every business day, or by day of the week."""

    def __init__(self, name: str, weekend: frozenset[int], diagnostics: Diagnostics) -> None:
        self.name = name
        self.weekend = weekend
        self.diagnostics = diagnostics

    def read(self, node: Node) -> tuple[tuple[Stretch, ...], ...] | None:
        """Return the stretches of each day of the week, Monday first; None where the calendar is never open."""
        if not isinstance(node, Fields):
            stretches = self._day(node)
            week = [() if day in self.weekend else stretches for day in range(1, 8)]
        else:
            week = self._by_day(node)
        if any(week):
            return tuple(week)
        if not self.diagnostics.has_errors:
            self.diagnostics.add("AM106", node.place, f"the calendar `{self.name}` is never open")
        return None

    def _by_day(self, node: Fields) -> list[tuple[Stretch, ...]]:
        week: list[tuple[Stretch, ...]] = [()] * 7
        for text, key, value in entries(node):
            stretches = self._day(value)
            for day in self._days(text, key):
                if day + 1 in self.weekend:
                    message = f"`{WEEKDAYS[day]}` is no business day of the calendar `{self.name}`"
                    hint = "its `weekend` is `[sat, sun]` unless it says otherwise, such as `weekend: [sun]`"
                    self.diagnostics.add("AM106", key.place, message, hint=hint)
                elif week[day]:
                    message = f"the hours of `{WEEKDAYS[day]}` are given twice"
                    self.diagnostics.add("AM106", key.place, message)
                week[day] = stretches
        return week

    def _days(self, text: str, key: Scalar) -> range:
        first, _, last = text.partition("-")
        for name in (first, last or first):
            if name not in WEEKDAYS:
                unknown(key, "day of the week", WEEKDAYS, self.diagnostics)
                return range(0)
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        if end < begin:
            hint = f"a week begins on Monday: write `{first}-sun` and `mon-{last}`"
            self.diagnostics.add("AM106", key.place, f"`{text}` ends before it begins", hint=hint)
        return range(begin, end + 1)

    def _day(self, node: Node) -> tuple[Stretch, ...]:
        """Return the stretches of one day, in order."""
        found: list[Stretch] = []
        for item in items(node):
            stretch = self._stretch(item)
            if stretch and found and stretch[0] < found[-1][1]:
                message = f"`{word(item)}` begins before the hours in front of it have ended"
                self.diagnostics.add("AM106", item.place, message)
            elif stretch:
                found.append(stretch)
        return tuple(found)

    def _stretch(self, item: Node) -> Stretch | None:
        text = word(item) or ""
        match = _HOURS.fullmatch(text)
        if match is None:
            self.diagnostics.add(
                "AM106", item.place, f"`{text[:60]}` are not opening hours such as `09:00-17:00`"
            )
            return None
        begin_hour, begin, end_hour, end = (int(part) for part in match.groups() if part)
        stretch = (60 * begin_hour + begin, 60 * end_hour + end)
        if stretch[0] < stretch[1]:
            return stretch
        hint = (
            f"hours over midnight belong to two days: `{text[:6]}24:00`, and `00:00-{text[6:]}` on the next"
        )
        self.diagnostics.add("AM106", item.place, f"`{text}` end before they begin", hint=hint)
        return None


def _date(node: Node, diagnostics: Diagnostics) -> date | None:
    text = word(node) or ""
    try:
        return parse_date(text)
    except InvalidValue:
        if text[:1].isdigit():
            diagnostics.add("AM106", node.place, f"`{text[:60]}` is not a date such as `2026-12-25`")
        return None


def holiday_codes(node: Node | None) -> Iterator[tuple[str, Scalar]]:
    """Yield what a `calendars` section may mean as codes of the holidays library, with their nodes."""
    for _, _, value in entries(node):
        listed = at(value, "holidays") if isinstance(value, Fields) else value
        for item in items(listed):
            if isinstance(item, Scalar) and not item.text[:1].isdigit() and not _is_computed(item):
                yield item.text, item
