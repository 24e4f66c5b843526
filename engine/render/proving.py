"""What came of proving journals, and of carrying cases from one store to another."""

from __future__ import annotations

from typing import Any

from ..durable.importing import Imported
from ..operations import Proven
from .diagnostics import one_line
from .paint import Paint
from .plain import dumped


def proven_text(found: Proven, *, colour: bool = False) -> str:
    """Return each case that is not sound and why, and a line that counts."""
    paint = Paint(on=colour)
    lines = [
        f"{paint.error(one_line(case_id))}: {one_line(problem)}" for case_id, problem in found.wrong.items()
    ]
    proven = f"{_count(found.entries, 'entry', 'entries')} proven, {found.decided:,} of them decided again"
    if found.wrong:
        lines.append(
            paint.error(f"{len(found.wrong):,} of {_count(found.cases, 'case', 'cases')} not sound; {proven}")
        )
    else:
        lines.append(paint.good(f"{_count(found.cases, 'case', 'cases')} sound; {proven}"))
    return "\n".join(lines) + "\n"


def proven_json(found: Proven) -> str:
    """Return the same as one JSON object."""
    return dumped(
        {
            "cases": found.cases,
            "entries": found.entries,
            "decided": found.decided,
            "wrong": [{"id": case_id, "problem": problem} for case_id, problem in found.wrong.items()],
        }
    )


def imported_text(done: Imported, *, live: bool) -> str:
    """Return how much was imported, and what now happens to it."""
    what = ", ".join(
        [
            _count(done.cases, "case", "cases"),
            _count(done.entries, "entry", "entries"),
            _count(done.policies, "policy", "policies"),
        ]
    )
    waiting = _count(done.waiting, "delivery", "deliveries")
    then = (
        f"timers fire and {waiting} will be made from here"
        if live
        else f"as copies: no timer fires, and {waiting} will not be made unless a person says so"
    )
    return f"imported {what}; {then}\n"


def imported_json(done: Imported, *, live: bool) -> str:
    """Return the same as one JSON object."""
    data: dict[str, Any] = {
        "cases": done.cases,
        "entries": done.entries,
        "policies": done.policies,
        "waiting": done.waiting,
        "taken_over": live,
    }
    return dumped(data)


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
