"""Windows that close before they open, and conditions of which nobody can tell when time will change them.

A window is only judged where both of its ends count from the same instant by periods that are known beforehand: then each
end lies between two bounds, in seconds from that instant, or the two are counted in the same unit.

Conditions of `always`, of escalations, of `pause_while` and of routes are looked at again when time alone may have changed
them: at the ends of the windows and at the instants that they compare `now` with. Any other use of `now` there would
leave the case asleep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..cell import measure
from ..compiled_moment import CompiledMoment, Named
from ..compiled_moment import Computed as ComputedMoment
from ..condition import Computed, Condition, leaves
from ..diagnostics import Diagnostics
from ..expression import Checked, Node
from ..expression.tree import (
    Apply,
    Constant,
    Local,
    Loop,
    Now,
    Reference,
    TableCall,
    WindowPart,
    children,
)
from ..period import EXACT_SECONDS, Period
from ..policy import CompiledPolicy
from ..table import CompiledTable
from ..values import Value
from .ways import clocks, states_of
from .written import Written

_DAY: Final = 86_400
#: A local day may be longer or shorter than 24 hours by so much, all changes of clocks together.
_SLACK: Final = 26 * 3_600
#: The shortest and the longest of a unit, in days; a business day may be any number of days away.
_DAYS: Final[dict[str, tuple[float, float]]] = {
    "day": (1, 1),
    "week": (7, 7),
    "month": (28, 31),
    "year": (365, 366),
    "business day": (1, math.inf),
}
#: Outside tables that are functions every name has a value.
NOWHERE: Final[frozenset[str]] = frozenset()


# --- windows ----------------------------------------------------------------------------------------------------------


def check_windows(policy: CompiledPolicy, diagnostics: Diagnostics) -> None:
    """Report every window that surely closes before it opens."""
    for rule in policy.windows.values():
        if rule.opens and rule.closes and _is_backwards(rule.opens, rule.closes, policy):
            hint = "check both ends; `after` and `before` may have been mixed up"
            diagnostics.add(
                "AM502", rule.place, f"the window `{rule.name}` closes before it opens", hint=hint
            )


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a window: the unit it is counted in, how many of it, and its bounds in seconds."""

    kind: str
    count: int
    low: float
    high: float


def _is_backwards(opens: CompiledMoment, closes: CompiledMoment, policy: CompiledPolicy) -> bool:
    if _anchor(opens) is None or _anchor(opens) != _anchor(closes):
        return False
    if not (opens.timezone == closes.timezone is None and opens.roll == closes.roll == "none"):
        return False
    first, last = _end(opens, policy), _end(closes, policy)
    if first is None or last is None:
        return False
    if first.kind == last.kind:
        # Opening waits for the end of a whole day, and by then that day's own end has passed.
        return last.count < first.count or (
            last.count == first.count and opens.whole_day is True and bool(opens.steps)
        )
    return last.high < first.low


def _anchor(moment: CompiledMoment) -> str | None:
    """Return what a moment counts from, where two that are written alike are the same instant."""
    match moment.base:
        case ComputedMoment(checked=checked):
            return checked.text.strip()
        case Named(name=name):
            return name
    return None


def _end(moment: CompiledMoment, policy: CompiledPolicy) -> _End | None:
    """Return where an end lies, or None where only the case tells."""
    if not moment.steps:
        # What it counts from may be a whole day, or a moment that is the end of one.
        return _End("", 0, 0, _SLACK)
    if len(moment.steps) > 1:
        return None
    (step,) = moment.steps
    period = _period(step.period, policy)
    if period is None:
        return None
    sign = -1 if step.direction == "before" else 1
    kind, length = measure(period)
    if period.exact and moment.ends is None:
        seconds = sign * period.count * EXACT_SECONDS[period.unit]
        return _End(kind, sign * length, seconds, seconds)
    # `from` counts its own day, so the last one is a day nearer.
    nearer = 1 if step.direction == "from" and not period.exact else 0
    near, far = _DAYS.get(period.unit, (0, math.inf))
    days = sorted((sign * near * period.count, sign * far * period.count if period.count else 0))
    low, high = ((each - nearer) * _DAY for each in days)
    comparable = kind if not nearer or kind in {"day", "business day"} else f"{kind} from"
    return _End(comparable, sign * length - nearer, low - _SLACK, high + _SLACK)


def _period(period: Period | Checked, policy: CompiledPolicy) -> Period | None:
    """Return a period that is known beforehand: written out, or a param."""
    if isinstance(period, Period):
        return period
    value: Value = None
    match period.root:
        case Constant():
            value = period.root.value
        case Reference(kind="param", name=name):
            value = policy.params[name]
    return value if isinstance(value, Period) else None


# --- conditions that time alone may change ----------------------------------------------------------------------------


