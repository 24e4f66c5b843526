"""One small world of names for the tests of the expression language: a lending library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.engine import calendar
from amends.engine.errors import RuleError
from amends.engine.expression import Checked, Declared, Leaf, Problem, check_text, evaluate, explain
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    MONEY,
    PERIOD,
    TEXT,
    TIMESTAMP,
    WINDOW,
    EnumType,
    ListType,
    MapType,
    MoneyType,
    OptionalType,
    RecordType,
    Type,
)
from amends.engine.values import Unknown, Value, Window, parse_timestamp

KIND = EnumType("kind", ("novel", "atlas", "score"))
MOOD = EnumType("mood", ("calm", "cross"))
REASON = EnumType("reason", ("too_early", "too_late"))
LINE = RecordType(
    "line", (("title", TEXT), ("price", MONEY), ("weight", OptionalType(DECIMAL)), ("kind", KIND))
)
DAMAGE = RecordType(
    "damage", (("amount", MONEY), ("kind", KIND), ("note", OptionalType(TEXT)), ("at", TIMESTAMP))
)
PART = RecordType("part", (("id", TEXT), ("method", TEXT), ("amount", MONEY), ("note", OptionalType(TEXT))))
VERDICT = RecordType("verdict", (("owed", BOOL), ("share", DECIMAL)))

FACTS: dict[str, Type] = {
    "price": MONEY,
    "fee": MONEY,
    "euros": MoneyType("EUR"),
    "dollars": MoneyType("USD"),
    "tries": INT,
    "ratio": DECIMAL,
    "name": TEXT,
    "urgent": BOOL,
    "kind": KIND,
    "mood": MOOD,
    "lent_at": TIMESTAMP,
    "day": DATE,
    "wait": DURATION,
    "grace": PERIOD,
    "lines": ListType(LINE),
    "tags": ListType(TEXT),
    "numbers": ListType(INT),
    "kinds": ListType(KIND),
    "scores": MapType(INT),
    "asked_at": OptionalType(TIMESTAMP),
    "limit": OptionalType(INT),
    "sure": OptionalType(BOOL),
    "willing": OptionalType(BOOL),
    "mark": OptionalType(TEXT),
}
ASKED = frozenset({"asked_at"})
NAMES: dict[str, Declared] = {
    **{name: Declared(type=type_, kind="fact", reads=frozenset({name})) for name, type_ in FACTS.items()},
    "damage": Declared(type=OptionalType(DAMAGE), kind="record", may_miss=frozenset({"damage"})),
    "claims": Declared(type=WINDOW, kind="window", may_miss=ASKED, reads=ASKED),
    "always": Declared(type=WINDOW, kind="window"),
    "half": Declared(type=MONEY, kind="define", reads=frozenset({"price"})),
    "late": Declared(type=BOOL, kind="define", may_miss=ASKED, reads=ASKED, ensures_true=ASKED),
    "most": Declared(type=INT, kind="param", literal=3),
    "verdict": Declared(type=VERDICT, kind="table", parameters=(LINE,), reads=frozenset({"price"})),
    "tariff": Declared(type=VERDICT, kind="table", reads=frozenset({"kind"})),
    "offer": Declared(
        type=VERDICT,
        kind="table",
        reads=frozenset({"limit", "mark"}),
        outputs_may_miss={"owed": frozenset({"mark"}), "share": frozenset({"limit"})},
    ),
    "line": Declared(type=LINE, kind="variable"),
}


NOON = parse_timestamp("2026-03-05T12:00:00Z")


def usd(amount: str | int) -> Money:
    return Money(Fraction(amount), "USD")


VALUES: dict[str, Value] = {
    "price": usd(20),
    "fee": usd("2.50"),
    "euros": Money(Fraction(5), "EUR"),
    "dollars": usd(7),
    "tries": 2,
    "ratio": Fraction(1, 4),
    "name": "Ada",
    "urgent": False,
    "kind": "atlas",
    "mood": "calm",
    "lent_at": parse_timestamp("2026-03-01T10:00:00Z"),
    "day": date(2026, 3, 2),
    "wait": timedelta(hours=36),
    "grace": Period(3, "day"),
    "lines": (
        {"title": "Emma", "price": usd(8), "weight": Fraction("0.4"), "kind": "novel"},
        {"title": "Alps", "price": usd(12), "kind": "atlas"},
    ),
    "tags": ("old", "rare"),
    "numbers": (3, 1, 2),
    "kinds": ("novel",),
    "scores": {"a": 1, "b": 0},
    "always": Window(opens=None, closes=None),
    "half": usd(10),
    "most": 3,
    "tariff": {"owed": True, "share": Fraction(1, 2)},
    "offer": {"owed": True, "share": Unknown(frozenset({"limit"}))},
}


@dataclass(frozen=True)
class Library:
    """The names, and what they are worth."""

    names_: Mapping[str, Declared] = field(default_factory=lambda: NAMES)
    now: datetime = NOON

    # --- a scope

    def find(self, name: str) -> Declared | None:
        return self.names_.get(name)

    def names(self) -> Iterable[str]:
        return self.names_

    def find_type(self, name: str) -> Type | None:
        types: dict[str, Type] = {"part": PART, "line": LINE, "reason": REASON}
        return types.get(name)

    def type_names(self) -> Iterable[str]:
        return ("part", "line")

    # --- what tests ask

    def problems(self, text: str, expect: Type | None = None) -> tuple[Problem, ...]:
        return check_text(text, self, expect=expect)[1]

    def checked(self, text: str, expect: Type | None = None, present: Iterable[str] = ()) -> Checked:
        checked, problems = check_text(text, self, expect=expect, present=frozenset(present))
        assert checked is not None, problems
        return checked

    def env(self, **facts: Value) -> Known:
        return Known({**VALUES, **facts}, self.now)

    def value(self, text: str, expect: Type | None = None, **facts: Value) -> Value:
        return evaluate(self.checked(text, expect), self.env(**facts), {"line": VALUES["lines"][0]})

    def failure(self, text: str, **facts: Value) -> str:
        with pytest.raises(RuleError) as caught:
            self.value(text, **facts)
        return str(caught.value)

    def leaves(self, text: str, **facts: Value) -> tuple[Leaf, ...]:
        return explain(self.checked(text), self.env(**facts))


@dataclass(frozen=True)
class Known:
    """An environment: facts, and the names computed from them."""

    facts: Mapping[str, Value]
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return calendar.zone("America/New_York")

    def value(self, name: str) -> Value:
        asked = self.facts.get("asked_at", Unknown(ASKED))
        if name in self.facts:
            return self.facts[name]
        if name == "claims":
            closes = asked if isinstance(asked, Unknown) else asked + timedelta(days=3)
            return Window(opens=asked, closes=closes, early="too_early", late="too_late")
        if name == "late":
            return asked if isinstance(asked, Unknown) else asked < self.now
        return Unknown(frozenset({name}))

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        assert name == "verdict"
        (line,) = arguments
        return {"owed": line["kind"] == "novel", "share": Fraction(1, 2)}


@pytest.fixture(scope="session")
def library() -> Library:
    return Library()


@pytest.fixture(scope="session")
def missing() -> Any:
    """Return what an expression is worth while paths are missing."""
    return lambda *paths: Unknown(frozenset(paths))
