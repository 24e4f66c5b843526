"""The text of a cell, read as a test of one typed input.

    -          anything, also missing            <= 100 USD           a comparison: <, <=, >, >=
    card       a value, read as the input's type [100 USD..500 USD)   a range; a round bracket leaves its end out
    a, b       one of several                    not(a, b)            none of several

Each part of a list may be a value, a comparison or a range. Texts and names may be quoted, and must be where they look
like something else. A value may also be `=limit`, a param of the input's type; the `=` may be left out where no value of
the type looks like a name, as in `<= limit`. Spec: docs/language.md, "Tables".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from ..diagnostics import Diagnostics, did_you_mean
from ..document import Scalar
from ..errors import RuleError
from ..expression import Scope
from ..literal import Misfit, read_literal
from ..money import Money
from ..rules.cell import Cell, Interval, exactly, is_ordered, precedes, same
from ..types import BOOL, DECIMAL, INT, TEXT, EnumType, Hole, MoneyType, ScalarType, Type, required
from ..values import Value

_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_NOT: Final = re.compile(r"not\s*\(")
_COMPARISON: Final = re.compile(r"[<>]=?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: `1,000`: a comma that is meant to group digits would silently make two values.
_GROUPED: Final = re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of a cell's text, without blanks around it."""

    whole: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.whole[self.start : self.end]

    def cut(self, start: int, end: int) -> _Stretch:
        """Return a piece of the whole text, trimmed."""
        piece = self.whole[start:end]
        start += len(piece) - len(piece.lstrip())
        return _Stretch(self.whole, start, start + len(piece.strip()))


class _Bad(Exception):  # noqa: N818 - never leaves this room
    """A stretch cannot be read; without a message because of what was told elsewhere."""

    def __init__(self, at: _Stretch, message: str, hint: str | None = None, code: str = "AM403") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint
        self.code = code


def read_cell(
    node: Scalar,
    type_: Type,
    diagnostics: Diagnostics,
    *,
    currency: str | None = None,
    scope: Scope | None = None,
) -> Cell | None:
    """Read the cell that a scalar writes.

    Args:
        node: the scalar; how YAML reads it (a number, a boolean) does not matter, its text does.
        type_: of the input; an optional one is read as what it holds.
        diagnostics: where findings go, each at its place inside the scalar.
        currency: of amounts that name none.
        scope: knows the params that it may name, if any.
    Returns:
        The cell, or None with at least one finding; the finding may be that of a param that cannot be read.

    >>> from amends.engine.document import read_text
    >>> from amends.engine.rules.cell import matches
    >>> from amends.engine.values import Unknown
    >>> cell = read_cell(read_text("'[10..20)'", "p.yaml")[0], INT, Diagnostics())
    >>> matches(cell, 10), matches(cell, 20), matches(cell, Unknown())
    (True, False, Unknown(missing=frozenset()))
    """
    reader = _Reader(required(type_), currency, scope)
    whole = _Stretch(node.text, 0, len(node.text)).cut(0, len(node.text))
    try:
        if node.value is None or not whole.text:
            raise _Bad(whole, "the cell is empty", "write `-` for anything")
        if whole.text == "-":
            return Cell(text="-", place=node.place, intervals=None)
        inner, negated = _inside_not(whole)
        reader.refuse_grouped_digits(inner)
    except _Bad as bad:
        _report(bad, node, diagnostics)
        return None
    intervals: list[Interval | None] = []
    for part in _parts(inner):
        try:
            intervals.append(reader.interval(part))
        except _Bad as bad:
            intervals.append(None)
            _report(bad, node, diagnostics)
    read = tuple(item for item in intervals if item is not None)
    if len(read) < len(intervals):
        return None
    names = tuple(dict.fromkeys(reader.named))
    return Cell(text=whole.text, place=node.place, intervals=read, negated=negated, params=names)


def _report(bad: _Bad, node: Scalar, diagnostics: Diagnostics) -> None:
    if not str(bad):
        return
    place = node.place_of(bad.at.start, bad.at.end) if bad.at.text else node.place
    diagnostics.add(bad.code, place, str(bad), hint=bad.hint)


