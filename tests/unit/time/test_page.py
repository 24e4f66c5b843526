"""docs/time.md: every row of its tables comes to what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from amends.engine.calendar import zone
from amends.engine.case import PolicyRef
from amends.engine.compile import compile_policy
from amends.engine.document import read_text
from amends.engine.engine import Engine
from amends.engine.library import Library
from amends.engine.policy import CompiledPolicy
from amends.engine.stepping.work import Work
from amends.engine.values import Unknown

PAGE = (Path(__file__).parents[3] / "docs" / "time.md").read_text("utf-8")
VOCABULARY = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
FACTS = {
    name: re.sub(r"^\w+day ", "", value.strip()).strip()
    for name, value in re.findall(r"^  (\w+): \w[^#\n]*# (.*)$", VOCABULARY, re.MULTILINE)
    if name not in ("de", "shipped_at")
}
NEW_YORK = zone("America/New_York")
START = datetime(2026, 3, 2, 9, 30, tzinfo=NEW_YORK)


def rows(section: str) -> Iterator[list[str]]:
    """Yield the cells of a section's table, without the marks of code."""
    text = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[0]
    for line in [line for line in text.splitlines() if line.startswith("|")][2:]:
        yield [cell.strip().strip("`") for cell in line.strip("|").split(" |")]


def policy(
    rest: str, states: str = "open: {initial: true}", facts: str = "", events: str = "{}"
) -> CompiledPolicy:
    vocabulary = VOCABULARY.replace("params:", facts + "params:")
    text = f"amends: 1\npolicy: page\nversion: 1\n{vocabulary}{rest}\nevents: {events}\nstates:\n  {states}\n"
    node, _ = read_text(text, "page.yaml")
    assert node is not None
    ref = PolicyRef(name="page", version="1", bundle="", model="")
    found, problems = compile_policy(node, ref, {}, shapely=False)
    assert found is not None, [str(item.message) for item in problems]
    return found


def facts() -> dict[str, Any]:
    """Return the facts of the page, told as an engine takes them."""
    told: dict[str, Any] = {}
    for name, value in FACTS.items():
        instant = re.fullmatch(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d)?", value)
        told[name] = value
        if instant and instant[2]:
            told[name] = datetime.fromisoformat(value).replace(tzinfo=NEW_YORK)
    return told


def local(instant: object) -> str:
    if isinstance(instant, datetime):
        return instant.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")
    return "not known" if isinstance(instant, Unknown) else ""


def opened(made: CompiledPolicy) -> Engine:
    engine = Engine(Library(policies=(made,)))
    engine.open("page", facts(), at=START, case_id="case")
    return engine


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0]) for row in rows("Moments")])
def test_a_moment_of_the_page_comes_to_what_its_row_says(row: list[str]) -> None:
    written = row[0] if row[0].startswith("{") else f"'{row[0]}'"
    made = policy(f"moments: {{m: {written}}}")
    assert local(Work(made, opened(made).case("case"), START).value("m")) == row[1]


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row[0]} to {row[1]}") for row in rows("Windows")])
def test_a_window_of_the_page_is_open_as_its_row_says(row: list[str]) -> None:
    ends = ", ".join(f"{key}: {text}" for key, text in zip(("opens", "closes"), row, strict=False) if text)
    made = policy(f"windows: {{w: {{{ends}}}}}")
    window = Work(made, opened(made).case("case"), START).window(made.windows["w"])
    assert [local(window.opens), local(window.closes)] == row[2:4]


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row[0]}, {row[2]}") for row in rows("Clocks that pause")]
)
def test_a_clock_of_the_page_pauses_and_is_due_again_as_its_row_says(row: list[str]) -> None:
    due, first, pauses, goes_on, again, _ = row
    made = policy(
        "",
        f"open: {{initial: true, sla: {{c: {{due: {due}, pause_while: held, breach: {{alarm: host}}}}}}, "
        "on: {hold: {set: {held: 'true'}}, go_on: {set: {held: 'false'}}}}",
        "  held: {type: bool, default: false}\n",
        "{hold: {by: host}, go_on: {by: host}}",
    )
    engine = opened(made)
    assert local(engine.case("case").clocks["open/c"].due) == first
    for at, event in ((pauses, "hold"), (goes_on, "go_on")):
        instant = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
        assert engine.send("case", event, by="host", at=instant).refusal is None
    assert local(engine.case("case").clocks["open/c"].due) == again


def test_the_page_has_rows_of_each_kind() -> None:
    assert [len(list(rows(name))) > 4 for name in ("Moments", "Windows", "Clocks that pause")] == [True] * 3
