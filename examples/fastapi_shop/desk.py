"""The platform's desk: which cases wait, and for whom. What it decides is an event like any other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from amends import InvalidValue

from .actors import Caller, demand
from .problems import documented
from .shop import POLICY, TheShop


class Waiting(BaseModel):
    """A case that waits."""

    order: str = Field(examples=["1001"])
    state: str = Field(examples=["platform_review"])
    waits_for: list[str] = Field(examples=[["platform"]])
    opened_at: datetime
    due_at: datetime | None = Field(description="When something happens by itself.")
    needs_human: str | None = Field(description="What failed, where a person has to look.")


class WaitingPage(BaseModel):
    """Cases in the order in which they were opened."""

    cases: list[Waiting]
    next: str | None = Field(description="Pass it as `after` for what follows.")


router = APIRouter(prefix="/desk", tags=["desk"])


@router.get("", responses=documented(401, 403, 404, 422, 503))
def waiting_cases(
    caller: Caller,
    shop: TheShop,
    role: Annotated[str, Query(pattern="^[a-z_]{1,40}$", description="Whom they wait for.")] = "platform",
    overdue: Annotated[bool, Query(description="Only those whose clock has run out.")] = False,  # noqa: FBT002
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> WaitingPage:
    """List the cases that wait for somebody."""
    demand(caller, "platform")
    now = shop.clock.now() if overdue else None
    try:
        page = shop.engine.cases(
            policy=POLICY, waits_for=role, closed=False, overdue_at=now, after=after, limit=limit
        )
    except InvalidValue as error:
        raise HTTPException(404, str(error)) from error
    return WaitingPage(
        cases=[
            Waiting(
                order=one.id,
                state=one.state,
                waits_for=list(one.filing.waits_for),
                opened_at=one.opened_at,
                due_at=one.due_at,
                needs_human=one.needs_human or one.parked,
            )
            for one in page.cases
        ],
        next=page.next,
    )
