"""Why a condition is what it is: its leaves, what each was worth, and what each saw.

Leaves are the parts between `&&`, `||`, `!` and `? :`. Only those that were needed are there, in the order of reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from ..errors import RuleError
from ..values import Sealed, Unknown, Value
from .checked import Checked
from .frame import Env, Frame, decide, discreet
from .interpret import run
from .tree import Choice, Local, Logic, Loop, Node, Not, children, path_of, sources


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part of a condition, as it was evaluated."""

    text: str
    start: int
    end: int
    #: Its value or Unknown; the sentence of the failure where it failed.
    value: Value
    #: Path to value of every fact, param, window and other name that it read.
    saw: tuple[tuple[str, Value], ...]
    failed: bool = False
    #: What the whole asks it to be: false behind a `!`, None where either may serve.
    wanted: bool | None = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What the text alone tells of a leaf."""

    text: str
    start: int
    end: int
    #: Path and node of what it reads, in the order of reading.
    sources: tuple[tuple[str, Node], ...]
    wanted: bool | None = True
    #: Of a watched function: where among the values that it gives each source is, None if it is not there.
    slots: tuple[int | None, ...] = ()
    #: If all are there: path and place of each, in the order of the paths.
    shown: tuple[tuple[str, int], ...] = ()

    def placed(self, slots: tuple[int | None, ...]) -> Plan:
        """Return the plan with the places of what the leaf reads."""
        found: dict[str, int] = {}
        for (path, _), slot in zip(self.sources, slots, strict=True):
            if slot is None:
                return replace(self, slots=slots)
            found.setdefault(path, slot)
        return replace(self, slots=slots, shown=tuple(sorted(found.items())))


#: What a watched function gives: what each leaf was worth (None of one that was not needed), and the values they saw.
Seen = tuple[tuple[Value, ...], tuple[Value, ...]]


def plans_of(checked: Checked) -> Mapping[int, Plan]:
    """Return the leaves of a condition by where they start, in the order of the text."""
    found: dict[int, Plan] = checked.compiled.plans
    if not found:
        plans = (_plan(node, checked.text, wanted) for node, wanted in _leaves(checked.root, wanted=True))
        found = checked.compiled.plans = {plan.start: plan for plan in plans}
    return found


def _leaves(node: Node, *, wanted: bool | None) -> Iterator[tuple[Node, bool | None]]:
    """Yield the leaves, each with what it is asked to be if the whole is to be `wanted`."""
    match node:
        case Logic():
            for inner in node.operands:
                yield from _leaves(inner, wanted=wanted)
        case Not():
            yield from _leaves(node.of, wanted=None if wanted is None else not wanted)
        case Choice():
            yield from _leaves(node.condition, wanted=None)
            yield from _leaves(node.then, wanted=wanted)
            yield from _leaves(node.otherwise, wanted=wanted)
        case _:
            yield node, wanted


def leaf_count(node: Node) -> int:
    """Return how many leaves a condition has."""
    return sum(1 for _ in _leaves(node, wanted=True))


def _plan(node: Node, text: str, wanted: bool | None) -> Plan:  # noqa: FBT001 - a value, and no switch
    return Plan(text[node.start : node.end], node.start, node.end, tuple(_sources(node)), wanted)


def explain(
    checked: Checked, env: Env, variables: Mapping[str, Value] | None = None, seen: Seen | None = None
) -> tuple[Leaf, ...]:
    """Return the leaves of a condition that were evaluated; it never raises `RuleError`.

    The order is that of the text; what a decided `&&`, `||` or `? :` did not need is left out.

    Args:
        checked: the condition.
        env: what it sees of the case.
        variables: values of the names that the scope declared as variables.
        seen: what `observe` gave; then nothing is evaluated again but what a leaf names and did not need.
    """
    frame = Frame(checked.text, env, variables or {})
    if seen is not None:
        worths, saw = seen
        plans = zip(checked.compiled.leaves, worths, strict=False)
        return tuple(_recalled(plan, worth, saw, frame) for plan, worth in plans if worth is not None)
    found: list[Leaf] = []
    # The leaf that failed is there, and says so.
    with suppress(RuleError):
        _walk(checked.root, frame, plans_of(checked), found)
    return tuple(found)


def _recalled(plan: Plan, worth: Value, values: tuple[Value, ...], frame: Frame) -> Leaf:
    if plan.shown:
        seen = tuple([(path, _told(values[slot], path)) for path, slot in plan.shown])
        return Leaf(plan.text, plan.start, plan.end, worth, seen, wanted=plan.wanted)
    saw: dict[str, Value] = {}
    for (path, node), slot in zip(plan.sources, plan.slots, strict=True):
        saw.setdefault(path, _look(path, node, frame) if slot is None else _told(values[slot], path))
    return Leaf(plan.text, plan.start, plan.end, worth, tuple(sorted(saw.items())), wanted=plan.wanted)


def _told(value: Value, path: str) -> Value:
    """Return what the reference calls a value: a field that is None, and what is erased, are unknown."""
    return Unknown(frozenset({path})) if value is None or type(value) is Sealed else value


def _walk(node: Node, frame: Frame, plans: Mapping[int, Plan], found: list[Leaf]) -> Value:
    """Evaluate as the interpreter does, and note the leaves on the way."""
    match node:
        case Logic():
            parts = (lambda part=part: _walk(part, frame, plans, found) for part in node.operands)
            return decide(parts, node.operator == "||")
        case Not():
            value = _walk(node.of, frame, plans, found)
            return value if isinstance(value, Unknown) else not value
        case Choice():
            condition = _walk(node.condition, frame, plans, found)
            if isinstance(condition, Unknown):
                return condition
            return _walk(node.then if condition else node.otherwise, frame, plans, found)
    return _leaf(node, plans[node.start], frame, found)


def _leaf(node: Node, plan: Plan, frame: Frame, found: list[Leaf]) -> Value:
    shown: dict[str, Value] = {}
    for path, source in plan.sources:
        shown.setdefault(path, _look(path, source, frame))
    saw = tuple(sorted(shown.items()))
    try:
        value = run(node, frame)
    except RuleError as error:
        found.append(
            Leaf(plan.text, plan.start, plan.end, str(discreet(error, shown, frame.env)), saw, failed=True)
        )
        raise
    found.append(Leaf(plan.text, plan.start, plan.end, value, saw, wanted=plan.wanted))
    return value


def _look(path: str, source: Node, frame: Frame) -> Value:
    """Return the value of what a leaf reads, or the sentence of its failure."""
    try:
        return frame.env.now if path == "now" else run(source, frame)
    except RuleError as error:
        return str(error)


def _sources(node: Node) -> Iterator[tuple[str, Node]]:
    inner = _bound(node)
    for source in sources(node):
        if not any(isinstance(part, Local) and part.slot in inner for part in _chain(source)):
            yield path_of(source), source


def _chain(node: Node) -> list[Node]:
    """Return a node and every part of it."""
    found = [node]
    for part in found:
        found.extend(children(part))
    return found


def _bound(node: Node) -> frozenset[str]:
    """Return the variables that loops inside a node bind: outside of their loop they have no value."""
    return frozenset(
        slot for part in _chain(node) if isinstance(part, Loop) for slot in (part.first, part.second) if slot
    )
