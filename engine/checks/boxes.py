"""A table with inputs as boxes: for each rule, the samples of each column for which it holds.

Two rules overlap where their boxes meet, and a rule is shadowed where those before it fill its box. What holds for the
samples holds for every value (see columns.py). Of missing inputs nothing needs to be said: there a rule is unknown or
passes over it, and then it does so for every value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import reduce
from operator import and_

from ..money import decimal_text
from ..rules.cell import Cell
from ..table import CompiledRule, CompiledTable
from ..values import Value, instant_text
from .columns import Column, column_of
from .cover import Box, covering, holding, meeting
from .questions import Question, question_of


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of a table; inputs that ask about the same value share a column."""

    rules: tuple[CompiledRule, ...]
    questions: tuple[Question, ...]
    columns: tuple[Column, ...]
    #: For each rule, where it surely holds.
    boxes: tuple[Box, ...]
    #: For each rule, where it holds or fails because a cell cannot compare the value.
    loose: tuple[Box, ...]
    #: For each column, the rules that hold for each of its samples: surely, and surely or by failing.
    rows: tuple[list[int], ...]
    loose_rows: tuple[list[int], ...]
    #: The cells of a rule in each column.
    places: tuple[tuple[int, ...], ...]

    @property
    def everything(self) -> Box:
        """The box of all samples."""
        return tuple(column.all for column in self.columns)

    def meeting(self) -> list[int]:
        """Return for each rule the rules that hold at once with it somewhere."""
        return self._rules_by(meeting)

    def covering(self) -> list[int]:
        """Return for each rule the rules that hold wherever it does."""
        return self._rules_by(covering)

    def _rules_by(self, relation: Callable[[Sequence[int], Sequence[int]], Mapping[int, int]]) -> list[int]:
        found = [-1] * len(self.rules)
        for masks, row in zip(zip(*self.boxes, strict=True), self.rows, strict=True):
            related = relation(masks, row)
            found = [rules & related[mask] for rules, mask in zip(found, masks, strict=True)]
        return found

    def is_empty(self, index: int) -> bool:
        """Return whether a rule holds for nothing."""
        return 0 in self.boxes[index]

    def case(self, box: Box) -> str:
        """Return an example inside a box, in words; what may be anything is left out."""
        parts = [
            f"{question.name} = {shown(column.example(mask))}"
            for question, column, mask in zip(self.questions, self.columns, box, strict=True)
            if mask != column.all
        ]
        return ", ".join(parts)


def boxes_of(table: CompiledTable) -> Boxes:
    """Return a table with inputs as boxes."""
    places: dict[str, list[int]] = {}
    questions = [question_of(checked, table.params) for checked in table.inputs]
    for index, question in enumerate(questions):
        places.setdefault(question.key, []).append(index)
    columns: list[Column] = []
    surely: list[list[int]] = []
    loosely: list[list[int]] = []
    for indexes in places.values():
        cells: list[Cell] = [
            questions[index].read(rule.cells[index]) for index in indexes for rule in table.rules
        ]
        column = column_of(questions[indexes[0]].type, cells)
        columns.append(column)
        each = len(table.rules)
        surely.append([reduce(and_, column.masks[at::each]) for at in range(each)])
        loosely.append([reduce(and_, column.loose[at::each]) for at in range(each)])
    sizes = [len(column.samples) for column in columns]
    rows = tuple(map(holding, surely, sizes))
    return Boxes(
        rules=table.rules,
        questions=tuple(questions[indexes[0]] for indexes in places.values()),
        columns=tuple(columns),
        boxes=tuple(zip(*surely, strict=True)),
        loose=tuple(zip(*loosely, strict=True)),
        rows=rows,
        loose_rows=rows if surely == loosely else tuple(map(holding, loosely, sizes)),
        places=tuple(map(tuple, places.values())),
    )


def shown(value: Value) -> str:
    """Return a value as an author writes it."""
    match value:
        case bool():
            return str(value).lower()
        case Fraction():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value // timedelta(seconds=1)}s"
    return str(value)
