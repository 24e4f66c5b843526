"""Lists, maps, records and the loops over them in generated code.

A loop that may turn too often, a key that comes twice and an item that may be missing are left to the reference.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ..types import INT, MapType
from . import python as py
from .frame import MAX_TURNS
from .functions import summing
from .tokens import INT_MAX, INT_MIN
from .tree import Constant, ListOf, Loop, MapOf, RecordOf


def written_out(node: ListOf | MapOf | RecordOf, writer: py.Writer) -> ast.expr:
    """Write a list, map or record that the expression writes out."""
    match node:
        case ListOf(items=items):
            if all(isinstance(each, Constant) for each in items):
                return writer.given(tuple(each.value for each in items if isinstance(each, Constant)))
            return writer.keep(ast.Tuple([writer.plain(each) for each in items], ast.Load()))
        case MapOf(entries=entries):
            pairs = [(writer.plain(key), writer.plain(value)) for key, value in entries]
            found = writer.keep(ast.Dict([key for key, _ in pairs], [value for _, value in pairs]))
            writer.leave_if(py.compare(py.call("len", found), "!=", py.constant(len(pairs))))
            return found
        case RecordOf(fields=fields):
            values = [writer.plain(value) for _, value in fields]
            return writer.keep(ast.Dict([py.constant(field) for field, _ in fields], list(values)))


def loop(node: Loop, writer: py.Writer) -> ast.expr:
    """Write a loop; gives its result."""
    over = writer.plain(node.over)
    is_map = isinstance(node.over.type, MapType)
    kind = "dict" if is_map else "tuple"
    writer.leave_if(py.compare(py.call("type", over), "is not", py.name(kind)))
    writer.turn(py.call("len", over))
    writer.leave_if(py.compare(py.name("turns"), ">", py.constant(MAX_TURNS)))
    return _KINDS[node.kind](node, over, writer)


@contextmanager
def _turns(node: Loop, over: ast.expr, writer: py.Writer) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Write what stands inside is done for every item; gives the variables of the position or key, and of the item."""
    first, second = writer.variable(), writer.variable()
    with writer.branch() as body:
        writer.bind(node.second, second)
        if node.first:
            writer.bind(node.first, first)
        yield py.name(first), py.name(second)
    target: ast.expr = ast.Name(second, ast.Store())
    if node.first:
        pairs = isinstance(node.over.type, MapType)
        over = ast.Call(py.part(over, "items"), [], []) if pairs else py.call("enumerate", over)
        target = ast.Tuple([ast.Name(first, ast.Store()), target], ast.Store())
    writer.block.append(ast.For(target, over, body, []))


def _choose(node: Loop, writer: py.Writer) -> None:
    """Write that only the items that the condition chooses go on."""
    if node.condition is not None:
        writer.require(node.condition, True, lambda: writer.block.append(ast.Continue()))  # noqa: FBT003 - what is due


def _decides(node: Loop, over: ast.expr, writer: py.Writer) -> ast.expr:
    condition: Any = node.condition
    result, every = writer.variable(), node.kind == "all"

    def decided() -> None:
        writer.block.extend([py.assign(result, py.constant(not every)), ast.Break()])

    writer.block.append(py.assign(result, py.constant(every)))
    with _turns(node, over, writer):
        writer.require(condition, every, decided)
    return writer.keep(py.name(result))


def _exists_one(node: Loop, over: ast.expr, writer: py.Writer) -> ast.expr:
    count = writer.variable()
    writer.block.append(py.assign(count, py.constant(0)))
    with _turns(node, over, writer):
        _choose(node, writer)
        writer.block.append(py.assign(count, py.binary(py.name(count), "+", py.constant(1))))
    return writer.keep(py.compare(py.name(count), "==", py.constant(1)))


def _collects(node: Loop, over: ast.expr, writer: py.Writer) -> ast.expr:
    items = writer.keep(ast.List([], ast.Load()))
    with _turns(node, over, writer) as (_, item):
        _choose(node, writer)
        value = item if node.body is None else writer.plain(node.body)
        writer.block.append(ast.Expr(ast.Call(py.part(items, "append"), [value], [])))
    return writer.keep(py.call("tuple", items))


def _sum(node: Loop, over: ast.expr, writer: py.Writer) -> ast.expr:
    body: Any = node.body
    total, (zero, add) = writer.variable(), summing(node.type)
    writer.block.append(py.assign(total, writer.given(zero)))
    with _turns(node, over, writer):
        _choose(node, writer)
        value, so_far = writer.plain(body), py.name(total)
        if node.type == INT:
            writer.block.append(py.assign(total, py.binary(so_far, "+", value)))
            low, high = py.constant(INT_MIN), py.constant(INT_MAX)
            writer.leave_if(py.inverted(py.compare(low, "<=", so_far, "<=", high)))
        else:
            writer.block.append(py.assign(total, ast.Call(writer.given(add), [so_far, value], [])))
    return writer.keep(py.name(total))


def _to_map(node: Loop, over: ast.expr, writer: py.Writer) -> ast.expr:
    body: Any = node.body
    found = writer.keep(ast.Dict([], []))
    with _turns(node, over, writer) as (first, _):
        _choose(node, writer)
        key = first if node.key is None else writer.plain(node.key)
        value = writer.plain(body)
        writer.leave_if(py.compare(key, "in", found))
        writer.block.append(ast.Assign([ast.Subscript(found, key, ast.Store())], value))
    return found


_KINDS: Final[dict[str, Callable[[Loop, ast.expr, py.Writer], ast.expr]]] = {
    "all": _decides,
    "exists": _decides,
    "exists_one": _exists_one,
    "filter": _collects,
    "map": _collects,
    "sum": _sum,
    "to_map": _to_map,
}
