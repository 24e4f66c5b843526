"""Generated code gives what the reference gives: the value, what is missing, or the failure, word for word.

Random programs are drawn by type from a grammar that holds every row of the function table, every macro and every way to
reach into a value. What the names are worth is drawn too: usual and extreme values, values that are missing, erased or of
another currency, records that lack fields, rules and tables that fail. Every program is generated at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from amends.engine import calendar
from amends.engine.errors import RuleError
from amends.engine.expression import (
    OVERLOADS,
    Checked,
    Overload,
    check_text,
    evaluate,
    explain,
    interpret,
    observe,
    warm,
)
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.types import HOLE, TEXT, TIMESTAMP, ListType, MapType, Type
from amends.engine.values import Sealed, Unknown, Value, Window, parse_timestamp

Draw = Callable[[st.SearchStrategy[Any]], Any]
Row = tuple[str, str, tuple[str, ...]]

SCALARS = ("bool", "int", "decimal", "text", "timestamp", "duration", "date", "money")
LISTS = tuple(f"list of {kind}" for kind in SCALARS)
KINDS = (
    *SCALARS,
    "period",
    "window",
    "kind",
    "line",
    "part",
    *LISTS,
    "list of line",
    "map of int",
    "map of money",
)


# --- the grammar ------------------------------------------------------------------------------------------------------


def written(name: str, style: str, count: int) -> str:
    """Return how a row of the table is written, with a hole for each argument."""
    if style == "operator":
        return f"({{}} {name} {{}})" if count == 2 else f"{name}({{}})"
    if style == "method":
        return f"({{}}).{name}({', '.join(['{}'] * (count - 1))})"
    return f"{name}({', '.join(['{}'] * count)})"


def kinds_of(type_: Type) -> tuple[str, ...]:
    """Return the types of values that stand for a parameter; a hole is tried with several."""
    if type_ == HOLE:
        return (*SCALARS, "period", "kind", "line", "list of int", "map of money")
    if type_ == ListType(HOLE):
        return (*LISTS, "list of line")
    if type_ == MapType(HOLE):
        return ("map of int", "map of money")
    return (str(type_),)


def rest_of(row: Overload, first: str) -> tuple[str, ...]:
    """Return the types of the arguments after the first, which is of type `first`."""
    if row.name == "matches":
        return ("pattern",)
    if row.parameters == (TIMESTAMP, TEXT):
        return ("zone",)
    if row.parameters == (TEXT, MapType(HOLE)):
        return ("map of int",)
    holes = {
        HOLE: first,
        ListType(HOLE): first if row.parameters[0] == ListType(HOLE) else f"list of {first}",
    }
    return tuple(holes.get(type_, str(type_)) for type_ in row.parameters[1:])


def table_rows() -> Iterator[Row]:
    """Yield the grammar's rows for every row of the function table."""
    for row in OVERLOADS.values():
        for style in ("function", "method") if row.style == "both" else (row.style,):
            for first in kinds_of(row.parameters[0]):
                parts = (first, *rest_of(row, first))
                result = first if row.result == ListType(HOLE) else str(row.result)
                if {result, *parts} <= {*KINDS, "pattern", "zone"}:
                    yield result, written(row.name, style, len(row.parameters)), parts


