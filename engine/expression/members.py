"""`a.field`, `a[index]` and `has(path)`: the parts of records, maps, lists and windows."""

from __future__ import annotations

from typing import Final

from ..types import (
    BOOL,
    INT,
    TEXT,
    TIMESTAMP,
    WINDOW,
    Hole,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    required,
)
from . import habits, outputs, syntax
from .checking import Checking, flow_key, hole, report_path
from .flow import NOTHING, Flow, Keys, Typed, strict
from .functions import FUNCTIONS
from .instants import PARTS
from .tree import Constant, Field, Has, Index, WindowPart

_WINDOW_PARTS: Final[dict[str, Type]] = {
    "is_open": BOOL,
    "is_closed": BOOL,
    "opens": TIMESTAMP,
    "closes": TIMESTAMP,
    "reason": TEXT,
}


def select(checker: Checking, expr: syntax.Select, present: Keys) -> Typed:
    """Return `of.field` by the type of `of`."""
    of = checker.part(expr.of, present)
    match of.node.type:
        case RecordType() as record:
            return _field(checker, expr, of, record, present)
        case MapType(value=value):
            key = Constant(expr.field, TEXT, expr.field_start, expr.end)
            return Typed(Index(of.node, key, value, expr.start, expr.end), of.flow)
        case Hole():
            return hole(expr)
        case type_ if type_ == WINDOW:
            return _window_part(checker, expr, of, present)
        case type_:
            checker.report(
                "AM202", f"`{type_}` has no fields", expr.field_start, expr.end, _no_fields(type_, expr.field)
            )
            return hole(expr)


def _no_fields(type_: Type, field: str) -> str | None:
    """Return how what was meant by a field is written, of a value that has none."""
    if isinstance(type_, ListType) and isinstance(type_.item, RecordType) and type_.item.field(field):
        return f"each item has it: `.map(x, x.{field})`"
    if rows := FUNCTIONS.get(field):
        return f"it is a function: `{rows[0]}`"
    getter = next(
        (name for name in PARTS if name.lower() in (f"get{field}".lower(), f"getFull{field}".lower())), None
    )
    return f"write `.{getter}()`" if getter and type_ == TIMESTAMP else habits.of_field(field)


def _field(checker: Checking, expr: syntax.Select, of: Typed, record: RecordType, present: Keys) -> Typed:
    type_ = record.field(expr.field)
    if type_ is None:
        hint = checker.suggest(expr.field, [name for name, _ in record.fields])
        checker.report("AM104", f"`{record}` has no field `{expr.field}`", expr.field_start, expr.end, hint)
        return hole(expr)
    path = f"{report_path(of.node)}.{expr.field}".removeprefix(".")
    node = Field(of.node, expr.field, path, required(type_), expr.start, expr.end)
    if not isinstance(type_, OptionalType):
        own = outputs.own_misses(of.node, expr.field, checker.scope)
        return Typed(node, outputs.read(node, of.flow, own, present))
    key = flow_key(node)
    misses = of.flow.misses if key in present else {**of.flow.misses, path: (expr.start, expr.end)}
    known = of.flow.known | {key}
    return Typed(node, Flow(misses, known, known, known))


def _window_part(checker: Checking, expr: syntax.Select, of: Typed, present: Keys) -> Typed:
    type_ = _WINDOW_PARTS.get(expr.field)
    if type_ is None:
        hint = checker.suggest(expr.field, _WINDOW_PARTS)
        checker.report("AM104", f"a window has no `{expr.field}`", expr.field_start, expr.end, hint)
        return hole(expr)
    if expr.field == "reason":
        type_ = checker.scope.find_type("reason") or TEXT
    part = WindowPart(of.node, expr.field, type_, expr.start, expr.end)  # type: ignore[arg-type] # a key of the table
    if expr.field != "reason":
        return Typed(part, of.flow)
    key = flow_key(part)
    known = of.flow.known | {key}
    return Typed(part, Flow({} if key in present else of.flow.misses, known, known, known))


def index(checker: Checking, expr: syntax.Index, present: Keys) -> Typed:
    """Return `of[index]`: an item of a list by its number, or of a map by its key."""
    of, at = checker.infer(expr.of, present), checker.infer(expr.index, present)
    match of.node.type:
        case ListType(item=item):
            wanted, type_ = INT, item
        case MapType(value=value):
            wanted, type_ = TEXT, value
        case Hole():
            return hole(expr)
        case other:
            checker.report("AM202", f"`{other}` is neither a list nor a map", of.node.start, of.node.end)
            return hole(expr)
    node = Index(of.node, checker.due(at.node, wanted), type_, expr.start, expr.end)
    return Typed(node, strict([of.flow, at.flow]))


def has(checker: Checking, expr: syntax.Call, present: Keys) -> Typed:
    """Return `has(path)`: it guards every optional segment, and is never unknown itself."""
    if len(expr.arguments) != 1 or not isinstance(expr.arguments[0], syntax.Name | syntax.Select):
        hint = "such as `has(claim.amount)`"
        checker.report("AM202", "`has` asks for one name or one field", expr.start, expr.end, hint)
        return hole(expr)
    of = checker.infer(expr.arguments[0], present)
    return Typed(Has(of.node, BOOL, expr.start, expr.end), Flow({}, NOTHING, of.flow.known))
