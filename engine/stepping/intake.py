"""What a host gives, read by the policy's declarations: the facts of an opening, the data of an event."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..calendar import zone_names
from ..case import Case
from ..diagnostics import did_you_mean
from ..errors import InvalidValue
from ..literal import Misfit, read_literal
from ..money import Money
from ..policy import RESULT_DATA, CompiledPolicy
from ..policy import Event as EventRule
from ..rules.condition import Constant, worth
from ..step import Event
from ..types import MONEY, ListType, MapType, MoneyType, OptionalType, RecordType, Type, required
from ..values import Value
from .work import MissingFacts, Work

_CURRENCY: Final = re.compile("[A-Z]{3}", re.ASCII)


def read_facts(
    policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime
) -> tuple[dict[str, Value], str | None]:
    """Return the facts that a case opens with, of their types and with defaults, and the case's currency.

    Raises:
        Misfit: a fact is not declared, not of its type, or missing; `path` begins with its name.
    """
    for name in facts:
        if name not in policy.facts:
            hint = did_you_mean(name, policy.facts)
            raise Misfit(f"the policy `{policy.ref.name}` has no fact `{name[:60]}`", (name,), hint)
    given = {name: value for name, value in facts.items() if value is not None}
    currency = _currency_of(policy, given, at)
    found = _typed(policy, given, currency, partial=False)
    _add_defaults(policy, found, at, currency)
    return found, currency


def _currency_of(policy: CompiledPolicy, given: Mapping[str, Any], at: datetime) -> str | None:
    """Return the currency of amounts that name none: the fact `currency`, else what the policy says."""
    currency = given.get("currency")
    term = policy.facts["currency"].default or policy.currency
    if currency is None and term is not None:
        # It may be computed, from facts that are no amounts and their defaults.
        plain = {name: v for name, v in given.items() if not _holds_money(policy.facts[name].type)}
        found = _typed(policy, plain, None, partial=True)
        _add_defaults(policy, found, at, None, partial=True)
        currency = _early(policy, found, at).demand(term)
    if isinstance(currency, str) and _CURRENCY.fullmatch(currency) is None:
        raise Misfit(f"`{currency[:60]}` is not the code of a currency, such as `USD`", ("currency",))
    return currency


def _add_defaults(
    policy: CompiledPolicy,
    found: dict[str, Value],
    at: datetime,
    currency: str | None,
    *,
    partial: bool = False,
) -> None:
    """Add the default of every fact that was not given; defaults may read one another, in any order.

    Their days are those of the case's time zone, as far as that is known without them. With `partial` amounts are left
    out, for their currency is not known yet, and what waits for them.
    """
    waiting = {
        name: rule.default
        for name, rule in policy.facts.items()
        if rule.default and name not in found and not (partial and _holds_money(rule.type))
    }
    while waiting:
        for name, default in list(waiting.items()):
            try:
                work = _early(policy, found, at, zone_name=_zone_so_far(policy, found, at), currency=currency)
                found[name] = work.stored(default)
            except MissingFacts as missing:
                if not partial and missing.missing.isdisjoint(waiting):
                    raise
                continue
            del waiting[name]
            break
        else:
            if partial:
                return
            raise Misfit(f"the defaults of {', '.join(waiting)} wait for one another", (next(iter(waiting)),))


def _holds_money(type_: Type) -> bool:
    match type_:
        case MoneyType():
            return True
        case OptionalType(item) | ListType(item) | MapType(item):
            return _holds_money(item)
        case RecordType(fields=fields):
            return any(_holds_money(field) for _, field in fields)
    return False


def blank(
    policy: CompiledPolicy,
    facts: Mapping[str, Value],
    at: datetime,
    currency: str | None = None,
    zone_name: str = "UTC",
) -> Case:
    """Return what a case is before its opening: facts, and nothing else."""
    return Case(
        id="",
        policy=policy.ref,
        seq=-1,
        at=at,
        legs={},
        facts=facts,
        clocks={},
        payouts={},
        timers=(),
        timezone=zone_name,
        currency=currency,
    )


def _early(
    policy: CompiledPolicy,
    facts: Mapping[str, Value],
    at: datetime,
    zone_name: str = "UTC",
    currency: str | None = None,
) -> Work:
    """Return a working copy in which expressions can be evaluated before there is a case."""
    return Work(policy, blank(policy, facts, at, currency, zone_name), at)


def _zone_so_far(policy: CompiledPolicy, facts: Mapping[str, Value], at: datetime) -> str:
    named = facts.get("timezone") or worth(policy.timezone, _early(policy, facts, at))
    return named if isinstance(named, str) and named in zone_names() else "UTC"


def _typed(
    policy: CompiledPolicy, facts: Mapping[str, Any], currency: str | None, *, partial: bool
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, rule in policy.facts.items():
        if name in facts:
            try:
                found[name] = read_literal(facts[name], rule.type, currency=currency, path=(name,))
            except Misfit:
                if not rule.sensitive:
                    raise
                raise Misfit(
                    f"the fact `{name}` is not of its type, {required(rule.type)}", (name,)
                ) from None
        elif not partial and rule.default is None and not isinstance(rule.type, OptionalType):
            raise Misfit(f"the fact `{name}` is missing", (name,), "give it when the case is opened")
    return found


def zone_of(policy: CompiledPolicy, work: Work) -> str:
    """Return the time zone of a case: the fact `timezone`, else what the policy says.

    Raises:
        Misfit: there is no such zone.
    """
    given = work.facts.get("timezone")
    name = given if given is not None else work.demand(policy.timezone)
    if name not in zone_names():
        raise Misfit(f"`{name[:60]}` is not a time zone", ("timezone",), did_you_mean(name, zone_names()))
    return str(name)


def reading_of(policy: CompiledPolicy, facts: Mapping[str, Any], at: datetime) -> Work:
    """Return a working copy that sees those facts which a policy declares and can read, for `serves`."""
    found: dict[str, Value] = {}
    fixed = policy.currency.value if isinstance(policy.currency, Constant) else None
    given = facts.get("currency")
    currency = given if isinstance(given, str) else fixed
    for name, rule in policy.facts.items():
        if facts.get(name) is None:
            continue
        # What cannot be read stays unknown, and so decides nothing.
        with contextlib.suppress(Misfit):
            found[name] = read_literal(facts[name], rule.type, currency=currency)
    return _early(policy, found, at)


def read_record(event: Event, rule: EventRule, work: Work) -> dict[str, Value]:
    """Return the records that an event leaves, by its name and by `keep_as`.

    Raises:
        Misfit: a field is not declared, not of its type, or missing; `path` begins with its name.
    """
    declared = [item.name for item in rule.fields]
    # In the order of their names: a journal keeps no other.
    for name in sorted(event.data):
        if name not in declared:
            hint = did_you_mean(name, declared)
            raise Misfit(f"the event `{event.name}` has no field `{name[:60]}`", (name,), hint)
    record: dict[str, Value] = {}
    for item in rule.fields:
        value = event.data.get(item.name)
        if value is not None:
            record[item.name] = read_literal(value, item.type, currency=work.currency, path=(item.name,))
        elif item.default is not None:
            record[item.name] = work.stored(item.default)
        elif item.type == required(item.type):
            raise Misfit(f"the field `{item.name}` is missing", (item.name,))
    _sign(record, event, work)
    return dict.fromkeys(dict.fromkeys([event.name, rule.keep_as or event.name]), record)


def read_result(event: Event, rule: EventRule, work: Work, currency: str | None) -> dict[str, Value]:
    """Return the record that a fitting result of a payout leaves by `keep_as`; none where the policy keeps none."""
    if rule.keep_as is None:
        return {}
    record: dict[str, Value] = {
        item.name: read_literal(event.data[item.name], item.type, currency=currency, path=(item.name,))
        for item in rule.fields
        if event.data.get(item.name) is not None
    }
    _sign(record, event, work)
    return {rule.keep_as: record}


def _sign(record: dict[str, Value], event: Event, work: Work) -> None:
    """Add to a record what every event has: when it happened and was recorded, who sent it, and its name."""
    happened = min(floored(event.occurred_at), work.now)
    record.update(at=happened, recorded_at=work.now, by=event.actor, event=event.name)


def unfit_result(event: Event, currency: str | None) -> dict[str, str | None] | None:
    """Return what is wrong with what comes beside a result or verdict on a payout, as values of a reason, or None."""
    known = RESULT_DATA[event.name.rpartition(".")[2]]
    for name, value in sorted(event.data.items()):
        if name not in known:
            problem = f"the event `{event.name}` has no field `{name[:60]}`"
            return {"field": name, "problem": problem, "hint": did_you_mean(name, known)}
        if name == "amount":
            if (unfit := _unfit_amount(value, currency)) is not None:
                return {"field": name, "problem": unfit}
        elif value is not None and not isinstance(value, str):
            return {"field": name, "problem": "a value of type text is due here, such as `some words`"}
    return None


def _unfit_amount(value: Any, currency: str | None) -> str | None:
    try:
        amount = said_amount({"amount": value}, currency)
    except Misfit as misfit:
        return str(misfit)
    if amount is not None and amount.amount < 0:
        return f"the amount {amount} is less than nothing"
    if amount is not None and currency and amount.currency != currency:
        return f"the amount {amount} is of another currency than the payout, {currency}"
    return None


def said_amount(data: Mapping[str, Any], currency: str | None) -> Money | None:
    """Return the amount beside a result or verdict on a payout, or None where it names none.

    Raises:
        Misfit: it is no amount.
    """
    value = data.get("amount")
    return None if value is None else read_literal(value, MONEY, currency=currency, path=("amount",))


def floored(instant: datetime) -> datetime:
    """Return an aware instant in UTC, to the second.

    Raises:
        InvalidValue: it has no offset, or lies outside the years 1 to 9999 in UTC.
    """
    if instant.tzinfo is None:
        raise InvalidValue("an instant needs an offset; pass an aware datetime")
    try:
        return instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise InvalidValue("the instant lies outside the years 1 to 9999") from None
