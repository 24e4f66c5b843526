"""Scenario files as records: cases, what arrives in them, and what must then be true.

Form of the files: schemas/scenario.schema.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from ..calendar import zone_names
from ..diagnostics import Diagnostic, Diagnostics, Place, did_you_mean
from ..document import Fields, Items, Node, Scalar, read_file, to_plain
from ..errors import InvalidValue
from ..money import Money, parse_money
from ..schema import check_document
from ..values import Value, parse_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioEvent:
    """Something that arrives in a case."""

    #: When it is recorded.
    at: datetime
    #: When it happened, where that was earlier.
    occurred_at: datetime | None = None
    actor: str
    name: str
    data: Mapping[str, Any]
    place: Place
    #: Where its `type`, its `actor` and each field of its `data` are written.
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing that must be true: of a state, decision, reason, amount, currency, route, deadline or of effects."""

    key: Literal["state", "decision", "reason", "amount", "currency", "route", "deadline", "effects"]
    #: Which deadline; None for everything else.
    name: str | None = None
    #: Text or a map, an amount as Money or a map of them, a deadline's due as an instant, effects as plain data.
    value: Value
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be true once everything up to and including an instant is processed."""

    at: datetime
    wanted: tuple[Wanted, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCase:
    """One case: what is known when it opens, what arrives, what is expected; the two in time order."""

    id: str
    name: str
    #: The policy that takes it; None where `serves` is to choose.
    policy: str | None
    #: The case's own zone, or the file's; None where neither names one.
    timezone: str | None
    given: Mapping[str, Any]
    #: Where the first event does not say it: when the case opens.
    opened_at: datetime | None = None
    events: tuple[ScenarioEvent, ...]
    expect: tuple[Expectation, ...]
    place: Place
    #: Where each fact is given.
    given_at: Mapping[str, Place] = field(default_factory=dict)

    @property
    def opens_at(self) -> datetime:
        """The instant that is named, else that of the first event."""
        return self.events[0].at if self.opened_at is None else self.opened_at

    @property
    def facts(self) -> dict[str, Any]:
        """What the case is opened with: what is given, and the zone where one is named."""
        named = {} if self.timezone is None else {"timezone": self.timezone}
        return {**named, **self.given}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """A file of cases."""

    file: str
    title: str
    cases: tuple[ScenarioCase, ...]


_CASES: Final = re.compile(rb"^(?:\xef\xbb\xbf)?cases[ \t]*:", re.MULTILINE)
#: More than a file may hold is not searched.
_SEARCHED: Final = 1_000_000


def find_scenarios(path: Path) -> tuple[Path, ...]:
    """Return the scenario files that ship beside policies.

    In a folder: every `*.yaml` below a folder `scenarios`, and every `*.scenarios.yaml`. Of a policy file `X.yaml`:
    `X.scenarios.yaml`. Only files with a key `cases` at their top count.
    """
    if path.is_dir():
        found = [
            file
            for file in path.rglob("*.yaml")
            if file.name.endswith(".scenarios.yaml")
            or "scenarios" in file.relative_to(path.parent).parts[:-1]
        ]
    else:
        found = [path.with_name(f"{path.stem}.scenarios.yaml")]
    return tuple(sorted(file for file in found if file.is_file() and _holds_cases(file)))


def _holds_cases(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return _CASES.search(opened.read(_SEARCHED)) is not None
    except OSError:
        # The reader says what is wrong with it.
        return True


def read_scenarios(path: Path) -> tuple[ScenarioFile | None, tuple[Diagnostic, ...]]:
    """Read a file of cases; where anything is wrong with it there are findings, and no cases."""
    node, found = read_file(path)
    if node is None:
        return None, found
    found = (*found, *check_document(node, "scenario"))
    if any(item.severity == "error" for item in found) or not isinstance(node, Fields):
        return None, found
    reader = _Reader(Diagnostics(list(found)))
    file = reader.file(node, str(path))
    return None if reader.found.has_errors else file, reader.found.sorted()


#: Stands for what could not be read; findings keep it from being used.
_EPOCH: Final = parse_timestamp("1970-01-01T00:00:00Z")


class _Reader:
    """Turns nodes that fit the schema into records; what the schema cannot see becomes findings."""

    def __init__(self, found: Diagnostics) -> None:
        self.found = found

    def file(self, node: Fields, name: str) -> ScenarioFile:
        timezone = self.timezone(node)
        cases = tuple(self.case(item, timezone) for item in _maps(node.get("cases")))
        seen: dict[str, Place] = {}
        for case in cases:
            if (first := seen.setdefault(case.id, case.place)) is not case.place:
                related = [("the other one", first)]
                self.found.add("AM105", case.place, f"two cases have the id `{case.id}`", related=related)
        return ScenarioFile(file=name, title=_text(node.get("title")) or "", cases=cases)

    def case(self, node: Fields, timezone: str | None) -> ScenarioCase:
        events = tuple(self.event(item) for item in _maps(node.get("events")))
        expect = tuple(self.expectation(item) for item in _maps(node.get("expect")))
        opened_at = self.instant(node.get("opened_at")) if "opened_at" in node else None
        opens_at = events[0].at if opened_at is None else opened_at
        for before, event in pairwise(events):
            if _EPOCH < event.at < before.at:
                self.found.add("AM106", event.place, "this event is earlier than the one above it")
        if events and _EPOCH < events[0].at < opens_at:
            self.found.add("AM106", events[0].place, "this event is earlier than the case opens")
        for item in expect:
            if _EPOCH < item.at < opens_at:
                self.found.add("AM106", item.place, "this is expected before the case opens")
        place = node.get("id")
        return ScenarioCase(
            id=_text(place) or "",
            name=_text(node.get("name")) or "",
            policy=_text(node.get("policy")),
            timezone=self.timezone(node) or timezone,
            given=_plain_map(node.get("given")),
            opened_at=opened_at,
            events=events,
            expect=tuple(sorted(expect, key=lambda item: item.at)),
            place=place.place if place is not None else node.place,
            given_at=_key_places(node.get("given")),
        )

    def event(self, node: Fields) -> ScenarioEvent:
        return ScenarioEvent(
            at=self.instant(node.get("at")),
            occurred_at=self.instant(node.get("occurred_at")) if "occurred_at" in node else None,
            actor=_text(node.get("actor")) or "",
            name=_text(node.get("type")) or "",
            data=_plain_map(node.get("data")),
            place=node.place,
            places={
                **{key: item.place for key in ("type", "actor") if (item := node.get(key)) is not None},
                **{f"data.{name}": place for name, place in _key_places(node.get("data")).items()},
            },
        )

    def expectation(self, node: Fields) -> Expectation:
        return Expectation(at=self.instant(node.get("at")), wanted=tuple(self.wanted(node)), place=node.place)

    def wanted(self, node: Fields) -> Iterator[Wanted]:
        for key, value in node.entries:
            match key.text:
                case "state" | "decision" | "reason" | "currency" as name:
                    yield Wanted(key=name, value=to_plain(value), place=value.place)
                case "amount":
                    yield Wanted(key="amount", value=self.amounts(value), place=value.place)
                case "effects":
                    yield Wanted(key="effects", value=to_plain(value), place=value.place)
                case "route":
                    yield Wanted(key="route", value=self.route(value), place=value.place)
                case "deadline":
                    for item in _maps(value):
                        yield Wanted(
                            key="deadline",
                            name=_text(item.get("name")) or "",
                            value=self.instant(item.get("due")),
                            place=item.place,
                        )

    def route(self, node: Node) -> Value:
        return self.amounts(node) if isinstance(node, Fields) else to_plain(node)

    def amounts(self, node: Node) -> Value:
        if isinstance(node, Fields):
            return {key.text: self.amount(value) for key, value in node.entries}
        return self.amount(node)

    def amount(self, node: Node) -> Money:
        try:
            return parse_money(_text(node) or "", "")
        except InvalidValue as problem:
            self.found.add("AM106", node.place, str(problem))
            return Money(Fraction(0), "")

    def instant(self, node: Node | None) -> datetime:
        try:
            return parse_timestamp(_text(node) or "")
        except InvalidValue as problem:
            if node is not None:
                self.found.add("AM106", node.place, str(problem))
            return _EPOCH

    def timezone(self, node: Fields) -> str | None:
        name = node.get("timezone")
        if name is None:
            return None
        text = _text(name) or ""
        if text not in zone_names():
            hint = did_you_mean(text, zone_names())
            self.found.add("AM104", name.place, f"there is no time zone `{text[:60]}`", hint=hint)
            return None
        return text


def _maps(node: Node | None) -> Iterator[Fields]:
    """Yield the maps of a list, or the one map that stands for a list of itself."""
    items = node.items if isinstance(node, Items) else (node,)
    return (item for item in items if isinstance(item, Fields))


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def _key_places(node: Node | None) -> Mapping[str, Place]:
    return {key.text: key.place for key, _ in node.entries} if isinstance(node, Fields) else {}


def _plain_map(node: Node | None) -> Mapping[str, Any]:
    data = {} if node is None else to_plain(node)
    return data if isinstance(data, dict) else {}