#: The loops, over lists of ints and of lines, and over maps. A body may use the variables by their names.
LOOPS: list[Row] = [
    *(("bool", f"({{}}).{macro}(n, {{}} || n > {{}})", ("list of int", "bool", "int")) for macro in ("all", "exists", "exists_one", "existsOne")),
    *(("bool", f"({{}}).{macro}(i, n, n > i && {{}})", ("list of int", "bool")) for macro in ("all", "exists", "exists_one")),
    *(("bool", f"({{}}).{macro}(l, l.price > {{}} && has(l.weight))", ("list of line", "money")) for macro in ("all", "exists", "exists_one")),
    *(("bool", f"({{}}).{macro}(l, l.weight < {{}})", ("list of line", "decimal")) for macro in ("all", "exists", "exists_one")),
    *(("bool", f"({{}}).{macro}(k, v, v > {{}} || k == {{}})", ("map of int", "int", "text")) for macro in ("all", "exists", "exists_one")),
    ("bool", "({}).exists(k, k in {})", ("map of int", "map of money")),
    ("bool", "({}).all(l, verdict(l).owed)", ("list of line",)),
    ("list of int", "({}).filter(n, n > {} || {})", ("list of int", "int", "bool")),
    ("list of int", "({}).map(n, n + {})", ("list of int", "int")),
    ("list of int", "({}).map(n, n > {}, n * n)", ("list of int", "int")),
    ("list of int", "({}).transformList(i, n, n - i)", ("list of int",)),
    ("list of int", "({}).transformList(i, n, {}, n * i)", ("list of int", "bool")),
    ("list of int", "({}).transformList(k, v, v)", ("map of int",)),
    ("list of money", "({}).map(l, l.price * {})", ("list of line", "decimal")),
    ("list of decimal", "({}).filter(l, has(l.weight)).map(l, l.weight)", ("list of line",)),
    ("list of text", "({}).map(k, k + {})", ("map of int", "text")),
    ("list of line", "({}).filter(l, l.kind == {} || {})", ("list of line", "kind", "bool")),
    ("list of decimal", "({}).map(l, verdict(l).share)", ("list of line",)),
    ("money", "({}).sum(l, l.price + {})", ("list of line", "money")),
    ("int", "({}).sum(n, n * {})", ("list of int", "int")),
    ("decimal", "({}).sum(l, l.weight)", ("list of line",)),
    ("duration", "({}).sum(n, {})", ("list of int", "duration")),
    ("map of money", "({}).to_map(l, l.title, l.price)", ("list of line",)),
    ("map of int", "({}).to_map(n, string(n), n + {})", ("list of int", "int")),
    ("map of int", "({}).transformMap(k, v, v + {})", ("map of int", "int")),
    ("map of int", "({}).transformMap(k, v, v > {}, v)", ("map of int", "int")),
]  # fmt: skip

