"""Kinds of money out, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..case import PAYOUT_STATES
from ..condition import Computed, read_condition, read_expression, read_term
from ..diagnostics import Diagnostics
from ..document import Fields, Node
from ..expression import Declared
from ..policy import PayoutRule, Route
from ..types import MONEY, TEXT, EnumType, MoneyType, RecordType, optional
from .candidates import Flow, read_needs
from .shape import at, items, known, says, word

#: The payouts' own events, and the data that may come with them.
PAYOUT_EVENTS: Mapping[str, tuple[str, ...]] = {
    "settled": ("part", "reference"),
    "failed": ("part", "reference", "cause"),
    "reversed": ("part", "reference"),
}


def payout_declared(name: str, currency: MoneyType) -> Declared:
    """Return what a payout's name stands for: the record of how far it is."""
    type_ = RecordType(
        name,
        (
            ("state", EnumType("payout state", PAYOUT_STATES)),
            ("granted", currency),
            ("paid", currency),
            ("route", optional(TEXT)),
        ),
    )
    return Declared(type=type_, kind="payout", reads=frozenset({name}))


def reported_by(
    payout: str, events: Node | None, roles: Iterable[str], diagnostics: Diagnostics
) -> tuple[str, ...]:
    """Return the roles that may report results of a payout beside the host."""
    found: list[str] = []
    for event in PAYOUT_EVENTS:
        by = at(at(events, f"{payout}.{event}"), "by")
        found.extend(known(by, "role", tuple(roles), diagnostics))
    return tuple(dict.fromkeys(found))


def read_payout(
    name: str, node: Node, flow: Flow, reported_by: tuple[str, ...], balances: tuple[str, ...]
) -> PayoutRule | None:
    """Read one kind of money out."""
    written = at(node, "amount")
    if written is None:
        return None
    amount = read_term(written, flow.currency, flow.context, expression=True)
    cap = at(node, "at_most")
    if amount is None:
        return None
    taken_from = flow.known(at(node, "from"), "role", flow.roles)
    shared = at(node, "balance")
    if shared is not None and taken_from:
        message = f"`{name}` takes money in, so it takes nothing from a balance"
        flow.context.diagnostics.add("AM102", shared.place, message, hint="leave out `balance`, or `from`")
    return PayoutRule(
        name=name,
        amount=amount,
        at_most=read_term(cap, MONEY, flow.context, expression=True) if cap is not None else None,
        routes=tuple(
            _route(item, flow, i)
            for i, item in enumerate(items(at(node, "routes")))
            if isinstance(item, Fields)
        ),
        balances=tuple(_shared(items(shared), flow, balances)),
        taken_from=taken_from[0] if taken_from else None,
        reported_by=reported_by,
        says=says(at(node, "says")),
        sources=flow.known(at(node, "source"), "source", flow.sources),
        place=node.place,
    )


def _shared(nodes: Iterable[Node], flow: Flow, balances: tuple[str, ...]) -> Iterator[tuple[str, Computed]]:
    """Yield the balances that are named, each with the expression that asks how it stands."""
    for node in nodes:
        for name in flow.known(node, "balance", balances):
            if checked := read_expression(node, flow.context):
                yield name, Computed(checked=checked, place=node.place)


def _route(node: Fields, flow: Flow, index: int) -> Route:
    via = node.get("via")
    return Route(
        id=word(node.get("id")) or f"route_{index + 1}",
        condition=read_condition(node, flow.context),
        via=read_term(via, TEXT, flow.context) if via is not None else None,
        needs=read_needs(node.get("needs"), flow),
        sources=flow.known(node.get("source"), "source", flow.sources),
        place=node.place,
    )
