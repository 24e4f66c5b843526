"""What is wrong with tables is said at its place: `bad/NAME.yaml` gives `bad/NAME.txt`, whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amends.engine.diagnostics import Diagnostic, Place

BAD = Path(__file__).parent / "bad"


def span(place: Place) -> str:
    end = f"{place.end_column}" if place.end_line == place.line else f"{place.end_line}:{place.end_column}"
    return f"{place.line}:{place.column}-{end}"


def line(finding: Diagnostic) -> str:
    hint = f"\n    = {finding.hint}" if finding.hint else ""
    related = "".join(f"\n    > {span(place)} {note}" for note, place in finding.related)
    return f"{span(finding.place)} {finding.code} {finding.message}{hint}{related}\n"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_mistake_is_told_at_its_place(read: Callable[[str], Any], path: Path) -> None:
    found = read(path.read_text(encoding="utf-8")).findings
    assert "".join(map(line, found)) == path.with_suffix(".txt").read_text(encoding="utf-8")
