"""Where other legs stand when a condition holds: what a guard such as `second.state == "over"` says of them.

Only comparisons of a leg's state with states that are written out are read; of anything else nothing is known, and
every leg may stand anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from ..expression import OVERLOADS, Node
from ..expression.tree import Apply, Choice, Constant, Field, ListOf, Logic, Reference
from ..expression.tree import Not as NotNode
from ..policy import CompiledPolicy
from ..rules.condition import AllOf, AnyOf, Condition, Leaf, Not
from .ways import Way

#: Leg to the states in one of which it stands; a leg that is not among them may stand anywhere.
Standing = Mapping[str, frozenset[str]]

ANYWHERE: Standing = {}


@dataclass(slots=True)
class Joins:
    """Reads the conditions of one policy."""

    policy: CompiledPolicy
    _known: dict[tuple[int, bool], Standing] = field(default_factory=dict)

    def standing(self, condition: Condition | None, *, when: bool = True) -> Standing:
        """Return where legs stand whenever a condition of the policy is worth `when`."""
        if condition is None or len(self.policy.legs) == 1:
            return ANYWHERE
        key = (id(condition), when)
        if key not in self._known:
            self._known[key] = self._condition(condition, when=when)
        return self._known[key]

    def of(self, way: Way) -> Standing:
        """Return where legs stand when a way is taken: its own in its state, others as far as conditions tell."""
        if len(self.policy.legs) == 1:
            return {self.policy.legs[0].name: frozenset({way.source})}
        earlier = way.tried[: way.index]
        told = [self.standing(c.condition, when=False) for c in earlier if not c.by and not c.needs]
        told.append(
            {leg.name: frozenset({way.source}) for leg in self.policy.legs if way.source in leg.states}
        )
        return both([*told, self.standing(way.candidate.condition)] if way.held else told)

    @staticmethod
    def exclude(one: Standing, other: Standing) -> bool:
        """Return whether legs can never stand in both ways at once."""
        return any(not states & other.get(leg, states) for leg, states in one.items())

    def _condition(self, condition: Condition, *, when: bool) -> Standing:
        match condition:
            case Leaf(checked=checked):
                return self._node(checked.root, when=when)
            case Not(item=item):
                return self._condition(item, when=not when)
            case AllOf(items=items) | AnyOf(items=items):
                found = [self._condition(item, when=when) for item in items]
                return both(found) if isinstance(condition, AllOf) == when else either(found)

    def _node(self, node: Node, *, when: bool) -> Standing:
        match node:
            case NotNode(of=of):
                return self._node(of, when=not when)
            case Logic(operator=operator, operands=operands):
                found = [self._node(operand, when=when) for operand in operands]
                return both(found) if (operator == "&&") == when else either(found)
            case Choice(condition=condition, then=then, otherwise=otherwise):
                yes = both([self._node(condition, when=True), self._node(then, when=when)])
                no = both([self._node(condition, when=False), self._node(otherwise, when=when)])
                return either([yes, no])
            case Reference(name=name) if name in self.policy.defines:
                return self._node(self.policy.defines[name].root, when=when)
            case Apply(overload=overload, arguments=(left, right)):
                return self._compared(OVERLOADS[overload].name, left, right, when=when)
        return ANYWHERE

    def _compared(self, operator: str, left: Node, right: Node, *, when: bool) -> Standing:
        if operator in {"==", "!="} and isinstance(left, Constant):
            left, right = right, left
        leg, named = self._leg(left), _named(right)
        if leg is None or named is None or operator not in {"==", "!=", "in"}:
            return ANYWHERE
        rest = next(frozenset(rule.states) for rule in self.policy.legs if rule.name == leg) - named
        return {leg: named if (operator != "!=") == when else rest}

    def _leg(self, node: Node) -> str | None:
        match node:
            case Field(of=Reference(name=name, kind="leg")):
                return name
        return None


def _named(node: Node) -> frozenset[str] | None:
    """Return the texts that are written out, or None where others may be meant."""
    parts = node.items if isinstance(node, ListOf) else (node,)
    values = [part.value if isinstance(part, Constant) else None for part in parts]
    if len(values) == 1 and isinstance(values[0], tuple):
        values = list(values[0])
    return frozenset(str(value) for value in values) if all(isinstance(v, str) for v in values) else None


def both(found: Iterable[Standing]) -> Standing:
    """Return where legs stand when all of some things hold."""

    def add(one: Standing, other: Standing) -> Standing:
        return {**one, **{leg: states & one.get(leg, states) for leg, states in other.items()}}

    return reduce(add, found, ANYWHERE)


def either(found: list[Standing]) -> Standing:
    """Return where legs stand when one of some things holds."""
    if not found:
        return ANYWHERE
    shared = frozenset(found[0]).intersection(*found[1:])
    return {leg: frozenset().union(*(one[leg] for one in found)) for leg in shared}
