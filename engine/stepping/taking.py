"""Taking an event: whether it may come now, what each leg chooses, and what it is refused for.

Spec: docs/semantics.md, "An event". What it does to the case is moving.py's; this room only asks and chooses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import payout, sla
from ..case import Approval, Reason
from ..diagnostics import did_you_mean
from ..literal import Misfit
from ..policy import RESULTS, VERDICTS, Candidate, PayoutRule
from ..policy import Event as EventRule
from ..step import REFUSED, Event
from ..values import Value
from . import approval
from .choose import Chosen, choose
from .intake import read_record, read_result, said_amount, unfit_result
from .moving import Mover, Taken
from .work import MissingFacts, Work


class Refused(Exception):  # noqa: N818 - it ends a step, and never leaves decide
    """The step moves nothing, for a reason."""

    def __init__(self, reason: Reason, decision: Value = REFUSED) -> None:
        self.reason = reason
        self.decision = decision


def take(mover: Mover, event: Event) -> None:
    """Check, choose, store and move.

    Raises:
        Refused: it may not come now.
        MissingFacts: it turns on facts that are missing.
    """
    name, _, result = event.name.rpartition(".")
    if name in mover.policy.payouts:
        _take_result(mover, event, name, result)
        return
    rule = mover.policy.events.get(event.name)
    if rule is None:
        own = (f"{name}.{said}" for name, paid in mover.policy.payouts.items() for said in _said_of(paid))
        hint = did_you_mean(event.name, [*mover.policy.events, *own])
        raise Refused(built_in("unknown_event", event=event.name, hint=hint))
    _check_role(event, rule.by)
    try:
        mover.work.arrive(read_record(event, rule, mover.work))
    except Misfit as misfit:
        raise Refused(_invalid_data(event, rule, misfit)) from None
    if not is_accepted(mover, event.name):
        raise Refused(_not_accepted(mover, event.name))
    taken = _chosen(mover, event)
    mover.work.keep()
    mover.go(taken)
    sla.happened(mover.work, event.name)


def _said_of(rule: PayoutRule) -> tuple[str, ...]:
    """Return the last words of the events that a payout has of its own."""
    return (*RESULTS, *VERDICTS) if rule.approvals else RESULTS


def _check_role(event: Event, allowed: tuple[str, ...]) -> None:
    """Refuse a role that may not send the event."""
    if event.role not in allowed:
        raise Refused(built_in("role_not_allowed", role=event.role, event=event.name, allowed=allowed))


def _not_accepted(mover: Mover, event: str) -> Reason:
    """Return why no leg listens: those that ever do have ended, and the first of them says how; or they wait for something else."""
    standing = dict(mover.standing())
    theirs = [state for leg, state in standing.items() if mover.ever_listens(leg, event)]
    if any(state.final is None for state in theirs or standing.values()):
        waiting = ", ".join(state.name for state in standing.values() if state.final is None)
        accepted = tuple(name for name in mover.policy.events if is_accepted(mover, name))
        return built_in("not_accepted", event=event, state=waiting, accepted=accepted)
    state = next(iter(theirs or standing.values()))
    reason = mover.work.because(state.final or "closed", f"{state.name}.final")
    return replace(reason, values={**reason.values, "event": event, "state": state.name})


def is_accepted(mover: Mover, event: str) -> bool:
    """Return whether a leg listens to an event now, or a running clock is met by it."""
    return bool(mover.listening(event)) or sla.meets(mover.work, event)


def _chosen(mover: Mover, event: Event) -> list[Taken]:
    """Choose in every leg that listens, before any of them moves; one that cannot go on stops them all.

    What one leg surely refuses is refused, whatever another does not know.
    """
    taken: list[Taken] = []
    missing: frozenset[str] = frozenset()
    for leg, candidates in mover.listening(event.name).items():
        try:
            pick = _picked(mover, candidates, event.role)
        except MissingFacts as undecided:
            missing |= undecided.missing
        else:
            if pick.candidate and pick.outcome:
                taken.append((leg, pick.candidate, pick.outcome))
    if missing:
        raise MissingFacts(missing)
    return taken


def _picked(mover: Mover, candidates: tuple[Candidate, ...], role: str) -> Chosen:
    """Choose among the candidates of one leg, or end the step."""
    chosen = mover.chosen(choose(mover.work, candidates, role))
    if chosen.candidate is None:
        values = {"missing": chosen.lacking} if chosen.lacking else {}
        code = "missing_facts" if chosen.lacking else "not_allowed"
        because = chosen.window_reason or mover.work.because(code, None)
        raise Refused(replace(because, values={**because.values, **values}))
    _check_refusal(mover, chosen)
    return chosen


def _check_refusal(mover: Mover, chosen: Chosen) -> None:
    """Refuse what the candidate that was chosen refuses."""
    outcome = chosen.outcome
    if chosen.candidate and outcome and outcome.refuse is not None:
        code = mover.work.demand(outcome.refuse)
        decision = mover.work.stored(outcome.decision) if outcome.decision else REFUSED
        raise Refused(mover.work.because(code, chosen.candidate.id, chosen.candidate.sources), decision)


def _take_result(mover: Mover, event: Event, name: str, result: str) -> None:
    """Take what the host reports of a payout, which moves its part in any state, or what somebody says to its amount."""
    rule = mover.policy.payouts[name]
    known = _said_of(rule)
    if result not in known:
        hint = did_you_mean(event.name, [*mover.policy.events, *(f"{name}.{one}" for one in known)])
        raise Refused(built_in("unknown_event", event=event.name, hint=hint))
    judges = tuple(dict.fromkeys(role for tier in rule.approvals for role in tier.by))
    _check_role(event, judges if result in VERDICTS else (mover.policy.host, *rule.reported_by))
    found = mover.work.payouts.get(name)
    currency = found.granted.currency if found else mover.work.currency
    if (misfit := unfit_result(event, currency)) is not None:
        raise Refused(built_in("invalid_data", event=event.name, **misfit))
    mover.role = event.role
    if result in VERDICTS:
        heard = payout.judge(mover.work, name, _verdict(mover, rule, event, declined=result == "declined"))
    else:
        heard = report(mover.work, event)
    if heard:
        mover.work.raised.append(event.name)


def report(work: Work, event: Event) -> bool:
    """Take a fitting result of a payout, and keep its record where the policy does; return whether the legs are to hear of it."""
    name, _, result = event.name.rpartition(".")
    _keep(work, event)
    return payout.report(work, name, result, event.data)


def _keep(work: Work, event: Event) -> None:
    """Keep what is said of a payout as a record, where the policy does."""
    found, rule = work.payouts.get(event.name.rpartition(".")[0]), work.policy.results.get(event.name)
    if rule is not None:
        work.arrive(read_result(event, rule, work, found.granted.currency if found else work.currency))
        work.keep()


def _verdict(mover: Mover, rule: PayoutRule, event: Event, *, declined: bool) -> Approval:
    """Return what somebody says to a payout's amount, unless nobody is to, or not they, or not now."""
    work = mover.work
    objection = approval.objection(work, rule, event, declines=declined)
    if objection is not None:
        raise Refused(objection)
    _keep(work, event)
    for candidates in mover.listening(event.name).values():
        # Whether one takes it is asked when it is the last that was lacking; whether one refuses it, each time.
        if any(item and item.refuse for one in candidates for item in (one.outcome, one.unknown)):
            before = len(work.trace)
            _check_refusal(mover, choose(work, candidates, event.role))
            del work.trace[before:]
    found = work.payouts[rule.name]
    upto = said_amount(event.data, found.granted.currency)
    return approval.given(found, event, at=work.now, upto=upto, declined=declined)


def _invalid_data(event: Event, rule: EventRule, misfit: Misfit) -> Reason:
    """Return why data cannot be taken; of a sensitive field nothing is repeated."""
    secret = any(item.sensitive and item.name in misfit.path[:1] for item in rule.fields)
    return built_in(
        "invalid_data",
        event=event.name,
        field=".".join(map(str, misfit.path[:1] if secret else misfit.path)),
        problem="the value is not of its type" if secret else str(misfit),
        hint=None if secret else misfit.hint,
    )


def built_in(code: str, **values: Any) -> Reason:
    """Return a reason that every policy has, with what is known of it."""
    return Reason(code=code, values={key: value for key, value in values.items() if value is not None})
