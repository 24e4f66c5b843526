"""What both forms of a moment are made of: anchors, periods, and the expressions inside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from ..calendar import Calendar
from ..diagnostics import Place
from ..document import Fields, Node, Scalar
from ..errors import InvalidValue
from ..expression import Checked, Scope, check_text
from ..expression.tree import Choice, Constant, Now, Reference, TableCall, sources
from ..expression.tree import Node as TreeNode
from ..period import OPENING_SECONDS, Direction, Ends, Period, Roll, parse_period
from ..types import DATE, HOLE, PERIOD, TEXT, TIMESTAMP, WINDOW, EnumType, RecordType, Type, required
from ..values import parse_date, parse_timestamp
from .compiled_moment import DEFAULT_CALENDAR, Base, CompiledMoment, Computed, Given, Literally, Named, Step
from .condition import Context
from .moment_text import Span, is_period, looks_like_period, period_hint, whole

_DATED: Final = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ]\d.*)?", re.ASCII)


class Almanac(Protocol):
    """What a policy declares of time, for the moments in it."""

    def names(self) -> Iterable[str]:
        """Return the name of every declared calendar."""

    def calendar(self, name: str) -> Calendar | Checked | None:
        """Return a declared calendar, or the expression that names one; None where that has findings of its own."""

    def zone(self) -> Checked | None:
        """Return the expression that the zone of a case is computed from, if it is."""


class Uses(Protocol):
    """Whatever reads facts."""

    @property
    def reads(self) -> frozenset[str]:
        """The paths that it reads."""

    @property
    def may_miss(self) -> frozenset[str]:
        """The optional paths whose absence can leave it unknown."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read, and may be missing."""

    reads: frozenset[str] = frozenset()
    may_miss: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Length:
    """A period that was read, and its value where the policy alone tells it."""

    value: Period | Checked
    known: Period | None
    place: Place

    @property
    def exact(self) -> bool | None:
        """Whether it is hours, minutes or seconds; None where only the case tells."""
        return self.known.exact if self.known else None


@dataclass(frozen=True, slots=True)
class Start:
    """What counting starts from."""

    base: Base
    uses: Uses
    #: Whether it is a whole day; None where only the case tells.
    whole_day: bool | None


