"""A value is demanded where a fact may be missing.

## What it finds

An amount, a `set`, a field of an effect, a decision, an output of a table or a default that reads an optional fact, or the
record of an event, where it need not be there. What every way into the state ensures counts: the event that is taken, a
condition that held, the `needs` of a candidate, a `set`; and what surely failed before. The message names the path and
shows a way on which it is missing.

## Why it matters

Conditions may be unknown, values may not: an amount of nothing cannot be paid. Found here it is one more condition to
write; in a running case the rule would fail, and a person would have to decide.

## Wrong

```yaml
facts: {remark: optional text}
events: {give_back: {}}
effects: {notify: {text: text}}
states:
  on_loan:
    initial: true
    on:
      give_back: {to: closed, do: [{notify: {text: =remark}}]}    # AM204
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```

## Right

```yaml
facts: {remark: optional text}
events: {give_back: {}}
effects: {notify: {text: text}}
states:
  on_loan:
    initial: true
    on:
      give_back:
        - {when: has(remark), to: closed, do: [{notify: {text: =remark}}]}
        - closed
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```
"""

from __future__ import annotations

import re

from ..diagnostics import LIMIT, Diagnostics, Place
from ..expression.flow import Keys
from ..policy import CompiledPolicy
from ..rules.condition import Computed, Term
from .presence import Point, Presence
from .why_missing import why_missing
from .written import Written


def check_may_be_missing(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every value that is demanded where what it needs may be missing."""
    presence = Presence(policy)
    report = _Report(presence, written, diagnostics)
    presence.demands(report.demand)


class _Report:
    """Tells of each missing path once for each place."""

    def __init__(self, presence: Presence, written: Written, diagnostics: Diagnostics) -> None:
        self.presence = presence
        self.written = written
        self.diagnostics = diagnostics
        self.told: set[tuple[Place, str]] = set()

    def demand(self, term: Term, present: Keys, point: Point) -> None:
        """Report what a term misses at its point."""
        if not isinstance(term, Computed):
            return
        misses = self.presence.paths.flow(term.checked.root, present).misses
        for path, span in misses.items():
            if any(other.startswith(f"{path}.") and misses[other][0] == span[0] for other in misses):
                # Who guards the field has guarded the record.
                continue
            place = self.written.part(term.checked, term.place, span)
            if (place, path) not in self.told:
                self.told.add((place, path))
                self.add(path, _named(path, term.checked.text[slice(*span)]), place, point)

    def add(self, path: str, named: str, place: Place, point: Point) -> None:
        """Report one path, as it is named."""
        if point.state is None:
            message = f"{named} may be missing here: it need not be given when the case is opened"
            self.diagnostics.add("AM204", place, message, hint=f"guard it: `has({path}) ? … : …`")
            return
        # Why costs a walk through the states; nobody reads more than a report shows.
        told = len(self.diagnostics.found) >= LIMIT
        why = "nothing ensures it" if told else why_missing(self.presence, path, point.state, point.event)
        message = f"{named} may be missing {point.when or 'here'}: {why}"
        ways = "" if self.presence.of_window(path) else f", or see to it on every way into `{point.state}`"
        hint = f"ask for `has({path})` in a condition before{ways}"
        self.diagnostics.add("AM204", place, message, hint=hint)


def _named(path: str, part: str) -> str:
    """Return how a path is named to the author of a part of an expression, which may need it by way of what is declared elsewhere.

    >>> _named("paid", "paid * 2"), _named("paid", "owed")
    ('`paid`', '`paid`, which `owed` needs,')
    """
    if path.partition(".")[0] in re.findall(r"\w+", part):
        return f"`{path}`"
    return f"`{path}`, which `{part.strip()[:60]}` needs,"
