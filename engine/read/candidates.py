"""Candidates, their outcomes and their actions, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostics, did_you_mean, meant
from ..document import Fields, Items, Node, Scalar
from ..expression import Checked
from ..moment import CompiledMoment
from ..policy import RESULTS, Action, Ask, Candidate, Field, Outcome, Pay
from ..rules.condition import Computed, Constant, Context, Term, read_condition, read_expression, read_term
from ..types import BOOL, EnumType, MoneyType, Type, required
from .shape import at, entries, items, known, tell_apart, unknown, word

#: What a candidate may say of an event that is taken.
_DONE = frozenset({"to", "set", "do", "reason", "alarm"})
#: Keys of a candidate that speak of who sends the event, or of the event itself.
_SENT = frozenset({"by", "refuse"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What reading the flow needs to know of the vocabulary and the rules."""

    context: Context
    roles: Mapping[str, object]
    facts: Mapping[str, Field]
    effects: Mapping[str, tuple[Field, ...]]
    #: Every event that may arrive, those of payouts included.
    events: frozenset[str]
    payouts: frozenset[str]
    sources: frozenset[str]
    #: Every state, by the leg it belongs to.
    states: Mapping[str, str]
    legs: tuple[str, ...]
    reason: EnumType
    currency: MoneyType
    #: Reads a moment.
    moment: Callable[[Node], CompiledMoment | None]
    #: Reads a moment, or a period alone, which then counts from the start of the clock.
    due: Callable[[Node], CompiledMoment | None]
    #: The leg whose states `to` may name; None for a clock of the case, whose outcomes may move any.
    leg: str | None = None

    def known(self, node: Node | None, what: str, among: Iterable[str]) -> tuple[str, ...]:
        """Return the declared names that a node writes; others are reported."""
        return known(node, what, tuple(among), self.context.diagnostics)

    def states_here(self) -> tuple[str, ...]:
        """Return the states that `to` may name."""
        return tuple(name for name, leg in self.states.items() if self.leg in {None, leg})


def read_candidates(node: Node | None, flow: Flow, prefix: str) -> tuple[Candidate, ...]:
    """Read a candidate, or a list of them; `prefix` is where they stand, and numbers their ids."""
    if node is None:
        return ()
    many = isinstance(node, Items)
    found = [
        (read_candidate(item, flow, f"{prefix}[{index}]" if many else prefix), item)
        for index, item in enumerate(items(node), 1)
        if isinstance(item, Scalar | Fields)
    ]
    ids = ((candidate.id, item) for candidate, item in found)
    tell_apart(ids, f"candidates of `{prefix}`", flow.context.diagnostics)
    return tuple(candidate for candidate, _ in found)


def read_candidate(node: Scalar | Fields, flow: Flow, name: str) -> Candidate:
    """Read one candidate; a text alone is its `to`."""
    if isinstance(node, Scalar):
        return Candidate(id=name, place=node.place, outcome=Outcome(to=_target(node, flow)))
    return Candidate(
        id=word(node.get("id")) or name,
        place=node.place,
        outcome=read_outcome(node, flow),
        by=flow.known(node.get("by"), "role", flow.roles),
        condition=read_condition(node, flow.context),
        needs=read_needs(node.get("needs"), flow),
        unknown=_unknown(node.get("unknown"), flow),
        sources=flow.known(node.get("source"), "source", flow.sources),
    )


def _unknown(node: Node | None, flow: Flow) -> Outcome | None:
    if isinstance(node, Scalar):
        return Outcome(to=_target(node, flow))
    return read_outcome(node, flow) if isinstance(node, Fields) else None


def _target(node: Node | None, flow: Flow) -> str | None:
    if not isinstance(node, Scalar):
        return None
    leg = flow.states.get(node.text)
    if leg is None:
        unknown(node, "state", flow.states_here(), flow.context.diagnostics)
        return None
    if flow.leg not in {None, leg}:
        message = (
            f"`{node.text}` is a state of the leg `{leg}`, and what stands here moves the leg `{flow.leg}`"
        )
        hint = f"let a state of `{leg}` listen to the same event, or give it an `always` that asks for `{flow.leg}.state`"
        flow.context.diagnostics.add("AM104", node.place, message, hint=hint)
        return None
    return node.text


def read_outcome(node: Fields, flow: Flow) -> Outcome:
    """Read what happens when a candidate is taken."""
    context = flow.context
    _refuses_only(node, context.diagnostics)

    def term(key: str, type_: Type) -> Term | None:
        value = node.get(key)
        return read_term(value, type_, context) if value is not None else None

    return Outcome(
        to=_target(node.get("to"), flow),
        sets=read_sets(node.get("set"), flow),
        do=read_actions(node.get("do"), flow),
        decision=_decision(node.get("decision"), flow),
        reason=term("reason", flow.reason),
        refuse=term("refuse", flow.reason),
        alarm=flow.known(node.get("alarm"), "role", flow.roles),
    )


def _refuses_only(fields: Fields, diagnostics: Diagnostics) -> None:
    """Report what would be done by an outcome that refuses: a refused event moves nothing."""
    for key, _ in fields.entries if "refuse" in fields else ():
        if key.text in _DONE:
            message = f"`{key.text}` does not go with `refuse`, for a refused event moves nothing"
            hint = f"remove `{key.text}`, or write `reason` instead of `refuse` if the event is to be taken"
            diagnostics.add("AM101", key.place, message, hint=hint)


def _decision(node: Node | None, flow: Flow) -> Term | None:
    """Read a decision: a text, or an expression of any type that a report can show."""
    if isinstance(node, Scalar):
        if node.text.startswith("="):
            checked = read_expression(node, flow.context, start=1)
            return Computed(checked=checked, place=node.place) if checked else None
        return Constant(value=node.text, place=node.place)
    return None


