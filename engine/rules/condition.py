"""Conditions and terms: the two ways in which a policy uses expressions.

A condition (`when`, `all`, `any`, `unless`) may be unknown. A term is a literal, or an expression whose value is demanded.
Both are read here from the document, with every finding at its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from ..diagnostics import LIMIT, Diagnostics, Place
from ..document import Fields, Items, Node, Scalar, node_at, to_plain
from ..errors import RuleError
from ..expression import Checked, Env, Problem, Scope, Seen, SyntaxProblem, check, evaluate, observe, parse
from ..literal import Misfit, read_literal
from ..money import CURRENCIES, Money
from ..types import BOOL, MoneyType, Type
from ..values import Unknown, Value

#: Zero, however many digits it is written with.
_NOTHING: Final = re.compile(r"-?0{1,18}(\.0{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A condition that is one expression."""

    checked: Checked
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Holds when every item does."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Holds when one item does."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Holds when the item does not."""

    item: Condition


Condition = Leaf | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal, already read."""

    value: Value
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """An expression whose value is demanded."""

    checked: Checked
    place: Place


Term = Constant | Computed

#: What is told of every leaf that was looked at: the leaf, what it was worth or why it failed, and what `explain` needs to
#: say why without looking again.
Watch = Callable[[Leaf, "Value | RuleError", "Seen | None"], None]


def holds(condition: Condition | None, env: Env, watch: Watch | None = None) -> bool | Unknown:
    """Return whether a condition holds, in Kleene's three-valued logic; no condition holds.

    Raises:
        RuleError: an item failed and no other item decides without it.
    """
    match condition:
        case None:
            return True
        case Leaf():
            return _leaf(condition, env, watch)
        case Not(item=item):
            inner = holds(item, env, watch)
            return inner if isinstance(inner, Unknown) else not inner
        case AllOf(items=items):
            return _combine(items, env, watch, decides=False)
        case AnyOf(items=items):
            return _combine(items, env, watch, decides=True)


def _leaf(leaf: Leaf, env: Env, watch: Watch | None) -> bool | Unknown:
    value: bool | Unknown
    if watch is None:
        value = evaluate(leaf.checked, env)
        return value
    try:
        value, seen = observe(leaf.checked, env)
    except RuleError as error:
        watch(leaf, error, None)
        raise
    watch(leaf, value, seen)
    return value


def _combine(items: tuple[Condition, ...], env: Env, watch: Watch | None, *, decides: bool) -> bool | Unknown:
    """Combine items as `&&` (decided by a false) or `||` (decided by a true) combine: unknown outweighs an error."""
    unknown: Unknown | None = None
    failed: RuleError | None = None
    for item in items:
        try:
            value = holds(item, env, watch)
        except RuleError as error:
            failed = failed or error
            continue
        if isinstance(value, Unknown):
            unknown = unknown | value if unknown else value
        elif value is decides:
            return decides
    if unknown:
        return unknown
    if failed:
        raise failed
    return not decides


def worth(term: Term, env: Env) -> Value:
    """Return the value of a term, or Unknown where what it needs is missing.

    Raises:
        RuleError: the expression failed.
    """
    return term.value if isinstance(term, Constant) else evaluate(term.checked, env)


def leaves(condition: Condition | None) -> Iterator[Leaf]:
    """Yield every expression of a condition, in the order in which it is written."""
    return (leaf for leaf, _ in asked(condition))


def asked(condition: Condition | None, *, wanted: bool = True) -> Iterator[tuple[Leaf, bool]]:
    """Yield every expression of a condition with what it is asked to be: false where it stands below `unless`."""
    match condition:
        case Leaf():
            yield condition, wanted
        case Not(item=item):
            yield from asked(item, wanted=not wanted)
        case AllOf(items=items) | AnyOf(items=items):
            for item in items:
                yield from asked(item, wanted=wanted)


