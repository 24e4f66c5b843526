"""Findings about files, as text with the line and a caret under the place, and as JSON.

shipping.yaml:24:16: error[AM104] there is no state `in_reveiw`
 |       target: in_reveiw
 | ...............^^^^^^^^^
 = help: did you mean `in_review`?
 = see: docs/diagnostics/AM104-unknown-name.md
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..case import PolicyRef
from ..diagnostics import LIMIT, Diagnostic, Place
from ..pages import page_name
from ..text.nodes import BREAK
from .paint import Paint
from .plain import dumped
from .text import width

#: Columns of a line that are shown; of a longer one the stretch around the caret.
_COLUMNS: Final = 100
#: How much stands before the caret where a line is cut.
_BEFORE: Final = 60

#: A policy, how many keys its author wrote (those that it takes over included), and how many states.
PolicySize = tuple[PolicyRef, int, int]


def findings_text(
    found: Sequence[Diagnostic],
    texts: Mapping[str, str],
    *,
    files: int | None = None,
    sizes: Sequence[PolicySize] = (),
    colour: bool = False,
    limit: int = LIMIT,
) -> str:
    """Return findings as a person reads them, one block each, and a line that counts them.

    Args:
        found: the findings, in order.
        texts: the files' texts by the name that places carry; where one is missing no line is shown.
        files: how many files were read, to be said where all is well.
        sizes: of the policies that can run, a line each.
        colour: whether to add the terminal's colours.
        limit: how many are shown; the rest is counted.
    """
    paint = Paint(on=colour)
    lines = {file: BREAK.split(text.removeprefix("\ufeff")) for file, text in texts.items()}
    blocks = [finding_text(item, lines.get(item.place.file, ()), paint) for item in found[:limit]]
    counts = [*map(size_text, sizes), count_text(found, files=files, limit=limit)]
    return "\n".join([*blocks, *counts]) + "\n"


def size_text(size: PolicySize) -> str:
    """Return how large a policy is.

    >>> size_text((PolicyRef(name="help_desk", version="2026-01-01", bundle="", model=""), 1_203, 18))
    'help_desk 2026-01-01: 1,203 keys, 18 states'
    """
    ref, keys, states = size
    return f"{ref.name} {ref.version}: {_counted(keys, 'key')}, {_counted(states, 'state')}"


def count_text(found: Sequence[Diagnostic], *, files: int | None = None, limit: int = LIMIT) -> str:
    """Return how many errors and warnings there are, and how many of them are not shown.

    >>> count_text([], files=3)
    'no findings in 3 files'
    """
    errors = sum(item.severity == "error" for item in found)
    counts = [_counted(errors, "error"), _counted(len(found) - errors, "warning")]
    text = ", ".join(count for count in counts if not count.startswith("0 ")) or "no findings"
    text += "" if files is None or found else f" in {_counted(files, 'file')}"
    rest = len(found) - limit
    return f"{text}; the first {limit} are shown, {rest:,} more are not" if rest > 0 else text


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def finding_text(item: Diagnostic, lines: Sequence[str], paint: Paint) -> str:
    """Return one finding as lines: what and where, the line itself, the remedy, the page."""
    severity = paint.error if item.severity == "error" else paint.warning
    rows = [
        f"{paint.bold(str(item.place))}: {severity(f'{item.severity}[{item.code}]')} {one_line(item.message)}"
    ]
    rows += _snippet(item.place, lines, severity)
    if item.hint:
        rows.append(f" = help: {one_line(item.hint)}")
    rows += [f" = note: {place}: {one_line(note)}" for note, place in item.related]
    rows.append(paint.faint(f" = see: {page_of(item.code)}"))
    return "\n".join(rows)


def _snippet(place: Place, lines: Sequence[str], severity: Any) -> list[str]:
    if not 0 < place.line <= len(lines):
        return []
    line = lines[place.line - 1]
    start = min(place.column - 1, len(line))
    end = min(place.end_column - 1, len(line)) if place.end_line == place.line else len(line.rstrip())
    first = 0 if width(line) <= _COLUMNS else max(0, start - _BEFORE)
    shown = one_line(line[first : first + _COLUMNS], keep=True)
    before = width(shown[: start - first])
    length = max(1, width(shown[start - first : end - first]))
    return [f" | {shown}".rstrip(), f" | {'.' * before}{severity('^' * length)}"]


def one_line(text: str, *, keep: bool = False) -> str:
    r"""Return a text without anything that would move a terminal's cursor.

    >>> one_line("a\tb\x1b[2J")
    'a b?[2J'
    """
    spaced = text if keep else text.replace("\n", " ")
    return "".join(
        " " if char == "\t" else "?" if unicodedata.category(char)[0] == "C" else char for char in spaced
    )


def page_of(code: str) -> str:
    """Return the address of the page that explains a code.

    >>> page_of("AM104")
    'docs/diagnostics/AM104-unknown-name.md'
    """
    return f"docs/diagnostics/{page_name(code)}"


def findings_data(found: Sequence[Diagnostic], *, limit: int = LIMIT) -> dict[str, Any]:
    """Return findings as JSON data: the counts of all, and the first of them whole."""
    errors = sum(item.severity == "error" for item in found)
    return {
        "errors": errors,
        "warnings": len(found) - errors,
        "not_shown": max(0, len(found) - limit),
        "diagnostics": [_finding_data(item) for item in found[:limit]],
    }


def findings_json(
    found: Sequence[Diagnostic],
    *,
    sizes: Sequence[PolicySize] = (),
    limit: int = LIMIT,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Return findings, how large the policies are that can run, and what else is told of them, as one JSON object."""
    policies = [_size_data(size) for size in sizes]
    return dumped({**findings_data(found, limit=limit), "policies": policies, **(more or {})})


def _size_data(size: PolicySize) -> dict[str, Any]:
    ref, keys, states = size
    return {"policy": ref.name, "version": ref.version, "keys": keys, "states": states}


def _finding_data(item: Diagnostic) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "place": place_data(item.place),
        "hint": item.hint,
        "see": page_of(item.code),
        "related": [{"message": note, "place": place_data(place)} for note, place in item.related],
    }


def place_data(place: Place) -> dict[str, Any]:
    """Return a place as JSON data; lines and columns count from 1, the end is exclusive."""
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
