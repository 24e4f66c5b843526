"""A transition can never be chosen, for one before it always is.

## What it finds

A candidate behind one without conditions that every sender may take, and an escalation that in each of its states comes
behind such a candidate. The note says which. Candidates are tried in order, and the first that holds wins.

## Why it matters

What the shadowed candidate says never happens, though a reader of the policy would think so.

## Wrong

```yaml
facts: {damaged: bool}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on:
      give_back:
        - closed
        - {when: damaged, to: dispute}    # AM305
    sla: {lost: {due: 60 days, breach: {to: dispute}}}
  dispute: {final: true}
  closed: {final: true}
```

## Right

```yaml
facts: {damaged: bool}
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on:
      give_back:
        - {when: damaged, to: dispute}
        - closed
    sla: {lost: {due: 60 days, breach: {to: dispute}}}
  dispute: {final: true}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..diagnostics import Diagnostics
from ..policy import Candidate, Escalation
from .flow import Flow, beaten_by
from .ways import clocks, listening


def check_shadowed_transition(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report candidates that one before them always beats, in their list or in every state of their escalation."""
    for candidates, senders in _lists(flow):
        for index, candidate in enumerate(candidates):
            before = beaten_by(candidate, candidates[:index], senders)
            if before:
                named = " or ".join(f"`{item.id}`" for item in before)
                message = f"`{candidate.id}` can never be chosen: before it {named} always holds"
                hint = "give what stands before it a condition, or put it last"
                related = [(f"`{item.id}`", item.place) for item in before]
                diagnostics.add("AM305", candidate.place, message, hint=hint, related=related)
    for escalation in flow.policy.escalations:
        beaten = _beaten_everywhere(flow, escalation)
        if beaten:
            message = f"`{escalation.name}` can never be chosen: in each of its states something before it always holds"
            related = sorted({(f"`{item.id}`", item.place) for item in beaten})
            hint = "a state's own transitions come first, then escalations in their order"
            diagnostics.add("AM305", escalation.candidate.place, message, hint=hint, related=related)


def _lists(flow: Flow) -> Iterator[tuple[Sequence[Candidate], set[str]]]:
    """Yield every list of candidates, and who may set it off."""
    for state in flow.states.values():
        for event, candidates in state.on.items():
            yield candidates, flow.senders(event)
        yield state.always, set()
    for sla, _ in clocks(flow.policy):
        yield sla.breach, set()


def _beaten_everywhere(flow: Flow, escalation: Escalation) -> list[Candidate]:
    """Return what is before an escalation in each of its states; nothing if it has a chance in one."""
    event, candidate = escalation.event, escalation.candidate
    found: list[Candidate] = []
    for name in escalation.states if event is not None else ():
        tried = listening(flow.policy, flow.states[name])[event or ""]
        before = tried[: next(index for index, item in enumerate(tried) if item is candidate)]
        beaten = beaten_by(candidate, before, flow.senders(event or ""))
        if not beaten:
            return []
        found += beaten
    return found
