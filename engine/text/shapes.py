"""What a schema makes of a value by looking at no more than its shape: which choice is meant, what describes a part.

This room knows JSON Schema as plain data, and only what the schemas in schemas/ use of it: references lead to `$defs`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
#: The way from the root of a document: keys and indexes.
Way = tuple[str | int, ...]

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    list: "array",
    dict: "object",
}
_ANY_KIND: Final = frozenset({"null", "boolean", "number", "string", "array", "object"})


class Key(str):
    """The last step of a way that leads to a key, and not to what stands under it."""

    __slots__ = ()


def kind_of(value: object) -> str:
    """Return the kind of a plain value, as JSON Schema names it.

    >>> kind_of(True), kind_of(1), kind_of([])
    ('boolean', 'number', 'array')
    """
    return _KINDS.get(type(value), "number")


class Shapes:
    """A schema, and what its choices tell of a value by looking at no more than its shape."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.defs: Mapping[str, Schema] = schema["$defs"]
        self._kinds: dict[int, frozenset[str]] = {}

    def target(self, reference: str) -> Schema:
        """Return what a `$ref` leads to."""
        return self.defs[reference.removeprefix("#/$defs/")]

    def body(self, part: Schema) -> Schema:
        """Return a part of the schema with its reference followed."""
        while "$ref" in part:
            part = self.target(part["$ref"])
        return part

    def kinds(self, part: Schema) -> frozenset[str]:
        """Return the kinds of value that a part of the schema may take at all."""
        found = self._kinds.get(id(part))
        if found is None:
            body = self.body(part)
            if "type" in body:
                found = frozenset([body["type"]] if isinstance(body["type"], str) else body["type"])
            elif "enum" in body or "const" in body:
                found = frozenset(kind_of(value) for value in body.get("enum", [body.get("const")]))
            elif "anyOf" in body:
                found = frozenset[str]().union(*(self.kinds(branch) for branch in body["anyOf"]))
            else:
                found = _ANY_KIND
            self._kinds[id(part)] = found
        return found

    def fitting(self, branches: list[Schema], value: object) -> list[Schema]:
        """Return the branches of a choice that take values of this kind."""
        kind = kind_of(value)
        return [branch for branch in branches if kind in self.kinds(branch)]

    def likely(self, branches: list[Schema], value: object) -> Schema | None:
        """Return the branch that a value is meant by: of maps the one that knows most of its keys."""
        if not isinstance(value, dict) or len(branches) < 2:
            return branches[0] if branches else None

        def fit(index: int) -> tuple[bool, int, int]:
            body = self.body(branches[index])
            names = body.get("required", ())
            known = sum(key in body.get("properties", ()) for key in value)
            return bool(names) and all(name in value for name in names), known, index

        return branches[max(range(len(branches)), key=fit)]

    def part(self, value: Any, way: Way) -> Schema:
        """Return the part of the schema that describes what stands at a way in a document."""
        part = self._chosen(self.schema, value)
        for step in way:
            below = part.get("items") if isinstance(step, int) else part.get("properties", {}).get(step)
            value = value[step]
            part = self._chosen(below or part.get("additionalProperties") or {}, value)
        return part

    def examples(self, value: Any, way: Way, part: Schema) -> list[str]:
        """Return short examples of what may stand at a way, written as an author would.

        The key's own come first, then those of `part`, which the value was judged by.
        """
        around = self.part(value, way[:-1]).get("properties", {}) if way else {}
        key = around.get(way[-1], {}) if way else {}
        examples = key.get("examples") or part.get("examples", ())
        return [shown for shown in map(flow, examples) if len(shown) <= 60]

    def _chosen(self, part: Schema, value: object) -> Schema:
        part = self.body(part)
        while "anyOf" in part and "properties" not in part:
            part = self.body(self.likely(self.fitting(part["anyOf"], value), value) or {})
        return part

    def homes(self, key: str) -> list[str]:
        """Return the titles of the maps of which something is a key."""
        parts = [part for name, part in self.defs.items() if not name.startswith("complete")]
        return list(dict.fromkeys(part["title"] for part in parts if key in part.get("properties", ())))


#: What YAML would not read as the same text.
_NO_TEXT: Final = re.compile(r": |^(true|false|null|[0-9]+(\.[0-9]+)?)$")


def flow(value: object) -> str:
    """Write an example as an author would, on one line.

    >>> flow({"when": ["<= 100 USD", True], "then": "2 days"})
    '{when: ["<= 100 USD", true], then: 2 days}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if (
        isinstance(value, str)
        and re.fullmatch(r"\w[\w .:/+|()<>=&-]*(?<!:)", value)
        and not _NO_TEXT.search(value)
    ):
        return value
    return json.dumps(value, ensure_ascii=False)
