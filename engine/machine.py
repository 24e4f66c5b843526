"""Compiled legs as machines of the library `transitions`: the only room that imports it.

One machine per leg and policy, shared by every case: it knows which moves exist and runs the one that was chosen, with its
exit and enter actions. The choice is made before, in decide.py, because a condition of the library knows no third value.
A move runs on a working copy: should an action fail, the copy is thrown away with the new state in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from transitions import EventData, Machine
from transitions import State as MachineState

from .policy import Candidate, CompiledPolicy, Leg, Outcome


class Mover(Protocol):
    """What a move does to a case on its way."""

    def leave(self, leg: str, state: str) -> None:
        """End what belongs to a state, and run its exit actions."""

    def act(self, outcome: Outcome) -> None:
        """Set the facts that were computed before the state was left, and run the actions of the move."""

    def arrive_in(self, leg: str, state: str) -> None:
        """Begin what belongs to a state, and run its enter actions."""


class _Token:
    """What stands in a machine: where a case is in one leg."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


class LegMachine:
    """The machine of one leg."""

    def __init__(self, leg: Leg, policy: CompiledPolicy) -> None:
        self.leg = leg.name
        states = [MachineState(name, on_enter=[self._entered], on_exit=[self._left]) for name in leg.states]
        self._machine = Machine(
            model=None,
            states=states,
            initial=leg.initial,
            auto_transitions=False,
            send_event=True,
        )
        for source, target in sorted(set(moves(leg, policy))):
            self._machine.add_transition(_trigger(source, target), source, target)

    def move(self, mover: Mover, source: str, target: str, outcome: Outcome) -> str:
        """Run a move: exit, set and do, enter; return the new state."""
        token = _Token(source)
        self._machine.events[_trigger(source, target)].trigger(
            token, mover=mover, outcome=outcome, source=source, target=target
        )
        return token.state

    def _left(self, event: EventData) -> None:
        # The library has no hook between exit and enter, so what the move itself does comes at the end of the exit.
        mover: Mover = event.kwargs["mover"]
        mover.leave(self.leg, event.kwargs["source"])
        mover.act(event.kwargs["outcome"])

    def _entered(self, event: EventData) -> None:
        mover: Mover = event.kwargs["mover"]
        mover.arrive_in(self.leg, event.kwargs["target"])


def _trigger(source: str, target: str) -> str:
    return f"{source}>{target}"


def moves(leg: Leg, policy: CompiledPolicy) -> Iterator[tuple[str, str]]:
    """Yield every pair of states that some candidate of a policy moves a leg between."""
    anywhere = [candidate for sla in policy.slas for candidate in sla.breach]
    for state in leg.states.values():
        own = [candidate for candidates in state.on.values() for candidate in candidates]
        for sla in state.slas:
            # A clock that goes on outside its state may breach in any other.
            (anywhere if sla.until_met else own).extend(sla.breach)
        yield from ((state.name, target) for target in targets((*own, *state.always), leg))
    yield from ((name, target) for target in targets(anywhere, leg) for name in leg.states)
    for escalation in policy.escalations:
        inside = [name for name in leg.states if name in escalation.states]
        yield from ((name, target) for target in targets([escalation.candidate], leg) for name in inside)


def targets(candidates: Iterable[Candidate], leg: Leg) -> Iterator[str]:
    """Yield the states of a leg that candidates lead to, by their outcome or by `unknown`."""
    for candidate in candidates:
        for outcome in (candidate.outcome, candidate.unknown):
            if outcome and outcome.to is not None and outcome.to in leg.states:
                yield outcome.to


_machines: WeakKeyDictionary[CompiledPolicy, Mapping[str, LegMachine]] = WeakKeyDictionary()


def machines(policy: CompiledPolicy) -> Mapping[str, LegMachine]:
    """Return the machines of a policy by leg; they are built once, and live as long as the policy does."""
    found: Any = _machines.get(policy)
    if found is None:
        found = {leg.name: LegMachine(leg, policy) for leg in policy.legs}
        _machines[policy] = found
    legs: Mapping[str, LegMachine] = found
    return legs
