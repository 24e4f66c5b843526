"""What holds of every page: its links lead somewhere, its commands work, and its programs run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made from their words."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in found}


def links(text: str) -> list[str]:
    """Return what a page links to within the project; what stands in code is no link."""
    bare = re.sub(r"`[^`\n]*`", "", re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", bare) if "://" not in target]


def test_every_link_leads_somewhere(page: str, root: Path) -> None:
    path = root / page
    text = path.read_text(encoding="utf-8")
    lost = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        if not other.exists() or (anchor and anchor not in headings(other.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


def test_every_page_of_ours_that_is_named_is_there(page: str, root: Path) -> None:
    text = (root / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:docs|schemas|examples|policies)/[\w./-]+\.(?:md|json|yaml))`", text)
    # What the examples of a page call their own files is theirs to say.
    ours = [name for name in named if "<" not in name]
    assert [name for name in ours if not (root / name).exists()] == []


def test_every_command_works(page: str, root: Path, pages: ModuleType, tmp_path: Path) -> None:
    if page == "docs/tutorial.md":  # test_tutorial.py plays it
        return
    text = (root / page).read_text(encoding="utf-8")
    shown = [
        command
        for block in pages.blocks(text)
        if block.language == "console"
        for command in pages.commands(block)
    ]
    if not any(command.line.startswith("amends ") for command in shown):
        return
    own = any(block.note("file") for block in pages.blocks(text))
    for played in pages.play(text, tmp_path if own else root):
        assert played.code == played.command.code, (played.command.line, played.printed)
        assert "Traceback" not in "\n".join(played.printed)
        if played.command.shown:
            assert "\n".join(played.printed) == "\n".join(played.command.shown).rstrip(), played.command.line


@pytest.fixture
def no_database(root: Path) -> Iterator[None]:
    """Remove the database that a page makes where it is read, before its programs run and after."""

    def remove() -> None:
        for made in root.glob("refunds.db*"):
            made.unlink()

    remove()
    yield
    remove()


@pytest.mark.usefixtures("no_database")
def test_every_program_runs(
    page: str, root: Path, pages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs of a page run one after another, as if a reader typed them into one file."""
    text = (root / page).read_text(encoding="utf-8")
    found = pages.blocks(text)
    own = any(block.note("file") for block in found)
    names: dict[str, object] = {"__name__": "page"}
    for block in found:
        if name := block.note("file"):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        if block.language == "python" and block.note("not run") is None:
            monkeypatch.chdir(tmp_path if own else root)
            exec(compile(block.text, f"{page}:{block.first + 1}", "exec"), names)  # noqa: S102 - our own page
