"""Values, instants and reasons as a person would write them, in the case's own zone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from ..case import Reason
from ..money import Money, decimal_text
from ..period import Period
from ..policy import ReasonText, Text
from ..values import Sealed, Unknown, Value, Window
from .words import FALLBACK, MONTHS, REASONS, label, languages_of

#: What stands for a value that is not there.
NOTHING: Final = "–"


def chosen(text: Text, language: str) -> str:
    """Return a text for people in a language, or in the nearest that it has.

    A text without a language is everybody's. Then English, then whichever stands first.

    >>> chosen({"en": "closed", "zh": "已关闭"}, "zh-CN"), chosen({"": "closed"}, "zh"), chosen({}, "en")
    ('已关闭', 'closed', '')
    """
    return text.get(_nearest(text, language), "")


def _nearest(text: Text, language: str) -> str:
    *near, last = languages_of(language)
    return next((tag for tag in (*near, "", last, *text) if tag in text), "")


def is_end_of_day(local: datetime) -> bool:
    """Tell whether a local instant is the last second of its day."""
    return (local.hour, local.minute, local.second) == (23, 59, 59)


def clock_time(local: datetime) -> str:
    """Return the time of day, with seconds only where there are some."""
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How things are said: in a language, in a zone, by the sentences of a policy."""

    language: str = FALLBACK
    zone: ZoneInfo | None = None
    reasons: Mapping[str, ReasonText]

    def word(self, key: str, /, **values: object) -> str:
        """Return one of the engine's own labels."""
        return label(key, self.language, **values)

    def local(self, instant: datetime) -> datetime:
        """Return an instant on the case's own clock."""
        return instant.astimezone(self.zone or UTC)

    def when(self, instant: datetime) -> str:
        """Return the instant of something that happened: `2026-03-05 20:00`."""
        local = self.local(instant)
        return f"{local:%Y-%m-%d} {clock_time(local)}"

    def due(self, instant: datetime) -> str:
        """Return the last second of something: `2026-03-05 20:00`, `2026-03-19 end of day`."""
        local = self.local(instant)
        time = self.word("end_of_day") if is_end_of_day(local) else clock_time(local)
        return f"{local:%Y-%m-%d} {time}"

    def instant(self, instant: datetime) -> str:
        """Return an instant as it stands in a sentence; the end of a day is that day."""
        local = self.local(instant)
        if is_end_of_day(local):
            return self.day(local.date())
        return f"{self.day(local.date())}{' ' if self._is_chinese else ', '}{clock_time(local)}"

    def day(self, day: date) -> str:
        """Return a date as it stands in a sentence."""
        if self._is_chinese:
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    @property
    def _is_chinese(self) -> bool:
        return self.language.partition("-")[0] == "zh"

    def listed(self, items: Iterable[str]) -> str:
        """Join texts as in a sentence: `a, b and c`."""
        *first, last = list(items) or [NOTHING]
        return self.word("comma").join(first) + self.word("and") + last if first else last

    def value(self, value: Value) -> str:
        """Return a value as a person would write it."""
        match value:
            case None | Unknown():
                return NOTHING
            case bool():
                return self.word("yes" if value else "no")
            case str() | int() | Period():
                return str(value)
            case Fraction():
                return _number(value)
            case Money():
                return str(value.rounded())
            case datetime():
                return self.instant(value)
            case date():
                return self.day(value)
            case timedelta():
                return self.word("seconds", count=value // timedelta(seconds=1))
            case Sealed():
                return self.word("sensitive")
            case Window():
                return self._window(value)
            case Mapping() if value and value.keys() <= {"opens", "closes"}:
                # How the trace of a step keeps a window.
                return self._window(Window(opens=value.get("opens"), closes=value.get("closes")))
            case Mapping():
                return (
                    self.word("comma").join(f"{key}: {self.within(item)}" for key, item in value.items())
                    or NOTHING
                )
            case list() | tuple():
                return self.listed(self.within(item) for item in value)
        return str(value)

    def within(self, value: Value) -> str:
        """Return a value as it stands within a larger one: a record keeps to itself."""
        if not isinstance(value, Mapping) or not value or value.keys() <= {"opens", "closes"}:
            return self.value(value)
        return f"（{self.value(value)}）" if self._is_chinese else f"({self.value(value)})"

    def _window(self, window: Window) -> str:
        always = self.word("always")
        opens = always if window.opens is None else self.value(window.opens)
        closes = always if window.closes is None else self.value(window.closes)
        return self.word("window", opens=opens, closes=closes)

    def sentence(self, reason: Reason) -> str:
        """Return a reason in words: by the policy's sentence, the engine's, or else its code."""
        own = self.reasons.get(reason.code)
        if own is not None and own.text:
            # A sentence in another language takes its dates and lists with it.
            spoken = replace(self, language=_nearest(own.text, self.language) or self.language)
            return spoken.filled(chosen(own.text, self.language), reason.values)
        for tag in languages_of(self.language):
            spoken = replace(self, language=tag)
            for template in REASONS.get(tag, {}).get(reason.code, ()):
                if all(reason.values.get(name) for name in _names(template)):
                    return spoken.filled(template, reason.values)
        return reason.code

    def filled(self, template: str, values: Mapping[str, Value]) -> str:
        """Return a sentence with its insertions `{expression}` replaced; `{{` is a brace.

        An insertion is found by its text among the values, and is a dash where nothing is known of it.
        """
        return "".join(
            self.value(values.get(piece)) if inserted else piece
            for inserted, piece in pieces(template, values)
        )


def pieces(template: str, known: Iterable[str] = ()) -> Iterator[tuple[bool, str]]:
    """Split a sentence into plain pieces and, marked True, the texts of its insertions.

    An insertion may hold braces of its own, which is why those already known are looked for first.

    >>> list(pieces("closed on {w.closes}, {{sic}", ["w.closes"]))
    [(False, 'closed on '), (True, 'w.closes'), (False, ', '), (False, '{'), (False, 'sic}')]
    """
    longest_first = sorted(known, key=len, reverse=True)
    at = 0
    while at < len(template):
        brace = template.find("{", at)
        if brace < 0:
            yield False, template[at:]
            return
        if brace > at:
            yield False, template[at:brace]
        if template.startswith("{{", brace):
            yield False, "{"
            at = brace + 2
            continue
        inside, end = _insertion(template, brace + 1, longest_first)
        yield True, inside
        at = end


def _insertion(template: str, start: int, known: Iterable[str]) -> tuple[str, int]:
    """Return the text of the insertion that begins at `start`, and where what follows it begins."""
    rest = template[start:].lstrip()
    for text in known:
        tail = rest.removeprefix(text).lstrip() if rest.startswith(text) else ""
        if tail.startswith("}"):
            return text, len(template) - len(tail) + 1
    end = template.find("}", start)
    end = len(template) if end < 0 else end
    return template[start:end].strip(), end + 1


def _names(template: str) -> Iterator[str]:
    return (piece for inserted, piece in pieces(template) if inserted)


def _number(value: Fraction) -> str:
    """Return an exact number, or six digits of one whose decimals have no end."""
    exact = decimal_text(value)
    if "/" not in exact:
        return exact
    return "≈ " + decimal_text(Fraction(round(value * 1_000_000), 1_000_000))


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal; Chinese characters take two.

    >>> width("ab"), width("退款")
    (2, 4)
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def padded(text: str, columns: int) -> str:
    """Return a text filled up with spaces to a number of columns."""
    return text + " " * (columns - width(text))
