"""Records to rows and back. No sensitive value leaves this room in clear: a row has commitments, the vault has the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ..canonical import sha256
from ..case import Case, PolicyRef
from ..errors import CorruptJournal
from ..journal import record_from_json, text_of, uncovered, vault_of
from ..step import Effect, Migrate, Step
from ..stepping.answers import Tally
from ..values import Value, to_text
from .protocol import Delivery, Fate, Filing, Saved, Summary, lane_of
from .vault import locked, unlocked

#: Commitments by the paths in a case at which sensitive values stand.
Seals = Mapping[str, str]
Row = dict[str, Any]

_IN_STEP: Final = "changes/"
_SEALED: Final = '"$sealed"'


# --- a case -------------------------------------------------------------------------------------------------------------


def case_row(saved: Saved, seals: Seals, tally: Tally) -> Row:
    """Return a case's row."""
    case, filing = saved.case, saved.filing
    return {
        "id": case.id,
        "bundle": case.policy.bundle,
        "policy": case.policy.name,
        "version": case.policy.version,
        "model": case.policy.model,
        "seq": case.seq,
        "at": case.at,
        "states": _several(filing.states),
        "waits_for": _several(filing.waits_for),
        "closed": filing.closed,
        "due_at": case.timers[0].fires_at if case.timers else None,
        "needs_human": case.needs_human,
        "snapshot": text_of(case, seals),
        # Facts are found by rows of their own, and some of them are sensitive.
        "tally": text_of(replace(tally, facts={})),
    }


def tally_of(text: str, facts: Mapping[str, Value]) -> Tally:
    """Return what other cases may ask about a case, with those of its facts by which it was found."""
    tally: Tally = record_from_json(Tally, json.loads(text))
    return replace(tally, facts=facts)


def digest_of(value: Value) -> str:
    """Return what a value is found by: 1, 1.0 and true are three values."""
    return sha256(to_text(value).encode())


def fact_rows(saved: Saved) -> tuple[list[str], list[Row]]:
    """Return the facts by which the case is no longer found, and the rows of those that were changed and by which it is."""
    steps = [written.step for written in saved.written]
    changed = sorted({name for step in steps for name in step.changes.facts})
    # A record is nothing by which a case was found, unless it was something else under another version.
    migrated = any(isinstance(step.input, Migrate) for step in steps)
    gone = [
        name
        for name in changed
        if name not in saved.found_by and (migrated or not isinstance(saved.case.facts.get(name), Mapping))
    ]
    return gone if saved.before is not None else [], [
        {"case_id": saved.case.id, "fact": name, "value": digest_of(saved.found_by[name])}
        for name in changed
        if name in saved.found_by
    ]


def share_rows(saved: Saved) -> tuple[list[str], list[Row]]:
    """Return no balances, for the case goes on sharing all of them, and the rows of those of which it took another amount."""
    changed = sorted({name for written in saved.written for name in written.step.changes.takes})
    return [], [
        {"case_id": saved.case.id, "balance": name, "of": digest_of(saved.case.takes[name].of)}
        for name in changed
    ]


