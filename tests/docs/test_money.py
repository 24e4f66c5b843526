"""docs/money.md: every policy of the page is sound, and every case that follows it comes to what it says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from amends.engine.library import Library
from amends.engine.scenario import read_scenarios, run_file

if TYPE_CHECKING:
    from tests.docs.pages import Block

PAGE = "docs/money.md"


def test_every_policy_is_sound_and_every_case_comes_to_what_it_says(
    blocks_of: Callable[[str], tuple[Block, ...]], tmp_path: Path
) -> None:
    pairs = [
        (policy, cases)
        for policy, cases in pairwise(block for block in blocks_of(PAGE) if block.language == "yaml")
        if policy.text.startswith("amends: 1\n")
    ]
    assert {policy.section for policy, _ in pairs} == {block.section for block in blocks_of(PAGE)}
    for number, (policy, cases) in enumerate(pairs):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "policy.yaml").write_text(policy.text, encoding="utf-8")
        (folder / "cases.yaml").write_text(cases.text, encoding="utf-8")
        library = Library.load(folder / "policy.yaml")
        assert [(item.code, item.message) for item in library.diagnostics] == []
        file, found = read_scenarios(folder / "cases.yaml")
        assert file is not None, found
        for result in run_file(file, library):
            failed = [
                (check.key, check.expected, check.actual) for check in result.checks if not check.passed
            ]
            assert (result.error, failed) == (None, []), result.id
