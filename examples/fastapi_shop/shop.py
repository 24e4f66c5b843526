"""What the endpoints share: the orders, the engine, and the settings they are made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Self

from fastapi import Depends, HTTPException, Request
from fastapi import Path as PathParameter

from amends import Engine, Library

from .actors import Caller
from .orders import Order, Orders
from .signing import key_of

#: The policy of the cases: the marketplace's, with what policy.yaml lays over it.
POLICY: Final = "example_shop"


class Clock:
    """The machine's clock; a test passes one that it sets."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the data are, who is told of effects, and the secrets of the webhooks in both directions."""

    database: str
    #: Where deliveries are sent; without it they wait.
    webhook_url: str | None = None
    secret_out: str
    secret_in: str
    #: Whether this process fires timers and delivers effects.
    works: bool = True

    def __post_init__(self) -> None:
        """Refuse secrets that are none, before anything is signed with them."""
        key_of(self.secret_out)
        key_of(self.secret_in)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the variables `SHOP_…`; there is no default for a secret."""
        return cls(
            database=os.environ.get("SHOP_DATABASE", "sqlite:///shop.db"),
            webhook_url=os.environ.get("SHOP_WEBHOOK_URL"),
            secret_out=os.environ["SHOP_SECRET_OUT"],
            secret_in=os.environ["SHOP_SECRET_IN"],
            works=os.environ.get("SHOP_WORKS", "yes") == "yes",
        )


@cache
def load_policies() -> Library:
    """Read the policies, once; a shop does not start with one that is wrong."""
    library = Library.load(
        f"{files('amends')}/policies/tiktok_shop/us.yaml", Path(__file__).with_name("policy.yaml")
    )
    wrong = [finding for finding in library.diagnostics if finding.severity == "error"]
    if wrong:
        raise SystemExit("\n".join(f"{finding.place}: {finding.message}" for finding in wrong))
    return library


class Shop:
    """The orders and the engine, in one database."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.orders = Orders(settings.database)
        self.engine = Engine(load_policies(), settings.database, clock=clock)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.close()
        self.orders.close()


def _shop(request: Request) -> Shop:
    found: Shop = request.app.state.shop
    return found


#: The shop, as an argument of an endpoint.
TheShop = Annotated[Shop, Depends(_shop)]

OrderId = Annotated[
    str,
    PathParameter(
        pattern="^[A-Za-z0-9-]{1,40}$", description="Chosen by the shop's front end.", examples=["1001"]
    ),
]


def _order(order_id: OrderId, caller: Caller, shop: TheShop) -> Order:
    """Return an order that the caller may see; to everybody else it is not there."""
    order = shop.orders.get(order_id)
    if order is None or not order.is_seen_by(caller):
        raise HTTPException(404, f"You have no order {order_id}.")
    return order


#: An order that the caller may see, as an argument of an endpoint.
TheOrder = Annotated[Order, Depends(_order)]
