"""What a case asked of its host at an instant, and whether that is what a scenario expects.

Scenario files hold plain data, effects hold typed values: each value says how the text beside it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from ..errors import InvalidValue
from ..literal import read_literal
from ..money import Money
from ..period import Period
from ..step import Step
from ..types import DATE, DECIMAL, DURATION, MONEY, PERIOD, TIMESTAMP, Type
from ..values import Value

#: Which type a text has beside a value; a timestamp is a date, too, and so stands before it.
_READ_AS: Final[tuple[tuple[type, Type], ...]] = (
    (Money, MONEY),
    (datetime, TIMESTAMP),
    (date, DATE),
    (timedelta, DURATION),
    (Period, PERIOD),
    (Fraction, DECIMAL),
)


def asked_at(journal: Iterable[Step], at: datetime) -> tuple[Mapping[str, Value], ...]:
    """Return the effects that a case asked for at an instant, each as its kind with its data, in their order."""
    return tuple({effect.kind: effect.data} for step in journal if step.at == at for effect in step.effects)


def are_among(expected: Sequence[Any], asked: Sequence[Value]) -> bool:
    """Tell whether effects were asked for in this order; others may stand between them, but none where none is expected."""
    if not expected:
        return not asked
    left = iter(asked)
    return all(any(fits(wanted, item) for item in left) for wanted in expected)


def fits(wanted: Any, actual: Value) -> bool:
    """Tell whether a value is what plain data say; of a map only the named fields are looked at."""
    match actual:
        case Mapping():
            return isinstance(wanted, Mapping) and all(
                key in actual and fits(item, actual[key]) for key, item in wanted.items()
            )
        case list() | tuple():
            return isinstance(wanted, list) and len(wanted) == len(actual) and all(map(fits, wanted, actual))
        case bool() | int() | str() | None:
            return type(wanted) is type(actual) and bool(wanted == actual)
    read_as = next((type_ for kind, type_ in _READ_AS if isinstance(actual, kind)), None)
    try:
        return (
            read_as is not None
            and read_literal(wanted, read_as, currency=getattr(actual, "currency", None)) == actual
        )
    except InvalidValue:
        return False
