"""Legs as they are written, and what their names stand for: the states of a policy by the leg they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..case import MAIN
from ..diagnostics import Diagnostics
from ..document import Fields, Node, Scalar
from ..expression import Declared
from ..types import EnumType, RecordType
from .shape import at, entries


@dataclass(frozen=True, slots=True)
class WrittenLeg:
    """One leg of a document."""

    name: str
    #: What stands under its name, or None for the leg of a policy that declares `states` and no legs.
    key: Scalar | None
    states: Node | None

    def declared(self) -> Declared:
        """Return what the name of the leg stands for: the record that says where it stands."""
        names = tuple(name for name, _, _ in entries(self.states))
        type_ = RecordType(self.name, (("state", EnumType(f"state of {self.name}", names)),))
        return Declared(type=type_, kind="leg", reads=frozenset({self.name}))


def written_legs(node: Node) -> tuple[WrittenLeg, ...]:
    """Return the legs of a document in their order; a policy without any has one, of its `states`."""
    legs = tuple(WrittenLeg(name, key, at(value, "states")) for name, key, value in entries(at(node, "legs")))
    return legs or (WrittenLeg(MAIN, None, at(node, "states")),)


def states_by_leg(node: Node, legs: tuple[WrittenLeg, ...], diagnostics: Diagnostics) -> Mapping[str, str]:
    """Return every state with the leg it belongs to; one name is one state, whichever leg it stands in."""
    if isinstance(node, Fields) and "states" in node and (key := node.key("legs")) is not None:
        hint = "give `states` a name of its own, and put it among the legs"
        diagnostics.add(
            "AM102", key.place, "a policy has `states`, or `legs` with states of their own", hint=hint
        )
    found: dict[str, str] = {}
    first: dict[str, Scalar] = {}
    for leg in legs:
        for name, key, _ in entries(leg.states):
            if name in found:
                message = f"the state `{name}` of the leg `{leg.name}` has the name of one of the leg `{found[name]}`"
                related = [("the first one", first[name].place)]
                hint = "`to`, `in` and `starts` find a state by its name alone; rename one of them"
                diagnostics.add("AM105", key.place, message, hint=hint, related=related)
            found.setdefault(name, leg.name)
            first.setdefault(name, key)
    return found
