"""Hands the pages of the docs to the tests, block by block."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.docs.pages import Block

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _reader() -> ModuleType:
    """Return pages.py, which is a program too and so no conftest."""
    spec = importlib.util.spec_from_file_location("docs_pages", HERE / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_pages"] = module
    spec.loader.exec_module(module)
    return module


PAGES = _reader()


@pytest.fixture(scope="session")
def pages() -> ModuleType:
    """Return what reads pages and plays them."""
    return PAGES


@pytest.fixture(scope="session")
def blocks_of() -> Callable[[str], tuple[Block, ...]]:
    """Return what finds the blocks of a page, by its path in the project."""

    def found(name: str) -> tuple[Block, ...]:
        read: tuple[Block, ...] = PAGES.blocks((ROOT / name).read_text(encoding="utf-8"))
        return read

    return found


def written() -> list[Path]:
    """Return every page that is written for a reader."""
    folders = (ROOT / name for name in ("docs", "examples", "policies"))
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `page` every page, and one that takes `block` every block of its `PAGE`."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize(
            "page", [path.relative_to(ROOT).as_posix() for path in written()], scope="session"
        )
    name = getattr(metafunc.module, "PAGE", None)
    if "block" in metafunc.fixturenames and name:
        found = PAGES.blocks((ROOT / name).read_text(encoding="utf-8"))
        language = getattr(metafunc.module, "LANGUAGE", None)
        kept = [block for block in found if language in (None, block.language)]
        ids = [f"line {block.first + 1} {block.section}" for block in kept]
        metafunc.parametrize("block", kept, ids=ids)
