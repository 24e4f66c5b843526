"""A stand-in for whoever receives the shop's webhooks: it reads every notice, and pays whatever it is asked to pay.

    uvicorn --factory fastapi_shop.bank:create_bank --port 8001

It forgets what it paid when it ends; a payment provider keeps the keys.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from httpx2 import Client

from .shop import Clock, Settings
from .signing import Unverified, sign, verify


class Bank:
    """Pays once for each message that asks, however often that comes, and tells the shop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.shop = Client(base_url=os.environ.get("SHOP_URL", "http://127.0.0.1:8000"))
        #: How often each message came, by its id.
        self.came: Counter[str] = Counter()

    def take(self, event: dict[str, Any]) -> bool:
        """Take a message, and return whether it asks for money that was not paid yet."""
        self.came[event["id"]] += 1
        again = self.came[event["id"]] > 1
        print("again" if again else "new", event["type"], event["subject"], event["data"])
        return event["type"] == "amends.payout" and not again

    def report(self, event: dict[str, Any]) -> None:
        """Tell the shop that the money has gone."""
        asked = event["data"]
        result = {
            "subject": event["subject"],
            "payout": asked["payout"],
            "part": asked["part"],
            "result": "settled",
            "reference": f"bank-{event['id']}",
        }
        body = json.dumps(result).encode()
        signed = sign(self.settings.secret_in, f"settled/{event['id']}", body, self.clock.now())
        headers = {"content-type": "application/json", **signed}
        self.shop.post("/webhooks/payments", content=body, headers=headers).raise_for_status()


def create_bank(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Return the application; it has its secrets from where the shop has them."""
    bank = Bank(settings or Settings.from_environment(), clock or Clock())
    app = FastAPI(title="A bank that always pays")
    app.state.bank = bank

    @app.post("/events", status_code=202)
    async def take(request: Request, later: BackgroundTasks) -> None:
        body = await request.body()
        try:
            verify(bank.settings.secret_out, request.headers, body, bank.clock.now())
        except Unverified as error:
            raise HTTPException(403, str(error)) from error
        event = json.loads(body)
        if bank.take(event):
            later.add_task(bank.report, event)

    return app
