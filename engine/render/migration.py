"""What a migration would do to cases, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..case import MAIN, Clock
from ..publishing.migration import MigrationPreview
from ..scenario import Tried
from ..scenario.migration import Fate
from .diagnostics import one_line
from .paint import Paint
from .plain import dumped, plain, stamp
from .text import NOTHING, Speech, padded
from .why import speech
from .words import FALLBACK

#: What became of cases, in the order in which they are counted, and how a count is said.
_FATES: Final[dict[Fate, str]] = {
    "moves": "would move",
    "stays": "would stay",
    "closed": "closed already",
    "not asked": "under versions that none takes over",
    "error": "could not be played",
}
_COLUMN: Final = 9


def migration_text(tried: Sequence[Tried], *, language: str = FALLBACK, colour: bool = False) -> str:
    """Return what would move, what would change with it, and what would stay and why; then a line that counts."""
    paint = Paint(on=colour)
    blocks = ["\n".join(_lines(item, language, paint)) for item in tried if item.preview or item.error]
    counts = Counter(item.fate for item in tried)
    told = ", ".join(f"{counts[fate]} {words}" for fate, words in _FATES.items() if counts[fate])
    return "\n\n".join([*blocks, told or "no cases"]) + "\n"


def _lines(item: Tried, language: str, paint: Paint) -> Iterator[str]:
    say = speech(item.policy, item.timezone, language)
    yield paint.bold(one_line(f"{item.case.id}  {item.case.name}".rstrip())) + paint.faint(
        f"  {item.case.place}"
    )
    if item.error is not None:
        yield f"  {paint.error('error')}  {one_line(item.error)}"
    if item.preview is None:
        return
    name = "" if item.policy is None else item.policy.ref.name
    yield f"  {name} {item.preview.before} -> {item.preview.after}, {say.when(item.at)}"
    if item.preview.refused is not None:
        yield f"    {paint.warning('stays')}    {one_line(say.sentence(item.preview.refused))}"
        return
    yield from (f"    {padded(key, _COLUMN)}{one_line(text)}" for key, text in _changes(item.preview, say))


def _changes(preview: MigrationPreview, say: Speech) -> Iterator[tuple[str, str]]:
    before, after = preview.legs
    for leg in dict.fromkeys([*before, *after]):
        shown = "" if leg == MAIN else f"{leg}: "
        yield "state", f"{shown}{before.get(leg, NOTHING)} -> {after.get(leg, NOTHING)}"
    for move in preview.moves:
        yield "then", f"{move.source} -> {move.target or move.source} ({move.rule})"
    for name, (was, now) in preview.facts.items():
        yield "fact", f"{name}: {say.value(was)} -> {say.value(now)}"
    for name, (old, new) in preview.clocks.items():
        yield "clock", f"{name}: {_clock(old, say)} -> {_clock(new, say)}"
    for effect in preview.effects:
        data = "; ".join(f"{key} {say.value(value)}" for key, value in effect.data.items())
        yield "asks for", f"{effect.kind}  {data}"


def _clock(clock: Clock | None, say: Speech) -> str:
    if clock is None:
        return NOTHING
    if clock.left is not None:
        return f"paused, {say.word(clock.left.unit, count=clock.left.count)} left"
    return NOTHING if clock.due is None else f"{clock.status} until {say.due(clock.due)}"


def migration_json(tried: Sequence[Tried], *, language: str = FALLBACK) -> str:
    """Return the same as one JSON object."""
    counts = Counter(item.fate for item in tried)
    return dumped(
        {
            "cases": [_data(item, language) for item in tried],
            **{fate.replace(" ", "_"): counts[fate] for fate in _FATES},
        }
    )


def _data(item: Tried, language: str) -> dict[str, Any]:
    say = speech(item.policy, item.timezone, language)
    preview = item.preview
    return {
        "id": item.case.id,
        "name": item.case.name,
        "file": item.case.place.file,
        "line": item.case.place.line,
        "at": stamp(item.at, say.zone),
        "fate": item.fate,
        "error": item.error,
        "policy": None if item.policy is None else item.policy.ref.name,
        "from": None if item.policy is None else item.policy.ref.version,
        "to": None if preview is None else preview.after,
        **({} if preview is None else _preview_data(preview, say)),
    }


def _preview_data(preview: MigrationPreview, say: Speech) -> dict[str, Any]:
    refused = preview.refused
    before, after = preview.legs
    return {
        "refused": None if refused is None else {"code": refused.code, "text": say.sentence(refused)},
        "legs": {"before": dict(before), "after": dict(after)},
        "moves": [{"leg": m.leg, "from": m.source, "to": m.target, "rule": m.rule} for m in preview.moves],
        "facts": {
            name: {"before": plain(was, say.zone), "after": plain(now, say.zone)}
            for name, (was, now) in preview.facts.items()
        },
        "clocks": {
            name: {"before": _clock_data(old, say), "after": _clock_data(new, say)}
            for name, (old, new) in preview.clocks.items()
        },
        "effects": [
            {"kind": effect.kind, "data": plain(effect.data, say.zone)} for effect in preview.effects
        ],
    }


def _clock_data(clock: Clock | None, say: Speech) -> dict[str, Any] | None:
    if clock is None:
        return None
    left = None if clock.left is None else {"count": clock.left.count, "unit": clock.left.unit}
    return {"status": clock.status, "due": plain(clock.due, say.zone), "left": left}
