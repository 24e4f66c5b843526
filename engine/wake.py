"""When a condition about time may change by itself: the instants it reads.

A condition changes with time alone only where it asks about a window, or compares `now` with an instant: so the instants
at which to look again are the ends of the windows and the instants that it reads, each and the second after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from .condition import Condition, holds, leaves
from .errors import RuleError
from .expression import Checked
from .expression.interpret import Frame, run
from .expression.tree import Loop, Node, Now, Reference, TableCall, WindowPart, children
from .policy import CompiledPolicy
from .types import TIMESTAMP, WINDOW, required
from .values import Unknown, Window
from .work import Work

_SECOND = timedelta(seconds=1)


def reads_time(condition: Condition | None, policy: CompiledPolicy) -> bool:
    """Return whether a condition can change by the passing of time alone."""
    return any(
        isinstance(node, Now | WindowPart) or required(node.type) == WINDOW
        for node, _ in _nodes(condition, policy)
    )


def _nodes(condition: Condition | None, policy: CompiledPolicy) -> Iterator[tuple[Node, str]]:
    """Yield every node that a condition evaluates, each with the text it is part of, through defines and tables.

    The bodies of loops are left out: what they see exists only while they turn.
    """
    waiting = [(leaf.checked.root, leaf.checked.text) for leaf in leaves(condition)]
    seen: set[str] = set()
    while waiting:
        node, text = waiting.pop()
        yield node, text
        waiting.extend((part, text) for part in ((node.over,) if isinstance(node, Loop) else children(node)))
        if isinstance(node, Reference | TableCall) and node.name not in seen:
            seen.add(node.name)
            waiting.extend((checked.root, checked.text) for checked in _definition(node.name, policy))


def _definition(name: str, policy: CompiledPolicy) -> Iterable[Checked]:
    if name in policy.defines:
        return (policy.defines[name],)
    table = policy.tables.get(name)
    if table is None:
        return ()
    return (*table.inputs, *(leaf.checked for rule in table.rules for leaf in leaves(rule.condition)))


def instants(condition: Condition | None, work: Work) -> set[datetime]:
    """Return the instants at which a condition may change, as far as they are known now."""
    found: set[datetime] = set()
    for node, text in _nodes(condition, work.policy):
        if required(node.type) not in (TIMESTAMP, WINDOW):
            continue
        try:
            value = run(node, Frame(text, work, {}))
        except RuleError:
            continue
        if isinstance(value, Window):
            ends = (value.opens, value.closes)
            found |= {end for end in ends if isinstance(end, datetime)}
        elif isinstance(value, datetime) and not isinstance(node, Now):
            found.add(value)
    return found | {instant + _SECOND for instant in found}


def next_change(
    work: Work, condition: Condition | None, changes: Callable[[bool | Unknown], bool]
) -> datetime | None:
    """Return the first later instant at which a condition's worth is as `changes` asks, if time alone brings it."""
    if not reads_time(condition, work.policy):
        return None
    before = work.now
    try:
        for instant in sorted(instants(condition, work)):
            if instant <= before:
                continue
            work.now = instant
            try:
                if changes(holds(condition, work)):
                    return instant
            except RuleError:
                # A rule that will fail is to fail in a step of its own, where it is told.
                return instant
        return None
    finally:
        work.now = before
