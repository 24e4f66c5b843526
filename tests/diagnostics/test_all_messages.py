"""Every message in one place, to be read as an author reads it: all_messages.txt is compared whole.

It is made from what pages show as wrong, from misspelt.yaml and from mistakes.yaml. After a change of wording run
`AMENDS_GOLDEN=write pytest tests/diagnostics/test_all_messages.py`, and read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from amends.engine.diagnostics import CATALOGUE, Diagnostic
from amends.engine.library import Library

HERE = Path(__file__).parent
GOLDEN = HERE / "all_messages.txt"
BASE = (HERE / "loans.yaml").read_text(encoding="utf-8")


def changed(name: str, folder: Path) -> Iterator[tuple[str, tuple[Diagnostic, ...], Path]]:
    """Yield the findings of loans.yaml with each of the changes that a file lists."""
    path = folder / "loans.yaml"
    cases: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    for case in cases:
        assert BASE.count(case["was"]) == 1, case["was"]
        path.write_text(BASE.replace(case["was"], case["now"]), encoding="utf-8")
        yield case["what"], Library.load(path).diagnostics, path


def marked(item: Diagnostic, path: Path) -> str:
    """Return the text under the caret, to the end of its first line."""
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    place = item.place
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    end = place.end_column - 1 if place.end_line == place.line else len(line)
    text = line[place.column - 1 : end]
    return f"{text[:60]}…" if len(text) > 60 or place.end_line > place.line else text


def told(found: tuple[Diagnostic, ...], folder: Path) -> Iterator[str]:
    for item in found:
        yield f"{item.severity}[{item.code}] {item.message}"
        yield f"    at: {marked(item, folder / Path(item.place.file).name)}"
        if item.hint:
            yield f"    help: {item.hint}"
        for note, place in item.related:
            yield f"    note: line {place.line}: {note}"


@pytest.fixture
def messages(tmp_path: Path, check: SimpleNamespace) -> str:
    lines: list[str] = []
    for code in sorted(CATALOGUE):
        found, _ = check.section(code, "Wrong")
        lines += ["", f"# page {code}", *told(found, tmp_path)]
        for path in tmp_path.iterdir():
            path.unlink()
    for name in ("misspelt.yaml", "mistakes.yaml"):
        for what, found, path in changed(name, tmp_path):
            assert found, f"nothing is found: {what}"
            lines += ["", f"# {what}", *told(found, path.parent)]
    return "\n".join(lines).lstrip() + "\n"


def test_every_message_reads_as_it_should(messages: str) -> None:
    if os.environ.get("AMENDS_GOLDEN") == "write":
        GOLDEN.write_text(messages, encoding="utf-8")
    assert messages == GOLDEN.read_text(encoding="utf-8")


def test_every_message_is_in_the_house_style() -> None:
    """Lower case, no final full stop, and no word of Python where an author's belongs."""
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        text = re.sub(r"^(error|warning)\[AM\d+\] |^    (help|note): ", "", line)
        if not text or text == line:
            continue
        said = re.sub(r"`[^`]*`", "`x`", text)
        assert not said[0].isupper(), line
        assert not said.endswith((".", "!")), line
        assert not re.search(
            r"\b(str|dict|tuple|NoneType|None|True|False|Fraction|datetime|object|node)\b", said
        ), line
