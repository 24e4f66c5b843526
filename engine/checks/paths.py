"""What an expression misses and what it ensures, at a point where more is known than its text says.

The checker judged each expression by itself. Here a checked tree is judged again with the paths that are surely there at
its point, and through what it names: whoever got past `verdict.route == "none"` knows all of `verdict`.

Keys are the checker's: dotted paths of facts and records, and the bare names of what is computed from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..expression import Checked, Node
from ..expression.checking import flow_key
from ..expression.flow import STILL, Flow, Keys, Typed, both, choice, either, negated, strict
from ..expression.tree import (
    Apply,
    Choice,
    Field,
    Has,
    Logic,
    Loop,
    RecordOf,
    Reference,
    TableCall,
    WindowPart,
    children,
)
from ..expression.tree import Not as NotNode
from ..policy import CompiledPolicy, Lookup
from ..rules.compiled_moment import Choice as ChosenMoment
from ..rules.compiled_moment import CompiledMoment, Named
from ..rules.compiled_moment import Computed as ComputedMoment
from ..rules.condition import AllOf, AnyOf, Computed, Condition, Leaf, Not
from ..table import CompiledRule, CompiledTable, TermLike
from ..types import OptionalType, RecordType

NONE: Final[Keys] = frozenset()

#: The ends of a window that must be known for a part of it to be.
_ENDS: Final = {"opens": ("opens",), "closes": ("closes",), "is_closed": ("closes",)}
_IN_WINDOW: Final = "in(timestamp, window)"


@dataclass(slots=True)
class Paths:
    """Judges the expressions of one policy."""

    policy: CompiledPolicy
    _defines: dict[tuple[str, Keys], Flow] = field(default_factory=dict)
    _ensured: dict[tuple[int, bool], Keys] = field(default_factory=dict)
    _outputs: dict[tuple[str, str, Keys], Keys] = field(default_factory=dict)

    # --- conditions and moments ---------------------------------------------------------------------------------------

    def ensured(self, condition: Condition | None, *, when: bool = True) -> Keys:
        """Return what is surely there whenever the condition is worth `when`; it must be one of the policy's own."""
        key = (id(condition), when)
        if key not in self._ensured:
            self._ensured[key] = self._ensures(condition, when=when)
        return self._ensured[key]

    def _ensures(self, condition: Condition | None, *, when: bool) -> Keys:
        match condition:
            case None:
                return NONE
            case Leaf(checked=checked):
                flow = self.flow(checked.root, NONE)
                return flow.true if when else flow.false
            case Not(item=item):
                return self._ensures(item, when=not when)
            case AllOf(items=items) | AnyOf(items=items):
                found = [self._ensures(item, when=when) for item in items]
                if isinstance(condition, AllOf) == when:
                    return NONE.union(*found)
                return found[0].intersection(*found) if found else NONE

    def ensured_by(self, moment: CompiledMoment | None) -> Keys:
        """Return what is surely there whenever a moment is known."""
        if moment is None:
            return NONE
        periods = [
            self.flow(step.period.root, NONE).known
            for step in moment.steps
            if isinstance(step.period, Checked)
        ]
        found = NONE.union(*periods)
        match moment.base:
            case ComputedMoment(checked=checked):
                found |= self.flow(checked.root, NONE).known
            case Named(name=name):
                found |= {name} | self.ensured_by(self.policy.moments[name])
            case ChosenMoment(pick="later", parts=parts):
                found = found.union(*(self.ensured_by(part.moment) for part in parts if not part.if_any))
            case ChosenMoment(parts=parts):
                each = [self.ensured_by(part.moment) for part in parts]
                found |= each[0].intersection(*each) if each else NONE
        return found

    # --- expressions --------------------------------------------------------------------------------------------------

    def flow(self, node: Node, present: Keys) -> Flow:
        """Return what an expression misses while `present` is there, and what its value ensures."""
        match node:
            case Reference():
                return self._reference(node, present)
            case Field():
                return self._field(node, present)
            case WindowPart():
                return self._window_part(node, present)
            case Has():
                return Flow({}, NONE, self.flow(node.of, present).known)
            case NotNode():
                return negated(self.flow(node.of, present))
            case Logic():
                return self._logic(node, present)
            case Choice():
                return self._choice(node, present)
            case Loop():
                return self._loop(node, present)
            case TableCall():
                reads = self._missing(self.policy.tables[node.name].may_miss, node, present)
                return strict([reads, *(self.flow(item, present) for item in node.arguments)])
            case RecordOf():
                sure = [value for name, value in node.fields if name not in node.may_lack]
                return strict([self.flow(value, present) for value in sure])
            case Apply(overload=overload, arguments=(at, Reference() as window)) if overload == _IN_WINDOW:
                inside = self._ends(window.name, ("opens", "closes"))
                flow = strict([self.flow(at, present), self._reference(window, present)])
                return Flow(flow.misses, flow.known, flow.true | inside, flow.false)
        return strict([self.flow(part, present) for part in children(node)])

    def _missing(self, paths: Keys, node: Node, present: Keys, known: Keys = NONE) -> Flow:
        misses = dict.fromkeys(sorted(paths - present), (node.start, node.end))
        return Flow(misses, known, known, known) if misses or known else STILL

    def _reference(self, node: Reference, present: Keys) -> Flow:
        name, policy = node.name, self.policy
        here = frozenset({name})
        if name in present:
            return Flow({}, here, here, here)
        if name in policy.records:
            return self._missing(here, node, present, here)
        if name in policy.facts:
            optional = isinstance(policy.facts[name].type, OptionalType)
            return self._missing(here, node, present, here) if optional else STILL
        if name in policy.defines:
            inner = self._define(name, present)
            misses = dict.fromkeys(inner.misses, (node.start, node.end))
            return Flow(misses, inner.known | here, inner.true | here, inner.false | here)
        if name in policy.windows:
            ends = (policy.windows[name].opens, policy.windows[name].closes)
            return self._missing(NONE.union(*(end.may_miss for end in ends if end)), node, present)
        if name in policy.moments:
            moment = policy.moments[name]
            return self._missing(moment.may_miss, node, present, here | self.ensured_by(moment))
        if name in policy.tables:
            return self._missing(policy.tables[name].may_miss, node, present, here)
        if name in policy.lookups:
            return self._missing(self._unasked(policy.lookups[name]), node, present, here)
        if name in policy.balances:
            rule = policy.balances[name]
            missing = frozenset(self.flow(rule.limit.root, present).misses) | self._optional(rule.of)
            return self._missing(missing, node, present, here)
        return STILL

    def _unasked(self, rule: Lookup) -> Keys:
        """Return what a lookup cannot be asked without, and the lookup itself where the host may not know."""
        within = rule.within.may_miss if isinstance(rule.within, CompiledMoment) else NONE
        return within.union(*map(self._optional, rule.same), {rule.name} if rule.kind == "host" else NONE)

    def _optional(self, fact: str) -> Keys:
        return frozenset({fact}) if isinstance(self.policy.facts[fact].type, OptionalType) else NONE

    def _define(self, name: str, present: Keys) -> Flow:
        key = (name, present)
        if key not in self._defines:
            self._defines[key] = self.flow(self.policy.defines[name].root, present)
        return self._defines[key]

    def _field(self, node: Field, present: Keys) -> Flow:
        of = self.flow(node.of, present)
        key = flow_key(node)
        known = of.known | {key}
        here: Keys = frozenset({node.path}) if _is_optional(node) else self._own(node, present)
        more = NONE if key in present else here
        misses = {**of.misses, **dict.fromkeys(sorted(more), (node.start, node.end))} if more else of.misses
        return Flow(misses, known, known, known)

    # --- tables -------------------------------------------------------------------------------------------------------

    def _own(self, node: Field, present: Keys) -> Keys:
        """Return what an output of a table may miss, whichever of its rules hits; nothing of what is no table."""
        table = self.policy.tables.get(node.of.name) if isinstance(node.of, Reference | TableCall) else None
        if table is None or node.field not in table.outputs_may_miss:
            return NONE
        key = (table.name, node.field, present)
        if key not in self._outputs:
            at = [name for name, _ in table.outputs].index(node.field)
            self._outputs[key] = NONE.union(*self._given(table, at, present))
        return self._outputs[key]

    def _given(self, table: CompiledTable, at: int, present: Keys) -> Iterator[Keys]:
        """Yield what an output misses by each rule: what the rule ensures is there, and what those before it do by failing."""
        for rule in table.rules:
            yield self._misses(rule.then[at], present | self._by_rule(table, rule, holds=True))
            if table.hit == "first":
                present |= self._by_rule(table, rule, holds=False)
        if table.otherwise is not None:
            failed = (self._by_rule(table, rule, holds=False) for rule in table.rules)
            yield self._misses(table.otherwise[at], present.union(*failed))

    def _by_rule(self, table: CompiledTable, rule: CompiledRule, *, holds: bool) -> Keys:
        if not table.inputs:
            return self.ensured(rule.condition, when=holds)
        looked_at = zip(rule.cells, table.inputs, strict=True)
        known = [self.flow(asked.root, NONE).known for cell, asked in looked_at if not cell.anything]
        if holds or not known:
            return NONE.union(*known)
        return known[0].intersection(*known)

    def _misses(self, term: TermLike | None, present: Keys) -> Keys:
        return frozenset(self.flow(term.checked.root, present).misses) if isinstance(term, Computed) else NONE

    def _window_part(self, node: WindowPart, present: Keys) -> Flow:
        if not isinstance(node.of, Reference):
            return self.flow(node.of, present)
        if node.part == "reason":
            return self._missing(frozenset({flow_key(node)}), node, present, frozenset({flow_key(node)}))
        rule = self.policy.windows[node.of.name]
        needed = _ENDS.get(node.part, ("opens", "closes"))
        moments = [
            end for key, end in (("opens", rule.opens), ("closes", rule.closes)) if end and key in needed
        ]
        missing = self._missing(NONE.union(*(end.may_miss for end in moments)), node, present)
        ensured = self._ends(node.of.name, needed)
        reasons = [
            says
            for end, says in ((rule.opens, rule.early), (rule.closes, rule.late))
            if end and end in moments
        ]
        # Outside of a window one of its ends is past; where both have a reason it gives one.
        outside = frozenset({f"{rule.name}.reason"}) if all(reasons) else NONE
        if node.part != "is_open":
            closed = outside if node.part == "is_closed" else NONE
            return Flow(missing.misses, ensured, ensured | closed, ensured)
        # Whether it is open may be known while an end is not; the ends are sure only if it is.
        told: Keys = frozenset({f"{rule.name}.is_open"})
        misses = {} if told <= present else missing.misses
        return Flow(misses, told, told | ensured, told | outside)

    def _ends(self, window: str, needed: tuple[str, ...]) -> Keys:
        """Return what is surely there once those ends of a window are known."""
        rule = self.policy.windows[window]
        return NONE.union(
            self.ensured_by(rule.opens if "opens" in needed else None),
            self.ensured_by(rule.closes if "closes" in needed else None),
        )

    def _logic(self, node: Logic, present: Keys) -> Flow:
        flows: list[Flow] = []
        for operand in node.operands:
            flows.append(self.flow(operand, present))
            present |= flows[-1].true if node.operator == "&&" else flows[-1].false
        return both(flows) if node.operator == "&&" else either(flows)

    def _choice(self, node: Choice, present: Keys) -> Flow:
        condition = self.flow(node.condition, present)
        then = Typed(node.then, self.flow(node.then, present | condition.true))
        otherwise = Typed(node.otherwise, self.flow(node.otherwise, present | condition.false))
        return choice(condition, then, otherwise)

    def _loop(self, node: Loop, present: Keys) -> Flow:
        over = self.flow(node.over, present)
        inner: list[Flow] = []
        for part in (node.condition, node.key, node.body):
            if part is not None:
                inner.append(self.flow(part, present))
                if part is node.condition:
                    present |= inner[-1].true
        return Flow({**strict(inner).misses, **over.misses}, over.known, over.known, over.known)


def _is_optional(node: Field) -> bool:
    return isinstance(node.of.type, RecordType) and isinstance(node.of.type.field(node.field), OptionalType)
