"""A condition that time alone may change uses `now` so that nobody can tell when it changes.

## What it finds

A `now` in a condition of `always`, an escalation, `pause_while` or a route that is not compared, as it stands, with an
instant or a window that can be read beforehand: it stands in a sum, in a loop, or on both sides.

## Why it matters

Such conditions are looked at again at the ends of windows and at the instants that they compare `now` with, and at no other
time: nobody asks a sleeping case every second. Of any other use of `now` the case would learn only when somebody acts.

## Wrong

```yaml
facts: {due_at: timestamp}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    always:
      - {when: 'now - due_at > duration("48h")', to: closed}    # AM209
  closed: {final: true}
```

## Right

```yaml
facts: {due_at: timestamp}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    always:
      - {when: 'now > due_at + duration("48h")', to: closed}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..diagnostics import Diagnostics
from ..expression import Node
from ..expression.tree import Apply, Local, Loop, Now, Reference, TableCall, WindowPart, children
from ..policy import CompiledPolicy
from ..rules.condition import Computed, Condition, leaves
from ..table import CompiledTable
from .ways import clocks, states_of
from .written import Written

#: Outside tables that are functions every name has a value.
NOWHERE: Final[frozenset[str]] = frozenset()


def check_time_not_told(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
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
        yield from (approval.condition for approval in payout.approvals)
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
                policy = self.policy
                if name in policy.balances:
                    return "now" in policy.balances[name].limit.reads
                computed = policy.defines.get(name) or policy.tables.get(name)
                return computed is not None and "now" in computed.reads
        return False

    def _is_untold(self, name: str) -> bool:
        """Return whether a declared value changes with time, and nobody can tell when."""
        if name not in self._named:
            self._named[name] = any(True for _ in self._parts(name))
        return self._named[name]

    def _parts(self, name: str) -> _Spans:
        if name in self.policy.defines:
            yield from self.untold(self.policy.defines[name].root)
        elif name in self.policy.balances:
            yield from self.untold(self.policy.balances[name].limit.root)
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
