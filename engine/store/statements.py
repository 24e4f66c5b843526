"""Statements of every step, which are made once: SQLAlchemy then knows them again, and compiles them once."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, cast

from sqlalchemy import Column, ColumnElement, Delete, Insert, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .tables import case_keys, cases, event_keys, journal, outbox, vault


def _mine(column: Column[str]) -> ColumnElement[bool]:
    """Return what rows of some cases keep to."""
    return column.in_(bindparam("ids", expanding=True))


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
_READ: Final = select(cases.c.id, cases.c.snapshot, cases.c.tally, case_keys.c.secret).select_from(
    cases.outerjoin(case_keys, case_keys.c.case_id == cases.c.id)
)
READ_ONE: Final = _READ.where(cases.c.id == bindparam("id"))
READ_ONE_LOCKED: Final = READ_ONE.with_for_update(of=cases)
#: Always in the same order, so that two batches cannot wait for each other.
READ: Final = _READ.where(_mine(cases.c.id)).order_by(cases.c.id)
READ_LOCKED: Final = READ.with_for_update(of=cases)
KEYED_ONE: Final = select(event_keys).where(
    event_keys.c.case_id == bindparam("case_id"), event_keys.c.key == bindparam("key")
)
KEYED: Final = select(event_keys).where(
    _mine(event_keys.c.case_id),
    event_keys.c.key.in_(bindparam("keys", expanding=True)),
)
#: What is kept of cases, table by table.
SNAPSHOTS: Final = select(cases.c.id, cases.c.snapshot).where(_mine(cases.c.id))
STANDING: Final = select(cases.c.id, cases.c.parked).where(_mine(cases.c.id)).order_by(cases.c.id)
ENTRIES: Final = (
    select(journal.c.case_id, journal.c.entry, journal.c.head)
    .where(_mine(journal.c.case_id))
    .order_by(journal.c.case_id, journal.c.seq)
)
KEYS: Final = (
    select(event_keys).where(_mine(event_keys.c.case_id)).order_by(event_keys.c.case_id, event_keys.c.seq)
)
FATES: Final = (
    select(*(column for column in outbox.c if column.name != "effect"))
    .where(_mine(outbox.c.case_id))
    .order_by(outbox.c.key)
)
SECRETS: Final = select(case_keys).where(_mine(case_keys.c.case_id))
VAULTS: Final = select(vault).where(_mine(vault.c.case_id))
SETTLE: Final = (
    update(outbox)
    .where(outbox.c.key == bindparam("delivery"))
    .values({name: bindparam(name) for name in ("state", "attempts", "next_at", "error")})
)


@cache
def into(table: Table) -> Insert:
    """Return what inserts rows."""
    return insert(table)


@cache
def put_into(table: Table, database: str) -> Insert:
    """Return what inserts rows, each in place of one with the same key if there is one.

    Args:
        table: which.
        database: `sqlite` or `postgresql`: SQLAlchemy has a form for each, and they are written alike.
    """
    inserted: Any = (postgresql if database == "postgresql" else sqlite).insert(table)
    rest = {c.name: inserted.excluded[c.name] for c in table.columns if not c.primary_key}
    return cast("Insert", inserted.on_conflict_do_update(index_elements=table.primary_key.columns, set_=rest))


@cache
def gone_from(table: Table) -> Delete:
    """Return what deletes a row by its case and its name."""
    case_id, name = table.primary_key.columns
    return delete(table).where(case_id == bindparam("case"), name == bindparam("name"))
