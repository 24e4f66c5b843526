"""What happens: legs, states and escalations, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..document import Fields, Node, Scalar
from ..policy import Candidate, Escalation, Leg, State
from ..rules.condition import read_constant
from .candidates import Flow, read_actions, read_candidate, read_candidates, told, unsent
from .clocks import read_slas
from .shape import at, entries, flag, items, says, unknown, word

#: What people write for `true` from habit.
_YES = frozenset({"yes", "on", "y", "true"})
#: Keys of a candidate that an unconditional one lacks.
_CONDITIONS = frozenset({"when", "all", "any", "unless"})


def read_leg(name: str, node: Node | None, flow: Flow) -> Leg:
    """Read a leg: its states, of which one is initial."""
    flow = replace(flow, leg=name)
    states = {name: read_state(key, value, flow) for name, key, value in entries(node)}
    initial = [state for state in states.values() if state.initial]
    diagnostics = flow.context.diagnostics
    if states and not initial:
        first = next(iter(states.values()))
        hint = f"write `initial: true` under the state a case opens in, such as `{first.name}`"
        diagnostics.add("AM301", first.place, "no state is initial", hint=hint)
    for extra in initial[1:]:
        related = [("the first one", initial[0].place)]
        diagnostics.add("AM301", extra.place, f"`{extra.name}` is a second initial state", related=related)
    return Leg(name=name, states=states, initial=initial[0].name if initial else next(iter(states), ""))


def read_state(key: Scalar, node: Node, flow: Flow) -> State:
    """Read one state, placed where it is named; nothing at all is a state where nothing is declared."""
    name = key.text
    on: dict[str, tuple[Candidate, ...]] = {}
    for event, listened, value in entries(at(node, "on")):
        if event not in flow.events:
            unknown(listened, "event", flow.events, flow.context.diagnostics)
            continue
        on[event] = read_candidates(told(value, flow, event), flow, f"{name}.on.{event}")
    return State(
        name=name,
        place=key.place,
        initial=flag(at(node, "initial")) or (word(at(node, "initial")) or "").lower() in _YES,
        final=_final(at(node, "final"), flow),
        waits_for=flow.known(at(node, "waits_for"), "role", flow.roles),
        says=says(at(node, "says")),
        slas=read_slas(at(node, "sla"), flow, state=name),
        on=on,
        always=read_candidates(unsent(at(node, "always"), flow, "`always`"), flow, f"{name}.always"),
        enter=read_actions(at(node, "enter"), flow),
        exit=read_actions(at(node, "exit"), flow),
    )


def _final(node: Node | None, flow: Flow) -> str | None:
    if not isinstance(node, Scalar) or node.value is False:
        return None
    if node.value is True:
        return "closed"
    if node.text.lower() in _YES and node.text not in flow.reason.values:
        place, hint = node.place, "write `true`"
        flow.context.diagnostics.add("AM104", place, f"`{node.text}` is not a reason", hint=hint)
        return "closed"
    constant = read_constant(node, flow.reason, flow.context)
    return constant.value if constant else "closed"


def read_escalations(node: Node | None, flow: Flow, legs: Iterable[Leg]) -> tuple[Escalation, ...]:
    """Read `escalations`: candidates that hold across states."""
    still_open = {
        leg.name: frozenset(name for name, state in leg.states.items() if state.final is None) for leg in legs
    }
    found = []
    for name, key, value in entries(node):
        if not isinstance(value, Fields):
            continue
        where = value.get("in")
        leg = _leg_of(value, flow)
        named = _inside(where, replace(flow, leg=leg))
        inside = still_open[leg] | (named - {"any_open"}) if where is None or "any_open" in named else named
        triggers = [k for k in ("on", "at") if k in value]
        if len(triggers) > 1:
            message = f"the escalation `{name}` is set off by `on` and by `at`"
            hint = "keep one of them, or make two escalations of it"
            flow.context.diagnostics.add("AM102", value.key("at").place, message, hint=hint)  # type: ignore[union-attr] # it is there
        elif not triggers and not _has_condition(value):
            message = f"the escalation `{name}` needs one of `on`, `when` and `at` to say what sets it off"
            flow.context.diagnostics.add("AM103", key.place, message)
        if "on" not in value:
            unsent(value, flow, "this escalation")
        told(value, flow, word(value.get("on")) or "")
        event = flow.known(value.get("on"), "event", flow.events)
        moment = value.get("at")
        candidate = read_candidate(value, replace(flow, leg=leg), f"escalations.{name}")
        found.append(
            Escalation(
                name=name,
                leg=leg,
                states=inside,
                candidate=candidate,
                event=event[0] if event else None,
                when=candidate.condition if not triggers else None,
                at=flow.moment(moment) if moment is not None else None,
            )
        )
    return tuple(found)


def _leg_of(node: Fields, flow: Flow) -> str:
    """Return the leg that an escalation moves: that of its `to`, else that of the states in its `in`, else the first."""
    targets = [node.get("to"), at(node.get("unknown"), "to"), node.get("unknown"), *items(node.get("in"))]
    legs = (flow.states.get(word(target) or "") for target in targets)
    return next((leg for leg in legs if leg is not None), flow.legs[0])


def _inside(node: Node | None, flow: Flow) -> frozenset[str]:
    """Read the states that an escalation holds in: all of one leg."""
    found: set[str] = set()
    for item in items(node):
        leg = flow.states.get(word(item) or "")
        if leg in {None, flow.leg}:
            found.update(flow.known(item, "state", [*flow.states_here(), "any_open"]))
        else:
            message = f"`{word(item)}` is a state of the leg `{leg}`, and this escalation is one of the leg `{flow.leg}`"
            hint = f'ask for the other leg in a condition: `{leg}.state == "{word(item)}"`'
            flow.context.diagnostics.add("AM104", item.place, message, hint=hint)
    return frozenset(found)


def _has_condition(node: Fields) -> bool:
    return not _CONDITIONS.isdisjoint(node.keys())
