"""Periods: lengths of time as people write them, counted on a calendar and not yet on the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from .errors import InvalidValue

Unit = Literal["second", "minute", "hour", "day", "business day", "week", "month", "year"]

#: Units of exact length, in seconds; the others depend on the calendar.
EXACT_SECONDS: Final[dict[str, int]] = {"second": 1, "minute": 60, "hour": 3600}
UNITS: Final[tuple[Unit, ...]] = ("second", "minute", "hour", "day", "business day", "week", "month", "year")
_TEXT: Final = re.compile(
    r"(?P<count>\d{1,6}) (?P<unit>second|minute|hour|day|calendar day|business day|week|month|year)s?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Period:
    """A whole number of one unit, such as 2 business days."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def exact(self) -> bool:
        """Whether it has the same length everywhere: hours, minutes and seconds do, days do not."""
        return self.unit in EXACT_SECONDS


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