@dataclass(frozen=True, slots=True)
class Rules:
    """The calendar and the time zone that stand around a moment."""

    calendar: str | Checked = DEFAULT_CALENDAR
    timezone: str | Checked | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A start, and the periods that are counted from it."""

    start: Start
    steps: tuple[Step, ...] = ()
    last: Length | None = None


GIVEN: Final = Start(Given(), Reads(), whole_day=None)


class Parts:
    """Reads the parts of one moment; at a mistake it notes it, returns None for that part, and goes on."""

    def __init__(self, context: Context, almanac: Almanac, *, given: bool) -> None:
        self.context = context
        self.almanac = almanac
        #: Names that were reported, and may stand for any calendar.
        self.told: set[str] = set()
        self.given = given
        self.failed = False

    def add(self, code: str, place: Place, message: str, hint: str | None = None) -> None:
        """Note a finding; the moment cannot be used."""
        self.failed = True
        self.context.diagnostics.add(code, place, message, hint=hint)

    def span(self, node: Node, what: str, example: str) -> Span | None:
        """Return the text of a scalar that holds one."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.text.strip():
            return whole(node)
        self.add("AM102", node.place, f"{what} is due here", f"such as `{example}`")
        return None

    def anchor(self, span: Span) -> Start | Length | None:
        """Read what counting starts from; a period is returned as such, for the caller to judge."""
        if _DATED.fullmatch(span.text):
            return self.dated(span)
        declared = self.context.scope.find(span.text)
        if declared is not None and declared.kind == "moment":
            return Start(Named(name=span.text), declared, whole_day=None)
        checked = self.expression(span)
        if checked is None:
            return None
        type_ = required(checked.type)
        if type_ == PERIOD:
            return self.length(checked, span)
        if type_ not in (TIMESTAMP, DATE, HOLE):
            message = f"`{span.text}` is of type {type_}, and a moment starts from a timestamp or a date"
            self.add("AM202", span.place, message, _instants_of(span.text, type_))
            return None
        return Start(Computed(checked=checked), checked, whole_day=type_ == DATE)

    def dated(self, span: Span) -> Start | None:
        """Read an instant or a day that is written out."""
        try:
            value: datetime | date = (
                parse_date(span.text) if len(span.text) <= len("2026-03-05") else parse_timestamp(span.text)
            )
        except InvalidValue as error:
            self.add("AM106", span.place, str(error))
            return None
        return Start(Literally(value=value), Reads(), whole_day=not isinstance(value, datetime))

    def period(self, span: Span) -> Length | None:
        """Read a literal period, or an expression of that type."""
        if not looks_like_period(span):
            checked = self.expression(span, PERIOD)
            return self.length(checked, span) if checked else None
        try:
            known = parse_period(span.text)
        except InvalidValue as error:
            self.add("AM106", span.place, str(error), self.counted_by(span.text) or period_hint(span.text))
            return None
        return Length(known, known, span.place)

    def counted_by(self, text: str) -> str | None:
        """Return how a period is written whose number is a value, as in `tries days`."""
        number, _, unit = text.partition(" ")
        if not is_period(f"2 {unit}") or self.context.scope.find(number.partition(".")[0]) is None:
            return None
        product = f'period("1 {unit.removesuffix("s")}") * {number}'
        return f"a number that is a value is multiplied: `wait: {product}` under `define`, and `wait` here"

    def length(self, checked: Checked, span: Span) -> Length:
        """Return a period that an expression tells; that of a param is known at once."""
        declared = self.context.scope.find(span.text)
        known = declared.literal if declared else None
        return Length(checked, known if isinstance(known, Period) else None, span.place)

    def expression(self, span: Span, expect: Type | None = None) -> Checked | None:
        """Parse and check an expression that does not depend on when it is asked."""

        def place(start: int, end: int) -> Place:
            return span.scalar.place_of(span.start + start, span.start + end)

        checked, problems = check_text(span.text, self.context.scope, expect=expect)
        for found in problems:
            self.add(found.code, place(found.start, found.end), found.message, found.hint)
        if checked is None or problems:
            return None
        if "now" in checked.reads:
            asks = next(filter(self.asks_now, sources(checked.root)), checked.root)
            hint = "a moment is the same whenever it is asked for; count from a fact or an event"
            message = "a moment cannot depend on the instant of asking"
            self.add("AM207", place(asks.start, asks.end), message, hint)
        return checked

    def asks_now(self, node: TreeNode) -> bool:
        """Return whether a part of an expression depends on the instant of asking, itself or by what it names."""
        if isinstance(node, Reference | TableCall):
            declared = self.context.scope.find(node.name)
            return declared is not None and "now" in declared.reads
        return isinstance(node, Now)

    def step(self, counted: Counted, direction: Direction, length: Length, rules: Rules) -> Counted:
        """Count one more period."""
        if length.known and direction == "from" and not length.known.count:
            hint = "write `after`, which does not count that day"
            self.add("AM207", length.place, f"counted from a day, {length.known} end before it begins", hint)
        if length.known and length.known.of_business:
            self.declared(rules.calendar, length.place, f"{length.known.unit}s")
        step = Step(direction=direction, period=length.value, calendar=rules.calendar)
        return Counted(counted.start, (*counted.steps, step), length)

    def declared(self, calendar: str | Checked, place: Place, what: str) -> None:
        """Note where business days or hours are counted on a calendar that there is not, or that is never open."""
        if isinstance(calendar, str) and calendar in self.told:
            return
        names = list(self.almanac.names())
        if isinstance(calendar, str) and calendar not in names:
            such_as = "hours: 09:00-17:00" if what.removesuffix("s") in OPENING_SECONDS else "holidays: US"
            hint = f"declare it under `calendars`, such as `{calendar}: {{{such_as}}}`"
            if names:
                hint = f"name one with `calendar`: {', '.join(f'`{name}`' for name in names)}; or {hint}"
            self.add("AM104", place, f"{what} need a calendar, and none is called `{calendar}`", hint)
            return
        if what.removesuffix("s") not in OPENING_SECONDS:
            return
        for name in sorted(self.named_through(calendar)):
            found = self.almanac.calendar(name)
            if isinstance(found, Calendar) and found.hours is None:
                hint = f"add `hours` to it under `calendars`, such as `{name}: {{hours: 09:00-17:00}}`"
                message = f"{what} need opening hours, and the calendar `{name}` has none"
                self.add("AM207", place, message, hint)

    def named(self, fields: Fields, key: str, names: Iterable[str]) -> str | Checked | None:
        """Read the name that stands under a key, or the expression that tells it."""
        node = fields.get(key)
        span = self.span(node, f"the name of a {key}", f"{key}: …") if node else None
        if span is None:
            return None
        known = sorted(names)
        what = key.replace("timezone", "time zone")
        if span.text.startswith("="):
            span = span.cut(1)
            named: str | Checked | None = self.expression(span, TEXT)
        else:
            named = span.text
        literals = named_by(named, self.context.scope) if isinstance(named, Checked) else ()
        written = [(span.text, span.place)] if isinstance(named, str) else []
        written += [(str(c.value), span.cut(c.start, c.end).place) for c in literals]
        for text, place in written:
            if text not in known:
                self.add(
                    "AM104",
                    place,
                    f"there is no {what} `{text[:60]}`",
                    self.context.diagnostics.near(text, known),
                )
        if key == "calendar" and self.failed:
            # Told once; what is counted on it need not tell it again.
            self.told |= {DEFAULT_CALENDAR, span.text}
        return named

    def made(
        self, counted: Counted, rules: Rules, *, ends: Ends | None = None, roll: Roll = "none"
    ) -> CompiledMoment:
        """Return the compiled moment, with all that it reads."""
        start, last = counted.start, counted.last
        whole_day = start.whole_day if last is None else None if last.exact is None else not last.exact
        terms = [rules.timezone or self.almanac.zone(), *(step.period for step in counted.steps)]
        uses: list[Uses] = [start.uses, *(term for term in terms if isinstance(term, Checked))]
        named = [step.calendar for step in counted.steps if self.may_need(step)]
        for calendar in (*named, *([] if roll == "none" else [rules.calendar])):
            uses.extend(self.chosen_by(calendar))
        return CompiledMoment(
            base=start.base,
            steps=counted.steps,
            ends=ends,
            roll=roll,
            calendar=rules.calendar,
            timezone=rules.timezone,
            reads=frozenset[str]().union(*(use.reads for use in uses)),
            may_miss=frozenset[str]().union(*(use.may_miss for use in uses)),
            whole_day=whole_day if ends is None else ends == "end_of_day",
        )

    def may_need(self, step: Step) -> bool:
        """Return whether a step may count business days or hours."""
        return not isinstance(step.period, Period) or step.period.of_business

    def chosen_by(self, calendar: str | Checked) -> Iterator[Uses]:
        """Yield the expressions that choose a calendar, one after another."""
        if isinstance(calendar, Checked):
            yield calendar
        for name in sorted(self.named_through(calendar)):
            found = self.almanac.calendar(name)
            if isinstance(found, Checked):
                yield found

    def named_through(self, calendar: str | Checked) -> set[str]:
        """Return the names of every calendar that a name or an expression leads to, as far as the text tells."""
        found: set[str] = set()
        waiting = [calendar]
        while waiting:
            named = waiting.pop()
            if isinstance(named, Checked):
                waiting += [str(constant.value) for constant in outcomes(named.root)]
            elif named in self.almanac.names() and named not in found:
                found.add(named)
                leads = self.almanac.calendar(named)
                waiting += [leads] if isinstance(leads, Checked) else []
        return found


