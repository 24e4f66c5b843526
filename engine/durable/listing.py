"""Lists of cases and of deliveries, page by page: a page says where the next one begins, however much is added meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..errors import InvalidValue
from ..stepping.intake import floored
from ..store.protocol import Sought, Summary, Transaction, Work
from ..values import instant_text, parse_timestamp

#: How many cases a page has at most.
LONGEST_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list of cases, in the order in which they were opened."""

    cases: tuple[Summary, ...]
    #: What to pass as `after` for the page that follows; None on the last one.
    next: str | None


def listed(
    *,
    policy: str | None,
    state: str | None,
    waits_for: str | None,
    closed: bool | None,
    overdue_at: datetime | None,
    stuck: bool | None,
    after: str | None,
    limit: int,
) -> Work[Page]:
    """List cases by what is not None.

    Raises:
        InvalidValue: the page is to have no cases or too many, or `after` was not given out by a page.
    """
    sought = Sought(
        policy=policy,
        state=state,
        waits_for=waits_for,
        closed=closed,
        overdue_at=None if overdue_at is None else floored(overdue_at),
        stuck=stuck,
    )
    return page_of(sought, after, limit)


def page_of(sought: Sought, after: str | None, limit: int) -> Work[Page]:
    """List the cases sought.

    Raises:
        InvalidValue: the page is to have no cases or too many, or `after` was not given out by a page.
    """
    if not 0 < limit <= LONGEST_PAGE:
        raise InvalidValue(f"a page has 1 to {LONGEST_PAGE} cases")
    place = None if after is None else _place(after)

    def work(transaction: Transaction) -> Page:
        found = transaction.summaries(sought, place, limit + 1)
        page = found[:limit]
        return Page(cases=page, next=place_of(page[-1]) if len(found) > limit else None)

    return work


def place_of(summary: Summary) -> str:
    """Return what to pass as `after` for what follows a case in a list."""
    return f"{instant_text(summary.opened_at)} {summary.id}"


def _place(after: str) -> tuple[datetime, str]:
    opened, _, case_id = after.partition(" ")
    if not case_id:
        raise InvalidValue(f"`{after[:60]}` is not the `next` of a page")
    return parse_timestamp(opened), case_id
