"""Numbers and money: the implementations behind the operators, with every way in which they fail.

Ints have 64 bits, decimals and money are exact. Every failure is a `RuleError`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from ..errors import RuleError
from ..money import Money, exponent
from ..values import Value
from .tokens import INT_MAX, INT_MIN

#: A decimal may need so many bits above and below the line; rules that feed on their own results end here.
MAX_BITS: Final = 4096
#: A text or list made by `+` may be so long.
MAX_JOINED: Final = 100_000


def whole(value: int) -> int:
    """Return an int that fits into 64 bits.

    Raises:
        RuleError: it does not.
    """
    if INT_MIN <= value <= INT_MAX:
        return value
    raise RuleError("the result does not fit into 64 bits")


def exact(value: Fraction) -> Fraction:
    """Return a decimal of bearable size.

    Raises:
        RuleError: it has too many digits.
    """
    if value.denominator.bit_length() > MAX_BITS or value.numerator.bit_length() > MAX_BITS:
        raise RuleError("the result has too many digits")
    return value


def add_ints(left: int, right: int) -> int:
    """Add."""
    return whole(left + right)


def subtract_ints(left: int, right: int) -> int:
    """Subtract."""
    return whole(left - right)


def multiply_ints(left: int, right: int) -> int:
    """Multiply."""
    return whole(left * right)


def divide_ints(left: int, right: int) -> int:
    """Divide and cut the fraction off, as CEL does.

    >>> divide_ints(-7, 2)
    -3
    """
    if not right:
        raise RuleError("division by zero")
    quotient = abs(left) // abs(right)
    return whole(quotient if (left < 0) == (right < 0) else -quotient)


def remainder(left: int, right: int) -> int:
    """Return what a division leaves, with the sign of the dividend, as CEL does.

    >>> remainder(-7, 2)
    -1
    """
    if not right:
        raise RuleError("division by zero")
    return left - right * divide_ints(left, right)


def negate_int(value: int) -> int:
    """Negate."""
    return whole(-value)


def absolute_int(value: int) -> int:
    """Return the magnitude."""
    return whole(abs(value))


def add_decimals(left: Fraction, right: Fraction) -> Fraction:
    """Add."""
    return exact(left + right)


def subtract_decimals(left: Fraction, right: Fraction) -> Fraction:
    """Subtract."""
    return exact(left - right)


def multiply_decimals(left: Fraction, right: Fraction) -> Fraction:
    """Multiply."""
    return exact(left * right)


def divide_decimals(left: Fraction, right: Fraction) -> Fraction:
    """Divide, exactly."""
    if not right:
        raise RuleError("division by zero")
    return exact(left / right)


def cut(value: Fraction) -> int:
    """Return the whole part, towards zero."""
    return whole(int(value))


def rounded(value: Fraction) -> int:
    """Return the nearest int; a half goes away from zero.

    >>> rounded(Fraction(5, 2)), rounded(Fraction(-5, 2))
    (3, -3)
    """
    magnitude = int(abs(value) + Fraction(1, 2))
    return whole(magnitude if value >= 0 else -magnitude)


def scale_money(amount: Money, factor: Fraction) -> Money:
    """Multiply an amount by a number."""
    return Money(exact(amount.amount * factor), amount.currency)


def scaled_money(factor: Fraction, amount: Money) -> Money:
    """Multiply a number by an amount."""
    return scale_money(amount, factor)


def divide_money(amount: Money, divisor: Fraction) -> Money:
    """Divide an amount by a number."""
    return Money(divide_decimals(amount.amount, divisor), amount.currency)


def absolute_money(amount: Money) -> Money:
    """Return the amount without its sign."""
    return -amount if amount.amount < 0 else amount


def common_currency(amounts: Sequence[Money]) -> str:
    """Return the currency of all amounts, or "" if none names one.

    Raises:
        RuleError: they have different ones.
    """
    total = Money(Fraction(0), "")
    for amount in amounts:
        total = total + Money(Fraction(0), amount.currency)
    return total.currency


def join_texts(left: str, right: str) -> str:
    """Join."""
    if len(left) + len(right) > MAX_JOINED:
        raise RuleError(f"the text is longer than {MAX_JOINED} characters")
    return left + right


def join_lists(left: tuple[Value, ...], right: tuple[Value, ...]) -> tuple[Value, ...]:
    """Join."""
    if len(left) + len(right) > MAX_JOINED:
        raise RuleError(f"the list is longer than {MAX_JOINED} items")
    return left + right


def equal(left: Value, right: Value) -> bool:
    """Return whether two values of one type are equal, part by part.

    Raises:
        RuleError: money of two currencies is compared.
    """
    if isinstance(left, Money):
        return not left < right and not right < left
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    return bool(left == right)


def unequal(left: Value, right: Value) -> bool:
    """Return the opposite of `equal`."""
    return not equal(left, right)


def contained(item: Value, items: Sequence[Value]) -> bool:
    """Return whether a list holds an item."""
    return any(equal(item, other) for other in items)


def total(zero: Value, add: Callable[[Any, Any], Value]) -> Callable[[Sequence[Value]], Value]:
    """Return the function that adds up a list, beginning with `zero`."""

    def run(items: Sequence[Value]) -> Value:
        result = zero
        for item in items:
            result = add(result, item)
        return result

    return run


def extreme(better: Callable[[Any, Any], bool]) -> Callable[[Sequence[Value]], Value]:
    """Return the function that finds the first item that no other is better than."""

    def run(items: Sequence[Value]) -> Value:
        if not items:
            raise RuleError("an empty list has no least and no greatest item")
        result = items[0]
        for item in items[1:]:
            if better(item, result):
                result = item
        return result

    return run


least: Final = extreme(operator.lt)
greatest: Final = extreme(operator.gt)


def split(amount: Money, weights: Sequence[Value], caps: Sequence[Money] | None = None) -> tuple[Money, ...]:
    """Share an amount out in proportion to weights, in whole minor units.

    Every share is cut to a whole minor unit and to its cap; what is left goes on the last part that has room, then on
    the one before it. The amount itself is rounded half up first.

    Args:
        amount: what is shared; not negative.
        weights: one a part: money of one currency, or numbers; not negative.
        caps: what each part may be at most; without them there is room everywhere.
    Raises:
        RuleError: the parts have no room for the amount, nothing has weight, or the lists differ in length.

    >>> usd = lambda text: Money(Fraction(text), "USD")
    >>> [str(part) for part in split(usd("10.00"), (1, 1, 1))]
    ['3.33 USD', '3.33 USD', '3.34 USD']
    >>> [str(part) for part in split(usd("10.00"), (1, 1, 1), (usd("9"), usd("9"), usd("3.33")))]
    ['3.33 USD', '3.34 USD', '3.33 USD']
    """
    money = [item for item in (*weights, *(caps or ())) if isinstance(item, Money)]
    currency = common_currency([amount, *money])
    scale = 10 ** exponent(currency)
    shares = [Fraction(item.amount if isinstance(item, Money) else item) for item in weights]
    due = int(Money(amount.amount, currency).rounded().amount * scale)
    if caps is not None and len(caps) != len(shares):
        raise RuleError(f"there are {len(shares)} weights and {len(caps)} caps")
    if due < 0 or any(share < 0 for share in shares):
        raise RuleError("a negative amount cannot be shared out")
    whole_share = sum(shares, Fraction(0))
    if due and not whole_share:
        raise RuleError("no part has any weight")
    room = [due if caps is None else min(due, max(0, int(cap.amount * scale))) for cap in caps or shares]  # type: ignore[union-attr]
    parts = [
        min(int(due * share / whole_share), space) if due else 0
        for share, space in zip(shares, room, strict=True)
    ]
    rest = due - sum(parts)
    for at in reversed(range(len(parts))):
        more = min(rest, room[at] - parts[at])
        parts[at] += more
        rest -= more
    if rest:
        raise RuleError(f"the parts have no room for {amount}")
    return tuple(Money(Fraction(part, scale), currency) for part in parts)
