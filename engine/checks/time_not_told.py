"""A condition that time alone may change uses `now` so that nobody can tell when it changes.

## What it finds

In a condition of `always`, an escalation, a clock or a route, also by way of a define or a table that it asks: a `now`,
or a window that opens or closes, within a loop; or one of which only the text, the remainder of a division, the minutes or the
seconds are asked for, or whether a list holds it.

## Why it matters

Nobody asks a sleeping case every second: of such a condition it is worked out beforehand when time changes it, through
windows, comparisons, sums, days, defines and tables. A loop turns once for every item, and would have to be followed through all
of them after every step; a remainder or the minutes turn again and again without end.

## Wrong

```yaml
facts: {due_days: list of timestamp}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    always:
      - {when: 'due_days.all(d, now > d)', to: closed}    # AM209
  closed: {final: true}
```

## Right

```yaml
facts: {due_days: list of timestamp}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    always:
      - {when: 'size(due_days) == 0 || now > max(due_days)', to: closed}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..diagnostics import Diagnostics
from ..expression import OVERLOADS, Node, Overload
from ..expression.tree import Apply, Loop, Now, Reference, TableCall, WindowPart, children
from ..policy import CompiledPolicy
from ..rules.condition import Computed, Condition, leaves
from ..types import DURATION, WINDOW
from .ways import clocks, states_of
from .written import Written


def check_time_not_told(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every `now` of which nobody can tell when it changes a condition that the case waits on."""
    clock = _Clock(policy)
    hint = "compare `now` itself with one instant, such as `now > asked.at` or `now > xs.map(x, x.at).max()`"
    for condition in _waited_on(policy):
        for leaf in leaves(condition):
            for start, end in clock.untold(leaf.checked.root):
                place = written.part(leaf.checked, leaf.place, (start, end))
                part = leaf.checked.text[start:end].strip()
                message = f"nobody can tell when time changes `{part}`"
                if part == "now":
                    message = "nobody can tell when time changes this: `now` stands in a loop"
                diagnostics.add("AM209", place, message, hint=hint)


def _waited_on(policy: CompiledPolicy) -> Iterator[Condition | None]:
    """Yield every condition that is looked at again when time may have changed it."""
    for state in states_of(policy).values():
        yield from (candidate.condition for candidate in state.always)
    for escalation in policy.escalations:
        yield escalation.when
    for sla, _ in clocks(policy):
        yield from (sla.pause_while, sla.condition)
    for payout in policy.payouts.values():
        yield from (approval.condition for approval in payout.approvals)
        yield from (route.condition for route in payout.routes)


#: Parts of an expression, by their offsets.
_Spans = Iterator[tuple[int, int]]


#: Operators and functions through which it is followed how a value changes with time.
_FOLLOWED: Final = frozenset(
    {
        *("<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/", "min", "max"),
        *("date", "int", "decimal", "round", "timestamp", "duration"),
        *("getHours", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getMonth", "getFullYear"),
    }
)


def _is_followed(row: Overload) -> bool:
    if row.name == "in":
        # Of a list it would have to be asked day by day.
        return row.parameters[1:] == (WINDOW,)
    return row.name in _FOLLOWED or row.parameters[:1] == (DURATION,)


class _Clock:
    """Finds what time changes at more instants than are to be worked out beforehand."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self._named: dict[str, bool] = {}

    def untold(self, node: Node, *, looped: bool = False) -> _Spans:
        """Yield the parts whose changes cannot be told: what time changes within a loop, or without end.

        Args:
            node: of a condition that the case waits on.
            looped: whether it stands within a loop.
        """
        match node:
            case Now() | WindowPart() if looped:
                if self._turns(node):
                    yield node.start, node.end
            case Reference(name=name) | TableCall(name=name) if self._is_untold(name) or (
                looped and self._turns(node)
            ):
                yield node.start, node.end
            case Apply(overload=overload, arguments=arguments) if not _is_followed(OVERLOADS[overload]):
                if any(self._turns(part) for argument in arguments for part in _every(argument)):
                    yield node.start, node.end
            case Loop():
                yield from self.untold(node.over, looped=looped)
                for part in (node.condition, node.key, node.body):
                    if part is not None:
                        yield from self.untold(part, looped=True)
            case _:
                for part in children(node):
                    yield from self.untold(part, looped=looped)

    def _turns(self, node: Node) -> bool:
        """Return whether one node, apart from its parts, changes with time."""
        match node:
            case Now():
                return True
            case WindowPart(part=part):
                return part in {"is_open", "is_closed", "reason"}
            case Reference(name=name) | TableCall(name=name):
                policy = self.policy
                if name in policy.balances:
                    return "now" in policy.balances[name].limit.reads
                computed = policy.defines.get(name) or policy.tables.get(name)
                return computed is not None and "now" in computed.reads
        return False

    def _is_untold(self, name: str) -> bool:
        """Return whether a declared value changes with time, and nobody can tell when."""
        if name not in self._named:
            self._named[name] = any(any(self.untold(root)) for root in self._roots(name))
        return self._named[name]

    def _roots(self, name: str) -> Iterator[Node]:
        """Yield the expressions that a declared value is computed by."""
        if name in self.policy.defines:
            yield self.policy.defines[name].root
        elif name in self.policy.balances:
            yield self.policy.balances[name].limit.root
        elif name in self.policy.tables:
            table = self.policy.tables[name]
            yield from (checked.root for checked in table.inputs)
            yield from (leaf.checked.root for rule in table.rules for leaf in leaves(rule.condition))
            for term in (*(term for rule in table.rules for term in rule.then), *(table.otherwise or ())):
                if isinstance(term, Computed):
                    yield term.checked.root


def _every(node: Node) -> Iterator[Node]:
    yield node
    for part in children(node):
        yield from _every(part)
