"""A route of a payout can never be taken, for one before it always is.

## What it finds

A route behind one without conditions, or behind one that holds wherever it would. The note says which. Conditions are
compared as they are written. Routes are tried in order; one that holds is taken, also while details that it `needs` are
missing.

## Why it matters

Money goes another way than a reader of the policy would think.

## Wrong

```yaml
facts: {fee: money, account: optional text, has_card: bool}
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
      - {id: bank, via: bank_transfer, needs: [account]}
      - {id: card, when: has_card, via: card}    # AM312
```

## Right

```yaml
facts: {fee: money, account: optional text, has_card: bool}
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
      - {id: card, when: has_card, via: card}
      - {id: bank, via: bank_transfer, needs: [account]}
```
"""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..policy import CompiledPolicy
from .asks import asked_before, comparison
from .written import Written


def check_shadowed_route(policy: CompiledPolicy, _: Written, diagnostics: Diagnostics) -> None:
    """Report routes that one before them always beats."""
    hint = "give what stands before it a condition, or put it last"
    for name, payout in policy.payouts.items():
        for index, before in asked_before(payout.routes).items():
            less, more = payout.routes[before], payout.routes[index]
            message = f"`{more.id}` of `{name}` can never be taken: {comparison(less, more)}"
            related = [(f"`{less.id}`", less.place)]
            diagnostics.add("AM312", more.place, message, hint=hint, related=related)