def named_by(checked: Checked, scope: Scope) -> Iterator[Constant]:
    """Yield the names that an expression may come to, as far as its text and its type tell: of an enum, all its values."""
    yield from outcomes(checked.root)
    # Where a text is due, an enum's value is one, and the tree no longer tells which.
    free = check_text(checked.text, scope)[0]
    kind = HOLE if free is None or isinstance(free.root, Constant | Choice) else required(free.root.type)
    if isinstance(kind, EnumType):
        start, end = checked.root.start, checked.root.end
        yield from (Constant(value=value, type=kind, start=start, end=end) for value in kind.values)


def outcomes(root: TreeNode) -> Iterator[Constant]:
    """Yield the literals that an expression may come to, as far as its text tells."""
    match root:
        case Constant():
            yield root
        case Choice():
            yield from outcomes(root.then)
            yield from outcomes(root.otherwise)


def _instants_of(text: str, type_: Type) -> str | None:
    """Return the hint for a value that is no instant, but has some."""
    names: list[str] = []
    if type_ == WINDOW:
        names = ["opens", "closes"]
    elif isinstance(type_, RecordType):
        names = [name for name, field in type_.fields if required(field) in (TIMESTAMP, DATE)]
    return "write " + " or ".join(f"`{text}.{name}`" for name in names) if names else None
