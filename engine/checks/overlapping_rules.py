"""Two rules of a table hold at once, and may not.

## What it finds

Two rules of a table with `hit: unique` that hold for one case, or of a table with `hit: any` that do and give different
outputs. Cells are looked at exactly, over every type of input, and the finding shows the case; conditions are compared as
they are written. Two inputs that depend on each other in another way than by comparing one value with constants count as
independent.

## Why it matters

A table that says `unique` promises that its rules may stand in any order. Where two hold, the rule fails: the event cannot
be taken, and a clock waits for a person.

## Wrong

```yaml
facts: {price: money}
currency: EUR
tables:
  answer_time:
    hit: unique
    inputs: [price]
    outputs: period
    rules:
      - {id: small, when: ["<= 100 EUR"], then: 3 business days}
      - {id: large, when: [">= 100 EUR"], then: 1 business day}  # AM402
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```

## Right

```yaml
facts: {price: money}
currency: EUR
tables:
  answer_time:
    hit: unique
    inputs: [price]
    outputs: period
    rules:
      - {id: small, when: ["<= 100 EUR"], then: 3 business days}
      - {id: large, when: ["> 100 EUR"], then: 1 business day}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from operator import and_
from typing import Final

from ..diagnostics import Diagnostics
from ..rules.condition import Constant
from ..table import CompiledRule, CompiledTable
from ..values import to_text
from .asks import asks, comparison
from .boxes import Boxes
from .cover import bits

#: The code of what it finds.
CODE: Final = "AM402"
_HINT: Final = "make one of them ask for more, or write `hit: first` if the order decides"


def check_overlapping_rules(table: CompiledTable, boxes: Boxes | None, diagnostics: Diagnostics) -> None:
    """Report each rule that holds at once with one before it; `boxes` is the table as boxes if it has inputs."""
    if table.hit not in {"unique", "any"}:
        return
    rivals = _differing(table) if table.hit == "any" else [-1] * len(table.rules)
    meeting = boxes.meeting() if boxes else None
    asked = [asks(rule.condition) for rule in table.rules]
    for index, rule in enumerate(table.rules):
        before = rivals[index] & ((1 << index) - 1)
        if boxes is None or meeting is None:
            found = _asked_at_once(table.rules, asked, index, before)
        elif at_once := before & meeting[index]:
            rival = next(bits(at_once))
            shared = tuple(map(and_, boxes.boxes[rival], boxes.boxes[index]))
            case = boxes.case(shared)
            when = f"for {case}" if case else "whatever the inputs are"
            found = f"`{table.rules[rival].id}` and `{rule.id}` both hold {when}", table.rules[rival]
        else:
            continue
        if found:
            why, other = found
            diagnostics.add(CODE, rule.place, why, hint=_HINT, related=[(f"`{other.id}`", other.place)])


def _differing(table: CompiledTable) -> list[int]:
    """Return for each rule the rules that surely give another output, as bits."""
    found = [0] * len(table.rules)
    for output in range(len(table.outputs)):
        alike: dict[str, int] = defaultdict(int)
        values: dict[int, str] = {}
        for index, rule in enumerate(table.rules):
            term = rule.then[output]
            if isinstance(term, Constant):
                values[index] = to_text(term.value)
                alike[values[index]] |= 1 << index
        known = sum(alike.values())
        for index, value in values.items():
            found[index] |= known & ~alike[value]
    return found


def _asked_at_once(
    rules: Sequence[CompiledRule], asked: Sequence[frozenset[Hashable]], index: int, before: int
) -> tuple[str, CompiledRule] | None:
    """Return the first of some rules that holds whenever a rule does, or the other way round."""
    rule = rules[index]
    for at in bits(before):
        rival = rules[at]
        if asked[at] <= asked[index]:
            return f"`{rule.id}` is not the only rule to hold: {comparison(rival, rule)}", rival
        if asked[index] <= asked[at]:
            return f"`{rival.id}` is not the only rule to hold: {comparison(rule, rival)}", rival
    return None
