"""Two policies beside one another: what they say otherwise, and what cases come to under each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..case import PolicyRef
from ..diagnostics import Place
from ..publishing.provenance import Change
from ..scenario.compare import Compared
from .diagnostics import one_line, place_data
from .paint import Paint
from .plain import dumped, plain, stamp
from .provenance import brief
from .text import padded
from .why import speech
from .words import FALLBACK

_COLUMN = 12


def comparison_text(
    refs: tuple[PolicyRef, PolicyRef],
    changes: Sequence[Change],
    compared: Sequence[Compared] = (),
    *,
    language: str = FALLBACK,
    colour: bool = False,
) -> str:
    """Return every path whose value differs, then every case that comes out otherwise, and a line that counts."""
    paint = Paint(on=colour)
    old, new = refs
    lines = [paint.bold(f"{old.name} {old.version} -> {new.name} {new.version}")]
    lines += [f"  {line}" for change in changes for line in [_change(change, paint)]]
    differing = [item for item in compared if item.differences or any(item.errors)]
    for item in differing:
        lines += ["", *_case_lines(item, language, paint)]
    told = f"{len(changes)} {'value differs' if len(changes) == 1 else 'values differ'}"
    if compared:
        told += f"; {len(differing)} of {len(compared)} cases come out otherwise"
    return "\n".join([*lines, "", told]) + "\n"


def _change(change: Change, paint: Paint) -> str:
    match change:
        case Change(before=None, after=(text, place)):
            return f"+ {change.path}: {brief(text)}" + paint.faint(f"  {_line(place)}")
        case Change(before=(text, place), after=None):
            return f"- {change.path}: {brief(text)}" + paint.faint(f"  {_line(place)}")
        case Change(before=(was, there), after=(now, here)):
            places = f"  {_line(there)} -> {_line(here)}"
            return f"  {change.path}: {brief(was)} -> {brief(now)}" + paint.faint(places)
    return change.path


def _line(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _case_lines(item: Compared, language: str, paint: Paint) -> Iterator[str]:
    say = speech(None, item.timezone, language)
    case = item.case
    yield paint.bold(one_line(f"{case.id}  {case.name}".rstrip())) + paint.faint(f"  {case.place}")
    for which, error in zip(("before", "after"), item.errors, strict=True):
        if error is not None:
            yield f"  {padded(which, _COLUMN)}{paint.error('error')}  {one_line(error)}"
    for found in item.differences:
        shown = f"{say.value(found.before)} -> {say.value(found.after)}"
        yield f"  {say.when(found.at)}  {found.key}: {one_line(shown)}"


def comparison_json(
    refs: tuple[PolicyRef, PolicyRef], changes: Sequence[Change], compared: Sequence[Compared] = ()
) -> str:
    """Return the same as one JSON object."""
    old, new = refs
    return dumped(
        {
            "old": {"policy": old.name, "version": old.version},
            "new": {"policy": new.name, "version": new.version},
            "changes": [
                {"path": change.path, "before": _side(change.before), "after": _side(change.after)}
                for change in changes
            ],
            "cases": [_case_data(item) for item in compared],
        }
    )


def _side(side: tuple[str, Place] | None) -> dict[str, Any] | None:
    return None if side is None else {"value": side[0], "place": place_data(side[1])}


def _case_data(item: Compared) -> dict[str, Any]:
    zone = speech(None, item.timezone, FALLBACK).zone
    return {
        "id": item.case.id,
        "name": item.case.name,
        "file": item.case.place.file,
        "line": item.case.place.line,
        "errors": {"before": item.errors[0], "after": item.errors[1]},
        "differences": [
            {
                "at": stamp(found.at, zone),
                "key": found.key,
                "before": plain(found.before, zone),
                "after": plain(found.after, zone),
            }
            for found in item.differences
        ],
    }
