"""A case: one running instance of a policy, as a frozen record.

A case is what its journal says; `evolve` rebuilds it step by step without the policy. Values are those of values.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from .money import Money
from .period import Ends, Roll
from .values import Value

#: The leg of a policy that declares `states` and no legs.
MAIN: Final = "main"

ClockStatus = Literal["running", "paused", "met", "breached", "ended"]
PartStatus = Literal[
    "granted", "needs_details", "needs_approval", "held", "asked", "settled", "failed", "reversed"
]
PayoutStatus = Literal["none"] | PartStatus

#: Parts whose money is to be had again by whoever shares a balance with the case.
GIVEN_BACK: Final = ("reversed",)

#: The states of a payout that its record shows, in the order of its life.
PAYOUT_STATES: Final[tuple[PayoutStatus, ...]] = (
    "none",
    "granted",
    "needs_details",
    "needs_approval",
    "held",
    "asked",
    "settled",
    "failed",
    "reversed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRef:
    """What a case is pinned to: a policy, and the two digests (SHA-256, hex) of what it was then."""

    name: str
    version: str
    #: Of the bundle's bytes.
    bundle: str
    #: Of the resolved model: overlays and dates applied, labels left out.
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How a due moment was counted, which is how what is left of it is counted after a pause."""

    unit: Literal["seconds", "days", "business days"] = "seconds"
    #: The calendar of the business days, or that whose opening hours the seconds are of; else empty.
    calendar: str = ""
    #: The zone of its days where the moment names one; empty for the case's.
    timezone: str = ""
    ends: Ends = "same_time"
    roll: Roll = "none"
    #: The calendar that it rolls on.
    rolls_on: str = ""
    #: Where counting came to before the day was ended and rolled; None where the due moment tells.
    reached: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a paused clock keeps: seconds (of a calendar's opening hours, if it names one), or whole counted days."""

    count: int
    unit: Literal["seconds", "days", "business days"]
    calendar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """When a clock stood still; `until` is None as long as it does."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock that has started. Its breach fires at `due` + 1 s while it is running."""

    name: str
    #: The state it belongs to, or None for a clock of the case itself.
    state: str | None
    status: ClockStatus
    started_at: datetime
    #: The last second in time; None while paused.
    due: datetime | None
    left: Left | None = None
    counted: Counted = Counted()
    pauses: tuple[Pause, ...] = ()
    #: Instants at which reminders are still to be sent.
    reminders: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a payout: one amount on one route."""

    id: str
    amount: Money
    status: PartStatus
    #: The id of the route, and where it sends the money; None while no route is found or the route holds it.
    route: str | None = None
    via: str | None = None
    #: Paths of the facts that the route waits for.
    missing: tuple[str, ...] = ()
    #: Whether it is to be asked for as soon as it waits for nothing.
    wanted: bool = False
    #: How often it was asked for; with the case, the payout and the part it makes the effect's key.
    attempt: int = 0
    #: The id of the tender that it goes back to, where the payout is shared out over tenders.
    tender: str | None = None
    #: The routes by which it failed, one for each failure; kept where routes may ask for them.
    tried: tuple[str, ...] = ()
    #: What the host was asked to take back of it, in all, and how often; what of it is back already, if it is not all.
    back: Money | None = None
    reversals: int = 0
    returned: Money | None = None

    @property
    def out(self) -> Money:
        """What of it is not back."""
        return self.amount - self.returned if self.returned else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What somebody said to an amount."""

    #: The actor, such as `lead:7`, and in which role.
    by: str
    role: str
    at: datetime
    #: Up to which amount of the whole payout.
    amount: Money
    declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Money out of a kind, part by part."""

    granted: Money
    parts: tuple[Part, ...]
    #: The sequence number of the step that granted it last, and how many others that step had granted before.
    seq: int
    turn: int = 0
    #: How many parts it has had, those that are gone included: no two ever have the same id.
    made: int = 0
    #: Of each tender, the number of the last part that was made for it.
    numbered: Mapping[str, int] = field(default_factory=dict)
    #: In the order in which they arrived.
    approvals: tuple[Approval, ...] = ()
    #: The role that it is taken from, where the case told that when it was granted.
    payer: str | None = None

    def total(self, *statuses: PartStatus) -> Money:
        """Return the sum of what is out of the parts in any of the given statuses."""
        return sum(
            (p.out for p in self.parts if p.status in statuses),
            Money(self.granted.amount * 0, self.granted.currency),
        )

    @property
    def paid(self) -> Money:
        """What was settled and not taken back."""
        return self.total("settled")

    @property
    def taken(self) -> Money:
        """What it takes of a balance: all that was granted and not given back. What failed may yet be paid."""
        zero = Money(self.granted.amount * 0, self.granted.currency)
        return sum((part.out for part in self.parts if part.status not in GIVEN_BACK), zero)

    @property
    def state(self) -> PayoutStatus:
        """The state of the whole: of the part that is furthest from done."""
        found = {part.status for part in self.parts}
        order: tuple[PartStatus, ...] = (
            "failed",
            "held",
            "needs_details",
            "needs_approval",
            "granted",
            "asked",
            "settled",
            "reversed",
        )
        return next((status for status in order if status in found), "settled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a case has taken of a balance that it shares with others."""

    #: What those who share the balance have in common: the value of its fact.
    of: Value
    taken: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Something that fires by itself: `breach:ID`, `remind:ID` or `wake`."""

    id: str
    fires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code of the policy, the rule that gave it, its sources, and the values its sentence speaks of."""

    code: str
    #: The id of the candidate or rule.
    rule: str | None = None
    sources: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case after some step."""

    id: str
    policy: PolicyRef
    #: The number of the last step; the opening is 0.
    seq: int
    #: The instant of the last step (UTC).
    at: datetime
    #: Leg to state.
    legs: Mapping[str, str]
    #: Facts, and the records of accepted events, by name.
    facts: Mapping[str, Value]
    #: By id: `state/name`, or `name` for a clock of the case itself.
    clocks: Mapping[str, Clock]
    payouts: Mapping[str, Payout]
    #: In the order in which they fire.
    timers: tuple[Timer, ...]
    timezone: str
    currency: str | None
    decision: Value = None
    reason: Reason | None = None
    #: Why a person has to look at it: a rule failed.
    needs_human: str | None = None
    #: Conditions of escalations that held after the last step: they fire when they become true.
    holding: tuple[str, ...] = ()
    #: What it has taken of balances, by their names.
    takes: Mapping[str, Share] = field(default_factory=dict)
    #: Digest of the journal's last entry (SHA-256, hex).
    head: str = "0" * 64
    #: The key under which sensitive values are committed to; it never stands in the journal.
    secret: bytes = field(default=b"", repr=False)
    #: The leg that the policy declares first.
    first: str = MAIN

    @property
    def state(self) -> str:
        """The state of the first leg, which mostly is the only one."""
        return self.legs[self.first]
