"""Every file in bad/ is answered with exactly the findings of the .txt beside it."""

from pathlib import Path

import pytest

from amends.engine.diagnostics import CATALOGUE
from amends.engine.document import read_file

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


def report(path: Path) -> str:
    _, found = read_file(path)
    lines = [
        f"{item.place.line}:{item.place.column} {item.code} {item.message}"
        + (f" | {item.hint}" if item.hint else "")
        + "".join(f" | {note}: {place.line}:{place.column}" for note, place in item.related)
        for item in found
    ]
    return "".join(line + "\n" for line in lines)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file_is_explained(path: Path) -> None:
    assert report(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_message_is_one_line_in_the_house_style(path: Path) -> None:
    _, found = read_file(path)
    assert found
    for item in found:
        for text in (item.message, item.hint or "x"):
            assert text == text.strip().rstrip(".")
            assert not text[0].isupper()
            assert "\n" not in text
            assert "\r" not in text


def test_every_code_of_reading_has_a_bad_file() -> None:
    reported = {item.code for path in BAD for item in read_file(path)[1]}
    assert reported == {code for code in CATALOGUE if code.startswith("AM00")}
