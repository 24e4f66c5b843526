"""Cases played under two policies: what would have come out otherwise, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..case import Payout
from ..deadlines import deadlines
from ..engine import Engine
from ..errors import AmendsError
from ..library import Library
from ..policy import CompiledPolicy, InForce
from ..values import Value
from .read import ScenarioCase
from .run import granted_last, open_case, play, recorded

#: What is known of a case at an instant, by what it is called.
Glimpse = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is otherwise under the second policy."""

    at: datetime
    #: `state`, `decision`, `reason`, `amount`, `route`, or `deadline NAME`.
    key: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case under both policies."""

    case: ScenarioCase
    timezone: str | None = None
    differences: tuple[Difference, ...] = ()
    #: Why it could not be played under the first, and under the second; None where it could.
    errors: tuple[str | None, str | None] = (None, None)


def compare_case(case: ScenarioCase, old: CompiledPolicy, new: CompiledPolicy) -> Compared:
    """Play a case under two policies, whichever would take it, and tell each difference where it first shows.

    It is looked at after every event and at every instant at which the case expects something.
    """
    played = [_played(case, policy) for policy in (old, new)]
    errors = tuple(found if isinstance(found, str) else None for found in played)
    first, second = played
    if isinstance(first, str) or isinstance(second, str):
        return Compared(case=case, errors=(errors[0], errors[1]))
    return Compared(case=case, timezone=first[0], differences=tuple(_differences(first[1], second[1])))


def _played(case: ScenarioCase, policy: CompiledPolicy) -> tuple[str, dict[datetime, Glimpse]] | str:
    """Return the case's zone and what is known of it at each instant, or why it cannot be played."""
    always = replace(policy, in_force=InForce(starts=None, until=None, decided_by=None))
    engine = Engine(Library(policies=(always,)))
    found: dict[datetime, Glimpse] = {}
    try:
        opened = open_case(replace(case, policy=policy.ref.name), engine)
        for at in sorted({*(event.at for event in case.events), *(item.at for item in case.expect)}):
            play(engine, opened.id, (event for event in case.events if event.at == at))
            engine.run_due(at)
            found[at] = _glimpse(engine, opened.id)
    except AmendsError as problem:
        return str(problem)
    return opened.timezone, found


def _glimpse(engine: Engine, case_id: str) -> Glimpse:
    case, policy = engine.case(case_id), engine.policy_of(case_id)
    decision, reason = recorded(engine.journal(case_id))
    payout = granted_last(case)
    return {
        "state": dict(case.legs) if len(case.legs) > 1 else case.state,
        "decision": decision,
        "reason": reason,
        "amount": None if payout is None else payout.granted,
        "route": _route(payout),
        **{f"deadline {name}": due for name, due in deadlines(policy, case).items()},
    }


def _route(payout: Payout | None) -> Value:
    return None if payout is None else [part.via for part in payout.parts]


def _differences(old: Mapping[datetime, Glimpse], new: Mapping[datetime, Glimpse]) -> Iterator[Difference]:
    told: dict[str, tuple[Value, Value]] = {}
    for at, before in old.items():
        after = new[at]
        for key in dict.fromkeys([*before, *after]):
            pair = (before.get(key), after.get(key))
            if pair[0] != pair[1] and told.get(key) != pair:
                yield Difference(at=at, key=key, before=pair[0], after=pair[1])
            told[key] = pair
