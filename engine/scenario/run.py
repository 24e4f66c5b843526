"""Cases of a scenario file played through an engine, and what became of their expectations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any, Final, Literal

from ..case import PAYOUT_STATES, Case, Payout, Reason
from ..deadlines import deadlines
from ..diagnostics import Place, did_you_mean
from ..engine import Engine
from ..errors import AmendsError
from ..library import Library
from ..literal import Misfit, plain
from ..money import Money
from ..policy import CompiledPolicy
from ..step import REFUSED, Event, Query, Step
from ..values import Value
from .effects import are_among, asked_at
from .read import Expectation, ScenarioCase, ScenarioEvent, ScenarioFile, Wanted

#: The decision that a step records which could not be decided, where it states none.
UNDECIDED: Final = "undecided"

#: How an expectation says which of several payouts it is about.
_NAME_IT: Final = {
    "amount": 'a map such as `{NAME: "12.00"}` says which payout is meant',
    "route": "`effects` tell of every one that is asked for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One expectation: what was to be, what is, and the step that it is about."""

    at: datetime
    #: `state`, `amount` and so on; of a deadline with its name.
    key: str
    expected: Value
    actual: Value
    passed: bool
    place: Place
    #: The last step by then that did or refused something.
    step: Step | None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An event of a case that was refused or could not be decided, wanted so or not."""

    step: Step
    #: What the refusal is about: the event's name, its actor, a field of its data; else the event.
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one case."""

    id: str
    name: str
    place: Place
    checks: tuple[Check, ...] = ()
    #: The events that were not taken, in order.
    refused: tuple[Refused, ...] = ()
    #: Why the case could not be played to its end.
    error: str | None = None
    #: What the error is about, where that is a fact that is given; and the remedy.
    error_place: Place | None = None
    hint: str | None = None
    #: The policy that took it, and the case's zone; None where it never opened.
    policy: CompiledPolicy | None = None
    timezone: str | None = None

    @property
    def status(self) -> Literal["passed", "failed", "error"]:
        """An error where it could not be played, else whether every expectation was met."""
        if self.error is not None:
            return "error"
        return "passed" if all(check.passed for check in self.checks) else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of all cases of one or more files."""

    cases: tuple[CaseResult, ...]

    @property
    def passed(self) -> int:
        """How many cases met every expectation."""
        return self._count("passed")

    @property
    def failed(self) -> int:
        """How many cases did not."""
        return self._count("failed")

    @property
    def errors(self) -> int:
        """How many cases could not be played."""
        return self._count("error")

    def _count(self, status: str) -> int:
        return sum(case.status == status for case in self.cases)


def run_file(file: ScenarioFile, library: Library) -> Iterator[CaseResult]:
    """Run the cases of a file one by one, each in an engine of its own."""
    return (run_case(case, Engine(library)) for case in file.cases)


def run_case(case: ScenarioCase, engine: Engine) -> CaseResult:
    """Run one case in an engine that holds no other, and compare what it expects.

    Something that the engine refuses to take at all (a fact that is not of its type, no policy that serves) makes the
    result an error; a refused event does not.
    """
    opened: Case | None = None
    checks: list[Check] = []
    refused: list[Refused] = []
    problem: AmendsError | None = None
    try:
        opened = open_case(case, engine)
        rest = list(case.events)
        for expectation in case.expect:
            refused += _play(engine, opened.id, _until(rest, expectation.at))
            engine.run_due(expectation.at)
            checks += _checks(expectation, engine, opened.id)
        refused += _play(engine, opened.id, rest)
    except AmendsError as error:
        problem = error
    misfit = problem if isinstance(problem, Misfit) else Misfit("")
    return CaseResult(
        id=case.id,
        name=case.name,
        place=case.place,
        checks=tuple(checks),
        refused=tuple(refused),
        error=None if problem is None else str(problem),
        error_place=case.given_at.get(str(misfit.path[0])) if misfit.path else None,
        hint=misfit.hint,
        policy=None if opened is None else engine.policy_of(opened.id),
        timezone=None if opened is None else opened.timezone,
    )


def open_case(case: ScenarioCase, engine: Engine) -> Case:
    """Open a case at its instant, under the policy that it names or that serves it then.

    What is given by the name of a lookup or balance is no fact: it is what the engine is told when it asks.
    """
    policy = engine.library.choose(plain(case.facts), case.opens_at, case.policy)
    versions = [other for other in engine.library.policies if other.ref.name == policy.ref.name]
    asked = {name for version in versions for name in (*version.lookups, *version.balances)}
    told = case.given.keys() & asked - {*policy.facts}
    for name in told:
        engine.lookups[name] = partial(_told, case.given[name])
    facts = {name: value for name, value in case.facts.items() if name not in told}
    # Scenarios are no secret, and two runs are to give the same bytes.
    return engine.open(case.policy, facts, at=case.opens_at, case_id=case.id, secret=bytes(32))


def _told(value: Any, query: Query) -> Any:
    """Return what a scenario gives as the answer to a question; one amount stands for all of a balance."""
    return [value] if query.kind == "taken" and not isinstance(value, list) else value


def play(engine: Engine, case_id: str, events: Iterable[ScenarioEvent]) -> None:
    """Send events, each at its own instant; what is due before them fires first."""
    for event in events:
        engine.send(
            case_id, event.name, event.data, by=event.actor, at=event.at, occurred_at=event.occurred_at
        )


def _play(engine: Engine, case_id: str, events: Iterable[ScenarioEvent]) -> Iterator[Refused]:
    """Send events, and yield those that were not taken."""
    for event in events:
        play(engine, case_id, [event])
        step = engine.journal(case_id)[-1]
        if isinstance(step.input, Event) and step.verdict != "applied":
            yield Refused(step=step, place=_place(event, step))


def _place(event: ScenarioEvent, step: Step) -> Place:
    """Return the part of an event that its refusal is about."""
    match step.reason:
        case Reason(code="unknown_event"):
            part = "type"
        case Reason(code="role_not_allowed"):
            part = "actor"
        case Reason(code="invalid_data", values=values):
            part = f"data.{str(values.get('field')).partition('.')[0]}"
        case _:
            part = ""
    return event.places.get(part, event.place)


def _until(rest: list[ScenarioEvent], at: datetime) -> list[ScenarioEvent]:
    """Take from a list of events those up to and including an instant."""
    taken = [event for event in rest if event.at <= at]
    del rest[: len(taken)]
    return taken


def _checks(expectation: Expectation, engine: Engine, case_id: str) -> Iterator[Check]:
    case = engine.case(case_id)
    journal = engine.journal(case_id)
    last = journal[-1]
    arriving = last.input if isinstance(last.input, Event) and last.verdict != "applied" else None
    asked = asked_at(journal, expectation.at)
    policy = engine.policy_of(case_id)
    seen = _Seen(policy, case, journal, deadlines(policy, case, arriving), asked)
    for wanted in expectation.wanted:
        actual = seen.actual(wanted)
        yield Check(
            at=expectation.at,
            key=wanted.key if wanted.name is None else f"{wanted.key} {wanted.name}",
            expected=wanted.value,
            actual=actual,
            passed=(are_among if wanted.key == "effects" else _same)(wanted.value, actual),
            place=wanted.place,
            step=_telling(journal),
            hint=seen.hint(wanted),
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What can be said of a case at one instant."""

    policy: CompiledPolicy
    case: Case
    journal: Sequence[Step]
    deadlines: Mapping[str, datetime | None]
    #: What was asked of the host at that instant.
    asked: tuple[Mapping[str, Value], ...]

    def actual(self, wanted: Wanted) -> Value:
        match wanted.key:
            case "state":
                return self._state(wanted.value)
            case "decision":
                return recorded(self.journal)[0]
            case "reason":
                return recorded(self.journal)[1]
            case "amount":
                if isinstance(wanted.value, Mapping):
                    return {str(name): self._granted(str(name)) for name in wanted.value}
                payout = granted_last(self.case)
                return self._nothing if payout is None else payout.granted
            case "currency":
                return self.case.currency
            case "route":
                return _route(granted_last(self.case), split=isinstance(wanted.value, Mapping))
            case "deadline":
                return self.deadlines.get(wanted.name or "")
            case "effects":
                return self.asked

    @property
    def _nothing(self) -> Money:
        return Money(Fraction(0), self.case.currency or "")

    def _granted(self, name: str) -> Money | None:
        """Return what was granted of a payout: zero where nothing was yet, and None where there is no such payout."""
        if name not in self.policy.payouts:
            return None
        payout = self.case.payouts.get(name)
        return self._nothing if payout is None else payout.granted

    def _state(self, wanted: Value) -> Value:
        legs = self.case.legs
        if isinstance(wanted, Mapping):
            # Legs and payouts share one namespace.
            return {name: legs.get(str(name)) or self._payout_state(str(name)) for name in wanted}
        # Names of states are unique, so one alone says which leg is meant.
        if wanted in legs.values():
            return wanted
        return self.case.state if len(legs) == 1 else dict(legs)

    def _payout_state(self, name: str) -> str | None:
        if name not in self.policy.payouts:
            return None
        payout = self.case.payouts.get(name)
        return "none" if payout is None else payout.state

    def hint(self, wanted: Wanted) -> str | None:
        """Say what was probably meant by a deadline, leg, payout or state of which there is none, or whose amount it is."""
        if wanted.key == "state":
            return self._hint_at_state(wanted.value)
        if wanted.key == "amount" and isinstance(wanted.value, Mapping):
            unknown = (str(name) for name in wanted.value if name not in self.policy.payouts)
            return next((did_you_mean(name, self.policy.payouts) for name in unknown), None)
        if wanted.key in ("amount", "route") and len(self.case.payouts) > 1:
            last = granted_last(self.case)
            (name,) = (name for name, payout in self.case.payouts.items() if payout is last)
            return f"of `{name}`, which was granted last; {_NAME_IT[wanted.key]}"
        if wanted.name is None or wanted.name in self.deadlines:
            return None
        return did_you_mean(wanted.name, self.deadlines) or "no clock, window or moment of that name stands"

    def _hint_at_state(self, wanted: Value) -> str | None:
        legs = {leg.name: tuple(leg.states) for leg in self.policy.legs}
        known = {**legs, **dict.fromkeys(self.policy.payouts, PAYOUT_STATES)}
        whole = tuple(state for states in legs.values() for state in states)
        named = wanted.items() if isinstance(wanted, Mapping) else [(None, wanted)]
        for name, state in named:
            if name is not None and name not in known:
                return did_you_mean(str(name), known)
            if state not in (states := whole if name is None else known[name]):
                return did_you_mean(str(state), states)
        return None


