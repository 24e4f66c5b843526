"""A scalar knows where each of its characters stands, however it is written."""

import re

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from amends.engine.diagnostics import Place
from amends.engine.document import Scalar, node_at, read_text
from amends.engine.text.nodes import Written


def scalar(document: str) -> Scalar:
    node, found = read_text(document, "p.yaml")
    assert not found
    assert node is not None
    value = node_at(node, ["k"])
    assert isinstance(value, Scalar)
    return value


def cut(document: str, place: Place) -> str:
    starts = [0, *(match.end() for match in re.finditer("\r\n|\r|\n", document))]
    begin = starts[place.line - 1] + place.column - 1
    end = starts[place.end_line - 1] + place.end_column - 1
    assert begin <= end
    return document[begin:end]


WRITTEN = {
    "plain": "k: one two",
    "plain over lines": "k: one\n  two\n\n  three\n\n\n  four # five",
    "plain in brackets": "{k: one\n two, l: x}",
    "single quotes": "k: 'it''s  one'",
    "single quotes over lines": "k: 'one \n   two\n\n\n  three\n  '",
    "double quotes": r'k: "a\tb \x41\u00e9\U0001F600 \"q\" \\ \/ \N\_\L\P\e\0"',
    "double quotes over lines": 'k: "one \\\n  \\ two\n  three\n\n  four \\\n\n\n  five"',
    "literal": "k: |\n  one\n    two\n\n   three\n\nl: x",
    "literal, kept": "k: |+\n  one\n\n\nl: x",
    "literal, stripped": "k: |-\n  one\n\n  two\n\nl: x",
    "literal, indentation given": "k: |2 # why\n\n    one\n   two\n",
    "literal, tab": "k: |\n  one\n  \ttwo\n",
    "literal without end": "k: |\n  one",
    "literal in a list": "k: |\n one\n  two\n",
    "literal of spaces": "k: |1+\n   \n  \n",
    "folded": "k: >\n  one\n  two\n\n  three\n\n\n  four\nl: x",
    "folded, indented lines": "k: >\n  one\n    two\n  three\n\n    four\n\n  five\n",
    "folded, leading empty lines": "k: >-\n\n\n  one\n  two\n",
    "folded, last line of spaces": "k: >-\n  one\n   \nl: x",
}


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("name", WRITTEN)
def test_every_character_has_the_place_it_was_made_from(name: str, line_break: str) -> None:
    document = WRITTEN[name].replace("\n", line_break)
    check(document, scalar(document))


def check(document: str, found: Scalar) -> None:
    # Without a written form that gives the text the whole scalar would be every part's place.
    assert isinstance(found.stands, Written)
    assert found.stands.stretch(found.text, 0, len(found.text)) is not None
    last = (0, 0)
    for at, char in enumerate(found.text):
        place = found.place_of(at, at + 1)
        assert (place.line, place.column) >= last
        last = (place.end_line, place.end_column)
        check_character(char, cut(document, place), found.stands.style)
    for start in range(len(found.text)):
        for end in range(start + 1, len(found.text) + 1):
            first, final = found.place_of(start, start + 1), found.place_of(end - 1, end)
            place = found.place_of(start, end)
            assert (place.line, place.column) == (first.line, first.column)
            assert (place.end_line, place.end_column) == (final.end_line, final.end_column)


def check_character(char: str, piece: str, style: str) -> None:
    if style == '"' and piece.startswith("\\") and piece[1:2] not in {"\n", "\r"}:
        assert yaml.safe_load(f'"{piece}"') == char
    elif char == "\n":
        assert piece in {"\n", "\r\n"}
    elif char == " ":
        # A fold stands for one space: a break, and the blanks around it.
        assert piece == " " or re.fullmatch(r"[ \t]*(\r\n|\n)[ \t]*", piece)
    else:
        assert piece.replace("''", "'") == char if style == "'" else piece == char


@given(
    text=st.text(
        st.sampled_from("ab é😀'\"\\ \n\t:#-") | st.characters(exclude_categories=["Cs"]), max_size=30
    ),
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    width=st.sampled_from([5, 12, 80]),
    line_break=st.sampled_from(["\n", "\r\n"]),
)
def test_dumped_scalar_is_found_again_character_by_character(
    *, text: str, style: str | None, width: int, line_break: str
) -> None:
    document = yaml.safe_dump(
        {"k": {"l": text}}, default_style=style, default_flow_style=False, width=width, line_break=line_break
    )
    # PyYAML breaks some escaped texts over lines so that it cannot read them back itself.
    assume(yaml.safe_load(document) == {"k": {"l": text}})
    node, found = read_text(document, "p.yaml")
    assert not found
    assert node is not None
    value = node_at(node, ["k", "l"])
    assert isinstance(value, Scalar)
    assert value.text == text
    check(document, value)


def test_empty_stretch_is_a_point() -> None:
    assert str(scalar("k: abc").place_of(1, 1)) == "p.yaml:1:5"
    assert str(scalar("k: abc").place_of(3, 3)) == "p.yaml:1:7"
    assert str(scalar("k: ''").place_of(0, 0)) == "p.yaml:1:5"


def test_stretch_past_the_end_is_cut_at_the_end() -> None:
    assert scalar("k: abc").place_of(1, 99) == scalar("k: abc").place_of(1, 3)


def test_key_knows_its_characters_too() -> None:
    node, _ = read_text('"a\\tb": 1', "p.yaml")
    assert str(node.key("a\tb").place_of(2, 3)) == "p.yaml:1:5"  # type: ignore[union-attr]


def test_scalar_made_by_hand_answers_with_its_whole_place() -> None:
    place = Place("p.yaml", 3, 4, 3, 9)
    assert Scalar("abcde", "abcde", plain=True, stands=place).place_of(1, 2) == place
