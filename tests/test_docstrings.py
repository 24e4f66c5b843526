"""Every public name says what it is, and every example in a docstring runs."""

from __future__ import annotations

import ast
import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[Path]:
    """Return the files of the package."""
    return sorted([*ROOT.glob("*.py"), *(ROOT / "engine").rglob("*.py")])


def dotted(path: Path) -> str:
    """Return the name that a host imports a file by; a path would import a second copy."""
    parts = ("amends", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize(
    "module",
    [dotted(path) for path in modules() if path.stem != "__main__" and "migrations" not in path.parts],
)
def test_the_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def undocumented(body: list[ast.stmt], within: str) -> Iterator[str]:
    """Yield the public classes, functions and methods that have no docstring."""
    for node in body:
        if not isinstance(
            node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
        if ast.get_docstring(node) is None and not decorators & {"overload", "override", "setter"}:
            yield f"{within}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node.body, f"{within}.{node.name}")


def test_every_public_name_has_a_docstring() -> None:
    missing = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        missing += [dotted(path)] if ast.get_docstring(tree) is None else []
        missing += undocumented(tree.body, dotted(path))
    assert missing == []


def test_a_missing_docstring_is_found() -> None:
    tree = ast.parse('class A:\n    """A."""\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...')
    assert list(undocumented(tree.body, "m")) == ["m.A.f", "m.h"]
