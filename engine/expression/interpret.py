"""The reference interpreter: a checked tree and an environment to a value, in three-valued logic.

Missing facts make `Unknown`, which flows through everything but `has`, and which `&&`, `||`, `all` and `exists` overcome
where the rest decides. A failing part raises `RuleError`; the same four absorb it where the rest decides, and an unknown
beside it weighs more. Every evaluation ends: a tree is bounded, and so are the turns of its loops together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from ..errors import RuleError
from ..values import Sealed, Unknown, Value, Window
from .check import Checked
from .functions import OVERLOADS, summing
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

#: All loops of one evaluation together may turn so often.
MAX_TURNS: Final = 100_000


class Env(Protocol):
    """What an evaluation sees of the case."""

    @property
    def now(self) -> datetime:
        """The step's instant, in UTC."""

    @property
    def zone(self) -> ZoneInfo:
        """The case's time zone."""

    def value(self, name: str) -> Value:
        """Return the value of a declared name, or Unknown; may raise RuleError."""

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Return the output of a table with parameters, or Unknown; may raise RuleError."""


class _Failed(RuleError):
    """A rule failed, and its message already names the part."""


class Frame:
    """One evaluation: its text, its environment, its variables, and how often its loops have turned."""

    __slots__ = ("env", "text", "turns", "variables")

    def __init__(self, text: str, env: Env, variables: Mapping[str, Value]) -> None:
        self.text = text
        self.env = env
        self.variables = dict(variables)
        self.turns = 0

    def turn(self, node: Node) -> None:
        """Count one turn of a loop."""
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise self.failed(f"the loops turn more than {MAX_TURNS} times", node)

    def failed(self, message: str, node: Node) -> RuleError:
        """Return the failure of a part, which the message names."""
        return _Failed(f"{message} in `{self.text[node.start : node.end]}`")


def evaluate(checked: Checked, env: Env, variables: Mapping[str, Value] | None = None) -> Value:
    """Return the value of an expression, or Unknown with the paths that are missing.

    Args:
        checked: the expression.
        env: what it sees of the case.
        variables: values of the names that the scope declared as variables.
    Raises:
        RuleError: a part failed, and nothing made up for it; the message names the part.
    """
    return run(checked.root, Frame(checked.text, env, variables or {}))


def run(node: Node, frame: Frame) -> Value:
    """Return the value of a node, or Unknown."""
    return _RUN[type(node)](node, frame)


def _all(values: Iterable[Value]) -> Unknown | None:
    """Return what is missing among values, all of it, or None."""
    missing: Unknown | None = None
    for value in values:
        if type(value) is Unknown:
            missing = value if missing is None else missing | value
    return missing


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
    missing = _all((of, index))
    if missing is not None:
        return missing
    if isinstance(of, Mapping):
        if index not in of:
            raise frame.failed(f"there is no key `{index}`", node)
        return of[index]
    if not 0 <= index < len(of):
        raise frame.failed(f"there is no item {index} in a list of {len(of)}", node)
    return of[index]


def _window_part(node: WindowPart, frame: Frame) -> Value:
    window = run(node.of, frame)
    if type(window) is Unknown:
        return window
    value = _part_of(window, node.part, frame.env.now)
    if value is None:
        what = {"opens": "has no beginning", "closes": "has no end"}.get(node.part, "gives no reason at this instant")
        raise frame.failed(f"the window {what}", node)
    return value


def _part_of(window: Window, part: str, now: datetime) -> Value:
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
            return isinstance(of, Sequence) or (isinstance(of, Mapping) and index in of)
        case WindowPart():
            window = run(node.of, frame)
            part = window if isinstance(window, Unknown) else _part_of(window, node.part, frame.env.now)
            return part is not None and not isinstance(part, Unknown)
    return not isinstance(run(node, frame), Unknown)


def _not(node: Not, frame: Frame) -> Value:
    value = run(node.of, frame)
    return value if type(value) is Unknown else not value


def _logic(node: Logic, frame: Frame) -> Value:
    return decide((lambda part=part: run(part, frame) for part in node.operands), node.operator == "||")  # type: ignore[misc]


def decide(parts: Iterable[Callable[[], Value]], deciding: bool) -> Value:  # noqa: FBT001 - one of the two truths
    """Return `&&` (`deciding` False) or `||` (True) of conditions: one that is `deciding` decides, whatever the others are.

    Else an unknown makes it unknown, and a failure beside it does not count; else a failure is raised.
    """
    missing: Unknown | None = None
    failure: RuleError | None = None
    for part in parts:
        try:
            value = part()
        except RuleError as error:
            failure = failure or error
            continue
        if value is deciding:
            return deciding
        if type(value) is Unknown:
            missing = value if missing is None else missing | value
    if missing is not None:
        return missing
    if failure is not None:
        raise failure
    return not deciding


def _choice(node: Choice, frame: Frame) -> Value:
    condition = run(node.condition, frame)
    if type(condition) is Unknown:
        return condition
    return run(node.then if condition else node.otherwise, frame)


def _apply(node: Apply, frame: Frame) -> Value:
    arguments = [run(argument, frame) for argument in node.arguments]
    missing = _all(arguments)
    if missing is not None:
        return missing
    row = OVERLOADS[node.overload]
    try:
        return row.run(frame.env.zone, *arguments) if row.needs == "zone" else row.run(*arguments)
    except RuleError as error:
        raise frame.failed(str(error), node) from None


def _table_call(node: TableCall, frame: Frame) -> Value:
    arguments = tuple(run(argument, frame) for argument in node.arguments)
    missing = _all(arguments)
    return frame.env.call(node.name, arguments) if missing is None else missing


def _list(node: ListOf, frame: Frame) -> Value:
    items = tuple(run(item, frame) for item in node.items)
    missing = _all(items)
    return items if missing is None else missing


def _map(node: MapOf, frame: Frame) -> Value:
    pairs = [(run(key, frame), run(value, frame)) for key, value in node.entries]
    missing = _all(part for pair in pairs for part in pair)
    return _keyed(pairs, node, frame) if missing is None else missing


def _keyed(pairs: Iterable[tuple[str, Value]], node: Node, frame: Frame) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in pairs:
        if key in found:
            raise frame.failed(f"the key `{key}` comes twice", node)
        found[key] = value
    return found


def _record(node: RecordOf, frame: Frame) -> Value:
    fields = {name: run(value, frame) for name, value in node.fields}
    lacking = {name for name in node.may_lack if isinstance(fields.get(name), Unknown)}
    fields = {name: value for name, value in fields.items() if name not in lacking}
    missing = _all(fields.values())
    return fields if missing is None else missing


# --- loops ------------------------------------------------------------------------------------------------------------


def _loop(node: Loop, frame: Frame) -> Value:
    over = run(node.over, frame)
    if type(over) is Unknown:
        return over
    return _LOOPS[node.kind](node, _turns(node, over, frame), frame)


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
        if node.second:
            variables[node.second] = second
        yield


def _loop_decides(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    condition: Any = node.condition
    return decide((lambda: run(condition, frame) for _ in turns), node.kind == "exists")


def _loop_exists_one(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    condition: Any = node.condition
    values = [run(condition, frame) for _ in turns]
    missing = _all(values)
    count = sum(value is True for value in values)
    return missing if missing is not None and count < 2 else count == 1


def _loop_filter(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    condition: Any = node.condition
    slot: Any = node.second
    results = [(run(condition, frame), frame.variables[slot]) for _ in turns]
    missing = _all(chosen for chosen, _ in results)
    return tuple(item for chosen, item in results if chosen) if missing is None else missing


def _bodies(node: Loop, turns: Iterable[None], frame: Frame) -> list[Value] | Unknown:
    """Return a body's values for the items that the condition chooses, or what is missing."""
    body: Any = node.body
    values: list[Value] = []
    for _ in turns:
        chosen = True if node.condition is None else run(node.condition, frame)
        if type(chosen) is Unknown:
            values.append(chosen)
        elif chosen:
            values.append(run(body, frame))
    missing = _all(values)
    return values if missing is None else missing


