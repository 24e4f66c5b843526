"""Schema and page list the same keys: docs/language.md is read, and compared with schemas/policy.schema.json."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from amends.engine.schema import schema_text

PAGE = Path(__file__).parents[3] / "docs" / "language.md"

#: The table that explains the keys of each part of a document: section and first cell of its head, or what the
#: sentence before it says.
TABLES = {
    "Identity": "root",
    "Vocabulary": "root",
    "Rules": "root",
    "key of a state": "state",
    "Candidates": "candidate",
    "Clocks": "case_clock",
    "Payouts": "payout",
    "key of a lookup": "lookup",
}
#: Keys of the document that have a heading, a table or a paragraph of their own, and no row.
BY_PARAGRAPH = {"states", "legs", "sla", "escalations", "payouts"}
#: Rows that explain a key of a part below: the page sets them where a reader meets them.
BELOW = {"keep_as": "event"}
#: The maps that the page writes out as `{a, b}`, by the part that they are.
MAPS = {
    "sources": "source",
    "in_force": "in_force",
    "migrates": "migrates",
    "calendars": "calendar_map",
    "facts": "typed_declaration",
    "events": "event",
    "params": "param_map",
    "windows": "window",
    "tables": "table",
    "balances": "balance",
    "routes": "route",
}


@lru_cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text("policy"))
    return found


def properties(part: str) -> set[str]:
    body = schema() if part == "root" else schema()["$defs"][part]
    return set(body["properties"])


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield every row of a key table: the part that it belongs to, the cell of keys, and what they hold."""
    part, section = None, ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\w+)|\*\*(Candidates|Clocks|Payouts)\*\*", line):
            section = heading[1] or heading[2]
        if line.startswith("|-"):
            continue
        if line.startswith("|"):
            first, second = line.removeprefix("| ").removesuffix(" |").split(" | ", 1)
            if second == "holds":
                part = TABLES[first if first in TABLES else section]
            elif part:
                yield part, first, second
        else:
            part = None


def span(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def listed() -> dict[str, set[str]]:
    """Return the keys that the page lists, by part."""
    found: dict[str, set[str]] = {}
    for part, cell, _ in rows():
        for key in span(cell):
            found.setdefault(BELOW.get(key, part) if part == "root" else part, set()).add(key)
    return found


def test_the_page_lists_every_key_of_a_document() -> None:
    assert listed()["root"] | BY_PARAGRAPH == properties("root")


@pytest.mark.parametrize("part", ["state", "candidate", "case_clock"])
def test_a_table_of_the_page_lists_the_keys_of_its_part(part: str) -> None:
    assert listed()[part] == properties(part)


def test_a_clock_of_a_state_has_all_keys_but_those_that_are_for_the_top_only() -> None:
    top = {
        key
        for part, cell, holds in rows()
        if part == "case_clock" and holds.startswith("(top only)")
        for key in span(cell)
    }
    assert top
    assert properties("clock") == properties("case_clock") - top


@pytest.mark.parametrize(("key", "part"), MAPS.items(), ids=MAPS.keys())
def test_a_map_that_the_page_writes_out_has_those_keys(key: str, part: str) -> None:
    written = [
        text for _, cell, holds in rows() if key in span(cell) for text in span(holds) if text[0] == "{"
    ]
    assert set(re.findall(r"\w+", written[0])) == properties(part)


def spans_after(words: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    assert words in text, "the page says it otherwise now; look at what this test compares"
    return span(text.split(words, 1)[1])


def test_a_rule_of_a_table_has_the_keys_of_the_page() -> None:
    assert set(re.findall(r"\w+", spans_after("A rule is a map")[0])) == properties("rule")


def test_a_moment_has_the_keys_of_the_page() -> None:
    written = spans_after("As a map:")
    keys = set(re.findall(r"(\w+)(?=[|:])", re.sub(r": [^,}]*", ":", written[0])))
    assert keys == properties("counted_moment")
    others = {re.findall(r"\w+", text)[0] for text in written[1:5] if text.startswith("{")}
    assert others == properties("later_of") | properties("earlier_of")


def test_an_unknown_outcome_has_the_keys_of_the_page() -> None:
    [holds] = [holds for part, cell, holds in rows() if (part, cell) == ("candidate", "`unknown`")]
    assert set(span(holds)) - {"undecided"} == properties("unknown")


def test_a_payout_has_the_keys_of_the_page() -> None:
    keys = set(re.findall(r"\w+", spans_after("**Payouts**: name →")[0]))
    assert keys == properties("payout")
    assert listed()["payout"] <= keys


def test_an_escalation_has_the_keys_of_a_candidate_and_its_own() -> None:
    own = set(re.findall(r"\w+", spans_after("**Escalations**: name →")[0]))
    assert own | properties("candidate") == properties("escalation")


def test_actions_are_those_of_the_page() -> None:
    _effect, *written = itertools.takewhile(lambda text: text[0] == "{", spans_after("**Actions**: "))
    verbs: dict[str, set[str]] = {}
    for keys in (re.findall(r"(\w+):", text) for text in written):
        verbs.setdefault(keys[0], set()).update(keys)
    assert verbs == {verb: properties(verb) for verb in ("pay", "grant", "reverse")}


@pytest.mark.parametrize(("part", "key"), [("source", "read"), ("root", "rounding"), ("table", "hit")])
def test_a_choice_has_the_values_of_the_page(part: str, key: str) -> None:
    body = schema() if part == "root" else schema()["$defs"][part]
    words = {"read": "how sure it is:", "rounding": "| `rounding` |", "hit": "`hit: "}[key]
    text = PAGE.read_text(encoding="utf-8")
    values = [value for value in body["properties"][key]["enum"] if value is not None]
    if key == "hit":
        assert sorted(set(re.findall(r"`hit: ([\w ]+)`", text))) == sorted(values)
    else:
        assert [value for value in spans_after(words) if re.fullmatch(r"[a-z_]+", value)][
            : len(values)
        ] == values


def test_the_weekdays_are_those_of_the_page() -> None:
    assert schema()["$defs"]["weekday"]["enum"][:7] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert "`mon` … `sun`" in PAGE.read_text(encoding="utf-8")


#: Keys of which the page says "expression", and the definitions that take one.
def test_keys_that_hold_expressions_take_them() -> None:
    named = spans_after("These keys hold **expressions**:")
    keys = set(named[: named.index("pause_while") + 1])
    taking = {"expression", "outline_items", "inputs", "assignments", "rule_when"}

    def uses(part: object) -> Iterator[tuple[str, str]]:
        if isinstance(part, dict):
            for key, below in part.get("properties", {}).items():
                target = below.get("$ref") or below.get("additionalProperties", {})
                yield key, (target if isinstance(target, str) else target.get("$ref", "")).rpartition("/")[2]
            for below in part.values():
                yield from uses(below)
        elif isinstance(part, list):
            for below in part:
                yield from uses(below)

    found = {
        key
        for key, target in uses({key: part for key, part in schema().items() if key != "examples"})
        if target in taking
    }
    assert found == keys
