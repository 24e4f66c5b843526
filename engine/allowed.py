"""Which events may be sent to a case now, by whom and with which data: what a form is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import sla
from .case import Case, Payout
from .errors import RuleError
from .form import object_schema, schema_of
from .policy import RESULT_DATA, RESULTS, VERDICTS, CompiledPolicy, PayoutRule
from .policy import Event as EventRule
from .stepping import approval
from .stepping.moving import Mover
from .stepping.work import Work
from .types import MONEY, TEXT, OptionalType, required


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedField:
    """A field of an event that may be sent."""

    name: str
    #: As the policy would write it, such as `money` or `list of proof`.
    type: str
    #: Whether it must be given.
    required: bool
    sensitive: bool
    #: The JSON Schema of its values.
    schema: Mapping[str, Any]
    #: What it is called, by language; the language is empty where the policy names none.
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An event that somebody listens to. Whether it is taken still turns on its data and on the rules."""

    event: str
    #: Roles that may send it.
    by: tuple[str, ...]
    fields: tuple[AllowedField, ...]
    #: What somebody does who sends it, by language, such as `asks for more time`; the language is empty where the policy
    #: names none.
    says: Mapping[str, str]

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of its data."""
        needed = [field.name for field in self.fields if field.required]
        return object_schema({field.name: dict(field.schema) for field in self.fields}, needed)


def declared(policy: CompiledPolicy) -> tuple[Allowed, ...]:
    """Return every event that a policy declares, whoever may send it and whenever, in its order."""
    return tuple(_allowed(rule, rule.by) for rule in policy.events.values())


def allowed(policy: CompiledPolicy, case: Case, now: datetime) -> tuple[Allowed, ...]:
    """Return the events that a case listens to at an instant, in the order of the policy, then what payouts hear.

    Args:
        policy: what the case is pinned to.
        case: with everything fired that is due.
        now: the instant; case time never goes back.
    """
    mover = Mover(Work(policy, case, max(now, case.at)))
    return (*_events(policy, mover), *_results(mover.work))


def _events(policy: CompiledPolicy, mover: Mover) -> Iterator[Allowed]:
    for name, rule in policy.events.items():
        listening = [candidate for found in mover.listening(name).values() for candidate in found]
        if sla.meets(mover.work, name):
            roles = rule.by
        else:
            roles = tuple(role for role in rule.by if any(role in (c.by or rule.by) for c in listening))
        if roles:
            yield _allowed(rule, roles)


def _allowed(rule: EventRule, roles: tuple[str, ...]) -> Allowed:
    fields = tuple(
        AllowedField(
            name=item.name,
            type=str(required(item.type)),
            required=item.default is None and not isinstance(item.type, OptionalType),
            sensitive=item.sensitive,
            schema=schema_of(item.type),
            says=item.says,
        )
        for item in rule.fields
    )
    return Allowed(event=rule.name, by=roles, fields=fields, says=rule.says)


def _results(work: Work) -> Iterator[Allowed]:
    """Yield what may be said of payouts: what became of those that were asked for, and whether an amount is approved."""
    for name, payout in work.payouts.items():
        rule = work.policy.payouts[name]
        if any(part.status == "needs_approval" for part in payout.parts):
            for verdict in VERDICTS:
                judges = _judges(work, rule, payout, declines=verdict == "declined")
                yield _result(work.policy, name, verdict, judges)
        if any(part.attempt for part in payout.parts):
            yield from (
                _result(work.policy, name, said, (work.policy.host, *rule.reported_by)) for said in RESULTS
            )


def _judges(work: Work, rule: PayoutRule, payout: Payout, *, declines: bool) -> tuple[str, ...]:
    """Return the roles that may approve or decline; where that turns on what is not known here, all that ever may."""
    try:
        tiers = (
            tuple(approval.above(work, rule, payout)) if declines else approval.lacking(work, rule, payout)
        )
    except RuleError:
        tiers = rule.approvals
    return tuple(dict.fromkeys(role for tier in tiers for role in tier.by))


def _result(policy: CompiledPolicy, payout: str, result: str, by: tuple[str, ...]) -> Allowed:
    said = policy.results.get(f"{payout}.{result}")
    types = {name: MONEY if name == "amount" else TEXT for name in RESULT_DATA[result]}
    fields = tuple(
        AllowedField(
            name=name, type=str(type_), required=False, sensitive=False, schema=schema_of(type_), says={}
        )
        for name, type_ in types.items()
    )
    return Allowed(event=f"{payout}.{result}", by=by, fields=fields, says=said.says if said else {})
