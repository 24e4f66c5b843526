"""Findings of the schema as diagnostics: the right place, one for each mistake, and never a traceback."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from amends.engine import schema as judge
from amends.engine.diagnostics import Diagnostic
from amends.engine.document import Fields, Node, Scalar, read_file, read_text, to_plain
from amends.engine.schema import Name, check_document, schema_text
from amends.engine.text.conform import Sieve
from amends.engine.text.shapes import Shapes

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BAD = sorted((HERE / "bad").glob("*.yaml"))
SHIPPED = sorted(
    path for folder in ("policies", "examples", "tests/policies") for path in (ROOT / folder).rglob("*.yaml")
)
NAMES: tuple[Name, ...] = ("policy", "scenario")


def read(text: str) -> Node:
    node, found = read_text(text, "p.yaml")
    assert node is not None, found
    return node


def kind(node: Node) -> Name:
    return "scenario" if isinstance(node, Fields) and "cases" in node else "policy"


def shown(found: tuple[Diagnostic, ...]) -> str:
    lines = []
    for item in found:
        lines.append(f"{item.place.line}:{item.place.column} {item.code} {item.message}")
        lines.extend([f"    {item.hint}"] if item.hint else [])
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_at_its_place_in_words_of_the_page(path: Path) -> None:
    node, found = read_file(path)
    assert node is not None
    assert not found
    name: Name = "scenario" if path.stem.startswith("scenario") else "policy"
    assert shown(check_document(node, name)) == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_there_are_mistakes_at_many_depths() -> None:
    assert len(BAD) >= 40
    assert {path.with_suffix(".txt") for path in BAD} == set((HERE / "bad").glob("*.txt"))


def test_the_policy_of_the_page_is_well_formed() -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    assert check_document(read(page.split("```yaml\n")[1].split("```")[0]), "policy") == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_ships_is_well_formed(path: Path) -> None:
    node, found = read_file(path)
    assert node is not None, found
    assert shown(check_document(node, kind(node))) == ""


OVERLAY = """
amends: 1
policy: library_loan.th
version: 2026-01-01
extends: {policy: library_loan, version: 2026-01-01}
facts: {price: null, shelf: {default: 3}}
params: {grace: {is: 3 days}}
windows: {claims: {closes: null}}
moments: {last: {within: 3 days}}
tables: {review: {rules: {small: null, large: {then: 3 days}}}}
states: {open: {sla: {review: {remind: null}}, on: {accept: null}}, lost: null}
payouts: {refund: {routes: {bank: null}}}
"""


def test_an_overlay_says_only_what_differs() -> None:
    assert check_document(read(OVERLAY), "policy") == ()


def test_an_overlay_that_was_laid_over_its_base_must_be_complete() -> None:
    merged = "".join(line for line in OVERLAY.splitlines(keepends=True) if not line.startswith("extends"))
    found = check_document(read(merged), "policy")
    assert {(item.code, item.message) for item in found} >= {
        ("AM102", "`price` is empty"),
        ("AM103", "`shelf` needs `type`"),
        ("AM103", "`last` needs `after`, `from` or `before`"),
        ("AM103", "`review` needs `outputs`"),
        ("AM103", "`review` needs `due`"),
        ("AM103", "`refund` needs `amount`"),
        ("AM102", "`rules` must be a list, except in an overlay, not a map"),
    }


def test_null_clears_a_fact_everywhere_and_removes_in_an_overlay_only() -> None:
    body = "amends: 1\npolicy: p\nversion: 1\nstates: {a: {on: {e: {set: {paid: null}, to: b}}}, b: {final: true}}\n"
    assert check_document(read(body), "policy") == ()
    assert shown(check_document(read(body + "title: null\n"), "policy")).startswith(
        "5:1 AM102 `title` is empty"
    )


def test_every_unknown_key_is_told() -> None:
    found = check_document(
        read("amends: 1\npolicy: p\nversion: 1\nstates: {}\na1: 1\nb1: 2\nc1: 3\n"), "policy"
    )
    assert [(item.code, item.place.line) for item in found] == [("AM101", 5), ("AM101", 6), ("AM101", 7)]


def test_jsonschema_is_loaded_only_to_check() -> None:
    program = "import sys, amends.engine.schema; sys.exit('jsonschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_schema_is_read_once_however_often_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    node = read("cases: []")
    first = check_document(node, "scenario")
    monkeypatch.setattr("amends.engine.schema.schema_text", lambda _: pytest.fail("read again"))
    assert check_document(node, "scenario") == first


# --- laws -------------------------------------------------------------------------------------------------------------


def _words() -> list[str]:
    """Return every key and value that the schemas speak of, and some that they do not."""
    found: set[str] = {"a", "x-y", "1a", "end", "=a", "a.b", "zh", "EUR", "2026-01-01", "2 days", "US"}

    def walk(part: object) -> None:
        if isinstance(part, dict):
            found.update(part.get("properties", {}))
            found.update(item for item in part.get("enum", ()) if isinstance(item, str))
            for below in part.values():
                walk(below)
        elif isinstance(part, list):
            for below in part:
                walk(below)

    for name in NAMES:
        walk(json.loads(schema_text(name)))
    return sorted(found)


ANY_WORD = st.sampled_from(_words())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.just(Decimal("0.5"))
    | ANY_WORD
    | st.text("aä\n \t`'", max_size=4)
)
TREES = st.recursive(
    LEAVES,
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(ANY_WORD | st.text(max_size=3), below, max_size=5)
    ),
    max_leaves=30,
)


def plain_yaml(tree: object) -> str:
    """Write a tree as YAML: JSON is YAML, and numbers are written out."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {plain_yaml(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(plain_yaml, tree)) + "]"
    return str(tree) if isinstance(tree, Decimal) else json.dumps(tree)


