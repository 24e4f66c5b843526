"""Every code has a page, every page a code, and what a page shows as wrong is found where it says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from amends.engine.diagnostics import CATALOGUE, Diagnostic
from amends.engine.pages import page_head, page_name, page_text

CODES = sorted(CATALOGUE)


def told(found: tuple[Diagnostic, ...]) -> str:
    return "\n".join(f"{item.place}: {item.code} {item.message} ({item.hint})" for item in found)


def test_every_code_has_a_page_and_every_page_a_code(root: Path) -> None:
    pages = {path.name for path in (root / "docs" / "diagnostics").glob("AM*.md")}
    assert pages == {page_name(code) for code in CATALOGUE}


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_why_wrong_and_right(code: str, check: SimpleNamespace) -> None:
    page = page_text(code)
    assert page.startswith(page_head(code) + "\n## ")
    found = check.sections(page)
    assert list(found) == ["What it finds", "Why it matters", "Wrong", "Right"]
    assert all(found.values())


@pytest.mark.parametrize("code", CODES)
def test_what_a_page_shows_as_wrong_is_found_where_it_says(code: str, check: SimpleNamespace) -> None:
    found, marks = check.section(code, "Wrong")
    assert {item.code for item in found} == {code}, told(found)
    assert marks, "no line of the example says `# CODE`"
    assert {(Path(item.place.file).name, item.place.line, item.code) for item in found} == marks, told(found)


@pytest.mark.parametrize("code", CODES)
def test_what_a_page_shows_as_right_has_no_finding(code: str, check: SimpleNamespace) -> None:
    found, _ = check.section(code, "Right")
    assert not found, told(found)


def test_every_code_is_reported_somewhere_and_every_code_reported_is_in_the_catalogue(root: Path) -> None:
    """A code that no line of the engine reports is dead; one that is not in the table would end in an error."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in (root / "engine").rglob("*.py")
        if path.name != "diagnostics.py"
    ]
    reported = {code for text in texts for code in re.findall(r'"(AM\d{3})"', text)}
    assert reported == set(CATALOGUE)


def test_pages_that_are_written_from_elsewhere_are_up_to_date(root: Path) -> None:
    script = runpy.run_path(str(root / "tests" / "diagnostics" / "write_pages.py"))
    stale = [path.name for path, text in script["pages"]() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python tests/diagnostics/write_pages.py"


def test_every_check_is_a_module_of_its_own_whose_docstring_is_its_page(root: Path) -> None:
    """What a check of the whole policy or of a table reports stands in the module of that name, and nowhere else."""
    reported = {
        (path.stem, code)
        for path in (root / "engine" / "checks").glob("*.py")
        for code in re.findall(r'"(AM\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert reported
    assert reported == {(CATALOGUE[code].name.replace("-", "_"), code) for _, code in reported}
