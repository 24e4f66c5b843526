"""Values about other cases: lookups and balances, read into the records of policy.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Literal, get_args

from ..diagnostics import Place
from ..document import Fields, Node, Scalar
from ..expression import Declared
from ..moment import CompiledMoment
from ..policy import Balance, CalendarUnit, Field, Leg, Lookup
from ..rules.compiled_moment import Given
from ..rules.condition import Context, read_expression
from ..types import (
    INT,
    ListType,
    MapType,
    MoneyType,
    RecordType,
    Type,
    optional,
    required,
)
from .scope import PolicyScope
from .shape import at, entries, items, known, names, says, word
from .vocabulary import Types

_ANY: Final = "any"
_OPEN: Final = "any_open"
#: The key that says what a lookup is, and what that is called.
_KINDS: Final[Mapping[str, Literal["count", "sum", "host"]]] = {
    "count": "count",
    "sum": "sum",
    "type": "host",
}
#: Keys that say which other cases are meant; the host is asked by `of` alone.
_OF_CASES: Final = frozenset({"same", "policy", "in", "decision", "within"})


class Lookups:
    """The lookups and balances of one document; `declare` adds their names to the scope."""

    def __init__(
        self,
        node: Node,
        context: Context,
        scope: PolicyScope,
        types: Types,
        *,
        policy: str,
        facts: Mapping[str, Field],
        sources: Iterable[str],
        moment: Callable[[Node], CompiledMoment | None],
    ) -> None:
        self.node = node
        self.context = context
        self.scope = scope
        self.types = types
        self.policy = policy
        self.facts = facts
        self.sources = tuple(sources)
        #: Reads a moment that may leave out what it counts from.
        self.moment = moment
        self.diagnostics = context.diagnostics
        self.lookups: dict[str, Lookup] = {}
        self.balances: dict[str, Balance] = {}

    def declare(self) -> None:
        """Declare lookups and balances, to be read when first asked for."""
        for name, key, value in entries(at(self.node, "lookups")):
            self.scope.declare_lazily(name, "lookup", key.place, value, partial(self._lookup, key, value))
        for name, key, value in entries(at(self.node, "balances")):
            self.scope.declare_lazily(name, "balance", key.place, value, partial(self._balance, name, value))

    # --- lookups ------------------------------------------------------------------------------------------------------

    def _lookup(self, key: Scalar, node: Node) -> Declared | None:
        # First what may name others: until these are read it is given up, and nothing may have been told by then.
        written = at(node, "within")
        within = self._within(written) if written is not None else None
        name, kind = key.text, self._kind(key, node)
        if kind is None or (written is not None and within is None):
            return None
        payout, _, figure = (word(at(node, "sum")) or "").partition(".")
        rule = self.lookups[name] = Lookup(
            name=name,
            kind=kind,
            type=self._type(name, node),
            same=self._facts(at(node, "of" if kind == "host" else "same")),
            policies=() if kind == "host" else self._policies(at(node, "policy")),
            states=(),
            decisions=names(at(node, "decision")),
            payout=payout or None,
            figure="paid" if figure == "paid" else "granted" if payout else None,
            within=within,
            says=says(at(node, "says")),
            sources=known(at(node, "source"), "source", self.sources, self.diagnostics),
            place=node.place,
        )
        return self._declared(rule)

    def _type(self, name: str, node: Node) -> Type:
        written = at(node, "type")
        if written is not None:
            return required(self.types.read(written, name))
        return INT if at(node, "count") is not None else MoneyType(self.context.currency)

    def _declared(self, rule: Lookup) -> Declared:
        may_miss = {fact for fact in rule.same if self.facts[fact].type != required(self.facts[fact].type)}
        reads = {rule.name, *rule.same}
        if isinstance(rule.within, CompiledMoment):
            may_miss |= rule.within.may_miss
            reads |= rule.within.reads
        if rule.kind == "host":
            may_miss.add(rule.name)
        return Declared(
            type=optional(rule.type) if may_miss else rule.type,
            kind="lookup",
            may_miss=frozenset(may_miss),
            reads=frozenset(reads),
        )

    def _kind(self, key: Scalar, node: Node) -> Literal["count", "sum", "host"] | None:
        """Return whether a lookup counts, sums or is told by the host."""
        if not isinstance(node, Fields):
            return None
        heads = [head for head, _ in node.entries if head.text in _KINDS]
        if not heads:
            hint = "count cases, sum what a payout granted or paid, or give the type of what the host tells"
            message = f"the lookup `{key.text}` needs one of `count`, `sum` and `type` to say what it is"
            self.diagnostics.add("AM103", key.place, message, hint=hint)
            return None
        for extra in heads[1:]:
            message = f"`{heads[0].text}` and `{extra.text}` cannot stand together"
            self.diagnostics.add("AM102", extra.place, message, hint="make two lookups of them")
        head = heads[0].text
        for written, _ in node.entries:
            if head == "type" and written.text in _OF_CASES:
                message = f"`{written.text}` speaks of other cases, and this is told by the host"
                hint = "name the facts that the host looks it up by under `of`"
                self.diagnostics.add("AM102", written.place, message, hint=hint)
            elif head != "type" and written.text == "of":
                message = "`of` is for what the host tells, and this is told by other cases"
                hint = "name the facts that they share under `same`"
                self.diagnostics.add("AM102", written.place, message, hint=hint)
        return _KINDS[head] if len(heads) == 1 else None

    def _policies(self, node: Node | None) -> tuple[str, ...]:
        """Return the policies whose cases count: this one, those that are named, or none in particular for `any`."""
        written = names(node)
        return () if written == (_ANY,) else written or (self.policy,)

    def _within(self, node: Node) -> CompiledMoment | CalendarUnit | None:
        """Read how far back a lookup looks: a period, or what the calendar is in."""
        if isinstance(node, Scalar) and node.text.startswith("calendar "):
            units: tuple[CalendarUnit, ...] = get_args(CalendarUnit)
            unit = node.text.removeprefix("calendar ").strip()
            found = next((known for known in units if known == unit), None)
            if found is None:
                hint = self.diagnostics.near(unit, units)
                place = node.place_of(len(node.text) - len(unit), len(node.text))
                self.diagnostics.add("AM106", place, f"the calendar has no `{unit[:60]}`", hint=hint)
            return found
        moment = self.moment(node)
        if moment is None:
            return None
        if (
            not isinstance(moment.base, Given)
            or len(moment.steps) != 1
            or moment.steps[0].direction != "after"
        ):
            hint = "write a period such as `90 days`, or `calendar month`"
            message = "`within` says how far a lookup looks back from the step that reads it"
            self.diagnostics.add("AM207", node.place, message, hint=hint)
            return None
        return replace(moment, steps=(replace(moment.steps[0], direction="before"),))

    def _facts(self, node: Node | None) -> tuple[str, ...]:
        """Return the facts that a node names, which other cases share or the host looks up by."""
        found = known(node, "fact", self.facts, self.diagnostics)
        written = {item.text: item.place for item in items(node) if isinstance(item, Scalar)}
        return tuple(name for name in found if self._is_simple(name, written[name]))

    def _is_simple(self, name: str, place: Place) -> bool:
        """Report a fact that nothing can be found by: one of many parts, or one that the journal does not hold."""
        fact = self.facts[name]
        if isinstance(required(fact.type), ListType | MapType | RecordType):
            hint = "use a fact with a simple value, such as a text"
            message = f"nothing can be found by `{name}`, which is a `{required(fact.type)}`"
            self.diagnostics.add("AM202", place, message, hint=hint)
            return False
        if fact.sensitive:
            hint = "use an id that is not `sensitive`"
            message = f"`{name}` is sensitive, and would stand as it is in the question"
            self.diagnostics.add("AM208", place, message, hint=hint)
            return False
        return True

    # --- balances -----------------------------------------------------------------------------------------------------

    def _balance(self, name: str, node: Node) -> Declared | None:
        written, money = at(node, "limit"), MoneyType(self.context.currency)
        limit = read_expression(written, self.context, expect=money) if written is not None else None
        of = self._facts(at(node, "of"))
        if limit is None or not of:
            return None
        self.balances[name] = Balance(
            name=name,
            of=of[0],
            limit=limit,
            says=says(at(node, "says")),
            sources=known(at(node, "source"), "source", self.sources, self.diagnostics),
            place=node.place,
        )
        fact = self.facts[of[0]]
        may_miss = limit.may_miss | ({of[0]} if fact.type != required(fact.type) else set())
        record = RecordType(name, (("limit", money), ("taken", money), ("left", money)))
        return Declared(
            type=optional(record) if may_miss else record,
            kind="balance",
            may_miss=frozenset(may_miss),
            reads=limit.reads | {name, of[0]},
        )

    # --- what the flow tells ------------------------------------------------------------------------------------------

    def with_flow(self, legs: Iterable[Leg], payouts: Iterable[str]) -> dict[str, Lookup]:
        """Return the lookups with their states; states and payouts of other policies are taken as they are written."""
        states = {name: state.final is None for leg in legs for name, state in leg.states.items()}
        found = {}
        for name, rule in self.lookups.items():
            node = at(at(self.node, "lookups"), name)
            where, summed = at(node, "in"), at(node, "sum")
            if rule.policies != (self.policy,):
                for item in items(where):
                    if isinstance(item, Scalar) and item.text == _OPEN:
                        message = "which states of other policies are open is not known here"
                        hint = "name the states, or leave `policy` out"
                        self.diagnostics.add("AM104", item.place, message, hint=hint)
                found[name] = replace(rule, states=names(where))
                continue
            if rule.payout and isinstance(summed, Scalar) and rule.payout not in payouts:
                place = summed.place_of(0, len(rule.payout))
                near = self.diagnostics.near(rule.payout, payouts)
                self.diagnostics.add("AM104", place, f"there is no payout `{rule.payout[:60]}`", hint=near)
            named = known(where, "state", [*states, _OPEN], self.diagnostics)
            is_open = tuple(state for state, goes_on in states.items() if goes_on)
            inside = (state for each in named for state in (is_open if each == _OPEN else (each,)))
            found[name] = replace(rule, states=tuple(dict.fromkeys(inside)))
        return found
