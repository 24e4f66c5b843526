"""Schema, loader and page know the same keys: none is described and then silently ignored, none read in secret."""

from __future__ import annotations

import ast
import copy
import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from amends.engine.diagnostics import Place
from amends.engine.document import read_file, to_plain
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.schema import schema_text

HERE = Path(__file__).parent / "keys"
#: The policy that uses nearly every key.
WHOLE = "every_key.yaml"

#: Parts of the schema that only say which keys must be there begin so; their keys are those of other parts.
DEMANDS = "complete"
#: Keys that are for whoever reads the file: nothing but the page and an editor speaks of them.
NOTES = {("param_map", "says")}


def parts() -> dict[str, set[str]]:
    """Return the keys of each part of a policy, as the schema has them."""
    schema = json.loads(schema_text("policy"))
    found = {name: set(body["properties"]) for name, body in schema["$defs"].items() if "properties" in body}
    return {"document": set(schema["properties"]), **found}


@lru_cache
def read(name: str) -> Any:
    """Read a file as a policy is read: `on` is a key like any other."""
    node, found = read_file(HERE / name)
    assert node is not None, found
    return to_plain(node)


def changes() -> Iterator[tuple[str, str, str, str, Any]]:
    """Yield part, file, path, key and other value of every change."""
    for part, places in read("changes.yaml").items():
        for place in places:
            for key, value in place["keys"].items():
                yield part, place.get("in", WHOLE), place.get("at", ""), key, value


def test_every_key_of_the_schema_has_a_change() -> None:
    tried = {(part, key) for part, _, _, key, _ in changes()}
    described = {
        (part, key) for part, keys in parts().items() for key in keys if not part.startswith(DEMANDS)
    }
    assert described == tried


def test_what_must_be_there_are_keys_of_other_parts() -> None:
    others = {key for part, keys in parts().items() if not part.startswith(DEMANDS) for key in keys}
    demanded = {key for part, keys in parts().items() if part.startswith(DEMANDS) for key in keys}
    assert demanded - others == set()


def shown(value: Any) -> Any:
    """Return what a compiled policy is made of, without the places at which it was written."""
    if isinstance(value, Place):
        return None
    if dataclasses.is_dataclass(value):
        skipped = {"start", "end", "spans", "size", "ref"}
        fields = [field for field in dataclasses.fields(value) if field.compare and field.name not in skipped]
        return (type(value).__name__, *((field.name, shown(getattr(value, field.name))) for field in fields))
    if isinstance(value, Mapping):
        return tuple((shown(key), shown(item)) for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return tuple(shown(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(map(repr, map(shown, value))))
    return repr(value)


def seen(document: Any, folder: Path) -> tuple[object, ...]:
    """Return what becomes of a document: its identity, what it compiles to, and what is said about it."""
    folder.mkdir()
    for beside in ("base.yaml", "fragment.yaml"):
        (folder / beside).write_text((HERE / beside).read_text(encoding="utf-8"), encoding="utf-8")
    file = folder / "policy.yaml"
    # Every JSON text is YAML, and one whose texts are quoted says nothing else than the document did.
    file.write_text(json.dumps(document), encoding="utf-8")
    library = Library.load(file)
    policies: tuple[CompiledPolicy, ...] = library.policies
    models = tuple((policy.ref.name, policy.ref.version, shown(policy)) for policy in policies)
    return (models, tuple((item.code, item.message) for item in library.diagnostics))


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[object, ...]]:
    """Return what becomes of each file as it is written."""
    folder = tmp_path_factory.mktemp("keys")
    files = {file for _, file, _, _, _ in changes()}
    return {file: seen(read(file), folder / Path(file).stem) for file in files}


def test_the_policies_with_every_key_are_fine(
    unchanged: Mapping[str, tuple[object, ...]], tmp_path: Path
) -> None:
    for file, (models, found) in unchanged.items():
        assert found == ()
        assert len(models) == 1  # type: ignore[arg-type] # a tuple
        assert seen(copy.deepcopy(read(file)), tmp_path / Path(file).stem) == unchanged[file]


@pytest.mark.parametrize(
    ("part", "file", "at", "key", "value"),
    [pytest.param(*change, id=f"{change[0]}.{change[3]}") for change in changes()],
)
def test_no_key_is_silently_ignored(
    part: str,
    file: str,
    at: str,
    key: str,
    value: Any,
    unchanged: Mapping[str, tuple[object, ...]],
    tmp_path: Path,
) -> None:
    document = copy.deepcopy(read(file))
    node = document
    for step in at.split("/") if at else []:
        node = node[int(step)] if step.isdigit() else node[step]
    assert key in node, f"{file} does not use it here"
    assert node[key] != value
    if value is None:
        del node[key]
    else:
        node[key] = value
    noticed = seen(document, tmp_path / "changed") != unchanged[file]
    assert noticed is ((part, key) not in NOTES)


# --- the other way round ----------------------------------------------------------------------------------------------


def asked_for(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the keys that a room of the reader names: `at(node, "key")`, `node.get("key")`, `node.key("key")`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if name == "at" and isinstance(function, ast.Name):
            given = node.args[1:2]
        elif name in {"get", "key"} and isinstance(function, ast.Attribute):
            given = node.args[:1]
        else:
            continue
        for argument in given:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value, node.lineno


def test_the_loader_reads_no_key_that_the_schema_does_not_have(root: Path) -> None:
    known = {key for keys in parts().values() for key in keys} | set(
        json.loads(schema_text("fragment"))["properties"]
    )
    rooms = [root / "engine" / "compile.py", *sorted((root / "engine" / "read").glob("*.py"))]
    found = [(room.name, line, key) for room in rooms for key, line in asked_for(room)]
    assert len({key for _, _, key in found}) > 60
    assert [item for item in found if item[2] not in known] == []
