"""Lists, maps and records written out: each has one type, and a record all of its fields."""

from __future__ import annotations

from ..types import HOLE, TEXT, ListType, MapType, OptionalType, RecordType, Type
from . import syntax
from .calls import apart
from .checking import Checking, hole
from .fit import common, convert, fits
from .flow import STILL, Flow, Keys, Typed, strict
from .tokens import quoted
from .tree import Constant, ListOf, MapOf, Node, RecordOf


def list_of(checker: Checking, expr: syntax.ListLiteral, present: Keys, wanted: Type | None) -> Typed:
    """Return `[a, b]`."""
    due = wanted.item if isinstance(wanted, ListType) else wanted
    items = [checker.infer(item, present, due) for item in expr.items]
    nodes, type_ = _alike(checker, [item.node for item in items], "the items of a list")
    return Typed(
        ListOf(tuple(nodes), ListType(type_), expr.start, expr.end), strict([item.flow for item in items])
    )


def _alike(checker: Checking, nodes: list[Node], what: str) -> tuple[list[Node], Type]:
    """Return nodes as one type, and the type; report the first that is of another."""
    type_ = common(nodes)
    if type_ is not None:
        return [convert(node, type_, checker.report) for node in nodes], type_
    odd = next((node for node in nodes if common([nodes[0], node]) is None), nodes[-1])
    message, hint = apart(nodes[0], odd, f"{what} have one type")
    checker.report("AM202", message, odd.start, odd.end, hint)
    return [Constant(None, HOLE, node.start, node.end) for node in nodes], HOLE


def map_of(checker: Checking, expr: syntax.MapLiteral, present: Keys) -> Typed:
    """Return `{"key": value}`."""
    keys = [checker.infer(key, present) for key, _ in expr.entries]
    values = [checker.infer(value, present) for _, value in expr.entries]
    seen: set[str] = set()
    for key in (item.node for item in keys):
        if not fits(key, TEXT):
            checker.report(
                "AM202", f"the keys of a map are `text`, and this is `{key.type}`", key.start, key.end
            )
        elif isinstance(key, Constant) and isinstance(key.value, str):
            if key.value in seen:
                checker.report("AM202", f"the key {quoted(key.value)} stands twice", key.start, key.end)
            seen.add(key.value)
    nodes, type_ = _alike(checker, [item.node for item in values], "the values of a map")
    entries = tuple(zip((item.node for item in keys), nodes, strict=True))
    return Typed(
        MapOf(entries, MapType(type_), expr.start, expr.end), strict([item.flow for item in (*keys, *values)])
    )


def record_of(checker: Checking, expr: syntax.RecordLiteral, present: Keys) -> Typed:
    """Return `name{field: value}`; an optional field may be left out, or be given a value that may be missing."""
    type_ = checker.scope.find_type(expr.name)
    fields_due = dict(type_.fields) if isinstance(type_, RecordType) else {}
    values = [checker.infer(value, present, fields_due.get(name)) for name, _, value in expr.fields]
    name_end = expr.start + len(expr.name)
    if not isinstance(type_, RecordType):
        hint = checker.suggest(expr.name, checker.scope.type_names())
        checker.report("AM104", f"there is no record type `{expr.name}`", expr.start, name_end, hint)
        return hole(expr)
    fields: dict[str, Node] = {}
    flows: list[Flow] = []
    for (name, start, _), typed in zip(expr.fields, values, strict=True):
        wanted, end = type_.field(name), start + len(name)
        if wanted is None:
            hint = checker.suggest(name, [known for known, _ in type_.fields])
            checker.report("AM104", f"`{type_}` has no field `{name}`", start, end, hint)
        elif name in fields:
            checker.report("AM202", f"the field `{name}` stands twice", start, end)
        else:
            fields[name] = checker.due(typed.node, wanted)
            # An optional field stays out of the record while its value is missing, and the record is known.
            flows.append(STILL if isinstance(wanted, OptionalType) else typed.flow)
    optional = frozenset(name for name, field in type_.fields if isinstance(field, OptionalType))
    lacking = [name for name, _ in type_.fields if name not in fields and name not in optional]
    if lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        checker.report("AM202", f"`{type_}` needs {names} too", expr.start, name_end)
    node = RecordOf(tuple(fields.items()), optional, type_, expr.start, expr.end)
    return Typed(node, strict(flows))
