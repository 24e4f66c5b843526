"""Kinds of money out, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..case import PAYOUT_STATES
from ..diagnostics import Diagnostics
from ..document import Fields, Node, Scalar
from ..expression import Declared, Scope
from ..policy import RESULT_DATA, RESULTS, VERDICTS, Event, PayoutRule, Route, Tenders, Tier
from ..policy import Field as PolicyField
from ..rules.condition import Computed, Term, read_condition, read_constant, read_expression, read_term
from ..types import (
    HOLE,
    INT,
    MONEY,
    TEXT,
    EnumType,
    Hole,
    ListType,
    MoneyType,
    RecordType,
    Type,
    optional,
    required,
)
from .candidates import Flow, read_needs
from .shape import at, entries, items, known, says, tell_apart, word


def payout_events(payouts: Node | None) -> Iterator[str]:
    """Yield the payouts' own events: what the host reports, and what approvers say."""
    for name, _, node in entries(payouts):
        says = VERDICTS if at(node, "approvals") is not None else ()
        yield from (f"{name}.{event}" for event in (*RESULTS, *says))


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


def read_result(name: str, node: Node, roles: Collection[str], diagnostics: Diagnostics) -> Event:
    """Read what `events` says of a result of a payout: who reports it beside the host, and the name it is kept under.

    So it may of what approvers say, but for who that is. What may come with it is the same for every policy, and none of it has to.
    """
    payout, _, said = name.rpartition(".")
    comes = RESULT_DATA[said]
    if isinstance(node, Fields) and said in VERDICTS and (by := node.key("by")) is not None:
        message = f"who sends `{name}` stands in the approvals of `{payout}`"
        diagnostics.add("AM101", by.place, message, hint="remove it here")
    if isinstance(node, Fields) and (data := node.key("data")) is not None:
        listed = ", ".join(f"`{field}`" for field in comes)
        hint = f"remove it: {listed} may come with a result, and `keep_as` keeps them"
        diagnostics.add("AM101", data.place, f"`{name}` has no `data` of its own", hint=hint)
    return Event(
        name=name,
        by=known(at(node, "by"), "role", roles, diagnostics),
        fields=tuple(
            PolicyField(
                name=field,
                type=optional(MONEY if field == "amount" else TEXT),
                default=None,
                sensitive=False,
                says={},
                place=node.place,
            )
            for field in comes
        ),
        keep_as=word(at(node, "keep_as")),
        says=says(at(node, "says")),
        place=node.place,
    )


def reported_by(payout: str, results: Mapping[str, Event]) -> tuple[str, ...]:
    """Return the roles that may report results of a payout beside the host."""
    found = [results[name].by for name in (f"{payout}.{result}" for result in RESULTS) if name in results]
    return tuple(dict.fromkeys(role for by in found for role in by))


@dataclass(frozen=True, slots=True)
class _Inside:
    """The scope of a payout's routes: the records `part` and `tender`, then the names outside."""

    outside: Scope
    records: dict[str, Declared]
    #: Those of the records that were asked for.
    asked: set[str] = field(default_factory=set)

    def find(self, name: str) -> Declared | None:
        if name in self.records:
            self.asked.add(name)
        return self.records.get(name) or self.outside.find(name)

    def names(self) -> Iterable[str]:
        return (*self.records, *self.outside.names())

    def find_type(self, name: str) -> Type | None:
        return self.outside.find_type(name)

    def type_names(self) -> Iterable[str]:
        return self.outside.type_names()


