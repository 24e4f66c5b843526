"""Statements of every step, which are made once: SQLAlchemy then knows them again, and compiles them once."""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import Delete, Insert, Table, bindparam, delete, insert, select, update

from .tables import case_keys, cases, event_keys

_UPDATED: Final = (
    "bundle",
    "policy",
    "version",
    "model",
    "seq",
    "at",
    "states",
    "waits_for",
    "closed",
    "due_at",
    "needs_human",
    "snapshot",
    "tally",
)
ADVANCE: Final = (
    update(cases)
    .where(cases.c.id == bindparam("case"), cases.c.seq == bindparam("before"))
    .values({name: bindparam(name) for name in _UPDATED})
)
#: Always in the same order, so that two batches cannot wait for each other.
READ: Final = (
    select(cases.c.id, cases.c.snapshot, cases.c.tally, case_keys.c.secret)
    .select_from(cases.outerjoin(case_keys, case_keys.c.case_id == cases.c.id))
    .where(cases.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(cases.c.id)
)
READ_LOCKED: Final = READ.with_for_update(of=cases)
KEYED: Final = select(event_keys).where(
    event_keys.c.case_id.in_(bindparam("ids", expanding=True)),
    event_keys.c.key.in_(bindparam("keys", expanding=True)),
)


@cache
def into(table: Table) -> Insert:
    """Return what inserts rows."""
    return insert(table)


@cache
def gone_from(table: Table) -> Delete:
    """Return what deletes a row by its case and its name."""
    case_id, name = table.primary_key.columns
    return delete(table).where(case_id == bindparam("case"), name == bindparam("name"))