def _loop_map(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    values = _bodies(node, turns, frame)
    return values if isinstance(values, Unknown) else tuple(values)


def _loop_sum(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    values = _bodies(node, turns, frame)
    if isinstance(values, Unknown):
        return values
    result, add = summing(node.type)
    try:
        for value in values:
            result = add(result, value)
    except RuleError as error:
        raise frame.failed(str(error), node) from None
    return result


def _loop_to_map(node: Loop, turns: Iterable[None], frame: Frame) -> Value:
    body: Any = node.body
    pairs: list[tuple[Value, Value]] = []
    for _ in turns:
        chosen = True if node.condition is None else run(node.condition, frame)
        if type(chosen) is Unknown:
            pairs.append((chosen, None))
        elif chosen:
            key = frame.variables[str(node.first)] if node.key is None else run(node.key, frame)
            pairs.append((key, run(body, frame)))
    missing = _all(part for pair in pairs for part in pair)
    return _keyed(pairs, node, frame) if missing is None else missing


_LOOPS: Final[dict[str, Callable[[Loop, Iterable[None], Frame], Value]]] = {
    "all": _loop_decides,
    "exists": _loop_decides,
    "exists_one": _loop_exists_one,
    "filter": _loop_filter,
    "map": _loop_map,
    "sum": _loop_sum,
    "to_map": _loop_to_map,
}

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
