"""What the state machines drive: cases of the policies that ship, by events that fit and events that do not.

Seeds are the cases of the scenario files: their facts, their events, and the data that were ever sent. From anywhere in
them the machines go on as they like. An overlay is also given the cases of what it is laid over. No policy of a real
programme that ships has legs, so the example that does and the small policies that show what legs do are driven too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from amends.engine.case import Case
from amends.engine.library import Library
from amends.engine.literal import plain
from amends.engine.policy import CompiledPolicy, Field
from amends.engine.scenario import ScenarioCase, ScenarioEvent, find_scenarios, read_scenarios
from amends.engine.step import Due, Step
from amends.engine.types import (
    EnumType,
    ListType,
    MapType,
    MoneyType,
    OptionalType,
    RecordType,
    ScalarType,
    Type,
)

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)
FOLDERS = sorted(path for path in (ROOT / "policies").iterdir() if path.is_dir() and path.name != "fragments")
#: Policies with legs, each a file with its cases beside it.
LEGS = sorted(
    path
    for folder in (ROOT / "examples", ROOT / "tests" / "capabilities" / "flow")
    for path in folder.rglob("*.yaml")
    if re.search(r"^legs:", path.read_text(encoding="utf-8"), re.MULTILINE)
)

#: Case that a candidate of an escalation, or of a clock of the case itself, is taken in: any state.
ANYWHERE = "*"


@dataclass(frozen=True)
class Seed:
    """A case of a scenario file, to begin with; that of a base is hurried for an overlay, whose times are shorter."""

    id: str
    facts: Mapping[str, Any]
    opens_at: datetime
    events: tuple[ScenarioEvent, ...]
    #: The last instant that it looks at.
    ends_at: datetime


@dataclass(frozen=True)
class World:
    """A policy, the cases to begin with, and the data that they send, by event."""

    library: Library
    policy: CompiledPolicy
    seeds: tuple[Seed, ...]
    sent: Mapping[str, tuple[Mapping[str, Any], ...]]

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self.policy.ref.name


#: How much faster the cases of a base pass under an overlay.
HURRY = 8
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")


def seed_of(case: ScenarioCase, policy: CompiledPolicy, *, own: bool) -> Seed:
    """Return a case as a seed; facts that this policy does not declare are left out."""

    def moved(at: datetime) -> datetime:
        return at if own else case.opens_at + (at - case.opens_at) / HURRY

    def in_time(value: Any) -> Any:
        is_instant = isinstance(value, str) and _INSTANT.fullmatch(value)
        return moved(datetime.fromisoformat(value)).isoformat() if is_instant else value

    known = {*policy.facts, "timezone", "currency"}
    facts = {name: in_time(value) for name, value in plain(case.facts).items() if name in known}
    events = tuple(
        replace(
            event,
            at=moved(event.at),
            occurred_at=None if event.occurred_at is None else moved(event.occurred_at),
        )
        for event in case.events
    )
    ends = max([case.opens_at, *(event.at for event in events), *(moved(item.at) for item in case.expect)])
    return Seed(case.id, facts, case.opens_at, events, ends)


@cache
def homes() -> Mapping[str, Path]:
    """Return the file or folder that each policy is loaded from, without reading more of them than their names."""
    files = [(folder, path) for folder in FOLDERS for path in sorted(folder.glob("*.yaml"))]
    read = [
        (home, path.read_text(encoding="utf-8")) for home, path in [*files, *zip(LEGS, LEGS, strict=True)]
    ]
    return {
        found[1]: home for home, text in read if (found := re.search(r"^policy: (\S+)$", text, re.MULTILINE))
    }


def names() -> list[str]:
    """Return the names of the policies that are driven."""
    return [*homes()]


@cache
def world_of(name: str) -> World:
    """Return a policy with everything that is known of its cases."""
    home = homes()[name]
    library, cases = read_home(home)
    policy = library.get(name)
    takers = [(case, chosen(library, case)) for case in cases]
    mine = {name, base_of(home, name)}
    seeds = tuple(seed_of(case, policy, own=taker == name) for case, taker in takers if taker in mine)
    sent: dict[str, list[Mapping[str, Any]]] = {}
    for case in cases:
        for event in case.events:
            sent.setdefault(event.name, []).append(plain(event.data))
    return World(library, policy, seeds, {event: tuple(data) for event, data in sent.items()})


def chosen(library: Library, case: ScenarioCase) -> str:
    """Return the name of the policy that a case of a scenario file is played by."""
    return library.choose(plain(case.facts), case.opens_at, case.policy).ref.name


def base_of(home: Path, name: str) -> str:
    """Return the name of the policy that another one is laid over, or its own."""
    (text,) = [
        text
        for path in (home.glob("*.yaml") if home.is_dir() else [home])
        if f"\npolicy: {name}\n" in (text := path.read_text(encoding="utf-8"))
    ]
    found = re.search(r"^extends: \{policy: ([\w.]+)", text, re.MULTILINE)
    return name if found is None else found[1]


@cache
def read_home(home: Path) -> tuple[Library, tuple[ScenarioCase, ...]]:
    """Return the policies of a file or folder and all cases beside them."""
    read = [read_scenarios(path)[0] for path in find_scenarios(home)]
    return Library.load(home), tuple(case for file in read if file is not None for case in file.cases)


# --- what is sent -------------------------------------------------------------------------------------------------------


def listened_to(world: World, case: Case) -> list[str]:
    """Return the events that may be taken where a case stands, and what the host may report."""
    policy = world.policy
    found = {name for leg in policy.legs for name in leg.states[case.legs[leg.name]].on}
    found |= {item.event for item in policy.escalations if item.event and item.states & {*case.legs.values()}}
    running = {clock for clock, held in case.clocks.items() if held.status == "running"}
    for clocks in (policy.slas, *(state.slas for leg in policy.legs for state in leg.states.values())):
        found |= {name for clock in clocks if clock.id in running for name in clock.met_by}
    asked = [
        name for name, payout in case.payouts.items() if any(part.status == "asked" for part in payout.parts)
    ]
    found |= {f"{name}.{result}" for name in asked for result in ("settled", "failed")}
    states = {name for leg in policy.legs for name in leg.states}
    return sorted(found - states)


def roles_of(policy: CompiledPolicy, event: str) -> tuple[str, ...]:
    """Return who may send an event."""
    declared = policy.events.get(event)
    return declared.by if declared else ("host",)


@cache
def data_of(name: str, event: str) -> st.SearchStrategy[Mapping[str, Any]]:
    """Return data of an event: such as were sent before, or anything of the right types."""
    world = world_of(name)
    declared = world.policy.events.get(event)
    typed = fields_of(world, declared.fields) if declared else st.just({})
    sent = world.sent.get(event)
    return st.sampled_from(sent) | typed if sent else typed


def fields_of(world: World, fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a value for every field; what is optional or has a default may be left out."""
    must = {item.name: of_type(world, item.type) for item in fields if not may_be_left_out(item)}
    may = {item.name: of_type(world, item.type) for item in fields if may_be_left_out(item)}
    return st.fixed_dictionaries(must, optional=may)


