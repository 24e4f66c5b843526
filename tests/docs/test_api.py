"""docs/api.md lists what a host may touch: every name, its members and their signatures, and nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import amends

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

TABLED = [
    name
    for name in amends.__all__
    if inspect.isclass(getattr(amends, name)) and not issubclass(getattr(amends, name), Exception)
]


def rows(section: str) -> list[str]:
    """Return the first cells of the table below a heading, a pipe in them unescaped."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n{section}\n", 1)[1]
    body = re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^\| `(.+?)` \| ", body, re.MULTILINE)
    return [cell.replace("\\|", "|") for cell in found]


def signature(found: Any) -> str:
    """Return a signature as one would write it: annotations without quotes, without `self`."""
    text = str(inspect.signature(found))
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    return re.sub(r"^\((?:self|cls)(?:, )?", "(", text)


def test_the_two_engines_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, str]:
        return {name: signature(found) for name, found in vars(kind).items() if not name.startswith("_")}

    assert methods(amends.AsyncEngine) == methods(amends.Engine)
    asked = {name for name, found in vars(amends.AsyncEngine).items() if inspect.iscoroutinefunction(found)}
    assert {name for name in asked if not name.startswith("_")} == set(methods(amends.Engine)) - {"effect"}


def members(kind: type) -> Iterator[str]:
    """Yield what a host may touch of a class, as the page writes it."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    for field in fields:
        yield f"{field.name}: {field.type}"
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            annotation = inspect.signature(member.fget).return_annotation  # type: ignore[arg-type] # it has one
            yield f"{name}: {annotation}"
        elif isinstance(member, classmethod):
            yield f"{kind.__name__}.{name}{signature(getattr(kind, name))}"
        elif inspect.isfunction(member):
            yield f"{name}{signature(member)}"


@pytest.mark.parametrize("name", TABLED)
def test_the_page_lists_the_members_of_a_class(name: str) -> None:
    kind = getattr(amends, name)
    listed = rows(f"### `{name}`")
    expected = list(members(kind))
    made = f"{name}{signature(kind)}".removesuffix(" -> None")
    if name == "AsyncEngine":
        # Its methods are those of the other.
        expected = []
    if name in {"AsyncEngine", "Engine", "Money", "Worker"}:
        # A host makes these itself; everything else it is handed.
        fields = (
            {f"{field.name}: {field.type}" for field in dataclasses.fields(kind)}
            if name == "Money"
            else set()
        )
        expected = [made, *(item for item in expected if item not in fields)]
    assert sorted(listed) == sorted(expected)


def test_the_page_lists_the_exceptions() -> None:
    found = [
        name
        for name in amends.__all__
        if inspect.isclass(getattr(amends, name)) and issubclass(getattr(amends, name), Exception)
    ]
    assert sorted(rows("## Exceptions")) == sorted(found)


def test_the_page_lists_the_functions() -> None:
    found = [name for name in amends.__all__ if inspect.isfunction(getattr(amends, name))]
    listed = [row for row in rows("## The rest") if "(" in row]
    assert listed == [f"{name}{signature(getattr(amends, name))}" for name in sorted(found)]


def test_the_page_lists_every_public_name_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headed = set(re.findall(r"^### `(\w+)`", text, re.MULTILINE))
    rest = {row.partition("(")[0] for row in rows("## The rest")}
    assert headed | set(rows("## Exceptions")) | rest == set(amends.__all__)
