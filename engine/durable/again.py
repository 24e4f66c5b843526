"""Idempotency: what came before with the same key is answered as it was then, and something else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..case import Case
from ..deadlines import deadlines
from ..errors import CorruptJournal, InvalidValue
from ..evolve import rebuild
from ..policy import CompiledPolicy
from ..sent import Sent
from ..step import Event, Migrate, Open, Step
from ..store.protocol import Keyed, Transaction
from ..values import Sealed
from .session import Policies, Session, Working


def sent_of(policy: CompiledPolicy, case: Case, before: tuple[Step, ...], step: Step) -> Sent:
    """Return what a host is told became of its input."""
    refused = step.input if step.verdict != "applied" and isinstance(step.input, Event) else None
    return Sent(step=step, before=before, case=case, deadlines=deadlines(policy, case, refused))


def sent_before(session: Session, working: Working, known: Keyed, arrived: Event) -> Sent:
    """Return what came of an event that was sent before with the same key, as it was returned then.

    Raises:
        InvalidValue: it was another event.
    """
    session.flush()
    steps = session.transaction.steps(working.case.id, 0, known.seq)
    first = steps[-1].input
    if (
        not isinstance(first, Event)
        or (first.name, first.actor) != (arrived.name, arrived.actor)
        or not _is_same(first.data, arrived.data)
    ):
        raise InvalidValue(f"the key `{arrived.key}` came before, with another event")
    case = rebuild(steps)
    if case is None:
        raise CorruptJournal(f"the case `{working.case.id}` has no journal")
    return sent_of(working.policy, case, steps[known.first : known.seq], steps[-1])


def migrated_before(session: Session, working: Working, known: Keyed, by: str, policies: Policies) -> Sent:
    """Return what came of a migration that was asked for before with the same key, as it was returned then.

    Raises:
        InvalidValue: it was something else.
    """
    session.flush()
    steps = session.transaction.steps(working.case.id, 0, known.seq)
    first, case = steps[-1].input, rebuild(steps)
    if not isinstance(first, Migrate) or first.actor != by or case is None:
        raise InvalidValue(f"the key `{known.key}` came before, with something else")
    policy = policies.of(case.policy, session.transaction)
    return sent_of(policy, case, steps[known.first : known.seq], steps[-1])


def check_opened_before(
    transaction: Transaction, case_id: str, key: str, policy: str | None, facts: Mapping[str, Any]
) -> None:
    """Demand that a case was opened as it is to be opened now, with the same key.

    Raises:
        InvalidValue: it was opened by another policy, or with other facts.
    """
    (first,) = transaction.steps(case_id, 0, 0)
    opening = first.input
    if (
        not isinstance(opening, Open)
        or policy not in (None, opening.policy.name)
        or not _is_same(opening.facts, facts)
    ):
        raise InvalidValue(f"the key `{key}` came before, with another case")


def _is_same(before: Any, now: Any) -> bool:
    """Return whether data are those that came before; what was erased since may have been anything."""
    if isinstance(before, Sealed):
        return True
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return before.keys() == now.keys() and all(_is_same(value, now[key]) for key, value in before.items())
    return bool(before == now)
