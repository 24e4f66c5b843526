"""Which row of the table a call means, and what to say when none does."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ..diagnostics import did_you_mean
from ..errors import RuleError
from ..money import CURRENCIES, Money
from ..types import BOOL, HOLE, TEXT, TIMESTAMP, EnumType, Hole, ListType, MoneyType, Type
from . import habits, hints
from .fit import Report, common, convert, fits, same
from .flow import Typed, strict
from .functions import FUNCTIONS, ORDERINGS, Overload, check_pattern
from .tokens import one_line
from .tree import Apply, Constant, Node

#: What a call is written as, which decides the rows that count.
STYLES: Final[dict[str, tuple[str, ...]]] = {
    "operator": ("operator",),
    "function": ("function", "both"),
    "method": ("method", "both"),
}
_EQUALITY: Final = ("==", "!=")
#: An instant to try with a time zone that is written out.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def apply(name: str, style: str, arguments: Sequence[Typed], span: tuple[int, int], report: Report) -> Typed:
    """Return the call of an operator or function, with its arguments converted to what it takes.

    A call that fits no row is reported, and has the type that fits everywhere.
    """
    flow = strict([argument.flow for argument in arguments])
    nodes = [argument.node for argument in arguments]
    node = _generic(name, nodes, span, report)
    if node is None:
        node = _by_table(name, style, nodes, span, report)
    return Typed(node, flow)


def _hole(span: tuple[int, int]) -> Node:
    return Constant(None, HOLE, *span)


def _by_table(name: str, style: str, nodes: list[Node], span: tuple[int, int], report: Report) -> Node:
    rows = [row for row in FUNCTIONS[name] if row.style in STYLES[style]]
    chosen = _choose(rows, nodes)
    if chosen is None or _orders_an_enum(name, nodes):
        _tell_no_row(name, rows, nodes, span, report)
        return _hole(span)
    converted = [convert(node, type_, report) for node, type_ in zip(nodes, chosen.parameters, strict=True)]
    if not _one_currency(converted, span, report):
        return _hole(span)
    if any(_is_open(node.type) for node in nodes) and len(_results(rows, nodes)) > 1:
        return Apply(chosen.id, tuple(converted), HOLE, *span)
    node = Apply(chosen.id, tuple(converted), _result(chosen.result, converted), *span)
    return _folded(node, chosen, report)


def _is_open(type_: Type) -> bool:
    """Return whether a type is, or holds, one that could not be read."""
    return isinstance(type_, Hole) or (isinstance(type_, ListType) and _is_open(type_.item))


def _choose(rows: Sequence[Overload], nodes: Sequence[Node]) -> Overload | None:
    """Return the row that the arguments fit as they are, else the first that they fit when converted."""
    able = [row for row in rows if len(row.parameters) == len(nodes)]
    for row in able:
        if all(same(node.type, type_) for node, type_ in zip(nodes, row.parameters, strict=True)):
            return row
    for row in able:
        if all(fits(node, type_) for node, type_ in zip(nodes, row.parameters, strict=True)):
            return row
    return None


def _results(rows: Sequence[Overload], nodes: Sequence[Node]) -> set[Type]:
    return {
        row.result
        for row in rows
        if len(row.parameters) == len(nodes)
        and all(fits(node, type_) for node, type_ in zip(nodes, row.parameters, strict=True))
    }


def _orders_an_enum(name: str, nodes: Sequence[Node]) -> bool:
    return name in ORDERINGS and any(isinstance(node.type, EnumType) for node in nodes)


def _currency(type_: Type) -> str | None:
    if isinstance(type_, ListType):
        return _currency(type_.item)
    return type_.currency if isinstance(type_, MoneyType) else None


def _currencies(nodes: Sequence[Node]) -> list[str]:
    return list(dict.fromkeys(found for node in nodes if (found := _currency(node.type)) is not None))


def _one_currency(nodes: Sequence[Node], span: tuple[int, int], report: Report) -> bool:
    known = _currencies(nodes)
    if len(known) > 1:
        report("AM202", f"{known[0]} and {known[1]} cannot be mixed", *span, None)
    return len(known) <= 1


def _result(type_: Type, nodes: Sequence[Node]) -> Type:
    """Return the type of a result, with the currency where an argument tells it."""
    if isinstance(type_, MoneyType):
        return MoneyType(next((found for node in nodes if (found := _currency(node.type)) is not None), None))
    if isinstance(type_, ListType) and isinstance(type_.item, MoneyType):
        return ListType(_result(type_.item, nodes))
    return type_


def _folded(node: Apply, row: Overload, report: Report) -> Node:
    """Compute `money("5 USD")` and its like now; what cannot be read is a problem of the text itself."""
    literals = [argument for argument in node.arguments if isinstance(argument, Constant)]
    try:
        if row.name == "matches" and isinstance(node.arguments[1], Constant):
            check_pattern(str(node.arguments[1].value))
        if row.parameters == (TIMESTAMP, TEXT) and any(item.type == TEXT for item in literals):
            row.run(_EPOCH, literals[-1].value)
        if (
            not row.folds
            or len(literals) < len(node.arguments)
            or any(item.type == HOLE for item in literals)
        ):
            return node
        value = row.run(*(literal.value for literal in literals))
    except RuleError as error:
        last = node.arguments[-1]
        report("AM106", one_line(str(error)), last.start, last.end, None)
        return _hole((node.start, node.end))
    if isinstance(value, Money) and value.currency not in {*CURRENCIES, ""}:
        last = node.arguments[-1]
        hint = did_you_mean(value.currency, CURRENCIES)
        # Of `"10 UDS"` the last word; the quote stands behind it.
        start = max(last.start, last.end - 1 - len(value.currency))
        report("AM104", f"there is no currency `{value.currency}`", start, max(start, last.end - 1), hint)
    type_ = MoneyType(value.currency) if isinstance(node.type, MoneyType) else node.type
    return Constant(value, type_, node.start, node.end)


# --- rows that take any type ------------------------------------------------------------------------------------------


def _generic(name: str, nodes: list[Node], span: tuple[int, int], report: Report) -> Node | None:
    """Return `==`, `in` a list, or `+` of lists; None if the table decides."""
    if name in _EQUALITY:
        return _equality(name, nodes, span, report)
    if name == "in" and isinstance(nodes[1].type, ListType):
        return _membership(nodes[0], nodes[1], nodes[1].type.item, span, report)
    if name == "+" and len(nodes) == 2 and all(isinstance(node.type, ListType) for node in nodes):
        type_ = common(nodes)
        if type_ is None:
            _report(apart(nodes[0], nodes[1], "two lists of one type can be joined"), span, report)
            return _hole(span)
        return Apply(
            "+(list of unknown, list of unknown)",
            tuple(convert(node, type_, report) for node in nodes),
            type_,
            *span,
        )
    return None


def _equality(name: str, nodes: list[Node], span: tuple[int, int], report: Report) -> Node:
    type_ = common(nodes)
    if type_ is None:
        _report(apart(nodes[0], nodes[1], "two values of one type can be compared"), span, report)
        return Apply(f"{name}(unknown, unknown)", tuple(nodes), BOOL, *span)
    nodes = [convert(node, type_, report) for node in nodes]
    return Apply(f"{name}(unknown, unknown)", tuple(nodes), BOOL, *span)


def _membership(item: Node, items: Node, wanted: Type, span: tuple[int, int], report: Report) -> Node:
    narrow = isinstance(item.type, EnumType) and fits(items, ListType(item.type))
    if fits(item, wanted) and not narrow:
        item = convert(item, wanted, report)
    elif fits(items, ListType(item.type)):
        items = convert(items, ListType(item.type), report)
    else:
        _report(apart(item, items, f"the list holds `{wanted}`"), span, report)
    return Apply("in(unknown, list of unknown)", (item, items), BOOL, *span)


def _report(told: tuple[str, str], span: tuple[int, int], report: Report) -> None:
    report("AM202", told[0], *span, told[1])


# --- problems ---------------------------------------------------------------------------------------------------------


def apart(first: Node, second: Node, rule: str) -> tuple[str, str]:
    """Return the message and hint for two values that should be of one type; `rule` says why."""
    nodes = (first, second)
    known = _currencies(nodes)
    if len(known) > 1:
        return f"{known[0]} and {known[1]} cannot be mixed", rule
    if isinstance(first.type, EnumType) and isinstance(second.type, EnumType):
        rule = "two enums are different types, even if names are alike; `string(…)` makes a text of either"
    hint = hints.of_operator("==", nodes) or hints.of_values(nodes) or rule
    return f"`{first.type}` and `{second.type}` do not go together", hint


def _tell_no_row(
    name: str, rows: Sequence[Overload], nodes: Sequence[Node], span: tuple[int, int], report: Report
) -> None:
    types = [f"`{node.type}`" for node in nodes]
    given = " and ".join([", ".join(types[:-1]), types[-1]] if len(types) > 1 else types) or "nothing"
    if _orders_an_enum(name, nodes):
        hint: str | None = "the values of an enum have no order; list the ones that count with `in`"
    else:
        hint = hints.of_operator(name, nodes) if name in "+-*/%<=>=" else None
        hint = hint or (None if name.isidentifier() else hints.of_values(nodes)) or _rows_hint(rows, nodes)
    report("AM202", f"`{name}` does not take {given}", *span, hint)


def _rows_hint(rows: Sequence[Overload], nodes: Sequence[Node]) -> str | None:
    near = [row for row in rows if nodes and row.parameters[0] != HOLE and fits(nodes[0], row.parameters[0])]
    shown = [f"`{row}`" for row in (near or rows)]
    return "it takes " + ", ".join(shown[:6]) + (" and others" if len(shown) > 6 else "") if shown else None


def unknown_function(name: str, tables: Sequence[str]) -> tuple[str, str | None]:
    """Return the message and hint for a function that nothing declares, or that is called the other way."""
    rows = [row for row in FUNCTIONS.get(name, ()) if row.style != "operator"]
    if rows:
        return f"`{name}` is called otherwise", f"write `{rows[0]}`"
    if name in MACROS:
        return f"`{name}` is called otherwise", f"write it after a list, such as `xs.{name}(x, …)`"
    if name in _OUTSIDE:
        return f"`{name}` is not part of the profile", _OUTSIDE[name]
    known = [key for key in FUNCTIONS if key.isidentifier() and key != "in"]
    near = difflib.get_close_matches(name, [*tables, *known, *MACROS], n=1, cutoff=0.6)
    # A table of the policy is meant rather than a word of another language.
    hint = None if set(near) & set(tables) else habits.of_call(name)
    hint = hint or (did_you_mean(name, near) if near else None)
    return f"there is no function `{name}`", hint


#: Functions of CEL that the profile leaves out, and what to write instead.
_OUTSIDE: Final[dict[str, str | None]] = {
    "dyn": "every value has one type; leave it out",
    "double": "use `decimal(…)`",
    "uint": "use `int(…)`",
    "bytes": None,
    "type": "types are known when the policy is checked",
}
#: The macros, by name; `has` is written as a function, the others on a list or map.
MACROS: Final = (
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "sum",
    "to_map",
    "transformList",
    "transformMap",
)
