"""Google's own CEL as the oracle: random programs over the types that both have give the same value, or fail in both.

Left out, because the two differ on purpose (docs/conformance.md): durations past 292 years, parts of a second, values of
two types beside each other, and what the profile does not have at all.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amends.engine import calendar
from amends.engine.errors import RuleError
from amends.engine.expression import Declared, check_text, evaluate, warm
from amends.engine.types import BOOL, DURATION, INT, TEXT, TIMESTAMP, ListType, MapType, Type
from amends.engine.values import Unknown, Value

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cel_expr_python") is None,
    reason="cel-expr-python is not installed: it has wheels for some platforms and versions of Python only",
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES: dict[str, Type] = {
    "b": BOOL,
    "c": BOOL,
    "i": INT,
    "j": INT,
    "s": TEXT,
    "t": TEXT,
    "at": TIMESTAMP,
    "then": TIMESTAMP,
    "wait": DURATION,
    "xs": ListType(INT),
    "words": ListType(TEXT),
    "m": MapType(INT),
}
#: Names in the programs that stand for types.
KINDS = ("bool", "int", "text", "timestamp", "duration", "list of int", "list of text", "map of int")

_COMPARED = ("bool", "int", "text", "timestamp", "duration")
_FULL = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear")
_CLOCK = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")

#: A row: the type of the result, the text, and the types of its parts.
GRAMMAR: list[tuple[str, str, tuple[str, ...]]] = [
    *(("bool", text, ()) for text in ["true", "false", "b", "c", "has(m.a)", "has(m.zz)"]),
    *(("bool", text, ("bool", "bool")) for text in ["({} && {})", "({} || {})"]),
    ("bool", "!({})", ("bool",)),
    *((kind, "({} ? {} : {})", ("bool", kind, kind)) for kind in KINDS),
    *(("bool", f"({{}} {op} {{}})", (kind, kind)) for op in ("<", "<=", ">", ">=", "==", "!=") for kind in _COMPARED),
    *(("bool", f"({{}} {op} {{}})", (kind, kind)) for op in ("==", "!=") for kind in KINDS[5:]),
    ("bool", "({} in {})", ("int", "list of int")),
    ("bool", "({} in {})", ("text", "list of text")),
    ("bool", "({} in {})", ("text", "map of int")),
    *(("bool", f"({{}}).{name}({{}})", ("text", "text")) for name in ("contains", "startsWith", "endsWith")),
    *(("bool", f"({{}}).matches('{pattern}')", ("text",)) for pattern in ("^a+", "[0-9]+$", "(a|b)*c", ".")),
    *(("bool", f"({{}}).{name}(x, x > {{}})", ("list of int", "int")) for name in ("all", "exists", "exists_one")),
    *(("bool", f"({{}}).{name}(x, 6 / x > {{}})", ("list of int", "int")) for name in ("all", "exists", "exists_one")),
    *(("bool", f"({{}}).{name}(k, k != {{}})", ("map of int", "text")) for name in ("all", "exists", "exists_one")),
    ("bool", "bool({})", ("text",)),
    *(("int", text, ()) for text in ["0", "1", "-7", "9223372036854775807", "i", "j", "m.a", "xs[0]"]),
    *(("int", f"({{}} {op} {{}})", ("int", "int")) for op in "+-*/%"),
    ("int", "-({})", ("int",)),
    *(("int", "size({})", (kind,)) for kind in ("text", *KINDS[5:])),
    *(("int", "({}).size()", (kind,)) for kind in ("text", *KINDS[5:])),
    ("int", "({})[{}]", ("list of int", "int")),
    ("int", "({})[{}]", ("map of int", "text")),
    ("int", "int({})", ("text",)),
    ("int", "int({})", ("timestamp",)),
    *(("int", f"({{}}).{name}()", ("timestamp",)) for name in _FULL + _CLOCK),
    *(("int", f"({{}}).{name}('{zone}')", ("timestamp",)) for name in _FULL + _CLOCK for zone in ("America/New_York", "+05:30", "-02:00")),
    *(("int", f"({{}}).{name}()", ("duration",)) for name in _CLOCK),
    *(("text", text, ()) for text in ["''", "'a'", "'1'", "'-12'", "'true'", "'é😀'", "s", "t", "words[0]"]),
    ("text", "({} + {})", ("text", "text")),
    *(("text", "string({})", (kind,)) for kind in _COMPARED),
    ("text", "({})[{}]", ("list of text", "int")),
    *(("timestamp", text, ()) for text in ["at", "then", "timestamp('2024-02-29T23:59:59Z')", "timestamp('2026-03-08T02:30:00-05:00')", "timestamp(1000000000)"]),
    ("timestamp", "({} + {})", ("timestamp", "duration")),
    ("timestamp", "({} + {})", ("duration", "timestamp")),
    ("timestamp", "({} - {})", ("timestamp", "duration")),
    *(("duration", text, ()) for text in ["wait", "duration('90m')", "duration('-36h')", "duration('1h30m5s')", "duration('0s')"]),
    ("duration", "({} - {})", ("timestamp", "timestamp")),
    ("duration", "({} + {})", ("duration", "duration")),
    ("duration", "({} - {})", ("duration", "duration")),
    *(("list of int", text, ()) for text in ["xs", "[]", "[1, 2, 3]"]),
    ("list of int", "[{}, {}]", ("int", "int")),
    ("list of int", "({} + {})", ("list of int", "list of int")),
    ("list of int", "({}).map(x, x * {})", ("list of int", "int")),
    ("list of int", "({}).map(x, x > {}, 6 / x)", ("list of int", "int")),
    ("list of int", "({}).filter(x, x != {})", ("list of int", "int")),
    *(("list of text", text, ()) for text in ["words", "['a', 'b']"]),
    ("list of text", "[{}]", ("text",)),
    ("list of text", "({}).map(x, string(x))", ("list of int",)),
    *(("map of int", text, ()) for text in ["m", "{{}}", "{{'a': 1, 'b': 2}}"]),
    ("map of int", "{{'a': {}}}", ("int",)),
    ("map of int", "{{{}: {}, 'b': {}}}", ("text", "int", "int")),
]  # fmt: skip
BY_KIND = {kind: [row for row in GRAMMAR if row[0] == kind] for kind in KINDS}
SHORT = {kind: [row for row in rows if not row[2]] for kind, rows in BY_KIND.items()}


def write(draw: Draw, kind: str, depth: int) -> str:
    """Draw a program of a type."""
    _, text, parts = draw(st.sampled_from(BY_KIND[kind] if depth else SHORT[kind]))
    return str(text).format(*(write(draw, part, depth - 1) for part in parts))


@st.composite
def programs(draw: Draw) -> str:
    """Draw a program."""
    return write(draw, draw(st.sampled_from(["bool", *KINDS])), draw(st.integers(1, 4)))


# The sums of the deepest program stay far below 292 years.
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the zone follows
    lambda at: at.replace(microsecond=0)
)
INTS = st.one_of(st.integers(-3, 9), st.integers(-(2**63), 2**63 - 1))
TEXTS = st.one_of(
    st.sampled_from(["", "a", "abc", "12", "true", "ß"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
)
FACTS = st.fixed_dictionaries(
    {
        "b": st.booleans(),
        "c": st.booleans(),
        "i": INTS,
        "j": INTS,
        "s": TEXTS,
        "t": TEXTS,
        "at": INSTANTS,
        "then": INSTANTS,
        "wait": st.integers(-10_000_000, 10_000_000).map(lambda seconds: timedelta(seconds=seconds)),
        "xs": st.lists(st.one_of(st.integers(-2, 4), INTS), max_size=4),
        "words": st.lists(TEXTS, max_size=3),
        "m": st.dictionaries(st.sampled_from(["a", "b", "é"]), INTS, max_size=3),
    }
)


@dataclass(frozen=True)
class World:
    """The names, and what they are worth."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def zone(self) -> ZoneInfo:
        return calendar.zone("UTC")

    def find(self, name: str) -> Declared | None:
        return Declared(type=NAMES[name], kind="fact") if name in NAMES else None

    def names(self) -> Iterable[str]:
        return NAMES

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - no records here
        return None

    def type_names(self) -> Iterable[str]:
        return ()

    def value(self, name: str) -> Value:
        found = self.facts[name]
        return tuple(found) if isinstance(found, list) else found

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        raise LookupError(name, arguments)


