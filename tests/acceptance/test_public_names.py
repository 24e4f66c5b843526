"""What `import amends` offers: every name, and only those, without paying for what is not used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import amends


@pytest.mark.parametrize("name", amends.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(amends, name)
    assert isinstance(value, str) if name.startswith("__") else value.__name__ == name
    assert name in dir(amends)


def test_a_star_import_brings_the_public_names() -> None:
    code = "from amends import *; import amends; print(set(amends.__all__) <= set(globals()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_importing_alone_loads_no_room() -> None:
    code = "import amends, sys; print([name for name in sys.modules if name.startswith('amends.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="`Journal`"):
        amends.Journal  # noqa: B018 - it is not there


def test_the_examples_use_public_names_alone(root: Path) -> None:
    used = set()
    for path in (root / "examples").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.level == 0
                and (node.module or "").startswith("amends")
            ):
                used |= {f"{node.module}.{alias.name}" for alias in node.names}
            if isinstance(node, ast.Import):
                assert [alias.name for alias in node.names if alias.name.startswith("amends")] == []
    assert "amends.Engine" in used
    assert used <= {f"amends.{name}" for name in amends.__all__}
