"""What conditions are worth over a whole stretch of time: one value at every second of it, or more than one.

The evaluation is the interpreter's with `now` as a range: what comes of it is a value that holds throughout, a range of
ordered values, or `MOVING` where nothing more is known. It never calls something steady that is not; what it calls moving
may yet be steady, and is to be asked about in parts. Where it can tell at which instants a value turns, it notes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final

from ..errors import RuleError
from ..expression import OVERLOADS, Checked, Env, Frame, Overload, run
from ..expression import tree as nodes
from ..expression.frame import missing_among
from ..moment import CompiledMoment, Finished, evaluate_moment
from ..policy import CompiledPolicy
from ..rules.cell import Cell, Interval, matches, precedes
from ..rules.condition import AllOf, AnyOf, Computed, Condition, Leaf, Not
from ..table import CompiledRule, CompiledTable, Inside, TermLike, look_up
from ..types import DURATION, TIMESTAMP, required
from ..values import Unknown, Value, Window
from .work import Work


@dataclass(frozen=True, slots=True)
class Range:
    """Ordered values from one to another, both of which it takes."""

    low: Value
    high: Value


class Moving:
    """More than one value, or none that is known."""


MOVING: Final = Moving()

#: A value that holds throughout (`Unknown` and the failure of a rule are two), or what is known of several.
Worth = Any

_SECOND: Final = timedelta(seconds=1)
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
#: Functions that grow or fall with each argument as long as the others stay as they are.
_MONOTONE: Final = frozenset(
    {"+", "-", "*", "min", "max", "date", "int", "decimal", "round", "timestamp", "duration"}
)
#: Between which values the parts of an instant lie.
_PARTS: Final = {
    "getMonth": (0, 11),
    "getDate": (1, 31),
    "getDayOfMonth": (0, 30),
    "getDayOfWeek": (0, 6),
    "getDayOfYear": (0, 365),
    "getHours": (0, 23),
    "getMinutes": (0, 59),
    "getSeconds": (0, 59),
    "getMilliseconds": (0, 999),
}
#: How long the parts of an instant stay as they are, at least: within less, the same at both ends is the same throughout.
_LASTS: Final = {
    "getHours": timedelta(hours=1),
    "getMinutes": timedelta(minutes=1),
    "getSeconds": _SECOND,
    "getMilliseconds": _SECOND,
}


class Stretch:
    """The time from one instant to another, both included, in a working copy."""

    def __init__(self, work: Work, begin: datetime, end: datetime, env: Env | None = None) -> None:
        self.work = work
        self.env = env or work
        self.begin = begin
        self.end = end
        #: Instants within it at which something turns.
        self.turns: set[datetime] = set()

    # --- conditions -----------------------------------------------------------------------------------------------------

    def condition(self, condition: Condition | None) -> Worth:
        """Return what a condition is worth."""
        return self._condition(condition, self.env)

    def _condition(self, condition: Condition | None, env: Any) -> Worth:
        match condition:
            case None:
                return True
            case Leaf(checked=checked):
                return self._checked(checked, env)
            case Not(item=item):
                return _negated(self._condition(item, env))
            case AllOf(items=items):
                return _decided((self._condition(item, env) for item in items), decides=False)
            case AnyOf(items=items):
                return _decided((self._condition(item, env) for item in items), decides=True)

    def _checked(self, checked: Checked, env: Any) -> Worth:
        return self._node(checked.root, Frame(checked.text, env, {}))

    # --- expressions ----------------------------------------------------------------------------------------------------

    def _node(self, node: nodes.Node, frame: Frame) -> Worth:
        if not self._reads_now(node):
            return _attempt(lambda: run(node, frame))
        match node:
            case nodes.Now():
                return Range(self.begin, self.end) if self.begin < self.end else self.begin
            case nodes.Reference(name=name) if name in self.work.policy.defines:
                return self._checked(self.work.policy.defines[name], self.work)
            case nodes.Reference(name=name) if name in self.work.policy.balances:
                steady = _is_steady(self._checked(self.work.policy.balances[name].limit, self.work))
                return self._at_begin(lambda: run(node, frame)) if steady else MOVING
            case nodes.Reference(name=name):
                return self._table(self.work.policy.tables[name], ())
            case nodes.TableCall(name=name, arguments=arguments):
                values = [self._node(argument, frame) for argument in arguments]
                return _strict(values, lambda: self._table(self.work.policy.tables[name], values))
            case nodes.WindowPart():
                window = self._node(node.of, frame)
                return _strict([window], lambda: self._window(window, node, frame))
            case nodes.Apply(overload=overload, arguments=arguments):
                values = [self._node(argument, frame) for argument in arguments]
                return self._applied(OVERLOADS[overload], values, frame)
            case nodes.Logic(operator=operator, operands=operands):
                values_ = (self._node(operand, frame) for operand in operands)
                return _decided(values_, decides=operator == "||")
            case nodes.Not():
                return _negated(self._node(node.of, frame))
            case nodes.Choice():
                chosen = self._node(node.condition, frame)
                return _strict([chosen], lambda: self._node(node.then if chosen else node.otherwise, frame))
            case nodes.Field(field=field, path=path):
                of = self._node(node.of, frame)
                missing = Unknown(frozenset({path}))
                return _strict([of], lambda: missing if of.get(field) is None else of[field])
            case nodes.Loop():
                return self._loop(node, frame)
        return self._parts(node, frame)

    def _reads_now(self, node: nodes.Node) -> bool:
        match node:
            case nodes.Now():
                return True
            case nodes.WindowPart(part=part) if part not in ("opens", "closes"):
                return True
            case nodes.Reference(name=name) | nodes.TableCall(name=name):
                policy = self.work.policy
                computed = policy.defines.get(name) or policy.tables.get(name) or _limit(policy, name)
                if computed is not None and "now" in computed.reads:
                    return True
        return any(self._reads_now(part) for part in nodes.children(node))

    def _parts(self, node: nodes.Node, frame: Frame) -> Worth:
        """Return the value of a node of any other kind: it is steady if all that it is made of is."""
        if all(_is_steady(self._node(part, frame)) for part in nodes.children(node)):
            return self._at_begin(lambda: run(node, frame))
        return MOVING

    def _at_begin(self, ask: Callable[[], Value]) -> Worth:
        """Return what something is worth at the beginning, of which it is known that it stays so."""
        before = self.work.now
        if self.begin == before:
            return _attempt(ask)
        self.work.now = self.begin
        try:
            return _attempt(ask)
        finally:
            self.work.now = before

    def _loop(self, node: nodes.Loop, frame: Frame) -> Worth:
        over = self._node(node.over, frame)
        if not _is_steady(over) or isinstance(over, Unknown | RuleError):
            return over if _is_steady(over) else MOVING
        pairs: Iterable[tuple[Value, Value]] = enumerate(over)
        if hasattr(over, "items"):
            pairs = over.items() if node.first else ((None, key) for key in over)
        found: list[Worth] = []
        for first, second in pairs:
            bound = {slot: item for slot, item in ((node.first, first), (node.second, second)) if slot}
            turn = Frame(frame.text, frame.env, {**frame.variables, **bound})
            parts = [part for part in (node.condition, node.key, node.body) if part is not None]
            found += [self._node(part, turn) for part in parts]
        if node.kind in ("all", "exists"):
            return _decided(found, decides=node.kind == "exists")
        return self._at_begin(lambda: run(node, frame)) if all(map(_is_steady, found)) else MOVING

    # --- windows --------------------------------------------------------------------------------------------------------

    def _window(self, window: Window, node: nodes.WindowPart, frame: Frame) -> Worth:
        """Return a part of a window: nothing of it turns but where it opens, and the second after it closes."""
        turns = [end for end in (window.opens,) if isinstance(end, datetime)]
        turns += [end + _SECOND for end in (window.closes,) if isinstance(end, datetime)]
        within = {turn for turn in turns if self.begin < turn <= self.end}
        if within:
            self.turns |= within
            return MOVING
        if node.part == "is_open":
            return window.contains(self.begin)
        if node.part == "is_closed":
            return window.is_past(self.begin)
        return self._at_begin(lambda: run(node, frame))

    # --- operators and functions ----------------------------------------------------------------------------------------

    def _applied(self, row: Overload, values: Sequence[Worth], frame: Frame) -> Worth:
        failed = next((value for value in values if isinstance(value, RuleError)), None)
        if failed or any(isinstance(value, Moving) for value in values):
            return failed or MOVING
        if (missing := missing_among(values)) is not None:
            return missing

        def ask(arguments: Sequence[Value]) -> Worth:
            given = (frame.env.zone, *arguments) if row.needs == "zone" else arguments
            return _attempt(lambda: row.run(*given))

        if not any(isinstance(value, Range) for value in values):
            return ask(values)
        if row.name in _COMPARED:
            return self._compared(row, values, ask)
        corners = [ask(corner) for corner in product(*map(_ends, values))]
        if any(isinstance(corner, RuleError) for corner in corners):
            return MOVING
        if _is_monotone(row, values):
            low = min(corners)
            return low if low == max(corners) else Range(low, max(corners))
        if row.parameters[0] == TIMESTAMP and row.style == "method" and isinstance(values[0], Range):
            lasts = _LASTS.get(row.name, timedelta(days=1))
            within = values[0].high - values[0].low < lasts
            same = within and all(corner == corners[0] for corner in corners)
            return corners[0] if same else Range(*_PARTS[row.name]) if row.name in _PARTS else MOVING
        return MOVING

    def _compared(
        self, row: Overload, values: Sequence[Worth], ask: Callable[[Sequence[Value]], Worth]
    ) -> Worth:
        """Return a comparison: it turns where the sides meet."""
        (low, high), (other_low, other_high) = _ends(values[0]), _ends(values[1])
        try:
            apart = precedes(high, other_low) or precedes(other_high, low)
            touching = row.name in ("<", ">=") and not precedes(low, other_high)
            touching |= row.name in ("<=", ">") and not precedes(other_low, high)
        except RuleError as error:
            return error
        if apart or touching:
            return ask((low, other_low))
        if required(row.parameters[0]) in (TIMESTAMP, DURATION) or isinstance(low, datetime | timedelta):
            self._note_meeting(values)
        return MOVING

    def _note_meeting(self, values: Sequence[Worth]) -> None:
        """Note when the one side comes to where the other stands, if it moves as `now` does."""
        for moving, still in (values, values[::-1]):
            if not isinstance(moving, Range) or isinstance(still, Range):
                continue
            if moving.high - moving.low == self.end - self.begin:
                for meets in (self.begin + (still - moving.low), self.begin + (moving.high - still)):
                    near = (meets, meets + _SECOND)
                    self.turns |= {turn for turn in near if self.begin < turn <= self.end}

    # --- tables ---------------------------------------------------------------------------------------------------------

    def _table(self, table: CompiledTable, arguments: Sequence[Value]) -> Worth:
        named = {name: value for (name, _), value in zip(table.parameters, arguments, strict=True)}
        env: Any = Inside(self.work, named) if table.parameters else self.work
        inputs = [self._checked(checked, env) for checked in table.inputs]
        if table.hit in ("first", "priority"):
            for rule in table.rules:
                held = self._rule(rule, inputs, env)
                if held is True:
                    return self._given(table, rule.then, env)
                if held is not False:
                    break
            else:
                if table.otherwise is not None:
                    return self._given(table, table.otherwise, env)
        terms = [term for rule in table.rules for term in rule.then] + list(table.otherwise or ())
        parts = [self._rule(rule, inputs, env) for rule in table.rules]
        if all(map(_is_steady, (*parts, *(self._output(term, env) for term in terms)))):
            return self._at_begin(lambda: look_up(table, self.work, arguments).value)
        return MOVING

    def _given(self, table: CompiledTable, terms: Sequence[TermLike | None], env: Any) -> Worth:
        """Return what a table gives by the terms of one rule, or of `otherwise`."""
        given = zip(table.outputs, terms, strict=True)
        found = {name: self._output(term, env) for (name, _), term in given if term is not None}
        if table.single:
            return found[table.outputs[0][0]]
        # An output that is not known leaves the others as they are.
        needed = [worth for worth in found.values() if not isinstance(worth, Unknown)]
        return _strict(needed, lambda: found)

    def _rule(self, rule: CompiledRule, inputs: Sequence[Worth], env: Any) -> Worth:
        if not inputs:
            return self._condition(rule.condition, env)
        cells = zip(rule.cells, inputs, strict=True)
        return _decided((self._cell(c, value) for c, value in cells if not c.anything), decides=False)

    def _cell(self, cell: Cell, value: Worth) -> Worth:
        if isinstance(value, Moving | RuleError):
            return value
        if not isinstance(value, Range):
            return _attempt(lambda: matches(cell, value))
        found = [self._interval(interval, value) for interval in cell.intervals or ()]
        worth = _decided(found, decides=True)
        return _negated(worth) if cell.negated else worth

    def _interval(self, interval: Interval, value: Range) -> Worth:
        try:
            low, high = interval.holds(value.low), interval.holds(value.high)
            if low and high:
                return True
            below = interval.low is not None and not precedes(interval.low, value.high)
            above = interval.high is not None and not precedes(value.low, interval.high)
        except RuleError as error:
            return error
        if (below or above) and not low and not high:
            return False
        for end in (interval.low, interval.high):
            if isinstance(end, datetime | timedelta):
                self._note_meeting((value, end))
        return MOVING

    def _output(self, term: TermLike | None, env: Any) -> Worth:
        match term:
            case Computed(checked=checked):
                return self._checked(checked, env)
            case CompiledMoment():
                moment = _attempt(lambda: evaluate_moment(term, env))
                return moment.at if isinstance(moment, Finished) else moment
        return getattr(term, "value", None)


def _limit(policy: CompiledPolicy, name: str) -> Checked | None:
    """Return the limit of a balance: what was taken of it is the same throughout a step."""
    return policy.balances[name].limit if name in policy.balances else None


def _attempt(ask: Callable[[], Value]) -> Worth:
    """Return a value, or the failure of the rule."""
    try:
        return ask()
    except RuleError as error:
        return error


def _is_steady(worth: Worth) -> bool:
    return not isinstance(worth, Range | Moving)


def _strict(values: Sequence[Worth], ask: Callable[[], Worth]) -> Worth:
    """Return what needs every value: a failure, MOVING or what is missing, if one of them is that."""
    if not all(map(_is_steady, values)):
        return MOVING
    failed = next((value for value in values if isinstance(value, RuleError)), None)
    return failed or missing_among(values) or ask()


def _negated(worth: Worth) -> Worth:
    return not worth if isinstance(worth, bool) else worth


def _decided(values: Iterable[Worth], *, decides: bool) -> Worth:
    """Combine as `&&` (decided by a false) or `||` (by a true): what moves outweighs an unknown, and that a failure."""
    found = list(values)
    if any(value is decides for value in found):
        return decides
    if not all(map(_is_steady, found)):
        return MOVING
    failed = next((value for value in found if isinstance(value, RuleError)), None)
    return missing_among(found) or failed or not decides


def _ends(worth: Worth) -> tuple[Value, Value]:
    return (worth.low, worth.high) if isinstance(worth, Range) else (worth, worth)


def _is_monotone(row: Overload, values: Sequence[Worth]) -> bool:
    """Return whether the values of a row lie between those that it takes at the ends of its arguments."""
    if row.name == "/":
        low, high = _ends(values[1])
        return bool(low > low - low) == bool(high > high - high)
    if row.parameters[0] == DURATION and row.style == "method":
        return row.name != "getMilliseconds"
    return row.name in _MONOTONE or (row.name == "getFullYear" and len(row.parameters) == 1)
