"""A table has no rule for a case, and nothing else to give.

## What it finds

A table with inputs and without `otherwise` in which no rule holds for some values of the inputs. The finding shows such a
case; inputs that it does not name may have any value. Values are looked at exactly:

- of an enum and `bool` every value; of `int`, `date`, `timestamp` and `duration` every point; of `decimal` and `money` also
  what lies between two limits, for an amount may have up to twelve decimals, and what lies below zero;
- of `text` the values that cells name, and one that no cell names: only `-` and `not(…)` hold for that;
- of `money` the currencies, and of `period` the units, that cells name. A value that a cell cannot be compared with makes
  the rule fail in any case, and is no gap.

A missing value is no gap either: while it is missing the table is unknown, and only `-` holds for it. Tables of conditions
are not looked at, nor tables with `hit: collect`, `collect sum` or `collect count`, which need no rule. Inputs that depend
on each other in another way than by comparing one value with constants count as independent: if the case cannot happen,
an `otherwise` says so. In tables that are too entangled nothing is found, and nothing is said.

## Why it matters

Where no rule holds and there is no `otherwise`, the rule fails: the event cannot be taken, and a clock waits for a person.
It happens at the limits: one rule says `< 100`, the next `> 100`.

## Wrong

```yaml
facts: {price: money, place: [home, abroad]}
currency: EUR
tables:
  answer_time:  # AM404
    hit: unique
    inputs: [price, place]
    outputs: period
    rules:
      - {id: small, when: ["< 100 EUR", "-"], then: 3 business days}
      - {id: large, when: ["> 100 EUR", home], then: 1 business day}
      - {id: large_abroad, when: [">= 100 EUR", abroad], then: 2 business days}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```

## Right

Close the gap, or add an `otherwise`:

```yaml
facts: {price: money, place: [home, abroad]}
currency: EUR
tables:
  answer_time:
    hit: unique
    inputs: [price, place]
    outputs: period
    rules:
      - {id: small, when: ["< 100 EUR", "-"], then: 3 business days}
      - {id: large, when: [">= 100 EUR", home], then: 1 business day}
      - {id: large_abroad, when: [">= 100 EUR", abroad], then: 2 business days}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

from ..diagnostics import Diagnostics
from ..table import CompiledTable, Hit
from .boxes import Boxes
from .cover import STEPS_EACH, Box, GaveUp, Patience, bits, free

#: The code of what it finds.
CODE: Final = "AM404"
#: Hit policies that give something where no rule holds.
_CONTENT: Final[frozenset[Hit]] = frozenset({"collect", "collect sum", "collect count"})


def check_table_gap(table: CompiledTable, boxes: Boxes, diagnostics: Diagnostics) -> None:
    """Report a case for which a table with inputs has no rule; `boxes` is the table as boxes."""
    if table.otherwise is not None or table.hit in _CONTENT:
        return
    try:
        gap = free(boxes.loose_rows, boxes.everything, (1 << len(table.rules)) - 1, Patience(STEPS_EACH))
    except GaveUp:
        return
    if gap is None:
        return
    case = boxes.case(_widened(gap, boxes))
    message = (
        f"no rule of `{table.name}` holds for {case}" if case else f"no rule of `{table.name}` ever holds"
    )
    hint = "close the gap, or say with `otherwise` what holds there"
    diagnostics.add(CODE, table.place, message, hint=hint)


def _widened(gap: Box, boxes: Boxes) -> Box:
    """Return a gap as wide as it goes, column by column, so that its example names only what matters."""
    rows = boxes.loose_rows
    everywhere = (1 << len(boxes.rules)) - 1
    held = [reduce(or_, (row[at] for at in bits(mask)), 0) for row, mask in zip(rows, gap, strict=True)]
    wide = list(gap)
    for column, row in enumerate(rows):
        others = everywhere
        for at, rules in enumerate(held):
            if at != column:
                others &= rules
        wide[column] = reduce(or_, (1 << at for at, rules in enumerate(row) if not rules & others), 0)
        held[column] = reduce(or_, (row[at] for at in bits(wide[column])), 0)
    return tuple(wide)
