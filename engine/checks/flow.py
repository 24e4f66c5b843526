"""States that nothing leads into or out of, candidates that are never chosen, and what waits for ever.

Whether conditions can hold together is not asked here: a way counts as open if it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..condition import Condition, Leaf, leaves
from ..diagnostics import Diagnostics
from ..expression.tree import Constant
from ..policy import Candidate, CompiledPolicy, Pay, PayoutRule, State
from .ways import actions, clocks, listening, reachable, states_of, steps_of, ways


def check_flow(policy: CompiledPolicy, diagnostics: Diagnostics) -> None:
    """Report what is wrong with how a case moves."""
    _Flow(policy, diagnostics).check()


class _Flow:
    """One policy, seen as states with ways between them."""

    def __init__(self, policy: CompiledPolicy, diagnostics: Diagnostics) -> None:
        self.policy = policy
        self.diagnostics = diagnostics
        self.states = states_of(policy)
        self.ways = ways(policy)
        self.steps = steps_of(self.ways)
        self.reached = reachable((leg.initial for leg in policy.legs), self.steps)

    def check(self) -> None:
        """Run every check of the flow."""
        stuck = [state for state in self.states.values() if self.is_stuck(state)]
        endless = self.endless({state.name for state in stuck})
        for state in self.states.values():
            if state.name not in self.reached:
                self.unreachable(state)
            if state in stuck:
                hint = "write `final: true` if the case ends here, or a transition with `to`"
                message = f"nothing leads out of `{state.name}`, and it is not final"
                self.diagnostics.add("AM303", state.place, message, hint=hint)
            elif state.final is None and state.name in self.reached and state.name not in endless:
                self.waiting(state)
        self.breaches()
        self.shadowed_lists()
        self.shadowed_escalations()
        for payout in self.policy.payouts.values():
            self.payout(payout)

    # --- states -------------------------------------------------------------------------------------------------------

    def is_stuck(self, state: State) -> bool:
        """Return whether a state is not final and has no way to another."""
        return state.final is None and not self.steps.get(state.name)

    def unreachable(self, state: State) -> None:
        """Report a state that no way from the initial one leads into."""
        sources = [name for name, targets in self.steps.items() if state.name in targets]
        hint = "name it in the `to` of a transition, or remove it"
        if sources:
            named = ", ".join(f"`{name}`" for name in sources[:3])
            hint = f"only {named} leads there, and nothing leads to that either"
        message = f"no way leads from `{self.initial()}` to `{state.name}`"
        self.diagnostics.add("AM302", state.place, message, hint=hint)

    def initial(self) -> str:
        """Return the first initial state, for messages."""
        return self.policy.legs[0].initial

    def endless(self, stuck: set[str]) -> set[str]:
        """Report groups of states that no final state can be reached from and no clock ever stirs; return those states."""
        backwards: dict[str, list[str]] = {}
        for source, targets in self.steps.items():
            for target in targets:
                backwards.setdefault(target, []).append(source)
        ends = [name for name, state in self.states.items() if state.final]
        # What leads into a state without a way out is told there.
        told = reachable([*ends, *stuck], backwards)
        found: set[str] = set()
        for name in self.states:
            if name in told or name not in self.reached:
                continue
            group = reachable([name], self.steps)
            told |= reachable(group, backwards)
            if not any(self.is_timed(self.states[member]) for member in group):
                found |= group
                named = ", ".join(f"`{member}`" for member in self.states if member in group)
                hint = "lead one of them to a final state, or give one a clock"
                message = f"no final state can be reached from {named}"
                self.diagnostics.add("AM307", self.states[name].place, message, hint=hint)
        return found

    def is_timed(self, state: State) -> bool:
        """Return whether time alone may do something in a state."""
        if any(state.name in breachable for _, breachable in clocks(self.policy)):
            return True
        waits = [e for e in self.policy.escalations if e.event is None and state.name in e.states]
        conditions = [candidate.condition for candidate in state.always] + [e.when for e in waits]
        return any(e.at for e in waits) or any(
            "now" in leaf.checked.reads for condition in conditions for leaf in leaves(condition)
        )

    def waiting(self, state: State) -> None:
        """Report a state that waits for somebody who can do nothing, or with no end to the waiting."""
        heard = listening(self.policy, state)
        waited = ", ".join(f"`{role}`" for role in state.waits_for)
        timed = self.is_timed(state)
        if state.waits_for and not timed and not state.always and not self.hears(state, heard):
            hint = f"accept an event that {waited} may send, or correct `waits_for`"
            message = f"`{state.name}` waits for {waited}, and accepts nothing that they may send"
            self.diagnostics.add("AM308", state.place, message, hint=hint)
        elif heard and not timed and not state.initial and not self.is_overdue(state):
            # Before the first event nobody owes anything yet; afterwards somebody keeps somebody waiting.
            hint = "give it an `sla`, or an escalation `at` a moment"
            message = f"`{state.name}` waits without a clock, so a case may stay there for ever"
            self.diagnostics.add("AM309", state.place, message, hint=hint)

    def is_overdue(self, state: State) -> bool:
        """Return whether a clock leads into a state, so that what it was for has been seen to."""
        return any(way.due is not None and way.target == state.name for way in self.ways)

    def hears(self, state: State, heard: dict[str, tuple[Candidate, ...]]) -> bool:
        """Return whether one of those a state waits for may send what it accepts."""
        waited = set(state.waits_for)
        for event, candidates in heard.items():
            senders = self.senders(event)
            # What becomes of a payout is told by the host, for whoever handles the money.
            if event not in self.policy.events or any(
                waited & senders & (set(c.by) or senders) for c in candidates
            ):
                return True
        met = {name for sla, states in clocks(self.policy) if state.name in states for name in sla.met_by}
        return any(waited & self.senders(event) for event in met & set(self.policy.events))

    def senders(self, event: str) -> set[str]:
        """Return the roles that may send an event."""
        if event in self.policy.events:
            return set(self.policy.events[event].by)
        payout = self.policy.payouts.get(event.partition(".")[0])
        return {"host", *payout.reported_by} if payout else {"host"}

    # --- candidates ---------------------------------------------------------------------------------------------------

    def breaches(self) -> None:
        """Report clocks whose breach may find nothing that holds."""
        for sla, _ in clocks(self.policy):
            last = sla.breach[-1] if sla.breach else None
            if last and (last.by or not _takes_all(last)):
                hint = "add a last one without conditions, such as `{alarm: ROLE}`"
                message = f"when `{sla.name}` runs out, it may be that no outcome holds"
                self.diagnostics.add("AM304", last.place, message, hint=hint)

    def shadowed_lists(self) -> None:
        """Report candidates that one before them in their list always beats."""
        for state in self.states.values():
            for event, candidates in state.on.items():
                self.shadowed(candidates, self.senders(event))
            self.shadowed(state.always, set())
        for sla, _ in clocks(self.policy):
            self.shadowed(sla.breach, set())

    def shadowed(self, candidates: Sequence[Candidate], senders: set[str]) -> None:
        """Report the candidates of one list that can never be chosen."""
        for index, candidate in enumerate(candidates):
            beaten_by = _beaten_by(candidate, candidates[:index], senders)
            if beaten_by:
                named = ", ".join(f"`{item.id}`" for item in beaten_by)
                message = f"`{candidate.id}` can never be chosen: before it always is {named}"
                hint = "give what stands before it a condition, or put it last"
                related = [(f"`{item.id}`", item.place) for item in beaten_by]
                self.diagnostics.add("AM305", candidate.place, message, hint=hint, related=related)

    def shadowed_escalations(self) -> None:
        """Report escalations that in each of their states something before them always beats."""
        for escalation in self.policy.escalations:
            event, candidate = escalation.event, escalation.candidate
            if event is None or not escalation.states:
                continue
            before = []
            for name in escalation.states:
                tried = listening(self.policy, self.states[name])[event]
                before.append(tried[: next(i for i, item in enumerate(tried) if item is candidate)])
            beaten_by = [_beaten_by(candidate, tried, self.senders(event)) for tried in before]
            if all(beaten_by):
                message = f"`{escalation.name}` can never be chosen: in each of its states something before it always is"
                related = sorted({(f"`{item.id}`", item.place) for items in beaten_by for item in items})
                hint = "a state's own transitions come first, then escalations in their order"
                self.diagnostics.add("AM305", candidate.place, message, hint=hint, related=related)

    # --- money --------------------------------------------------------------------------------------------------------

    def payout(self, payout: PayoutRule) -> None:
        """Report a payout that the host is never asked for, and routes that may hold the money for ever."""
        moves = (action for action in actions(self.policy) if isinstance(action, Pay))
        verbs = {action.verb for action in moves if action.payout == payout.name}
        if "pay" not in verbs:
            what = "is granted and never paid" if "grant" in verbs else "is never paid"
            hint = f"write `pay: {payout.name}` among the actions of a transition or of a state's `enter`"
            message = f"the payout `{payout.name}` {what}, so the host is never asked for it"
            self.diagnostics.add("AM310", payout.place, message, hint=hint)
        if not any(_is_always(route.condition) for route in payout.routes):
            hint = "add a last route without conditions; without `via` it holds the money on purpose"
            place = payout.routes[-1].place if payout.routes else payout.place
            message = f"the money of `{payout.name}` is held for ever where no route's conditions hold"
            self.diagnostics.add("AM311", place, message, hint=hint)


def _takes_all(candidate: Candidate) -> bool:
    """Return whether a candidate holds for every role that it admits."""
    return _is_always(candidate.condition) and not candidate.needs


def _is_always(condition: Condition | None) -> bool:
    """Return whether a condition is none, or the word `true`."""
    if isinstance(condition, Leaf) and isinstance(condition.checked.root, Constant):
        return condition.checked.root.value is True
    return condition is None


def _beaten_by(candidate: Candidate, before: Iterable[Candidate], senders: set[str]) -> list[Candidate]:
    """Return those before a candidate that always hold for whoever could take it; none if it has a chance."""
    certain = [item for item in before if _takes_all(item)]
    for_all = [item for item in certain if not item.by]
    if for_all:
        return for_all[:1]
    roles = set(candidate.by) or senders
    return certain if roles and roles <= {role for item in certain for role in item.by} else []
