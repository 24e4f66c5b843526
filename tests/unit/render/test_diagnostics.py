"""Findings as text and JSON: the form that authors read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from amends.engine.case import PolicyRef
from amends.engine.diagnostics import CATALOGUE, Diagnostic, Diagnostics, Place
from amends.engine.render.diagnostics import findings_json, findings_text

Golden = Callable[[str, str], None]

TEXT = """\
amends: 1
states:
  new:
    on:
      reopen: in_reveiw
      关闭: {when: x = 1, to: closed}
"""


@pytest.fixture
def found() -> tuple[Diagnostic, ...]:
    found = Diagnostics()
    found.add(
        "AM104",
        Place("desk.yaml", 5, 15, 5, 24),
        "undeclared state `in_reveiw`",
        hint="did you mean `in_review`?",
        related=[("states are declared here", Place("desk.yaml", 2, 1, 2, 7))],
    )
    found.add("AM201", Place("desk.yaml", 6, 20, 6, 21), "`=` does not compare", hint="write `==`")
    found.add("AM501", Place("other.yaml", 3, 1, 3, 4), "the fact `old` is never used")
    return found.sorted()


def many(count: int) -> tuple[Diagnostic, ...]:
    found = Diagnostics()
    for line in range(count):
        found.add("AM104", Place("a.yaml", line + 1, 1, line + 1, 2), "undeclared state `a`")
    return found.sorted()


def one(text: str, place: tuple[int, int, int, int]) -> list[str]:
    """Return the lines that show one place of a text."""
    found = Diagnostics()
    found.add("AM104", Place("a.yaml", *place), "wrong")
    return [
        line
        for line in findings_text(found.sorted(), {"a.yaml": text}).splitlines()
        if line.startswith(" | ")
    ]


def test_findings_are_shown_with_their_line(found: tuple[Diagnostic, ...], golden: Golden) -> None:
    golden("findings.txt", findings_text(found, {"desk.yaml": TEXT}))


def test_findings_are_json(found: tuple[Diagnostic, ...], golden: Golden) -> None:
    golden("findings.json", findings_json(found))


def test_no_more_than_a_hundred_are_shown_and_the_rest_is_counted() -> None:
    text = findings_text(many(1_234), {})
    assert text.count("error[AM104]") == 100
    assert text.endswith("1,234 errors; the first 100 are shown, 1,134 more are not\n")
    data = json.loads(findings_json(many(1_234)))
    assert (len(data["diagnostics"]), data["errors"], data["not_shown"]) == (100, 1_234, 1_134)


def test_exactly_a_hundred_are_all_shown() -> None:
    assert findings_text(many(100), {}).endswith("\n100 errors\n")


def test_a_clean_check_says_how_much_it_read() -> None:
    assert findings_text((), {}, files=1) == "no findings in 1 file\n"


def test_the_size_of_every_policy_is_told() -> None:
    sizes = [(PolicyRef(name="desk", version="2026-01-01", bundle="", model=""), 1_203, 18)]
    assert findings_text((), {}, files=1, sizes=sizes) == (
        "desk 2026-01-01: 1,203 keys, 18 states\nno findings in 1 file\n"
    )
    assert json.loads(findings_json((), sizes=sizes))["policies"] == [
        {"policy": "desk", "version": "2026-01-01", "keys": 1_203, "states": 18}
    ]


def test_the_caret_stands_under_the_place() -> None:
    assert one("to: closd", (1, 5, 1, 10)) == [" | to: closd", " | ....^^^^^"]


def test_the_caret_keeps_its_column_after_wide_characters() -> None:
    assert one("退款: x", (1, 5, 1, 6)) == [" | 退款: x", " | ......^"]


def test_a_place_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    assert one("a: [b,\n  c]", (1, 4, 2, 5)) == [" | a: [b,", " | ...^^^"]


def test_an_empty_place_has_a_caret_of_its_own() -> None:
    assert one("a:", (1, 3, 1, 3)) == [" | a:", " | ..^"]


def test_tabs_and_control_characters_do_not_move_the_caret() -> None:
    assert one("a:\t\x1b[2Jb", (1, 8, 1, 9)) == [" | a: ?[2Jb", " | .......^"]


def test_a_place_past_the_end_of_the_file_shows_no_line() -> None:
    assert one("a: 1", (9, 1, 9, 1)) == []


def test_lines_are_counted_as_the_reader_counts_them() -> None:
    assert one("a: \u2028\x0b1\r\nb: 2\rc: 3", (3, 1, 3, 2)) == [" | c: 3", " | ^"]


def test_of_a_long_line_the_stretch_around_the_caret_is_shown() -> None:
    shown, caret = one("x" * 5_000 + "!" + "y" * 5_000, (1, 5_001, 1, 5_002))
    assert len(shown) < 120
    assert shown[caret.index("^")] == "!"


def test_colour_is_added_only_when_asked_for(found: tuple[Diagnostic, ...]) -> None:
    assert "\x1b" not in findings_text(found, {"desk.yaml": TEXT})
    assert "\x1b[31m" in findings_text(found, {"desk.yaml": TEXT}, colour=True)


def test_every_code_names_its_page() -> None:
    found = Diagnostics()
    for code in CATALOGUE:
        found.add(code, Place("a.yaml", 1, 1, 1, 1), "wrong")
    pages = [item["see"] for item in json.loads(findings_json(found.sorted()))["diagnostics"]]
    assert sorted(pages) == sorted(
        f"docs/diagnostics/{rule.code}-{rule.name}.md" for rule in CATALOGUE.values()
    )
