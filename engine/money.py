"""Money: an exact amount of one currency.

Amounts are exact rationals until they are stored or paid; `rounded` is called there, once.
Exponents: ISO 4217, list one (the currencies whose minor unit is not a hundredth). Amounts may be of any three letters:
a journal is read by every engine, also by one that does not know a newer currency. Authors are asked for known ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from .errors import InvalidValue, RuleError

Rounding = Literal["half_up", "half_even", "down", "up"]
ROUNDINGS: Final[tuple[Rounding, ...]] = ("half_up", "half_even", "down", "up")

#: The parts of an amount that conditions count in: no currency has smaller minor units.
UNITS: Final = 10_000
#: Minor-unit digits of the currencies that do not have two.
_EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
#: ISO 4217: list one of 2026, and what was withdrawn since 2015, for old cases and old versions still speak of it.
CURRENCIES: Final[frozenset[str]] = frozenset(
    (  # noqa: SIM905 - a list would be a hundred and ninety lines
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP "
        "GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
        "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
        "MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD "
        "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
        "USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD "
        "XPF XPT XSU XTS XUA YER ZAR ZMW ZWG "
        "ANG BGN BYR CUC HRK LTL MRO SLL STD VEF ZWL"
    ).split()
)
_TEXT: Final = re.compile(r"(?P<amount>-?\d{1,18}(?:\.\d{1,12})?)(?: (?P<currency>[A-Z]{3}))?", re.ASCII)


def exponent(currency: str) -> int:
    """Return how many digits a currency's minor unit has.

    >>> exponent("USD"), exponent("JPY"), exponent("KWD")
    (2, 0, 3)
    """
    return _EXPONENTS.get(currency, 2)


class _Remembers:
    """What an amount remembers of itself once it was asked for; no part of its value."""

    __slots__ = ("units",)

    #: What `in_units` says.
    units: int | None


@dataclass(frozen=True, slots=True)
class Money(_Remembers):
    """An exact amount of a currency (three capital letters). `0` of an unknown currency has currency ""."""

    amount: Fraction
    currency: str

    def __str__(self) -> str:
        return f"{decimal_text(self.amount, exponent(self.currency))} {self.currency}".rstrip()

    def _common(self, other: Money) -> str:
        """Return the currency of both; zero is money of any currency."""
        if self.currency == other.currency:
            return self.currency
        if not self.amount and not self.currency:
            return other.currency
        if not other.amount and not other.currency:
            return self.currency
        raise RuleError(f"{self.currency} and {other.currency} cannot be mixed")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + other.amount, self._common(other))

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - other.amount, self._common(other))

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._common(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._common(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def times(self, factor: Fraction | int) -> Money:
        """Return the amount multiplied by a number, exactly.

        >>> str(Money(Fraction(10), "USD").times(Fraction(1, 4)))
        '2.50 USD'
        """
        return Money(self.amount * factor, self.currency)

    def divided_by(self, divisor: Fraction | int) -> Money:
        """Return the amount divided by a number, exactly.

        Raises:
            RuleError: the divisor is zero.
        """
        if not divisor:
            raise RuleError("division by zero")
        return Money(self.amount / divisor, self.currency)

    def ratio(self, other: Money) -> Fraction:
        """Return how many times the other amount goes into this one, exactly.

        Raises:
            RuleError: the other amount is zero, or of another currency.
        """
        self._common(other)
        if not other.amount:
            raise RuleError("division by zero")
        return self.amount / other.amount

    def rounded(self, mode: Rounding = "half_up") -> Money:
        """Return the amount in whole minor units.

        >>> str(Money(Fraction("0.125"), "USD").rounded("half_even"))
        '0.12 USD'
        >>> str(Money(Fraction("2.5"), "JPY").rounded("half_up"))
        '3 JPY'
        """
        scale = 10 ** exponent(self.currency)
        return Money(Fraction(_whole(self.amount * scale, mode), scale), self.currency)


def _whole(value: Fraction, mode: Rounding) -> int:
    magnitude = abs(value)
    floor = magnitude.numerator // magnitude.denominator
    rest = magnitude - floor
    half = Fraction(1, 2)
    up = {
        "down": False,
        "up": rest > 0,
        "half_up": rest >= half,
        "half_even": rest > half or (rest == half and floor % 2 == 1),
    }[mode]
    return (floor + up) * (1 if value >= 0 else -1)


def parse_money(text: str, currency: str | None = None) -> Money:
    """Read `100 USD`, or `100` of the given currency.

    Raises:
        InvalidValue: the text is not an amount, or names no currency and none is given.

    >>> str(parse_money("42.5 USD")), str(parse_money("250", "JPY"))
    ('42.50 USD', '250 JPY')
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise InvalidValue(f"`{text[:60]}` is not an amount of money such as `12.50 USD`")
    found = match["currency"] or currency
    if found is None:
        raise InvalidValue(f"`{text[:60]}` names no currency")
    return Money(Fraction(match["amount"]), found)


def in_units(money: Money) -> int | None:
    """Return an amount in ten-thousandths, or None if it is no whole number of them; asked again, `money.units` tells.

    Conditions compare amounts over and over, and ints are compared in a fifth of the time of fractions.

    >>> in_units(Money(Fraction("12.5"), "USD")), in_units(Money(Fraction(1, 3), "USD"))
    (125000, None)
    """
    amount = money.amount
    whole, rest = divmod(UNITS, amount.denominator)
    found = None if rest else amount.numerator * whole
    object.__setattr__(money, "units", found)
    return found


def decimal_text(value: Fraction, digits: int = 0) -> str:
    """Write an exact number: as a decimal with at least `digits` digits, or `n/d` if it has no end.

    >>> decimal_text(Fraction(5, 2), 2), decimal_text(Fraction(1, 3)), decimal_text(Fraction(-4))
    ('2.50', '1/3', '-4')
    """
    denominator = value.denominator
    places = 0
    while denominator % 10 == 0:
        denominator //= 10
        places += 1
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    if denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(places + max(twos, fives), digits)
    scaled = abs(value.numerator) * 10**places // value.denominator
    sign = "-" if value < 0 else ""
    if not places:
        return f"{sign}{scaled}"
    whole, part = divmod(scaled, 10**places)
    return f"{sign}{whole}.{part:0{places}d}"
