"""Placing and delivering orders: what a shop does without any policy."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response

from .actors import Caller, demand
from .orders import NewOrder, Order
from .problems import documented
from .shop import OrderId, TheOrder, TheShop

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])


@router.put(
    "", responses={201: {"model": Order, "description": "Placed"}, **documented(400, 401, 403, 409, 422)}
)
def place_order(
    order_id: OrderId, ordered: NewOrder, caller: Caller, shop: TheShop, response: Response
) -> Order:
    """Place an order, as a buyer. The same order twice is placed once."""
    demand(caller, "buyer")
    order = Order.of(order_id, caller, ordered)
    if shop.orders.add(order):
        response.status_code = 201
        return order
    placed = shop.orders.get(order_id)
    if placed is None or placed.model_copy(update={"delivered_at": None}) != order:
        raise HTTPException(409, f"There is another order {order_id}.")
    return placed


@router.get("", responses=documented(401, 404, 422))
def show_order(order: TheOrder) -> Order:
    """Return an order of the caller's."""
    return order


@router.put("/delivery", responses=documented(401, 403, 404, 422))
def deliver_order(order: TheOrder, caller: Caller, shop: TheShop) -> Order:
    """Tell that an order was delivered just now, as its carrier. A second time changes nothing."""
    demand(caller, "carrier")
    shop.orders.deliver(order.id, shop.clock.now())
    return shop.orders.get(order.id) or order
