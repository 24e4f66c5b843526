"""Counts over cases: whom they wait for, how late, where money is, and where they stand; as tables and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

from ..durable.standing import BUCKETS, FIGURES, Report
from ..money import decimal_text, exponent
from .diagnostics import one_line
from .paint import Paint
from .plain import dumped, plain, stamp
from .text import NOTHING, padded, width
from .why import speech

#: How wide a bar of the histogram may become.
_BAR: Final = 40


def report_text(report: Report, *, colour: bool = False) -> str:
    """Return the counts as tables."""
    paint, say = Paint(on=colour), speech(None, None, "en")
    blocks = [
        [paint.bold(f"{_cases(report.cases)} at {say.when(report.at)} UTC"), *_heads(report)],
        _table(paint, ("waits for", "cases", "overdue"), _waits(report)),
        _histogram(paint, report),
        _table(paint, ("money", *(figure.replace("_", " ") for figure in FIGURES)), _money(report)),
        _grouped(paint, "state", report.states),
        _grouped(paint, "decision", report.decisions),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _cases(count: int) -> str:
    return f"{count:,} case{'' if count == 1 else 's'}"


def _heads(report: Report) -> Iterator[str]:
    yield f"{report.open:,} open, {report.cases - report.open:,} closed"
    for count, words in (
        (report.needs_human, "a rule failed, and a person has to look"),
        (report.parked, "parked: timers do not fire"),
        (report.damaged, "damaged: the row holds no case; `amends cases verify` says more"),
    ):
        if count:
            yield f"{count:,} {words}"


def _waits(report: Report) -> list[tuple[str, ...]]:
    return [(role, f"{load.cases:,}", f"{load.overdue:,}") for role, load in sorted(report.waits_for.items())]


def _money(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            currency + (f" from {role}" if role else ""),
            *(_amount(sums[figure].amount, currency) for figure in FIGURES),
        )
        for (currency, role), sums in sorted(report.money.items())
    ]


def _amount(amount: Fraction, currency: str) -> str:
    """Return an amount for a column: its currency stands beside the row."""
    whole, _, part = decimal_text(amount, exponent(currency)).partition(".")
    return f"{int(whole):,}" + (f".{part}" if part else "") if whole.lstrip("-").isdigit() else whole


def _table(paint: Paint, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows in columns, the first to the left and numbers to the right."""
    if not rows:
        return []
    cells = [list(header), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            [
                padded(row[0], widths[0]),
                *(_right(cell, wide) for cell, wide in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in cells
    ]
    return [paint.faint(lines[0]), *lines[1:]]


def _right(text: str, columns: int) -> str:
    return " " * (columns - width(text)) + text


def _histogram(paint: Paint, report: Report) -> list[str]:
    """Return how many open cases are how late, or due how soon, the latest first."""
    rows = [(bucket_text(late=late, number=number), report.due[late, number]) for late, number in _buckets()]
    rows += [("paused", report.paused), ("no clock", report.without_clock)]
    most = max((count for _, count in rows), default=0)
    if not most:
        return []
    table = _table(paint, ("due", "cases"), [(name, f"{count:,}") for name, count in rows])
    bars = ["", *("#" * -(-count * _BAR // most) for _, count in rows)]
    return [f"{line}  {bar}".rstrip() for line, bar in zip(table, bars, strict=True)]


def _buckets() -> Iterator[tuple[bool, int]]:
    last = len(BUCKETS)
    yield from ((True, number) for number in range(last, -1, -1))
    yield from ((False, number) for number in range(last + 1))


def bucket_text(*, late: bool, number: int) -> str:
    """Return what a bucket is called.

    >>> bucket_text(late=True, number=3), bucket_text(late=False, number=0), bucket_text(late=True, number=1)
    ('over 30 days late', 'due within 1 day', '1 to 7 days late')
    """
    first, last = _bounds(number)
    if last is None:
        return f"over {first} days late" if late else f"due in over {first} days"
    if first is None:
        return f"up to {last} day late" if late else f"due within {last} day"
    return f"{first} to {last} days late" if late else f"due in {first} to {last} days"


def _bounds(number: int) -> tuple[int | None, int | None]:
    return (
        BUCKETS[number - 1] if number else None,
        BUCKETS[number] if number < len(BUCKETS) else None,
    )


def _grouped(paint: Paint, name: str, counts: Counter[tuple[str, str]]) -> list[str]:
    rows = [(policy, key or NOTHING, f"{count:,}") for (policy, key), count in sorted(counts.items())]
    if not rows:
        return []
    # Two names to the left, and the number to the right.
    wide = max(width(one_line(policy)) for policy, *_ in rows)
    wide = max(wide, width("policy"))
    return _table(
        paint,
        (f"{padded('policy', wide)}  {name}", "cases"),
        [(f"{padded(one_line(policy), wide)}  {key}", count) for policy, key, count in rows],
    )


def report_json(report: Report) -> str:
    """Return the counts as one JSON object."""
    return dumped(
        {
            "at": stamp(report.at),
            "cases": report.cases,
            "open": report.open,
            "needs_human": report.needs_human,
            "parked": report.parked,
            "damaged": report.damaged,
            "waits_for": {
                role: {"cases": load.cases, "overdue": load.overdue}
                for role, load in report.waits_for.items()
            },
            "due": [
                {
                    "late": late,
                    "over_days": _bounds(number)[0],
                    "to_days": _bounds(number)[1],
                    "cases": report.due[late, number],
                }
                for late, number in _buckets()
            ],
            "paused": report.paused,
            "without_clock": report.without_clock,
            "money": [
                {"currency": currency, "from": role or None, **{name: plain(sums[name]) for name in FIGURES}}
                for (currency, role), sums in sorted(report.money.items())
            ],
            "states": _counts("state", report.states.items()),
            "decisions": _counts("decision", report.decisions.items()),
        }
    )


def _counts(name: str, counts: Iterable[tuple[tuple[str, str], int]]) -> list[dict[str, Any]]:
    return [{"policy": policy, name: key or None, "cases": count} for (policy, key), count in sorted(counts)]
