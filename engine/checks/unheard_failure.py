"""Money may be declined or fail, and nobody hears of it.

## What it finds

A payout with `approvals` whose `declined` no state, escalation or clock listens to. And a state that waits for money, for it
listens to a payout's `settled` or `approved`, which does not hear of the payout's `failed` or `declined`, and where nothing
happens by itself: neither it nor another leg listens, and no clock runs.

## Why it matters

After `declined` nothing is asked for that is not paid again, and what failed is not asked for again by itself. The case
would wait for ever for money that nobody is going to send, and no report would tell.

## Wrong

```yaml
roles: [reader, librarian]
facts: {fee: money}
events: {give_back: {by: reader}}
payouts:
  deposit: {amount: fee, routes: [{via: cash}]}
states:
  on_loan:
    initial: true
    on: {give_back: checked}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  checked: {sla: {check: {due: 2 days, breach: {to: owed, alarm: librarian}}}}
  owed: {enter: [{pay: deposit}], on: {deposit.settled: closed}}    # AM313
  closed: {final: true}
```

## Right

```yaml
roles: [reader, librarian]
facts: {fee: money}
events: {give_back: {by: reader}, retry: {by: librarian}}
payouts:
  deposit: {amount: fee, routes: [{via: cash}]}
states:
  on_loan:
    initial: true
    on: {give_back: checked}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  checked: {sla: {check: {due: 2 days, breach: {to: owed, alarm: librarian}}}}
  owed: {enter: [{pay: deposit}], on: {deposit.settled: closed, deposit.failed: {to: stuck, alarm: librarian}}}
  stuck: {on: {retry: owed}, sla: {write_off: {due: 60 days, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostics
from ..policy import CompiledPolicy, Pay, PayoutRule, State
from .flow import Flow
from .waits_without_a_clock import is_without_a_clock
from .ways import actions, clocks, homes, listening
from .written import Written

_CODE = "AM313"
#: What tells that money is on its way: a state that listens to it waits for the money.
_AWAITED = ("settled", "approved")


def check_unheard_failure(flow: Flow, written: Written, diagnostics: Diagnostics) -> None:
    """Report payouts that nobody hears are declined, and states that never hear why money does not come."""
    heard = _heard(flow)
    everywhere = {event for events in heard.values() for event in events}
    silent = {name for name in _declinable(flow.policy) if f"{name}.declined" not in everywhere}
    for name in flow.policy.payouts:
        if name in silent:
            place = written.name("payouts", name, flow.policy.payouts[name].place)
            message = f"nobody hears when `{name}` is declined, and nothing is asked for any more"
            hint = f"listen to `{name}.declined` where the case waits for the money"
            diagnostics.add(_CODE, place, message, hint=hint)
    for state, event in _waiting(flow, heard):
        payout, _, said = event.partition(".")
        if payout in silent and said == "declined":
            continue
        message = (
            f"`{state.name}` waits for the money of `{payout}`, and does not hear when it {_BECOMES[said]}"
        )
        hint = f"listen to `{event}`, or give `{state.name}` a clock"
        diagnostics.add(_CODE, state.place, message, hint=hint)


_BECOMES = {"failed": "fails", "declined": "is declined"}


def _declinable(policy: CompiledPolicy) -> list[str]:
    paid = {action.payout for action in actions(policy) if isinstance(action, Pay) and action.verb == "pay"}
    return [name for name, rule in policy.payouts.items() if rule.approvals and name in paid]


def _heard(flow: Flow) -> dict[str, set[str]]:
    """Return the events that each state listens to, or a clock that runs in it."""
    found = {name: set(listening(flow.policy, flow.states[name])) for name in flow.reached}
    for sla, states in clocks(flow.policy):
        for name in found.keys() & states:
            found[name].update(sla.met_by)
    return found


def _waiting(flow: Flow, heard: dict[str, set[str]]) -> Iterator[tuple[State, str]]:
    """Yield each state that waits for money for ever once something happens of which it does not hear."""
    home = homes(flow.policy)
    for state in flow.waiting:
        # What waits without a clock is told as that.
        if flow.is_timed(state) or is_without_a_clock(flow, state):
            continue
        elsewhere = {
            event for name, events in heard.items() if home[name] != home[state.name] for event in events
        }
        for name, rule in flow.policy.payouts.items():
            if any(f"{name}.{said}" in heard[state.name] for said in _AWAITED):
                for event in _bad_news(name, rule):
                    if event not in heard[state.name] | elsewhere:
                        yield state, event


def _bad_news(name: str, rule: PayoutRule) -> tuple[str, ...]:
    return (f"{name}.failed", f"{name}.declined") if rule.approvals else (f"{name}.failed",)
