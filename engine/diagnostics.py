"""Findings about a policy, as values with a place.

A diagnostic says what is wrong, where, and what to do. Codes never change their meaning and are never used twice; the
catalogue below is the only list of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from posixpath import commonprefix
from typing import Final, Literal

Severity = Literal["error", "warning"]

#: More than this many are cut, and the report says how many.
LIMIT: Final = 100
#: Errors after which compiling stops: nobody reads on.
ENOUGH: Final = 1_000
#: Among more names than this nothing near is looked for.
_KNOWN: Final = 3_000
#: So many of the names that share the most letters with a word are compared with it.
_NAMES: Final = 24
#: Longer words are not compared with anything: nobody mistypes them, they are pasted.
_LETTERS: Final = 50


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of a file; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the catalogue: what a code stands for."""

    code: str
    #: Name of its page, docs/diagnostics/<code>-<name>.md.
    name: str
    severity: Severity
    #: What it finds, in a sentence.
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding."""

    code: str
    severity: Severity
    message: str
    place: Place
    #: The remedy, with a did-you-mean where one is near.
    hint: str | None = None
    #: Other places that matter, each with a note.
    related: tuple[tuple[str, Place], ...] = ()

    @property
    def order(self) -> tuple[Place, str, str]:
        """What reports are sorted by."""
        return (self.place, self.code, self.message)


class EnoughError(Exception):
    """There are so many errors that reading on is of no use."""


@dataclass(slots=True)
class Diagnostics:
    """The one list that a check writes its findings to."""

    found: list[Diagnostic] = field(default_factory=list)
    #: Errors after which `EnoughError` is raised.
    most: int | None = None

    def add(
        self,
        code: str,
        place: Place,
        message: str,
        *,
        hint: str | None = None,
        related: Iterable[tuple[str, Place]] = (),
    ) -> None:
        """Record a finding under a code of the catalogue."""
        rule = CATALOGUE[code]
        message, hint = one_line(message), hint and one_line(hint)
        if self.most is not None and len(self.found) >= self.most and rule.severity == "error":
            raise EnoughError
        self.found.append(
            Diagnostic(
                code=code,
                severity=rule.severity,
                message=message,
                place=place,
                hint=hint,
                related=tuple(related),
            )
        )

    def near(self, word: str, known: Iterable[str]) -> str | None:
        """Return the did-you-mean for a name, as long as there are no more findings than a report shows."""
        return did_you_mean(word, known) if len(self.found) < LIMIT else None

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error, and so the policy cannot run."""
        return any(item.severity == "error" for item in self.found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return every different finding in the order of the files."""
        return tuple(sorted({i.order: i for i in reversed(self.found)}.values(), key=lambda item: item.order))


def one_line(text: str) -> str:
    r"""Return a sentence in one line, with what cannot be printed written as an escape: it may quote anything.

    >>> print(one_line("`a\tb` and `c\x00`"))
    `a b` and `c\x00`
    """
    if text.isprintable():
        return text
    shown = (
        c if c.isprintable() else " " if c.isspace() else c.encode("unicode_escape").decode() for c in text
    )
    return "".join(shown).strip()


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the hint for a name that nothing has: the nearest one, or all if they are few.

    >>> did_you_mean("in_reveiw", ["in_review", "closed"])
    'did you mean `in_review`?'
    """
    names = list(dict.fromkeys(known))
    near = nearest(word, names)
    if near:
        return f"did you mean `{near[0]}`?"
    if 0 < len(names) <= 8:
        return "one of " + ", ".join(f"`{name}`" for name in names)
    return None


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the names that are nearest to a word, at most five, the nearest first; empty if none is near.

    The work is bounded, however many names there are and however long they are.

    >>> nearest("refnud", ["refund", "reject", "funds"])
    ['refund']
    """
    letters, size = set(word.casefold()), len(word)
    names = {*known}
    if not 0 < size <= _LETTERS or len(names) > _KNOWN:
        return []

    def unlike(name: str) -> tuple[int, int, str]:
        return (len(letters.symmetric_difference(name.casefold())), abs(len(name) - size), name)

    # What is six tenths the same cannot be much longer or shorter.
    sized = [name for name in names if 3 * size <= 7 * len(name) and 3 * len(name) <= 7 * size]
    likely = sorted(sized, key=unlike)[:_NAMES]
    near = sorted(difflib.get_close_matches(word, likely, n=5, cutoff=0.6), key=partial(_distance, word))
    if not near:
        near = [name for name in likely if name.casefold() == word.casefold()][-1:]
    return near


def meant(hint: str | None) -> str | None:
    """Return the one name that a hint offers, which therefore is not missing where it was misspelt.

    >>> meant("did you mean `share`?"), meant("one of `a`, `b`"), meant(None)
    ('share', None, None)
    """
    return hint.split("`")[1] if hint and hint.startswith("did you mean `") else None


def _distance(word: str, name: str) -> tuple[float, bool, int]:
    """Rank a name by how far it is from a word; among equals two letters that changed places are nearest.

    >>> sorted(["RUB", "EUR"], key=partial(_distance, "ERU"))
    ['EUR', 'RUB']
    """
    unlike = 1 - difflib.SequenceMatcher(None, name, word).ratio()
    return (unlike, sorted(word) != sorted(name), -len(commonprefix([word, name])))


def _catalogue(rows: Sequence[tuple[str, str, Severity, str]]) -> dict[str, Rule]:
    return {code: Rule(code, name, severity, about) for code, name, severity, about in rows}


CATALOGUE: Final[dict[str, Rule]] = _catalogue(
    [
        # 0xx: reading the file
        ("AM001", "unreadable-file", "error", "the file cannot be read, or is not UTF-8 text"),
        ("AM002", "not-yaml", "error", "the text is not YAML"),
        ("AM003", "too-large", "error", "the file is larger, deeper or wider than a policy may be"),
        ("AM004", "duplicate-key", "error", "a key stands twice in one map"),
        (
            "AM005",
            "alias-or-tag",
            "error",
            "anchors, aliases, merge keys and tags are not part of the language",
        ),
        ("AM006", "several-documents", "error", "a file holds more than one document, or none"),
        ("AM007", "yaml-trap", "error", "YAML reads this otherwise than it looks"),
        ("AM008", "bad-key", "error", "a key is not text"),
        # 1xx: structure and names
        ("AM101", "unknown-key", "error", "a key is not part of the language at this place"),
        ("AM102", "wrong-shape", "error", "a value has the wrong shape: a map where text is due, and so on"),
        ("AM103", "missing-key", "error", "a key that must be there is not"),
        ("AM104", "unknown-name", "error", "nothing is declared under that name"),
        ("AM105", "name-clash", "error", "two declarations share a name"),
        ("AM106", "bad-literal", "error", "a literal is not of its declared type"),
        (
            "AM107",
            "bad-extends",
            "error",
            "the policy that this one extends cannot be found, or extends it in turn",
        ),
        ("AM108", "nothing-to-remove", "error", "`null` removes what is not there"),
        (
            "AM109",
            "unsupported",
            "error",
            "the policy is written in a version of the language that this engine does not know",
        ),
        (
            "AM110",
            "bad-in-force",
            "error",
            "the time in which the policy is in force ends before it begins, or overlaps another version's",
        ),
        (
            "AM111",
            "versions-apart",
            "warning",
            "the versions of a policy leave a time between them, or are chosen by different instants",
        ),
        (
            "AM112",
            "outside-bounds",
            "error",
            "a param is outside its bounds, or a policy loosens the bounds of the one that it is laid over",
        ),
        (
            "AM113",
            "published-changed",
            "error",
            "a version that was published and locked says something else than it did",
        ),
        ("AM114", "published-gone", "warning", "a version that was published and locked is no longer there"),
        (
            "AM115",
            "bad-include",
            "error",
            "the fragment that is included cannot be found, or includes itself",
        ),
        (
            "AM116",
            "served-twice",
            "warning",
            "two policies take the same case, and neither is laid over the other",
        ),
        (
            "AM117",
            "items-dropped",
            "warning",
            "a list of an overlay takes the place of one of which it keeps a part",
        ),
        # 2xx: expressions
        ("AM201", "syntax", "error", "the expression cannot be read"),
        ("AM202", "type", "error", "an operator or function does not take a value of that type"),
        ("AM203", "unknown-literal", "error", "a quoted text is not one of the enum's values"),
        ("AM204", "may-be-missing", "error", "a value is demanded where a fact may be missing"),
        ("AM205", "cycle", "error", "declarations are defined by one another"),
        ("AM206", "unknown-function", "error", "there is no function of that name"),
        ("AM207", "bad-moment", "error", "the moment cannot be read, or cannot be meant"),
        ("AM208", "sensitive-leak", "error", "a sensitive value would flow to where it is not protected"),
        (
            "AM209",
            "time-not-told",
            "error",
            "a condition that time alone may change uses `now` so that nobody can tell when it changes",
        ),
        (
            "AM210",
            "asked-too-early",
            "error",
            "a lookup or balance is read before there is a case that could ask",
        ),
        # 3xx: flow
        ("AM301", "no-initial-state", "error", "no state is initial, or more than one is"),
        ("AM302", "unreachable-state", "warning", "no way leads into the state"),
        ("AM303", "no-way-out", "error", "a state that is not final has no way out"),
        ("AM304", "no-last-outcome", "error", "the breach of a clock may find no outcome that holds"),
        (
            "AM305",
            "shadowed-transition",
            "error",
            "a transition can never be chosen, for one before it always is",
        ),
        (
            "AM306",
            "set-by-two-legs",
            "error",
            "two legs may set the same fact on the same event",
        ),
        ("AM307", "no-end", "warning", "a group of states never comes to an end, and no clock stirs it"),
        (
            "AM308",
            "waits-in-vain",
            "warning",
            "a state waits for a role that can send nothing which it accepts",
        ),
        ("AM309", "waits-without-a-clock", "warning", "a state waits, and no clock ends the waiting"),
        ("AM310", "never-paid", "warning", "a payout is declared, and the host is never asked for it"),
        ("AM311", "held-for-ever", "warning", "a payout may have no route, and so be held for ever"),
        (
            "AM312",
            "shadowed-route",
            "warning",
            "a route of a payout can never be taken, for one before it always is",
        ),
        ("AM313", "unheard-failure", "warning", "money may be declined or fail, and nobody hears of it"),
        # 4xx: tables
        ("AM401", "shadowed-rule", "warning", "a rule of a table can never be the one that hits"),
        ("AM402", "overlapping-rules", "error", "two rules of a table with `hit: unique` hold at once"),
        ("AM403", "bad-cell", "error", "a cell of a table cannot be read"),
        ("AM404", "table-gap", "error", "no rule of a table without `otherwise` holds for some case"),
        (
            "AM405",
            "non-monotone-tiers",
            "warning",
            "the output of a table goes up and down again along an input",
        ),
        # 5xx: care
        ("AM501", "unused", "warning", "something is declared and never used"),
        ("AM502", "window-backwards", "error", "a window closes before it opens"),
    ]
)
