"""What one step asks of other cases and of the host: the questions, and the answers that it reads.

A question that is not answered yet ends the attempt: the driver answers it, and decides again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..calendar import start_of_day, to_local, zone
from ..literal import Misfit, plain, read_literal
from ..moment import CompiledMoment, MomentEnv, evaluate_moment
from ..money import Money
from ..policy import Balance, Lookup
from ..step import Answered, Query, Same
from ..types import ListType, MoneyType, Type
from ..values import Sealed, Unknown, Value, in_order

Answers = Mapping[Query, Any]
_MONTHS_OF_QUARTER: Final = 3
#: What is told of a balance.
_TAKEN: Final = ListType(MoneyType())


class Asked(Exception):  # noqa: N818 - it ends an attempt, and never leaves `decide`
    """A step needs an answer that it was not given."""

    def __init__(self, query: Query) -> None:
        super().__init__(query.name)
        self.query = query


class Asking:
    """The answers that a step was given, and those that it has read."""

    def __init__(self, answers: Answers) -> None:
        self._given = answers
        self._read: dict[Query, Value] = {}

    def answer(self, query: Query, type_: Type, currency: str | None) -> Value:
        """Return what a question was answered with, of its type; None where nobody knows.

        Raises:
            Asked: it was not answered yet.
            InvalidValue: the answer is not of its type.
        """
        if query not in self._read:
            if query not in self._given:
                raise Asked(query)
            self._read[query] = _typed(query.name, self._given[query], type_, currency)
        return self._read[query]

    @property
    def read(self) -> tuple[Answered, ...]:
        """What was read, in order."""
        return tuple(Answered(query=query, value=value) for query, value in self._read.items())


def _typed(name: str, answer: Any, type_: Type, currency: str | None) -> Value:
    if answer is None:
        return None
    try:
        return in_order(read_literal(plain({name: answer})[name], type_, currency=currency, path=(name,)))
    except Misfit as misfit:
        raise Misfit(f"the answer to `{name}` cannot be used: {misfit}", misfit.path, misfit.hint) from misfit


# --- questions ----------------------------------------------------------------------------------------------------------


def ask_lookup(rule: Lookup, asking: Asking, env: MomentEnv, at: datetime, currency: str | None) -> Value:
    """Return the value of a lookup, or Unknown where a fact that it asks about is missing, or nobody knows.

    Args:
        rule: the lookup.
        asking: holds the answers.
        env: the facts of the case that asks.
        at: the step's instant, up to which other cases count.
        currency: of the case that asks.
    """
    same = _same(rule.same, env)
    if isinstance(same, Unknown):
        return same
    if rule.kind == "sum" and not currency:
        return Unknown(frozenset({"currency"}))
    since = _since(rule.within, env, at)
    if isinstance(since, Unknown):
        return since
    query = Query(
        kind=rule.kind,
        name=rule.name,
        same=same,
        policies=rule.policies,
        states=rule.states,
        decisions=rule.decisions,
        payout=rule.payout,
        figure=rule.figure,
        currency=currency if rule.kind == "sum" else None,
        since=since,
        until=at,
    )
    found = asking.answer(query, rule.type, currency)
    return Unknown(frozenset({rule.name})) if found is None else found


def ask_taken(rule: Balance, of: Value, asking: Asking, currency: str | None) -> tuple[Money, ...]:
    """Return what other cases have taken of a balance, an amount for each currency.

    Args:
        rule: the balance.
        of: the value of its fact.
        asking: holds the answers.
        currency: of amounts that name none.
    """
    query = Query(kind="taken", name=rule.name, same=(Same(fact=rule.of, value=of),))
    told = asking.answer(query, _TAKEN, currency) or ()
    return tuple(amount for amount in told if amount.amount)


def _same(facts: tuple[str, ...], env: MomentEnv) -> tuple[Same, ...] | Unknown:
    values = [(fact, env.value(fact)) for fact in facts]
    missing = [name for name, value in values if isinstance(value, Unknown | Sealed)]
    if missing:
        return Unknown(frozenset(missing))
    return tuple(Same(fact=name, value=value) for name, value in values)


def _since(within: CompiledMoment | str | None, env: MomentEnv, at: datetime) -> datetime | Unknown | None:
    """Return the first instant that counts: a period back, or the beginning of what the calendar is in."""
    if within is None:
        return None
    if isinstance(within, str):
        return _begin(within, at, env.zone)
    back = evaluate_moment(within, env, at)
    if isinstance(back, Unknown):
        return back
    # What happens on a day counts up to the end of the last day, so at its end all of the first one does.
    return _begin("day", back.at, zone(back.counted.timezone or env.zone.key)) if back.whole_day else back.at


def _begin(unit: str, at: datetime, here: ZoneInfo) -> datetime:
    """Return the first instant of the day, week, month, quarter or year that a zone is in."""
    day = to_local(at, here).date()
    match unit:
        case "week":
            day -= timedelta(days=day.weekday())
        case "month":
            day = day.replace(day=1)
        case "quarter":
            first = (day.month - 1) // _MONTHS_OF_QUARTER * _MONTHS_OF_QUARTER + 1
            day = day.replace(month=first, day=1)
        case "year":
            day = day.replace(month=1, day=1)
    return start_of_day(day, here)
