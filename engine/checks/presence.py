"""What is surely there in the states of a policy, and every value that it demands.

A forward dataflow over the states finds what is surely there in each: what every way in ensures. A way ensures what its
state had, the record of its event, what its condition says by holding and what those before it say by failing, its
`needs`, and the facts that it sets; it loses the facts that it clears, and the fields that a new record may lack. From the
widest assumption the sets shrink until they hold on every way, so what is left is sure (the greatest fixpoint).

What is computed from facts is known within a step as soon as a condition got past it, and forgotten once something is set.

With several legs each is followed by itself: what another may clear is not sure while a state lasts, an event that another
listens to may come at any time, and one that moves both may have been acted on there first. A condition that asks where
another leg stands brings what is sure there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..expression.flow import Keys
from ..policy import Action, Ask, Candidate, CompiledPolicy, Event, Outcome, Pay, PayoutRule
from ..rules.compiled_moment import CompiledMoment
from ..rules.condition import Term
from ..types import OptionalType, required
from .joins import Joins
from .others import Others, cleared_by
from .paths import NONE, Paths
from .ways import Way, clocks, homes, listening, reachable, states_of, steps_of, ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a value is demanded, as messages say it."""

    #: The state whose ways in count, or None before there is one.
    state: str | None
    #: What goes on there, where it is not the place itself that tells.
    when: str = ""
    #: The event that is being judged.
    event: str | None = None


#: Called with every term that is demanded, and what is surely there.
Demand = Callable[[Term, Keys, Point], None]


