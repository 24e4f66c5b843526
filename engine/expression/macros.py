"""The macros over lists and maps, expanded into loops.

`xs.all(x, …)`, `exists`, `exists_one` (`existsOne`), `filter`, `map` (with or without a filter), `sum`, `to_map`, and
the forms with two variables (position and item of a list, key and value of a map) with `transformList`, `transformMap`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from ..types import BOOL, HOLE, INT, TEXT, Hole, ListType, MapType, Type
from . import syntax
from .checking import Checking, report_path
from .fit import fits
from .flow import NOTHING, Flow, Keys, Typed, strict
from .functions import SUMS
from .tree import Loop, LoopKind, Node


class Shape(NamedTuple):
    """One form of a macro: how many variables it binds, and what its other arguments are."""

    kind: LoopKind
    variables: int
    parts: tuple[str, ...]


_ASKING: Final[dict[str, LoopKind]] = {
    "all": "all",
    "exists": "exists",
    "exists_one": "exists_one",
    "existsOne": "exists_one",
}
#: By name and number of arguments.
SHAPES: Final[dict[tuple[str, int], Shape]] = {
    **{
        (name, count): Shape(kind, count - 1, ("condition",))
        for name, kind in _ASKING.items()
        for count in (2, 3)
    },
    ("filter", 2): Shape("filter", 1, ("condition",)),
    ("map", 2): Shape("map", 1, ("body",)),
    ("map", 3): Shape("map", 1, ("condition", "body")),
    ("sum", 2): Shape("sum", 1, ("body",)),
    ("to_map", 3): Shape("to_map", 1, ("key", "body")),
    ("transformList", 3): Shape("map", 2, ("body",)),
    ("transformList", 4): Shape("map", 2, ("condition", "body")),
    ("transformMap", 3): Shape("to_map", 2, ("body",)),
    ("transformMap", 4): Shape("to_map", 2, ("condition", "body")),
}


def expand(checker: Checking, call: syntax.Call, shape: Shape, over: Typed, present: Keys) -> Typed:
    """Return a macro as a loop.

    Args:
        checker: checks the parts.
        call: the macro as written.
        shape: its form.
        over: its receiver, checked: a list or a map.
        present: optional paths that are surely there.
    """
    names = _variables(checker, call, shape)
    types = _bound_types(checker, call, shape, over.node)
    path = report_path(over.node)
    written = zip(shape.parts, call.arguments[shape.variables :], strict=True)
    parts: dict[str, Typed] = {}
    with checker.bound({name: (type_, path) for name, type_ in zip(names, types, strict=False)}) as slots:
        for part, expr in written:
            # What the filter ensures holds for the body.
            ensured = parts["condition"].flow.true if "condition" in parts else NOTHING
            parts[part] = checker.infer(expr, present | ensured)
    for part, wanted in (("condition", BOOL), ("key", TEXT)):
        if part in parts:
            _demand(checker, parts[part].node, wanted, f"the {part} of `{call.name}`")
    condition, key, body = (
        parts[part].node if part in parts else None for part in ("condition", "key", "body")
    )
    if shape.kind == "sum" and body is not None:
        body = _summand(checker, body)
    # Without a variable there is a problem, and the loop never turns.
    *others, second = [slots[name] for name in names] or [""]
    first = others[0] if others else None
    type_ = _result(shape.kind, over.node.type, HOLE if body is None else body.type)
    loop = Loop(shape.kind, over.node, first, second, condition, key, body, type_, call.start, call.end)
    inner = strict([typed.flow for typed in parts.values()])
    # The list is surely read, the parts perhaps never.
    known = over.flow.known
    return Typed(loop, Flow({**inner.misses, **over.flow.misses}, known, known, known))


def _variables(checker: Checking, call: syntax.Call, shape: Shape) -> list[str]:
    names: list[str] = []
    for argument in call.arguments[: shape.variables]:
        if not isinstance(argument, syntax.Name):
            checker.report(
                "AM202",
                f"`{call.name}` names its variable first",
                argument.start,
                argument.end,
                f"such as `.{call.name}(x, …)`",
            )
        elif argument.name in names:
            checker.report("AM202", f"`{argument.name}` names two variables", argument.start, argument.end)
        else:
            names.append(argument.name)
    return names


def _bound_types(checker: Checking, call: syntax.Call, shape: Shape, over: Node) -> tuple[Type, ...]:
    """Return the types of the variables: of a list the item, of a map the key; of two the position or key comes first."""
    two = shape.variables == 2
    match over.type:
        case ListType(item=item):
            if shape.kind == "to_map" and two:
                checker.report(
                    "AM202",
                    f"`{call.name}` is for maps",
                    over.start,
                    over.end,
                    "`xs.to_map(x, key, value)` makes a map of a list",
                )
            return (INT, item) if two else (item,)
        case MapType(value=value):
            return (TEXT, value) if two else (TEXT,)
        case Hole():
            return HOLE, HOLE
        case other:
            checker.report(
                "AM202", f"`{call.name}` is for lists and maps, and this is `{other}`", over.start, over.end
            )
            return HOLE, HOLE


def _demand(checker: Checking, node: Node, wanted: Type, what: str) -> None:
    if not fits(node, wanted):
        checker.report("AM202", f"{what} is `{wanted}`, and this is `{node.type}`", node.start, node.end)


def _result(kind: LoopKind, over: Type, body: Type) -> Type:
    match kind:
        case "filter":
            return ListType(TEXT) if isinstance(over, MapType) else over
        case "map":
            return ListType(body)
        case "to_map":
            return MapType(body)
        case "sum":
            return body
    return BOOL


def _summand(checker: Checking, body: Node) -> Node:
    type_ = next((known for known in SUMS if fits(body, known)), None)
    if type_ is None:
        hint = "a sum is of int, decimal, money or duration"
        checker.report("AM202", f"`{body.type}` cannot be added up", body.start, body.end, hint)
        return replace(body, type=HOLE)
    return body