@cache
def google() -> Any:
    """Return the oracle, with the names declared."""
    from cel_expr_python import cel  # noqa: PLC0415 - it need not be there

    kinds: dict[Type, Any] = {
        BOOL: cel.Type.BOOL,
        INT: cel.Type.INT,
        TEXT: cel.Type.STRING,
        TIMESTAMP: cel.Type.TIMESTAMP,
        DURATION: cel.Type.DURATION,
        ListType(INT): cel.Type.List(cel.Type.INT),
        ListType(TEXT): cel.Type.List(cel.Type.STRING),
        MapType(INT): cel.Type.Map(cel.Type.STRING, cel.Type.INT),
    }
    return cel.NewEnv(variables={name: kinds[type_] for name, type_ in NAMES.items()})


FAILED = "failed"


def by_google(text: str, facts: Mapping[str, Any]) -> Any:
    """Return the oracle's value; it reports an error as a value of the type ERROR."""
    value = google().compile(text).eval(data=dict(facts))
    return FAILED if value.type().name() == "ERROR" else tagged(value.plain_value())


def by_us(text: str, facts: Mapping[str, Any]) -> Any:
    """Return our value; what a literal such as `timestamp('x')` cannot be read as is found when it is checked."""
    world = World(facts)
    checked, problems = check_text(text, world)
    if checked is None:
        assert {problem.code for problem in problems} == {"AM106"}, problems
        return FAILED
    found = []
    for fast in (False, True):
        if fast:
            warm(checked)
        try:
            value = evaluate(checked, world)
            assert not isinstance(value, Unknown)
            found.append(tagged(value))
        except RuleError:
            found.append(FAILED)
    assert found[0] == found[1]
    return found[0]


def tagged(value: Any) -> Any:
    """Return a value that differs from every value of another type; lists and tuples are one."""
    if isinstance(value, Mapping):
        return {key: tagged(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tagged(item) for item in value]
    if isinstance(value, datetime):
        return "timestamp", value.astimezone(UTC)
    return type(value).__name__, value


@settings(max_examples=500)
@given(text=programs(), facts=FACTS)
def test_our_values_are_those_of_googles_cel(text: str, facts: Mapping[str, Any]) -> None:
    assert by_us(text, facts) == by_google(text, facts)


@pytest.mark.long
@settings(max_examples=50_000)
@given(text=programs(), facts=FACTS)
def test_our_values_are_those_of_googles_cel_at_length(text: str, facts: Mapping[str, Any]) -> None:
    assert by_us(text, facts) == by_google(text, facts)
