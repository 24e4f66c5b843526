"""A rule of a table can never be the one that hits.

## What it finds

A rule with `hit: first` or `hit: priority` that comes too late: wherever it holds, one of the rules before it does. (With
`priority` the rules come in the order of their outputs, not in that of the file.) And, under every hit policy, a rule with
a cell that no value fits, such as `(5..6)` for whole numbers.

Cells are looked at exactly, and the finding shows a case; conditions are compared as they are written. A few tables are so
entangled that whether several rules cover another together is not found out in time: then nothing is said.

## Why it matters

A rule that never hits does nothing, and somebody wrote it for a reason. Mostly it stands below a wider rule, or a limit was
changed above it and not here.

## Wrong

```yaml
facts: {price: money, member: bool}
currency: EUR
tables:
  answer_time:
    inputs: [price, member]
    outputs: period
    rules:
      - {id: normal, when: ["-", "-"], then: 3 business days}
      - {id: dear, when: ["> 500 EUR", "-"], then: 1 business day}  # AM401
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```

## Right

Put the narrower rule first:

```yaml
facts: {price: money, member: bool}
currency: EUR
tables:
  answer_time:
    inputs: [price, member]
    outputs: period
    rules:
      - {id: dear, when: ["> 500 EUR", "-"], then: 1 business day}
      - {id: normal, when: ["-", "-"], then: 3 business days}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..diagnostics import Diagnostics
from ..table import CompiledRule, CompiledTable
from .asks import asks, comparison
from .boxes import Boxes
from .cover import Box, GaveUp, Patience, bits, fills

#: The code of what it finds.
CODE: Final = "AM401"
#: More rules than this that cover one together are not all named.
_NAMED: Final = 6
#: Of more rules than this nobody looks for those that are needed.
_MANY: Final = 40


def check_shadowed_rule(table: CompiledTable, boxes: Boxes | None, diagnostics: Diagnostics) -> None:
    """Report rules that can never hit; `boxes` is the table as boxes if it has inputs."""
    if boxes is not None:
        _report_empty(boxes, diagnostics)
    if table.hit not in {"first", "priority"}:
        return
    shadows = _covered(boxes) if boxes else _asked_before(table)
    for index, (why, others) in shadows.items():
        rule = table.rules[index]
        related = [(f"`{item.id}`", item.place) for item in others]
        diagnostics.add(CODE, rule.place, f"`{rule.id}` can never hit: {why}", related=related)


def _report_empty(boxes: Boxes, diagnostics: Diagnostics) -> None:
    for index, rule in enumerate(boxes.rules):
        for at, mask in enumerate(boxes.boxes[index]):
            if not mask:
                cells = [rule.cells[place] for place in boxes.places[at] if not rule.cells[place].anything]
                texts = " and ".join(f"`{cell.text}`" for cell in cells)
                hold = "holds" if len(cells) == 1 else "together hold"
                why = f"{texts} {hold} for no value of `{boxes.questions[at].name}`"
                diagnostics.add(CODE, cells[0].place, f"`{rule.id}` can never hit: {why}")
                break


#: By the index of a rule: why it never hits, and which rules are before it.
_Shadows = dict[int, tuple[str, Sequence[CompiledRule]]]


def _asked_before(table: CompiledTable) -> _Shadows:
    """Return the rules that ask for all that a rule before them asks for."""
    found: _Shadows = {}
    asked = [asks(rule.condition) for rule in table.rules]
    for index, rule in enumerate(table.rules):
        for before, other in enumerate(table.rules[:index]):
            if asked[before] <= asked[index]:
                found[index] = (comparison(other, rule), (other,))
                break
    return found


def _covered(boxes: Boxes) -> _Shadows:
    """Return the rules whose boxes those before them fill."""
    meeting, covering = boxes.meeting(), boxes.covering()
    patience = Patience()
    found: dict[int, int] = {}
    #: The rules so far that are not filled themselves: what any fill, these do.
    live = 0
    #: For each column, where one of the rules so far holds.
    seen: Box = (0,) * len(boxes.columns)
    for index, box in enumerate(boxes.boxes):
        if boxes.is_empty(index):
            continue
        if over := covering[index] & ((1 << index) - 1):
            found[index] = over & -over
        elif any(mask & ~old for mask, old in zip(box, seen, strict=True)):
            live |= 1 << index
        elif _fill(boxes, box, meeting[index] & live, patience):
            found[index] = meeting[index] & live
        else:
            live |= 1 << index
        seen = tuple(old | mask for old, mask in zip(seen, box, strict=True))
    return {
        index: _says(boxes, index, _needed(boxes, boxes.boxes[index], others, patience))
        for index, others in found.items()
    }


def _fill(boxes: Boxes, box: Box, rules: int, patience: Patience) -> bool:
    """Return whether some rules surely fill a box together."""
    try:
        return bool(rules) and fills(boxes.rows, box, rules, patience.once())
    except GaveUp:
        return False


def _needed(boxes: Boxes, box: Box, rules: int, patience: Patience) -> int:
    """Return those of some rules that fill a box that are needed for it, the earlier ones if there is a choice."""
    if 1 < rules.bit_count() <= _MANY:
        for index in sorted(bits(rules), reverse=True):
            if _fill(boxes, box, rules & ~(1 << index), patience):
                rules &= ~(1 << index)
    return rules


def _says(boxes: Boxes, index: int, others: int) -> tuple[str, Sequence[CompiledRule]]:
    rules = [boxes.rules[at] for at in bits(others)]
    names = ", ".join(f"`{rule.id}`" for rule in rules[:_NAMED])
    more = f" and {len(rules) - _NAMED} more" if len(rules) > _NAMED else ""
    case = boxes.case(boxes.boxes[index])
    such_as = f", such as for {case}" if case else ""
    return f"{'one of ' if len(rules) > 1 else ''}{names}{more} holds wherever it does{such_as}", rules
