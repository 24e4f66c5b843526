"""The checks of one decision table. What each of them finds, and why it matters, is said in its own module."""

from __future__ import annotations

from ..diagnostics import Diagnostics
from ..table import CompiledTable
from .boxes import boxes_of
from .non_monotone_tiers import check_non_monotone_tiers
from .overlapping_rules import check_overlapping_rules
from .shadowed_rule import check_shadowed_rule
from .table_gap import check_table_gap


def check_table(table: CompiledTable, diagnostics: Diagnostics) -> None:
    """Report what is wrong with a table that could be read: with its rules among themselves, and as a whole."""
    boxes = boxes_of(table) if table.inputs else None
    check_shadowed_rule(table, boxes, diagnostics)
    check_overlapping_rules(table, boxes, diagnostics)
    if boxes is not None:
        check_table_gap(table, boxes, diagnostics)
        check_non_monotone_tiers(table, boxes, diagnostics)
