"""How cases stand: which clock binds, when it is overdue to the second, and what a report counts where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from amends.engine.case import Case, Clock, Left, Part, Payout, PolicyRef
from amends.engine.durable.standing import Report, Standing, binding, bucket
from amends.engine.money import Money
from amends.engine.render.report import bucket_text, report_text
from amends.engine.render.rows import span
from amends.engine.store.protocol import Filing, Summary

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, SECOND, DAY = timedelta(hours=1), timedelta(seconds=1), timedelta(days=1)
REF = PolicyRef(name="desk", version="v1", bundle="b", model="m")


def clock(status: Any, state: str | None = "here", due: datetime | None = NOON, name: str = "c") -> Clock:
    left = Left(count=1, unit="days", calendar="") if due is None else None
    return Clock(name=name, state=state, status=status, started_at=NOON, due=due, left=left)


def standing(*clocks: Clock, closed: bool = False, **changes: Any) -> Standing:
    """Return a case that stands in `here` with some clocks."""
    fields: dict[str, Any] = {"payouts": {}, "decision": None, **changes}
    case = Case(
        id="a",
        policy=REF,
        seq=1,
        at=NOON,
        legs={"main": "here"},
        facts={},
        clocks={str(index): one for index, one in enumerate(clocks)},
        timers=(),
        timezone="UTC",
        currency="EUR",
        **fields,
    )
    summary = Summary(
        id="a",
        policy=REF,
        seq=1,
        opened_at=NOON,
        at=NOON,
        filing=Filing(states=("here",), waits_for=("desk", "bank"), closed=closed),
        due_at=None,
        needs_human=None,
        parked=None,
    )
    return Standing(summary=summary, case=case)


def money(amount: int, currency: str = "EUR") -> Money:
    return Money(Fraction(amount), currency)


@pytest.mark.parametrize(
    ("status", "state", "closed", "binds"),
    [
        ("running", "here", False, True),
        # Until it is met, a clock may go on when its state was left, and one of the case when the case is over.
        ("running", "elsewhere", False, True),
        ("running", None, True, True),
        ("breached", "here", False, True),
        ("breached", "elsewhere", False, False),
        ("breached", None, False, True),
        ("breached", None, True, False),
        ("paused", "here", False, True),
        ("paused", "elsewhere", False, False),
        ("met", "here", False, False),
        ("ended", "here", False, False),
    ],
)
def test_a_clock_binds_while_somebody_can_still_keep_it(
    status: str, state: str | None, *, closed: bool, binds: bool
) -> None:
    due = None if status == "paused" else NOON
    one = standing(clock(status, state, due), closed=closed)
    assert one.case is not None
    assert (len(binding(one.case, closed=closed)) == 1) is binds


def test_the_clock_due_first_is_the_one_that_counts_and_a_paused_one_the_last() -> None:
    clocks = (
        clock("paused", due=None, name="p"),
        clock("running", due=NOON + HOUR, name="b"),
        clock("running", name="a"),
    )
    assert (found := standing(*clocks).clock) is not None
    assert (found.name, standing(*clocks).due) == ("a", NOON)
    assert (found := standing(clocks[0]).clock) is not None
    assert (found.name, standing(clocks[0]).due) == ("p", None)


def test_the_last_second_is_in_time_and_the_next_one_is_overdue() -> None:
    one = standing(clock("running"))
    assert not one.is_overdue(NOON)
    assert one.is_overdue(NOON + SECOND)
    assert one.late(NOON - HOUR) == -HOUR
    assert standing().late(NOON) is None
    assert not standing(clock("paused", due=None)).is_overdue(NOON + 99 * DAY)


def test_a_report_counts_each_case_once_by_how_late_it_is() -> None:
    report = Report(at=NOON)
    dues = [NOON - 30 * DAY - SECOND, NOON - 30 * DAY, NOON - SECOND, NOON, NOON + DAY, NOON + DAY + SECOND]
    for due in dues:
        report.add(standing(clock("running", due=due)), "", {})
    report.add(standing(clock("paused", due=None)), "", {})
    report.add(standing(), "", {})
    report.add(standing(closed=True), "done", {})
    assert dict(report.due) == {(True, 3): 1, (True, 2): 1, (True, 0): 1, (False, 0): 2, (False, 1): 1}
    assert (report.cases, report.open, report.paused, report.without_clock) == (9, 8, 1, 1)
    assert {role: (load.cases, load.overdue) for role, load in report.waits_for.items()} == {
        "desk": (8, 3),
        "bank": (8, 3),
    }
    assert dict(report.states) == {("desk", "here"): 9}
    assert dict(report.decisions) == {("desk", ""): 8, ("desk", "done"): 1}


def test_a_report_tells_where_money_is_by_currency_and_by_whom_it_is_taken_from() -> None:
    parts = (
        Part(id="a", amount=money(10), status="settled", returned=money(4)),
        Part(id="b", amount=money(20), status="reversed"),
        Part(id="c", amount=money(3), status="asked"),
        Part(id="d", amount=money(5), status="failed"),
        Part(id="e", amount=money(7), status="needs_approval"),
        Part(id="f", amount=money(8), status="held"),
    )
    payouts = {
        "out": Payout(granted=money(53), parts=parts, seq=1),
        "back": Payout(
            granted=money(9, "USD"), parts=(Part(id="all", amount=money(9, "USD"), status="asked"),), seq=1
        ),
    }
    report = Report(at=NOON)
    for _ in range(2):
        report.add(standing(payouts=payouts), "", {"out": None, "back": "shop"})
    assert {key: {name: int(sums[name].amount) for name in sums} for key, sums in report.money.items()} == {
        ("EUR", ""): {
            "granted": 106,
            "waiting": 30,
            "asked": 6,
            "settled": 12,
            "failed": 10,
            "taken_back": 48,
        },
        ("USD", "shop"): {
            "granted": 18,
            "waiting": 0,
            "asked": 18,
            "settled": 0,
            "failed": 0,
            "taken_back": 0,
        },
    }
    assert "USD from shop    18.00     0.00  18.00     0.00    0.00        0.00\n" in report_text(report)


def test_a_row_without_a_case_is_counted_and_nothing_is_made_up_for_it() -> None:
    report = Report(at=NOON)
    report.add(Standing(summary=standing().summary, case=None), "", {})
    assert (report.cases, report.damaged, report.open) == (1, 1, 0)
    assert "1 damaged" in report_text(report)
    assert report_text(Report(at=NOON)) == "0 cases at 2026-03-02 12:00 UTC\n0 open, 0 closed\n"


def test_every_bucket_has_a_name_of_its_own() -> None:
    names = [bucket_text(late=late, number=number) for late in (True, False) for number in range(4)]
    assert len(set(names)) == 8
    assert [bucket(timedelta(days=days, seconds=1)) for days in (0, 1, 7, 30)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (timedelta(), "now"),
        (SECOND, "1 s late"),
        (-59 * SECOND, "in 59 s"),
        (timedelta(minutes=60), "1 h late"),
        (timedelta(days=2, minutes=5), "2 d late"),
        (-timedelta(days=2, hours=5, minutes=5), "in 2 d 5 h"),
    ],
)
def test_how_late_it_is_is_said_in_two_units(late: timedelta, said: str) -> None:
    assert span(late) == said
