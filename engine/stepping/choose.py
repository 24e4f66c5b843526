"""Choosing: which candidate holds, and the reason of every one that does not. Spec: docs/semantics.md, "Choosing"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..case import Reason
from ..errors import RuleError
from ..expression import Leaf as Part
from ..expression import Seen, evaluate, explain
from ..policy import Candidate, Outcome
from ..rules.condition import Leaf, asked, holds
from ..step import Clause, Trace
from ..values import Sealed, Unknown, Value, Window
from .work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What came of trying candidates in order."""

    candidate: Candidate | None = None
    outcome: Outcome | None = None
    #: Facts whose absence leaves the choice open.
    missing: frozenset[str] = frozenset()
    #: A rule failed, and why.
    failed: str | None = None
    #: Why the first window that failed is not open, with the window as the rule.
    window_reason: Reason | None = None
    #: Facts or fields that `needs` asked for and nobody gave.
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Looked:
    """A condition that was looked at: what it was worth, or why it failed, and what it saw if that is known."""

    leaf: Leaf
    value: Value | RuleError
    seen: Seen | None


def choose(work: Work, candidates: Iterable[Candidate], role: str | None = None) -> Chosen:
    """Return the first candidate that holds, and leave a trace of each that was tried.

    Args:
        work: the working copy that conditions are evaluated in; nothing in it changes but the trace.
        candidates: in order.
        role: of the actor; None for what no actor does.
    """
    window_reason: Reason | None = None
    lacking: tuple[str, ...] = ()
    for candidate in candidates:
        watched: list[_Looked] = []
        try:
            held, absent = _try(work, candidate, role, watched)
        except RuleError as error:
            _note(work, candidate, "failed", watched)
            return Chosen(candidate=candidate, failed=str(error))
        if held is True:
            _note(work, candidate, "refused" if candidate.outcome.refuse else "taken", watched)
            return Chosen(candidate=candidate, outcome=candidate.outcome)
        if isinstance(held, Unknown):
            _note(work, candidate, "unknown", watched)
            return Chosen(candidate=candidate, outcome=candidate.unknown, missing=held.missing)
        parts = _note(work, candidate, "false", watched)
        window_reason = window_reason or _window_reason(work, candidate, watched, parts)
        lacking = lacking or absent
    return Chosen(window_reason=window_reason, lacking=lacking)


def _try(
    work: Work, candidate: Candidate, role: str | None, watched: list[_Looked]
) -> tuple[bool | Unknown, tuple[str, ...]]:
    if candidate.by and role not in candidate.by:
        return False, ()
    held = holds(candidate.condition, work, lambda *looked: watched.append(_Looked(*looked)))
    if held is not True:
        return held, ()
    absent = tuple(path for path, asked in candidate.needs if evaluate(asked, work) is not True)
    return not absent, absent


def _note(work: Work, candidate: Candidate, result: str, watched: list[_Looked]) -> list[tuple[Part, ...]]:
    """Leave a trace of a candidate; gives the parts of each condition that was looked at."""
    parts = [explain(looked.leaf.checked, work, seen=looked.seen) for looked in watched]
    clauses = tuple(
        Clause(
            text=part.text,
            value=_told(part.value),
            saw=_saw(work, part),
        )
        for leaf in parts
        for part in leaf
    )
    work.trace.append(
        Trace(rule=candidate.id, result=result, clauses=clauses, sources=candidate.sources)  # type: ignore[arg-type] # one of the results
    )
    return parts


def _told(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Unknown():
            return "unknown"
        case str():
            return value
    return str(value)


def _saw(work: Work, part: Part) -> dict[str, Value]:
    """Return what the trace shows of what a part of a condition saw: nothing of a sensitive value."""
    sensitive = {path for path, _ in part.saw if work.tells_sensitive(path)}
    if sensitive:
        # What a table gives may be made of its arguments.
        sensitive |= {path for path, _ in part.saw if path.partition(".")[0] in work.policy.tables}
    return {path: Sealed("") if path in sensitive else _shown(value) for path, value in part.saw}


def _shown(value: Value) -> Value:
    """Return what the trace shows of a value: of a window its ends."""
    if isinstance(value, Window):
        ends = {"opens": value.opens, "closes": value.closes}
        return {key: end for key, end in ends.items() if end is not None}
    return value


def _window_reason(
    work: Work, candidate: Candidate, watched: list[_Looked], parts: list[tuple[Part, ...]]
) -> Reason | None:
    """Return the reason of the first window that a failed clause asked about.

    A clause has failed that is not what it is asked to be: below `unless` and behind `!` that is one which holds.
    """
    wanted = {id(leaf): value for leaf, value in asked(candidate.condition)}
    for looked, leaf in zip(watched, parts, strict=True):
        whole = wanted[id(looked.leaf)]
        if looked.value is whole:
            continue
        for part in leaf:
            if part.wanted is None or part.value is not (part.wanted != whole):
                continue
            for name, seen in part.saw:
                if isinstance(seen, Window) and (code := seen.reason(work.now)):
                    rule = work.policy.windows.get(name)
                    return work.because(code, f"windows.{name}", rule.sources if rule else ())
    return None
