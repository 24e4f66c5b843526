"""A payout is declared, and the host is never asked for it.

## What it finds

A payout that no action pays: none at all, or only `grant`, which fixes amount and route and asks for nothing. A payout that
is granted and takes from a `balance` has done what it is for: it keeps money that others took from being paid again.

## Why it matters

The case would say that money is on its way, and nobody would ever send it.

## Wrong

```yaml
facts: {fee: money}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: {to: closed, do: [{grant: deposit}]}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
payouts:
  deposit: {amount: fee, routes: [{via: cash}]}    # AM310
```

## Right

```yaml
facts: {fee: money}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: {to: closed, do: [{pay: deposit}]}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
payouts:
  deposit: {amount: fee, routes: [{via: cash}]}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import CompiledPolicy, Pay
from .ways import actions
from .written import Written


def check_never_paid(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report payouts that the host is never asked for."""
    moves = [action for action in actions(policy) if isinstance(action, Pay)]
    for name, payout in policy.payouts.items():
        verbs = {action.verb for action in moves if action.payout == name}
        if "pay" not in verbs and not ("grant" in verbs and payout.balances):
            what = "is granted and never paid" if "grant" in verbs else "is never paid"
            hint = f"write `pay: {name}` among the actions of a transition or of a state's `enter`"
            message = f"the payout `{name}` {what}, so the host is never asked for it"
            diagnostics.add("AM310", written.name("payouts", name, payout.place), message, hint=hint)
