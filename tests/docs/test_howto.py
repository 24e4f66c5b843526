"""What the how-to pages claim beside their commands and programs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from amends.engine.schema import schema_text

if TYPE_CHECKING:
    from tests.docs.pages import Block

Blocks = Callable[[str], "tuple[Block, ...]"]


def commands(data: Any) -> list[str]:
    """Return the commands of ours that a configuration runs."""
    if isinstance(data, dict):
        return [command for value in data.values() for command in commands(value)]
    if isinstance(data, list):
        return [command for value in data for command in commands(value)]
    return (
        [data]
        if isinstance(data, str) and data.startswith("amends ") and not data.endswith(("check", "test"))
        else []
    )


def test_the_configurations_for_ci_run_commands_that_work(
    blocks_of: Blocks, root: Path, pages: ModuleType
) -> None:
    found = [
        command
        for b in blocks_of("docs/howto/check_in_ci.md")
        if b.language == "yaml"
        for command in commands(yaml.safe_load(b.text))
    ]
    assert len(found) == 4
    for command in dict.fromkeys(found):
        printed, code = pages.run_once(command, root)
        assert code == 0, (command, printed)


def test_the_exit_codes_of_the_page_are_those_of_the_command(
    root: Path, pages: ModuleType, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("amends: 1\n", encoding="utf-8")
    assert pages.run_once("amends check policies/", root)[1] == 0
    assert pages.run(f"amends check {shlex.quote(str(wrong))}", root)[1] == 1
    assert pages.run("amends check --no-such-option", root)[1] == 2


# --- write scenarios --------------------------------------------------------------------------------------------------

SCENARIOS = "docs/howto/write_scenarios.md"


@pytest.mark.parametrize("begins", ["title:", "cases:"])
def test_the_cases_of_the_page_are_as_it_expects(
    begins: str, blocks_of: Blocks, root: Path, pages: ModuleType, tmp_path: Path
) -> None:
    (file,) = [block for block in blocks_of(SCENARIOS) if block.text.startswith(begins)]
    cases = tmp_path / "cases.yaml"
    cases.write_text(file.text, encoding="utf-8")
    printed, code = pages.run(
        f"amends test examples/first_policy.yaml --cases {shlex.quote(str(cases))}", root
    )
    assert (code, printed[-1]) == (0, "2 passed, 0 failed, 0 errors")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("closes: 14 days after", "closes: 15 days after"),
        ("14 days after", "14 days from"),
        ("{due: 2 days", "{due: 3 days"),
    ],
)
def test_the_mutations_of_the_page_are_noticed(
    old: str, new: str, root: Path, pages: ModuleType, tmp_path: Path
) -> None:
    shipped = (root / "examples/first_policy.yaml").read_text(encoding="utf-8")
    assert old in shipped
    (tmp_path / "first_policy.yaml").write_text(shipped.replace(old, new), encoding="utf-8")
    cases = root / "examples/first_policy.scenarios.yaml"
    printed, code = pages.run(f"amends test first_policy.yaml --cases {shlex.quote(str(cases))}", tmp_path)
    assert code == 1, printed


def test_the_page_explains_every_key_of_a_scenario_file(root: Path) -> None:
    schema = json.loads(schema_text("scenario"))
    text = (root / SCENARIOS).read_text(encoding="utf-8")
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    keys = set(schema["properties"])
    for part in ("case", "event", "expectation", "deadline"):
        keys |= set(schema["$defs"][part]["properties"])
    assert keys - named == set()
