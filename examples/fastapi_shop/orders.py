"""The shop's own orders: a table in the database in which the cases live too, and what a policy is told of an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from .actors import Actor

metadata = MetaData()
table = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("buyer", String, nullable=False),
    Column("seller", String, nullable=False),
    Column("total", String, nullable=False),  # text, for an amount is never a float
    Column("payment_method", String, nullable=False),
    Column("delivered_at", String),
)


class NewOrder(BaseModel):
    """What a buyer orders."""

    seller: str = Field(pattern="^[0-9]{1,9}$", examples=["3"])
    total: str = Field(
        pattern=r"^[1-9][0-9]{0,6}\.[0-9]{2}$", description="In US dollars.", examples=["75.00"]
    )
    payment_method: Literal["wallet", "card", "online", "cod", "bank_transfer"]


class Order(NewOrder):
    """An order."""

    id: str = Field(examples=["1001"])
    buyer: str = Field(examples=["7"])
    delivered_at: datetime | None = None

    @classmethod
    def of(cls, order_id: str, buyer: Actor, ordered: NewOrder) -> Self:
        """Return a new order."""
        return cls(id=order_id, buyer=buyer.id, **ordered.model_dump())

    def facts(self) -> Mapping[str, Any]:
        """Return what a policy is told: the host's data, under the names and types that the policy gives them."""
        return {
            "region": "US",
            "order_total": self.total,
            "payment_method": self.payment_method,
            "delivered_at": self.delivered_at,
        }

    def is_seen_by(self, actor: Actor) -> bool:
        """Tell whether somebody may see it: buyers and sellers see their own, the others see all."""
        return {"buyer": self.buyer, "seller": self.seller}.get(actor.role, actor.id) == actor.id


class Orders:
    """The table, as this shop uses it."""

    def __init__(self, database: str) -> None:
        self._database = create_engine(database)
        metadata.create_all(self._database)

    def add(self, order: Order) -> bool:
        """Keep a new order, and return whether its id was free."""
        try:
            with self._database.begin() as connection:
                connection.execute(insert(table).values(order.model_dump()))
        except IntegrityError:
            return False
        return True

    def deliver(self, order_id: str, at: datetime) -> None:
        """Note when an order was delivered; the first time counts."""
        waiting = (table.c.id == order_id) & table.c.delivered_at.is_(None)
        with self._database.begin() as connection:
            connection.execute(update(table).where(waiting).values(delivered_at=at.isoformat()))

    def get(self, order_id: str) -> Order | None:
        """Return an order, or None where there is none."""
        with self._database.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == order_id)).mappings().one_or_none()
        return None if row is None else Order.model_validate(dict(row))

    def close(self) -> None:
        """Let go of the database."""
        self._database.dispose()
