"""A lookup or balance is read before there is a case that could ask.

## What it finds

A lookup or a balance in `serves`, in `timezone` or `currency`, or in the default of a fact, itself or by what it names.

## Why it matters

Other cases are asked about in a step of a case. Which policy takes the case, and what it is opened with, is told before its
first step, from what the host gives alone. The lookup would be unknown there.

## Wrong

```yaml
facts: {reader: text, trusted: {type: bool, default: =lost_before == 0}}    # AM210
lookups: {lost_before: {count: cases, same: reader, in: closed}}
events: {claim: {}}
states:
  on_loan:
    initial: true
    on: {claim: {when: trusted, to: closed}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```

## Right

```yaml
facts: {reader: text}
lookups: {lost_before: {count: cases, same: reader, in: closed}}
events: {claim: {}}
states:
  on_loan:
    initial: true
    on: {claim: {when: lost_before == 0, to: closed}}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostics, Place
from ..expression import Checked
from ..expression.tree import path_of, sources
from ..policy import CompiledPolicy
from ..rules.condition import Computed, leaves
from .written import Written


def check_asked_too_early(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every lookup or balance that is read where there is no case yet."""
    asked = frozenset({*policy.lookups, *policy.balances})
    if not asked:
        return
    for checked, place, where in _before_any_case(policy):
        for name in sorted(asked & checked.reads):
            message = f"`{name}` is about other cases, and cannot be asked for in {where}"
            hint = "ask for it in a condition, a define or an amount"
            diagnostics.add("AM210", _at(checked, place, name, policy, written), message, hint=hint)


def _before_any_case(policy: CompiledPolicy) -> Iterator[tuple[Checked, Place, str]]:
    """Yield what is computed before the first step, and where it stands."""
    for leaf in leaves(policy.serves):
        yield leaf.checked, leaf.place, "`serves`"
    terms = [(policy.timezone, "`timezone`"), (policy.currency, "`currency`")]
    terms += [(fact.default, f"the default of `{name}`") for name, fact in policy.facts.items()]
    for term, where in terms:
        if isinstance(term, Computed):
            yield term.checked, term.place, where


def _at(checked: Checked, place: Place, name: str, policy: CompiledPolicy, written: Written) -> Place:
    """Return the place of the part that asks, itself or by what it names; of the whole where no part is told apart."""
    for source in sources(checked.root):
        named = path_of(source).partition(".")[0]
        behind = policy.defines.get(named) or policy.tables.get(named) or policy.moments.get(named)
        if named == name or (behind and name in behind.reads):
            return written.part(checked, place, (source.start, source.end))
    return place
