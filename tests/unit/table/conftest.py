"""A small world to look tables up in: a document with `facts`, `params` and `tables`, and cases with some of the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.engine.calendar import Calendar, zone
from amends.engine.checks.tables import check_table
from amends.engine.diagnostics import Diagnostic, Diagnostics
from amends.engine.document import Fields, Node, read_text, to_plain
from amends.engine.expression import Declared
from amends.engine.literal import read_literal
from amends.engine.moment import CompiledMoment, Finished, read_moment
from amends.engine.read.tables import read_table
from amends.engine.read.vocabulary import Types
from amends.engine.rules.condition import Context
from amends.engine.table import CompiledTable, TableResult, look_up
from amends.engine.types import Type, required
from amends.engine.values import Unknown, Value


@dataclass(frozen=True)
class Names:
    """The scope: facts and tables."""

    facts: Mapping[str, Type]
    params: Mapping[str, tuple[Type, Value]] = field(default_factory=dict)
    tables: dict[str, CompiledTable] = field(default_factory=dict)

    def find(self, name: str) -> Declared | None:
        if name in self.facts:
            return Declared(type=self.facts[name], kind="fact")
        if name in self.params:
            type_, value = self.params[name]
            return Declared(type=type_, kind="param", literal=value)
        table = self.tables.get(name)
        if table is None:
            return None
        types = tuple(type_ for _, type_ in table.parameters) or None
        return Declared(
            type=table.type, kind="table", reads=table.reads, may_miss=table.may_miss, parameters=types
        )

    def names(self) -> Iterable[str]:
        return (*self.facts, *self.params, *self.tables)

    def find_type(self, name: str) -> Type | None:  # noqa: ARG002 - the scope's interface
        return None

    def type_names(self) -> Iterable[str]:
        return ()


@dataclass(frozen=True)
class Case:
    """The environment: the values of some facts."""

    names: Names
    facts: Mapping[str, Value]
    now: datetime = datetime(2026, 3, 5, 12, tzinfo=UTC)
    zone: ZoneInfo = field(default_factory=lambda: zone("UTC"))

    def value(self, name: str) -> Value:
        if name in self.names.tables:
            return look_up(self.names.tables[name], self).value
        if name in self.names.params:
            return self.names.params[name][1]
        return self.facts.get(name, Unknown(frozenset({name})))

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        return look_up(self.names.tables[name], self, arguments).value

    def calendar(self, name: str) -> Calendar:
        return Calendar(name=name)

    def finished(self, name: str) -> Finished | Unknown:
        raise LookupError(name)


@dataclass(frozen=True)
class World:
    """What was read of a document."""

    names: Names
    findings: tuple[Diagnostic, ...]

    @property
    def tables(self) -> Mapping[str, CompiledTable]:
        return self.names.tables

    def case(self, facts: Mapping[str, Any]) -> Case:
        """Return a case; facts that are None are missing."""
        given = {name: value for name, value in facts.items() if value is not None}
        return Case(
            self.names,
            {
                name: read_literal(value, required(self.names.facts[name]), currency="USD")
                for name, value in given.items()
            },
        )

    def look_up(self, name: str, /, **facts: Any) -> TableResult:
        return look_up(self.tables[name], self.case(facts))


def read_world(text: str, file: str = "p.yaml") -> World:
    """Read a document, its tables in order, and check those that can be read."""
    node, found = read_text(text, file)
    assert isinstance(node, Fields)
    assert found == ()
    return world_of(node)


def world_of(node: Fields) -> World:
    """Read the `facts` and `tables` of a map."""
    diagnostics = Diagnostics()
    types = Types(node.get("types"), diagnostics, {})
    names = Names(
        {key.text: types.read(value, key.text) for key, value in _entries(node.get("facts"))},
        {key.text: _param(key.text, value, types) for key, value in _entries(node.get("params"))},
    )
    context = Context(scope=names, diagnostics=diagnostics, currency="USD")
    for key, value in _entries(node.get("tables")):
        table = read_table(key.text, value, context, types.read, _moment, ("handbook", "guess"))
        if table is not None:
            check_table(table, diagnostics)
            names.tables[key.text] = table
    return World(names, diagnostics.sorted())


def _entries(node: Node | None) -> Iterable[tuple[Any, Node]]:
    return node.entries if isinstance(node, Fields) else ()


def _param(name: str, node: Node, types: Types) -> tuple[Type, Value]:
    """Read a param: `{type, is}`."""
    assert isinstance(node, Fields)
    written, type_node = node.get("is"), node.get("type")
    assert written is not None
    assert type_node is not None
    type_ = types.read(type_node, name)
    return type_, read_literal(to_plain(written), type_, currency="USD")


def _moment(node: Node, context: Context) -> CompiledMoment | None:
    return read_moment(node, context, almanac=_Almanac())


class _Almanac:
    """One calendar of plain business days."""

    def names(self) -> tuple[str, ...]:
        return ("business",)

    def calendar(self, name: str) -> Calendar:
        return Calendar(name=name)

    def zone(self) -> None:
        return None


@pytest.fixture(scope="session")
def read() -> Callable[[str], World]:
    """Return what reads a document."""
    return read_world


@pytest.fixture(scope="session")
def world() -> Callable[[Fields], World]:
    """Return what reads the map of a fixture."""
    return world_of


__all__ = ["World", "read_world", "to_plain", "world_of"]
