"""What every test may use, and the guard that keeps the suite from testing an old installation."""

from __future__ import annotations

import fnmatch
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# The suite gives the same answer twice; `make test-long` looks further, and elsewhere each time.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Stop when the installed package is not the one in this tree: its tests would speak of other code."""
    spec = importlib.util.find_spec("amends")
    if spec is None or spec.origin is None:
        pytest.exit("amends is not installed; run `make test`, or `pip install -e .`", returncode=3)
    installed = Path(spec.origin).parent
    stale = sorted(name for name in sources(ROOT) | sources(installed) if differs(name, installed))
    if stale:
        pytest.exit(
            f"the installed amends is not this tree's ({', '.join(stale[:5])}); run `make install-test`", 3
        )


def sources(root: Path) -> set[str]:
    """Return the files of a package folder that are installed, by their path in it."""
    found = {path for pattern in ("engine/**/*.py", "policies/**/*.yaml") for path in root.glob(pattern)}
    found |= {*root.glob("*.py"), *root.glob("schemas/*.json"), *root.glob("docs/diagnostics/*.md")}
    return {path.relative_to(root).as_posix() for path in found}


def differs(name: str, installed: Path) -> bool:
    """Tell whether a file is missing on either side, or is another one there."""
    here, there = ROOT / name, installed / name
    return not (here.is_file() and there.is_file()) or here.read_bytes() != there.read_bytes()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def project_files(root: Path) -> tuple[Path, ...]:
    """Return every file that belongs to the project: all that .gitignore does not name (git need not be there)."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored):
                continue
            if path.is_dir() and not path.is_symlink():
                yield from walk(path)
            elif path.is_file():
                yield path

    return tuple(walk(root))
