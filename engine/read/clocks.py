"""Clocks, of a state or of the case itself, read into the records of policy.py."""

from __future__ import annotations

from ..document import Fields, Node, Scalar
from ..policy import Sla
from ..rules.condition import Condition, read_condition
from .candidates import Flow, read_candidates
from .shape import at, entries, flag, items, says, word


def read_slas(node: Node | None, flow: Flow, *, state: str | None) -> tuple[Sla, ...]:
    """Read the clocks of a state, or of the case; a due alone is a clock named after its state."""
    if node is None:
        return ()
    if isinstance(node, Scalar) or _is_moment(node):
        due = flow.due(node)
        if due is None or state is None:
            return ()
        leg = flow.leg or flow.legs[0]
        return (
            Sla(id=f"{state}/{state}", name=state, state=state, leg=leg, due=due, place=node.place, says={}),
        )
    found = (read_sla(key, value, flow, state) for key, _, value in entries(node))
    return tuple(sla for sla in found if sla)


def _is_moment(node: Node) -> bool:
    return isinstance(node, Fields) and any(
        key in node for key in ("within", "after", "from", "before", "later_of", "earlier_of")
    )


def read_sla(name: str, node: Node, flow: Flow, state: str | None) -> Sla | None:
    """Read one clock: a due alone, or a map with `due`."""
    alone = isinstance(node, Scalar) or _is_moment(node)
    written = node if alone else at(node, "due")
    due = flow.due(written) if written is not None else None
    if due is None:
        return None
    fields = None if alone else node
    identity = f"{state}/{name}" if state else name
    known_here = sorted({*flow.events, *flow.states})
    starts = flow.known(at(fields, "starts"), "state or event", known_here)
    of_legs = [flow.states[name] for name in (state or "", *starts) if name in flow.states]
    return Sla(
        id=identity,
        name=name,
        state=state,
        leg=of_legs[0] if of_legs else flow.legs[0],
        due=due,
        place=node.place,
        condition=read_condition(fields, flow.context) if isinstance(fields, Fields) else None,
        reminders=tuple(r for r in (flow.due(item) for item in items(at(fields, "remind"))) if r),
        pause_while=_pause(at(fields, "pause_while"), flow),
        breach=read_candidates(at(fields, "breach"), flow, f"{identity}.breach"),
        starts=starts,
        met_by=flow.known(at(fields, "met_by"), "event or state", known_here),
        live=flag(at(fields, "live")),
        until_met=word(at(fields, "until")) == "met",
        says=says(at(fields, "says")),
        sources=flow.known(at(fields, "source"), "source", flow.sources),
    )


def _pause(node: Node | None, flow: Flow) -> Condition | None:
    if node is None:
        return None
    key = Scalar(text="when", value="when", plain=True, stands=node.place)
    return read_condition(Fields(entries=((key, node),), place=node.place), flow.context)
