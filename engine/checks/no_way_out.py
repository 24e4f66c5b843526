"""A state that is not final has no way out.

## What it finds

A state without `final` from which no transition, breach or escalation leads to another state.

## Why it matters

A case that comes there stays for ever: no event moves it, and no report counts it as ended.

## Wrong

```yaml
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    sla: {lost: {due: 60 days, breach: {to: lost}}}
  lost: {}    # AM303
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
  lost: {final: true}
  closed: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from .flow import Flow


def check_no_way_out(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report the states that are not final and that nothing leads out of."""
    hint = "write `final: true` if the case ends here, or a transition with `to`"
    for name, state in flow.states.items():
        if name in flow.stuck:
            message = f"nothing leads out of `{name}`, and it is not final"
            diagnostics.add("AM303", state.place, message, hint=hint)
