"""What a search keeps to, as SQLAlchemy's expressions: lists of cases, and questions about other cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, not_, or_, select, tuple_

from ..step import Query
from . import codec
from .protocol import Sought
from .tables import cases, facts, shares


def is_sought(sought: Sought) -> Iterable[ColumnElement[bool]]:
    """Yield what the rows of the cases sought keep to."""
    if sought.ids is not None:
        yield cases.c.id.in_(sought.ids)
    if sought.policy is not None:
        yield cases.c.policy == sought.policy
    if sought.state is not None:
        yield cases.c.states.contains(codec.one_of(sought.state), autoescape=True)
    if sought.waits_for is not None:
        yield cases.c.waits_for.contains(codec.one_of(sought.waits_for), autoescape=True)
    if sought.closed is not None:
        yield cases.c.closed.is_(sought.closed)
    if sought.overdue_at is not None:
        yield cases.c.due_at <= sought.overdue_at
    if sought.stuck is not None:
        stuck = or_(cases.c.needs_human.is_not(None), cases.c.parked.is_not(None))
        yield stuck if sought.stuck else not_(stuck)
    if sought.opened_from is not None:
        yield cases.c.opened_at >= sought.opened_from
    if sought.opened_before is not None:
        yield cases.c.opened_at < sought.opened_before


def page_of(sought: Sought, after: tuple[datetime, str] | None, limit: int) -> Select[Any]:
    """Return what selects the cases sought from after a place on, by the index that they are listed in."""
    # The two that are large say nothing in a list.
    listed = (column for column in cases.c if column.name not in {"snapshot", "tally"})
    query = select(*listed).where(*is_sought(sought))
    if after is not None:
        place = tuple_(cases.c.opened_at, cases.c.id)
        query = query.where(place > tuple_(*after, types=[cases.c.opened_at.type, cases.c.id.type]))
    return query.order_by(cases.c.opened_at, cases.c.id).limit(limit)


def is_asked(query: Query) -> Iterable[ColumnElement[bool]]:
    """Yield what narrows the cases that a question can be about; what it leaves, `answer` looks at."""
    for same in query.same:
        value = codec.digest_of(same.value)
        if query.kind == "taken":
            yield exists().where(
                shares.c.case_id == cases.c.id, shares.c.balance == query.name, shares.c.of == value
            )
        else:
            yield exists().where(
                facts.c.case_id == cases.c.id, facts.c.fact == same.fact, facts.c.value == value
            )
    if query.policies:
        yield cases.c.policy.in_(query.policies)
    if query.states:
        yield or_(*(cases.c.states.contains(codec.one_of(state), autoescape=True) for state in query.states))
    elif query.kind == "count" and not query.decisions and query.since is not None:
        yield cases.c.opened_at >= query.since
