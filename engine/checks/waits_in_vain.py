"""A state waits for a role that can send nothing which it accepts.

## What it finds

A state with `waits_for` that listens to no event which one of those roles may send, and where nothing happens by itself.

## Why it matters

Everybody would wait for somebody who has no way to act: the report says whose turn it is, and their every event is refused.

## Wrong

```yaml
roles: [reader, librarian]
events: {complain: {by: reader}, ask: {by: reader}, answer: {by: librarian}}
states:
  new: {initial: true, on: {ask: asked, complain: refused}}
  asked:    # AM308
    waits_for: librarian
    on: {complain: refused}
  refused: {on: {answer: done}, sla: {reply: {due: 5 days, breach: {to: done}}}}
  done: {final: true}
```

## Right

```yaml
roles: [reader, librarian]
events: {complain: {by: reader}, ask: {by: reader}, answer: {by: librarian}}
states:
  new: {initial: true, on: {ask: asked, complain: refused}}
  asked:
    waits_for: librarian
    on: {complain: refused, answer: done}
    sla: {reply: {due: 5 days, breach: {to: done}}}
  refused: {on: {answer: done}, sla: {reply: {due: 5 days, breach: {to: done}}}}
  done: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import State
from .flow import Flow


def check_waits_in_vain(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report states that wait for somebody who can do nothing there."""
    for state in flow.waiting:
        if not is_vain(flow, state):
            continue
        waited = ", ".join(f"`{role}`" for role in state.waits_for)
        hint = f"accept an event that {waited} may send, or correct `waits_for`"
        message = f"`{state.name}` waits for {waited}, and accepts nothing that they may send"
        diagnostics.add("AM308", state.place, message, hint=hint)


def is_vain(flow: Flow, state: State) -> bool:
    """Return whether a state waits for roles that can do nothing, and nothing happens by itself."""
    return bool(state.waits_for) and not flow.is_timed(state) and not state.always and not flow.hears(state)
