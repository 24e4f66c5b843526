"""The glossary has one word per idea: those that the pages use, and the names that the shipped policies give the trade's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def rows(section: str) -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| **")]
    assert found
    return found


def words(cell: str) -> list[str]:
    """Return the words that a cell explains."""
    return [word.strip() for bold in re.findall(r"\*\*([^*]+)\*\*", cell) for word in bold.split(",")]


LANGUAGE = [word for cell, _ in rows("Words of the language") for word in words(cell)]
TRADE = [(cell, name.strip("`")) for cell, name, _ in rows("Words of the trade")]


@pytest.mark.parametrize("word", LANGUAGE)
def test_a_word_of_the_language_is_used_on_its_pages(word: str, root: Path) -> None:
    pages = ["language.md", "legs.md", "versions.md", "semantics.md", "howto/write_scenarios.md"]
    text = "\n".join((root / "docs" / page).read_text(encoding="utf-8") for page in pages).lower()
    assert re.search(rf"\b{re.escape(word.lower())}", text.replace("_", " "))


@pytest.mark.parametrize(("cell", "name"), TRADE, ids=[name for _, name in TRADE])
def test_a_word_of_the_trade_has_the_name_that_a_policy_gives_it(cell: str, name: str, root: Path) -> None:
    policies = "\n".join(path.read_text(encoding="utf-8") for path in (root / "policies").rglob("*.yaml"))
    assert re.search(rf"\b{name}\b", policies), cell


def test_no_word_is_explained_twice() -> None:
    every = [*LANGUAGE, *(word for cell, _ in TRADE for word in words(cell))]
    assert sorted({word for word in every if every.count(word) > 1}) == []
