"""The case of an order: opened, shown, explained, and moved by an endpoint for every event of the policy.

Nothing here knows what a refund is. The events, their fields and who may send them are the policy's, and so is this part of
the API: a new event in policy.yaml is a new endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from amends import Allowed, Case, InvalidValue, Sent, UnknownCase

from .actors import Caller, demand
from .problems import Refused, documented
from .shop import POLICY, Shop, TheOrder, TheShop, load_policies

#: Refusals that are not about where the case stands.
_STATUS: Final = {"role_not_allowed": 403, "invalid_data": 422}

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,100}$",
        description="Chosen by the caller for this one event: who sends it again with the same key gets the same answer.",
        examples=["5f2c"],
    ),
]


class Money(BaseModel):
    """What is paid out, or charged again."""

    state: str = Field(examples=["settled"])
    granted: str = Field(examples=["75.00 USD"])
    paid: str = Field(examples=["75.00 USD"])


class CaseView(BaseModel):
    """Where the case of an order stands."""

    order: str = Field(examples=["1001"])
    state: str = Field(examples=["seller_review"])
    decision: Any = Field(description="The last one.", examples=["eligible"])
    reason: str | None = Field(description="The code of the last one.", examples=["in_return_window"])
    step: int = Field(description="The number of the last step: `why` explains it.", examples=[1])
    deadlines: dict[str, datetime | None] = Field(
        description="The last second of each clock and window; null while it is not known, or stands still.",
        examples=[{"seller_review": "2026-03-06T04:59:59Z"}],
    )
    money: dict[str, Money]


class Form(BaseModel):
    """An event that the caller may send now."""

    event: str = Field(examples=["approve"])
    says: str = Field(examples=["approves the request"])
    data: dict[str, Any] = Field(description="The JSON Schema of its body.", examples=[{"type": "object"}])


class Why(BaseModel):
    """What a step did, and why: reason and rules with their sources, and what each condition saw."""

    model_config = ConfigDict(extra="allow")
    seq: int
    at: datetime
    who: str = Field(examples=["seller:3"])
    what: str = Field(examples=["reject"])
    verdict: str = Field(examples=["applied"])
    reason: dict[str, str] | None
    sources: list[dict[str, str]]


router = APIRouter(prefix="/orders/{order_id}/case", tags=["cases"])


@router.put("", responses=documented(401, 403, 404, 422, 503))
def open_case(order: TheOrder, caller: Caller, shop: TheShop) -> CaseView:
    """Open the case of an order, as its buyer, or return the one that is open.

    The case knows the order as it is now, so it is opened when the buyer has something to ask for, and by nobody else.
    """
    demand(caller, "buyer")
    try:
        case = shop.engine.case(order.id)
    except UnknownCase:
        case = shop.engine.open(POLICY, order.facts(), case_id=order.id, key=order.id)
    return _view(case, shop.engine.deadlines(order.id))


@router.get("", responses=documented(401, 404, 422, 503))
def show_case(order: TheOrder, shop: TheShop) -> CaseView:
    """Return the case of an order."""
    return _view(shop.engine.case(order.id), shop.engine.deadlines(order.id))


@router.get("/allowed", responses=documented(401, 404, 422, 503))
def allowed_events(order: TheOrder, caller: Caller, shop: TheShop) -> list[Form]:
    """Return what the caller may do now, each with the form to fill in."""
    found = (one for one in shop.engine.allowed(order.id) if caller.role in one.by)
    return [Form(event=one.event, says=_words(one), data=dict(one.schema)) for one in found]


@router.get("/why", responses=documented(401, 404, 422, 503))
def explain_step(
    order: TheOrder,
    shop: TheShop,
    step: Annotated[int | None, Query(ge=0, le=10_000, description="The last one where left out.")] = None,
    lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
) -> Why:
    """Explain a step of the case. What is sensitive (contacts, accounts) is left out."""
    try:
        return Why.model_validate(shop.engine.why(order.id, step, lang=lang))
    except InvalidValue as error:
        raise HTTPException(404, str(error)) from error


@cache
def event_router() -> APIRouter:
    """Return an endpoint for every event of the policy."""
    events = APIRouter(prefix="/orders/{order_id}/case/events", tags=["events"])
    for event in load_policies().events(POLICY):
        body = {"required": True, "content": {"application/json": {"schema": dict(event.schema)}}}
        events.add_api_route(
            f"/{event.event}",
            _sender(event.event),
            methods=["POST"],
            name=event.event,
            summary=f"{' or '.join(event.by)}: {_words(event)}",
            description="A refusal is a problem that says why. With `preview` nothing is done.",
            responses=documented(400, 401, 403, 404, 409, 413, 422, 503),
            openapi_extra={"requestBody": body},
        )
    return events


def _sender(event: str) -> Callable[..., CaseView]:
    def send(
        order: TheOrder,
        caller: Caller,
        shop: TheShop,
        key: Key,
        data: Annotated[dict[str, Any], Body()],
        preview: Annotated[bool, Query(description="Only say what would come of it.")] = False,  # noqa: FBT002
    ) -> CaseView:
        by = str(caller)
        if preview:
            return answer(shop, shop.engine.preview(order.id, event, data, by=by))
        # Keys are the caller's own: nobody meets, or finds out, another's.
        return answer(shop, shop.engine.send(order.id, event, data, by=by, key=f"{by}/{key}"))

    return send


def answer(shop: Shop, sent: Sent) -> CaseView:
    """Return what became of an event.

    Raises:
        Refused: it was refused, and this is why.
    """
    if (reason := sent.refusal) is None:
        return _view(sent.case, sent.deadlines)
    raise Refused(
        _STATUS.get(reason.code, 409),
        shop.engine.why(sent.case.id, sent.step)["reason"]["text"],
        code=reason.code,
        rule=reason.rule,
        missing=list(sent.step.missing) or None,
    )


def _view(case: Case, deadlines: Any) -> CaseView:
    return CaseView(
        order=case.id,
        state=case.state,
        decision=case.decision,
        reason=case.reason.code if case.reason else None,
        step=case.seq,
        deadlines=dict(deadlines),
        money={
            name: Money(state=payout.state, granted=str(payout.granted), paid=str(payout.paid))
            for name, payout in case.payouts.items()
        },
    )


def _words(event: Allowed) -> str:
    return event.says.get("en", event.event)
