"""How a case moves, claim by claim: every file of `cases/` holds one small policy and what it is to do.

A claim is a map of `facts` and `do`, a list of inputs:

    - {send: EVENT, by: user:1, data: {…}, at: "12:00:05", occurred: "11:00:00", fired: [TIMER, …], then: {…}}
    - {wait: "2026-03-05T00:00:00Z", fired: [{timer: TIMER, at: …, then keys}]}

`then` is what is looked at: `verdict` (`applied` where left out), `decision`, `reason`, `rule`, `values`, `missing`,
`moves` ("a>b", or "a" for a stay), `state`, `legs`, `saw` (all values seen by name), `facts` (null: not there), `effects` (all of them), `timers` (all of them),
`payouts`, `needs_human`, `trace`, `clocks` (their statuses). Values are compared as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.journal import entry_of, read_entry, vault_of
from amends.engine.step import Step
from amends.engine.values import instant_text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def claims() -> Iterator[Any]:
    for path in FILES:
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, claim in file["claims"].items():
            yield pytest.param(file["policy"], claim, id=f"{path.stem}: {name}")


def instant(written: str) -> datetime:
    """Read an instant; a time alone is of the day on which cases open."""
    if len(written) == 8:
        hours, minutes, seconds = map(int, written.split(":"))
        return NOON.replace(hour=0) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return datetime.fromisoformat(written).astimezone(UTC)


def told(value: Any) -> Any:
    """Return a value as a case file writes it."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value
        case datetime():
            return instant_text(value)
        case Mapping():
            return {key: told(item) for key, item in value.items()}
        case tuple() | list():
            return [told(item) for item in value]
    return str(value)


def seen(play: Any, step: Step) -> dict[str, Any]:
    """Return what a claim may look at."""
    case = play.now
    return {
        "verdict": step.verdict,
        "decision": told(step.decision),
        "reason": step.reason and step.reason.code,
        "rule": step.reason and step.reason.rule,
        "sources": step.reason and list(step.reason.sources),
        "values": told(step.reason.values) if step.reason else {},
        "missing": list(step.missing),
        "moves": [f"{m.source}>{m.target}" if m.target else str(m.source) for m in step.moves],
        "by_rule": [move.rule for move in step.moves],
        "state": case.state,
        "legs": dict(case.legs),
        "saw": {name: told(item) for t in step.trace for c in t.clauses for name, item in c.saw.items()},
        "case_decision": told(case.decision),
        "facts": told(case.facts),
        "effects": [{effect.kind: told(effect.data)} for effect in step.effects],
        "keys": [effect.key for effect in step.effects],
        "timers": [f"{timer.id} {instant_text(timer.fires_at)}" for timer in case.timers],
        "payouts": {
            name: {
                "state": payout.state,
                "granted": told(payout.granted),
                "turn": payout.turn,
                "paid": told(payout.paid),
                "parts": [
                    f"{part.id} {part.status} {told(part.amount)} {part.via or '-'}" for part in payout.parts
                ],
                "missing": sorted({path for part in payout.parts for path in part.missing}),
            }
            for name, payout in case.payouts.items()
        },
        "clocks": {name: clock.status for name, clock in case.clocks.items()},
        "needs_human": case.needs_human,
        "trace": [f"{entry.rule} {entry.result}" for entry in step.trace],
        "at": instant_text(step.at),
        "currency": case.currency,
        "timezone": case.timezone,
    }


def agrees(found: Any, wanted: Any) -> bool:
    """Return whether what is found has all that is wanted; null wants nothing to be there."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(agrees(found.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(agrees, found, wanted))
    return bool(found == wanted)


def look(play: Any, step: Step, wanted: dict[str, Any]) -> None:
    found = seen(play, step)
    for key, value in {"verdict": "applied", **wanted}.items():
        assert agrees(found[key], value), f"{key}: {found[key]}, not {value}\n{found}"


@pytest.mark.parametrize(("policy", "claim"), list(claims()))
def test_a_case_moves_as_is_said(policy: str, claim: dict[str, Any], unopened: Callable[[str], Any]) -> None:
    play = unopened(policy)
    opened = play.open(
        claim.get("facts"), at=instant(claim.get("at", "12:00:00")), timezone=claim.get("timezone")
    )
    if "then" in claim:
        look(play, opened, claim["then"])
    at = opened.at
    for item in claim.get("do", []):
        assert set(item) <= {"send", "by", "data", "at", "occurred", "fired", "then", "wait"}, item
        if "wait" in item:
            fired(play, instant(item["wait"]), item["fired"])
            at = max(at, instant(item["wait"]))
            continue
        at = instant(item["at"]) if "at" in item else at
        before = play.wait(at)
        assert [step.input.timer for step in before] == item.get("fired", [])
        occurred = instant(item["occurred"]) if "occurred" in item else None
        step = play.send(
            item["send"], item.get("data"), by=item.get("by", "user:1"), at=at, occurred_at=occurred
        )
        look(play, step, item.get("then", {}))
    replays(play, unopened(policy), unopened(policy))


def fired(play: Any, until: datetime, wanted: list[Any]) -> None:
    """Fire what is due one by one, and look at each."""
    for item in wanted:
        timers = [timer.id for timer in play.now.timers if timer.fires_at <= until]
        assert timers, f"nothing fires, and {item} is to"
        step = play.fire(until)
        assert step.input.timer == item["timer"], timers
        look(play, step, {key: value for key, value in item.items() if key != "timer"})
    assert play.wait(until) == []


def replays(play: Any, rebuilt: Any, blind: Any) -> None:
    """Decide every entry of the journal again, and rebuild the case without the values beside it."""
    secret = play.steps[0].input.secret
    for step in play.steps:
        entry = entry_of(step)
        read = read_entry(entry, vault_of(step), secret=secret)
        assert entry_of(read) == entry
        again = rebuilt.take(read.input)
        assert entry_of(again) == entry
        assert entry_of(read_entry(entry)) == entry
        blind.follow(read_entry(entry))
    assert rebuilt.now == play.now
    assert blind.now.head == play.now.head
