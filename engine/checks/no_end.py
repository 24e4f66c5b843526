"""A group of states never comes to an end, and no clock stirs it.

## What it finds

States from which no final state can be reached, and in which nothing happens by itself: no clock, no escalation at a moment
and no condition on `now`.

## Why it matters

A case goes round between them for as long as people send events, and is then forgotten. It is never counted as ended.

## Wrong

```yaml
events: {lend: {}, give_back: {}}
states:
  in_house: {initial: true, on: {lend: on_loan}}    # AM307
  on_loan: {on: {give_back: in_house}}
```

## Right

```yaml
events: {lend: {}, give_back: {}, discard: {}}
states:
  in_house: {initial: true, on: {lend: on_loan, discard: discarded}}
  on_loan:
    on: {give_back: in_house}
    sla: {lost: {due: 60 days, breach: {to: discarded}}}
  discarded: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from .flow import Flow


def check_no_end(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report groups of states that no final state can be reached from and no clock ever stirs."""
    hint = "lead one of them to a final state, or give one a clock"
    for group in flow.endless:
        members = [name for name in flow.states if name in group]
        first = next(name for name in members if name in flow.reached)
        message = f"no final state can be reached from {', '.join(f'`{name}`' for name in members)}"
        diagnostics.add("AM307", flow.states[first].place, message, hint=hint)
