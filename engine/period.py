"""Periods: lengths of time as people write them, counted on a calendar and not yet on the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from .errors import InvalidValue

Unit = Literal[
    "second",
    "minute",
    "hour",
    "business minute",
    "business hour",
    "day",
    "business day",
    "week",
    "month",
    "year",
]
#: How a period is counted from something: which days count, and which way.
Direction = Literal["after", "from", "before"]
#: How the last day of a period ends.
Ends = Literal["end_of_day", "same_time", "start_of_day"]
#: Where a last day without business moves to.
Roll = Literal["none", "next_business_day", "previous_business_day"]

#: Units of exact length, in seconds; the others depend on the calendar.
EXACT_SECONDS: Final[dict[str, int]] = {"second": 1, "minute": 60, "hour": 3600}
#: Units of exact length that only opening hours count towards, in seconds.
OPENING_SECONDS: Final[dict[str, int]] = {"business minute": 60, "business hour": 3600}
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
#: The most of a unit that a period may hold: six digits.
MAX_COUNT: Final = 999_999
_TEXT: Final = re.compile(rf"(?P<count>\d{{1,6}}) (?P<unit>calendar day|{'|'.join(UNITS)})s?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A whole number of one unit, such as 2 business days."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def exact(self) -> bool:
        """Whether it ends at an instant of its own, as hours and business hours do; days end with their last day."""
        return self.unit in EXACT_SECONDS or self.unit in OPENING_SECONDS

    @property
    def of_business(self) -> bool:
        """Whether it is counted on a calendar of business days."""
        return self.unit == "business day" or self.unit in OPENING_SECONDS


def parse_period(text: str) -> Period:
    """Read `30 days`, `1 month`, `48 hours`, `2 business days`; `calendar days` are days.

    Raises:
        InvalidValue: the text is not a period.

    >>> parse_period("2 business days")
    Period(count=2, unit='business day')
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise InvalidValue(f"`{text[:60]}` is not a period such as `30 days` or `2 business days`")
    unit = "day" if match["unit"] == "calendar day" else match["unit"]
    return Period(int(match["count"]), unit)  # type: ignore[arg-type] # the pattern admits only units
