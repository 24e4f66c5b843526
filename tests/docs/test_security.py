"""The page on security names a test for every promise, and each of these is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PAGE = "docs/security.md"
#: Sections of what is the host's, where no promise is made.
THE_HOSTS = {"In short"}


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.fixture(scope="module")
def sections(root: Path) -> dict[str, str]:
    """Return the sections of the page by their heads."""
    parts = re.split(r"^## (.*)$", (root / PAGE).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_threat_has_its_section(sections: dict[str, str]) -> None:
    assert set(sections) - THE_HOSTS == {
        "Who writes policies",
        "Who sends events",
        "Who reads the database",
        "Who changes the database",
        "Who finds a backup",
        "Who hands you an export",
        "Who operates",
        "Workers and handlers",
        "Webhooks",
    }


def test_every_promise_names_a_test_that_is_there(sections: dict[str, str], root: Path) -> None:
    promises = [
        line
        for head, text in sections.items()
        if head not in THE_HOSTS
        for line in re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)
    ]
    assert len(promises) > 25
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promise)
        assert named, f"nothing shows: {promise}"
        for path, name in named:
            assert name in names_in(root / path), f"{path} has no test {name}"
            assert name.startswith("test_")


def test_every_section_says_what_is_promised_and_what_is_not(sections: dict[str, str]) -> None:
    """But for what an author writes: there nothing is left to the host but to read it."""
    for head, text in sections.items():
        if head not in THE_HOSTS | {"Who writes policies"}:
            assert re.search(r"^\*(Yours|Not promised):\*", text, re.MULTILINE), head
