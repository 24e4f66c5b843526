"""A small world for moments: names with types, a case with values, calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.engine.calendar import Calendar, zone
from amends.engine.diagnostics import Diagnostic, Diagnostics
from amends.engine.document import read_text
from amends.engine.errors import RuleError
from amends.engine.expression import Checked, Declared
from amends.engine.literal import read_literal
from amends.engine.moment import CompiledMoment, Finished, evaluate_moment, read_moment
from amends.engine.period import Period
from amends.engine.rules.condition import Context
from amends.engine.types import (
    BOOL,
    DATE,
    INT,
    MONEY,
    NAMED,
    PERIOD,
    TEXT,
    TIMESTAMP,
    WINDOW,
    RecordType,
    Type,
    optional,
)
from amends.engine.values import Unknown, Value

CALENDARS = {
    "business": Calendar(name="business", holidays=frozenset({date(2026, 7, 3)})),
    "de": Calendar(name="de", holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 10, 3)})),
    "gulf": Calendar(name="gulf", weekend=frozenset({5, 6})),
    "short": Calendar(name="short", first=date(2026, 1, 1), last=date(2026, 3, 31)),
}

FACTS: dict[str, Type] = {
    "ordered_at": TIMESTAMP,
    "delivered_at": optional(TIMESTAMP),
    "shipped_at": optional(TIMESTAMP),
    "check_in": DATE,
    "leaves_on": optional(DATE),
    "price": MONEY,
    "weight": INT,
    "zone_name": TEXT,
    "calendar_name": optional(TEXT),
    "review_time": PERIOD,
    "grace": optional(PERIOD),
    "claim": RecordType("claim", (("amount", MONEY), ("at", TIMESTAMP), ("from", TIMESTAMP))),
}
PARAMS: dict[str, Value] = {
    "return_period": Period(30, "day"),
    "answer_within": Period(48, "hour"),
    "two_days": Period(2, "business day"),
}


@dataclass
class Names:
    """The scope: facts, params, a window, a define that asks about now, and declared moments."""

    moments: dict[str, CompiledMoment] = field(default_factory=dict)

    def find(self, name: str) -> Declared | None:
        if name in FACTS:
            type_ = FACTS[name]
            missing = frozenset({name}) if str(type_).startswith("optional") else frozenset[str]()
            kind: Any = "record" if isinstance(type_, RecordType) else "fact"
            return Declared(type=type_, kind=kind, may_miss=missing, reads=frozenset({name}))
        if name in PARAMS:
            return Declared(type=PERIOD, kind="param", literal=PARAMS[name])
        if name in self.moments:
            moment = self.moments[name]
            return Declared(type=TIMESTAMP, kind="moment", may_miss=moment.may_miss, reads=moment.reads)
        if name == "returns":
            return Declared(type=WINDOW, kind="window", reads=frozenset({"delivered_at"}))
        if name == "is_late":
            return Declared(type=BOOL, kind="define", reads=frozenset({"now"}))
        return None

    def names(self) -> Iterable[str]:
        return [*FACTS, *PARAMS, *self.moments, "returns", "is_late"]

    def find_type(self, name: str) -> Type | None:
        return NAMED.get(name) if name in self.type_names() else None

    def type_names(self) -> Iterable[str]:
        return ()


@dataclass
class World:
    """The environment: a case at one instant, in one zone."""

    names: Names
    values: dict[str, Value]
    zone: ZoneInfo
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def value(self, name: str) -> Value:
        if name in self.names.moments:
            found = self.finished(name)
            return found if isinstance(found, Unknown) else found.at
        return {**PARAMS, **self.values}.get(name, Unknown(frozenset({name})))

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        raise LookupError(name, arguments)

    def calendar(self, name: str) -> Calendar:
        if name not in CALENDARS:
            raise RuleError(f"there is no calendar `{name}`")
        return CALENDARS[name]

    def finished(self, name: str) -> Finished | Unknown:
        return evaluate_moment(self.names.moments[name], self)


@dataclass
class Almanac:
    """Declared calendars, and the expression that the case's zone is computed from."""

    declared: Mapping[str, Calendar | Checked]
    computed_zone: Checked | None = None

    def names(self) -> Iterable[str]:
        return self.declared

    def calendar(self, name: str) -> Calendar | Checked | None:
        return self.declared[name]

    def zone(self) -> Checked | None:
        return self.computed_zone


Read = Callable[..., tuple[CompiledMoment | None, tuple[Diagnostic, ...]]]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture(scope="session")
def bare_names() -> Names:
    """The scope without declared moments, which a test may share between its examples."""
    return Names()


@pytest.fixture
def read(names: Names) -> Read:
    """Read one moment from YAML text, as the value of a key."""

    def read(
        text: str,
        *,
        given: bool = False,
        calendars: Mapping[str, Calendar | Checked] = CALENDARS,
        zone: Checked | None = None,
    ) -> Any:
        node, problems = read_text(f"moment: {text}\n", "policy.yaml")
        assert not problems, problems
        assert node is not None
        diagnostics = Diagnostics()
        context = Context(scope=names, diagnostics=diagnostics)
        moment = read_moment(node.get("moment"), context, almanac=Almanac(calendars, zone), given=given)  # type: ignore[arg-type, union-attr]
        return moment, diagnostics.sorted()

    return read


@pytest.fixture
def world(names: Names) -> Callable[..., World]:
    """Make the environment of a case from facts as text."""

    def make(facts: Mapping[str, Any], zone_name: str = "America/New_York") -> World:
        values = {name: read_literal(text, FACTS[name]) for name, text in facts.items()}
        return World(names, values, zone(zone_name))

    return make
