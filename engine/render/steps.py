"""The steps of a kept case: a line for each, whole entries as JSON, and everything about one of them."""

from __future__ import annotations

from collections.abc import Iterator

from ..operations import Journal, Story, Written
from ..step import Step
from .diagnostics import one_line
from .paint import Paint
from .plain import lined
from .text import NOTHING, Speech, padded, width
from .timeline import clauses, step_lines
from .why import speech, told


def journal_text(journal: Journal, *, language: str = "en", colour: bool = False) -> str:
    """Return a journal as text, a line for each step: number, when, who, what, what became of it and why."""
    say, paint = speech(journal.policy, journal.timezone, language), Paint(on=colour)
    rows = [(one.step, [one_line(cell) for cell in _cells(one.step, say)]) for one in journal.written]
    widths = [
        max((width(cell) for cell in column), default=0)
        for column in zip(*(row for _, row in rows), strict=True)
    ]
    lines = []
    for step, row in rows:
        line = "  ".join(map(padded, row, widths)).rstrip()
        lines.append(line if step.verdict == "applied" else paint.warning(line))
    return "".join(f"{line}\n" for line in lines)


def _cells(step: Step, say: Speech) -> Iterator[str]:
    who, what = told(step)
    yield str(step.seq)
    yield say.when(step.at)
    yield who
    yield what
    moved = ", ".join(
        f"{move.source or ''} -> {move.target}".strip() for move in step.moves if move.target is not None
    )
    yield (moved or NOTHING) if step.verdict == "applied" else step.verdict
    decided = (
        [] if step.decision is None or step.verdict != "applied" else [f"decision {say.value(step.decision)}"]
    )
    yield "; ".join([*decided, *([] if step.reason is None else [say.sentence(step.reason)])])


def entry_json(case_id: str, written: Written) -> str:
    """Return an entry as a line of JSON: as it stands in the journal, with its digest."""
    return lined({"case": case_id, "seq": written.step.seq, "head": written.head, "entry": written.data})


def why_text(story: Story, *, language: str = "en", colour: bool = False) -> str:
    """Return everything that a step did, and why: as a timeline shows it, and then all that was looked at."""
    say = speech(story.policy, story.timezone, language)
    # A refusal already shows what failed.
    trace = () if story.entry.failed else story.step.trace
    looked = (line for one in trace for line in clauses(one, say))
    lines = step_lines(story.entry, say, Paint(on=colour), looked)
    return "".join(f"{line if colour else one_line(line, keep=True)}\n" for line in lines)
