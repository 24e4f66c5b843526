"""How a case may move, as checks ask it: the states with the ways between them, and what is always chosen.

Whether conditions can hold together is not asked here: a way counts as open if it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from ..policy import VERDICTS, Candidate, CompiledPolicy, Escalation, State
from ..rules.condition import leaves
from .asks import is_always
from .ways import clocks, listening, reachable, states_of, steps_of, ways


class Flow:
    """One policy, seen as states with ways between them."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self.states = states_of(policy)
        self.ways = ways(policy)
        self.steps = steps_of(self.ways)
        # A state may be there for cases of earlier versions alone.
        migrated = policy.migrates.states.values() if policy.migrates else ()
        self.reached = reachable([*(leg.initial for leg in policy.legs), *migrated], self.steps)

    def initial(self, state: str) -> str:
        """Return the state in which the leg of another begins."""
        return next(leg.initial for leg in self.policy.legs if state in leg.states)

    @cached_property
    def stuck(self) -> frozenset[str]:
        """The states that are not final and have no way to another."""
        return frozenset(
            name for name, state in self.states.items() if state.final is None and not self.steps.get(name)
        )

    @cached_property
    def endless(self) -> tuple[frozenset[str], ...]:
        """Groups of states that no final state can be reached from and no clock ever stirs, in the order of the states."""
        backwards: dict[str, list[str]] = {}
        for source, targets in self.steps.items():
            for target in targets:
                backwards.setdefault(target, []).append(source)
        ends = [name for name, state in self.states.items() if state.final]
        # What leads into a state without a way out is told there.
        told = reachable([*ends, *self.stuck], backwards)
        found: list[frozenset[str]] = []
        for name in self.states:
            if name in told or name not in self.reached:
                continue
            group = reachable([name], self.steps)
            told |= reachable(group, backwards)
            if not any(self.is_timed(self.states[member]) for member in group):
                found.append(frozenset(group))
        return tuple(found)

    @cached_property
    def waiting(self) -> tuple[State, ...]:
        """The states in which a case may wait, and from which it gets on: of others something else is told."""
        endless = frozenset[str]().union(*self.endless)
        return tuple(
            state
            for name, state in self.states.items()
            if state.final is None and name in self.reached and name not in self.stuck | endless
        )

    def is_timed(self, state: State) -> bool:
        """Return whether time alone may do something in a state."""
        return self._is_timed_itself(state) or not self._stirred.isdisjoint(self._reads(state))

    def _is_timed_itself(self, state: State) -> bool:
        at_moments = any(escalation.at for escalation in self._unsent(state))
        return state.name in self.breachable or at_moments or "now" in self._reads(state)

    def _unsent(self, state: State) -> list[Escalation]:
        return [e for e in self.policy.escalations if e.event is None and state.name in e.states]

    def _reads(self, state: State) -> frozenset[str]:
        """Return the names that the conditions of what happens by itself in a state turn on."""
        conditions = [candidate.condition for candidate in state.always]
        conditions += [escalation.when for escalation in self._unsent(state)]
        paths = (
            path for condition in conditions for leaf in leaves(condition) for path in leaf.checked.reads
        )
        return frozenset(path.partition(".")[0] for path in paths)

    @cached_property
    def _stirred(self) -> frozenset[str]:
        """The legs that time alone moves somewhere, or that follow one that it moves."""
        found: set[str] = set()
        while more := {
            leg.name
            for leg in self.policy.legs
            if leg.name not in found
            for state in leg.states.values()
            if self._is_timed_itself(state) or not found.isdisjoint(self._reads(state))
        }:
            found |= more
        return frozenset(found)

    def is_overdue(self, state: State) -> bool:
        """Return whether a clock leads into a state, so that what it was for has been seen to."""
        return state.name in self._overdue

    @cached_property
    def _overdue(self) -> frozenset[str | None]:
        return frozenset(way.target for way in self.ways if way.due is not None)

    @cached_property
    def breachable(self) -> Mapping[str, frozenset[str]]:
        """The states in which clocks may breach, each with the events that meet one of these."""
        found: dict[str, set[str]] = {}
        for sla, states in clocks(self.policy):
            for name in states:
                found.setdefault(name, set()).update(sla.met_by)
        return {name: frozenset(events) for name, events in found.items()}

    def hears(self, state: State) -> bool:
        """Return whether one of those a state waits for may send what it accepts."""
        waited = set(state.waits_for)
        for event, candidates in listening(self.policy, state).items():
            senders = self.senders(event)
            # What becomes of a payout is told by the host, for whoever handles the money.
            if event not in self.policy.events or any(
                waited & senders & (set(c.by) or senders) for c in candidates
            ):
                return True
        met = self.breachable.get(state.name, frozenset())
        return any(waited & self.senders(event) for event in met if event in self.policy.events)

    def senders(self, event: str) -> set[str]:
        """Return the roles that may send an event."""
        if event in self.policy.events:
            return set(self.policy.events[event].by)
        name, _, said = event.partition(".")
        payout = self.policy.payouts.get(name)
        if payout and said in VERDICTS:
            return {role for tier in payout.approvals for role in tier.by}
        return {self.policy.host, *(payout.reported_by if payout else ())}


def takes_all(candidate: Candidate) -> bool:
    """Return whether a candidate holds for every role that it admits."""
    return is_always(candidate.condition) and not candidate.needs


def beaten_by(candidate: Candidate, before: Iterable[Candidate], senders: set[str]) -> list[Candidate]:
    """Return those before a candidate that always hold for whoever could take it; none if it has a chance."""
    certain = [item for item in before if takes_all(item)]
    for_all = [item for item in certain if not item.by]
    if for_all:
        return for_all[:1]
    roles = set(candidate.by) or senders
    return certain if roles and roles <= {role for item in certain for role in item.by} else []
