"""What is wrong with policies that can be read, word for word; and what is not wrong with others that look like it.

Each policy under bad/ has its faults marked and its findings beside it; those under good/ have none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.engine.checks.run import run_checks
from amends.engine.diagnostics import Diagnostic, Diagnostics
from amends.engine.document import Node, read_text
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.publishing.bundle import Bundle, compile_node, expand, overlaid

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))
GOOD = sorted((HERE / "good").glob("*.yaml"))
SHIPPED = Library.load(HERE.parents[2] / "policies", HERE.parents[2] / "examples")


def read(path: Path) -> Node:
    node, found = read_text(path.read_text(encoding="utf-8"), path.name)
    assert node is not None, found
    base = path.with_suffix(".base")
    return overlaid(read(base), node, Diagnostics()) if path != base and base.exists() else node


def findings(path: Path) -> tuple[Diagnostic, ...]:
    """Return what is found in a policy; `x.base` beside `x.yaml` is what that lies over."""
    node = read(path)
    bundle = Bundle(texts=(path.read_text(encoding="utf-8"),), holidays=expand(node, Diagnostics()))
    policy, found = compile_node(node, bundle)
    diagnostics = Diagnostics(list(found))
    if policy is not None:
        run_checks(policy, diagnostics, node)
    return diagnostics.sorted()


def line_of(item: Diagnostic) -> str:
    hint = f" | {item.hint}" if item.hint else ""
    related = "".join(f" | {note} {place.line}:{place.column}" for note, place in item.related)
    return (
        f"{item.place.line}:{item.place.column} {item.severity}[{item.code}] {item.message}{hint}{related}\n"
    )


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_fault_is_told_at_its_place(path: Path) -> None:
    assert "".join(map(line_of, findings(path))) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_findings_stand_on_the_lines_marked_as_faults(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if "# fault" in line}
    assert {item.place.line for item in findings(path)} == marked


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_only_looks_wrong_is_not_reported(path: Path) -> None:
    assert "".join(map(line_of, findings(path))) == ""


@pytest.mark.parametrize("policy", SHIPPED.policies, ids=lambda policy: policy.ref.name)
def test_nothing_is_wrong_with_a_policy_that_ships(policy: CompiledPolicy) -> None:
    found: Node | None = None
    for index, text in enumerate(SHIPPED.bundles[policy.ref.bundle].texts):
        node, _ = read_text(text, f"{index}.yaml")
        assert node is not None
        found = node if found is None else overlaid(found, node, Diagnostics())
    diagnostics = Diagnostics()
    run_checks(policy, diagnostics, found)
    assert "".join(map(line_of, diagnostics.sorted())) == ""
