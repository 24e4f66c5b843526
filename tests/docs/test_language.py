"""docs/language.md is normative, so what it shows is tried: policies are checked, cases run, texts of values read.

The first policy of the page stands alone; every further one is laid over it as an overlay, which is what the page says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amends.engine.diagnostics import Diagnostic
from amends.engine.expression import parse
from amends.engine.library import Library
from amends.engine.money import parse_money
from amends.engine.period import parse_period
from amends.engine.scenario import read_scenarios, run_file
from amends.engine.schema import schema_text

if TYPE_CHECKING:
    from tests.docs.pages import Block

PAGE = "docs/language.md"
LANGUAGE = "yaml"

OVERLAY = """\
amends: 1
policy: library_loan.example
version: 2026-01-01
extends: {policy: library_loan, version: 2026-01-01}
"""

FIFTEEN = """\
amends: 1
policy: library_loan
version: 2026-01-01
roles: [reader, librarian]
facts: {price: money}
events:
  claim_damage: {by: reader, data: {amount: money}}
  accept: {by: librarian}
states:
  on_loan:
    initial: true
    on: {claim_damage: {when: claim_damage.amount <= price, to: under_review}}
  under_review: {sla: 2 days, on: {accept: settled}}
  settled: {final: true}
"""


@pytest.fixture
def first(blocks_of: Callable[[str], tuple[Block, ...]]) -> Block:
    """Return the policy that every other is laid over."""
    return next(block for block in blocks_of(PAGE) if block.text.startswith("amends: 1\n"))


@pytest.fixture
def loaded(tmp_path: Path, first: Block) -> Callable[[str], Library]:
    """Return what loads an example, laid over the first policy where it does not stand alone."""

    def load(text: str) -> Library:
        (tmp_path / "library_loan.yaml").write_text(first.text, encoding="utf-8")
        if text != first.text:
            header = "" if text.startswith("amends: ") else OVERLAY
            (tmp_path / "example.yaml").write_text(header + text, encoding="utf-8")
        return Library.load(tmp_path)

    return load


def told(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{item.place}: {item.code} {item.message}" for item in found if item.severity == "error"]


def test_an_example_is_a_policy_or_a_file_of_cases(
    block: Block, loaded: Callable[[str], Library], first: Block, tmp_path: Path
) -> None:
    if block.text.startswith("cases:"):
        library = loaded(first.text)
        cases = tmp_path / "page.scenarios.yaml"
        cases.write_text(block.text, encoding="utf-8")
        file, found = read_scenarios(cases)
        assert told(found) == []
        assert file is not None
        assert {result.id: result.status for result in run_file(file, library)} == {
            case.id: "passed" for case in file.cases
        }
        return
    library = loaded(block.text)
    # Vocabulary declares what other sections use; everywhere else an example has no loose end.
    loose = {item.code for item in library.diagnostics}
    assert loose <= ({"AM501"} if block.section == "Vocabulary" else set()), library.diagnostics
    assert len(library.policies) == (1 if block.text == first.text else 2)


def test_the_first_policy_has_nothing_to_be_said_about_it(
    loaded: Callable[[str], Library], first: Block
) -> None:
    assert loaded(first.text).diagnostics == ()


def test_every_section_has_an_example(blocks_of: Callable[[str], tuple[Block, ...]], root: Path) -> None:
    text = (root / PAGE).read_text(encoding="utf-8")
    sections = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    shown = {block.section for block in blocks_of(PAGE)}
    assert [section for section in sections if section not in shown] == ["How a case moves"]


def test_the_page_can_be_read_in_one_go(root: Path) -> None:
    """Some twelve minutes: 300 words each, of which code, looked at rather than read, counts a third."""
    text = (root / PAGE).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    assert len(prose.split()) + (len(text.split()) - len(prose.split())) / 3 <= 12 * 300


# --- the keys that the page counts ----------------------------------------------------------------------------------------


def keys_of_the_language() -> set[str]:
    schemas = [json.loads(schema_text("policy")), json.loads(schema_text("fragment"))]
    bodies = [body for schema in schemas for body in (schema, *schema["$defs"].values())]
    return {key for body in bodies for key in body.get("properties", {})}


def test_the_page_says_how_many_keys_there_are(root: Path) -> None:
    text = (root / PAGE).read_text(encoding="utf-8")
    (count,) = re.findall(r"The language has (\d+) keys\.", text)
    assert int(count) == len(keys_of_the_language())


def test_a_first_policy_needs_the_fifteen_keys_of_the_page_and_no_other(root: Path, tmp_path: Path) -> None:
    text = (root / PAGE).read_text(encoding="utf-8")
    (sentence,) = re.findall(r"A first policy needs fifteen: (.*)\.$", text, re.MULTILINE)
    named = re.findall(r"`(\w+)`", sentence)
    used = set(re.findall(r"(\w+):", FIFTEEN)) & keys_of_the_language()
    assert len(named) == 15
    assert set(named) == used - {"amount"}  # that one is a field of the event here
    file = tmp_path / "first.yaml"
    file.write_text(FIFTEEN, encoding="utf-8")
    library = Library.load(file)
    assert library.diagnostics == ()
    assert len(library.policies) == 1


# --- values within sentences ----------------------------------------------------------------------------------------------


def spans(text: str) -> list[str]:
    bare = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return list(dict.fromkeys(re.findall(r"`([^`\n]+)`", bare)))


PERIOD = re.compile(r"\d+ (?:business )?(?:second|minute|hour|day|week|month|year)s?")
MONEY = re.compile(r"\d+(?:\.\d+)? [A-Z]{3}")
MOMENT = re.compile(
    rf"(?:exactly |start of day |end of day )?{PERIOD.pattern} (?:after|from|before) \w+(?:\.\w+)*"
)
#: Operators and calls: what only an expression has.
EXPRESSION = re.compile(
    r"[\w.]+(?:\([\w., ]*\))?(?: (?:in|&&|\|\||==|<=?|>=?|[-+*/]) [\w.]+(?:\([\w., ]*\))?)+"
)


def test_values_that_the_page_writes_in_its_sentences_can_be_read(
    root: Path, loaded: Callable[[str], Library]
) -> None:
    read = 0
    for span in spans((root / PAGE).read_text(encoding="utf-8")):
        if PERIOD.fullmatch(span):
            assert parse_period(span) is not None
        elif MONEY.fullmatch(span):
            assert str(parse_money(span)) == span
        elif MOMENT.fullmatch(span):
            assert told(loaded(f"moments: {{example: {span}}}").diagnostics) == [], span
        elif EXPRESSION.fullmatch(span.removeprefix("when: ")):
            assert parse(span.removeprefix("when: ")) is not None
        else:
            continue
        read += 1
    assert read >= 4


@pytest.mark.parametrize(
    "cell", ["-", "a, b", "not(a, b)", "< x", "<= x", "> x", ">= x", "[a..b]", "(a..b)", "[a..b)", "(a..b]"]
)
def test_the_cells_of_the_page_are_cells(cell: str, root: Path, loaded: Callable[[str], Library]) -> None:
    """The page writes them with letters; numbers of an input stand for these here."""
    assert f"`{cell}`" in (root / PAGE).read_text(encoding="utf-8")
    filled = re.sub(r"\bx\b", "5", re.sub(r"\bb\b", "9", re.sub(r"\ba\b", "3", cell)))
    table = f"""\
facts: {{number: int}}
tables:
  example: {{inputs: [number], outputs: bool, rules: [{{when: ["{filled}"], then: true}}], otherwise: false}}
"""
    assert told(loaded(table).diagnostics) == []
