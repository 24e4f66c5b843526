"""The output of a table goes up and down again along an input.

## What it finds

Rules that make tiers: they differ in the cell of one ordered input only (a number, an amount, a period), and give
one after the other an ordered output (a number, an amount, a period of one unit). In three tiers or more, one rule in the
middle breaks the order that the others keep. The finding shows the tier before it, it and the tier after it, each with a
case.

Dates are passed over: of seasons each has a number of its own. Tiers whose outputs are not known beforehand are passed over, params are known; so is a rule that has two stretches of the
input, for then somebody meant it. The first tier and the last often have a rule of their own, and are not reported. Inputs
are taken as they are written: only those that compare one value with constants are seen to belong together.

## Why it matters

More money, more days: tiers are meant to rise or to fall. One that does not is mostly a number typed wrong, or two rules
whose outputs changed places.

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
      - {id: small, when: ["<= 100 EUR"], then: 1 business day}
      - {id: middle, when: ["(100 EUR..500 EUR]"], then: 20 business days}  # AM405
      - {id: large, when: ["> 500 EUR"], then: 3 business days}
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
      - {id: small, when: ["<= 100 EUR"], then: 1 business day}
      - {id: middle, when: ["(100 EUR..500 EUR]"], then: 2 business days}
      - {id: large, when: ["> 500 EUR"], then: 3 business days}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise
from operator import and_
from typing import Final

from ..diagnostics import Diagnostics
from ..errors import RuleError
from ..rules.cell import precedes
from ..rules.condition import Computed, Constant
from ..table import CompiledTable, TermLike
from ..types import DECIMAL, INT, PERIOD, MoneyType, Type
from ..values import Value
from .boxes import Boxes, shown
from .cover import Box, runs
from .questions import constant_of

#: The code of what it finds.
CODE: Final = "AM405"
_HINT: Final = "tiers rise or fall throughout; look for a number typed wrong, or outputs that changed places"
_LEAST: Final = 3
_OTHERWISE: Final = -1


@dataclass(frozen=True, slots=True)
class _Tier:
    """One step of a row of tiers."""

    #: The index of its rule; -1 stands for `otherwise`.
    rule: int
    box: Box
    output: Value


def check_non_monotone_tiers(table: CompiledTable, boxes: Boxes, diagnostics: Diagnostics) -> None:
    """Report rules that break the order of their tiers; `boxes` is the table as boxes."""
    outputs = [at for at, (_, type_) in enumerate(table.outputs) if _makes_tiers(type_)]
    if not outputs or table.hit not in {"first", "unique", "any"} or len(table.rules) < _LEAST - 1:
        return
    for column, kind in enumerate(boxes.columns):
        if not kind.in_order or isinstance(kind.samples[0], date):
            continue
        for family in _families(boxes, column):
            if len(family) + (table.otherwise is not None) < _LEAST:
                continue
            for output in outputs:
                tiers = _tiers(table, boxes, column, family, output)
                odd = _odd_one(tiers)
                if odd is not None and all(_decides(tier, boxes) for tier in tiers[odd - 1 : odd + 2]):
                    _report(table, boxes, output, tiers[odd - 1 : odd + 2], diagnostics)


def _makes_tiers(type_: Type) -> bool:
    return isinstance(type_, MoneyType) or type_ in (INT, DECIMAL, PERIOD)


def _families(boxes: Boxes, column: int) -> Iterator[list[int]]:
    """Yield the rules that differ in one column only."""
    families: dict[Box, list[int]] = defaultdict(list)
    for index, box in enumerate(boxes.boxes):
        if not boxes.is_empty(index):
            families[box[:column] + box[column + 1 :]].append(index)
    yield from families.values()


def _tiers(
    table: CompiledTable, boxes: Boxes, column: int, family: Sequence[int], output: int
) -> list[_Tier]:
    """Return the tiers of a family from the least to the greatest, or none if they are not of the simple kind."""
    found: list[tuple[int, _Tier]] = []
    taken = 0
    terms = [(index, table.rules[index].then[output]) for index in family]
    if table.otherwise is not None:
        terms.append((_OTHERWISE, table.otherwise[output]))
    for rule, term in terms:
        box = boxes.boxes[family[0] if rule == _OTHERWISE else rule]
        mine = (boxes.columns[column].all if rule == _OTHERWISE else box[column]) & ~taken
        taken |= mine
        stretches = list(runs(mine))
        if not stretches:
            continue
        value = _known(term, table.params)
        if len(stretches) > 1 or value is None:
            return []
        found.append((stretches[0][0], _Tier(rule, (*box[:column], mine, *box[column + 1 :]), value)))
    return [tier for _, tier in sorted(found, key=lambda item: item[0])]


def _known(term: TermLike | None, params: Mapping[str, Value]) -> Value | None:
    """Return the value of an output that is known beforehand."""
    match term:
        case Constant(value=value):
            return value
        case Computed(checked=checked):
            return constant_of(checked.root, params)
    return None


def _odd_one(tiers: Sequence[_Tier]) -> int | None:
    """Return the one tier, neither the first nor the last, without which the others rise or fall throughout."""
    values = [tier.output for tier in tiers]
    try:
        if len(values) < _LEAST or _is_monotone(values):
            return None
        for at in range(1, len(values) - 1):
            peak = precedes(values[at - 1], values[at]) == precedes(values[at + 1], values[at])
            if peak and tiers[at].rule != _OTHERWISE and _is_monotone(values[:at] + values[at + 1 :]):
                return at
    except RuleError:
        # Outputs of two currencies, or of units that have no order.
        pass
    return None


def _is_monotone(values: Sequence[Value]) -> bool:
    rises = any(precedes(one, other) for one, other in pairwise(values))
    falls = any(precedes(other, one) for one, other in pairwise(values))
    return not (rises and falls)


def _decides(tier: _Tier, boxes: Boxes) -> bool:
    """Return whether it is the rule of a tier that gives the output in the example of the tier."""
    samples = (column.best(mask) for column, mask in zip(boxes.columns, tier.box, strict=True))
    hold = reduce(and_, (row[at] for row, at in zip(boxes.loose_rows, samples, strict=True)))
    return not hold if tier.rule == _OTHERWISE else (hold & -hold) == 1 << tier.rule


def _report(
    table: CompiledTable, boxes: Boxes, output: int, tiers: Sequence[_Tier], diagnostics: Diagnostics
) -> None:
    before, odd, after = tiers
    rule = table.rules[odd.rule]
    name = "" if table.single else f"`{table.outputs[output][0]}` "
    way = "up and down again" if precedes(before.output, odd.output) else "down and up again"
    said = ", then ".join(f"{shown(tier.output)} for {boxes.case(tier.box)}" for tier in tiers)
    others = [table.rules[tier.rule] for tier in (before, after) if tier.rule != _OTHERWISE]
    message = f"with `{rule.id}` the output {name}goes {way}: {said}"
    related = [(f"`{other.id}`", other.place) for other in others]
    diagnostics.add(CODE, rule.place, message, hint=_HINT, related=related)