def ensures(condition: Condition | None, *, when: bool = True) -> frozenset[str]:
    """Return the optional paths that are surely there whenever the condition is worth `when`."""
    match condition:
        case None:
            return frozenset()
        case Leaf(checked=checked):
            return checked.ensures_true if when else checked.ensures_false
        case Not(item=item):
            return ensures(item, when=not when)
        case AllOf(items=items) | AnyOf(items=items):
            every = isinstance(condition, AllOf) == when
            found = [ensures(item, when=when) for item in items]
            if every:
                return frozenset().union(*found)
            return frozenset.intersection(*found) if found else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What reading an expression or a literal needs to know."""

    scope: Scope
    diagnostics: Diagnostics
    #: The currency of amounts that name none, where the policy fixes it.
    currency: str | None = None
    #: Where a field of a name is found, for hints.
    homes: Callable[[str], tuple[str, ...]] = lambda _: ()

    def with_scope(self, scope: Scope) -> Context:
        """Return the same context with other names."""
        return replace(self, scope=scope)


def read_expression(
    node: Node, context: Context, *, expect: Type | None = None, start: int = 0
) -> Checked | None:
    """Read and check the expression in a scalar, from character `start` of its text on.

    Returns None, with the reasons in the diagnostics, where it cannot be used.
    """
    if not isinstance(node, Scalar):
        context.diagnostics.add("AM102", node.place, "an expression is due here")
        return None
    text = node.text[start:]
    try:
        expr = parse(text)
    except SyntaxProblem as problem:
        place = node.place_of(problem.start + start, problem.end + start)
        context.diagnostics.add("AM201", place, problem.message, hint=problem.hint)
        return None
    checked, problems = check(expr, text, context.scope, expect=expect)
    for found in problems:
        place = node.place_of(found.start + start, found.end + start)
        hint = _home(text, found, context) or found.hint
        context.diagnostics.add(found.code, place, found.message, hint=hint)
    return None if problems else checked


def _home(text: str, found: Problem, context: Context) -> str | None:
    """Return the hint for a field that is written without its record, where nothing else is near."""
    told = found.hint is not None and not found.hint.startswith("one of")
    if found.code != "AM104" or told or text[: found.start].rstrip().endswith("."):
        return None
    homes = [f"`{path}`" for path in context.homes(text[found.start : found.end])]
    return f"it is a field: write {' or '.join(homes)}" if homes else None


def read_condition(fields: Fields, context: Context) -> Condition | None:
    """Read the condition that `when`, `all`, `any` and `unless` of a map make together; None if there is none."""
    found: list[Condition] = []
    for key, node in fields.entries:
        match key.text:
            case "when":
                found.extend(_read_items([node], context))
            case "all":
                found.append(AllOf(items=_read_items(_listed(node), context)))
            case "any":
                found.append(AnyOf(items=_read_items(_listed(node), context)))
            case "unless":
                found.extend(Not(item=item) for item in _read_items([node], context))
    return found[0] if len(found) == 1 else AllOf(items=tuple(found)) if found else None


def _listed(node: Node) -> list[Node]:
    return list(node.items) if isinstance(node, Items) else [node]


def _read_items(nodes: list[Node], context: Context) -> tuple[Condition, ...]:
    items: list[Condition] = []
    for node in nodes:
        if isinstance(node, Fields):
            inner = read_condition(node, context)
            if inner:
                items.append(inner)
        elif checked := read_expression(node, context, expect=BOOL):
            items.append(Leaf(checked=checked, place=node.place))
    return tuple(items)


def read_term(node: Node, type_: Type, context: Context, *, expression: bool = False) -> Term | None:
    """Read a value of a type: a literal, or an expression behind `=`.

    With `expression` the key always holds an expression, and a leading `=` is allowed.
    """
    if isinstance(node, Scalar):
        computed = node.text.startswith("=")
        if computed or expression:
            checked = read_expression(node, context, expect=type_, start=int(computed))
            return Computed(checked=checked, place=node.place) if checked else None
    return read_constant(node, type_, context)


def read_constant(node: Node, type_: Type, context: Context) -> Constant | None:
    """Read a literal of a type, with the finding at the exact item where it does not fit."""
    currency = (type_.currency if isinstance(type_, MoneyType) else None) or context.currency
    if isinstance(type_, MoneyType) and isinstance(node, Scalar) and _NOTHING.fullmatch(node.text):
        # Nothing is nothing in every currency: a case fills in its own.
        return Constant(value=Money(Fraction(0), ""), place=node.place)
    try:
        value = read_literal(to_plain(node), type_, currency=currency)
    except Misfit as misfit:
        code = "AM104" if misfit.unknown else "AM106"
        hint = misfit.hint if len(context.diagnostics.found) < LIMIT else None
        context.diagnostics.add(code, _place_of(misfit, node), str(misfit), hint=hint)
        return None
    if isinstance(value, Money) and isinstance(node, Scalar) and node.text.endswith(value.currency):
        check_currency(node, value.currency, context.diagnostics)
    return Constant(value=value, place=node.place)


def _place_of(misfit: Misfit, node: Node) -> Place:
    """Return where in a literal the misfit is: at the item, or at the key that nothing has."""
    around = node_at(node, misfit.path[:-1]) if misfit.unknown == "key" else None
    key = around.key(str(misfit.path[-1])) if isinstance(around, Fields) else None
    return (key or node_at(node, misfit.path) or node).place


def check_currency(node: Scalar, currency: str, diagnostics: Diagnostics) -> None:
    """Report a currency at the end of a scalar that ISO 4217 does not know."""
    if currency and currency not in CURRENCIES:
        place = node.place_of(len(node.text) - len(currency), len(node.text))
        hint = diagnostics.near(currency, CURRENCIES)
        diagnostics.add("AM104", place, f"there is no currency `{currency[:60]}`", hint=hint)
