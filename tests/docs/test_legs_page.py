"""docs/legs.md: its examples are policies that stand alone, together with the fragments that it shows."""

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

PAGE = "docs/legs.md"
LANGUAGE = "yaml"


def test_the_examples_check_clean_and_every_policy_among_them_is_one(
    blocks_of: Callable[[str], tuple[Block, ...]], tmp_path: Path
) -> None:
    policies = 0
    for number, block in enumerate(blocks_of(PAGE)):
        (tmp_path / f"example_{number}.yaml").write_text(block.text, encoding="utf-8")
        policies += "\npolicy: " in block.text
    library = Library.load(tmp_path)
    assert library.diagnostics == ()
    assert len(library.policies) == policies > 1


def test_a_leg_an_argument_and_a_fragment_have_the_keys_of_the_page(root: Path) -> None:
    page = (root / PAGE).read_text(encoding="utf-8")
    policy, fragment = (json.loads(schema_text(name)) for name in ("policy", "fragment"))
    (leg,) = re.findall(r"`legs`: name → `\{(.*?)\}`", page)
    assert set(leg.split(", ")) == set(policy["$defs"]["leg"]["properties"])
    (argument,) = re.findall(r"`args`: name → type, or `\{(.*?)\}`", page)
    assert set(argument.split(", ")) == set(fragment["$defs"]["argument_map"]["properties"])
    (own,) = re.findall(r"stand in a document of their own: (.*?), and", page)
    named = re.findall(r"`(\w+)`", own)
    assert named == ["fragment", "version", "args", "states"]
    assert set(named) <= set(fragment["properties"])
