"""docs/expressions.md: every example is computed, every mistake told, and no function is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from amends import Engine, Library, Money
from amends.engine.diagnostics import Diagnostic
from amends.engine.errors import RuleError
from amends.engine.expression import FUNCTIONS
from amends.engine.expression.arithmetic import MAX_JOINED
from amends.engine.expression.frame import MAX_TURNS
from amends.engine.expression.macros import SHAPES
from amends.engine.expression.parser import MAX_DEPTH
from amends.engine.expression.tokens import MAX_LENGTH
from amends.engine.money import decimal_text
from amends.engine.stepping.work import Work
from amends.engine.values import Unknown, instant_text

PAGE = Path(__file__).parents[2] / "docs" / "expressions.md"
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def rows(head: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of every table whose second column has this head."""
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| expression |"):
            inside = line == f"| expression | {head} |"
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|--"):
            left, right = re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |"))
            yield left.strip("`").replace("\\|", "|"), right


@pytest.fixture(scope="module")
def policy(pages: ModuleType) -> str:
    (block,) = [found for found in pages.blocks(PAGE.read_text(encoding="utf-8")) if found.language == "yaml"]
    text: str = block.text
    return text


def loaded(policy: str, examples: Mapping[str, str], folder: Path) -> Library:
    lines = "".join(f"  {name}: '{text.replace(chr(39), chr(39) * 2)}'\n" for name, text in examples.items())
    file = folder / "policy.yaml"
    file.write_text(f"{policy}define:\n{lines}" if lines else policy, encoding="utf-8")
    return Library.load(file)


def errors(library: Library) -> list[Diagnostic]:
    return [item for item in library.diagnostics if item.severity == "error"]


def shown(value: Any) -> str:
    """Write a value as the page does."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case Money():
            return f"{decimal_text(value.amount)} {value.currency}"
        case Fraction():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case tuple():
            return f"[{', '.join(map(shown, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{shown(key)}: {shown(value[key])}' for key in sorted(value))}}}"
    return str(value)


@pytest.fixture(scope="module")
def values(policy: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return what every example of the page is."""
    texts = [text for text, _ in rows("is")]
    names = {f"example_{number}": text for number, text in enumerate(texts)}
    library = loaded(policy, names, tmp_path_factory.mktemp("expressions"))
    assert [(item.message, item.place.line) for item in errors(library)] == []
    engine = Engine(library)
    case = engine.open("expressions", {}, at=NOON)
    work = Work(engine.policy_of(case.id), case, NOON)
    found = {}
    for name, text in names.items():
        try:
            value = work.value(name)
        except RuleError as error:
            found[text] = f"error: {error}"
            continue
        found[text] = (
            f"unknown: {', '.join(sorted(value.missing))}"
            if isinstance(value, Unknown)
            else f"`{shown(value)}`"
        )
    return found


@pytest.mark.parametrize(("text", "expected"), tuple(rows("is")))
def test_an_example_is_what_the_page_says(text: str, expected: str, values: Mapping[str, str]) -> None:
    # A failure also names its part, which the page leaves out.
    assert re.sub(r"^(error: .*) in `.*`$", r"\1", values[text]) == expected


@pytest.mark.parametrize(("text", "expected"), tuple(rows("told")))
def test_a_mistake_is_told_as_on_the_page(text: str, expected: str, policy: str, tmp_path: Path) -> None:
    found = [f"{item.code} {item.message}" for item in errors(loaded(policy, {"example": text}, tmp_path))]
    assert expected in found


def test_the_policy_of_the_page_is_right(policy: str, tmp_path: Path) -> None:
    assert errors(loaded(policy, {}, tmp_path)) == []


def test_every_function_and_macro_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    names = {name for name in FUNCTIONS if name[0].isalpha()} | {name for name, _ in SHAPES}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


def test_the_bounds_of_the_page_are_those_of_the_engine() -> None:
    bounds = PAGE.read_text(encoding="utf-8").partition("## Bounds")[2]
    found = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", bounds)]
    assert found == [MAX_LENGTH, MAX_DEPTH, MAX_TURNS, MAX_JOINED]