def recorded(journal: Iterable[Step]) -> tuple[Value, str | None]:
    """Return the decision and the reason code recorded last, refused and undecided events included."""
    decision: Value = None
    reason: str | None = None
    for step in journal:
        unstated = {"applied": None, "refused": REFUSED, "undecided": UNDECIDED}[step.verdict]
        stated = unstated if step.decision is None else step.decision
        decision = decision if stated is None else stated
        reason = reason if step.reason is None else step.reason.code
    return decision, reason


def granted_last(case: Case) -> Payout | None:
    """Return the payout that was granted last, or None where none was."""
    return max(case.payouts.values(), key=lambda payout: (payout.seq, payout.turn), default=None)


def _route(payout: Payout | None, *, split: bool) -> Value:
    """Return where a payout goes: the one way, or amounts by tender (by part, where there are none) if there are several."""
    if payout is None or not payout.parts:
        return None
    parts = [part for part in payout.parts if part.status != "reversed"] or payout.parts
    if not split and len({part.via for part in parts}) == 1:
        return parts[0].via
    amounts: dict[str, Money] = {}
    for part in parts:
        name = part.tender or part.id
        amounts[name] = amounts[name] + part.amount if name in amounts else part.amount
    return amounts


def _same(expected: Value, actual: Value) -> bool:
    """Tell whether a value is the expected one; amounts are compared as exact numbers."""
    if isinstance(expected, Money) and isinstance(actual, Money):
        currencies = {expected.currency, actual.currency} - {""}
        return expected.amount == actual.amount and (not expected.currency or len(currencies) < 2)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(
            _same(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    return type(expected) is type(actual) and bool(expected == actual)


def _telling(journal: Sequence[Step]) -> Step | None:
    """Return the last step that says why a case stands as it does."""
    telling = (step for step in reversed(journal) if step.moves or step.reason or step.verdict != "applied")
    return next(telling, journal[-1] if journal else None)
