"""Loops of the reference interpreter: what the macros became.

`all` and `exists` are `&&` and `||` over the items; the others need every item, so one that is unknown makes the result
unknown, and one that fails makes it fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..errors import RuleError
from ..values import Unknown, Value
from .frame import Frame, decide, keyed, missing_among
from .functions import summing
from .tree import Loop, Node

#: What evaluates a part.
Run = Callable[[Node, Frame], Value]


def loop(node: Loop, over: Value, frame: Frame, run: Run) -> Value:
    """Return the value of a loop over a list or map that is there."""
    return _KINDS[node.kind](node, _turns(node, over, frame), frame, run)


def _turns(node: Loop, over: Value, frame: Frame) -> Iterable[None]:
    """Bind the variables for one turn after another."""
    if isinstance(over, Mapping):
        pairs: Iterable[tuple[Value, Value]] = over.items() if node.first else ((None, key) for key in over)
    else:
        pairs = enumerate(over)
    variables = frame.variables
    for first, second in pairs:
        frame.turn(node)
        if node.first:
            variables[node.first] = first
        variables[node.second] = second
        yield


def _decides(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    condition: Any = node.condition
    return decide((lambda: run(condition, frame) for _ in turns), node.kind == "exists")


def _exists_one(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    condition: Any = node.condition
    values = [run(condition, frame) for _ in turns]
    missing = missing_among(values)
    count = sum(value is True for value in values)
    return missing if missing is not None and count < 2 else count == 1


def _filter(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    condition: Any = node.condition
    slot: Any = node.second
    results = [(run(condition, frame), frame.variables[slot]) for _ in turns]
    missing = missing_among(chosen for chosen, _ in results)
    return tuple(item for chosen, item in results if chosen) if missing is None else missing


def _bodies(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> list[Value] | Unknown:
    """Return a body's values for the items that the condition chooses, or what is missing."""
    body: Any = node.body
    values: list[Value] = []
    for _ in turns:
        chosen = True if node.condition is None else run(node.condition, frame)
        if type(chosen) is Unknown:
            values.append(chosen)
        elif chosen:
            values.append(run(body, frame))
    missing = missing_among(values)
    return values if missing is None else missing


def _map(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    values = _bodies(node, turns, frame, run)
    return values if isinstance(values, Unknown) else tuple(values)


def _sum(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    values = _bodies(node, turns, frame, run)
    if isinstance(values, Unknown):
        return values
    result, add = summing(node.type)
    try:
        for value in values:
            result = add(result, value)
    except RuleError as error:
        raise frame.failed(str(error), node) from None
    return result


def _to_map(node: Loop, turns: Iterable[None], frame: Frame, run: Run) -> Value:
    body: Any = node.body
    pairs: list[tuple[Value, Value]] = []
    for _ in turns:
        chosen = True if node.condition is None else run(node.condition, frame)
        if type(chosen) is Unknown:
            pairs.append((chosen, None))
        elif chosen:
            key = frame.variables[str(node.first)] if node.key is None else run(node.key, frame)
            pairs.append((key, run(body, frame)))
    missing = missing_among(part for pair in pairs for part in pair)
    return keyed(pairs, node, frame) if missing is None else missing


_KINDS: Final[dict[str, Callable[[Loop, Iterable[None], Frame, Run], Value]]] = {
    "all": _decides,
    "exists": _decides,
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _map,
    "sum": _sum,
    "to_map": _to_map,
}
