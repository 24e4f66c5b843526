"""The smallest host survives `kill -9` between any two of its lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_killed_before_any_of_its_lines_and_started_again_it_comes_to_the_same_end(
    run: Callable[..., dict[str, Any]], root: Path
) -> None:
    figures = run("lines", root / "examples" / "embed_minimal.py")
    assert figures["state"] == "closed_refunded"
    assert ["/refund/all/1", "done"] in figures["effects"]
    assert figures["kills"] >= 19


def test_it_has_twenty_lines(root: Path) -> None:
    text = (root / "examples" / "embed_minimal.py").read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and '"""' not in line]
    assert len(code) <= 20
