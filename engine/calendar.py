"""Local days, time zones and business-day calendars.

Everything here is a pure function of its arguments and of the tzdata package: the machine's own zone files, `TZ` and
`PYTHONTZPATH` play no part.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

from .errors import InvalidValue, RuleError
from .packaged import packaged

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)

#: The years that holiday codes are expanded over; fixed, so that a policy's dates never depend on when it is read.
FIRST_YEAR: Final = 2015
LAST_YEAR: Final = 2045
#: Countries that every version of the holidays library knows which we take; of these it need not be loaded to tell so.
COUNTRIES: Final = (  # noqa: SIM905 - as a list it would fill a page
    "AE AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE ES FI FR GB GR HK HR HU ID IE IL IN IT JP KR LT LU LV MT MX MY"
    " NL NO NZ PE PH PL PT RO SA SE SG SI SK TH TR TW UA US VN ZA"
).split()
_CODE: Final = re.compile(r"[A-Z]{2,8}(-[A-Za-z0-9]{1,8})?")

#: A stretch of a local day on which a calendar is open, in minutes since the day began; 1440 is its end.
Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which days are business days, and for which stretch of time that is known.

    >>> plain = Calendar(name="business")
    >>> plain.add_business_days(date(2026, 3, 14), 1)  # from a Saturday
    datetime.date(2026, 3, 16)
    """

    name: str
    #: ISO weekdays, Monday 1 to Sunday 7.
    weekend: frozenset[int] = frozenset({6, 7})
    holidays: frozenset[date] = field(default=frozenset(), repr=False)
    #: The first and last day for which the calendar is known.
    first: date = date.min
    last: date = date.max
    #: When business is done on each day of the week, Monday first; None where nothing is said of it.
    hours: tuple[tuple[Stretch, ...], ...] | None = None

    def is_business_day(self, day: date) -> bool:
        """Return whether business is done on a local day.

        Raises:
            RuleError: the calendar is not known for that day.
        """
        if not self.first <= day <= self.last:
            raise RuleError(
                f"the calendar `{self.name}` is known from {self.first} to {self.last}, and not for {day}"
            )
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def add_business_days(self, day: date, count: int) -> date:
        """Return the `count`-th business day after a day, or before it if negative; 0 is the day itself.

        Raises:
            RuleError: the counting leaves the days for which the calendar is known.
        """
        days = self._days_from(day, 1 if count > 0 else -1)
        for _ in range(abs(count)):
            day = next(other for other in days if self.is_business_day(other))
        return day

    def next_business_day(self, day: date) -> date:
        """Return the first business day on or after a day."""
        return day if self.is_business_day(day) else self.add_business_days(day, 1)

    def previous_business_day(self, day: date) -> date:
        """Return the last business day on or before a day."""
        return day if self.is_business_day(day) else self.add_business_days(day, -1)

    def count_business_days(self, after: date, upto: date) -> int:
        """Return how many business days lie in (after, upto]; none if `upto` is not later.

        >>> Calendar(name="business").count_business_days(date(2026, 3, 13), date(2026, 3, 16))
        1
        """
        days = (after + timedelta(days=n + 1) for n in range((upto - after).days))
        return sum(self.is_business_day(day) for day in days)

    def _days_from(self, day: date, direction: int) -> Iterator[date]:
        """Yield the days beyond a day, until the calendar is no longer known."""
        while True:
            if day in (date.min, date.max):
                raise RuleError(f"the calendar `{self.name}` has too few business days")
            day += direction * _DAY
            yield day


@cache
def holiday_codes() -> tuple[str, ...]:
    """Return every code that `expand_holidays` takes, parts of countries written as `US-CA`."""
    holidays: Any = importlib.import_module("holidays")
    codes: list[str] = []
    for table in (holidays.list_supported_countries(), holidays.list_supported_financial()):
        for code, parts in table.items():
            codes += [code, *(f"{code}-{part}" for part in parts)]
    return tuple(codes)


@cache
def country_codes() -> dict[str, str]:
    """Return the code of every country by its English name, in small letters and without spaces.

    >>> country_codes()["germany"], country_codes()["unitedstates"]
    ('DE', 'US')
    """
    registry: Any = importlib.import_module("holidays.registry")
    return {name.replace("_", ""): entry[1] for name, entry in registry.COUNTRIES.items()}


def is_holiday_code(code: str) -> bool:
    """Return whether `expand_holidays` takes a code; of a country no holidays are made, of others those of one year.

    >>> is_holiday_code("US"), is_holiday_code("US-CA"), is_holiday_code("US-QQ")
    (True, True, False)
    """
    if code in COUNTRIES:
        return True
    registry: Any = importlib.import_module("holidays.registry")
    if any(code == entry[1] for entry in registry.COUNTRIES.values()):
        return True
    name, _, part = code.partition("-")
    return _CODE.fullmatch(code) is not None and _maker(name, part or None) is not None


def expand_holidays(code: str) -> frozenset[date]:
    """Return the public holidays of a country (`US`), a part of one (`US-CA`) or a market (`NYSE`, `ECB`).

    Days on which a holiday is observed count too. The years are always `FIRST_YEAR` to `LAST_YEAR`, but for codes that
    are known for fewer; `holiday_span` tells.

    Raises:
        InvalidValue: the holidays library has no such code; `holiday_codes` lists them.

    >>> date(2026, 7, 3) in expand_holidays("US")
    True
    """
    return frozenset[date]().union(*_holidays_by_year(code).values())