def may_be_left_out(item: Field) -> bool:
    """Tell whether a field need not be given."""
    return item.default is not None or isinstance(item.type, OptionalType)


@cache
def amounts(world_name: str) -> tuple[str, ...]:
    """Return the amounts that the cases of a policy speak of, and those a cent beside them."""
    world = world_of(world_name)
    texts = {
        str(value)
        for seed in world.seeds
        for value in [*seed.facts.values(), *(v for e in seed.events for v in e.data.values())]
    }
    cents = {round(float(text) * 100) for text in texts if text.replace(".", "", 1).isdigit() and "." in text}
    return tuple(
        f"{cent / 100:.2f}"
        for cent in sorted({near for cent in cents for near in (cent - 1, cent, cent + 1)})
        if cent >= 0
    )


def of_type(world: World, type_: Type) -> st.SearchStrategy[Any]:
    """Return plain data of a type, with the values that the cases of the policy know."""
    match type_:
        case OptionalType(item):
            return of_type(world, item)
        case EnumType(values=values):
            return st.sampled_from(values)
        case ListType(item):
            whole = [list(item.values)] if isinstance(item, EnumType) else []
            return st.sampled_from([[], *whole]) | st.lists(of_type(world, item), max_size=3)
        case MapType(item):
            return st.dictionaries(st.sampled_from(["a", "b"]), of_type(world, item), max_size=2)
        case RecordType(fields=fields):
            return st.fixed_dictionaries({name: of_type(world, inner) for name, inner in fields})
        case MoneyType():
            return st.sampled_from(amounts(world.name))
    return st.sampled_from(SCALARS[type_.name]) if isinstance(type_, ScalarType) else st.nothing()


