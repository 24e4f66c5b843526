"""What a search keeps to, as SQLAlchemy's expressions: lists of cases, and questions about other cases."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, not_, or_

from ..step import Query
from . import codec
from .protocol import Sought
from .tables import cases, facts, shares


def is_sought(sought: Sought) -> Iterable[ColumnElement[bool]]:
    """Yield what the rows of the cases sought keep to."""
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
