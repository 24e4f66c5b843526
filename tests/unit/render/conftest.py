"""A timeline and results of a small help desk, made by hand: reports are tested apart from the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amends.engine.case import Approval, Left, Part, Reason
from amends.engine.diagnostics import Place
from amends.engine.money import Money
from amends.engine.policy import CompiledPolicy, ReasonText
from amends.engine.scenario import CaseResult, Check, Refused, Results
from amends.engine.simulate import ClockShown, Entry, PayoutShown, Timeline, Waiting
from amends.engine.source import Source
from amends.engine.step import Answered, Clause, Due, Effect, Event, Move, Query, Step, Trace
from amends.engine.values import Sealed

HANDBOOK = Source(name="handbook", cite="Help desk handbook 4.2", read="primary")
GUESS = Source(name="guess", cite="nobody said", read="assumed")
START = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
END_OF_DAY = datetime(2026, 3, 11, 3, 59, 59, tzinfo=UTC)


@pytest.fixture(scope="session")
def golden() -> Callable[[str, str], None]:
    """Return what compares a report with its file, whole."""
    folder = Path(__file__).parent / "golden"

    def compare(name: str, text: str) -> None:
        assert text == (folder / name).read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def policy() -> CompiledPolicy:
    """Return as much of a policy as reports look at."""
    text: dict[str, Mapping[str, str]] = {
        "answer_late": {"en": "Nobody answered by {answer.due}.", "zh": "截至{answer.due}无人答复。"},
        "too_late": {"en": "Reopening was possible until {reopening.closes}; {{sorry}."},
        "accepted": {"": "Accepted: {compensation}"},
    }
    return cast(
        "CompiledPolicy",
        SimpleNamespace(
            ref=SimpleNamespace(name="help_desk", version="2026-01-01"),
            reasons={code: ReasonText(code=code, text=said, inserts=()) for code, said in text.items()},
        ),
    )


def entry(seq: int, **fields: Any) -> Entry:
    """Return an entry in which nothing happens but what is given."""
    quiet: dict[str, Any] = {
        "at": START,
        "kind": "event",
        "who": "customer:7",
        "what": "",
        "data": {},
        "verdict": "applied",
        "answers": (),
        "moves": (),
        "legs": {"main": "answering"},
        "decision": None,
        "reason": None,
        "rule": None,
        "sources": (),
        "failed": (),
        "missing": (),
        "clocks": (),
        "effects": (),
        "payouts": (),
        "needs_human": None,
    }
    return Entry(seq=seq, **{**quiet, **fields})


@pytest.fixture(scope="session")
def timeline(policy: CompiledPolicy) -> Timeline:
    """Return a dry run that shows everything a timeline can show."""
    answer = ClockShown(name="answer", due=END_OF_DAY, left=None)
    paused = ClockShown(
        name="answer", due=None, left=Left(count=2, unit="business days", calendar="business")
    )
    twelve = Money(Fraction(25, 2), "USD")
    waiting = Part(id="all", amount=twelve, status="needs_details", via="bank_transfer", missing=("iban",))
    closed = {"opens": START, "closes": END_OF_DAY}
    return Timeline(
        id="HD-1",
        name="a ticket that nobody answers",
        policy=policy,
        timezone="America/New_York",
        currency="USD",
        entries=(
            entry(
                0,
                kind="opened",
                who=None,
                data={"pin": Sealed(""), "level": "gold"},
                moves=(Move(leg="main", source=None, target="new", rule="initial"),),
            ),
            entry(
                1,
                what="open_ticket",
                data={"subject": "no sound", "phone": Sealed(""), "proof": ("photo", "video", "log")},
                moves=(Move(leg="main", source="new", target="answering", rule="states.new.on.open_ticket"),),
                clocks=(answer,),
                effects=(Effect(key="k", kind="notify", data={"to": "agent", "ticket": 7}),),
            ),
            entry(
                2,
                at=START + timedelta(hours=1),
                what="reopen",
                verdict="refused",
                answers=(
                    Answered(query=Query(kind="count", name="reopened"), value=2),
                    Answered(query=Query(kind="taken", name="credit"), value=()),
                ),
                decision="event_refused",
                reason=Reason(
                    code="too_late", rule="reopen_in_time", values={"reopening.closes": END_OF_DAY}
                ),
                rule="reopen_in_time",
                sources=(GUESS,),
                failed=(
                    Trace(
                        rule="reopen_in_time",
                        result="false",
                        clauses=(
                            Clause(text="reopening.is_open", value="false", saw={"reopening": closed}),
                            Clause(text="pin == code", value="unknown", saw={"pin": Sealed("")}),
                        ),
                    ),
                ),
                clocks=(answer,),
            ),
            entry(
                3,
                at=START + timedelta(hours=2),
                what="ask_back",
                who="agent",
                verdict="undecided",
                reason=Reason(code="missing_facts", values={"missing": ("ticket.subject",)}),
                missing=("ticket.subject",),
                clocks=(paused,),
            ),
            entry(
                4,
                at=END_OF_DAY + timedelta(seconds=1),
                kind="breach",
                who=None,
                what="answer",
                moves=(Move(leg="main", source="answering", target="compensated", rule="late"),),
                legs={"main": "compensated"},
                decision={"sound": "repaired", "screen": "refused"},
                reason=Reason(code="answer_late", rule="late", values={"answer.due": END_OF_DAY}),
                rule="late",
                sources=(HANDBOOK, GUESS),
                payouts=(
                    PayoutShown(
                        name="compensation",
                        state="needs_details",
                        granted=twelve,
                        paid=Money(Fraction(0), "USD"),
                        parts=(waiting,),
                        approvals=(
                            Approval(by="lead:7", role="lead", at=START, amount=twelve),
                            Approval(by="lead:8", role="lead", at=START, amount=twelve),
                            Approval(by="desk:2", role="desk", at=START, amount=twelve, declined=True),
                        ),
                    ),
                ),
                needs_human="division by zero",
            ),
        ),
        ending="quiet",
        ends_at=END_OF_DAY + timedelta(seconds=1),
        waiting=(
            Waiting(
                leg="main",
                state="compensated",
                says={"": "we need to know where to."},
                roles=("customer",),
                final=False,
            ),
        ),
        wanted={"compensation": ("iban",)},
        next_timer=None,
    )


@pytest.fixture(scope="session")
def results(policy: CompiledPolicy) -> Results:
    """Return results with a case that passes, one that fails in several ways, and one that cannot be played."""

    def place(line: int) -> Place:
        return Place("help_desk.scenarios.yaml", line, 9, line, 20)

    event = Event(
        name="reopen", data={}, actor="customer:7", role="customer", occurred_at=START, recorded_at=START
    )
    refused = Step(
        seq=3,
        at=START,
        input=event,
        verdict="refused",
        reason=Reason(code="too_late", rule="reopen_in_time", values={"reopening.closes": END_OF_DAY}),
        trace=(
            Trace(
                rule="reopen_in_time",
                result="false",
                clauses=(Clause(text="reopening.is_open", value="false", saw={"now": START}),),
            ),
        ),
    )
    misspelt = Step(
        seq=2,
        at=START - timedelta(hours=1),
        input=replace(event, name="anser", recorded_at=START - timedelta(hours=1)),
        verdict="refused",
        reason=Reason(code="unknown_event", values={"event": "anser", "hint": "did you mean `answer`?"}),
    )
    breach = Step(
        seq=4,
        at=END_OF_DAY,
        input=Due(timer="breach:answering/answer", fires_at=END_OF_DAY, fired_at=END_OF_DAY),
        verdict="applied",
        moves=(Move(leg="main", source="answering", target="compensated", rule="late"),),
    )

    def check(key: str, expected: Any, actual: Any, step: Step, **more: Any) -> Check:
        passed = expected == actual
        return Check(
            at=step.at,
            key=key,
            expected=expected,
            actual=actual,
            passed=passed,
            place=place(8),
            step=step,
            **more,
        )

    twelve, thirteen = Money(Fraction(25, 2), ""), Money(Fraction(13), "USD")
    return Results(
        cases=(
            CaseResult(
                id="HD-1",
                name="answered",
                place=place(3),
                policy=policy,
                timezone="America/New_York",
                checks=(check("state", "closed", "closed", breach),),
            ),
            CaseResult(
                id="HD-2",
                name="reopened too late",
                place=place(6),
                policy=policy,
                timezone="America/New_York",
                checks=(
                    check("state", "answering", "closed", refused),
                    check("decision", "event_refused", "event_refused", refused),
                    check("deadline answr", END_OF_DAY, None, refused, hint="did you mean `answer`?"),
                    check("amount", twelve, thirteen, breach),
                    check("route", {"gift": twelve}, "card", breach),
                ),
                refused=(
                    Refused(step=misspelt, place=place(7)),
                    Refused(step=refused, place=place(8)),
                    Refused(
                        step=replace(misspelt, seq=5, at=END_OF_DAY + timedelta(hours=1)), place=place(9)
                    ),
                ),
            ),
            CaseResult(
                id="HD-3",
                name="",
                place=place(12),
                error="the policy `help_desk` has no fact `levl`",
                error_place=place(13),
                hint="did you mean `level`?",
            ),
        )
    )
