"""What people write from habit of other languages, and how it is written here: hints for what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Words and signs between values.
SIGNS: Final[Mapping[str, str]] = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "is": "==",
    "=": "==",
    "&": "&&",
    "|": "||",
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    "×": "*",
    "÷": "/",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "−": "-",
}
#: Signs of two characters, of which the first is read as one of its own.
PAIRS: Final[Mapping[str, str]] = {
    "<>": "`!=`",
    "=>": "`xs.filter(x, …)`: a variable, a comma, and what of it",
}
#: Bare words.
_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("none", "nil", "undefined", "empty"), "ask `has(…)` whether a value is there"),
    "yes": "write `true`",
    "no": "write `false`",
    "true": "write `true`",
    "false": "write `false`",
    "today": "write `date(now)`",
}
_SIZE: Final = "write `size(…)`"
_SOME: Final = "write `xs.exists(x, …)`"
_IN: Final = "write `x in xs`"
_MISSING: Final = "write `has(x)`, and `has(x) ? x : …` for another value where it is missing"
_DAYS: Final = 'count days in a moment, such as `3 days after opened_at`, or write `duration("72h")`'
#: Functions, in small letters and without `_`.
_CALLS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("len", "length", "count", "cardinality"), _SIZE),
    **dict.fromkeys(("any", "some", "anymatch", "exists"), _SOME),
    **dict.fromkeys(("every", "allmatch", "all"), "write `xs.all(x, …)`"),
    **dict.fromkeys(("includes", "indexof", "isin", "haskey", "containskey"), _IN),
    **dict.fromkeys(("isnull", "isempty", "isblank", "defined", "coalesce", "ifnull", "nvl"), _MISSING),
    **dict.fromkeys(("orelse", "getordefault", "default"), _MISSING),
    **dict.fromkeys(("day", "days", "adddays", "plusdays", "weeks", "months", "years"), _DAYS),
    **dict.fromkeys(
        ("datediff", "daysbetween", "dayssince"), "write `date(a) - date(b)`, which is a number of days"
    ),
    **dict.fromkeys(("hours", "minutes", "seconds", "addhours"), 'write `duration("72h")`'),
    **dict.fromkeys(
        ("now", "today", "currentdate"), "`now` is a value, without brackets; `date(now)` is its day"
    ),
    **dict.fromkeys(("str", "tostring", "text", "concat"), "write `string(…)`, and join texts with `+`"),
    **dict.fromkeys(("float", "number", "tonumber", "todecimal"), "write `decimal(…)`"),
    **dict.fromkeys(("floor", "trunc"), "`int(…)` cuts the part after the point off"),
    **dict.fromkeys(("where", "find", "select"), "write `xs.filter(x, …)`"),
    **dict.fromkeys(("foreach", "collect"), "write `xs.map(x, …)`"),
    **dict.fromkeys(("reduce", "fold", "sumof", "total"), "write `xs.sum(x, …)`"),
    "between": "write `low <= x && x <= high`",
    "iif": "write `condition ? a : b`",
}
#: What a value of a type is asked for as if it had fields.
_FIELDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("length", "size", "count", "len"), _SIZE),
    **dict.fromkeys(("amount", "value"), "an amount is compared and counted with as it is"),
    "currency": 'an amount is one value; compare it with another, such as `money("5 USD")`',
}


def of_name(word: str) -> str | None:
    """Return the hint for a bare word that nothing declares.

    >>> of_name("True"), of_name("price")
    ('write `true`', None)
    """
    return _NAMES.get(word.lower())


def of_call(name: str) -> str | None:
    """Return the hint for a function that there is not.

    >>> of_call("toString"), of_call("is_null") == of_call("isNull"), of_call("borrow")
    ('write `string(…)`, and join texts with `+`', True, None)
    """
    return _CALLS.get(name.lower().replace("_", ""))


def of_field(name: str) -> str | None:
    """Return the hint for a field of a value that has none.

    >>> of_field("length")
    'write `size(…)`'
    """
    return _FIELDS.get(name.lower())
