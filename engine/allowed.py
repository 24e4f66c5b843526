"""Which events may be sent to a case now, by whom and with which data: what a form is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from . import sla
from .case import Case
from .moving import Mover
from .policy import HOST, RESULT_DATA, RESULTS, CompiledPolicy
from .policy import Event as EventRule
from .types import OptionalType, required
from .work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedField:
    """A field of an event that may be sent."""

    name: str
    #: As the policy would write it, such as `money` or `list of proof`.
    type: str
    #: Whether it must be given.
    required: bool
    sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An event that somebody listens to now. Whether it is taken still turns on its data and on the rules."""

    event: str
    #: Roles that may send it.
    by: tuple[str, ...]
    fields: tuple[AllowedField, ...]


def allowed(policy: CompiledPolicy, case: Case, now: datetime) -> tuple[Allowed, ...]:
    """Return the events that a case listens to at an instant, in the order of the policy, then what payouts hear.

    Args:
        policy: what the case is pinned to.
        case: with everything fired that is due.
        now: the instant; case time never goes back.
    """
    mover = Mover(Work(policy, case, max(now, case.at)))
    return (*_events(policy, mover), *_results(policy, case))


def _events(policy: CompiledPolicy, mover: Mover) -> Iterator[Allowed]:
    for name, rule in policy.events.items():
        listening = [candidate for found in mover.listening(name).values() for candidate in found]
        if sla.meets(mover.work, name):
            roles = rule.by
        else:
            roles = tuple(role for role in rule.by if any(role in (c.by or rule.by) for c in listening))
        if roles:
            yield Allowed(event=name, by=roles, fields=_fields(rule))


def _fields(rule: EventRule) -> tuple[AllowedField, ...]:
    return tuple(
        AllowedField(
            name=item.name,
            type=str(required(item.type)),
            required=item.default is None and not isinstance(item.type, OptionalType),
            sensitive=item.sensitive,
        )
        for item in rule.fields
    )


def _results(policy: CompiledPolicy, case: Case) -> Iterator[Allowed]:
    fields = tuple(
        AllowedField(name=name, type="text", required=False, sensitive=False) for name in RESULT_DATA
    )
    for name, payout in case.payouts.items():
        if any(part.attempt for part in payout.parts):
            roles = (HOST, *policy.payouts[name].reported_by)
            yield from (Allowed(event=f"{name}.{result}", by=roles, fields=fields) for result in RESULTS)
