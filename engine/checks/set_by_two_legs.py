"""Two legs may set the same fact on the same event.

## What it finds

Transitions of two legs for one event that set one fact, where both may be taken: the same role may send the event, and no
condition on the state of the other leg keeps them apart.

## Why it matters

An event moves every leg that listens, and all of them read what was before. Which value the fact would have afterwards, no
reader of the policy could tell.

## Wrong

```yaml
events: {lend: {}, give_back: {}}
facts: {place: {type: text, default: shelf}}
legs:
  book:
    states:
      in_house: {initial: true, on: {lend: on_loan}}
      on_loan: {sla: {lost: {due: 60 days, breach: {to: home_again}}}, on: {give_back: {to: home_again, set: {place: '"shelf"'}}}}
      home_again: {final: true}
  desk:
    states:
      idle: {initial: true, on: {give_back: {to: checking, set: {place: '"desk"'}}}}    # AM306
      checking: {final: true}
```

## Right

```yaml
events: {lend: {}, give_back: {}}
facts: {place: {type: text, default: shelf}}
legs:
  book:
    states:
      in_house: {initial: true, on: {lend: on_loan}}
      on_loan: {sla: {lost: {due: 60 days, breach: {to: home_again}}}, on: {give_back: {to: home_again, set: {place: 'desk.state == "idle" ? "desk" : "shelf"'}}}}
      home_again: {final: true}
  desk:
    states:
      idle: {initial: true, on: {give_back: checking}}
      checking: {final: true}
```
"""

from __future__ import annotations

from itertools import combinations

from ..diagnostics import Diagnostics, Place
from .flow import Flow
from .joins import Joins
from .ways import Way, homes


def check_set_by_two_legs(flow: Flow, diagnostics: Diagnostics) -> None:
    """Report the facts that ways of two legs may set on one event."""
    home, joins = homes(flow.policy), Joins(flow.policy)
    setting: dict[tuple[str, str], list[Way]] = {}
    for way in flow.ways:
        for name, _ in way.outcome.sets if way.event and way.outcome.refuse is None else ():
            setting.setdefault((way.event or "", name), []).append(way)
    told: set[tuple[Place, Place]] = set()
    for (event, name), ways in setting.items():
        for first, second in combinations(ways, 2):
            places = _place(first, name), _place(second, name)
            if home[first.source] == home[second.source] or places in told:
                continue
            if _apart(first, second, flow.senders(event)) or joins.exclude(joins.of(first), joins.of(second)):
                continue
            told.add(places)
            one, other = home[first.source], home[second.source]
            message = f"`{event}` may set `{name}` in the leg `{other}` and in the leg `{one}` at once"
            hint = "set it in one of the two, or keep them apart by a condition on the state of the other leg"
            related = [(f"`{first.candidate.id}`", places[0])]
            diagnostics.add("AM306", places[1], message, hint=hint, related=related)


def _place(way: Way, name: str) -> Place:
    """Return where a fact is set, or the candidate where nothing else is known of it."""
    term = dict(way.outcome.sets)[name]
    return term.place if term else way.candidate.place


def _apart(first: Way, second: Way, senders: set[str]) -> bool:
    """Return whether no role may take both."""
    one, other = first.candidate.by, second.candidate.by
    return bool(one or other) and (set(one) or senders).isdisjoint(set(other) or senders)
