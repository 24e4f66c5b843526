"""The tutorial is played whole: its files are written and changed, its commands run, and what they print compared."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

PAGE = "docs/tutorial.md"


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


def test_every_command_prints_what_the_page_shows(text: str, pages: ModuleType, tmp_path: Path) -> None:
    played = list(pages.play(text, tmp_path))
    assert len(played) >= 15
    for item in played:
        assert "\n".join(item.printed) == "\n".join(item.command.shown).rstrip(), item.command.line
        assert item.code == item.command.code, item.command.line
    for block in pages.blocks(text):
        if name := block.note("is"):
            assert block.text == (tmp_path / name).read_text(encoding="utf-8")


def test_there_are_ten_steps(text: str) -> None:
    steps = [line for line in text.splitlines() if line.startswith("## ") and line[3].isdigit()]
    assert [int(step[3:].partition(".")[0]) for step in steps] == list(range(1, 11))


def test_a_change_that_fits_nowhere_is_an_error(pages: ModuleType) -> None:
    assert pages.changed("a: 1\nb: 2\n", "-a: 1\n+a: 3\n@@\n+c: 4\n") == "a: 3\nb: 2\nc: 4\n"
    with pytest.raises(ValueError, match="0 times"):
        pages.changed("a: 1\n", "-b: 1\n")
