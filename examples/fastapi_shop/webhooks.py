"""Webhooks, out and in: effects are sent to whoever does them, and what became of money comes back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from httpx2 import Client
from pydantic import BaseModel, Field, ValidationError

from amends import Delivery, Engine, cloud_event

from .cases import answer
from .problems import documented
from .shop import Clock, Settings, TheShop
from .signing import Unverified, sign, verify

#: Where events say that they come from.
SOURCE: Final = "https://shop.example/refunds"
#: What notices are written in; the receiver chooses.
LANGUAGES: Final = ("en", "zh")


def send_effects(engine: Engine, settings: Settings, clock: Clock, client: Client) -> None:
    """Send every effect to the receiver, as a signed CloudEvent; without a receiver they wait.

    What is not taken raises, and is sent again later: always with the same id, by which the receiver knows it.
    """
    url = settings.webhook_url
    if url is None:
        return

    @engine.effect("*")
    def send(delivery: Delivery) -> None:
        # Who pays needs the account; nobody else is told what is sensitive.
        event = cloud_event(delivery, source=SOURCE, reveal=delivery.effect.kind == "payout")
        if delivery.effect.kind == "notify":
            event["data"]["texts"] = {lang: _said(engine, delivery, lang) for lang in LANGUAGES}
        body = json.dumps(event).encode()
        signed = sign(settings.secret_out, delivery.key, body, clock.now())
        headers = {"content-type": "application/cloudevents+json", **signed}
        client.post(url, content=body, headers=headers).raise_for_status()


def _said(engine: Engine, delivery: Delivery, lang: str) -> str:
    """Return a notice in words, with the values of the step that asked for it."""
    effects = engine.why(delivery.case_id, delivery.seq, lang=lang)["effects"]
    (text,) = (str(one["texts"]["message"]) for one in effects if one["key"] == delivery.key)
    return text


class CloudEvent(BaseModel):
    """What the receiver is sent (CloudEvents 1.0, JSON)."""

    specversion: Literal["1.0"]
    id: str = Field(
        description="The same each time it is sent; pay once for it.", examples=["1001/refund/all/1"]
    )
    source: str
    type: str = Field(description="`amends.` and the effect.", examples=["amends.payout"])
    subject: str = Field(description="The case.", examples=["1001"])
    time: datetime
    datacontenttype: Literal["application/json"]
    data: dict[str, Any] = Field(examples=[{"payout": "refund", "part": "all", "amount": "75.00 USD"}])


class PaymentResult(BaseModel):
    """What became of a payment that was asked for; its names are those of the CloudEvent that asked."""

    subject: str = Field(max_length=200, description="The case.", examples=["1001"])
    payout: str = Field(max_length=200, examples=["refund"])
    part: str = Field(max_length=200, examples=["all"])
    result: Literal["settled", "failed"]
    reference: str | None = Field(None, max_length=200, examples=["bank-4711"])
    cause: str | None = Field(None, max_length=200, description="Why it failed.")


#: OpenAPI's list of what this application sends.
outgoing = APIRouter()
router = APIRouter(prefix="/webhooks", tags=["webhooks"])

_BODY: Final = {
    "required": True,
    "content": {"application/json": {"schema": PaymentResult.model_json_schema()}},
}


@outgoing.post("effect", status_code=202)
def effect(body: CloudEvent) -> None:
    """Send what has to be done, signed as Standard Webhooks says, until it is taken with a status of 2xx."""


async def _verified(
    request: Request,
    shop: TheShop,
    webhook_id: Annotated[str, Header(pattern="^[!-~]{1,100}$")],
    webhook_timestamp: Annotated[str, Header(pattern="^[0-9]{1,12}$", description="Seconds since 1970.")],
    webhook_signature: Annotated[
        str, Header(description="`v1,` and base64 of HMAC-SHA256 of `id.timestamp.body`.")
    ],
) -> tuple[str, PaymentResult]:
    """Return the id of a message and what it says, if it is the payment provider who says it."""
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": webhook_timestamp,
        "webhook-signature": webhook_signature,
    }
    body = await request.body()
    try:
        return verify(
            shop.settings.secret_in, headers, body, shop.clock.now()
        ), PaymentResult.model_validate_json(body)
    except Unverified as error:
        raise HTTPException(403, str(error)) from error
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


@router.post(
    "/payments",
    status_code=204,
    responses=documented(403, 404, 409, 422, 503),
    openapi_extra={"requestBody": _BODY},
)
def take_payment_result(
    message: Annotated[tuple[str, PaymentResult], Depends(_verified)], shop: TheShop
) -> None:
    """Take the result of a payment, from the payment provider. The same message twice counts once."""
    message_id, result = message
    told = {"part": result.part, "reference": result.reference, "cause": result.cause}
    sent = shop.engine.send(
        result.subject,
        f"{result.payout}.{result.result}",
        {name: value for name, value in told.items() if value is not None},
        by="host",
        key=f"webhook/{message_id}",
    )
    answer(shop, sent)