def holiday_span(code: str) -> tuple[date, date]:
    """Return the first and the last day for which the holidays of a code are known.

    Raises:
        InvalidValue: the holidays library has no such code.

    >>> holiday_span("US")
    (datetime.date(2015, 1, 1), datetime.date(2045, 12, 31))
    """
    years = _holidays_by_year(code)
    return date(min(years), 1, 1), date(max(years), 12, 31)


@cache
def _holidays_by_year(code: str) -> dict[int, frozenset[date]]:
    """Return the holidays of every year that the library vouches for."""
    name, _, part = code.partition("-")
    make = _maker(name, part or None) if _CODE.fullmatch(code) else None
    if make is None:
        raise InvalidValue(f"`{code[:60]}` is not a holiday code, such as `US`, `US-CA` or `NYSE`")
    known: dict[int, frozenset[date]] = {}
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            days = make(year)
        # The library warns where it knows only some of a year's holidays, and is silent where it knows none.
        if not told and days.start_year <= year <= days.end_year:
            known[year] = frozenset(days)
    return known


def _maker(name: str, part: str | None) -> Callable[[int], Any] | None:
    """Return what makes the holidays of a year, or None for a code that nobody knows.

    The code is tried, for the library's lists of codes import every country there is.
    """
    holidays: Any = importlib.import_module("holidays")
    for make in (holidays.country_holidays, holidays.financial_holidays):
        try:
            make(name, subdiv=part, years=FIRST_YEAR, expand=False)
        except NotImplementedError:
            continue
        return partial(_of_year, make, name, part)
    return None


def _of_year(make: Callable[..., Any], name: str, part: str | None, year: int) -> Any:
    return make(name, subdiv=part, years=year, expand=False)


@cache
def zone_names() -> frozenset[str]:
    """Return the name of every time zone of the tzdata package."""
    return frozenset(packaged("tzdata", "zones").decode("utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, read from the tzdata package.

    Raises:
        InvalidValue: there is no such zone; `zone_names` lists them.

    >>> zone("Asia/Bangkok").key
    'Asia/Bangkok'
    """
    if name not in zone_names():
        raise InvalidValue(f"`{name[:60]}` is not a time zone such as `America/New_York`")
    return ZoneInfo.from_file(BytesIO(packaged("tzdata", "zoneinfo", name)), key=name)


def tzdata_version() -> str:
    """Return the release of the time zone rules, such as `2026a`; steps record it."""
    return str(importlib.import_module("tzdata").IANA_VERSION)


def to_local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the wall clock of a zone at an instant, floored to the second.

    Raises:
        RuleError: the wall clock would leave the years 1 to 9999.
    """
    try:
        return instant.astimezone(zone).replace(microsecond=0)
    except OverflowError:
        raise RuleError("an instant lies outside the years 1 to 9999") from None


def at_wall_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which a zone's clocks show a day and time.

    Where clocks leap over it, it moves forward by the leap; where they show it twice, it is the first.

    Raises:
        RuleError: the instant would leave the years 1 to 9999.

    >>> at_wall_clock(date(2026, 3, 8), time(2, 30), zone("America/New_York")).isoformat()
    '2026-03-08T07:30:00+00:00'
    """
    try:
        # fold=0 reads a time that does not exist with the offset before the leap, and a double one as the first.
        return datetime.combine(day, clock.replace(microsecond=0, fold=0), zone).astimezone(UTC)
    except OverflowError:
        raise RuleError("an instant lies outside the years 1 to 9999") from None


def first_at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) at which a zone's clocks show a day and time or a later one.

    Where clocks leap over it, that is the leap itself; where they show it twice, the first.

    Raises:
        RuleError: the instant would leave the years 1 to 9999.

    >>> first_at(date(2026, 3, 8), time(2, 30), zone("America/New_York")).isoformat()
    '2026-03-08T07:00:00+00:00'
    """
    late = at_wall_clock(day, clock, zone)
    wanted = datetime.combine(day, clock)
    if to_local(late, zone).replace(tzinfo=None) == wanted:
        return late
    # It was leapt over, by a leap that ended by now and may have begun a whole date before.
    early = late - _DAY
    while late - early > _SECOND:
        middle = (early + (late - early) / 2).replace(microsecond=0)
        passed = to_local(middle, zone).replace(tzinfo=None) >= wanted
        early, late = (early, middle) if passed else (middle, late)
    return late


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) of a local date; of the next date there is, where the zone skipped it.

    Raises:
        RuleError: the instant would leave the years 1 to 9999.

    >>> start_of_day(date(2026, 3, 29), zone("Asia/Beirut")).isoformat()  # clocks leap from 00:00 to 01:00
    '2026-03-28T22:00:00+00:00'
    """
    return first_at(day, time(), zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last second (UTC) of a local date: the one before the next local date begins.

    Raises:
        RuleError: the instant would leave the years 1 to 9999.

    >>> end_of_day(date(2026, 3, 5), zone("America/New_York")).isoformat()
    '2026-03-06T04:59:59+00:00'
    """
    if day == date.max:
        raise RuleError("a date lies after the year 9999")
    return start_of_day(day + _DAY, zone) - _SECOND
