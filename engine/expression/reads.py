"""Names, fields, items and `has` in generated code."""

from __future__ import annotations

import ast

from ..types import MapType
from . import python as py
from .tree import Field, Has, Index, Local, Node, Now, Reference, TableCall, WindowPart


def key_of(node: Node) -> str | None:
    """Return a text for what has the same value wherever it is read; None of what is computed each time."""
    match node:
        case Reference():
            return node.name
        case Local():
            return f"${node.slot}"
        case Field():
            of = key_of(node.of)
            return None if of is None else f"{of}.{node.field}"
        case Now():
            return "@now"
        case TableCall():
            return f"@{node.start}:{node.end}"
    return None


def path(node: Reference | Local | Field | Index | WindowPart, writer: py.Writer) -> ast.expr:
    """Write what is read; gives a variable, which may stand for a missing value."""
    match node:
        case Reference(name=word):
            return writer.ask(word)
        case Local(slot=slot):
            return writer.read(f"${slot}", lambda: py.item(py.name("variables"), py.constant(slot)))
        case Field(of=of, field=field):
            return writer.read(key_of(node), lambda: py.item(writer.raw(of), py.constant(field)))
        case Index():
            items, at = writer.raw(node.of), writer.plain(node.index)
            if not isinstance(node.of.type, MapType):
                writer.leave_if(py.compare(at, "<", py.constant(0)))
            return writer.keep(py.item(items, at), sure=False)
        case WindowPart(part="opens" | "closes" as end):
            return writer.keep(py.part(writer.raw(node.of), end), sure=False)
    return writer.keep(_asked(node, writer), sure=False)


def _asked(node: WindowPart, writer: py.Writer) -> ast.expr:
    return py.call("part_of", writer.raw(node.of), py.constant(node.part), writer.now())


def has(node: Has, writer: py.Writer) -> py.Test:
    """Write whether a path leads to a value. What is erased was there."""
    of = node.of
    match of:
        case Reference() | Local():
            return py.Test(py.compare(py.call("type", path(of, writer)), "is not", py.name("Unknown")))
        case Field():
            return _there(_peek(of, writer))
        case WindowPart(part="opens" | "closes" | "reason"):
            return _there(writer.keep(_asked(of, writer), sure=False))
        case Index() if isinstance(of.of.type, MapType):
            entries = writer.plain(of.of)
            return py.Test(py.compare(writer.plain(of.index), "in", entries))
    writer.plain(of)
    return py.Test(py.constant(True))  # noqa: FBT003 - a constant


def _there(value: ast.expr) -> py.Test:
    there = py.compare(value, "is not", py.constant(None))
    return py.Test(py.every(there, py.compare(py.call("type", value), "is not", py.name("Unknown"))))


def _peek(node: Field, writer: py.Writer) -> ast.expr:
    """Write a field that may be missing: it is None then, or what its record is if that is unknown."""

    def value() -> ast.expr:
        of = _peek(node.of, writer) if isinstance(node.of, Field) else writer.raw(node.of)
        kind = py.call("type", of)
        writer.leave_if(py.compare(kind, "not in", py.name("RECORDS")))
        got = ast.Call(py.part(of, "get"), [py.constant(node.field)], [])
        return ast.IfExp(py.compare(kind, "is", py.name("dict")), got, of)

    return writer.read(key_of(node), value)
