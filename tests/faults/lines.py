"""A program is killed before each of its lines, started again, and must come to the same end.

    python -m tests.faults.lines examples/embed_minimal.py

The program is run in a folder of its own, with its cases in `cases.db` there. Printed are the number of kills, the states in
which its cases ended, and what it printed of payments when nobody killed it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from amends.engine.engine import Engine
from amends.engine.library import Library
from tests.faults.children import ended, forked, kill_me
from tests.faults.story import prove

URL = "sqlite:///cases.db"


class _Points(ast.NodeTransformer):
    """Puts a call before every statement."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit what stands in a node, and put calls between its statements."""
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # What must come first, comes first.
            head = 1 if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) else 0
            rest = [part for line in body[head:] for part in (ast.parse("_point()").body[0], line)]
            node.body = [*body[:head], *rest]  # type: ignore[attr-defined]
        return node


def run(program: Path, line: int | None) -> bool:
    """Run a program in a child that is killed before its nth statement; return whether it came so far."""
    tree = ast.fix_missing_locations(_Points().visit(ast.parse(program.read_text(encoding="utf-8"))))
    code = compile(tree, str(program), "exec")
    lines = count(1)

    def point() -> None:
        if next(lines) == line:
            kill_me()

    def work() -> None:
        with (
            Path("printed").open("a", encoding="utf-8", buffering=1) as file,
            contextlib.redirect_stdout(file),
        ):
            exec(code, {"__name__": "__main__", "_point": point})  # noqa: S102 - it is our own program

    return ended(forked(work))


def found(policies: Library) -> dict[str, Any]:
    """Return what a case came to, without what chance made of its names."""
    prove(URL, policies)
    engine = Engine(policies, URL)
    (case,) = engine.cases().cases
    told = {
        "state": case.state,
        "steps": [
            [getattr(step.input, "name", getattr(step.input, "timer", "open")), step.verdict, str(step.at)]
            for step in engine.journal(case.id)
        ],
        "effects": sorted([one.key.removeprefix(case.id), one.state] for one in engine.deliveries()),
    }
    engine.close()
    return told


def paid() -> set[str]:
    """Return the payments that the program printed: those of one key are one."""
    printed = Path("printed").read_text(encoding="utf-8").splitlines()
    return {line for line in printed if line.startswith("pay ")}


def main() -> int:
    """Kill at every line, and print how often."""
    options = argparse.ArgumentParser(description="Kill between any two lines.")
    options.add_argument("program", type=Path)
    program = options.parse_args().program.resolve()
    # What is loaded and made once here need not be loaded in every child.
    policies = Library.load(Path(__file__).parents[2] / "policies" / "tiktok_shop" / "us.yaml")
    first: dict[str, Any] | None = None
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Engine(policies, URL).close()
        for line in count(0):
            for path in Path().iterdir():
                path.unlink()
            # Line 0 is none: the first run is the one that the others are compared with.
            killed = run(program, line)
            if line and not killed:
                break
            if killed:
                run(program, None)
            now = found(policies)
            first = first or now
            assert now == first, f"another end after line {line}: {now}"
            assert len(paid()) == 1, f"after line {line}: {paid()}"
    print(json.dumps({"kills": line - 1, **(first or {})}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