#: What leads into values, and what decides.
PARTS: list[Row] = [
    *(("bool", text, ()) for text in ["true", "false", "urgent", "sure", "willing", "late", "claims.is_open", "always.is_open", "claims.is_closed", "tariff.owed", "offer.owed", "offer == tariff", "has(offer.share)", "has(offer)"]),
    *(("bool", f"has({path})", ()) for path in ["limit", "mark", "damage", "damage.note", "damage.kind", "late", "claims.opens", "claims.reason", "scores.a", "line.weight", "price", "numbers"]),
    *(("bool", text, ("bool", "bool")) for text in ["({} && {})", "({} || {})", "({} && !{})"]),
    *(("bool", text, ("bool", "bool", "bool")) for text in ["({} && {} && {})", "({} || {} || {})"]),
    ("bool", "!({})", ("bool",)),
    *((kind, "({} ? {} : {})", ("bool", kind, kind)) for kind in (*SCALARS, "list of int", "map of money", "line")),
    ("bool", '(kind in ["atlas", "score"] || damage.kind in ["novel"])', ()),
    ("bool", '({} in ["novel", "atlas"])', ("kind",)),
    ("bool", "({} in [1, 2, 3])", ("int",)),
    ("bool", "({} in [{}, {}])", ("money", "money", "money")),
    ("bool", '({} == period("3 days"))', ("period",)),
    ("bool", '(money("2.50 USD") <= {})', ("money",)),
    ("bool", "({} > 0)", ("money",)),
    ("bool", "has(({}).weight)", ("line",)),
    ("bool", "verdict({}).owed", ("line",)),
    ("decimal", "verdict({}).share", ("line",)),
    *(("int", text, ()) for text in ["0", "1", "-3", "9223372036854775807", "tries", "limit", "most", "scores.a", "scores.c", "numbers[0]"]),
    ("int", "({})[{}]", ("list of int", "int")),
    ("int", "({})[{}]", ("map of int", "text")),
    ("line", "({})[{}]", ("list of line", "int")),
    ("line", "line", ()),
    *(("decimal", text, ()) for text in ["0.5", "ratio", "2.0", "0.0", "line.weight", "offer.share"]),
    ("decimal", "({} + {})", ("decimal", "int")),
    *(("money", text, ()) for text in ["price", "fee", "damage.amount", "half", 'money("1 USD")', "line.price"]),
    ("money", "({}).price", ("line",)),
    ("money", "({} ? {} : 0)", ("bool", "money")),
    *(("text", text, ()) for text in ['""', '"torn"', '"a"', "name", "mark", "damage.note", "line.title", "string(kind)"]),
    *(("pattern", text, ()) for text in ['"^a.*"', '"n"', "mark"]),
    *(("zone", text, ()) for text in ['"America/New_York"', '"+07:00"', '"Nowhere"', "mark"]),
    *(("timestamp", text, ()) for text in ["now", "lent_at", "asked_at", "damage.at", "claims.opens", "claims.closes", 'timestamp("2026-03-04T12:00:00Z")']),
    *(("duration", text, ()) for text in ["wait", 'duration("90m")', 'duration("2562047h")']),
    *(("date", text, ()) for text in ["day", 'date("2026-03-05")']),
    *(("period", text, ()) for text in ["grace", 'period("2 business days")']),
    *(("window", text, ()) for text in ["claims", "always"]),
    *(("kind", text, ()) for text in ["kind", "damage.kind", "line.kind"]),
    ("part", 'part{{id: {}, method: "card", amount: {}, note: mark}}', ("text", "money")),
    ("bool", "has(({}).note)", ("part",)),
    ("text", "({}).note", ("part",)),
    ("bool", '(claims.reason == "too_late")', ()),
    *((f"list of {kind}", "[{}, {}]", (kind, kind)) for kind in SCALARS),
    ("list of int", "numbers", ()),
    ("list of text", "tags", ()),
    ("list of line", "lines", ()),
    ("list of line", "[{}]", ("line",)),
    ("map of int", "scores", ()),
    ("map of int", '{{"a": {}, {}: {}}}', ("int", "text", "int")),
    ("map of money", '{{"a": {}, "c": {}}}', ("money", "money")),
]  # fmt: skip

GRAMMAR = [*table_rows(), *LOOPS, *PARTS]
BY_KIND = {kind: [row for row in GRAMMAR if row[0] == kind] for kind in (*KINDS, "pattern", "zone")}
NAMED = {kind for kind, _, parts in GRAMMAR if not parts}
#: The rows that end a program: names and constants, or what is made of them.
SHORT = {
    kind: [row for row in rows if not row[2]] or [row for row in rows if {*row[2]} <= NAMED]
    for kind, rows in BY_KIND.items()
}


def write(draw: Draw, kind: str, depth: int) -> str:
    """Draw a program of a type."""
    _, text, parts = draw(st.sampled_from(BY_KIND[kind] if depth > 0 else SHORT[kind]))
    return str(text).format(*(write(draw, part, depth - 1) for part in parts))


@st.composite
def programs(draw: Draw) -> str:
    """Draw a program: often a condition of several parts."""
    if draw(st.integers(0, 2)):
        parts = [write(draw, "bool", draw(st.integers(0, 2))) for _ in range(draw(st.integers(1, 4)))]
        return str(draw(st.sampled_from([" && ", " || "]))).join(f"({part})" for part in parts)
    return write(draw, draw(st.sampled_from(KINDS)), draw(st.integers(0, 3)))


# --- what names are worth ---------------------------------------------------------------------------------------------

NOON = parse_timestamp("2026-03-05T12:00:00Z")
NEW_YORK = calendar.zone("America/New_York")
EARLY, LATE = parse_timestamp("2026-03-04T12:00:00Z"), parse_timestamp("2026-03-09T12:00:00Z")
FIRST, LAST = parse_timestamp("0001-01-01T00:00:00Z"), parse_timestamp("9999-12-31T23:59:59Z")


