"""No SQL is built from text: what a database is asked is made of SQLAlchemy's expressions, or stands written out."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

#: How a statement begins.
SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|DROP|ALTER|BEGIN|COMMIT|WITH|VACUUM|ATTACH|SET|LOCK|TRUNCATE)\b"
)
#: Calls that take SQL as text.
TAKES_TEXT = {"text", "exec_driver_sql", "executescript", "literal_column", "DDL", "TextClause"}
#: What may be handed to them all the same, and why.
COMPILED = {"engine/store/at_hand.py": {"text.sql": "SQLAlchemy made it of an expression, once"}}


def constants(tree: ast.Module) -> set[str]:
    """Return the names that a module gives to texts that stand written out."""
    found = set()
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if isinstance(getattr(node, "value", None), ast.Constant):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def is_written_out(node: ast.expr, names: set[str]) -> bool:
    """Tell whether a text stands in the source as it is, or is one of two that do."""
    if isinstance(node, ast.IfExp):
        return is_written_out(node.body, names) and is_written_out(node.orelse, names)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in names)


def parts(node: ast.AST) -> list[ast.expr]:
    """Return what a text is put together from, or nothing of what is none."""
    match node:
        case ast.JoinedStr(values=values):
            return values
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            return [left, right]
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace", value=of), args=args):
            return [of, *args]
    return []


def built(tree: ast.Module, compiled: Collection[str] = ()) -> Iterator[int]:
    """Yield the lines on which SQL is put together, or taken from what neither stands written out nor was compiled."""
    names = constants(tree)
    for node in ast.walk(tree):
        if any(
            isinstance(part, ast.Constant) and isinstance(part.value, str) and SQL.match(part.value)
            for part in parts(node)
        ):
            yield node.lineno  # type: ignore[attr-defined] # expressions have one
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            taken = [one for one in node.args[:1] if ast.unparse(one) not in compiled]
            if called in TAKES_TEXT and not all(is_written_out(one, names) for one in taken):
                yield node.lineno


def test_no_sql_is_built_from_text(root: Path) -> None:
    # No other room may import what talks to a database: tests/test_architecture.py.
    sources = [*(root / "engine/store").rglob("*.py")]
    assert len(sources) > 10
    found = {
        f"{path.relative_to(root)}:{line}"
        for path in sources
        for line in built(
            ast.parse(path.read_text(encoding="utf-8")), COMPILED.get(path.relative_to(root).as_posix(), ())
        )
    }
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        'query = f"SELECT * FROM cases WHERE id = {case_id}"',
        'query = "SELECT * FROM cases WHERE id = " + case_id',
        'query = "DELETE FROM %s" % table',
        'query = "UPDATE {} SET x = 1".format(table)',
        'connection.exec_driver_sql(f"PRAGMA {name}")',
        "connection.exec_driver_sql(query)",
        "connection.execute(text(query))",
        "order_by(literal_column(column))",
    ],
)
def test_what_builds_sql_is_found(line: str) -> None:
    assert [*built(ast.parse(line))]


@pytest.mark.parametrize(
    "line",
    [
        'connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")',
        "_LOCK = 'SELECT 1'\nconnection.exec_driver_sql(_LOCK, (1,))",
        "connection.execute(select(cases).where(cases.c.id == case_id))",
        'told = f"the case {case_id} was SELECTED"',
    ],
)
def test_what_stands_written_out_is_fine(line: str) -> None:
    assert [*built(ast.parse(line))] == []
