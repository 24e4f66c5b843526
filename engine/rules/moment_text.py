"""The words of a moment's text: where they stand, and what was probably meant by those that cannot be read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, get_args

from ..diagnostics import Place
from ..document import Scalar
from ..errors import InvalidValue
from ..period import UNITS, Direction, Ends, parse_period

DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
#: What a text may begin with, and how its last day then ends.
PREFIXES: Final[dict[str, Ends]] = {
    "exactly": "same_time",
    "start of day": "start_of_day",
    "end of day": "end_of_day",
}

_PREFIX: Final = re.compile(rf"({'|'.join(PREFIXES)})(?:\s+|$)")
_IF_ANY: Final = re.compile(r",\s*if\s+any$")
#: A number and words after it, and perhaps before it: what a period looks like, well written or not.
_LENGTH: Final = re.compile(r"(?P<before>[A-Za-z ]*?)\s*(?P<count>\d[\d.,]*)\s*(?P<unit>[A-Za-z][A-Za-z ]*)")
#: In a longer text no period is looked for.
_LONGEST: Final = 100
_NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: Words for numbers, and short forms of units, as people write them.
_COUNTS: Final = {
    "a": "1",
    "an": "1",
    **dict(zip(_NUMBERS, map(str, range(1, 11)), strict=True)),
}
_SHORT: Final = {
    **dict.fromkeys(("s", "sec", "secs"), "seconds"),
    **dict.fromkeys(("min", "mins"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs"), "hours"),
    "d": "days",
    **dict.fromkeys(("w", "wk", "wks"), "weeks"),
    **dict.fromkeys(("mo", "mos"), "months"),
    **dict.fromkeys(("y", "yr", "yrs"), "years"),
    **dict.fromkeys(("bd", "workday", "workdays", "working day", "working days"), "business days"),
}
#: Two words side by side, which no expression has.
_SIDE_BY_SIDE: Final = re.compile(r"[A-Za-z\d.,]+(?:\s+[A-Za-z\d.,]+)+")
#: A sum, which a moment is not written as.
_ADDED: Final = re.compile(r"(?P<start>[A-Za-z][\w.]*)\s*(?P<sign>[-+])\s*(?P<length>\d.*)")
#: Words that begin a unit.
_UNITS: Final = frozenset(word for unit in UNITS for word in (unit.split()[0], f"{unit.split()[0]}s"))
#: Words, brackets and quoted texts, for finding what stands outside of the last two.
_PIECE: Final = re.compile(
    r"""(?P<word>[^\s()\[\]{}"']+)|(?P<open>[(\[{])|(?P<close>[)\]}])|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a scalar's text."""

    scalar: Scalar
    start: int
    end: int

    @property
    def text(self) -> str:
        """What is written there."""
        return self.scalar.text[self.start : self.end]

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return self.scalar.place_of(self.start, self.end)

    def cut(self, start: int, end: int | None = None) -> Span:
        """Return its characters from `start` up to `end`, without the blanks around them."""
        text = self.text[start:end]
        begin = self.start + start + len(text) - len(text.lstrip())
        return Span(self.scalar, begin, begin + len(text.strip()))


def whole(scalar: Scalar) -> Span:
    """Return all of a scalar's text, without the blanks around it."""
    return Span(scalar, 0, len(scalar.text)).cut(0)


def without_prefix(span: Span) -> tuple[Ends | None, Span]:
    """Return how a text says that its last day ends, and the rest of it."""
    match = _PREFIX.match(span.text)
    return (PREFIXES[match[1]], span.cut(match.end())) if match else (None, span)


def without_if_any(span: Span) -> tuple[Span | None, Span]:
    """Return the `, if any` at the end of a text, or None, and the rest of it."""
    match = _IF_ANY.search(span.text)
    return (span.cut(match.start()), span.cut(0, match.start())) if match else (None, span)


def words(span: Span) -> Iterator[Span]:
    """Yield the words that stand outside of brackets and quotes."""
    depth = 0
    for piece in _PIECE.finditer(span.text):
        match piece.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "word" if not depth:
                yield span.cut(piece.start(), piece.end())


def keyword(span: Span) -> tuple[Direction, Span] | None:
    """Return the first `after`, `from` or `before` that stands for itself, as in `x.from after y`."""
    for word in words(span):
        if word.text in DIRECTIONS:
            return word.text, word
    return None


def looks_like_period(span: Span) -> bool:
    """Return whether a text is a number and a unit, or words side by side: a period, well written or not."""
    return (
        re.match(r"(-\s*)?\d[\d.,]*\s*[A-Za-z]", span.text) is not None
        or _SIDE_BY_SIDE.fullmatch(span.text) is not None
    )


def speaks_of_period(span: Span) -> bool:
    """Return whether a number and a unit stand side by side somewhere in a text, outside of brackets and quotes."""
    found = [word.text for word in words(span)]
    return any(number[0].isdigit() and unit in _UNITS for number, unit in pairwise(found))


def period_hint(text: str) -> str:
    """Return what was probably meant by a text that is not a period.

    >>> period_hint("30dys"), period_hint("2 bussiness days"), period_hint("exact 3 days")
    ('did you mean `30 days`?', 'did you mean `2 business days`?', 'did you mean `exactly 3 days`?')
    >>> period_hint("24h"), period_hint("a week"), period_hint("two working days")
    ('did you mean `24 hours`?', 'did you mean `1 week`?', 'did you mean `2 business days`?')
    """
    text = " ".join(text.split())
    if text.startswith("-"):
        return "a period has no sign: count back with `before`"
    number, _, rest = text.partition(" ")
    text = f"{_COUNTS.get(number.lower(), number)} {rest}" if rest else text
    match = _LENGTH.fullmatch(text) if len(text) <= _LONGEST else None
    units = {name: name for unit in (*UNITS, "calendar day") for name in (unit, f"{unit}s")}
    if match:
        short = _SHORT.get(match["unit"].lower())
        unit = [short] if short else difflib.get_close_matches(match["unit"].lower(), units, n=1)
        prefix = difflib.get_close_matches(match["before"].lower(), PREFIXES, n=1)
        plural = "" if match["count"] == "1" else "s"
        guess = f"{match['count']} {units[unit[0]].removesuffix('s')}{plural}" if unit else ""
        if is_period(guess) and bool(prefix) == bool(match["before"]):
            return f"did you mean `{' '.join([*prefix, guess])}`?"
    return "a period is a whole number and a unit: " + ", ".join(f"`{unit}s`" for unit in UNITS)


def moment_hint(text: str) -> str:
    """Return how a moment is written that was probably meant by a text without `after`, `from` or `before`.

    >>> moment_hint("opened_at + 3 days"), moment_hint("3 days")
    ('write `3 days after opened_at`', 'write `3 days after X`, `3 days from X` or `exactly 3 days before X`')
    """
    added = _ADDED.fullmatch(text)
    if added and is_period(added["length"]):
        length = added["length"] if added["sign"] == "+" else f"exactly {added['length']}"
        return f"write `{length} {'after' if added['sign'] == '+' else 'before'} {added['start']}`"
    length = text if is_period(text) else "30 days"
    return f"write `{length} after X`, `{length} from X` or `exactly {length} before X`"


def is_period(text: str) -> bool:
    """Return whether a text is a literal period."""
    try:
        parse_period(text)
    except InvalidValue:
        return False
    return True


def stray_word(span: Span) -> tuple[Span, str] | None:
    """Return the word that was probably meant for `after`, `from` or `before`, and the hint."""
    for word in words(span):
        near: list[str] = [each for each in DIRECTIONS if word.text.startswith(each)]
        near = near or difflib.get_close_matches(word.text, DIRECTIONS, n=1, cutoff=0.7)
        if near:
            return word, f"did you mean `{near[0]}`?"
    return None
