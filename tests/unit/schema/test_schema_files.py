"""The schemas as files: an editor completes and explains from them, so every key must say what it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from amends.engine.schema import Name, schema_text

NAMES: tuple[Name, ...] = ("policy", "scenario", "fragment")
Part = dict[str, Any]


def load(name: Name) -> Part:
    schema: Part = json.loads(schema_text(name))
    return schema


def parts(schema: Part, way: str = "#") -> Iterator[tuple[str, Part]]:
    """Yield every subschema with its pointer, but those that only say what must be there."""
    yield way, schema
    for keyword in ("properties", "$defs"):
        for key, part in schema.get(keyword, {}).items():
            if not key.startswith("complete"):
                yield from parts(part, f"{way}/{keyword}/{key}")
    for keyword in ("additionalProperties", "items", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from parts(schema[keyword], f"{way}/{keyword}")
    for index, part in enumerate(schema.get("anyOf", ())):
        yield from parts(part, f"{way}/anyOf/{index}")


def keys(schema: Part) -> Iterator[tuple[str, Part]]:
    for way, part in parts(schema):
        for key, below in part.get("properties", {}).items():
            yield f"{way}/properties/{key}", below


EVERY_KEY = [
    pytest.param(name, key, part, id=f"{name}{key}") for name in NAMES for key, part in keys(load(name))
]
WITH_EXAMPLES = [
    pytest.param(name, part, id=f"{name}{way}")
    for name in NAMES
    for way, part in parts(load(name))
    if "examples" in part
]


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_a_schema(name: Name) -> None:
    Draft202012Validator.check_schema(load(name))


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_named_by_language_version_and_not_by_a_host(name: Name) -> None:
    assert load(name)["$id"] == f"urn:amends:schema:{name}:1"


@pytest.mark.parametrize(("name", "key", "part"), EVERY_KEY)
def test_every_key_has_a_title_a_description_and_examples(name: Name, key: str, part: Part) -> None:
    assert part["title"], (name, key)
    assert part["description"].endswith("."), "a description is made of sentences"
    assert len(re.findall(r"\.(?=\s|$)", part["description"])) <= 2, "two sentences are enough"
    assert part["examples"]


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_has_a_title_and_a_description(name: Name) -> None:
    for key, part in load(name)["$defs"].items():
        assert part["title"], key
        assert part["description"], key


@pytest.mark.parametrize(("name", "part"), WITH_EXAMPLES)
def test_every_example_is_valid_where_it_stands(name: Name, part: Part) -> None:
    root = load(name)
    validator = Draft202012Validator({**part, "$id": root["$id"], "$defs": root["$defs"]})
    for example in part["examples"]:
        assert [error.message for error in validator.iter_errors(example)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_set_of_keys_admits_no_other(name: Name) -> None:
    notes = {"#/properties/policy"} if name == "scenario" else set()
    for way, part in parts(load(name)):
        if part.get("properties"):
            assert part.get("additionalProperties") is False, way
        elif "object" in part.get("type", ()) and way not in notes | {"#/$defs/literal"}:
            assert "propertyNames" in part or "additionalProperties" in part, way


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_is_used_and_every_reference_defined(name: Name) -> None:
    text = schema_text(name)
    used = set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', text))
    assert used == set(load(name)["$defs"])


def test_the_schema_of_fragments_is_that_of_policies_with_arguments(root: Path) -> None:
    path = root / "schemas" / "fragment.schema.json"
    found = subprocess.run(
        [sys.executable, Path(__file__).with_name("write_fragment_schema.py"), "-"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert path.read_text(encoding="utf-8") == found.stdout


def test_what_must_be_there_speaks_of_known_keys_only() -> None:
    schema = load("policy")
    known = {way.rpartition("/")[2] for way, _ in keys(schema)}

    def demanded(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part.get("required", ())
            yield from part.get("properties", ())
            for below in part.values():
                yield from demanded(below)
        elif isinstance(part, list):
            for below in part:
                yield from demanded(below)

    complete = [part for key, part in schema["$defs"].items() if key.startswith("complete")]
    assert set(demanded(complete)) <= known
