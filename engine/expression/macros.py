"""The macros over lists and maps, expanded into loops.

`xs.all(x, …)`, `exists`, `exists_one` (`existsOne`), `filter`, `map` (with or without a filter), `sum`, `to_map`, and
the forms with two variables (position and item of a list, key and value of a map) with `transformList`, `transformMap`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

from ..types import BOOL, HOLE, INT, TEXT, Hole, ListType, MapType, Type
from . import syntax
from .fit import convert, fits
from .flow import Flow, Keys, Typed, strict
from .functions import SUMS
from .tree import Loop, LoopKind, Node


class Shape(NamedTuple):
    """One form of a macro: how many variables it binds, and what its other arguments are."""

    kind: LoopKind
    variables: int
    parts: tuple[str, ...]


#: By name and number of arguments.
SHAPES: Final[dict[tuple[str, int], Shape]] = {
    **{
        (name, count): Shape(kind, count - 1, ("condition",))
        for name, kind in (("all", "all"), ("exists", "exists"), ("exists_one", "exists_one"), ("existsOne", "exists_one"))
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


class Checking(Protocol):
    """What expanding a macro needs of the checker."""

    def infer(self, expr: syntax.Expr, present: Keys) -> Typed:
        """Return an expression checked."""

    def report(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        """Record a problem."""

    def bound(self, variables: dict[str, tuple[Type, str]]) -> AbstractContextManager[dict[str, str]]:
        """Bind variables (name to type and path) for a while; gives their slots."""


def expand(checker: Checking, call: syntax.Call, shape: Shape, over: Typed, path: str, present: Keys) -> Typed:
    """Return a macro as a loop.

    Args:
        checker: checks the parts.
        call: the macro as written.
        shape: its form.
        over: its receiver, checked: a list or a map.
        path: what reports call the items.
        present: optional paths that are surely there.
    """
    names = _variables(checker, call, shape)
    first_type, second_type = _bound_types(checker, call, shape, over.node)
    variables = dict(zip(names, [first_type, second_type][-len(names) :] if names else [], strict=False))
    if isinstance(over.node.type, MapType) and shape.variables == 1:
        variables = dict.fromkeys(names, TEXT)
    arguments = dict(zip(shape.parts, call.arguments[shape.variables :], strict=True))
    with checker.bound({name: (type_, path) for name, type_ in variables.items()}) as slots:
        parts: dict[str, Typed] = {}
        for part, expr in arguments.items():
            # What the filter ensures holds for the body.
            ensured = parts["condition"].flow.true if "condition" in parts else frozenset()
            parts[part] = checker.infer(expr, present | ensured)
    nodes = {part: _part(checker, part, typed.node, call.name) for part, typed in parts.items()}
    node = _loop(checker, call, shape, over.node, names, slots, nodes)
    inner = Flow(strict([typed.flow for typed in parts.values()]).misses)
    if parts.get("condition") and "body" in parts:
        inner = Flow({**parts["condition"].flow.misses, **parts["body"].flow.misses})
    return Typed(node, _outer(over.flow, inner))


def _outer(over: Flow, inner: Flow) -> Flow:
    """Return the flow of a loop: its list is surely read, its parts perhaps never."""
    return Flow({**inner.misses, **over.misses}, over.known, over.known, over.known)


def _variables(checker: Checking, call: syntax.Call, shape: Shape) -> list[str]:
    names: list[str] = []
    for argument in call.arguments[: shape.variables]:
        if not isinstance(argument, syntax.Name):
            checker.report("AM202", f"`{call.name}` names its variable first", argument.start, argument.end, f"such as `.{call.name}(x, …)`")
        elif argument.name in names:
            checker.report("AM202", f"`{argument.name}` names two variables", argument.start, argument.end)
        else:
            names.append(argument.name)
    return names


def _bound_types(checker: Checking, call: syntax.Call, shape: Shape, over: Node) -> tuple[Type, Type]:
    match over.type:
        case ListType(item=item):
            if shape.kind == "to_map" and shape.variables == 2:
                checker.report(
                    "AM202", f"`{call.name}` is for maps", over.start, over.end, "`xs.to_map(x, key, value)` makes a map of a list"
                )
            return INT, item
        case MapType(value=value):
            return TEXT, value
        case Hole():
            return HOLE, HOLE
        case other:
            checker.report("AM202", f"`{call.name}` is for lists and maps, and this is `{other}`", over.start, over.end)
            return HOLE, HOLE


def _part(checker: Checking, part: str, node: Node, name: str) -> Node:
    wanted = {"condition": BOOL, "key": TEXT}.get(part)
    if wanted is None:
        return node
    if not fits(node, wanted):
        what = "condition" if part == "condition" else "key"
        checker.report("AM202", f"the {what} of `{name}` is `{wanted}`, and this is `{node.type}`", node.start, node.end)
    return node


def _loop(
    checker: Checking,
    call: syntax.Call,
    shape: Shape,
    over: Node,
    names: list[str],
    slots: dict[str, str],
    nodes: dict[str, Node],
) -> Node:
    body = nodes.get("body")
    kind = shape.kind
    type_: Type = BOOL
    if kind == "filter":
        type_ = ListType(TEXT) if isinstance(over.type, MapType) else over.type
    elif kind == "map":
        type_ = ListType(HOLE if body is None else body.type)
    elif kind == "to_map":
        type_ = MapType(HOLE if body is None else body.type)
    elif kind == "sum" and body is not None:
        body, type_ = _summand(checker, body)
    found = [slots.get(name) for name in names]
    first, second = (found[0], found[1]) if len(found) == 2 else (None, found[0] if found else None)
    return Loop(kind, over, first, second, nodes.get("condition"), nodes.get("key"), body, type_, call.start, call.end)


def _summand(checker: Checking, body: Node) -> tuple[Node, Type]:
    type_ = next((known for known in SUMS if fits(body, known)), None)
    if type_ is None:
        checker.report("AM202", f"`{body.type}` cannot be added up", body.start, body.end, "a sum is of int, decimal, money or duration")
        return body, HOLE
    if isinstance(body.type, Hole):
        return body, HOLE
    return convert(body, type_, _silent), body.type


_silent: Callable[..., None] = lambda *_: None  # noqa: E731 - nothing can go wrong where a sum fits