def places_lie_in_the_file(text: str, found: tuple[Diagnostic, ...]) -> None:
    lines = text.split("\n")
    for item in found:
        assert 1 <= item.place.line <= item.place.end_line <= len(lines)
        assert 1 <= item.place.column <= len(lines[item.place.line - 1]) + 1
        assert "\n" not in item.message
        assert not item.message.endswith(".")
        for word in ("NoneType", "dict", "object", "array", "Decimal", "schema", "instance"):
            assert word not in item.message.split()


@given(TREES, st.sampled_from(NAMES))
def test_any_tree_is_judged_without_a_traceback_and_with_places_in_the_file(tree: Any, name: Name) -> None:
    text = plain_yaml(tree)
    node, _ = read_text(text, "p.yaml")
    if node is not None:
        places_lie_in_the_file(text, check_document(node, name))


GOOD: list[tuple[Name, Any]] = []
for _path in [*SHIPPED, *BAD]:
    _node, _ = read_file(_path)
    if _node is not None:
        GOOD.append((kind(_node), to_plain(_node)))


def spots(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a tree at which something can be put: its holder and its key or index."""
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from spots(tree[key])


def spoiled(tree: Any, rng: random.Random) -> Any:
    """Return a copy of a document with one thing put, renamed, moved or taken away somewhere."""
    copy = json.loads(json.dumps(tree, default=str))
    all_spots = list(spots(copy))
    holder, key = rng.choice(all_spots)
    other, place = rng.choice(all_spots)
    changes: list[Callable[[], object]] = [
        lambda: holder.pop(key),
        lambda: holder.__setitem__(key, json.loads(json.dumps(other[place]))),
        lambda: holder.__setitem__(key, rng.choice([True, 2, "x", "x-y", [], {}, ["x"], {"x": 1}])),
        lambda: (
            holder.__setitem__(f"{key}s", holder.pop(key)) if isinstance(holder, dict) else holder.append(1)
        ),
    ]
    rng.choice(changes)()
    return copy


def has_null(tree: Any) -> bool:
    return tree is None or any(
        has_null(below)
        for below in (tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ())
    )


@given(st.sampled_from(GOOD), st.randoms(use_true_random=False))
def test_the_verdict_is_that_of_the_standard(document: tuple[Name, Any], rng: random.Random) -> None:
    name, tree = document
    changed = spoiled(tree, rng)
    text = plain_yaml(changed)
    found = check_document(read(text), name)
    places_lie_in_the_file(text, found)
    if "extends" in changed or not has_null(changed):
        standard = Draft202012Validator(json.loads(schema_text(name)))
        assert bool(found) != standard.is_valid(changed), shown(found)


def sieved(tree: Any, name: Name, *, removes: bool) -> bool:
    return Sieve(Shapes(json.loads(schema_text(name))), removes=removes).passes(tree)


def judged(tree: Any, name: Name, *, removes: bool) -> bool:
    return not any(judge._validator(name, removes).iter_errors(tree))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_passes_the_sieve_so_that_checking_it_needs_no_judge(path: Path) -> None:
    node, _ = read_file(path)
    assert node is not None
    tree = to_plain(node)
    assert sieved(tree, kind(node), removes="extends" in tree)


@given(st.sampled_from(GOOD), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_the_sieve_lets_pass_what_the_judge_finds_nothing_wrong_with_and_no_more(
    document: tuple[Name, Any],
    rng: random.Random,
    removes: bool,  # noqa: FBT001 - hypothesis's
    emptied: bool,  # noqa: FBT001 - likewise
) -> None:
    name, tree = document
    changed = spoiled(tree, rng)
    if emptied:
        holder, key = rng.choice(list(spots(changed)) or [(changed, "x")])
        holder[key] = None
    assert sieved(changed, name, removes=removes) == judged(changed, name, removes=removes)


@given(TREES, st.sampled_from(NAMES), st.booleans())
def test_the_sieve_agrees_with_the_judge_about_any_tree(tree: Any, name: Name, removes: bool) -> None:  # noqa: FBT001
    assert sieved(tree, name, removes=removes) == judged(tree, name, removes=removes)


@pytest.mark.parametrize(
    "part", [{"multipleOf": 2}, {"enum": [[1]]}, {"const": 1, "contains": {}}, {"items": {"maxItems": 1}}]
)
def test_a_keyword_that_the_sieve_does_not_know_is_left_to_the_judge(part: dict[str, Any]) -> None:
    sieve = Sieve(Shapes({"$defs": {}, **part}), removes=False)
    assert not sieve.passes([1] if "items" in part else 1)


def test_a_condition_that_the_sieve_is_not_sure_of_must_hold_either_way() -> None:
    branches = {"then": {"required": ["a"]}, "else": {"required": ["b"]}}
    unsure = Sieve(Shapes({"$defs": {}, "if": {"multipleOf": 2}, **branches}), removes=False)
    assert [unsure.passes(tree) for tree in ({"a": 1}, {"b": 1}, {"a": 1, "b": 1})] == [False, False, True]
    sure = Sieve(Shapes({"$defs": {}, "if": {"required": ["c"]}, **branches}), removes=False)
    assert [sure.passes(tree) for tree in ({"a": 1}, {"b": 1}, {"c": 1, "a": 1})] == [False, True, True]


def test_checking_what_is_sound_does_not_import_jsonschema() -> None:
    program = (
        "import sys; from amends import Library; found = Library.check('policies').diagnostics;"
        "print(found, 'jsonschema' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "() False\n"


def test_a_document_as_deep_as_may_be_is_judged() -> None:
    depth = 36
    text = (
        "amends: 1\npolicy: p\nversion: 1\nstates: {}\nmoments: {m: "
        + "{after: " * depth
        + "x"
        + "}" * depth
        + "}\n"
    )
    found = check_document(read(text), "policy")
    assert len(found) == depth
    assert {item.code for item in found} == {"AM103"}


def test_a_scalar_or_nothing_is_no_document() -> None:
    assert shown(check_document(read("policy"), "policy")) == "1:1 AM102 the policy must be a map, not text\n"
    empty = Scalar(text="", value=None, plain=True, stands=read("x").place)
    assert shown(check_document(empty, "scenario")).startswith("1:1 AM102 the file is empty\n")
