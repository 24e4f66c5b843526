"""A compiled policy, as frozen records: what `compile` makes of a document and `decide` reads.

Everything an author wrote is here as typed data: names are resolved, expressions checked, literals read. Nothing here
is text to be interpreted again. Spec: docs/language.md, whose words these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from .calendar import Calendar
from .case import PolicyRef
from .diagnostics import Place
from .expression import Checked
from .moment import CompiledMoment
from .money import Rounding
from .rules.condition import Computed, Condition, Constant, Term
from .source import Source
from .table import CompiledTable
from .types import RecordType, Type
from .values import Value

#: The role of the application itself, which reports what became of payouts.
HOST: Final = "host"
#: Its role in a policy that has a `host` of its own, such as somebody who lets rooms.
SYSTEM: Final = "system"
#: What the host reports of a payout, as events `PAYOUT.settled` and so on.
RESULTS: Final = ("settled", "failed", "reversed")
#: What is said of a payout that needs approval, as events `PAYOUT.approved` and `PAYOUT.declined`.
VERDICTS: Final = ("approved", "declined")
#: What may be said beside a result or verdict, each optional, and text but for the amount; none of it is secret.
RESULT_DATA: Final[Mapping[str, tuple[str, ...]]] = {
    "settled": ("part", "reference", "cause"),
    "failed": ("part", "reference", "cause"),
    "reversed": ("part", "reference", "cause", "amount"),
    "approved": ("amount", "cause"),
    "declined": ("amount", "cause"),
}

#: What the calendar is in at an instant.
CalendarUnit = Literal["day", "week", "month", "quarter", "year"]

#: Text for people: language tag to text; the tag "" holds text given without a language.
Text = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A fact, or a field of an event or an effect."""

    name: str
    type: Type
    default: Term | None
    sensitive: bool
    says: Text
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that may arrive."""

    name: str
    #: Roles that may send it.
    by: tuple[str, ...]
    fields: tuple[Field, ...]
    keep_as: str | None
    says: Text
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask the host for a declared effect."""

    effect: str
    fields: tuple[tuple[str, Term], ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """Move money: `pay` asks, `grant` fixes, `reverse` takes back."""

    verb: Literal["pay", "grant", "reverse"]
    payout: str
    amount: Term | None
    place: Place


Action = Ask | Pay


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens when a candidate is taken."""

    to: str | None = None
    #: Fact to its new value; None clears it.
    sets: tuple[tuple[str, Term | None], ...] = ()
    do: tuple[Action, ...] = ()
    decision: Term | None = None
    reason: Term | None = None
    refuse: Term | None = None
    alarm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way a case may go: conditions, and an outcome."""

    id: str
    place: Place
    outcome: Outcome
    #: Roles that may take it; empty means every role that may send the event.
    by: tuple[str, ...] = ()
    condition: Condition | None = None
    #: Paths that must be there, each with the expression that asks.
    needs: tuple[tuple[str, Checked], ...] = ()
    unknown: Outcome | None = None
    sources: tuple[str, ...] = ()

    @property
    def unconditional(self) -> bool:
        """Whether it always holds."""
        return self.condition is None and not self.needs and not self.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """A clock as declared."""

    id: str
    name: str
    #: The state it belongs to, or None for a clock of the case itself.
    state: str | None
    #: The leg that an outcome without `to` stays in: its state's, or that of the states which start it, or the first.
    leg: str
    due: CompiledMoment
    place: Place
    #: What has to hold for it to start; None for a clock that always does.
    condition: Condition | None = None
    #: Moments before the due moment, counted from it.
    reminders: tuple[CompiledMoment, ...] = ()
    pause_while: Condition | None = None
    breach: tuple[Candidate, ...] = ()
    #: For clocks of the case: states and events that start it; empty means the opening.
    starts: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()
    live: bool = False
    until_met: bool = False
    says: Text
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a leg may stand."""

    name: str
    place: Place
    initial: bool
    #: The reason by which events are refused here, or None for a state that is open.
    final: str | None
    waits_for: tuple[str, ...]
    says: Text
    slas: tuple[Sla, ...]
    on: Mapping[str, tuple[Candidate, ...]]
    always: tuple[Candidate, ...]
    enter: tuple[Action, ...]
    exit: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One machine: states, of which one is initial."""

    name: str
    states: Mapping[str, State]
    initial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A candidate that holds across states: on an event, on a condition's becoming true, or at a moment."""

    name: str
    #: The one leg that it moves, and of whose states it holds in some.
    leg: str
    states: frozenset[str]
    candidate: Candidate
    event: str | None = None
    when: Condition | None = None
    at: CompiledMoment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way for money to go; without `via` it holds it."""

    id: str
    condition: Condition | None
    via: Term | None
    needs: tuple[tuple[str, Checked], ...]
    sources: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenders:
    """The means by which the money came in, over which a payout is shared out."""

    #: A list of records with at least `id` (text) and `amount` (money).
    of: Term
    split: Literal["pro_rata", "in_order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Who has to approve a payout before the host is asked for it."""

    #: When they have to, or None for always.
    condition: Condition | None
    #: The amount above which they have to, or None for any.
    above: Term | None
    by: tuple[str, ...]
    #: How many approvals there must be, and whether each is to come from somebody else.
    count: int
    distinct: bool
    #: Whether people are told apart by their names alone, so that nobody is two by having two roles.
    by_name: bool
    #: Expressions of those who may not approve, such as whoever asked for it.
    excluded: tuple[Checked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRule:
    """A kind of money out."""

    name: str
    amount: Term
    at_most: Term | None
    tenders: Tenders | None
    #: Every one that an amount is above has to be met.
    approvals: tuple[Tier, ...]
    #: Whether a route asks how its part has fared, so that it is to be kept.
    reads_part: bool
    routes: tuple[Route, ...]
    #: The balances that it takes from, each of which caps it: the name, and the expression that asks how it stands.
    balances: tuple[tuple[str, Computed], ...]
    #: The role that the money is taken from, or what tells it; None for money that goes out.
    taken_from: Term | None
    #: Roles that may report results, besides the host.
    reported_by: tuple[str, ...]
    says: Text
    sources: tuple[str, ...]
    place: Place

    @property
    def payer(self) -> str | None:
        """The role that the money is taken from in every case; None where it goes out, or the case tells the role."""
        return str(self.taken_from.value) if isinstance(self.taken_from, Constant) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """A window as declared."""

    name: str
    opens: CompiledMoment | None
    closes: CompiledMoment | None
    early: str | None
    late: str | None
    sources: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A value about other cases, or one that only the host knows, as declared."""

    name: str
    kind: Literal["count", "sum", "host"]
    #: Of its value.
    type: Type
    #: Facts whose values other cases share, or by which the host looks it up.
    same: tuple[str, ...]
    #: What other cases have to be, as a `Query` says it.
    policies: tuple[str, ...]
    states: tuple[str, ...]
    decisions: tuple[str, ...]
    payout: str | None
    figure: Literal["granted", "paid"] | None
    #: How far back it looks: a moment that counts back from the step's instant, or what the calendar is in.
    within: CompiledMoment | CalendarUnit | None
    says: Text
    sources: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An amount that cases share, and never exceed together."""

    name: str
    #: The fact whose value those who share it have in common.
    of: str
    #: What all of them together may take.
    limit: Checked
    says: Text
    sources: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonText:
    """The sentence of a reason, and the expressions it inserts, by their text."""

    code: str
    text: Text
    inserts: tuple[tuple[str, Checked], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """When a version is in force: `until` is exclusive."""

    starts: datetime | None
    until: datetime | None
    #: The timestamp fact that chooses, or None for the opening instant.
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrates:
    """How open cases of earlier versions go on under this one."""

    versions: tuple[str, ...]
    #: Their states, each with the one of this version; one that is not named keeps its name.
    states: Mapping[str, str]
    #: Fact to its new value, which reads what was carried over; None clears it.
    sets: tuple[tuple[str, Term | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class CompiledPolicy:
    """A policy that can run. Two are the same if they are one object; `ref` tells whether two mean the same."""

    ref: PolicyRef
    title: Text
    sources: Mapping[str, Source]
    in_force: InForce
    serves: Condition | None
    timezone: Term
    currency: Term | None
    rounding: Rounding
    #: Or the expression that names another.
    calendars: Mapping[str, Calendar | Checked]
    roles: Mapping[str, Text]
    #: The role of the application itself.
    host: str
    facts: Mapping[str, Field]
    events: Mapping[str, Event]
    #: What `events` says of results of payouts and of verdicts on them, by names such as `credit.failed`.
    results: Mapping[str, Event]
    #: The type of each record of an event, by its own name and by `keep_as`.
    records: Mapping[str, RecordType]
    effects: Mapping[str, tuple[Field, ...]]
    reasons: Mapping[str, ReasonText]
    params: Mapping[str, Value]
    param_sources: Mapping[str, tuple[str, ...]]
    moments: Mapping[str, CompiledMoment]
    windows: Mapping[str, WindowRule]
    tables: Mapping[str, CompiledTable]
    defines: Mapping[str, Checked]
    lookups: Mapping[str, Lookup]
    balances: Mapping[str, Balance]
    legs: tuple[Leg, ...]
    slas: tuple[Sla, ...]
    #: Every clock by its id, in the order of the file: those of states, then those of the case.
    clocks: Mapping[str, Sla]
    #: By the names of events and states: the clocks that these meet or start, in the same order.
    hearing: Mapping[str, tuple[Sla, ...]]
    escalations: tuple[Escalation, ...]
    payouts: Mapping[str, PayoutRule]
    #: Paths of facts and record fields whose values are committed to, not written.
    sensitive: frozenset[str]
    #: How many keys and states the author wrote.
    size: tuple[int, int]
    #: Name and version of each policy that it is laid over, the nearest first.
    extends: tuple[tuple[str, str], ...] = ()
    migrates: Migrates | None = None
