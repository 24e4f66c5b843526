"""Which optional paths are surely there: flow typing by `has`, as sets that meet and join with the conditions.

Sets hold keys of optional paths (`claim`, `claim.amount`). A key is in `known` when the path is there whenever the value
is known, in `true` and `false` when it is there whenever the condition is that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .tree import Constant, Node

Keys = frozenset[str]
Span = tuple[int, int]
NOTHING: Final[Keys] = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """What the value of a node says about optional paths."""

    #: Paths read unguarded, each with the span of the reading.
    misses: Mapping[str, Span]
    known: Keys = NOTHING
    true: Keys = NOTHING
    false: Keys = NOTHING


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked node with its flow."""

    node: Node
    flow: Flow


STILL: Final = Flow({})


def strict(flows: Iterable[Flow]) -> Flow:
    """Return the flow of what is known only when every part is: operators, calls, lists."""
    kept = [flow for flow in flows if flow is not STILL]
    if not kept:
        return STILL
    known = frozenset[str]().union(*(flow.known for flow in kept))
    return Flow(_misses(kept), known, known, known)


def both(flows: list[Flow]) -> Flow:
    """Return the flow of `&&`: true when every part is, false when one is."""
    true = frozenset[str]().union(*(flow.true for flow in flows))
    false = flows[0].false.intersection(*(flow.false for flow in flows))
    return Flow(_misses(flows), true & false, true, false)


def negated(flow: Flow) -> Flow:
    """Return the flow of `!`."""
    return Flow(flow.misses, flow.known, flow.false, flow.true)


def either(flows: list[Flow]) -> Flow:
    """Return the flow of `||`: by de Morgan that of `&&`."""
    return negated(both([negated(flow) for flow in flows]))


def choice(condition: Flow, then: Typed, otherwise: Typed) -> Flow:
    """Return the flow of `condition ? then : otherwise`; a branch that is a literal cannot be the other truth."""
    first, second = then.flow, otherwise.flow
    known = condition.known | ((condition.true | first.known) & (condition.false | second.known))
    true, false = (
        known
        | _meet(
            (condition.true | (first.true if want else first.false), _can_be(then.node, truth=want)),
            (condition.false | (second.true if want else second.false), _can_be(otherwise.node, truth=want)),
        )
        for want in (True, False)
    )
    return Flow(_misses([condition, first, second]), known, true, false)


def _meet(first: tuple[Keys, bool], second: tuple[Keys, bool]) -> Keys:
    """Intersect what two ways ensure; a way that cannot be taken ensures everything."""
    if first[1] and second[1]:
        return first[0] & second[0]
    return first[0] if first[1] else second[0]


def _can_be(node: Node, *, truth: bool) -> bool:
    return not (isinstance(node, Constant) and isinstance(node.value, bool)) or node.value is truth


def _misses(flows: Iterable[Flow]) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for flow in flows:
        for path, span in flow.misses.items():
            found.setdefault(path, span)
    return found
