"""docs/versions.md: its examples are policies, laid over the one that docs/language.md begins with; its keys are the schema's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from amends.engine.library import Library
from amends.engine.schema import schema_text

if TYPE_CHECKING:
    from tests.docs.pages import Block

PAGE = "docs/versions.md"
LANGUAGE = "yaml"
OVER = (
    "amends: 1\npolicy: {name}\nversion: {version}\nextends: {{policy: library_loan, version: 2026-01-01}}\n"
)


def test_an_example_is_laid_over_the_first_policy_of_the_language(
    block: Block, blocks_of: Callable[[str], tuple[Block, ...]], tmp_path: Path
) -> None:
    first = next(each for each in blocks_of("docs/language.md") if each.text.startswith("amends: 1\n"))
    (tmp_path / "library_loan.yaml").write_text(first.text, encoding="utf-8")
    header = OVER.format(name="library_loan.example", version="2026-01-01")
    (tmp_path / "example.yaml").write_text(header + block.text, encoding="utf-8")
    library = Library.load(tmp_path)
    assert library.diagnostics == ()
    assert len(library.policies) == 2


def test_the_table_has_the_keys_of_a_migration(root: Path) -> None:
    text = (root / PAGE).read_text(encoding="utf-8")
    keys = json.loads(schema_text("policy"))["$defs"]["migrates"]["properties"]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(keys)
