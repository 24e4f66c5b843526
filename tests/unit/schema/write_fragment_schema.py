"""Write schemas/fragment.schema.json: the schema of policies, where arguments may stand for names, texts and values.

Run it after a change of the policy schema: `python tests/unit/schema/write_fragment_schema.py`. With `-` it only prints.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
#: The parts of a policy that a fragment may bring.
SHARED = (
    *("sources", "calendars", "roles", "types", "facts", "reasons", "events", "effects"),
    *(
        "params",
        "moments",
        "windows",
        "tables",
        "define",
        "lookups",
        "balances",
        "states",
        "sla",
        "escalations",
        "payouts",
    ),
)
TYPES = [
    "bool",
    "int",
    "decimal",
    "text",
    "timestamp",
    "duration",
    "date",
    "period",
    "money",
    "name",
    "expression",
]
#: Part of the pattern of every text that arguments may stand in.
ARGUMENT = r"\$"


def with_arguments(part: Any) -> Any:
    """Return a part of the schema that takes arguments wherever it takes texts of a form."""
    if isinstance(part, list):
        return [with_arguments(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: with_arguments(value) for key, value in part.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = f"(?:{found['pattern']})|{ARGUMENT}"
    words = found.get("enum")
    if isinstance(words, list):
        texts = {"type": "string", "pattern": ARGUMENT}
        label = {key: found.pop(key) for key in ("title", "description", "examples") if key in found}
        found.pop("enum")
        found = {**label, "anyOf": [{"enum": words}, texts], **found}
    return found


def used(schema: dict[str, Any], part: Any, names: set[str]) -> set[str]:
    """Return the definitions that a part leads to."""
    for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(part)):
        if name not in names:
            names.add(name)
            used(schema, schema["$defs"][name], names)
    return names


def fragment_schema(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of fragments."""
    keys = policy["properties"]
    arguments = {
        "title": "Arguments",
        "description": "Name → type, or `{type, default, says}`: what stands for `$name` in this fragment.",
        "examples": [{"wait": {"type": "period", "default": "14 days"}, "arrived": "name"}],
        "type": ["object", "null"],
        "propertyNames": {"$ref": "#/$defs/name"},
        "additionalProperties": {"$ref": "#/$defs/argument"},
    }
    properties = {
        "amends": keys["amends"],
        "fragment": {
            "title": "Fragment",
            "description": "The name by which policies include it.",
            "examples": ["return_parcel"],
            "$ref": "#/$defs/name",
        },
        "version": keys["version"],
        "title": keys["title"],
        "args": arguments,
        **{name: with_arguments(keys[name]) for name in SHARED},
    }
    definitions = {name: with_arguments(copy.deepcopy(part)) for name, part in policy["$defs"].items()}
    for plain in ("name", "version", "people_text", "language"):
        definitions[plain] = policy["$defs"][plain]
    definitions["declared_name"] = with_arguments(policy["$defs"]["name"])
    definitions["argument_type"] = {
        "title": "Type of an argument",
        "description": "A type of which literals are, `name` for what the policy declares, or `expression`.",
        "type": ["string", "null"],
        "enum": TYPES,
        "examples": ["period", "name"],
    }
    definitions["argument"] = {
        "title": "Type, or argument",
        "description": "The type of an argument, or `{type, default, says}`.",
        "anyOf": [{"$ref": "#/$defs/argument_type"}, {"$ref": "#/$defs/argument_map"}],
        "examples": ["period", {"type": "period", "default": "14 days"}],
    }
    definitions["argument_map"] = {
        "title": "Argument",
        "description": "An argument of a fragment.",
        "type": ["object", "null"],
        "properties": {
            "type": {
                "title": "Type",
                "description": "What may be given.",
                "examples": ["period", "name"],
                "$ref": "#/$defs/argument_type",
            },
            "default": {
                "title": "Default",
                "description": "What it is where a policy gives none.",
                "examples": ["14 days"],
                "$ref": "#/$defs/literal",
            },
            "says": {
                "title": "Says",
                "description": "What it is for.",
                "examples": ["how long the parcel may take"],
                "$ref": "#/$defs/people_text",
            },
        },
        "required": ["type"],
        "additionalProperties": False,
        "examples": [{"type": "period", "default": "14 days", "says": "how long the parcel may take"}],
    }
    schema = {
        "$schema": policy["$schema"],
        "$id": "urn:amends:schema:fragment:1",
        "title": "Fragment",
        "description": "States that policies share, with the vocabulary and rules they need; `$name` stands for an argument.",
        "type": "object",
        "properties": properties,
        "required": ["amends", "fragment", "version", "states"],
        "additionalProperties": False,
        "examples": [
            {
                "amends": 1,
                "fragment": "waiting",
                "version": "1",
                "args": {"wait": "period", "after": "name"},
                "states": {
                    "open": {"initial": True, "sla": {"limit": {"due": "$wait", "breach": {"to": "$after"}}}}
                },
            }
        ],
    }
    # Names of the fragment's own are written as such; everywhere else arguments may be part of them.
    text = json.dumps({**schema, "$defs": definitions}).replace('#/$defs/name"', '#/$defs/declared_name"')
    whole: dict[str, Any] = json.loads(text)
    whole["properties"]["fragment"]["$ref"] = "#/$defs/name"
    whole["properties"]["args"]["propertyNames"]["$ref"] = "#/$defs/name"
    names = used(whole, whole["properties"], set())
    whole["$defs"] = {name: whole["$defs"][name] for name in sorted(names)}
    return whole


def written(schema: dict[str, Any]) -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    policy_schema = json.loads((SCHEMAS / "policy.schema.json").read_text(encoding="utf-8"))
    text = written(fragment_schema(policy_schema))
    if sys.argv[1:] == ["-"]:
        sys.stdout.buffer.write(text.encode())
    else:
        (SCHEMAS / "fragment.schema.json").write_text(text, encoding="utf-8")
