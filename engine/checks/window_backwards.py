"""A window closes before it opens.

## What it finds

A window whose two ends count from the same instant, by periods that are written out or are params, so that the end surely
lies before the beginning, or before the opening of the day after. Ends of which only the case tells are not judged.

## Why it matters

Such a window is never open: what depends on it is refused in every case, as too late.

## Wrong

```yaml
facts: {borrowed_at: timestamp}
params: {first: 14 days, last: 10 days}
events: {give_back: {}}
windows:
  renewal: {opens: first after borrowed_at, closes: last after borrowed_at}    # AM502
states:
  on_loan:
    initial: true
    on: {give_back: {when: renewal.is_open, to: closed}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```

## Right

```yaml
facts: {borrowed_at: timestamp}
params: {first: 10 days, last: 14 days}
events: {give_back: {}}
windows:
  renewal: {opens: first after borrowed_at, closes: last after borrowed_at}
states:
  on_loan:
    initial: true
    on: {give_back: {when: renewal.is_open, to: closed}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from ..diagnostics import Diagnostics
from ..expression import Checked
from ..expression.tree import Constant, Reference
from ..period import EXACT_SECONDS, Period
from ..policy import CompiledPolicy
from ..rules.cell import measure
from ..rules.compiled_moment import CompiledMoment, Named
from ..rules.compiled_moment import Computed as ComputedMoment
from ..values import Value
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


def check_window_backwards(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every window that surely closes before it opens."""
    for rule in policy.windows.values():
        if rule.opens and rule.closes and _is_backwards(rule.opens, rule.closes, policy):
            hint = "check both ends; `after` and `before` may have been mixed up"
            place = written.name("windows", rule.name, rule.place)
            diagnostics.add("AM502", place, f"the window `{rule.name}` closes before it opens", hint=hint)


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
