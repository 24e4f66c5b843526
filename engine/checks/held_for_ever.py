"""A payout may have no route, and so be held for ever.

## What it finds

A payout whose every route has a condition, or that has no routes.

## Why it matters

Money for which no route holds is held until one does. If none ever does the case waits, and nothing tells anybody. A last
route without conditions says what is meant: with `via` the money goes that way, without it is held on purpose.

## Wrong

```yaml
facts: {fee: money, has_card: bool}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: {to: closed, do: [{pay: deposit}]}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
payouts:
  deposit:
    amount: fee
    routes:
      - {when: has_card, via: card}    # AM311
```

## Right

```yaml
facts: {fee: money, has_card: bool}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: {to: closed, do: [{pay: deposit}]}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
payouts:
  deposit:
    amount: fee
    routes:
      - {when: has_card, via: card}
      - {via: cash}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import CompiledPolicy
from .asks import is_always
from .written import Written


def check_held_for_ever(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report payouts whose routes may all not hold."""
    hint = "add a last route without conditions; without `via` it holds the money on purpose"
    for name, payout in policy.payouts.items():
        if not any(is_always(route.condition) for route in payout.routes):
            own = written.name("payouts", name, payout.place)
            place = payout.routes[-1].place if payout.routes else own
            message = f"the money of `{name}` is held for ever where no route's conditions hold"
            diagnostics.add("AM311", place, message, hint=hint)
