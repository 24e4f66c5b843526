"""What is said of moments that cannot be read, compared whole: mistakes.yaml against mistakes.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amends.engine.calendar import Calendar
from amends.engine.diagnostics import Diagnostics, Place
from amends.engine.document import Scalar, read_text
from amends.engine.moment import read_moment
from amends.engine.rules.condition import Context

DATA = Path(__file__).parent
DOCUMENT, _ = read_text((DATA / "mistakes.yaml").read_text("utf-8"), "mistakes.yaml")


@dataclass
class Calendars:
    """Calendars that are declared, and a zone that nothing computes."""

    declared: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        return self.declared

    def calendar(self, name: str) -> Calendar:
        hours = (((9 * 60, 17 * 60),),) * 7 if name == "gulf" else None
        return Calendar(name=name, hours=hours)

    def zone(self) -> None:
        return None


def almanac(*names: str) -> Calendars:
    return Calendars(names)


def findings(section: str, names: Any) -> dict[str, list[str]]:
    """Return what is said of every moment of a section, by its name."""
    found: dict[str, list[str]] = {}
    for key, node in DOCUMENT.get(section).entries:  # type: ignore[union-attr] # the file is a map of maps
        diagnostics = Diagnostics()
        context = Context(scope=names, diagnostics=diagnostics)
        moment = read_moment(node, context, almanac=almanac("de", "gulf", "short"), given=section == "given")
        assert moment is None, key.text
        found[f"{section}: {key.text}"] = [
            line
            for item in diagnostics.sorted()
            for line in (
                f"{item.place.line}:{item.place.column}-{item.place.end_column} {item.code} {item.message}",
                *([f"  help: {item.hint}"] if item.hint else []),
            )
        ]
    return found


def test_every_mistake_is_told_at_its_place_with_its_remedy(names: Any) -> None:
    said = findings("moments", names) | findings("given", names)
    text = "".join(f"{name}\n" + "".join(f"  {line}\n" for line in lines) for name, lines in said.items())
    assert text == (DATA / "mistakes.txt").read_text("utf-8")


def test_a_mistake_that_the_declarations_it_names_have_is_not_its_own(names: Any, read: Any) -> None:
    diagnostics = Diagnostics()
    node, _ = read_text("moment: 30 days after ordered_at\n", "policy.yaml")

    class Lazy(type(names)):  # type: ignore[misc] # the class of the fixture
        """Reads a declaration when it is first asked for, as compiling does."""

        def find(self, name: str) -> Any:
            diagnostics.add("AM106", node.place, "a mistake elsewhere")  # type: ignore[union-attr] # it was read
            return super().find(name)

    context = Context(scope=Lazy(), diagnostics=diagnostics)
    assert read_moment(node.get("moment"), context, almanac=almanac()) == read("30 days after ordered_at")[0]  # type: ignore[union-attr, arg-type]


WORDS = st.sampled_from(
    [
        *(
            "30 days",
            "2 business days",
            "after",
            "from",
            "before",
            "exactly",
            "start of day",
            "end of day",
            ", if any",
        ),
        *(
            "ordered_at",
            "check_in",
            "claim",
            "returns",
            "now",
            "=",
            "(",
            ")",
            "[",
            '"',
            "'",
            "?",
            ":",
            "2026-03-05",
            "1",
        ),
        *("later_of", "within", "{", "}", ",", "\t", "…", "é", "0 days"),
    ]
)


@given(words=st.lists(WORDS | st.text(max_size=4), max_size=8), counts_from_given=st.booleans())
def test_any_text_is_a_moment_or_has_a_finding(
    words: list[str], *, counts_from_given: bool, bare_names: Any
) -> None:
    text = " ".join(words)
    diagnostics = Diagnostics()
    context = Context(scope=bare_names, diagnostics=diagnostics)
    node = Scalar(text=text, value=text, plain=True, stands=Place("policy.yaml", 1, 1, 1, 1))
    moment = read_moment(node, context, almanac=almanac("business"), given=counts_from_given)
    assert (moment is None) is bool(diagnostics.found)


def test_where_no_calendar_is_declared_the_remedy_is_to_declare_one(read: Any) -> None:
    moment, problems = read("2 business days after ordered_at", calendars={})
    assert moment is None
    assert [problem.hint for problem in problems] == [
        "declare it under `calendars`, such as `business: {holidays: US}`"
    ]