def usd(amount: str) -> Money:
    return Money(Fraction(amount), "USD")


EMMA = {"title": "Emma", "price": usd("8"), "weight": Fraction("0.4"), "kind": "novel"}
ALPS = {"title": "Alps", "price": usd("12.50"), "kind": "atlas"}
ERASED = {"title": Sealed("00"), "price": Money(Fraction(3), "EUR"), "weight": Sealed("00"), "kind": None}

#: What each name may be worth, the usual first; missing, erased and failing are tried with all.
WORTH: dict[str, list[Value]] = {
    "price": [usd("20"), usd("0"), usd("-1/3"), Money(Fraction(7), "EUR"), Money(Fraction(0), "")],
    "fee": [usd("2.50"), usd("2/3"), Money(Fraction(2), "EUR")],
    "tries": [2, 0, -1, 2**63 - 1, -(2**63)],
    "ratio": [Fraction(1, 4), Fraction(0), Fraction(-7, 3), Fraction(10**1200, 7)],
    "name": ["Ada", "", "torn"],
    "urgent": [False, True],
    "kind": ["atlas", "novel"],
    "mood": ["calm"],
    "lent_at": [parse_timestamp("2026-03-01T10:00:00Z"), FIRST, LAST],
    "day": [date(2026, 3, 2)],
    "wait": [timedelta(hours=36), timedelta(0), timedelta(days=106_751)],
    "grace": [Period(3, "day"), Period(3, "week")],
    "lines": [(EMMA, ALPS), (), (EMMA, EMMA), (ALPS, ERASED), (ERASED,)],
    "tags": [("old", "rare"), ()],
    "numbers": [(3, 1, 2), (), (2**63 - 1, 1), (0, 0)],
    "kinds": [("novel",)],
    "scores": [{"a": 1, "b": 0}, {}],
    "asked_at": [EARLY, NOON, LATE],
    "limit": [2, 7],
    "sure": [True, False],
    "willing": [False, True],
    "mark": ["torn", "("],
    "damage": [
        {"amount": usd("3"), "kind": "novel", "note": "wet", "at": EARLY},
        {"amount": usd("3"), "kind": "novel", "at": EARLY},
        {"amount": Sealed("00"), "kind": "novel", "note": None, "at": EARLY},
        {"amount": usd("3"), "kind": "atlas", "note": Sealed("00"), "at": LATE},
    ],
    "claims": [
        Window(opens=EARLY, closes=LATE, early="too_early", late="too_late"),
        Window(opens=LATE, closes=None, early="too_early"),
        Window(opens=Unknown(frozenset({"asked_at"})), closes=EARLY, late="too_late"),
        Window(opens=LATE, closes=Unknown(frozenset({"asked_at"}))),
    ],
    "always": [Window(opens=None, closes=None)],
    "half": [usd("10")],
    "late": [True, False],
    "most": [3],
    "tariff": [{"owed": True, "share": Fraction(1, 2)}, {"owed": Unknown(frozenset({"kind"}))}],
    "offer": [
        {"owed": True, "share": Unknown(frozenset({"limit"}))},
        {"owed": Unknown(frozenset({"mark"})), "share": Fraction(1, 2)},
        {"owed": True, "share": Fraction(1, 2)},
    ],
}


@dataclass
class World:
    """An environment: what names are worth, and whether it tells them; it counts what it is asked."""

    values: Mapping[str, Value]
    verdict: Value = None
    calls: int = 0
    asked: list[str] = field(default_factory=list)
    now: datetime = NOON
    zone: ZoneInfo = NEW_YORK

    def value(self, name: str) -> Value:
        self.asked.append(name)
        found = self.values[name]
        if isinstance(found, RuleError):
            raise found
        return found

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        assert name == "verdict"
        self.calls += 1
        if isinstance(self.verdict, RuleError):
            raise self.verdict
        if self.verdict is not None:
            return self.verdict
        (line,) = arguments
        return {"owed": line.get("kind") == "novel", "share": Fraction(1, 2)}


