"""How cases stand, seen from outside: whom they wait for, which clock binds them, how late that is, and where money is.

Spec: docs/cli.md, "amends cases". Of sensitive values nothing is known here: cases come with commitments in their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from ..case import Case, Clock, Part, Payout
from ..money import Money
from ..store.protocol import Summary

#: The days at which one bucket of late or due cases ends and the next begins.
BUCKETS: Final = (1, 7, 30)

Figure = Literal["granted", "waiting", "asked", "settled", "failed", "taken_back"]
#: What is told of money, in the order of its life; all of it is there at once, but for what was granted, which is the sum.
FIGURES: Final[tuple[Figure, ...]] = ("granted", "waiting", "asked", "settled", "failed", "taken_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case in a list, with how it stands."""

    summary: Summary
    #: None where its row is damaged and does not hold one.
    case: Case | None

    @property
    def clock(self) -> Clock | None:
        """The clock that binds first: the one due first, else one that is paused."""
        found = () if self.case is None else binding(self.case, closed=self.summary.filing.closed)
        return found[0] if found else None

    @property
    def due(self) -> datetime | None:
        """The last second in time of that clock; None without one, and while it is paused."""
        return None if self.clock is None else self.clock.due

    def late(self, at: datetime) -> timedelta | None:
        """Return how long that clock was over by an instant; less than nothing is time left, None that none runs."""
        return None if self.due is None else at - self.due

    def is_overdue(self, at: datetime) -> bool:
        """Return whether somebody should have acted by an instant, and did not."""
        late = self.late(at)
        return late is not None and late > timedelta()


def binding(case: Case, *, closed: bool) -> tuple[Clock, ...]:
    """Return the clocks that somebody still has to keep, the one due first in front, paused ones last.

    A clock that ran out goes on to bind while its case stands in its state, or is open: its breach may have done no more
    than raise an alarm. One that is paused binds nobody once its state was left, and goes on when the case is there again.
    """

    def binds(clock: Clock) -> bool:
        here = clock.state in case.legs.values() if clock.state else not closed
        return clock.status == "running" or (clock.status in ("paused", "breached") and here)

    found = [clock for clock in case.clocks.values() if binds(clock)]
    last = max((clock.due for clock in found if clock.due), default=case.at)
    return tuple(sorted(found, key=lambda clock: (clock.due is None, clock.due or last, clock.name)))


@dataclass(slots=True)
class Load:
    """How many cases wait for a role, and for how many of them it is overdue."""

    cases: int = 0
    overdue: int = 0


@dataclass(slots=True)
class Report:
    """Counts over cases at an instant; `add` counts one more.

    The keys of `money` are a currency, and the role that money is taken from, "" for money that goes out.
    """

    at: datetime
    cases: int = 0
    open: int = 0
    damaged: int = 0
    needs_human: int = 0
    parked: int = 0
    waits_for: dict[str, Load] = field(default_factory=dict)
    #: Open cases by bucket: the number of the bucket, from 0 for the least, and whether it is late.
    due: Counter[tuple[bool, int]] = field(default_factory=Counter)
    #: Open cases whose clocks all stand still, and those that have none.
    paused: int = 0
    without_clock: int = 0
    money: dict[tuple[str, str], dict[Figure, Money]] = field(default_factory=dict)
    #: By policy and state, and by policy and decision, as JSON tells it.
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, one: Standing, decision: str, taken_from: Mapping[str, str | None]) -> None:
        """Count a case.

        Args:
            one: the case.
            decision: its last one as text; empty where it has none.
            taken_from: payouts by name, each with the role that its money is taken from, unless the case tells it.
        """
        filing, name = one.summary.filing, one.summary.policy.name
        self.cases += 1
        self.needs_human += one.summary.needs_human is not None
        self.parked += one.summary.parked is not None
        self.states.update((name, state) for state in filing.states)
        if one.case is None:
            self.damaged += 1
            return
        self.decisions[name, decision] += 1
        for payout, paid in one.case.payouts.items():
            self._pay(paid, paid.payer or taken_from.get(payout) or "")
        if filing.closed:
            return
        self.open += 1
        self._wait(one)
        for role in filing.waits_for:
            load = self.waits_for.setdefault(role, Load())
            load.cases += 1
            load.overdue += one.is_overdue(self.at)

    def _wait(self, one: Standing) -> None:
        late = one.late(self.at)
        if late is not None:
            self.due[late > timedelta(), bucket(abs(late))] += 1
        elif one.clock is not None:
            self.paused += 1
        else:
            self.without_clock += 1

    def _pay(self, payout: Payout, taken_from: str) -> None:
        currency = payout.granted.currency
        sums = self.money.setdefault(
            (currency, taken_from), dict.fromkeys(FIGURES, Money(payout.granted.amount * 0, currency))
        )
        sums["granted"] += payout.granted
        for part in payout.parts:
            for figure, amount in figures(part):
                sums[figure] += amount


def bucket(span: timedelta) -> int:
    """Return the number of the bucket that a time falls into; the bound belongs to the lesser one.

    >>> [bucket(timedelta(days=days)) for days in (0, 1, 7, 30, 31)]
    [0, 0, 1, 2, 3]
    """
    return next((number for number, days in enumerate(BUCKETS) if span <= timedelta(days=days)), len(BUCKETS))


def figures(part: Part) -> Iterator[tuple[Figure, Money]]:
    """Yield where the money of a part is."""
    match part.status:
        case "reversed":
            yield "taken_back", part.amount
        case "asked" | "settled" | "failed" as figure:
            yield figure, part.out
            if part.returned:
                yield "taken_back", part.returned
        case _:
            yield "waiting", part.out
