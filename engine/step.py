"""What goes into a case and what comes out: inputs, and the step each of them makes.

Spec: docs/semantics.md. A step is everything one input did, as one frozen record; a refusal is a step that moved nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from .case import Clock, Payout, PolicyRef, Reason, Share, Timer
from .values import Value
from .version import VERSION

#: The decision that a refused event records where its refusal states none.
REFUSED: Final = "event_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Step 0: a case is opened."""

    case_id: str
    policy: PolicyRef
    facts: Mapping[str, Value]
    recorded_at: datetime
    timezone: str | None = None
    #: Idempotency key.
    key: str | None = None
    #: The key for commitments to sensitive values; never written to the journal.
    secret: bytes = field(default=b"", repr=False)
    engine: str = VERSION
    tzdata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that arrived; `occurred_at` is when it happened, `recorded_at` orders it."""

    name: str
    data: Mapping[str, Any]
    #: Who sends it, such as `agent:7`, and in which role.
    actor: str
    role: str
    occurred_at: datetime
    recorded_at: datetime
    key: str | None = None
    engine: str = VERSION
    tzdata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer of the case that passed: when it was to fire, and when it did."""

    timer: str
    fires_at: datetime
    fired_at: datetime
    engine: str = VERSION
    tzdata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate:
    """The case goes on under another version of its policy; it says how only on the way back."""

    policy: PolicyRef
    #: Who decided that it does, such as `ops:7`.
    actor: str
    recorded_at: datetime
    key: str | None = None
    #: Of a way back: the number of the step that is undone. What follows is then what that step did, turned round.
    undoes: int | None = None
    #: States, each with the one that the case then stands in.
    states: Mapping[str, str] = field(default_factory=dict)
    #: Facts as they were, for those that still are what that step made of them; None where there was none.
    facts: Mapping[str, Value] = field(default_factory=dict)
    #: Clocks that it dropped, as they were.
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    engine: str = VERSION
    tzdata: str = ""


Input = Open | Event | Due | Migrate
Verdict = Literal["applied", "refused", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One candidate that was taken. `target` None means the leg stayed where it was."""

    leg: str
    source: str | None
    target: str | None
    #: The candidate's id, its place in the policy's flow.
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something the host must do, once; `key` is the same however often it is delivered."""

    key: str
    kind: str
    data: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a step changed: all that `evolve` needs. A value None in a map removes the entry."""

    legs: Mapping[str, str | None] = field(default_factory=dict)
    facts: Mapping[str, Value] = field(default_factory=dict)
    clocks: Mapping[str, Clock | None] = field(default_factory=dict)
    payouts: Mapping[str, Payout] = field(default_factory=dict)
    #: What the case has now taken of balances, by their names, where that is not what it was.
    takes: Mapping[str, Share] = field(default_factory=dict)
    #: The whole list as it now stands; None where it is as before.
    timers: tuple[Timer, ...] | None = None
    holding: tuple[str, ...] | None = None
    needs_human: str | None = None
    #: Set by the opening.
    timezone: str | None = None
    currency: str | None = None
    #: Set by a migration: what the case is pinned to from then on.
    policy: PolicyRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A condition that was looked at: its text, its worth and the values it saw."""

    text: str
    #: `true`, `false`, `unknown`, or the error.
    value: str
    saw: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One candidate or table rule that was looked at, and what became of it."""

    rule: str
    result: Literal["taken", "holds", "false", "unknown", "refused", "failed"]
    clauses: tuple[Clause, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """A fact, and the value that other cases have to share to be meant."""

    fact: str
    #: Of a simple type, so that a store can find it by an index.
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question that `decide` cannot answer from its arguments, put to the driver. Equal questions are one.

    `count`: of how many other cases all of this is so (int). `sum`: what they granted or paid (Money). `taken`: what they
    have taken of a balance (a Money for each currency, in the order of the codes). `host`: what only the host knows, as
    plain data or None. The case that asks is never among the others, and its driver knows which it is.
    """

    kind: Literal["count", "sum", "taken", "host"]
    #: Of the lookup or the balance, as the policy declares it.
    name: str
    same: tuple[Same, ...] = ()
    #: Names of policies of any version; of no policy in particular where empty.
    policies: tuple[str, ...] = ()
    #: States, one of which a case must stand in; any where empty.
    states: tuple[str, ...] = ()
    #: Decisions, one of which must have been its last; any where empty.
    decisions: tuple[str, ...] = ()
    #: Of a sum: the payout, which of its figures, and the currency; money of others does not count.
    payout: str | None = None
    figure: Literal["granted", "paid"] | None = None
    currency: str | None = None
    #: The first and the last instant (UTC, both included) at which what is meant may have happened; None for no bound.
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that a step has asked, and what it was told."""

    query: Query
    #: None where nobody knows.
    value: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Questions whose answers `decide` has to be called again with, beside those that it was given already."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Everything that one input did."""

    seq: int
    #: The instant the rules saw as `now`.
    at: datetime
    input: Input
    verdict: Verdict
    moves: tuple[Move, ...] = ()
    changes: Changes = field(default_factory=Changes)
    effects: tuple[Effect, ...] = ()
    #: What it has read of other cases and of the host, in the order in which it was read.
    answers: tuple[Answered, ...] = ()
    trace: tuple[Trace, ...] = ()
    #: The last decision and reason this step stated; a refusal always has a reason.
    decision: Value = None
    reason: Reason | None = None
    #: For undecided steps, the facts that would decide it.
    missing: tuple[str, ...] = ()
    #: Commitments to sensitive values, by their path in the journal entry.
    sealed: Mapping[str, str] = field(default_factory=dict)


def unsure(step: Step) -> tuple[Trace, ...]:
    """Return the candidates that a step took although their conditions were unknown, for the outcome that they state then."""
    rules = {move.rule for move in step.moves}
    return tuple(trace for trace in step.trace if trace.result == "unknown" and trace.rule in rules)