SCALARS: Mapping[str, list[Any]] = {
    "bool": [True, False],
    "int": [0, 1, 2, 3, -1],
    "decimal": ["0", "0.5", "1", "30", "100.01", "-1"],
    "text": ["a", "b@example.test", "other"],
    "timestamp": ["2026-03-02T10:00:00Z", "2026-09-10T10:00:00Z", "2025-06-02T10:00:00Z"],
    "date": ["2026-03-02", "2026-09-10"],
    "period": ["0 days", "14 days", "30 days"],
    "duration": ["60s"],
}


def minutes(count: int) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)


#: Some time later, to the minute.
LATER = st.integers(0, 60 * 24 * 60).map(minutes)


def offsets(case: Case) -> st.SearchStrategy[timedelta]:
    """Return when something may happen next: at once, about when something is due, or some time later."""
    due = [timer.fires_at - case.at for timer in case.timers[:3]]
    near = [
        moment + step
        for moment in due
        for step in (-SECOND, timedelta(0), SECOND)
        if moment + step >= timedelta(0)
    ]
    return st.sampled_from([*near, timedelta(0), SECOND, timedelta(hours=1), timedelta(days=1)]) | LATER


# --- what was reached ---------------------------------------------------------------------------------------------------


def transitions(policy: CompiledPolicy) -> set[tuple[str, str]]:
    """Return every candidate of a policy, as the state that it is of and its id."""
    found = {(ANYWHERE, item.candidate.id) for item in policy.escalations}
    found |= {(ANYWHERE, candidate.id) for clock in policy.slas for candidate in clock.breach}
    for leg in policy.legs:
        for state in leg.states.values():
            of_clocks = [candidate for clock in state.slas for candidate in clock.breach]
            of_events = [candidate for candidates in state.on.values() for candidate in candidates]
            found |= {(state.name, candidate.id) for candidate in (*of_events, *state.always, *of_clocks)}
    return found


@dataclass
class Reached:
    """What the cases of a policy have come to, and how often."""

    policy: CompiledPolicy
    states: Counter[str] = field(default_factory=Counter)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    payouts: Counter[str] = field(default_factory=Counter)

    @cached_property
    def declared(self) -> set[tuple[str, str]]:
        """Every candidate that there is to reach."""
        return transitions(self.policy)

    @cached_property
    def anywhere(self) -> set[str]:
        """The ids of those that belong to no one state."""
        return {rule for state, rule in self.declared if state == ANYWHERE}

    def add(self, before: Case | None, step: Step, after: Case) -> None:
        """Note what a step did."""
        self.states.update(after.legs[leg] for leg in step.changes.legs)
        self.states.update(move.target for move in step.moves if move.target)
        for move in step.moves:
            self.taken[ANYWHERE if move.rule in self.anywhere else str(move.source), move.rule] += 1
        if before is not None and step.verdict != "applied":
            self.refusals[str(step.reason and step.reason.code)] += 1
            for trace in step.trace:
                if trace.result == "refused":
                    for state in before.legs.values():
                        self.taken[ANYWHERE if trace.rule in self.anywhere else state, trace.rule] += 1
        if isinstance(step.input, Due) and step.input.timer.startswith("breach:"):
            self.breaches[step.input.timer.removeprefix("breach:")] += 1
        for name in step.changes.payouts:
            for part in after.payouts[name].parts:
                self.payouts[f"{name} {part.status} by {part.route}"] += 1

    def missing(self) -> list[str]:
        """Return the states, transitions and routes that no case has come to."""
        states = {name for leg in self.policy.legs for name in leg.states}
        routes = {
            f"{rule.name} by {route.id}" for rule in self.policy.payouts.values() for route in rule.routes
        }
        used = {f"{key.split()[0]} by {key.split()[-1]}" for key in self.payouts}
        return [
            *(f"state {name}" for name in sorted(states - {*self.states})),
            *(f"{rule} in {state}" for state, rule in sorted(self.declared - {*self.taken})),
            *(f"route {route}" for route in sorted(routes - used)),
        ]

    def told(self) -> str:
        """Return a report for people."""
        lines = [f"{self.policy.ref.name} {self.policy.ref.version}"]
        for title, found in (
            ("states", self.states),
            ("refusals", self.refusals),
            ("breaches", self.breaches),
            ("payouts", self.payouts),
        ):
            lines.append(
                f"  {title}: " + ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
            )
        lines.append(f"  transitions: {len(self.declared & {*self.taken})} of {len(self.declared)}")
        lines += [f"  never: {item}" for item in self.missing()]
        return "\n".join(lines)


def now_of(at: datetime) -> datetime:
    """Return an instant in UTC, no later than a policy can count from."""
    return min(at.astimezone(UTC), datetime(2090, 1, 1, tzinfo=UTC))
