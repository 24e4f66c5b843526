"""Migrating: a case goes on under another version of its policy. Spec: docs/semantics.md, "Another version".

What the version says of the case's states, facts and clocks is applied to a working copy; a case for which it does not say
enough is refused, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import sla
from ..case import Case, Clock, Reason
from ..literal import Misfit, read_literal
from ..policy import CompiledPolicy, Migrates
from ..step import Migrate, Move
from ..types import RecordType, Type, required
from ..values import Sealed, Value, in_order
from .moving import Mover
from .taking import Refused
from .work import MissingFacts, Work

_AS_BEFORE = Migrates(versions=(), states={}, sets=())


def migrate(mover: Mover, arrived: Migrate) -> None:
    """Carry a case over to the policy of its working copy; nothing is entered, left or paid for it.

    Raises:
        Refused: the policy does not take it over, or does not say enough to do so.
        RuleError: what it sets cannot be computed.
    """
    case, policy = mover.work.case, mover.policy
    rule = _rule(policy, case, arrived)
    states = {**rule.states, **arrived.states}
    legs = _legs(policy, case, states)
    for name in case.payouts:
        if name not in policy.payouts:
            raise _refused(policy, case, f"it has no payout `{name}`, and the case has")
    for leg in policy.legs:
        source = case.legs.get(leg.name)
        mover.work.moves.append(Move(leg=leg.name, source=source, target=legs[leg.name], rule="migrates"))
    mover.work.legs = legs
    _carry_facts(mover.work, rule, arrived)
    _carry_clocks(mover.work, states, arrived.clocks)
    names = {escalation.name for escalation in policy.escalations}
    mover.holding = tuple(name for name in case.holding if name in names)


def _rule(policy: CompiledPolicy, case: Case, arrived: Migrate) -> Migrates:
    """Return what the policy says of the case's version; on a way back the input has said it all."""
    if arrived.policy != policy.ref or policy.ref.name != case.policy.name:
        raise _refused(policy, case, f"the case is one of `{case.policy.name}`")
    if case.policy == policy.ref:
        raise _refused(policy, case, "the case is under this version already")
    if arrived.undoes is not None:
        return _AS_BEFORE
    if policy.migrates is None or case.policy.version not in policy.migrates.versions:
        raise _refused(policy, case, f"it takes over no cases of version `{case.policy.version}`")
    return policy.migrates


def _refused(policy: CompiledPolicy, case: Case, problem: str) -> Refused:
    return Refused(not_migrated(policy, case, problem), None)


def not_migrated(policy: CompiledPolicy, case: Case, problem: str) -> Reason:
    """Return why a case stays under its version."""
    values: dict[str, Value] = {"from": case.policy.version, "to": policy.ref.version, "problem": problem}
    return Reason(code="not_migrated", values=values)


def _legs(policy: CompiledPolicy, case: Case, states: Mapping[str, str]) -> dict[str, str]:
    """Return where each leg of the policy then stands; names of states are unique over all legs."""
    homes = {state: leg.name for leg in policy.legs for state in leg.states}
    legs: dict[str, str] = {}
    for old in case.legs.values():
        new = states.get(old, old)
        if new not in homes:
            raise _refused(policy, case, f"it says nothing of the state `{old}`, and has none of that name")
        if homes[new] in legs:
            raise _refused(
                policy, case, f"both `{legs[homes[new]]}` and `{new}` would be where one leg stands"
            )
        legs[homes[new]] = new
    for leg in policy.legs:
        if leg.name not in legs:
            raise _refused(policy, case, f"it does not say where its leg `{leg.name}` stands")
    return {leg.name: legs[leg.name] for leg in policy.legs}


# --- facts --------------------------------------------------------------------------------------------------------------


def _carry_facts(work: Work, rule: Migrates, arrived: Migrate) -> None:
    """Keep what the policy declares, add its defaults, and then set what the migration sets."""
    policy, case = work.policy, work.case
    given = {**{name: None for name, _ in rule.sets}, **arrived.facts}
    work.facts = {}
    for name, value in {**case.facts, **arrived.facts}.items():
        type_ = policy.facts[name].type if name in policy.facts else policy.records.get(name)
        if type_ is None or value is None:
            continue
        try:
            work.facts[name] = _fitting(value, required(type_), case.currency, name)
        except Misfit:
            if name not in given:
                # The value is not repeated: under the version before it may be sensitive.
                problem = f"`{name}` does not fit it: a value of type {required(type_)} is due there"
                raise _refused(policy, case, problem) from None
    work.changed()
    _add_defaults(work)
    values = [(name, term and work.stored(term)) for name, term in rule.sets]
    for name, value in values:
        if value is None:
            work.facts.pop(name, None)
        else:
            work.facts[name] = value
    for name, fact in policy.facts.items():
        if name not in work.facts and fact.type == required(fact.type):
            raise _refused(policy, case, f"it needs the fact `{name}`, which the case does not have")
    work.changed()


def _fitting(value: Value, type_: Type, currency: str | None, name: str) -> Value:
    """Return a value as one of a type; of a record the fields that the type has.

    Raises:
        Misfit: it is not.
    """
    if isinstance(type_, RecordType) and isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if type_.field(key) is not None}
        if any(isinstance(item, Sealed) for item in value.values()):
            return value
    return (
        value
        if isinstance(value, Sealed)
        else in_order(read_literal(value, type_, currency=currency, path=(name,)))
    )


def _add_defaults(work: Work) -> None:
    """Add the default of every fact that is not there, in whichever order they read one another."""
    waiting = {
        name: fact.default
        for name, fact in work.policy.facts.items()
        if fact.default is not None and name not in work.facts
    }
    while waiting:
        before = len(waiting)
        for name, default in list(waiting.items()):
            try:
                work.facts[name] = work.stored(default)
            except MissingFacts:
                continue
            work.changed()
            del waiting[name]
        if len(waiting) == before:
            # What they wait for is set by the migration, or is refused as missing.
            return


# --- clocks -------------------------------------------------------------------------------------------------------------


def _carry_clocks(work: Work, states: Mapping[str, str], dropped: Mapping[str, Clock]) -> None:
    """Let every clock that the policy has too run on by its rule, under the state that its own became.

    Where the case comes to stand in a state, finished clocks of another one that became it too start anew, as on entering.
    """
    rules = work.policy.clocks
    stood, stands = set(work.case.legs.values()), set(work.legs.values())
    carried = [
        (clock, clock.state and states.get(clock.state, clock.state)) for clock in work.case.clocks.values()
    ]
    work.clocks = {}
    for clock, state in (*carried, *((clock, clock.state) for clock in dropped.values())):
        rule = rules.get(f"{state}/{clock.name}" if state else clock.name)
        runs = clock.status in ("running", "paused")
        starts_anew = not runs and state in stands and clock.state not in stood and state != clock.state
        if rule is not None and not starts_anew and (runs or rule.id not in work.clocks):
            work.clocks[rule.id] = sla.carried(work, rule, clock)
