"""A sensitive value would flow to where it is not protected.

## What it finds

A value that is made of a `sensitive` fact or field, and would stand as it is in a decision, in a fact or default that is
not sensitive itself, in the amount or route of a payout, or in the sentence of a reason. Followed are operators and
functions, both values of `? :`, defines, the outputs of tables and the ends of windows. What only decides is free, or no
rule could turn on a sensitive fact: conditions, cells, `has(…)`, what stands before a `?`. Fields of effects and the `needs`
of payouts are sealed when they are written, so they may hold all.

## Why it matters

Sensitive values stand in the journal as commitments only, so that they can be forgotten later. A copy in a decision or a
sentence could never be taken back.

## Wrong

```yaml
facts: {phone: {type: text, sensitive: true}, called: {type: optional text}}
events: {call: {}, give_back: {}}
states:
  on_loan:
    initial: true
    on:
      call: {set: {called: phone}}    # AM208
      give_back: {unless: has(called), to: closed}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```

## Right

```yaml
facts: {phone: {type: text, sensitive: true}, called: {type: optional text, sensitive: true}}
events: {call: {}, give_back: {}}
states:
  on_loan:
    initial: true
    on:
      call: {set: {called: phone}}
      give_back: {unless: has(called), to: closed}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Scalar
from ..expression import Checked, Node
from ..expression.tree import Choice, Field, Has, Local, Loop, Reference, TableCall, children, path_of
from ..policy import CompiledPolicy, Pay
from ..rules.compiled_moment import Choice as ChosenMoment
from ..rules.compiled_moment import CompiledMoment, Named
from ..rules.compiled_moment import Computed as ComputedMoment
from ..rules.condition import Computed, Term
from ..table import CompiledTable
from .ways import actions, outcomes, ways
from .written import Written

#: A path that flows, and the part of the expression that brings it.
_Flow = tuple[str, tuple[int, int]]


def check_sensitive_leak(policy: CompiledPolicy, written: Written, diagnostics: Diagnostics) -> None:
    """Report every sensitive value that would be written, or told, as it is."""
    if not policy.sensitive:
        return
    values = _Values(policy)
    for term, into in _unprotected(policy):
        if isinstance(term, Computed):
            for path, span in values.of(term.checked.root):
                place = written.part(term.checked, term.place, span)
                _tell(path, place, f"would stand as it is in {into}", diagnostics)
    for code, reason in policy.reasons.items():
        for text, checked in reason.inserts:
            for path, span in values.of(checked.root):
                for place in _inserted(written, code, text, span):
                    _tell(path, place, "would be told to whoever reads the reason", diagnostics)


def _tell(path: str, place: Place, what: str, diagnostics: Diagnostics) -> None:
    hint = "hand it to an effect, keep it in a fact that is `sensitive` too, or do without"
    diagnostics.add("AM208", place, f"`{path}` is sensitive, and {what}", hint=hint)


def _unprotected(policy: CompiledPolicy) -> Iterator[tuple[Term | None, str]]:
    """Yield every term whose value is written as it is, and where it is then."""
    for name, fact in policy.facts.items():
        yield None if fact.sensitive else fact.default, f"the fact `{name}`"
    for event in policy.events.values():
        for item in event.fields:
            yield None if item.sensitive else item.default, f"the field `{event.name}.{item.name}`"
    for way in ways(policy):
        for outcome in outcomes(way.candidate):
            yield outcome.decision, "the decision"
            for name, term in outcome.sets:
                yield None if policy.facts[name].sensitive else term, f"the fact `{name}`"
    for action in actions(policy):
        if isinstance(action, Pay):
            yield action.amount, f"the amount of `{action.payout}`"
    for rule in policy.payouts.values():
        yield rule.amount, f"the amount of `{rule.name}`"
        yield rule.at_most, f"the amount of `{rule.name}`"
        for _, shared in rule.balances:
            yield shared, f"the amount of `{rule.name}`"
        yield rule.tenders.of if rule.tenders else None, f"the parts of `{rule.name}`"
        yield rule.taken_from, f"the payer of `{rule.name}`"
        yield from ((tier.above, f"the approvals of `{rule.name}`") for tier in rule.approvals)
        for route in rule.routes:
            yield route.via, f"the route of `{rule.name}`"
    yield policy.timezone, "the time zone of the case"
    yield policy.currency, "the currency of the case"


def _inserted(written: Written, code: str, text: str, span: tuple[int, int]) -> Iterator[Place]:
    """Yield where the sentences of a reason insert a part of an expression, in every language."""
    for key, node in written.declared("reasons"):
        if key.text != code:
            continue
        sentences = [value for _, value in node.entries] if isinstance(node, Fields) else [node]
        for sentence in sentences:
            if not isinstance(sentence, Scalar):
                continue
            for found in re.finditer(r"\{\s*(" + re.escape(text) + r")\s*\}", sentence.text):
                yield sentence.place_of(found.start(1) + span[0], found.start(1) + span[1])


class _Values:
    """What the values of one policy are made of."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self._named: dict[str, frozenset[str]] = {}

    def of(self, node: Node) -> Iterator[_Flow]:
        """Yield every sensitive path that a value is made of, with the part that brings it."""
        span = (node.start, node.end)
        match node:
            case Has():
                return
            case Choice():
                parts = [node.then, node.otherwise]
            case Loop():
                asks = node.condition if node.kind in {"all", "exists", "exists_one"} else None
                parts = [part for part in (node.over, asks, node.key, node.body) if part is not None]
            case Field(of=Reference(name=name), field=field) if name in self.policy.tables:
                yield from ((path, span) for path in sorted(self._outputs(self.policy.tables[name], field)))
                return
            case Reference() | Local() | Field() if _is_path(node):
                path = path_of(node)
                if self._is_sensitive(path):
                    yield path, span
                elif isinstance(node, Reference):
                    yield from ((inner, span) for inner in sorted(self._behind(node.name)))
                elif isinstance(node, Field):
                    yield from self.of(_base(node)) if _base_is_computed(node, self.policy) else ()
                return
            case TableCall(name=name):
                yield from ((path, span) for path in sorted(self._behind(name)))
                parts = list(node.arguments)
            case _:
                parts = list(children(node))
        for part in parts:
            yield from self.of(part)

    def _behind(self, name: str) -> frozenset[str]:
        """Return the sensitive paths that the value of a declared name is made of."""
        if name not in self._named:
            self._named[name] = self._declared(name)
        return self._named[name]

    def _declared(self, name: str) -> frozenset[str]:
        policy = self.policy
        if name in policy.defines:
            return self._all(policy.defines[name])
        if name in policy.tables:
            return self._outputs(policy.tables[name], None)
        if name in policy.balances:
            return self._all(policy.balances[name].limit)
        if name in policy.moments:
            return self._moment(policy.moments[name])
        if name in policy.windows:
            window = policy.windows[name]
            return self._moment(window.opens) | self._moment(window.closes)
        return frozenset()

    def _all(self, checked: Checked) -> frozenset[str]:
        return frozenset(path for path, _ in self.of(checked.root))

    def _outputs(self, table: CompiledTable, output: str | None) -> frozenset[str]:
        """Return what one output of a table is made of, or all of them."""
        found: frozenset[str] = frozenset()
        for terms in [*(rule.then for rule in table.rules), table.otherwise or ()]:
            for (name, _), term in zip(table.outputs, terms, strict=False):
                if output not in {None, name}:
                    continue
                if isinstance(term, Computed):
                    found |= self._all(term.checked)
                elif isinstance(term, CompiledMoment):
                    found |= self._moment(term)
        return found

    def _moment(self, moment: CompiledMoment | None) -> frozenset[str]:
        if moment is None:
            return frozenset()
        steps = [self._all(step.period) for step in moment.steps if isinstance(step.period, Checked)]
        found = frozenset[str]().union(*steps)
        match moment.base:
            case ComputedMoment(checked=checked):
                found |= self._all(checked)
            case Named(name=name):
                found |= self._behind(name)
            case ChosenMoment(parts=parts):
                found = found.union(*(self._moment(part.moment) for part in parts))
        return found

    def _is_sensitive(self, path: str) -> bool:
        """Return whether a path is, holds or lies within a sensitive value."""
        return any(
            path == secret or secret.startswith(f"{path}.") or path.startswith(f"{secret}.")
            for secret in self.policy.sensitive
        )


def _base(node: Node) -> Node:
    while isinstance(node, Field):
        node = node.of
    return node


def _is_path(node: Node) -> bool:
    return isinstance(_base(node), Reference | Local)


def _base_is_computed(node: Field, policy: CompiledPolicy) -> bool:
    """Return whether a field is one of a value that is computed: of a define, say, that stands for a record."""
    base = _base(node)
    return isinstance(base, Reference) and base.name not in policy.facts and base.name not in policy.records
