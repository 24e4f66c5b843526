"""Results of scenario cases: every failure as expected against actual, with the why of the step it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ..diagnostics import Diagnostic
from ..money import Money
from ..scenario import CaseResult, Check, Refused, Results
from ..step import unsure
from ..values import Value
from .diagnostics import findings_data, one_line
from .paint import Paint
from .plain import dumped, plain, stamp
from .text import NOTHING, Speech
from .timeline import clauses
from .why import speech, told, why_data
from .words import FALLBACK

#: Of more events that were not taken, only the number is told.
_SHOWN: Final = 10


def results_text(results: Results, *, language: str = FALLBACK, colour: bool = False) -> str:
    """Return what failed, case by case, and a line that counts."""
    paint = Paint(on=colour)
    blocks = [
        "\n".join(_case_lines(case, language, paint)) for case in results.cases if case.status != "passed"
    ]
    counts = f"{results.passed} passed, {results.failed} failed, {results.errors} error{'' if results.errors == 1 else 's'}"
    paint_counts = paint.error if results.failed or results.errors else paint.good
    return "\n\n".join([*blocks, paint_counts(counts)]) + "\n"


def _case_lines(case: CaseResult, language: str, paint: Paint) -> Iterator[str]:
    yield paint.bold(one_line(f"{case.id}  {case.name}".rstrip())) + paint.faint(f"  {case.place}")
    say = speech(case.policy, case.timezone, language)
    failed = [check for check in case.checks if not check.passed]
    for index, check in enumerate(failed):
        yield f"  {say.when(check.at)}  {check.key}" + paint.faint(f"  {check.place}")
        yield f"    expected  {paint.good(shown(check.expected, say))}"
        yield f"    actual    {paint.error(shown(check.actual, say))}"
        if check.hint is not None:
            yield f"    help      {check.hint}"
        # What fails at one instant fails for one reason: it is told once.
        if index + 1 == len(failed) or failed[index + 1].step is not check.step:
            yield from (f"    {line}" for line in _why_lines(check, say))
    if case.error is not None:
        place = "" if case.error_place is None else paint.faint(f"  {case.error_place}")
        yield f"  {paint.error('error')}  {one_line(case.error)}{place}"
        if case.hint is not None:
            yield f"    help      {case.hint}"
    yield from _earlier_lines(case, say, paint)


def _earlier_lines(case: CaseResult, say: Speech, paint: Paint) -> Iterator[str]:
    """Yield the events that were not taken before what failed last: one of them may be why it failed."""
    earlier = earlier_refusals(case)
    if earlier:
        yield "  not taken before"
    for refused in earlier[:_SHOWN]:
        step = refused.step
        who, what = told(step)
        yield f"    {say.when(step.at)}  {who} {what}: {step.verdict}" + paint.faint(f"  {refused.place}")
        if step.reason is not None:
            yield f"              {say.sentence(step.reason)}"
    if len(earlier) > _SHOWN:
        yield f"    and {len(earlier) - _SHOWN} more"


def earlier_refusals(case: CaseResult) -> list[Refused]:
    """Return the events that were not taken up to what failed last, but for those that its failures tell of."""
    failed = [check for check in case.checks if not check.passed]
    if not failed and case.error is None:
        return []
    told_of = {check.step.seq for check in failed if check.step is not None}
    ends = None if case.error is not None else max(check.at for check in failed)
    return [
        refused
        for refused in case.refused
        if refused.step.seq not in told_of and (ends is None or refused.step.at <= ends)
    ]


def shown(value: Value, say: Speech) -> str:
    """Return a value as a person reads it in a comparison: exact, and instants to the second."""
    match value:
        case None:
            return NOTHING
        case datetime():
            return f"{say.local(value):%Y-%m-%d %H:%M:%S}"
        case Money():
            return str(value)
        case Mapping():
            return ", ".join(f"{key}: {shown(item, say)}" for key, item in value.items()) or NOTHING
    return one_line(say.value(value))


def _why_lines(check: Check, say: Speech) -> Iterator[str]:
    step = check.step
    if step is None:
        return
    who, what = told(step)
    yield f"why       {say.when(step.at)}  {who} {what}: {step.verdict}"
    if step.reason is not None:
        yield f"          {say.sentence(step.reason)}" + (
            f" ({step.reason.rule})" if step.reason.rule else ""
        )
    if step.missing:
        yield f"          {say.word('missing')} {say.listed(step.missing)}"
    for move in step.moves:
        way = (
            f"{say.word('stays')} {move.source or NOTHING}"
            if move.target is None
            else f"{move.source or NOTHING} -> {move.target}"
        )
        yield f"          {way} by {move.rule}"
    for trace in unsure(step) if step.verdict == "applied" else step.trace:
        yield from (f"          {line}" for line in clauses(trace, say))


def results_json(results: Results, found: Sequence[Diagnostic] = (), *, language: str = FALLBACK) -> str:
    """Return the results as one JSON object.

    Args:
        results: of every case.
        found: findings that kept cases from being run; each error among them counts as one.
        language: of the reasons' sentences.
    """
    findings = findings_data(found)
    return dumped(
        {
            "passed": results.passed,
            "failed": results.failed,
            "errors": results.errors + findings["errors"],
            "cases": [_case_data(case, language) for case in results.cases],
            "diagnostics": findings["diagnostics"],
        }
    )


def _case_data(case: CaseResult, language: str) -> dict[str, Any]:
    say = speech(case.policy, case.timezone, language)
    policy = case.policy
    return {
        "id": case.id,
        "name": case.name,
        "file": case.place.file,
        "line": case.place.line,
        "status": case.status,
        "error": case.error,
        "error_at": None
        if case.error_place is None
        else {"line": case.error_place.line, "column": case.error_place.column},
        "hint": case.hint,
        "policy": None if policy is None else {"name": policy.ref.name, "version": policy.ref.version},
        "timezone": case.timezone,
        "checks": [
            {
                "at": stamp(check.at, say.zone),
                "key": check.key,
                "expected": plain(check.expected, say.zone),
                "actual": plain(check.actual, say.zone),
                "passed": check.passed,
                "line": check.place.line,
                "column": check.place.column,
                "hint": check.hint,
                "why": None if check.passed or check.step is None else why_data(check.step, say),
            }
            for check in case.checks
        ],
        "not_taken": [
            {
                **why_data(refused.step, say),
                "line": refused.place.line,
                "column": refused.place.column,
            }
            for refused in case.refused
        ],
    }
