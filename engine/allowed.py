"""Which events may be sent to a case now, by whom and with which data: what a form is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from . import sla
from .case import Case
from .policy import HOST, RESULT_DATA, RESULTS, VERDICTS, CompiledPolicy
from .policy import Event as EventRule
from .stepping.moving import Mover
from .stepping.work import Work
from .types import OptionalType, required


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
    """Yield what may be said of payouts: what became of those that were asked for, and whether an amount is approved."""
    for name, payout in case.payouts.items():
        rule = policy.payouts[name]
        if any(part.status == "needs_approval" for part in payout.parts):
            judges = tuple(dict.fromkeys(role for tier in rule.approvals for role in tier.by))
            yield from (_result(name, verdict, judges) for verdict in VERDICTS)
        if any(part.attempt for part in payout.parts):
            yield from (_result(name, result, (HOST, *rule.reported_by)) for result in RESULTS)


def _result(payout: str, result: str, by: tuple[str, ...]) -> Allowed:
    fields = tuple(
        AllowedField(name=name, type="money" if name == "amount" else "text", required=False, sensitive=False)
        for name in RESULT_DATA[result]
    )
    return Allowed(event=f"{payout}.{result}", by=by, fields=fields)