class Telling(World):
    """An environment that tells what it knows, as the working copy of a step may."""

    @property
    def known(self) -> Mapping[str, Value]:
        return {name: value for name, value in self.values.items() if not isinstance(value, RuleError)}


@st.composite
def worlds(draw: Draw) -> Callable[[], World]:
    """Draw what names are worth; gives a maker, for a world counts."""
    values: dict[str, Value] = {}
    for name, (usual, *others) in WORTH.items():
        missing = [Unknown(frozenset({name})), Sealed("00"), RuleError(f"`{name}` fails")]
        odd = draw(st.integers(0, 9))
        values[name] = usual if odd > 2 else draw(st.sampled_from(others or [usual] if odd else missing))
    verdict = draw(
        st.sampled_from(
            [None, None, None, Unknown(frozenset({"ratio"})), RuleError("no rule holds"), {"owed": False}]
        )
    )
    line = draw(st.sampled_from([EMMA, EMMA, ALPS, ERASED, Sealed("00"), Unknown(frozenset({"line"}))]))
    kind = draw(st.sampled_from([World, Telling]))
    values["line"] = line
    return lambda: kind(values, verdict)


# --- the claims -------------------------------------------------------------------------------------------------------


def outcome(run: Callable[..., Any], checked: Checked, world: World) -> tuple[str, Any]:
    """Return the value, or the sentence of the failure; a value is told apart from an equal one of another type."""
    try:
        return "value", run(checked, world, {"line": world.values["line"]})
    except RuleError as error:
        return "failure", str(error)


def told(found: tuple[str, Any]) -> tuple[str, Any]:
    """Return an outcome with maps and sets in order, as a text that tells types apart."""
    return found[0], shown(found[1])


def shown(value: Any) -> Any:
    if isinstance(value, Unknown):
        return "unknown", sorted(value.missing)
    if isinstance(value, Mapping):
        return [(key, shown(item)) for key, item in value.items()]
    if isinstance(value, tuple):
        return [shown(item) for item in value]
    return type(value).__name__, repr(value)


def hold_equal(text: str, world: Callable[[], World], library: Any) -> None:
    """Compare generated code with the reference: value, explanation, and what they ask."""
    checked, _ = check_text(text, library)
    if checked is None:
        reject()  # only well-typed programs count
    assert warm(checked) is not None
    assert warm(checked, watched=True) is not None
    by_reference, generated, watched = world(), world(), world()
    expected = outcome(interpret, checked, by_reference)
    assert told(outcome(evaluate, checked, generated)) == told(expected)
    assert generated.calls <= by_reference.calls
    leaves = explain(checked, world(), {"line": by_reference.values["line"]})
    kind, found = outcome(observe, checked, watched)
    assert watched.calls <= by_reference.calls
    value, seen = found if kind == "value" else (found, None)
    assert told((kind, value)) == told(expected)
    again = explain(checked, watched, {"line": by_reference.values["line"]}, seen=seen)
    assert [
        (leaf.text, leaf.start, leaf.end, shown(leaf.value), shown(leaf.saw), leaf.failed) for leaf in again
    ] == [
        (leaf.text, leaf.start, leaf.end, shown(leaf.value), shown(leaf.saw), leaf.failed) for leaf in leaves
    ]


@settings(max_examples=1_000)
@given(text=programs(), world=worlds())
def test_generated_code_gives_what_the_reference_gives(
    text: str, world: Callable[[], World], library: Any
) -> None:
    hold_equal(text, world, library)


@pytest.mark.long
@settings(max_examples=100_000)
@given(text=programs(), world=worlds())
def test_generated_code_gives_what_the_reference_gives_at_length(
    text: str, world: Callable[[], World], library: Any
) -> None:
    hold_equal(text, world, library)
