"""Which paths a table reads, and which of them can leave it unknown by missing.

A cell `-` looks at nothing. What a rule ensures by holding guards its outputs; with `hit: first`, what it ensures by not
holding guards the rules below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from ..expression import Checked
from ..expression.tree import Reference, sources
from ..moment import CompiledMoment
from ..rules.condition import AllOf, AnyOf, Computed, Condition, Constant, Leaf, Not, ensures, leaves
from ..table import CompiledRule, Hit, TermLike

Paths = frozenset[str]
Terms = tuple[TermLike | None, ...]
NONE: Paths = frozenset()


def reads_of(inputs: Sequence[Checked], rules: Iterable[CompiledRule], otherwise: Terms | None) -> Paths:
    """Return every path that can matter to a table."""
    found = set[str]()
    for rule in rules:
        for checked in _looked_at(rule, inputs):
            found |= checked.reads
        for leaf in leaves(rule.condition):
            found |= leaf.checked.reads
        for term in _computed(rule.then):
            found |= term.reads
    for term in _computed(otherwise or ()):
        found |= term.reads
    return frozenset(found)


def params_of(
    inputs: Sequence[Checked], rules: Iterable[CompiledRule], otherwise: Terms | None
) -> frozenset[str]:
    """Return the params that cells, inputs and outputs name; those in conditions and moments apart."""
    found = {name for rule in rules for cell in rule.cells for name in cell.params}
    terms = [term for rule in rules for term in _computed(rule.then)] + _computed(otherwise or ())
    for checked in (*inputs, *terms):
        if isinstance(checked, Checked):
            nodes = sources(checked.root)
            found |= {node.name for node in nodes if isinstance(node, Reference) and node.kind == "param"}
    return frozenset(found)


def misses_of(
    hit: Hit, inputs: Sequence[Checked], rules: Iterable[CompiledRule], otherwise: Terms | None
) -> tuple[Paths, list[Paths]]:
    """Return the optional paths whose absence can leave open which rule hits, and those that each output misses then."""
    found: Paths = NONE
    outputs: list[Paths] = []
    #: What is there once every rule so far is false.
    there: Paths = NONE
    for rule in rules:
        sure = there if hit == "first" else NONE
        misses = misses_of_condition(rule.condition)
        for checked in _looked_at(rule, inputs):
            misses |= checked.may_miss
        found |= misses - sure
        outputs = _joined(outputs, rule.then, sure | _ensured(rule, inputs, when=True))
        there |= _ensured(rule, inputs, when=False)
    return found, _joined(outputs, otherwise or (), there)


def _joined(outputs: list[Paths], terms: Terms, there: Paths) -> list[Paths]:
    """Return what outputs miss, with what they miss if they are given by some terms while something is there."""
    more = [_misses((term,)) - there for term in terms]
    return [one | other for one, other in zip_longest(outputs, more, fillvalue=NONE)]


def misses_of_condition(condition: Condition | None) -> Paths:
    """Return the optional paths whose absence can make a condition unknown; items guard those after them."""
    match condition:
        case None:
            return NONE
        case Leaf(checked=checked):
            return checked.may_miss
        case Not(item=item):
            return misses_of_condition(item)
        case AllOf(items=items) | AnyOf(items=items):
            found, there = NONE, NONE
            for item in items:
                found |= misses_of_condition(item) - there
                there |= ensures(item, when=isinstance(condition, AllOf))
            return found


def _looked_at(rule: CompiledRule, inputs: Sequence[Checked]) -> list[Checked]:
    """Return the inputs that a rule does not pass over."""
    return [checked for cell, checked in zip(rule.cells, inputs, strict=False) if not cell.anything]


def _ensured(rule: CompiledRule, inputs: Sequence[Checked], *, when: bool) -> Paths:
    """Return the optional paths that are surely there when a rule holds, or does not."""
    if not inputs:
        return ensures(rule.condition, when=when)
    known = [checked.ensures_true & checked.ensures_false for checked in _looked_at(rule, inputs)]
    if when:
        return NONE.union(*known)
    return frozenset.intersection(*known) if known else NONE


def _misses(terms: Terms) -> Paths:
    return NONE.union(*(term.may_miss for term in _computed(terms)))


def _computed(terms: Terms) -> list[Checked | CompiledMoment]:
    """Return what is computed among the outputs."""
    found: list[Checked | CompiledMoment] = []
    for term in terms:
        match term:
            case Computed(checked=checked):
                found.append(checked)
            case CompiledMoment():
                found.append(term)
            case Constant() | None:
                pass
    return found
