"""The ways of a policy: every candidate that may be taken, and the states it leads between.

What is reachable, what may be shadowed and what is surely there are all asked of this one list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..policy import Action, Candidate, CompiledPolicy, Escalation, Outcome, Sla, State
from ..rules.compiled_moment import CompiledMoment


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One candidate as it may be taken in one state."""

    source: str
    candidate: Candidate
    #: The candidate's own, or what it says of `unknown`.
    outcome: Outcome
    #: What sets it off, or None for what happens by itself.
    event: str | None = None
    #: The candidates that are tried one after another, and how many of them before this one: these surely were false.
    tried: Sequence[Candidate] = ()
    index: int = 0
    #: Whether its conditions held; of an outcome under `unknown` they did not.
    held: bool = True
    #: A moment that must have been known when its clock started.
    due: CompiledMoment | None = None

    @property
    def target(self) -> str | None:
        """The next state; None if the case stays, or if the event is refused."""
        return None if self.outcome.refuse else self.outcome.to


def states_of(policy: CompiledPolicy) -> Mapping[str, State]:
    """Return every state by its name."""
    return {name: state for leg in policy.legs for name, state in leg.states.items()}


def homes(policy: CompiledPolicy) -> Mapping[str, str]:
    """Return the leg that each state belongs to."""
    return {name: leg.name for leg in policy.legs for name in leg.states}


def clocks(policy: CompiledPolicy) -> Iterator[tuple[Sla, tuple[str, ...]]]:
    """Yield every clock with the states in which it may breach: what enters a state that meets it is safe there."""
    for leg in policy.legs:
        for state in leg.states.values():
            for sla in state.slas:
                yield sla, _open_to(sla, leg.states) if sla.until_met else (state.name,)
    for sla in policy.slas:
        yield sla, _open_to(sla, states_of(policy))


def _open_to(sla: Sla, states: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in states if name not in sla.met_by)


def listening(policy: CompiledPolicy, state: State) -> dict[str, tuple[Candidate, ...]]:
    """Return the candidates of every event that a state listens to, in the order in which they are tried."""
    found = dict(state.on)
    for escalation in policy.escalations:
        if escalation.event is not None and state.name in escalation.states:
            found[escalation.event] = (*found.get(escalation.event, ()), escalation.candidate)
    return found


@lru_cache(maxsize=1)
def ways(policy: CompiledPolicy) -> tuple[Way, ...]:
    """Return every way of a policy, in the order of its parts; check after check asks for those of the same one."""
    found: list[Way] = []
    for state in states_of(policy).values():
        for event, candidates in listening(policy, state).items():
            found += _tried(state.name, candidates, event=event)
        # In `always` what is unknown is passed over, so of those before nothing is sure.
        for candidate in state.always:
            found += _tried(state.name, (candidate,))
    home = homes(policy)
    for sla, breachable in clocks(policy):
        for name in breachable:
            tried = _tried(name, sla.breach, due=sla.due)
            # A clock of the case may have outcomes for several legs.
            found += (way for way in tried if home[name] == home.get(way.outcome.to or "", sla.leg))
    for escalation in policy.escalations:
        if escalation.event is None:
            found += _escalated(escalation)
    return tuple(found)


def _tried(
    source: str,
    candidates: Sequence[Candidate],
    *,
    event: str | None = None,
    due: CompiledMoment | None = None,
) -> Iterator[Way]:
    for index, candidate in enumerate(candidates):
        yield Way(
            source=source,
            candidate=candidate,
            outcome=candidate.outcome,
            event=event,
            tried=candidates,
            index=index,
            due=due,
        )
        if candidate.unknown:
            yield Way(
                source=source,
                candidate=candidate,
                outcome=candidate.unknown,
                event=event,
                tried=candidates,
                index=index,
                held=False,
                due=due,
            )


def _escalated(escalation: Escalation) -> Iterator[Way]:
    for name in sorted(escalation.states):
        for way in _tried(name, (escalation.candidate,), due=escalation.at):
            # What a condition sets off is never taken while it is unknown.
            if way.held or escalation.at is not None:
                yield way


def reachable(starts: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[str]:
    """Return everything that can be reached by any number of steps, the starts included.

    >>> sorted(reachable(["a"], {"a": ["b"], "b": ["a"], "c": ["a"]}))
    ['a', 'b']
    """
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(steps.get(name, ()))
    return found


def steps_of(found: Iterable[Way]) -> dict[str, list[str]]:
    """Return for each state the other states that ways lead to, in their order."""
    steps: dict[str, dict[str, None]] = {}
    for way in found:
        if way.target is not None and way.target != way.source:
            steps.setdefault(way.source, {})[way.target] = None
    return {name: list(targets) for name, targets in steps.items()}


def outcomes(candidate: Candidate) -> tuple[Outcome, ...]:
    """Return every outcome that a candidate may have."""
    return (candidate.outcome, candidate.unknown) if candidate.unknown else (candidate.outcome,)


def actions(policy: CompiledPolicy) -> Iterator[Action]:
    """Yield every action of a policy."""
    for way in ways(policy):
        yield from way.outcome.do
    for state in states_of(policy).values():
        yield from (*state.enter, *state.exit)
