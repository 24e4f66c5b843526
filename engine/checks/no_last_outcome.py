"""The breach of a clock may find no outcome that holds.

## What it finds

A `breach` whose last candidate has a condition, `needs` or `by`.

## Why it matters

A clock runs out once. If no outcome holds at that instant there is no second one, and the case would stand as if nobody had
ever set the clock. The last outcome may be as small as an alarm.

## Wrong

```yaml
facts: {price: int}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    sla:
      lost:
        due: 60 days
        breach:
          - {when: price > 100, to: closed}    # AM304
  closed: {final: true}
```

## Right

```yaml
roles: [librarian]
facts: {price: int}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: closed}
    sla:
      lost:
        due: 60 days
        breach:
          - {when: price > 100, to: closed}
          - {alarm: librarian}
  closed: {final: true}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from .flow import Flow, takes_all
from .ways import clocks


def check_no_last_outcome(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report clocks whose breach may find nothing that holds."""
    hint = "add a last one without conditions, such as `{alarm: ROLE}`"
    for sla, _ in clocks(flow.policy):
        last = sla.breach[-1] if sla.breach else None
        if last and (last.by or not takes_all(last)):
            message = f"when `{sla.name}` runs out, it may be that no outcome holds"
            diagnostics.add("AM304", last.place, message, hint=hint)
