"""Annotations of GitHub Actions: one line each, and nothing in a text can end it or begin another."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from amends.engine.diagnostics import Diagnostic, Diagnostics, Place
from amends.engine.render.github import findings_github

PLACE = Place("desk.yaml", 5, 15, 5, 24)
COMMAND = re.compile(r"::(?:error|warning) ([^:]*)::([^\r\n]*)")


def one(message: str = "wrong", place: Place = PLACE, *, code: str = "AM104", hint: str | None = None) -> str:
    found = Diagnostics()
    found.add(code, place, message, hint=hint)
    return findings_github(found.sorted())


def test_a_finding_is_one_command_with_its_place() -> None:
    assert one("there is no state `in_reveiw`") == (
        "::error file=desk.yaml,line=5,col=15,endLine=5,endColumn=24,title=AM104"
        "::there is no state `in_reveiw`%0Asee: docs/diagnostics/AM104-unknown-name.md\n"
    )


def test_a_warning_is_a_warning() -> None:
    assert one(code="AM501").startswith("::warning ")


def test_the_remedy_and_related_places_are_lines_of_the_message() -> None:
    found = Diagnostics()
    found.add(
        "AM105", PLACE, "twice", hint="rename one", related=[("the first one", Place("b.yaml", 1, 2, 1, 3))]
    )
    message = findings_github(found.sorted()).split("::", 2)[2]
    assert message.split("%0A")[:3] == ["twice", "help: rename one", "note: b.yaml:1:2: the first one"]


def test_a_place_over_several_lines_has_no_columns() -> None:
    assert "file=a.yaml,line=1,endLine=3,title=" in one(place=Place("a.yaml", 1, 4, 3, 2))


def test_what_would_end_a_property_is_escaped() -> None:
    assert "file=C%3A/50%25%2C%2C.yaml," in one(place=Place("C:/50%,,.yaml", 1, 1, 1, 2))


def test_a_percent_sign_of_a_message_is_not_taken_for_an_escape() -> None:
    assert "::100%25, said: `%250A`%0Asee" in one("100%, said: `%0A`")


def test_nothing_is_printed_where_nothing_is_wrong() -> None:
    assert findings_github(()) == ""


def test_no_more_than_a_hundred_are_shown_and_the_rest_is_counted() -> None:
    found = Diagnostics()
    for line in range(1_234):
        found.add("AM104", Place("a.yaml", line + 1, 1, line + 1, 2), "there is no state `a`")
    lines = findings_github(found.sorted()).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "::notice title=amends::1,134 more findings are not shown"


@given(st.text(), st.text(min_size=1), st.text() | st.none())
def test_no_text_breaks_out_of_its_command(message: str, file: str, hint: str | None) -> None:
    item = Diagnostic(
        code="AM104", severity="error", message=message, place=Place(file, 1, 1, 1, 2), hint=hint
    )
    shown = findings_github([item])
    assert shown.endswith("\n")
    command = COMMAND.fullmatch(shown[:-1])
    assert command is not None
    assert [part.partition("=")[0] for part in command[1].split(",")] == [
        *("file", "line", "col", "endLine", "endColumn", "title")
    ]