def read_sets(node: Node | None, flow: Flow) -> tuple[tuple[str, Term | None], ...]:
    """Read `set`: facts, each with the expression of its new value, or None to clear it."""
    found: list[tuple[str, Term | None]] = []
    for name, key, value in entries(node):
        fact = flow.facts.get(name)
        if fact is None:
            unknown(key, "fact", flow.facts, flow.context.diagnostics)
        elif isinstance(value, Scalar) and value.value is None:
            if fact.type == required(fact.type):
                message = f"the fact `{name}` cannot be cleared, for it is not optional"
                flow.context.diagnostics.add("AM106", value.place, message)
            found.append((name, None))
        elif term := read_term(value, required(fact.type), flow.context, expression=True):
            found.append((name, term))
    return tuple(found)


def read_needs(node: Node | None, flow: Flow) -> tuple[tuple[str, Checked], ...]:
    """Read `needs`: paths of facts or record fields, each with the expression that asks whether it is there."""
    found = []
    for item in items(node):
        if not isinstance(item, Scalar):
            continue
        path = item.text.strip()
        if read_expression(item, flow.context) is None:
            continue
        asked = Scalar(text=f"has({path})", value=None, plain=False, stands=item.place)
        if checked := read_expression(asked, flow.context, expect=BOOL):
            found.append((path, checked))
    return tuple(found)


def read_actions(node: Node | None, flow: Flow) -> tuple[Action, ...]:
    """Read a list of actions; each is a map whose first key says what to do."""
    found = (read_action(item, flow) for item in items(node) if isinstance(item, Fields))
    return tuple(action for action in found if action)


def read_action(node: Fields, flow: Flow) -> Action | None:
    """Read one action: an effect, or `pay`, `grant`, `reverse`."""
    diagnostics = flow.context.diagnostics
    verbs = [(key, value) for key, value in node.entries if key.text != "amount"]
    if len(verbs) != 1:
        place = verbs[1][0].place if verbs else node.place
        diagnostics.add(
            "AM102", place, "an action is a map of one key", hint="begin a new item of the list with `-`"
        )
        return None
    key, value = verbs[0]
    amount = node.get("amount")
    if key.text in ("pay", "grant", "reverse"):
        return _pay(key, value, amount, flow, node)
    if amount is not None:
        message = f"`amount` does not go with `{key.text[:60]}`"
        diagnostics.add("AM101", node.key("amount").place, message)  # type: ignore[union-attr] # it is there
    if key.text not in flow.effects:
        unknown(key, "effect", [*flow.effects, "pay", "grant", "reverse"], diagnostics)
        return None
    return _ask(key, value, flow)


def _pay(key: Scalar, value: Node, amount: Node | None, flow: Flow, node: Fields) -> Action | None:
    if key.text == "pay" and amount is not None:
        hint = "write `grant` with the amount, and then `pay`"
        place = (node.key("amount") or amount).place
        flow.context.diagnostics.add("AM101", place, f"`amount` does not go with `{key.text}`", hint=hint)
    payout = flow.known(value, "payout", flow.payouts)
    term = read_term(amount, flow.currency, flow.context, expression=True) if amount is not None else None
    verb = key.text
    if not payout or verb not in ("pay", "grant", "reverse"):
        return None
    return Pay(verb=verb, payout=payout[0], amount=term, place=node.place)  # type: ignore[arg-type] # one of the verbs


def _ask(key: Scalar, value: Node, flow: Flow) -> Ask:
    declared = {item.name: item for item in flow.effects[key.text]}
    fields: list[tuple[str, Term]] = []
    misspelt = set()
    for name, field_key, written in entries(value):
        if name not in declared:
            hint = did_you_mean(name, declared)
            message = f"the effect `{key.text}` has no field `{name[:60]}`"
            flow.context.diagnostics.add("AM104", field_key.place, message, hint=hint)
            misspelt.add(meant(hint))
        elif term := read_term(written, required(declared[name].type), flow.context):
            fields.append((name, term))
    given = dict(fields)
    for name, item in declared.items():
        if name in given or name in misspelt or at(value, name) is not None:
            continue
        if item.default:
            fields.append((name, item.default))
        elif item.type == required(item.type):
            flow.context.diagnostics.add(
                "AM103", key.place, f"the effect `{key.text}` needs the field `{name}`"
            )
    return Ask(effect=key.text, fields=tuple(fields), place=key.place)


def told(node: Node | None, flow: Flow, event: str) -> Node | None:
    """Report what would refuse an event that tells what has become of money: that is so, whoever likes it."""
    for item in items(node) if event.rpartition(".")[0] and event.rpartition(".")[2] in RESULTS else ():
        for fields in (item, at(item, "unknown")):
            for key, _ in fields.entries if isinstance(fields, Fields) else ():
                if key.text == "refuse":
                    message = f"`refuse` does not go with `{event}`, which tells what has become of money"
                    hint = "remove it; what is not to be asked for is held by a route of the payout"
                    flow.context.diagnostics.add("AM101", key.place, message, hint=hint)
    return node


def unsent(node: Node | None, flow: Flow, where: str) -> Node | None:
    """Report what a candidate cannot have where nobody sends an event: a role to take it, an event to refuse."""
    for item in items(node):
        for fields in (item, at(item, "unknown")):
            for key, _ in fields.entries if isinstance(fields, Fields) else ():
                if key.text in _SENT:
                    message = f"`{key.text}` needs an event that somebody sends, and {where} has none"
                    flow.context.diagnostics.add("AM101", key.place, message)
    return node
