"""No way leads into the state.

## What it finds

A state that no transition, breach or escalation leads into from the initial state, by any number of steps. Whether the
conditions on the way can hold is not asked.

## Why it matters

Nothing that stands there ever happens. Mostly a `to` is missing, or leads elsewhere.

## Wrong

```yaml
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  lost: {sla: {paid: {due: 30 days, breach: {to: closed}}}}    # AM302
  closed: {final: true}
```

## Right

```yaml
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    sla: {lost: {due: 60 days, breach: {to: lost}}}
  lost: {sla: {paid: {due: 30 days, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from .flow import Flow


def check_unreachable_state(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report the states that no way from the initial one leads into."""
    for name, state in flow.states.items():
        if name in flow.reached:
            continue
        sources = [f"`{source}`" for source, targets in flow.steps.items() if name in targets]
        hint = "name it in the `to` of a transition, or remove it"
        if sources:
            hint = f"only {', '.join(sources[:3])} leads there, and nothing leads to that either"
        message = f"no way leads from `{flow.initial(name)}` to `{name}`"
        diagnostics.add("AM302", state.place, message, hint=hint)
