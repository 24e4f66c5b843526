"""What happens: states, candidates, clocks, escalations, payouts and actions, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..condition import (
    Computed,
    Condition,
    Constant,
    Context,
    Term,
    read_condition,
    read_constant,
    read_expression,
    read_term,
)
from ..diagnostics import did_you_mean, meant
from ..document import Fields, Items, Node, Scalar
from ..expression import Checked
from ..moment import CompiledMoment
from ..policy import (
    Action,
    Ask,
    Candidate,
    Escalation,
    Field,
    Leg,
    Outcome,
    Pay,
    Sla,
    State,
)
from ..types import BOOL, EnumType, MoneyType, Type, required
from .shape import at, entries, flag, items, known, says, unknown, word

#: Keys of a candidate that an unconditional one lacks.
#: What people write for `true` from habit.
_YES = frozenset({"yes", "on", "y", "true"})
_CONDITIONS = frozenset({"when", "all", "any", "unless"})
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
    states: frozenset[str]
    reason: EnumType
    currency: MoneyType
    #: Reads a moment.
    moment: Callable[[Node], CompiledMoment | None]
    #: Reads a moment, or a period alone, which then counts from the start of the clock.
    due: Callable[[Node], CompiledMoment | None]

    def known(self, node: Node | None, what: str, among: Iterable[str]) -> tuple[str, ...]:
        """Return the declared names that a node writes; others are reported."""
        return known(node, what, tuple(among), self.context.diagnostics)


def read_candidates(node: Node | None, flow: Flow, prefix: str) -> tuple[Candidate, ...]:
    """Read a candidate, or a list of them; `prefix` is where they stand, and numbers their ids."""
    if node is None:
        return ()
    nodes = items(node)
    many = isinstance(node, Items)
    found = []
    for index, item in enumerate(nodes):
        if isinstance(item, Scalar | Fields):
            found.append(read_candidate(item, flow, f"{prefix}[{index + 1}]" if many else prefix))
    return tuple(found)


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
    if node.text not in flow.states:
        unknown(node, "state", flow.states, flow.context.diagnostics)
        return None
    return node.text


def read_outcome(node: Fields, flow: Flow) -> Outcome:
    """Read what happens when a candidate is taken."""
    context = flow.context

    def term(key: str, type_: Type) -> Term | None:
        value = node.get(key)
        return read_term(value, type_, context) if value is not None else None

    return Outcome(
        to=_target(node.get("to"), flow),
        sets=_sets(node.get("set"), flow),
        do=read_actions(node.get("do"), flow),
        decision=_decision(node.get("decision"), flow),
        reason=term("reason", flow.reason),
        refuse=term("refuse", flow.reason),
        alarm=flow.known(node.get("alarm"), "role", flow.roles),
    )


def _decision(node: Node | None, flow: Flow) -> Term | None:
    """Read a decision: a text, or an expression of any type that a report can show."""
    if isinstance(node, Scalar):
        if node.text.startswith("="):
            checked = read_expression(node, flow.context, start=1)
            return Computed(checked=checked, place=node.place) if checked else None
        return Constant(value=node.text, place=node.place)
    return None


def _sets(node: Node | None, flow: Flow) -> tuple[tuple[str, Term | None], ...]:
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
        asked = Scalar(text=f"has({path})", value=None, plain=False, place=item.place)
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
    if key.text != "grant" and amount is not None:
        hint = "write `grant` with the amount, and then `pay`" if key.text == "pay" else None
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


def read_states(node: Node | None, flow: Flow, name: str) -> Leg:
    """Read a leg: its states, of which one is initial."""
    states = {name: read_state(key, value, flow) for name, key, value in entries(node)}
    initial = [state for state in states.values() if state.initial]
    diagnostics = flow.context.diagnostics
    if states and not initial:
        first = next(iter(states.values()))
        hint = f"write `initial: true` under the state a case opens in, such as `{first.name}`"
        diagnostics.add("AM301", first.place, "no state is initial", hint=hint)
    for extra in initial[1:]:
        related = [("the first one", initial[0].place)]
        diagnostics.add("AM301", extra.place, f"`{extra.name}` is a second initial state", related=related)
    return Leg(name=name, states=states, initial=initial[0].name if initial else next(iter(states), ""))


def read_state(key: Scalar, node: Node, flow: Flow) -> State:
    """Read one state, placed where it is named; nothing at all is a state where nothing is declared."""
    name = key.text
    on: dict[str, tuple[Candidate, ...]] = {}
    for event, listened, value in entries(at(node, "on")):
        if event not in flow.events:
            unknown(listened, "event", flow.events, flow.context.diagnostics)
            continue
        on[event] = read_candidates(value, flow, f"{name}.on.{event}")
    return State(
        name=name,
        place=key.place,
        initial=flag(at(node, "initial")) or (word(at(node, "initial")) or "").lower() in _YES,
        final=_final(at(node, "final"), flow),
        waits_for=flow.known(at(node, "waits_for"), "role", flow.roles),
        says=says(at(node, "says")),
        slas=read_slas(at(node, "sla"), flow, state=name),
        on=on,
        always=read_candidates(_unsent(at(node, "always"), flow, "`always`"), flow, f"{name}.always"),
        enter=read_actions(at(node, "enter"), flow),
        exit=read_actions(at(node, "exit"), flow),
    )


def _unsent(node: Node | None, flow: Flow, where: str) -> Node | None:
    """Report what a candidate cannot have where nobody sends an event: a role to take it, an event to refuse."""
    for item in items(node):
        for fields in (item, at(item, "unknown")):
            for key, _ in fields.entries if isinstance(fields, Fields) else ():
                if key.text in _SENT:
                    message = f"`{key.text}` needs an event that somebody sends, and {where} has none"
                    flow.context.diagnostics.add("AM101", key.place, message)
    return node


def _final(node: Node | None, flow: Flow) -> str | None:
    if not isinstance(node, Scalar) or node.value is False:
        return None
    if node.value is True:
        return "closed"
    if node.text.lower() in _YES and node.text not in flow.reason.values:
        place, hint = node.place, "write `true`"
        flow.context.diagnostics.add("AM104", place, f"`{node.text}` is not a reason", hint=hint)
        return "closed"
    constant = read_constant(node, flow.reason, flow.context)
    return constant.value if constant else "closed"


def read_slas(node: Node | None, flow: Flow, *, state: str | None) -> tuple[Sla, ...]:
    """Read the clocks of a state, or of the case; a due alone is a clock named after its state."""
    if node is None:
        return ()
    if isinstance(node, Scalar) or _is_moment(node):
        due = flow.due(node)
        if due is None or state is None:
            return ()
        return (Sla(id=f"{state}/{state}", name=state, state=state, due=due, place=node.place, says={}),)
    found = (read_sla(key, value, flow, state) for key, _, value in entries(node))
    return tuple(sla for sla in found if sla)


def _is_moment(node: Node) -> bool:
    return isinstance(node, Fields) and any(
        key in node for key in ("within", "after", "from", "before", "later_of", "earlier_of")
    )


def read_sla(name: str, node: Node, flow: Flow, state: str | None) -> Sla | None:
    """Read one clock: a due alone, or a map with `due`."""
    alone = isinstance(node, Scalar) or _is_moment(node)
    written = node if alone else at(node, "due")
    due = flow.due(written) if written is not None else None
    if due is None:
        return None
    fields = None if alone else node
    identity = f"{state}/{name}" if state else name
    known_here = sorted(flow.events | flow.states)
    return Sla(
        id=identity,
        name=name,
        state=state,
        due=due,
        place=node.place,
        reminders=tuple(r for r in (flow.due(item) for item in items(at(fields, "remind"))) if r),
        pause_while=_pause(at(fields, "pause_while"), flow),
        breach=read_candidates(at(fields, "breach"), flow, f"{identity}.breach"),
        starts=flow.known(at(fields, "starts"), "state or event", known_here),
        met_by=flow.known(at(fields, "met_by"), "event or state", known_here),
        live=flag(at(fields, "live")),
        until_met=word(at(fields, "until")) == "met",
        says=says(at(fields, "says")),
        sources=flow.known(at(fields, "source"), "source", flow.sources),
    )


def _pause(node: Node | None, flow: Flow) -> Condition | None:
    if node is None:
        return None
    key = Scalar(text="when", value="when", plain=True, place=node.place)
    return read_condition(Fields(entries=((key, node),), place=node.place), flow.context)


def read_escalations(node: Node | None, flow: Flow, legs: Iterable[Leg]) -> tuple[Escalation, ...]:
    """Read `escalations`: candidates that hold across states."""
    every = {name: state for leg in legs for name, state in leg.states.items()}
    still_open = frozenset(name for name, state in every.items() if state.final is None)
    found = []
    for name, key, value in entries(node):
        if not isinstance(value, Fields):
            continue
        where = value.get("in")
        named = (
            frozenset(flow.known(where, "state", [*every, "any_open"])) if where is not None else frozenset()
        )
        inside = still_open | (named - {"any_open"}) if where is None or "any_open" in named else named
        triggers = [k for k in ("on", "at") if k in value]
        if len(triggers) > 1:
            message = f"the escalation `{name}` is set off by `on` and by `at`"
            hint = "keep one of them, or make two escalations of it"
            flow.context.diagnostics.add("AM102", value.key("at").place, message, hint=hint)  # type: ignore[union-attr] # it is there
        elif not triggers and not _has_condition(value):
            message = f"the escalation `{name}` needs one of `on`, `when` and `at` to say what sets it off"
            flow.context.diagnostics.add("AM103", key.place, message)
        if "on" not in value:
            _unsent(value, flow, "this escalation")
        event = flow.known(value.get("on"), "event", flow.events)
        moment = value.get("at")
        candidate = read_candidate(value, flow, f"escalations.{name}")
        found.append(
            Escalation(
                name=name,
                states=inside,
                candidate=candidate,
                event=event[0] if event else None,
                when=candidate.condition if not triggers else None,
                at=flow.moment(moment) if moment is not None else None,
            )
        )
    return tuple(found)


def _has_condition(node: Fields) -> bool:
    return not _CONDITIONS.isdisjoint(node.keys())
