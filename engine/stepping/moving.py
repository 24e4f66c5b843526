"""Moving: what a chosen candidate does to the working copy, and what then moves by itself until nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .. import payout, sla
from ..errors import RuleError
from ..machine import machines
from ..moment import Finished, evaluate_moment, opening
from ..policy import Action, Ask, Candidate, Escalation, Outcome, State
from ..rules.condition import holds
from ..step import Move
from ..values import Value
from .choose import Chosen, choose
from .work import MissingFacts, Work

#: More moves than these in one step mean that a policy goes in circles.
MICRO_MOVES: Final = 100

#: A candidate that is taken in a leg, with the outcome it has.
Taken = tuple[str, Candidate, Outcome]


class Mover:
    """Moves a working copy. What `leave`, `act` and `arrive_in` do to it is what the move does to the case."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.policy = work.policy
        self.machines = machines(work.policy)
        self.states = {leg.name: leg.states for leg in work.policy.legs}
        #: The candidate that is being taken, for reasons and alarms.
        self.rule = ""
        self.sources: tuple[str, ...] = ()
        #: Escalations by condition or moment that have had their turn.
        self.holding = work.case.holding
        #: In which role the event that is being taken was sent; None for what nobody sent.
        self.role: str | None = None
        self._moved = 0
        self._values: list[tuple[str, Value]] = []

    def leave(self, leg: str, state: str) -> None:
        """End the clocks of a state, and run its exit actions."""
        sla.leave_state(self.work, self.states[leg][state])
        self.run(self.states[leg][state].exit)

    def prepare(self, candidate: Candidate, outcome: Outcome) -> list[tuple[str, Value]]:
        """State decision and reason, and return what `set` sets: all read what was before the move."""
        work = self.work
        self._moved += 1
        if self._moved > MICRO_MOVES:
            circle = " → ".join(_circle(work.moves))
            raise RuleError(f"the step does not come to rest within {MICRO_MOVES} moves: {circle}")
        self.rule, self.sources = candidate.id, candidate.sources
        if outcome.decision is not None:
            work.decision = work.stored(outcome.decision)
        if outcome.reason is not None:
            work.reason = work.because(work.demand(outcome.reason), self.rule, self.sources)
        return [(name, term and work.stored(term)) for name, term in outcome.sets]

    def act(self, outcome: Outcome) -> None:
        """Set facts as `prepare` computed them, and run actions."""
        work = self.work
        for name, value in self._values:
            if value is None:
                work.facts.pop(name, None)
            else:
                work.facts[name] = value
        work.changed()
        self.run(outcome.do)
        for role in outcome.alarm:
            work.ask("alarm", {"to": role, "rule": self.rule})

    def arrive_in(self, leg: str, state: str) -> None:
        """Start the clocks of a state, and run its enter actions."""
        self.work.legs[leg] = state
        self.work.changed()
        sla.enter_state(self.work, self.states[leg][state])
        self.run(self.states[leg][state].enter)

    def run(self, actions: Iterable[Action]) -> None:
        """Run actions in order."""
        for action in actions:
            if isinstance(action, Ask):
                data = {name: self.work.stored(term) for name, term in action.fields}
                secret = tuple(name for name, term in action.fields if self.work.reads_sensitive(term))
                self.work.ask(action.effect, data, sensitive=secret)
            else:
                payout.act(self.work, action)

    # --- moving -------------------------------------------------------------------------------------------------------

    def go(self, taken: Iterable[Taken]) -> None:
        """Take a candidate in each of some legs: all of them read what was before, and then one leg after another moves."""
        ready = [(*item, self.prepare(*item[1:])) for item in taken]
        for leg, candidate, outcome, values in ready:
            self.rule, self.sources, self._values = candidate.id, candidate.sources, values
            source = self.work.legs[leg]
            self.work.moves.append(Move(leg=leg, source=source, target=outcome.to, rule=candidate.id))
            if outcome.to is None:
                self.act(outcome)
            else:
                self.machines[leg].move(self, source, outcome.to, outcome)

    def settle(self) -> None:
        """Go on until nothing moves by itself: payouts, their events, `always`, then escalations."""
        while True:
            payout.route_all(self.work)
            if self.work.raised:
                self.offer(self.work.raised.pop(0))
            elif not self.always() and not self.escalate():
                break
        sla.refresh(self.work)

    def offer(self, event: str) -> None:
        """Let the legs and clocks hear of a payout's event; nobody has to listen."""
        taken: list[Taken] = []
        for leg, candidates in self.listening(event).items():
            found = choose(self.work, candidates, self.role or self.work.policy.host)
            if found.failed:
                self.chosen(found)
            # Unknown is not yet: the result itself stands, and `always` may act on it later.
            if found.candidate and found.outcome and found.outcome.refuse is None:
                taken.append((leg, found.candidate, found.outcome))
        self.go(taken)
        sla.happened(self.work, event)

    def always(self) -> bool:
        """Take what a state's `always` chooses; unknown means not yet."""
        return any(self.take_quietly(leg, state.always) for leg, state in self.standing())

    def escalate(self) -> bool:
        """Take the first escalation that has become true; those that hold already have had their turn."""
        for escalation in self.policy.escalations:
            if escalation.event is not None:
                continue
            held = self.escalates(escalation)
            before = escalation.name in self.holding
            if held and not before:
                self.holding = (*self.holding, escalation.name)
                if self.take_quietly(escalation.leg, (escalation.candidate,)):
                    return True
            elif before and not held:
                self.holding = tuple(name for name in self.holding if name != escalation.name)
        return False

    def escalates(self, escalation: Escalation) -> bool:
        """Return whether the state and the condition or moment of an escalation hold now."""
        if self.work.legs[escalation.leg] not in escalation.states:
            return False
        if escalation.at is not None:
            moment = evaluate_moment(escalation.at, self.work)
            return isinstance(moment, Finished) and self.work.now >= opening(moment)
        return holds(escalation.when, self.work) is True

    def take_quietly(self, leg: str, candidates: tuple[Candidate, ...]) -> bool:
        """Take what is chosen among candidates that nobody sent an event for; leave no trace of a choice not made."""
        mark = len(self.work.trace)
        found = choose(self.work, candidates)
        if found.candidate is not None and (found.failed or found.outcome):
            self.chosen(found)
            self.go([(leg, found.candidate, found.outcome or Outcome())])
            return True
        if any(entry.result == "holds" for entry in self.work.trace[mark:]):
            # A table that was looked up on the way is to leave its trace where it is looked up to some end.
            self.work.changed()
        del self.work.trace[mark:]
        return False

    def listening(self, event: str) -> dict[str, tuple[Candidate, ...]]:
        """Return the candidates of each leg that listens: its state's own, then escalations in their order."""
        found = {}
        for leg, state in self.standing():
            own = state.on.get(event, ())
            wider = tuple(
                e.candidate for e in self.policy.escalations if e.event == event and state.name in e.states
            )
            if own or wider:
                found[leg] = (*own, *wider)
        return found

    def ever_listens(self, leg: str, event: str) -> bool:
        """Return whether a leg listens to an event in any of its states."""
        on = any(event in state.on for state in self.states[leg].values())
        return on or any(e.event == event and e.leg == leg for e in self.policy.escalations)

    def chosen(self, found: Chosen) -> Chosen:
        """End the step where a rule failed, or where the choice turns on missing facts."""
        if found.failed is not None:
            self.rule = found.candidate.id if found.candidate else ""
            raise RuleError(found.failed)
        if found.missing and found.outcome is None:
            raise MissingFacts(found.missing)
        return found

    def standing(self) -> Iterator[tuple[str, State]]:
        """Yield every leg with the state it stands in, in the order in which the policy declares them."""
        for leg, states in self.states.items():
            yield leg, states[self.work.legs[leg]]

    def leg_of(self, state: str | None) -> str | None:
        """Return the leg that a state belongs to; None for no state."""
        return next((leg for leg, states in self.states.items() if state in states), None)


def _circle(moves: Iterable[Move]) -> tuple[str, ...]:
    """Return what moves without end go round in: states, or the rules of those that stay, from the last to itself again."""
    *before, last = (move.target or move.rule for move in moves)
    turn = before[::-1].index(last) if last in before else 0
    return (last, *before[len(before) - turn :], last)
