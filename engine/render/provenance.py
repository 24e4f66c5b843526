"""Where the values of policies come from, as text and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..case import PolicyRef
from ..diagnostics import Place
from ..publishing.provenance import Origin
from .diagnostics import one_line, place_data
from .paint import Paint

#: Of a long value so much is shown.
_SHOWN = 60

#: A policy, and every value of it.
Whence = tuple[PolicyRef, Sequence[Origin]]


def provenance_text(found: Sequence[Whence], *, colour: bool = False) -> str:
    """Return a line for every value: its path, what it is, and where it is written, then what it replaces."""
    paint = Paint(on=colour)
    return "\n".join(line for whence in found for line in _lines(whence, paint)) + "\n"


def _lines(whence: Whence, paint: Paint) -> Iterator[str]:
    ref, values = whence
    yield paint.bold(f"{ref.name} {ref.version}")
    for value in values:
        over = "".join(f", over {brief(text)} ({_line(place)})" for text, place in value.over)
        yield f"  {value.path}: {brief(value.text)}  " + paint.faint(f"{_line(value.place)}{over}")


def brief(text: str) -> str:
    """Return a value on one line, cut where it is long.

    >>> brief("a" * 80)[-5:]
    'aaaa…'
    """
    shown = one_line(text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _line(place: Place) -> str:
    return f"{place.file}:{place.line}"


def provenance_data(found: Sequence[Whence]) -> list[dict[str, Any]]:
    """Return the same as JSON data, values whole."""
    return [
        {
            "policy": ref.name,
            "version": ref.version,
            "values": [
                {
                    "path": value.path,
                    "value": value.text,
                    "place": place_data(value.place),
                    "over": [{"value": text, "place": place_data(place)} for text, place in value.over],
                }
                for value in values
            ],
        }
        for ref, values in found
    ]