def read_payout(
    name: str, node: Node, flow: Flow, reported_by: tuple[str, ...], balances: tuple[str, ...]
) -> PayoutRule | None:
    """Read one kind of money out."""
    written = at(node, "amount")
    if written is None:
        return None
    amount = read_term(written, flow.currency, flow.context, expression=True)
    cap = at(node, "at_most")
    tenders, tender = _tenders(at(node, "tenders"), flow)
    scope = _Inside(flow.context.scope, _records(flow, tender))
    inside = replace(flow, context=flow.context.with_scope(scope))
    routes = _routes(name, at(node, "routes"), inside)
    for record in sorted(scope.asked):
        if flow.context.scope.find(record) is not None:
            message = f"a route of `{name}` reads `{record}`, which is built in there and has the name of another value"
            flow.context.diagnostics.add("AM105", node.place, message, hint="rename the other value")
    if amount is None:
        return None
    payer = at(node, "from")
    role = flow.context.scope.find_type("role") or HOLE
    taken_from = read_term(payer, role, flow.context) if payer is not None else None
    shared = at(node, "balance")
    if shared is not None and payer is not None:
        message = f"`{name}` takes money in, so it takes nothing from a balance"
        flow.context.diagnostics.add("AM102", shared.place, message, hint="leave out `balance`, or `from`")
    return PayoutRule(
        name=name,
        amount=amount,
        at_most=read_term(cap, MONEY, flow.context, expression=True) if cap is not None else None,
        tenders=tenders,
        approvals=tuple(
            _tier(item, flow) for item in items(at(node, "approvals")) if isinstance(item, Fields)
        ),
        balances=tuple(_shared(items(shared), flow, balances)),
        reads_part="part" in scope.asked,
        routes=routes,
        taken_from=taken_from,
        reported_by=reported_by,
        says=says(at(node, "says")),
        sources=flow.known(at(node, "source"), "source", flow.sources),
        place=node.place,
    )


def _records(flow: Flow, tender: Type | None) -> dict[str, Declared]:
    """Return what routes may read beside the policy's values; as stored values, so that `has` ensures what it does of facts."""
    part = RecordType(
        "part", (("id", TEXT), ("amount", flow.currency), ("failures", INT), ("tried", ListType(TEXT)))
    )
    found = {"part": Declared(type=part, kind="fact")}
    return found if tender is None else {**found, "tender": Declared(type=tender, kind="fact")}


def _tenders(node: Node | None, flow: Flow) -> tuple[Tenders | None, Type | None]:
    """Read `tenders`: what they are, and the type of the record that routes read as `tender`."""
    written = at(node, "of")
    if not isinstance(written, Scalar):
        return None, None if node is None else HOLE
    checked = read_expression(written, flow.context, start=int(written.text.startswith("=")))
    if checked is None:
        return None, HOLE
    listed = required(checked.type)
    record = listed.item if isinstance(listed, ListType) else HOLE if isinstance(listed, Hole) else None
    if not isinstance(record, Hole) and not (isinstance(record, RecordType) and _is_tender(record)):
        message = f"a list of tenders is due here, and this is `{checked.type}`"
        hint = (
            "give a list of `tender`, or of a record of your own with at least `id: text` and `amount: money`"
        )
        flow.context.diagnostics.add("AM202", written.place, message, hint=hint)
        return None, HOLE
    term: Term = Computed(checked=checked, place=written.place)
    in_order = word(at(node, "split")) == "in_order"
    return Tenders(of=term, split="in_order" if in_order else "pro_rata"), record


def _is_tender(record: RecordType) -> bool:
    return record.field("id") == TEXT and isinstance(record.field("amount"), MoneyType)


def _tier(node: Fields, flow: Flow) -> Tier:
    above, count = node.get("above"), node.get("count")
    number = read_constant(count, INT, flow.context) if count is not None else None
    if count is not None and number and number.value < 1:
        flow.context.diagnostics.add("AM106", count.place, "at least 1 approval is due here")
    barred = (read_expression(item, flow.context, expect=TEXT) for item in items(node.get("not")))
    return Tier(
        condition=read_condition(node, flow.context),
        above=read_term(above, flow.currency, flow.context) if above is not None else None,
        by=flow.known(node.get("by"), "role", flow.roles),
        count=number.value if number else 1,
        distinct=word(node.get("distinct")) != "false",
        by_name=word(node.get("distinct")) == "by_name",
        excluded=tuple(checked for checked in barred if checked),
    )


def _shared(nodes: Iterable[Node], flow: Flow, balances: tuple[str, ...]) -> Iterator[tuple[str, Computed]]:
    """Yield the balances that are named, each with the expression that asks how it stands."""
    for node in nodes:
        for name in flow.known(node, "balance", balances):
            if checked := read_expression(node, flow.context):
                yield name, Computed(checked=checked, place=node.place)


def _routes(payout: str, node: Node | None, flow: Flow) -> tuple[Route, ...]:
    nodes = [item for item in items(node) if isinstance(item, Fields)]
    routes = tuple(_route(item, flow, index) for index, item in enumerate(nodes))
    ids = zip((route.id for route in routes), nodes, strict=True)
    tell_apart(ids, f"routes of `{payout}`", flow.context.diagnostics)
    return routes


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
