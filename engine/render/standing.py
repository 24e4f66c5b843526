"""One case as it stands: where it waits and for whom, what is known, which clocks run and what then happens, where money is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from ..case import MAIN, Clock, Part, Payout, Timer
from ..durable.standing import binding
from ..operations import Shown
from ..policy import Candidate, CompiledPolicy, State
from ..rules.condition import Constant, Term
from ..store.protocol import Fate
from .diagnostics import one_line
from .paint import Paint
from .plain import dumped, plain, stamp
from .rows import attention, row_data, span
from .text import NOTHING, Speech, chosen, padded
from .timeline import short
from .why import speech

_COLUMN: Final = 12


def case_text(shown: Shown, at: datetime, *, language: str = "en", colour: bool = False) -> str:
    """Return a case as text, in its own zone.

    Args:
        shown: the case.
        at: what is late is late by then.
        language: of sentences.
        colour: whether it is a terminal's.
    """
    paint, case, summary = Paint(on=colour), shown.case, shown.standing.summary
    say = speech(shown.policy, case.timezone, language)
    lines = [
        paint.bold(one_line(case.id)),
        one_line(
            f"{case.policy.name} {case.policy.version}; opened {say.when(summary.opened_at)}, step {case.seq} at "
            f"{say.when(case.at)}; times in {case.timezone}"
        ),
    ]
    lines += [paint.warning(one_line(text)) for text in attention(shown.standing)]
    page = _Page(shown, say, at)
    for name, rows in page.blocks():
        for index, row in enumerate(rows):
            label = paint.faint(padded(name if index == 0 else "", _COLUMN))
            lines.append(f"  {label}{one_line(row)}")
    return "\n".join(lines) + "\n"


class _Page:
    """Writes what stands below the head of a case."""

    def __init__(self, shown: Shown, say: Speech, at: datetime) -> None:
        self.shown = shown
        self.case = shown.case
        self.say = say
        self.at = at

    def blocks(self) -> Iterator[tuple[str, list[str]]]:
        yield "state", [self.state(leg, state) for leg, state in standing_in(self.shown)]
        if self.case.decision is not None:
            yield "decision", [self.say.value(self.case.decision)]
        if self.case.reason is not None:
            yield "why", [self.say.sentence(self.case.reason)]
        yield "facts", [f"{name}: {self.say.value(value)}" for name, value in sorted(self.case.facts.items())]
        yield "clocks", list(self.clocks())
        yield "payouts", list(self.payouts())
        yield "next", [f"{self.say.when(timer.fires_at)}  {self.timer(timer)}" for timer in self.case.timers]
        yield "deadlines", list(self.deadlines())
        yield "deliveries", list(self.deliveries())

    def state(self, leg: str, state: State) -> str:
        says = chosen(state.says, self.say.language).rstrip(".\u3002")
        name = ("" if leg == MAIN else f"{leg}: ") + state.name + (f" ({says})" if says else "")
        if state.final is not None:
            return f"{name}, final"
        return f"{name}, waits for {self.say.listed(state.waits_for)}" if state.waits_for else name

    def clocks(self) -> Iterator[str]:
        """Yield the clocks that bind somebody, and one row for all that are over."""
        ids = {id(clock): name for name, clock in self.case.clocks.items()}
        bound = binding(self.case, closed=self.shown.standing.summary.filing.closed)
        yield from (self.clock(ids[id(clock)], clock) for clock in bound)
        over = [f"{name} {clock.status}" for name, clock in self.case.clocks.items() if clock not in bound]
        if over:
            yield f"over: {', '.join(over)}"

    def clock(self, name: str, clock: Clock) -> str:
        if clock.due is None:
            left = "" if clock.left is None else self.say.word(clock.left.unit, count=clock.left.count)
            return f"{name}  paused, {left} left"
        due = f"{self.say.due(clock.due)} ({span(self.at - clock.due)})"
        if clock.status == "breached":
            return f"{name}  ran out {due}"
        then = "; else ".join(self.outcome(candidate) for candidate in breach_of(self.shown.policy, name))
        return f"{name}  until {due}" + (f", then {then}" if then else "")

    def timer(self, timer: Timer) -> str:
        kind, _, name = timer.id.partition(":")
        return self.say.word(kind, name=short(name))

    def outcome(self, candidate: Candidate) -> str:
        told = outcome_data(candidate)
        words = {"to": "->", "decision": "decision", "reason": "reason", "alarm": "alarm to"}
        said = ", ".join(
            f"{word} {self.say.listed(told[key]) if isinstance(told[key], list) else told[key]}"
            for key, word in words.items()
            if told[key]
        )
        return (said or "stays as it is") + ("" if candidate.unconditional else " if its conditions hold")

    def payouts(self) -> Iterator[str]:
        for name, payout in self.case.payouts.items():
            granted, paid = self.say.value(payout.granted), self.say.value(payout.paid)
            yield f"{name}  {payout.state}, granted {granted}, paid {paid}"
            yield from (f"  {self.part(part)}" for part in payout.parts)

    def part(self, part: Part) -> str:
        way = part.route or NOTHING if part.via is None else self.say.word("by", via=part.via)
        missing = f", missing {self.say.listed(part.missing)}" if part.missing else ""
        back = f", {self.say.value(part.returned)} taken back" if part.returned else ""
        return f"{part.id}  {self.say.value(part.amount)}  {part.status}  {way}{missing}{back}"

    def deadlines(self) -> Iterator[str]:
        """Yield windows and moments that are still to come; those of clocks stand with the clocks."""
        clocks = {clock.name for clock in self.case.clocks.values()}
        known = ((due, name) for name, due in self.shown.deadlines.items() if due is not None)
        for due, name in sorted(known):
            if due >= self.at and name not in clocks:
                yield f"{self.say.due(due)}  {name} ({span(self.at - due)})"

    def deliveries(self) -> Iterator[str]:
        counts = Counter(fate.state for fate in self.shown.fates)
        if counts:
            yield ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        for fate in self.shown.fates:
            if fate.error is not None and fate.state != "done":
                attempts = f"{fate.attempts} attempt{'' if fate.attempts == 1 else 's'}"
                yield f"{fate.key}  {fate.state} after {attempts}: {fate.error}"


def standing_in(shown: Shown) -> Iterator[tuple[str, State]]:
    """Yield the legs of a case, each with the state that it stands in."""
    for leg in shown.policy.legs:
        yield leg.name, leg.states[shown.case.legs[leg.name]]


def breach_of(policy: CompiledPolicy, clock: str) -> tuple[Candidate, ...]:
    """Return what may happen when a clock runs out: the first that holds will."""
    rule = policy.clocks.get(clock)
    return rule.breach if rule else ()


def outcome_data(candidate: Candidate) -> dict[str, Any]:
    """Return what happens when a candidate is taken, as JSON data."""
    outcome = candidate.outcome
    return {
        "to": outcome.to,
        "decision": _term(outcome.decision),
        "reason": _term(outcome.reason),
        "alarm": list(outcome.alarm),
    }


def _term(term: Term | None) -> Any:
    if term is None:
        return None
    # What is computed is known only when it happens: until then its expression is all there is.
    return plain(term.value) if isinstance(term, Constant) else f"={term.checked.text}"


def case_json(shown: Shown, at: datetime, *, language: str = "en") -> str:
    """Return a case as one JSON object; instants carry the offset of its zone."""
    case = shown.case
    say = speech(shown.policy, case.timezone, language)
    here = say.zone
    reason = case.reason
    return dumped(
        {
            **row_data(shown.standing, at),
            "timezone": case.timezone,
            "currency": case.currency,
            "bundle": case.policy.bundle,
            "head": case.head,
            "legs": {
                leg: {
                    "state": state.name,
                    "waits_for": list(state.waits_for),
                    "final": state.final is not None,
                }
                for leg, state in standing_in(shown)
            },
            "reason": None if reason is None else {"code": reason.code, "text": say.sentence(reason)},
            "facts": plain(case.facts, here),
            "clocks": {
                name: _clock_data(shown.policy, name, clock, say) for name, clock in case.clocks.items()
            },
            "payouts": {name: _payout_data(payout) for name, payout in case.payouts.items()},
            "timers": [{"id": timer.id, "fires_at": stamp(timer.fires_at, here)} for timer in case.timers],
            "deadlines": plain(shown.deadlines, here),
            "deliveries": [_fate_data(fate, say) for fate in shown.fates],
        }
    )


def _clock_data(policy: CompiledPolicy, name: str, clock: Clock, say: Speech) -> Mapping[str, Any]:
    left = None if clock.left is None else {"count": clock.left.count, "unit": clock.left.unit}
    return {
        "status": clock.status,
        "started_at": stamp(clock.started_at, say.zone),
        "due": plain(clock.due, say.zone),
        "left": left,
        "reminders": plain(clock.reminders, say.zone),
        "then": [
            {**outcome_data(candidate), "if": not candidate.unconditional}
            for candidate in breach_of(policy, name)
        ],
    }


def _payout_data(payout: Payout) -> Mapping[str, Any]:
    return {
        "state": payout.state,
        "granted": plain(payout.granted),
        "paid": plain(payout.paid),
        "parts": [
            {
                "id": part.id,
                "amount": plain(part.amount),
                "state": part.status,
                "route": part.route,
                "via": part.via,
                "missing": list(part.missing),
                "taken_back": plain(part.returned),
            }
            for part in payout.parts
        ],
    }


def _fate_data(fate: Fate, say: Speech) -> Mapping[str, Any]:
    return {
        "key": fate.key,
        "state": fate.state,
        "attempts": fate.attempts,
        "next_at": stamp(fate.next_at, say.zone),
        "error": fate.error,
    }
