"""Mistakes of vocabulary and flow, each found at its place: every file of `bad/` holds policies and their findings.

A case is a policy without its first three lines, and `finds`: how what is found begins, as `LINE:COLUMN CODE MESSAGE`,
and where there is one `(HINT)`. Lines count from the first that is written. Every word of every message is held by
the golden files of other folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.document import read_text
from amends.engine.publishing.bundle import Bundle, compile_node

HEADER = "amends: 1\npolicy: small\nversion: v1\n"


def cases() -> Iterator[Any]:
    for path in sorted((Path(__file__).parent / "bad").glob("*.yaml")):
        for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            yield pytest.param(case["policy"], case["finds"], id=f"{path.stem}: {name}")


@pytest.mark.parametrize(("policy", "finds"), list(cases()))
def test_a_mistake_is_found_at_its_place(policy: str, finds: list[str]) -> None:
    node, read = read_text(HEADER + policy, "small.yaml")
    assert node is not None, read
    compiled, found = compile_node(node, Bundle(texts=(HEADER + policy,), holidays={}))
    errors = [item for item in found if item.severity == "error"]
    told = [
        f"{item.place.line - 3}:{item.place.column} {item.code} {item.message}"
        + (f" ({item.hint})" if item.hint else "")
        for item in errors
    ]
    assert [said[: len(wanted)] for said, wanted in zip_longest(told, finds, fillvalue="")] == finds, told
    assert (compiled is None) == bool(finds)
