"""A dry run as a page that a person can follow, and as JSON.

Of every step: when, who and what; what it was told of other cases; from where to where; why, by which rule and how sure
that is; then, where they changed, the clocks that run, what the host was asked for, and where the money stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..case import MAIN, Approval, Left, Part
from ..simulate import ClockShown, Entry, PayoutShown, Timeline
from ..source import Source
from ..step import REFUSED, Answered, Effect, Move, Trace
from .diagnostics import one_line
from .paint import Paint
from .plain import dumped, plain, stamp
from .text import NOTHING, Speech, chosen, padded, width
from .why import speech, trace_data
from .words import FALLBACK

#: Where the details of a step begin.
_INDENT: Final = 4
#: How wide a list of details may become.
_COLUMNS: Final = 90


def timeline_text(timeline: Timeline, *, language: str = FALLBACK, colour: bool = False) -> str:
    """Return a dry run as text, in the case's own zone."""
    page = _Page(timeline, language, Paint(on=colour))
    return "\n".join(one_line(line, keep=True) if not colour else line for line in page.lines()) + "\n"


def step_lines(entry: Entry, say: Speech, paint: Paint, looked: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines of one step, and below them what was looked at for it."""
    page = _Steps([entry], say, paint, "looked")
    yield from page.entry(entry)
    for index, line in enumerate(looked):
        yield page.row("" if index else "looked", line)


class _Steps:
    """Writes steps, in columns as wide as these need.

    Args:
        entries: that are written.
        say: how the case is spoken of.
        paint: of the terminal.
        more: keys of labels that rows have besides a step's own.
    """

    def __init__(self, entries: Iterable[Entry], say: Speech, paint: Paint, *more: str) -> None:
        entries = tuple(entries)
        self.paint = paint
        self.say = say
        labels = (
            "with",
            "told",
            "why",
            "rule",
            "decision",
            "clocks",
            "asked",
            "money",
            "missing",
            "attention",
            *more,
        )
        self.column = max(width(self.say.word(key)) for key in labels) + 2
        self.when = max((width(self.say.when(entry.at)) for entry in entries), default=0) + 2
        self.who = max((width(self.actor(entry)) for entry in entries), default=0) + 2

    def actor(self, entry: Entry) -> str:
        return entry.who or self.say.word("host" if entry.kind == "opened" else "clock")

    def entry(self, entry: Entry, before: Entry | None = None) -> Iterator[str]:
        """Yield the lines of a step; what stands as it did before it is left out."""
        say = self.say
        what = entry.what if entry.kind == "event" else say.word(entry.kind, name=short(entry.what))
        when = self.paint.bold(padded(say.when(entry.at), self.when))
        yield f"{when}{padded(self.actor(entry), self.who)}{what}"
        yield from self.rows("with", (f"{key} {say.value(item)}" for key, item in entry.data.items()))
        yield from self.rows("told", map(self.answer, entry.answers))
        if entry.verdict != "applied":
            yield " " * _INDENT + self.paint.warning(say.word(entry.verdict))
        for move in entry.moves:
            yield " " * _INDENT + self.move(move, entry)
        if (without := _without_moves(entry, before)) is not None:
            yield " " * _INDENT + self.paint.warning(say.word(without))
        yield from self.why(entry)
        if entry.decision is not None and (entry.verdict, entry.decision) != ("refused", REFUSED):
            yield self.row("decision", say.value(entry.decision))
        if entry.clocks and (before is None or entry.clocks != before.clocks):
            yield from self.rows("clocks", map(self.clock, entry.clocks))
        for effect in entry.effects:
            yield self.row("asked", self.effect(effect))
        if before is None or entry.payouts != before.payouts:
            for payout in entry.payouts:
                yield self.row("money", self.payout(payout))
        if entry.needs_human is not None:
            yield self.row("attention", entry.needs_human)

    def row(self, key: str, text: str) -> str:
        return " " * _INDENT + self.paint.faint(padded(self.say.word(key) if key else "", self.column)) + text

    def rows(self, key: str, items: Iterable[str]) -> Iterator[str]:
        """Yield items on as few lines as they need."""
        line = ""
        for item in items:
            if line and width(line) + width(item) > _COLUMNS:
                yield self.row(key, f"{line};")
                key, line = "", ""
            line = f"{line}; {item}" if line else item
        if line:
            yield self.row(key, line)

    def move(self, move: Move, entry: Entry) -> str:
        leg = "" if move.leg == MAIN else f"{move.leg}: "
        if move.target is None:
            return f"{leg}{self.say.word('stays')} {move.source or entry.legs.get(move.leg, NOTHING)}"
        return f"{leg}{f'{move.source} ' if move.source else ''}-> {self.paint.good(move.target)}"

    def why(self, entry: Entry) -> Iterator[str]:
        say = self.say
        if entry.reason is not None:
            yield self.row("why", say.sentence(entry.reason))
        if entry.rule is not None and entry.kind != "opened":
            yield self.row("rule", say.word("comma").join([entry.rule, *map(self.source, entry.sources)]))
        if entry.missing:
            yield self.row("missing", say.listed(entry.missing))
        for trace in entry.failed:
            yield from (" " * (_INDENT + self.column) + line for line in clauses(trace, say))

    def answer(self, answered: Answered) -> str:
        return f"{answered.query.name} {self.say.value(answered.value) or NOTHING}"

    def source(self, source: Source) -> str:
        return f"{source.name} ({self.say.word(source.read)})"

    def clock(self, clock: ClockShown) -> str:
        if clock.due is not None:
            return self.say.word("until", name=clock.name, due=self.say.due(clock.due))
        return self.say.word(
            "paused", name=clock.name, left=NOTHING if clock.left is None else self.left(clock.left)
        )

    def left(self, left: Left) -> str:
        return self.say.word(left.unit, count=left.count)

    def effect(self, effect: Effect) -> str:
        return f"{effect.kind}  " + "; ".join(
            f"{key} {self.say.value(item)}" for key, item in effect.data.items()
        )

    def payout(self, payout: PayoutShown) -> str:
        parts = self.say.word("comma").join(map(self.part, payout.parts))
        amount = f"{payout.name} {payout.state} {self.say.value(payout.granted)}"
        return "; ".join([f"{amount} ({parts})" if parts else amount, *self.verdicts(payout.approvals)])

    def verdicts(self, approvals: Sequence[Approval]) -> Iterator[str]:
        """Yield who approved and who declined, as long as one follows another."""
        for declined, said in groupby(approvals, key=lambda one: one.declined):
            who = self.say.listed([one.by for one in said])
            yield self.say.word("declined" if declined else "approved", who=who)

    def part(self, part: Part) -> str:
        # Without a way it is the route that says why the money is held.
        way = part.route or NOTHING if part.via is None else self.say.word("by", via=part.via)
        missing = f", {self.say.word('missing')} {self.say.listed(part.missing)}" if part.missing else ""
        return f"{self.say.value(part.amount)} {way}{missing}"


def _without_moves(entry: Entry, before: Entry | None) -> str | None:
    """Return what to say of a result of a payout that nothing came of: it was known already, or it failed and no state acts."""
    if entry.kind != "event" or entry.verdict != "applied" or entry.moves or "." not in entry.what:
        return None
    if before is not None and entry.payouts == before.payouts:
        return "known"
    return "unheard" if entry.what.endswith(".failed") else None


class _Page(_Steps):
    """Writes one timeline."""

    def __init__(self, timeline: Timeline, language: str, paint: Paint) -> None:
        super().__init__(timeline.entries, speech(timeline.policy, timeline.timezone, language), paint)
        self.timeline = timeline

    def lines(self) -> Iterator[str]:
        timeline, say = self.timeline, self.say
        yield self.paint.bold(f"{timeline.id}  {timeline.name}".rstrip())
        policy = say.word("policy", name=timeline.policy.ref.name, version=timeline.policy.ref.version)
        yield f"{policy}; {say.word('zone', zone=timeline.timezone)}"
        before: Entry | None = None
        for entry in timeline.entries:
            yield ""
            yield from self.entry(entry, before)
            before = entry
        yield ""
        yield from self.ending()

    def ending(self) -> Iterator[str]:
        timeline, say = self.timeline, self.say
        at = say.when(timeline.ends_at)
        words = {
            "events": say.word("events"),
            "until": say.word("until_reached", at=at),
            "quiet": say.word("quiet"),
            "bound": say.word("bound", count=len(timeline.entries)),
        }
        yield words[timeline.ending]
        for waiting in timeline.waiting:
            key = "final" if waiting.final else "waits" if waiting.roles else "waits_nobody"
            says = chosen(waiting.says, say.language).rstrip(".\u3002")
            state = f"{waiting.state} ({says})" if says else waiting.state
            yield say.word(key, state=state, roles=say.listed(waiting.roles))
        for payout, missing in timeline.wanted.items():
            yield say.word("details", payout=payout, missing=say.listed(missing))
        if timeline.next_timer is not None:
            kind, _, name = timeline.next_timer[0].partition(":")
            what = say.word(kind if kind in {"breach", "remind"} else "wake", name=short(name))
            yield say.word("next", what=what, at=say.when(timeline.next_timer[1]))


def short(clock_id: str) -> str:
    """Return the name of a clock without the state that it belongs to.

    >>> short("in_review/answer"), short("answer")
    ('answer', 'answer')
    """
    return clock_id.rpartition("/")[2]


def clauses(trace: Trace, say: Speech) -> Iterator[str]:
    """Yield a candidate that did not hold: each condition, its worth, and what it saw."""
    yield f"{trace.rule}: {trace.result}"
    for clause in trace.clauses:
        saw = "; ".join(f"{path} = {say.value(value)}" for path, value in clause.saw.items())
        yield f"  `{clause.text}` is {clause.value}" + (f" ({saw})" if saw else "")


def timeline_json(timeline: Timeline, *, language: str = FALLBACK) -> str:
    """Return a dry run as one JSON object with sorted keys, without floats; instants carry the case's offset."""
    say = speech(timeline.policy, timeline.timezone, language)
    here = say.zone
    timer = timeline.next_timer
    return dumped(
        {
            "case": timeline.id,
            "name": timeline.name,
            "policy": {"name": timeline.policy.ref.name, "version": timeline.policy.ref.version},
            "timezone": timeline.timezone,
            "currency": timeline.currency,
            "entries": [_entry_data(entry, say) for entry in timeline.entries],
            "ending": timeline.ending,
            "ends_at": stamp(timeline.ends_at, here),
            "waiting": [
                {"leg": item.leg, "state": item.state, "for": list(item.roles), "final": item.final}
                for item in timeline.waiting
            ],
            "waiting_payouts": {name: list(missing) for name, missing in timeline.wanted.items()},
            "next": None if timer is None else {"timer": timer[0], "at": stamp(timer[1], here)},
        }
    )


def _entry_data(entry: Entry, say: Speech) -> dict[str, Any]:
    here = say.zone
    return {
        "seq": entry.seq,
        "at": stamp(entry.at, here),
        "kind": entry.kind,
        "who": entry.who,
        "what": entry.what,
        "data": plain(entry.data, here),
        "verdict": entry.verdict,
        "answers": [{"name": item.query.name, "value": plain(item.value, here)} for item in entry.answers],
        "moves": [{"leg": m.leg, "from": m.source, "to": m.target, "rule": m.rule} for m in entry.moves],
        "legs": dict(entry.legs),
        "decision": plain(entry.decision, here),
        "reason": None
        if entry.reason is None
        else {"code": entry.reason.code, "text": say.sentence(entry.reason)},
        "rule": entry.rule,
        "sources": [_source_data(source, here) for source in entry.sources],
        "failed": [trace_data(trace, say) for trace in entry.failed],
        "missing": list(entry.missing),
        "clocks": [
            {
                "name": clock.name,
                "due": plain(clock.due, here),
                "left": None if clock.left is None else {"count": clock.left.count, "unit": clock.left.unit},
            }
            for clock in entry.clocks
        ],
        "effects": [{"kind": effect.kind, "data": plain(effect.data, here)} for effect in entry.effects],
        "payouts": {payout.name: _payout_data(payout) for payout in entry.payouts},
        "needs_human": entry.needs_human,
    }


def _source_data(source: Source, here: ZoneInfo | None) -> dict[str, Any]:
    checked = {} if source.checked is None else {"checked": plain(source.checked, here)}
    return {"name": source.name, "cite": source.cite, "read": source.read, **checked}


def _payout_data(payout: PayoutShown) -> dict[str, Any]:
    return {
        "state": payout.state,
        "granted": plain(payout.granted),
        "paid": plain(payout.paid),
        "parts": [
            {
                "id": part.id,
                "amount": plain(part.amount),
                "state": part.status,
                "via": part.via,
                "missing": list(part.missing),
            }
            for part in payout.parts
        ],
        "approvals": [
            {"by": one.by, "amount": plain(one.amount), "declined": one.declined} for one in payout.approvals
        ],
    }