def case_of(snapshot: str, secret: bytes | None, vault: Mapping[str, Any]) -> tuple[Case, Seals]:
    """Return the case that a row holds, and where in it sensitive values stand.

    Raises:
        CorruptJournal: the snapshot is not one.
    """
    try:
        data = json.loads(snapshot)
        seals: Seals = {}
        if holds_sealed(snapshot):
            data, seals = uncovered(data, vault)
        case: Case = record_from_json(Case, data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptJournal(f"not a case: {error}") from error
    return replace(case, secret=secret or b""), seals


def holds_sealed(text: str) -> bool:
    """Return whether a row may hold commitments, so that the vault has to be asked."""
    return _SEALED in text


def _within(seals: Seals, path: str) -> Seals:
    """Return the commitments that stand within a path, by what follows it."""
    return {one.removeprefix(path): found for one, found in seals.items() if one.startswith(path)}


def seals_after(seals: Seals, step: Step) -> Seals:
    """Return where sensitive values stand in a case after a step, from where they stood before it."""
    if not seals and not step.sealed:
        return seals
    changed = step.changes.facts
    kept = {path: found for path, found in seals.items() if path.split("/")[1] not in changed}
    new = {
        path.removeprefix(_IN_STEP): found
        for path, found in step.sealed.items()
        if path.startswith(f"{_IN_STEP}facts/")
    }
    return {**kept, **new}


def summary_of(row: Any) -> Summary:
    """Return what a list shows of a case."""
    return Summary(
        id=row.id,
        policy=PolicyRef(name=row.policy, version=row.version, bundle=row.bundle, model=row.model),
        seq=row.seq,
        opened_at=row.opened_at,
        at=row.at,
        filing=Filing(
            states=tuple(row.states.split()), waits_for=tuple(row.waits_for.split()), closed=row.closed
        ),
        due_at=row.due_at,
        needs_human=row.needs_human,
        parked=row.parked,
    )


def _several(names: tuple[str, ...]) -> str:
    return f" {' '.join(names)} " if names else ""


def one_of(name: str) -> str:
    """Return what a column of several names holds if it holds this one."""
    return f" {name} "


# --- the vault ----------------------------------------------------------------------------------------------------------


def vault_rows(case: Case, step: Step) -> list[Row]:
    """Return the rows of a step's sensitive values."""
    if not step.sealed:
        return []
    return [
        {"case_id": case.id, "commitment": commitment, "value": locked(case.secret, commitment, value)}
        for commitment, value in vault_of(step).items()
    ]


def vault_from(rows: Any, secret: bytes | None) -> dict[str, Any]:
    """Return the sensitive values that some rows hold; without the key there are none."""
    if secret is None:
        return {}
    return {row.commitment: unlocked(secret, row.commitment, row.value) for row in rows}


# --- deliveries ---------------------------------------------------------------------------------------------------------


def delivery_rows(case_id: str, step: Step) -> list[Row]:
    """Return the rows of a step's effects, sensitive values as commitments."""
    if not step.effects:
        return []
    return [
        {
            "key": effect.key,
            "case_id": case_id,
            "seq": step.seq,
            "asked_at": step.at,
            "kind": effect.kind,
            "lane": lane_of(case_id, effect),
            "effect": text_of(effect, _within(step.sealed, f"effects/{index}/")),
            "state": "waiting",
            "attempts": 0,
            "next_at": step.at,
        }
        for index, effect in enumerate(step.effects)
    ]


def delivery_of(row: Any, vault: Mapping[str, Any], **changes: Any) -> Delivery:
    """Return the delivery that a row holds."""
    data, sealed = uncovered(json.loads(row.effect), vault)
    effect: Effect = record_from_json(Effect, data)
    known: dict[str, Any] = {"attempts": row.attempts, "next_at": row.next_at, **changes}
    return Delivery(
        case_id=row.case_id,
        seq=row.seq,
        asked_at=row.asked_at,
        effect=effect,
        state=row.state,
        error=row.error,
        sensitive=tuple(path.removeprefix("data/") for path in sealed),
        **known,
    )


def fate_of(row: Any) -> Fate:
    """Return what became of the delivery that a row holds."""
    return Fate(key=row.key, state=row.state, attempts=row.attempts, next_at=row.next_at, error=row.error)


def fate_row(fate: Fate) -> Row:
    """Return what a delivery's row becomes."""
    return {
        "delivery": fate.key,
        "state": fate.state,
        "attempts": fate.attempts,
        "next_at": fate.next_at,
        "error": fate.error,
    }


def opened_row(saved: Saved) -> Row:
    """Return what of a case's row never changes."""
    opened_at: datetime = saved.written[0].step.at
    return {"opened_at": opened_at}
