"""What is told of a step: the names that its policy gives things, codes and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ..checks.ways import ways
from ..durable.session import Policies
from ..policy import CompiledPolicy
from ..rules.condition import Computed, Constant
from ..step import REFUSED, Due, Event, Migrate, Move, Open
from ..store.protocol import Written
from ..types import EnumType, required
from .instruments import (
    CASE,
    DECISION,
    EVENT,
    INPUT,
    LATENESS,
    MOVES,
    POLICY,
    POLICY_VERSION,
    REASON,
    SEQ,
    TIMER,
    VERDICT,
)

#: Makes the attributes of a step.
Telling = Callable[[Written], dict[str, Any]]

_INPUTS: Final[dict[type, str]] = {Open: "open", Event: "event", Due: "due", Migrate: "migrate"}


class Teller:
    """Tells steps of the cases of one engine.

    Args:
        policies: those that its cases are pinned to.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._codes: dict[str, frozenset[str]] = {}

    def __call__(self, written: Written) -> dict[str, Any]:
        """Return the attributes of a step."""
        step = written.step
        found = {
            CASE: written.case.id,
            **kind_of(written),
            SEQ: step.seq,
            MOVES: [_path(move) for move in step.moves],
        }
        if isinstance(step.decision, str) and step.decision in self._codes_of(written):
            found[DECISION] = step.decision
        if step.reason is not None:
            found[REASON] = step.reason.code
        match step.input:
            # A name that the policy does not know may be anything.
            case Event(name=name) if found.get(REASON) != "unknown_event":
                found[EVENT] = name
            case Due(timer=timer):
                found |= {TIMER: timer, LATENESS: lateness(step.input)}
        return found

    def _codes_of(self, written: Written) -> frozenset[str]:
        ref = written.case.policy
        if ref.bundle not in self._codes and (policy := self._policies.known(ref)) is not None:
            self._codes[ref.bundle] = frozenset(codes(policy))
        return self._codes.get(ref.bundle, frozenset())


def codes(policy: CompiledPolicy) -> Iterator[str]:
    """Yield the decisions of a policy that are written in it: constants, and the values of its enums.

    What else a decision is computed from may be a fact.
    """
    yield REFUSED
    for way in ways(policy):
        match way.outcome.decision:
            case Constant(value=str(value)):
                yield value
            case Computed(checked=checked) if isinstance(enum := required(checked.type), EnumType):
                yield from enum.values


def _path(move: Move) -> str:
    """Return a move as a leg and the states that it went through, such as `main: asked > approved`."""
    return f"{move.leg}: {' > '.join(state for state in (move.source, move.target) if state)}"


def kind_of(written: Written) -> dict[str, Any]:
    """Return what steps are counted by."""
    return {
        POLICY: written.case.policy.name,
        POLICY_VERSION: written.case.policy.version,
        INPUT: _INPUTS[type(written.step.input)],
        VERDICT: written.step.verdict,
    }


def lateness(due: Due) -> float:
    """Return how many seconds after its instant a timer fired."""
    return (due.fired_at - due.fires_at).total_seconds()