def check_time_conditions(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every `now` of which nobody can tell when it changes a condition that the case waits on."""
    clock = _Clock(policy)
    hint = "compare `now` itself with an instant, such as `now > asked.at`, or ask a window or a moment"
    for condition in _waited_on(policy):
        for leaf in leaves(condition):
            for start, end in clock.untold(leaf.checked.root):
                place = written.part(leaf.checked, leaf.place, (start, end))
                part = leaf.checked.text[start:end].strip()
                message = f"nobody can tell when time changes `{part}`"
                if part == "now":
                    message = (
                        "nobody can tell when time changes this: `now` is not compared with a known instant"
                    )
                diagnostics.add("AM209", place, message, hint=hint)


def _waited_on(policy: CompiledPolicy) -> Iterator[Condition | None]:
    """Yield every condition that is looked at again when time may have changed it."""
    for state in states_of(policy).values():
        yield from (candidate.condition for candidate in state.always)
    for escalation in policy.escalations:
        yield escalation.when
    for sla, _ in clocks(policy):
        yield sla.pause_while
    for payout in policy.payouts.values():
        yield from (route.condition for route in payout.routes)


#: Parts of an expression, by their offsets.
_Spans = Iterator[tuple[int, int]]
_COMPARING: Final = ("<", ">", "=", "!", "in(timestamp, window)")


class _Clock:
    """Finds what time changes at instants that cannot be read from the expression."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self._named: dict[str, bool] = {}

    def untold(self, node: Node, unseen: frozenset[str] | None = NOWHERE) -> _Spans:
        """Yield the parts whose changes cannot be told.

        Args:
            node: of a condition that the case waits on.
            unseen: names that have a value only while a table is looked up; None inside a loop, where nothing is seen.
        """
        span = (node.start, node.end)
        match node:
            case Now():
                yield span
            case WindowPart() | Reference() if unseen is None:
                if self._turns_on_now(node):
                    yield span
            case Reference(name=name):
                if self._is_untold(name):
                    yield span
            case TableCall(name=name, arguments=arguments):
                if self._is_untold(name) or (unseen is None and self._turns_on_now(node)):
                    yield span
                for argument in arguments:
                    yield from self.untold(argument, unseen)
            case Apply(overload=overload, arguments=(left, right)) if overload.startswith(_COMPARING):
                sides = [side for side in (left, right) if not isinstance(side, Now)]
                if len(sides) == 1 and unseen is not None and self._is_fixed(sides[0], unseen):
                    return
                for side in (left, right):
                    yield from self.untold(side, unseen)
            case Loop():
                yield from self.untold(node.over, unseen)
                for part in (node.condition, node.key, node.body):
                    if part is not None:
                        yield from self.untold(part, None)
            case _:
                for part in children(node):
                    yield from self.untold(part, unseen)

    def _is_fixed(self, node: Node, unseen: frozenset[str]) -> bool:
        """Return whether an instant or a window can be read outside its table, and does not move with time."""
        return not any(
            isinstance(part, Now | Local)
            or (isinstance(part, Reference) and part.name in unseen)
            or self._turns(part)
            for part in _every(node)
        )

    def _turns_on_now(self, node: Node) -> bool:
        return any(self._turns(part) for part in _every(node))

    def _turns(self, node: Node) -> bool:
        """Return whether one node, apart from its parts, changes with time."""
        match node:
            case Now():
                return True
            case WindowPart(part=part):
                return part in {"is_open", "is_closed", "reason"}
            case Reference(name=name) | TableCall(name=name):
                defines, tables = self.policy.defines, self.policy.tables
                reads = (
                    defines[name].reads if name in defines else tables[name].reads if name in tables else ()
                )
                return "now" in reads
        return False

    def _is_untold(self, name: str) -> bool:
        """Return whether a declared value changes with time, and nobody can tell when."""
        if name not in self._named:
            self._named[name] = any(True for _ in self._parts(name))
        return self._named[name]

    def _parts(self, name: str) -> _Spans:
        if name in self.policy.defines:
            yield from self.untold(self.policy.defines[name].root)
        elif name in self.policy.tables:
            yield from self._table(self.policy.tables[name])

    def _table(self, table: CompiledTable) -> _Spans:
        unseen = frozenset(name for name, _ in table.parameters)
        asked = [*table.inputs, *(leaf.checked for rule in table.rules for leaf in leaves(rule.condition))]
        for checked in asked:
            yield from self.untold(checked.root, unseen)
        for term in [*(term for rule in table.rules for term in rule.then), *(table.otherwise or ())]:
            # Only what a table asks is looked at again, not what it gives.
            if isinstance(term, Computed) and self._turns_on_now(term.checked.root):
                yield term.checked.root.start, term.checked.root.end


def _every(node: Node) -> Iterator[Node]:
    yield node
    for part in children(node):
        yield from _every(part)
