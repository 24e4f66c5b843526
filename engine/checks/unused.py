"""Something is declared and never used.

## What it finds

A source, role, type, fact, reason, effect, param, table, define, lookup or balance that nothing mentions, and an event that no state,
escalation or clock takes. A name counts as used wherever the document mentions it outside its own declaration and outside
texts for people: an unused name that happens to be a word elsewhere goes untold, and nothing that is used is ever reported.
Only the policy's own file is judged: what an overlay leaves unused of its base is not its author's fault. Moments and
windows are there to be asked for, and are exempt.

## Why it matters

A reader looks for what it does. Often it is what a misspelt or forgotten rule was to use.

## Wrong

```yaml
params:
  limit: 60 days
  grace: 3 days    # AM501
states:
  on_loan: {initial: true, sla: {lost: {due: =limit, breach: {to: closed}}}}
  closed: {final: true}
```

## Right

```yaml
params:
  limit: 60 days
states:
  on_loan: {initial: true, sla: {lost: {due: =limit, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from ..diagnostics import Diagnostics
from ..document import Fields, Items, Node, Scalar
from ..policy import CompiledPolicy
from .ways import clocks, listening, states_of
from .written import Written

#: The parts whose names are looked for, and what one of them is called. Built-in facts and reasons are used by the engine.
_SECTIONS: Final = {
    "sources": "source",
    "roles": "role",
    "types": "type",
    "facts": "fact",
    "reasons": "reason",
    "effects": "effect",
    "params": "param",
    "tables": "table",
    "define": "define",
    "lookups": "lookup",
    "balances": "balance",
}
_BUILT_IN: Final = frozenset(
    {
        *("timezone", "currency"),
        *("not_allowed", "not_accepted", "closed", "unknown_event", "invalid_data"),
        *("role_not_allowed", "missing_facts", "rule_failed", "may_not_approve", "not_migrated"),
    }
)
#: Keys whose texts are only read by people.
_PROSE: Final = frozenset({"title", "says", "cite"})
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INSERT: Final = re.compile(r"\{\{|\{([^{}]*)\}")


def check_unused(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report what the policy's own text declares and nothing uses."""
    if not isinstance(written.node, Fields):
        return
    file = written.node.place.file
    parts = [(key.text, part) for key, part in written.declared() if key.text not in _PROSE]
    mentions = Counter(
        _WORD.findall("\n".join(text for section, part in parts for text in _texts(section, part)))
    )
    # An event that does not say who may send it may be sent by every role.
    exempt = _BUILT_IN.union(*(event.by for event in policy.events.values()))
    for section, what in _SECTIONS.items():
        for name, own in _declared(written, section):
            # Its key is one mention, and what it says of itself is none.
            itself = "\n".join(_texts(section, own))
            outside = mentions[name.text] - 1
            if name.text in itself:
                outside -= _WORD.findall(itself).count(name.text)
            if outside <= 0 and name.place.file == file and name.text not in exempt:
                message = f"the {what} `{name.text}` is declared and never used"
                diagnostics.add("AM501", name.place, message, hint="use it, or remove it")
    taken = {event for state in states_of(policy).values() for event in listening(policy, state)}
    taken |= {event for sla, _ in clocks(policy) for event in (*sla.met_by, *sla.starts)}
    for name, _ in written.declared("events"):
        if name.text not in taken and "." not in name.text and name.place.file == file:
            message = f"no state, escalation or clock takes the event `{name.text}`"
            diagnostics.add("AM501", name.place, message, hint="take it under `on` of a state, or remove it")


def _declared(written: Written, section: str) -> Iterator[tuple[Scalar, Node | None]]:
    """Yield the names that a section declares, each with what stands under it; a list declares names alone."""
    for key, part in written.declared():
        if key.text == section and isinstance(part, Items):
            yield from ((item, None) for item in part.items if isinstance(item, Scalar))
        elif key.text == section and isinstance(part, Fields):
            yield from part.entries


def _texts(section: str, node: Node | None) -> list[str]:
    """Return every text in a part of the document that may name something; of sentences what they insert."""
    found: list[str] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Scalar):
            if section == "reasons":
                found += (insert[1] or "" for insert in _INSERT.finditer(part.text))
            else:
                found.append(part.text)
        elif isinstance(part, Items):
            waiting += part.items
        elif isinstance(part, Fields):
            found += (key.text for key, _ in part.entries)
            waiting += (value for key, value in part.entries if key.text not in _PROSE)
    return found
