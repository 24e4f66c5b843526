"""The reference interpreter: a checked tree and an environment to a value, in three-valued logic.

Missing facts make `Unknown`, which flows through everything but `has`, and which `&&`, `||`, `all` and `exists` overcome
where the rest decides. A failing part raises `RuleError`; the same four absorb it where the rest decides, and an unknown
beside it weighs more. Every evaluation ends: a tree is bounded, and so are the turns of its loops together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from ..errors import RuleError
from ..values import Sealed, Unknown, Value, Window
from .checked import Checked
from .frame import Env, Frame, decide, discreet, keyed, missing_among
from .functions import OVERLOADS
from .loops import loop
from .tokens import quoted
from .tree import (
    Apply,
    Choice,
    Constant,
    Field,
    Has,
    Index,
    ListOf,
    Local,
    Logic,
    Loop,
    MapOf,
    Node,
    Not,
    Now,
    RecordOf,
    Reference,
    TableCall,
    WindowPart,
)

__all__ = ["Env", "Frame", "interpret", "part_of", "run"]


def interpret(checked: Checked, env: Env, variables: Mapping[str, Value] | None = None) -> Value:
    """Return what `evaluate` returns, by walking the tree.

    Raises:
        RuleError: a part failed, and nothing made up for it; the message names the part.
    """
    try:
        return run(checked.root, Frame(checked.text, env, variables or {}))
    except RuleError as error:
        raise discreet(error, checked.reads, env) from None


def run(node: Node, frame: Frame) -> Value:
    """Return the value of a node, or Unknown."""
    return _RUN[type(node)](node, frame)


def _constant(node: Constant, _: Frame) -> Value:
    return node.value


def _now(_: Now, frame: Frame) -> Value:
    return frame.env.now


def _reference(node: Reference, frame: Frame) -> Value:
    value = frame.env.value(node.name)
    return Unknown(frozenset({node.name})) if type(value) is Sealed else value


def _local(node: Local, frame: Frame) -> Value:
    value = frame.variables[node.slot]
    return Unknown(frozenset({node.path})) if type(value) is Sealed else value


def _field(node: Field, frame: Frame) -> Value:
    of = run(node.of, frame)
    if type(of) is Unknown:
        return of
    value = of.get(node.field)
    if value is None or type(value) is Sealed:
        return Unknown(frozenset({node.path}))
    return value


def _index(node: Index, frame: Frame) -> Value:
    of, index = run(node.of, frame), run(node.index, frame)
    missing = missing_among((of, index))
    if missing is not None:
        return missing
    if isinstance(of, Mapping):
        if index not in of:
            raise frame.failed(f"there is no key {quoted(index)}", node)
        return of[index]
    if not 0 <= index < len(of):
        raise frame.failed(f"there is no item {index} in a list of {len(of)}", node)
    return of[index]


def _window_part(node: WindowPart, frame: Frame) -> Value:
    window = run(node.of, frame)
    if type(window) is Unknown:
        return window
    value = part_of(window, node.part, frame.env.now)
    if value is None:
        what = {"opens": "has no beginning", "closes": "has no end"}.get(
            node.part, "gives no reason at this instant"
        )
        raise frame.failed(f"the window {what}", node)
    return value


def part_of(window: Window, part: str, now: datetime) -> Value:
    """Return what is asked of a window; None where it has no such end, and gives no reason."""
    match part:
        case "is_open":
            return window.contains(now)
        case "is_closed":
            return window.is_past(now)
        case "opens":
            return window.opens
        case "closes":
            return window.closes
    if (inside := window.contains(now)) is not True and isinstance(inside, Unknown):
        return inside
    return window.reason(now)


def _has(node: Has, frame: Frame) -> Value:
    return _is_there(node.of, frame)


def _is_there(node: Node, frame: Frame) -> bool:
    """Return whether a path leads to a value. What is erased was there."""
    match node:
        case Reference():
            return not isinstance(frame.env.value(node.name), Unknown)
        case Local():
            return not isinstance(frame.variables[node.slot], Unknown)
        case Field():
            if not _is_there(node.of, frame):
                return False
            of = run(node.of, frame)
            value = of if isinstance(of, Unknown) else of.get(node.field)
            return value is not None and not isinstance(value, Unknown)
        case Index():
            if not _is_there(node.of, frame):
                return False
            of, index = run(node.of, frame), run(node.index, frame)
            if missing_among((of, index)) is not None:
                return False
            return index in of if isinstance(of, Mapping) else 0 <= index < len(of)
        case WindowPart():
            window = run(node.of, frame)
            part = window if isinstance(window, Unknown) else part_of(window, node.part, frame.env.now)
            return part is not None and not isinstance(part, Unknown)
    return not isinstance(run(node, frame), Unknown)


def _not(node: Not, frame: Frame) -> Value:
    value = run(node.of, frame)
    return value if type(value) is Unknown else not value


def _logic(node: Logic, frame: Frame) -> Value:
    return decide((lambda part=part: run(part, frame) for part in node.operands), node.operator == "||")  # type: ignore[misc]


def _choice(node: Choice, frame: Frame) -> Value:
    condition = run(node.condition, frame)
    if type(condition) is Unknown:
        return condition
    return run(node.then if condition else node.otherwise, frame)


def _apply(node: Apply, frame: Frame) -> Value:
    arguments = [run(argument, frame) for argument in node.arguments]
    missing = missing_among(arguments)
    if missing is not None:
        return missing
    row = OVERLOADS[node.overload]
    try:
        return row.run(frame.env.zone, *arguments) if row.needs == "zone" else row.run(*arguments)
    except RuleError as error:
        raise frame.failed(str(error), node) from None


def _table_call(node: TableCall, frame: Frame) -> Value:
    arguments = tuple(run(argument, frame) for argument in node.arguments)
    missing = missing_among(arguments)
    return frame.env.call(node.name, arguments) if missing is None else missing


def _list(node: ListOf, frame: Frame) -> Value:
    items = tuple(run(item, frame) for item in node.items)
    missing = missing_among(items)
    return items if missing is None else missing


def _map(node: MapOf, frame: Frame) -> Value:
    pairs = [(run(key, frame), run(value, frame)) for key, value in node.entries]
    missing = missing_among(part for pair in pairs for part in pair)
    return keyed(pairs, node, frame) if missing is None else missing


def _record(node: RecordOf, frame: Frame) -> Value:
    fields = {name: run(value, frame) for name, value in node.fields}
    lacking = {name for name in node.may_lack if isinstance(fields.get(name), Unknown)}
    fields = {name: value for name, value in fields.items() if name not in lacking}
    missing = missing_among(fields.values())
    return fields if missing is None else missing


def _loop(node: Loop, frame: Frame) -> Value:
    over = run(node.over, frame)
    return over if type(over) is Unknown else loop(node, over, frame, run)


_RUN: Final[dict[type, Callable[[Any, Frame], Value]]] = {
    Constant: _constant,
    Now: _now,
    Reference: _reference,
    Local: _local,
    Field: _field,
    Index: _index,
    WindowPart: _window_part,
    Has: _has,
    Not: _not,
    Logic: _logic,
    Choice: _choice,
    Apply: _apply,
    TableCall: _table_call,
    ListOf: _list,
    MapOf: _map,
    RecordOf: _record,
    Loop: _loop,
}
