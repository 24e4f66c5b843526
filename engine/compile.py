"""A positioned document to a compiled policy, with every finding at its place.

Reading goes on past mistakes, so that an author sees all of them at once; a policy comes out only where there is no error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from .case import PolicyRef
from .checks.run import run_checks
from .diagnostics import ENOUGH, Diagnostic, Diagnostics, EnoughError
from .document import Fields, Node, Scalar, below
from .errors import InvalidValue
from .expression import Declared
from .money import ROUNDINGS, Rounding
from .policy import CompiledPolicy, Event, Field, InForce, Leg, PayoutRule, Sla
from .read.almanac import Expanded, PolicyAlmanac
from .read.candidates import Flow
from .read.clocks import read_slas
from .read.flow import read_escalations, read_leg
from .read.legs import states_by_leg, written_legs
from .read.lookups import Lookups
from .read.migration import read_migrates
from .read.payouts import payout_declared, payout_events, read_payout, read_result, reported_by
from .read.rules import Rules
from .read.scope import PolicyScope
from .read.sentences import read_reasons
from .read.shape import at, entries, known, says, unknown, word
from .read.vocabulary import (
    BUILT_IN_FACTS,
    BUILT_IN_REASONS,
    Types,
    clashing_fields,
    read_default,
    read_event,
    read_field,
    read_roles,
    read_sources,
    read_type,
    record_type,
)
from .rules.condition import (
    Condition,
    Context,
    Term,
    check_currency,
    read_condition,
    read_term,
)
from .types import (
    TEXT,
    TIMESTAMP,
    EnumType,
    MoneyType,
    RecordType,
    optional,
    required,
)
from .values import parse_timestamp


def compile_policy(
    node: Node,
    ref: PolicyRef,
    holidays: Mapping[str, Expanded],
    *,
    shapely: bool = True,
    under: tuple[Node, ...] = (),
) -> tuple[CompiledPolicy | None, tuple[Diagnostic, ...]]:
    """Compile a document that the schema has judged.

    Args:
        node: the document, overlays applied.
        ref: what cases of this policy are pinned to.
        holidays: what each holiday code that the document names stands for.
        shapely: whether the schema found nothing. Else the policy as a whole is not looked at: a state seems to have no
            way out where only a key of its clock is misspelt.
        under: the documents that it is laid over, each resolved, the lowest first.
    Returns:
        The policy, or None where there is an error, and every finding in the order of the file.
    """
    diagnostics = Diagnostics(most=ENOUGH)
    try:
        policy = _Compiler(node, ref, holidays, diagnostics, under).policy()
    except EnoughError:
        return None, diagnostics.sorted()
    diagnostics.most = None
    if shapely and not diagnostics.has_errors:
        run_checks(policy, diagnostics, node)
    return (None if diagnostics.has_errors else policy), diagnostics.sorted()


class _Compiler:
    """Reads one document; each part is a method, and `policy` puts them together."""

    def __init__(
        self,
        node: Node,
        ref: PolicyRef,
        holidays: Mapping[str, Expanded],
        diagnostics: Diagnostics,
        under: tuple[Node, ...] = (),
    ) -> None:
        self.node = node
        self.ref = ref
        self.under = under
        self.diagnostics = diagnostics
        self.legs = written_legs(node)
        self.roles, self.host = read_roles(at(node, "roles"), diagnostics)
        self.sources = read_sources(at(node, "sources"), diagnostics)
        self.reason = EnumType(
            "reason", (*(key for key, _, _ in entries(at(node, "reasons"))), *BUILT_IN_REASONS)
        )
        role = EnumType("role", tuple(self.roles))
        written = word(at(node, "currency")) or ""
        self.currency = None if written.startswith("=") or not written else written
        named = {"reason": self.reason, "role": role}
        self.types = Types(at(node, "types"), diagnostics, named, self.currency)
        self.scope = PolicyScope(diagnostics, self.types.named, self._record_names)
        self.context = Context(
            scope=self.scope, diagnostics=diagnostics, currency=self.currency, homes=self.scope.homes
        )
        self.almanac = PolicyAlmanac(node, holidays, self.context)
        #: What is said of results of payouts, by names such as `credit.failed`.
        self.results: dict[str, Event] = {}
        self.rules = Rules(
            node,
            self.context,
            self.scope,
            self.types,
            reason=self.reason,
            sources=self.sources,
            almanac=self.almanac,
            under=under,
        )

    def _record_names(self) -> Iterator[str]:
        for name, _, value in entries(at(self.node, "types")):
            if isinstance(value, Fields):
                yield name

    # --- vocabulary ---------------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, Field]:
        """Read `facts` without their defaults, and declare their names."""
        found: dict[str, Field] = {}
        for name, type_ in BUILT_IN_FACTS.items():
            place = self.node.place
            found[name] = Field(name=name, type=type_, default=None, sensitive=False, says={}, place=place)
        for name, key, value in entries(at(self.node, "facts")):
            found[name] = read_type(name, value, self.types)
            is_text = isinstance(required(found[name].type), EnumType) or required(found[name].type) == TEXT
            if name in BUILT_IN_FACTS and not is_text:
                self.diagnostics.add("AM105", key.place, f"the fact `{name}` is built in, and is a text")
        for name, item in found.items():
            missing = frozenset({name}) if item.type != required(item.type) else frozenset()
            declared = Declared(type=item.type, kind="fact", may_miss=missing, reads=frozenset({name}))
            section = at(self.node, "facts")
            written = section.key(name) if isinstance(section, Fields) else None
            self.scope.declare(name, "fact", (written or item).place, declared)
        return found

    def events(self) -> tuple[dict[str, Event], dict[str, RecordType]]:
        """Read `events`, and declare the records that they leave."""
        found: dict[str, Event] = {}
        by_record: dict[str, list[Event]] = defaultdict(list)
        own = {*payout_events(at(self.node, "payouts"))}
        for name, key, value in entries(at(self.node, "events")):
            if "." in name:
                if name not in own:
                    unknown(key, "event of a payout", own, self.diagnostics)
                    continue
                result = self.results[name] = read_result(name, value, self.roles, self.diagnostics)
                if result.keep_as:
                    by_record[result.keep_as].append(result)
                continue
            event = read_event(name, value, self.roles, self.host, self.types, self.context)
            found[name] = event
            by_record[name].append(event)
            if event.keep_as and event.keep_as != name:
                by_record[event.keep_as].append(event)
        records = {name: record_type(name, events) for name, events in by_record.items()}
        for name, events in by_record.items():
            self.apart(name, events)
            for event, item, first in clashing_fields(events):
                message = f"`{item.name}` of `{event.name}` is `{item.type}`, and elsewhere in `{name}` it is `{first}`"
                hint = "give both one type, or keep the events under names of their own"
                self.diagnostics.add("AM105", item.place, message, hint=hint)
            missing = frozenset({name})
            declared = Declared(type=optional(records[name]), kind="record", may_miss=missing, reads=missing)
            place = (at(self.node, "events").key(events[0].name) or self.node).place  # type: ignore[union-attr] # a map
            self.scope.declare(name, "event", place, declared)
        return found, records

    def apart(self, name: str, events: list[Event]) -> None:
        """Report a record that events share with results of payouts: these come in any state, and would take its fields away."""
        results = [event for event in events if event.name in self.results]
        if results and len(results) < len(events):
            key = at(self.node, "events").key(results[0].name)  # type: ignore[union-attr] # a map
            message = (
                f"`{name}` is the record of an event, so the results of a payout cannot be kept under it"
            )
            hint = "give it a name of its own; results may share one"
            self.diagnostics.add("AM105", (key or self.node).place, message, hint=hint)

    # --- the whole ----------------------------------------------------------------------------------------------------

    def policy(self) -> CompiledPolicy:
        """Read everything; the result is to be used only if there was no error."""
        node, facts = self.node, self.facts()
        payout_names = [name for name, _, _ in entries(at(node, "payouts"))]
        events, records = self.events()
        self.rules.declare()
        for leg in self.legs:
            if leg.key is not None:
                self.scope.declare(leg.name, "leg", leg.key.place, leg.declared())
        lookups = self.lookups(facts)
        lookups.declare()
        for name, _, value in entries(at(node, "facts")):
            facts[name] = read_default(facts[name], value, self.context)
        for name, key, _ in entries(at(node, "payouts")):
            self.scope.declare(name, "payout", key.place, payout_declared(name, MoneyType(self.currency)))
        self.scope.read_all()
        flow = self.flow(facts, events, payout_names)
        legs = tuple(read_leg(leg.name, leg.states, flow) for leg in self.legs)
        slas = read_slas(at(node, "sla"), flow, state=None)
        clocks = {sla.id: sla for sla in (*_slas_of_states(legs), *slas)}
        return CompiledPolicy(
            ref=self.ref,
            title=says(at(node, "title")),
            sources=self.sources,
            in_force=self.in_force(facts),
            serves=self.serves(),
            timezone=self.almanac.timezone(),
            currency=self.currency_term(),
            rounding=self.rounding(),
            calendars=self.almanac.calendars(),
            roles=self.roles,
            host=self.host,
            facts=facts,
            events=events,
            results=self.results,
            records=records,
            effects=dict(flow.effects),
            reasons=read_reasons(at(node, "reasons"), self.context, {sla.name for sla in clocks.values()}),
            params=self.rules.params,
            param_sources=self.rules.param_sources,
            moments=self.rules.moments,
            windows=self.rules.windows,
            tables=self.rules.tables,
            defines=self.rules.defines,
            lookups=lookups.with_flow(legs, payout_names),
            balances=lookups.balances,
            legs=legs,
            slas=slas,
            clocks=clocks,
            hearing=_hearing(clocks.values()),
            escalations=read_escalations(at(node, "escalations"), flow, legs),
            payouts=self.payouts(flow),
            sensitive=_sensitive(facts, events),
            size=(self.keys(), sum(len(leg.states) for leg in legs)),
            migrates=read_migrates(at(node, "migrates"), flow, self.ref.version),
            extends=tuple(
                (word(at(node, "policy")) or "", word(at(node, "version")) or "")
                for node in reversed(self.under)
            ),
        )

    def keys(self) -> int:
        """Return how many keys the author wrote."""
        return sum(len(part.entries) for part in below(self.node) if isinstance(part, Fields))

    def payouts(self, flow: Flow) -> dict[str, PayoutRule]:
        """Read `payouts`."""
        shared = tuple(name for name, _, _ in entries(at(self.node, "balances")))
        found = {}
        for name, _, value in entries(at(self.node, "payouts")):
            if rule := read_payout(name, value, flow, reported_by(name, self.results), shared):
                found[name] = rule
        return found

    def lookups(self, facts: Mapping[str, Field]) -> Lookups:
        """Return what reads `lookups` and `balances`."""
        return Lookups(
            self.node,
            self.context,
            self.scope,
            self.types,
            policy=self.ref.name,
            facts=facts,
            sources=self.sources,
            moment=partial(self.rules.moment, given=True),
        )

    def flow(self, facts: Mapping[str, Field], events: Mapping[str, Event], payouts: list[str]) -> Flow:
        """Return what reading the flow needs."""
        own = {*payout_events(at(self.node, "payouts"))}
        effects = {
            name: tuple(
                read_field(k, v, self.types, self.context, prefix=f"{name}.") for k, _, v in entries(value)
            )
            for name, _, value in entries(at(self.node, "effects"))
        }
        return Flow(
            context=self.context,
            roles=self.roles,
            facts=facts,
            effects=effects,
            events=frozenset(events) | own,
            payouts=frozenset(payouts),
            sources=frozenset(self.sources),
            states=states_by_leg(self.node, self.legs, self.diagnostics),
            legs=tuple(leg.name for leg in self.legs),
            reason=self.reason,
            currency=MoneyType(self.currency),
            moment=self.rules.moment,
            due=partial(self.rules.moment, given=True),
        )

    def in_force(self, facts: Mapping[str, Field]) -> InForce:
        """Read `in_force`."""
        node = at(self.node, "in_force")
        instants: dict[str, Any] = {}
        for key in ("from", "until"):
            written = at(node, key)
            if isinstance(written, Scalar):
                try:
                    instants[key] = parse_timestamp(written.text)
                except InvalidValue as error:
                    self.diagnostics.add("AM106", written.place, str(error))
        starts, until = instants.get("from"), instants.get("until")
        if starts and until and until <= starts:
            place = (at(node, "until") or self.node).place
            message = "`until` is not after `from`, so the policy is never in force"
            self.diagnostics.add("AM110", place, message)
        chooser = at(node, "decided_by")
        times = [name for name, item in facts.items() if required(item.type) == TIMESTAMP]
        decided = known(chooser, "timestamp fact", times, self.diagnostics)
        return InForce(starts=starts, until=until, decided_by=decided[0] if decided else None)

    def serves(self) -> Condition | None:
        """Read `serves`."""
        node = at(self.node, "serves")
        if node is None:
            return None
        key = Scalar(text="when", value="when", plain=True, stands=node.place)
        return read_condition(Fields(entries=((key, node),), place=node.place), self.context)

    def currency_term(self) -> Term | None:
        """Read `currency`."""
        node = at(self.node, "currency")
        if isinstance(node, Scalar) and not node.text.startswith("="):
            check_currency(node, node.text, self.diagnostics)
        return read_term(node, TEXT, self.context) if node is not None else None

    def rounding(self) -> Rounding:
        """Read `rounding`; half up where there is none."""
        written = word(at(self.node, "rounding"))
        return written if written in ROUNDINGS else "half_up"


def _slas_of_states(legs: Iterable[Leg]) -> Iterator[Sla]:
    return (sla for leg in legs for state in leg.states.values() for sla in state.slas)


def _hearing(clocks: Iterable[Sla]) -> dict[str, tuple[Sla, ...]]:
    found: dict[str, list[Sla]] = defaultdict(list)
    for sla in clocks:
        for name in dict.fromkeys((*sla.met_by, *sla.starts)):
            found[name].append(sla)
    return {name: tuple(slas) for name, slas in found.items()}


def _sensitive(facts: Mapping[str, Field], events: Mapping[str, Event]) -> frozenset[str]:
    paths = {name for name, item in facts.items() if item.sensitive}
    for event in events.values():
        for item in event.fields:
            if item.sensitive:
                paths |= {f"{event.name}.{item.name}", f"{event.keep_as or event.name}.{item.name}"}
    return frozenset(paths)