def _inside_not(whole: _Stretch) -> tuple[_Stretch, bool]:
    """Return what stands inside of `not(…)`, or the whole where there is no such thing."""
    opened = _NOT.match(whole.text)
    if not opened:
        return whole, False
    if not whole.text.endswith(")"):
        raise _Bad(whole, "`not(` has no closing bracket", "write `not(a, b)`, and nothing after it")
    return whole.cut(whole.start + opened.end(), whole.end - 1), True


def _parts(within: _Stretch) -> Iterator[_Stretch]:
    """Yield what stands between the commas; one inside quotes separates nothing."""
    start = within.start
    while True:
        part = within.cut(start, within.end)
        quoted = _QUOTED.match(within.whole, part.start, within.end)
        comma = within.whole.find(",", quoted.end() if quoted else start, within.end)
        if comma < 0:
            yield part
            return
        yield within.cut(start, comma)
        start = comma + 1


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of a cell of one type."""

    type: Type
    currency: str | None
    scope: Scope | None
    #: The params that were named so far.
    named: list[str] = field(default_factory=list)

    @property
    def ordered(self) -> bool:
        return is_ordered(self.type)

    def refuse_grouped_digits(self, within: _Stretch) -> None:
        if not isinstance(self.type, MoneyType) and self.type not in (INT, DECIMAL):
            return
        grouped = _GROUPED.search(within.whole, within.start, within.end)
        if grouped:
            plain = grouped.group().replace(",", "")
            hint = f"write `{plain}`, or `{grouped.group().replace(',', ', ')}` for several values"
            at = within.cut(*grouped.span())
            raise _Bad(at, f"a comma separates values, so `{at.text}` is not one number", hint)

    def interval(self, part: _Stretch) -> Interval:
        text = part.text
        if not text:
            raise _Bad(part, "a value is missing")
        if text[0] in "\"'":
            return exactly(self.quoted(part))
        if text == "-":
            raise _Bad(part, "`-` means anything, so it stands alone")
        if sign := _COMPARISON.match(text):
            return self.comparison(part, sign.group())
        if text[0] in "[(" and text[-1] in "])" and ".." in text:
            return self.range(part)
        self.refuse_foreign(part)
        return exactly(self.literal(part))

    def refuse_foreign(self, part: _Stretch) -> None:
        """Refuse what would be right in another language, or in an expression."""
        text = part.text
        if text.startswith("!") or (text.startswith("=") and not _NAME.fullmatch(text[1:].strip())):
            bare = text.lstrip("=! ")
            hint = f"write `not({bare})`" if text.startswith("!") else f"write `{bare}` alone"
            why = "a cell holds literals and params, not expressions"
            raise _Bad(part, f"`{_short(text)}` is not a cell", f"{hint}; {why}")
        if text.startswith("not "):
            raise _Bad(part, f"`{_short(text)}` is not a cell", f"write `not({text[4:].strip()})`")
        if ".." in text and self.ordered:
            hint = f"write `[{text}]`; a round bracket leaves its end out"
            raise _Bad(part, f"the range `{_short(text)}` has no brackets", hint)

    def comparison(self, part: _Stretch, sign: str) -> Interval:
        self.demand_order(part)
        value = self.literal(part.cut(part.start + len(sign), part.end))
        if sign[0] == "<":
            return Interval(None, value, high_in=sign == "<=")
        return Interval(value, None, low_in=sign == ">=")

    def range(self, part: _Stretch) -> Interval:
        self.demand_order(part)
        middle = part.whole.index("..", part.start)
        low = self.literal(part.cut(part.start + 1, middle))
        high = self.literal(part.cut(middle + 2, part.end - 1))
        low_in, high_in = part.text[0] == "[", part.text[-1] == "]"
        try:
            forwards, equal = precedes(low, high), same(low, high)
        except RuleError as error:
            raise _Bad(part, str(error)) from None
        if not forwards and not (equal and low_in and high_in):
            hint = (
                f"write `{part.cut(middle + 2, part.end - 1).text}`" if equal else "the lower end comes first"
            )
            raise _Bad(part, f"the range `{_short(part.text)}` holds nothing", hint)
        return exactly(low) if equal else Interval(low, high, low_in, high_in)

    def demand_order(self, part: _Stretch) -> None:
        if not self.ordered:
            hint = "list the values; quote a text that looks like a comparison"
            raise _Bad(part, f"values of {self.type} have no order", hint)

    def quoted(self, part: _Stretch) -> Value:
        match = _QUOTED.fullmatch(part.text)
        if match is None:
            raise _Bad(part, f"the quotes of `{_short(part.text)}` do not close around one value")
        if not isinstance(self.type, EnumType) and self.type != TEXT:
            raise _Bad(part, f"a quoted text stands where a value of {self.type} is due", "remove the quotes")
        return self.value(part, re.sub(r"\\(.)", r"\1", part.text[1:-1], flags=re.DOTALL))

    def literal(self, part: _Stretch) -> Value:
        if not part.text:
            raise _Bad(part, "a value is missing")
        if part.text.startswith("="):
            return self.param(part.cut(part.start + 1, part.end))
        # Values of these types never look like a name.
        if self.bare and _NAME.fullmatch(part.text) and self.scope and self.scope.find(part.text):
            return self.param(part)
        return self.value(part, part.text)

    @property
    def bare(self) -> bool:
        """Whether a param may stand without `=`: no value of the type looks like a name, but for `true` and `false`."""
        return self.ordered or self.type == BOOL

    def param(self, part: _Stretch) -> Value:
        """Return the value of the param that a stretch names."""
        name = part.text
        declared = self.scope.find(name) if self.scope else None
        if declared is None:
            hint = did_you_mean(name, self.scope.names() if self.scope else ())
            if isinstance(self.type, EnumType) and name in self.type.values:
                hint = f"`=` names a param; write `{name}` alone for the value"
            raise _Bad(part, f"there is no param `{_short(name)}`", hint, "AM104")
        if isinstance(declared.type, Hole):
            raise _Bad(part, "")
        if declared.kind != "param":
            asked = f"x {'<=' if self.ordered else '=='} {name}"
            hint = f"ask it in an input of its own, such as `{asked}`, whose cells are `true` and `false`"
            raise _Bad(part, f"a cell compares with literals and params, and `{name}` is neither", hint)
        self.named.append(name)
        return self.fitted(part, declared.type, declared.literal)

    def fitted(self, part: _Stretch, type_: Type, value: Value) -> Value:
        """Return the value of a param as one of the input's type."""
        match self.type, type_:
            case EnumType(), ScalarType("text"):
                return self.value(part, value)
            case ScalarType("decimal"), ScalarType("int"):
                return Fraction(value)
            case MoneyType(currency), MoneyType() if currency and value.currency not in {currency, ""}:
                raise _Bad(
                    part, f"the param `{part.text}` is in {value.currency}, and the input in {currency}"
                )
            case (EnumType(name=due), EnumType(name=is_)) if due == is_:
                return value
            case (MoneyType(), MoneyType()) | (ScalarType(), ScalarType()) if str(self.type) == str(type_):
                return value
        raise _Bad(part, f"the param `{part.text}` is of type {type_}, and the input of type {self.type}")

    def value(self, part: _Stretch, text: str) -> Value:
        """Return the value that a text writes, at the input's type."""
        data: object = text
        if self.type == BOOL:
            data = {"true": True, "false": False}.get(text, text)
        if isinstance(self.type, MoneyType) and text == "0":
            return Money(Fraction(0), "")
        try:
            return read_literal(data, self.type, currency=self.currency)
        except Misfit as misfit:
            code = "AM104" if isinstance(self.type, EnumType) else "AM403"
            raise _Bad(part, str(misfit), self.remedy(text, misfit.hint), code) from None

    def remedy(self, text: str, hint: str | None) -> str | None:
        """Return what to do about a text that is no value of the type: perhaps a param was meant."""
        if self.scope is None or not _NAME.fullmatch(text):
            return hint
        if not self.bare:
            declared = self.scope.find(text)
            return f"write `={text}` for the param" if declared and declared.kind == "param" else hint
        near = did_you_mean(text, self.scope.names()) or ""
        return near if near.startswith("did") else hint


def _short(text: str) -> str:
    return text[:60]
