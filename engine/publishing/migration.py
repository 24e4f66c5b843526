"""Planning migrations: what one does to an open case, and the way back. Pure: whoever holds the cases takes the steps.

Spec: docs/semantics.md, "Another version".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..case import Case, Clock, Reason
from ..errors import InvalidValue
from ..evolve import evolve, rebuild
from ..policy import CompiledPolicy
from ..step import Effect, Migrate, Move, Step
from ..stepping.sealing import open_to_all
from ..values import Sealed, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPreview:
    """What a migration would do to one case."""

    case_id: str
    #: The versions that it is under, and would be.
    before: str
    after: str
    #: Why it stays as it is; None where it would move.
    refused: Reason | None = None
    #: Leg to state, as they are and as they would be.
    legs: tuple[Mapping[str, str], Mapping[str, str]]
    #: Moves that the new version makes at once, for a condition that holds under it.
    moves: tuple[Move, ...] = ()
    #: By name, what would be otherwise: as it is and as it would be, None where there is none. Sensitive facts are sealed.
    facts: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    clocks: Mapping[str, tuple[Clock | None, Clock | None]] = field(default_factory=dict)
    #: What the host would be asked for.
    effects: tuple[Effect, ...] = ()


def takes_over(policy: CompiledPolicy, case: Case) -> bool:
    """Return whether a policy says how cases of the version that a case is under go on."""
    versions = policy.migrates.versions if policy.migrates else ()
    return case.policy.name == policy.ref.name and case.policy.version in versions


def previewed(
    policy: CompiledPolicy, case: Case, step: Step, sensitive: frozenset[str] = frozenset()
) -> MigrationPreview:
    """Return what a migration does to a case.

    Args:
        policy: the version that the case goes on under.
        case: as it stood before.
        step: the one that the migration makes.
        sensitive: paths whose values are not shown, beside those that the policy calls so: those of the version before.
    """
    after, hidden = evolve(case, step), policy.sensitive | sensitive
    return MigrationPreview(
        case_id=case.id,
        before=case.policy.version,
        after=policy.ref.version,
        refused=None if step.verdict == "applied" else step.reason,
        legs=(case.legs, after.legs),
        moves=tuple(move for move in step.moves if move.rule != "migrates"),
        facts={
            name: (_shown(name, case.facts.get(name), hidden), _shown(name, after.facts.get(name), hidden))
            for name in step.changes.facts
        },
        clocks={name: (case.clocks.get(name), after.clocks.get(name)) for name in step.changes.clocks},
        effects=tuple(
            replace(effect, data=open_to_all(step, f"effects/{index}/data", effect.data))
            for index, effect in enumerate(step.effects)
        ),
    )


def _shown(name: str, value: Value, sensitive: frozenset[str]) -> Value:
    if value is not None and name in sensitive:
        return Sealed("")
    if isinstance(value, Mapping):
        return {key: Sealed("") if f"{name}.{key}" in sensitive else item for key, item in value.items()}
    return value


def way_back(
    steps: Sequence[Step], policy: CompiledPolicy, *, actor: str, at: datetime, key: str | None = None
) -> Migrate:
    """Return the input that takes the last migration of a case back.

    The case then stands in the state that it came from, if it has not moved since; else in the one that the map of the
    migration leads from, where that is one. Facts that still are what the migration made of them are as they were before
    it, and clocks that it dropped run on as if they never had been dropped. Whatever else happened since stays.

    Args:
        steps: of the case, from its opening on.
        policy: the version that it is under, which took it over.
        actor: who decided it, such as `ops:7`.
        at: when.
        key: idempotency key.
    Raises:
        InvalidValue: it was not migrated, or that was taken back.
    """
    index = next((n for n in range(len(steps) - 1, -1, -1) if steps[n].changes.policy is not None), None)
    migrated = None if index is None else steps[index]
    if (
        index is None
        or migrated is None
        or not isinstance(migrated.input, Migrate)
        or migrated.input.undoes is not None
    ):
        raise InvalidValue("the case was not taken over from another version")
    before, now = rebuild(steps[:index]), rebuild(steps)
    if before is None or now is None:
        raise InvalidValue("a case begins with its opening")
    after = evolve(before, migrated)
    facts = {
        name: before.facts.get(name)
        for name in migrated.changes.facts
        if now.facts.get(name) == after.facts.get(name)
    }
    return Migrate(
        policy=before.policy,
        actor=actor,
        recorded_at=at,
        key=key,
        undoes=migrated.seq,
        states=_states_back(before, after, now, policy),
        facts=facts,
        clocks={
            name: clock
            for name, clock in before.clocks.items()
            if name in migrated.changes.clocks and not _went_on(clock, after, policy)
        },
    )


def _states_back(before: Case, after: Case, now: Case, policy: CompiledPolicy) -> dict[str, str]:
    """Return states of this version, each with the one of the version before that it came from."""
    declared = policy.migrates.states if policy.migrates else {}
    found: dict[str, list[str]] = {}
    for old, new in declared.items():
        found.setdefault(new, []).append(old)
    states = {new: olds[0] for new, olds in found.items() if len(olds) == 1}
    came_from = {declared.get(old, old): old for old in before.legs.values()}
    stayed = set(now.legs.values()) & set(after.legs.values())
    return {**states, **{new: old for new, old in came_from.items() if new in stayed}}


def _went_on(clock: Clock, after: Case, policy: CompiledPolicy) -> bool:
    """Return whether a clock of the version before was carried over."""
    declared = policy.migrates.states if policy.migrates else {}
    state = clock.state and declared.get(clock.state, clock.state)
    now = after.clocks.get(f"{state}/{clock.name}" if state else clock.name)
    return now is not None and (now.started_at, now.status) == (clock.started_at, clock.status)
