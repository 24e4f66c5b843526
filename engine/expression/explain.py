"""Why a condition is what it is: its leaves, what each was worth, and what each saw.

Leaves are the parts between `&&`, `||`, `!` and `? :`. Only those that were needed are there, in the order of reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from ..errors import RuleError
from ..values import Unknown, Value
from .checked import Checked
from .frame import Env, Frame, decide
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


def explain(checked: Checked, env: Env, variables: Mapping[str, Value] | None = None) -> tuple[Leaf, ...]:
    """Return the leaves of a condition that were evaluated; it never raises `RuleError`.

    The order is that of the text; what a decided `&&`, `||` or `? :` did not need is left out.
    """
    found: list[Leaf] = []
    # The leaf that failed is there, and says so.
    with suppress(RuleError):
        _walk(checked.root, Frame(checked.text, env, variables or {}), found)
    return tuple(found)


def _walk(node: Node, frame: Frame, found: list[Leaf]) -> Value:
    """Evaluate as the interpreter does, and note the leaves on the way."""
    match node:
        case Logic():
            parts = (lambda part=part: _walk(part, frame, found) for part in node.operands)
            return decide(parts, node.operator == "||")
        case Not():
            value = _walk(node.of, frame, found)
            return value if isinstance(value, Unknown) else not value
        case Choice():
            condition = _walk(node.condition, frame, found)
            if isinstance(condition, Unknown):
                return condition
            return _walk(node.then if condition else node.otherwise, frame, found)
    return _leaf(node, frame, found)


def _leaf(node: Node, frame: Frame, found: list[Leaf]) -> Value:
    text = frame.text[node.start : node.end]
    saw = _saw(node, frame)
    try:
        value = run(node, frame)
    except RuleError as error:
        found.append(Leaf(text, node.start, node.end, str(error), saw, failed=True))
        raise
    found.append(Leaf(text, node.start, node.end, value, saw))
    return value


def _saw(node: Node, frame: Frame) -> tuple[tuple[str, Value], ...]:
    inner = _bound(node)
    saw: dict[str, Value] = {}
    for source in sources(node):
        if any(isinstance(part, Local) and part.slot in inner for part in _chain(source)):
            continue
        try:
            value = frame.env.now if path_of(source) == "now" else run(source, frame)
        except RuleError as error:
            value = str(error)
        saw.setdefault(path_of(source), value)
    return tuple(sorted(saw.items()))


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
