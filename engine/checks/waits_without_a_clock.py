"""A state waits, and no clock ends the waiting.

## What it finds

A state that listens to events, is neither initial nor final, and has no clock, no escalation at a moment and no condition on
`now`. Where a clock has led a case into the state, none more is asked for.

## Why it matters

Nothing happens unless somebody acts, and nobody is told that they are late: a case may stay there for ever.

## Wrong

```yaml
events: {ask: {}, answer: {}}
states:
  new: {initial: true, on: {ask: asked}}
  asked: {on: {answer: done}}    # AM309
  done: {final: true}
```

## Right

```yaml
events: {ask: {}, answer: {}}
states:
  new: {initial: true, on: {ask: asked}}
  asked: {on: {answer: done}, sla: {reply: {due: 5 days, breach: {to: done}}}}
  done: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import State
from .flow import Flow
from .waits_in_vain import is_vain
from .ways import listening


def check_waits_without_a_clock(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report states in which nothing happens unless somebody acts."""
    hint = "give it an `sla`, or an escalation `at` a moment"
    for state in flow.waiting:
        if is_without_a_clock(flow, state):
            message = f"`{state.name}` waits without a clock, so a case may stay there for ever"
            diagnostics.add("AM309", state.place, message, hint=hint)


def is_without_a_clock(flow: Flow, state: State) -> bool:
    """Return whether a case waits in a state for whoever comes, and should be waited for with a clock."""
    # Before the first event nobody owes anything yet; afterwards somebody keeps somebody waiting.
    if state.initial or not listening(flow.policy, state) or is_vain(flow, state):
        return False
    return not flow.is_timed(state) and not flow.is_overdue(state)
