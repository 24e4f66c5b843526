"""A rule of a table can never be the one that hits.

## What it finds

A rule with `hit: first` or `hit: priority` that comes too late: wherever it holds, one of the rules before it does. (With
`priority` the rules come in the order of their outputs, not in that of the file.) And, under every hit policy, a rule with
a cell that no value fits, such as `(5..6)` for whole numbers; and a rule for values that a cell of another one cannot be
compared with: days beside `> 1 month`, or dollars beside `<= 100 EUR`. There the table fails before it can hit.

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
from .asks import asked_before, comparison
from .boxes import Boxes
from .cover import Box, GaveUp, Patience, bits, covering, fills, holding

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
        _report_failing(table, boxes, diagnostics)
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


def _report_failing(table: CompiledTable, boxes: Boxes, diagnostics: Diagnostics) -> None:
    """Report rules that hold only where a cell of another, which is looked at too, cannot be compared with the value."""
    if boxes.boxes == boxes.loose:
        return
    #: For each rule, those that hold or fail wherever it holds, and those of which some cell fails everywhere there.
    perhaps, failing = [-1] * len(boxes.rules), [0] * len(boxes.rules)
    columns = zip(zip(*boxes.boxes, strict=True), zip(*boxes.loose, strict=True), strict=True)
    for at, (surely, loosely) in enumerate(columns):
        missed = [loose & ~sure for sure, loose in zip(surely, loosely, strict=True)]
        held = covering(surely, boxes.loose_rows[at])
        fails = covering(surely, holding(missed, len(boxes.columns[at].samples)))
        for index, mask in enumerate(surely):
            perhaps[index] &= held[mask]
            failing[index] |= fails[mask]
    asks_all = table.hit not in {"first", "priority"}
    for index, rule in enumerate(boxes.rules):
        asked = -1 if asks_all else (1 << index) - 1
        others = perhaps[index] & failing[index] & asked & ~(1 << index)
        if not others or boxes.is_empty(index):
            continue
        other = boxes.rules[next(bits(others))]
        why = f"where it does, such as for {boxes.case(boxes.boxes[index])}, a cell of `{other.id}` cannot be compared"
        hint = "write all limits of an input in one currency, and in units that can be compared"
        related = [(f"`{other.id}`", other.place)]
        diagnostics.add(CODE, rule.place, f"`{rule.id}` can never hit: {why}", hint=hint, related=related)


#: By the index of a rule: why it never hits, and which rules are before it.
_Shadows = dict[int, tuple[str, Sequence[CompiledRule]]]


def _asked_before(table: CompiledTable) -> _Shadows:
    """Return the rules that ask for all that a rule before them asks for."""
    rules = table.rules
    return {
        index: (comparison(rules[before], rules[index]), (rules[before],))
        for index, before in asked_before(rules).items()
    }


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
