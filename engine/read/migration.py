"""`migrates`: which versions hand their open cases over to this one, and how, read into the records of policy.py."""

from __future__ import annotations

from ..document import Fields, Node, Scalar
from ..policy import Migrates
from .candidates import Flow, read_sets
from .shape import at, entries, items, unknown


def read_migrates(node: Node | None, flow: Flow, version: str) -> Migrates | None:
    """Read `migrates`; what the states of earlier versions are called is not known here, and checked case by case."""
    if not isinstance(node, Fields):
        return None
    diagnostics = flow.context.diagnostics
    versions = []
    for item in items(node.get("from")):
        if isinstance(item, Scalar) and item.text == version:
            diagnostics.add("AM104", item.place, "a version does not take cases over from itself")
        elif isinstance(item, Scalar):
            versions.append(item.text)
    states: dict[str, str] = {}
    for old, _, new in entries(at(node, "states")):
        if isinstance(new, Scalar) and new.text in flow.states:
            states[old] = new.text
        elif isinstance(new, Scalar):
            unknown(new, "state", sorted(flow.states), diagnostics)
    return Migrates(versions=tuple(versions), states=states, sets=read_sets(at(node, "set"), flow))