class Presence:
    """What is surely there in the states of a policy."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self.paths = Paths(policy)
        self.joins = Joins(policy)
        self.home = homes(policy)
        self.states = states_of(policy)
        self.ways = ways(policy)
        self.initial = {leg.initial for leg in policy.legs}
        asking = {name for name, rule in policy.lookups.items() if rule.kind != "host" or rule.same}
        self.computed = frozenset(
            {*policy.defines, *policy.tables, *policy.moments, *policy.windows, *policy.balances, *asking}
        )
        #: The records of what is said of payouts, with the event: it may be said again in any state, and of less.
        self.told = {said.keep_as: said.name for said in policy.results.values() if said.keep_as}
        #: Facts that every case is opened with, though their type is optional.
        self.opened: Keys = frozenset(
            name
            for name, item in policy.facts.items()
            if item.default and isinstance(item.type, OptionalType)
        )
        cleared = {name for way in self.ways for name in cleared_by(way)}
        self.lasting: Keys = frozenset({*policy.facts, *policy.records} - cleared)
        self.others = Others(policy, self.ways, self.home)
        #: What is sure on entering a state, and at any time in it; a state that is never entered has neither.
        self.entered: dict[str, Keys] = {}
        self.standing: dict[str, Keys] = {}
        #: What is surely there wherever a payout is granted; None while that is not looked at.
        self._granted_with: dict[str, Keys] | None = None
        #: Of each list of candidates what is surely there after so many of them were false.
        self._refuted: dict[int, list[Keys]] = {}
        #: What each way ensures by itself.
        self._ensured: dict[int, Keys] = {}
        #: What each event brings with it, and the records that it replaces.
        self._carried: dict[str, tuple[Keys, Keys]] = {}
        self._meeting = {event for sla, _ in clocks(policy) for event in sla.met_by}
        self._solve()

    # --- the fixpoint -------------------------------------------------------------------------------------------------

    def _solve(self) -> None:
        into: dict[str, list[Way]] = {}
        onward: dict[str, dict[str, None]] = {}
        for way in self.ways:
            if way.outcome.refuse is None:
                into.setdefault(way.target or way.source, []).append(way)
                for name in (way.source, *self._asked_about(way)):
                    onward.setdefault(name, {})[way.target or way.source] = None
        # Only where something changed it is looked whether more does.
        waiting, queued = deque(self.states), {*self.states}
        while waiting:
            name = waiting.popleft()
            queued.remove(name)
            found = self._entering(name, into.get(name, ()))
            if found is not None and (self.entered.get(name), self.standing.get(name)) != found:
                self.entered[name], self.standing[name] = found
                again = [other for other in (name, *onward.get(name, ())) if other not in queued]
                waiting.extend(dict.fromkeys(again))
                queued.update(again)

    def _entering(self, name: str, ways_in: Iterable[Way]) -> tuple[Keys, Keys] | None:
        """Return what is sure on entering a state and in it, as far as is known; None if no way in is known."""
        entering = [self.opened] if name in self.initial else []
        staying: list[Keys] = []
        for way in ways_in:
            if way.source in self.standing and self._brought(way) is not None:
                (staying if way.target is None else entering).append(self.after(way))
        if not entering:
            return None
        entered = entering[0].intersection(*entering)
        settled = self._kept(self._run(self.states[name].enter, entered, _nothing, Point(state=name)))
        if name in self.standing:
            staying += [self._arrived(event, self.standing[name]) for event in self._met_in(name)]
        return entered, self.others.leave(self.home[name], settled.intersection(*staying))

    def _met_in(self, name: str) -> list[Event]:
        """Return the events that a state does not listen to and that may still be taken: by a clock, by another leg."""
        heard = listening(self.policy, self.states[name])
        taken = self._meeting | self.others.heard(self.home[name])
        return [event for key, event in self.policy.events.items() if key in taken and key not in heard]

    def _asked_about(self, way: Way) -> Iterator[str]:
        """Yield the states of other legs that the conditions of a way ask for."""
        for leg, names in self.joins.of(way).items():
            if leg != self.home[way.source]:
                yield from names

    def _brought(self, way: Way) -> Keys | None:
        """Return what is sure for other legs stand where a way asks for them; None while no such state is reached."""
        found = NONE
        for leg, names in self.joins.of(way).items():
            if leg != self.home[way.source]:
                known = [self.standing[name] for name in names if name in self.standing]
                if not known:
                    return None
                found |= known[0].intersection(*known)
        return found

    def _kept(self, keys: Keys) -> Keys:
        """Return what outlasts a step: nothing computed, and nothing of how far a payout is or what is said of it."""
        return frozenset(
            key
            for key in keys
            if (name := key.partition(".")[0]) not in self.computed
            and name not in self.policy.lookups
            and name not in self.policy.payouts
            and (key == name or name not in self.told)
        )

    def of_window(self, key: str) -> bool:
        """Return whether a path is a part of a window, which time alone changes."""
        return key.partition(".")[0] in self.policy.windows

    # --- one way ------------------------------------------------------------------------------------------------------

    def after(self, way: Way, also: Keys = NONE) -> Keys:
        """Return what is surely there once a way has been taken, if its state had `also` too."""
        return self._taken(way, _nothing, also)

    def _taken(self, way: Way, demand: Demand, also: Keys = NONE) -> Keys:
        """Go a way, and tell of every value that is demanded on it."""
        point = Point(state=way.source, event=way.event)
        outcome, present = way.outcome, self.before(way, also)
        # All of these are computed before any leg moves.
        for term in (outcome.decision, outcome.reason, outcome.refuse, *(term for _, term in outcome.sets)):
            if term:
                demand(term, present, point)
        if way.event is not None:
            present = self.others.leave(self.home[way.source], present, event=way.event)
        if outcome.to is not None and outcome.refuse is None:
            present = self._run(self.states[way.source].exit, present, demand, point)
        present = self._set(outcome, present)
        return self._kept(self._run(outcome.do, present, demand, point))

    def before(self, way: Way, also: Keys = NONE) -> Keys:
        """Return what is surely there where a candidate has been chosen and nothing is done yet."""
        present = self.standing.get(way.source, NONE) | also | (self._brought(way) or NONE)
        if event := self.policy.events.get(way.event or ""):
            present = self._arrived(event, present)
        elif (said := self.policy.results.get(way.event or "")) and said.keep_as:
            # Of nothing it is heard that it is settled, though nobody said so.
            present |= NONE if said.name.endswith(".settled") else {said.keep_as}
        return present | self._by_itself(way)

    def _by_itself(self, way: Way) -> Keys:
        """Return what a way ensures by being taken, whatever was there: its clock, what was false before it, its conditions."""
        if id(way) not in self._ensured:
            present = self._lasting(way.due) | self._refuted_by(way.tried)[way.index]
            if (payout := (way.event or "").partition(".")[0]) in self.policy.payouts:
                # Nobody hears anything of a payout that was never granted.
                present |= {_granted(payout)}
            if way.held:
                present |= self.paths.ensured(way.candidate.condition)
                for _, asked in way.candidate.needs:
                    present |= self.paths.flow(asked.root, NONE).true
            self._ensured[id(way)] = present
        return self._ensured[id(way)]

    def _refuted_by(self, tried: Sequence[Candidate]) -> list[Keys]:
        """Return what is surely there after the first none, one, two … of some candidates were false."""
        if id(tried) not in self._refuted:
            sums = [NONE]
            for earlier in tried:
                told = not earlier.by and not earlier.needs
                more = self.paths.ensured(earlier.condition, when=False) if told else NONE
                sums.append(sums[-1] if more <= sums[-1] else sums[-1] | more)
            self._refuted[id(tried)] = sums
        return self._refuted[id(tried)]

    def _lasting(self, due: CompiledMoment | None) -> Keys:
        """Return what was there when a clock started, for its due was known, and cannot have gone since."""
        return self.paths.ensured_by(due) & self.lasting

    def _arrived(self, event: Event, present: Keys) -> Keys:
        """Return what is there with the records of an event; fields that it does not carry are gone."""
        if event.name not in self._carried:
            records = frozenset({event.name, event.keep_as or event.name})
            given = {item.name for item in event.fields if item.default or item.type == required(item.type)}
            fields = [(name, field) for name in records for field, _ in self.policy.records[name].fields]
            there = records.union(f"{name}.{field}" for name, field in fields if field in given)
            self._carried[event.name] = (there, records)
        brought, records = self._carried[event.name]
        return frozenset(key for key in present if key.partition(".")[0] not in records) | brought

    def _set(self, outcome: Outcome, present: Keys) -> Keys:
        after = self._forgotten(present) if outcome.sets else present
        for name, term in outcome.sets:
            after = frozenset(key for key in after if key.partition(".")[0] != name) | (
                {name} if term else NONE
            )
        return after

    def _run(self, actions: Iterable[Action], present: Keys, demand: Demand, point: Point) -> Keys:
        for action in actions:
            if isinstance(action, Ask):
                for _, term in action.fields:
                    demand(term, present, point)
            else:
                present = self._money(action, present, demand, point)
        return present

    def _money(self, action: Pay, present: Keys, demand: Demand, point: Point) -> Keys:
        """Grant or pay. That a payout is granted is kept under a name of its own: paying it then demands nothing."""
        rule = self.policy.payouts[action.payout]
        if action.verb == "reverse" and action.amount:
            demand(action.amount, present, point)
        if action.verb != "reverse" and (action.verb == "grant" or _granted(rule.name) not in present):
            if self._granted_with is not None:
                self._granted_with[rule.name] = self._granted_with.get(rule.name, present) & present
            if action.amount:
                demand(action.amount, present, point)
            when = replace(point, when=f"when `{rule.name}` is granted in `{point.state}`")
            shared = (asked for _, asked in rule.balances)
            for term in (None if action.amount else rule.amount, rule.at_most, rule.taken_from, *shared):
                if term:
                    demand(term, present, when)
            self._routes(rule, present, demand, when)
        granted = present if action.verb == "reverse" else present | {_granted(rule.name)}
        return self._forgotten(frozenset(key for key in granted if not key.startswith(f"{rule.name}.")))

    def _forgotten(self, present: Keys) -> Keys:
        """Return what is there without all that is computed, and so may be another thing now."""
        return frozenset(key for key in present if key.partition(".")[0] not in self.computed)

    def _routes(self, rule: PayoutRule, present: Keys, demand: Demand, point: Point) -> None:
        """Demand the tenders, and `via` of each route where those before it do not hold; `needs` come after it, and guard nothing."""
        if rule.tenders:
            demand(rule.tenders.of, present, point)
        for tier in rule.approvals:
            if tier.above:
                demand(tier.above, present | self.paths.ensured(tier.condition), point)
        for route in rule.routes:
            if route.via:
                demand(route.via, present | self.paths.ensured(route.condition), point)
            present |= self.paths.ensured(route.condition, when=False)

    # --- every demand -------------------------------------------------------------------------------------------------

    def demands(self, demand: Demand) -> None:
        """Tell of every value that a policy demands, and of what is surely there at its point."""
        self._granted_with = {}
        self._opening(demand)
        for name, present in self.entered.items():
            state = self.states[name]
            self._run(state.enter, present, demand, Point(state=name))
            for event in listening(self.policy, state):
                self._defaults(event, name, demand)
        for way in self.ways:
            if way.source in self.standing:
                self._taken(way, demand)
        for rule in self.policy.payouts.values():
            self._while_waiting(rule, demand)

    def _opening(self, demand: Demand) -> None:
        opening = Point(state=None)
        for fact in self.policy.facts.values():
            if fact.default:
                demand(fact.default, NONE, opening)
        if self.policy.migrates:
            # Of a case that comes from another version no more is known than of one that opens.
            for _, term in self.policy.migrates.sets:
                if term:
                    demand(term, NONE, opening)
        if self.policy.currency:
            demand(self.policy.currency, NONE, opening)
        demand(self.policy.timezone, self.opened, opening)

    def _defaults(self, name: str, state: str, demand: Demand) -> None:
        event = self.policy.events.get(name)
        for item in event.fields if event else ():
            if item.default:
                when = f"when `{name}` arrives in `{state}` without `{item.name}`"
                demand(item.default, self.standing[state], Point(state=state, when=when))

    def _while_waiting(self, rule: PayoutRule, demand: Demand) -> None:
        """Demand `via` in every state that can follow a grant: money that waits is routed anew after every step."""
        steps = steps_of(self.ways)
        granting = [name for name, state in self.states.items() if _grants(rule.name, state.enter)]
        granting += [
            way.target or way.source
            for way in self.ways
            if _grants(rule.name, (*way.outcome.do, *self.states[way.source].exit))
        ]
        reached = reachable(granting, steps)
        # Whichever way the case went on since: what cannot go is still there.
        since = (self._granted_with or {}).get(rule.name, NONE) & self.lasting
        for name in self.states:
            if name in self.standing and name in reached:
                point = Point(state=name, when=f"while `{rule.name}` waits in `{name}`")
                self._routes(rule, self.standing[name] | since, demand, point)


def _nothing(term: Term, present: Keys, point: Point) -> None:
    """Tell nobody of a demand."""


def _granted(payout: str) -> str:
    return f"@{payout}"


def _grants(payout: str, actions: Sequence[Action]) -> bool:
    return any(isinstance(a, Pay) and a.payout == payout and a.verb != "reverse" for a in actions)
