"""Plants faults in the text of a policy, whatever it is: at a place of its own, or in something put beside it.

A fault is made of puts and edits. A put is a way into the document and what is to stand there, written over what stands
there already; an edit changes some characters. « marks the place that must be pointed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

from amends.engine.diagnostics import Diagnostics, Place
from amends.engine.document import Fields, Items, Node, Scalar, Way, node_at, read_text, walk
from amends.engine.publishing.bundle import overlaid
from amends.engine.text.nodes import FileText

SHIPPED = Path(__file__).parents[2] / "policies"
#: Keys that hold one condition, and those that hold several.
CONDITION = frozenset({"when", "unless"})
CONDITIONS = frozenset({"all", "any"})
#: The byte that no UTF-8 text holds, as it is carried in a text.
BAD_BYTE = "\udcfc"
#: While faults are put in, each has its own of these characters, which no text uses, instead of «.
_FIRST_MARK = 0xE000
_MARKS = re.compile("[\ue000-\uefff]")


#: What is put where.
Puts = dict[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to stand instead of some characters of a text."""

    begin: int
    end: int
    new: str


@dataclass(slots=True)
class Fault:
    """What planting one fault changes."""

    #: By the way to what is put, with « in the key or the value that is pointed at.
    puts: Puts = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    #: States that escalations across all states and clocks of the case must leave alone.
    alone: tuple[str, ...] = ()
    #: Files to be put beside the policy, by name; « as above.
    beside: dict[str, str] = field(default_factory=dict)


class Sheet:
    """A policy's own text, its nodes, and the whole that it makes with what it extends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.source = FileText(str(path), self.text)
        node, found = read_text(self.text, str(path))
        assert isinstance(node, Fields), found
        self.node = node

    @cached_property
    def base(self) -> Sheet | None:
        """Return the policy that it extends, beside it or among those that ship."""
        extends = self.node.get("extends")
        if extends is None:
            return None
        beside, shipped = self.path.parent.glob("*.yaml"), SHIPPED.glob("*/*.yaml")
        sheets = (Sheet(path) for path in (*sorted(beside), *sorted(shipped)) if path != self.path)
        return next(each for each in sheets if word(each.node, "policy") == word(extends, "policy"))

    @cached_property
    def whole(self) -> Fields:
        """Return the document with what it extends under it."""
        if self.base is None:
            return self.node
        whole = overlaid(self.base.whole, self.node, Diagnostics())
        assert isinstance(whole, Fields)
        return whole

    @property
    def legs(self) -> list[str]:
        """Return the legs of the policy, none where it has `states`."""
        legs = self.whole.get("legs")
        return list(legs.keys()) if isinstance(legs, Fields) else []

    def way(self, *way: str) -> tuple[str, ...]:
        """Return a way into the document; where there are legs, states are those of the first."""
        return ("legs", self.legs[0], *way) if way[0] == "states" and self.legs else way

    def under(self, *way: str) -> Fields:
        """Return a map of the whole, empty where there is none."""
        found = at(self.whole, self.way(*way))
        return found if isinstance(found, Fields) else Fields((), self.whole.place)

    @property
    def initial(self) -> str:
        """Return the state in which cases open."""
        return next(key.text for key, state in self.under("states").entries if at(state, ("initial",)))

    @property
    def open(self) -> list[str]:
        """Return the states that are not final."""
        return [key.text for key, state in self.under("states").entries if not at(state, ("final",))]

    @property
    def roles(self) -> list[str]:
        """Return the declared roles."""
        roles = self.whole.get("roles")
        return list(roles.keys()) if isinstance(roles, Fields) else texts(roles)

    def targets(self, *, short: bool = True) -> list[Scalar]:
        """Return where the text names the next state, also in short, without `to`."""
        states = self.under("states")
        return [
            node
            for way, node in walk(self.node)
            if isinstance(node, Scalar)
            and node.text in states
            and (way[-1] == "to" or (short and way[-2:-1] == ("on",)))
        ]

    def conditions(self) -> list[Scalar]:
        """Return the conditions of the text that stand on one line."""
        return [
            node
            for way, node in walk(self.node)
            if isinstance(node, Scalar)
            and (way[-1] in CONDITION or (len(way) > 1 and way[-2] in CONDITIONS))
            and node.place.line == node.place.end_line
        ]

    def tables(self, *hits: str | None) -> Iterator[tuple[Way, Fields]]:
        """Yield the tables of the text that have inputs, a list of rules and one of some hit policies."""
        for way, node in walk(self.node):
            if len(way) == 2 and way[0] == "tables" and isinstance(node, Fields):
                rules = node.get("rules")
                if "inputs" in node and isinstance(rules, Items) and word(node, "hit") in hits:
                    yield way, node

    def offsets(self, place: Place) -> tuple[int, int]:
        """Return the first character of a place, and the one behind it."""
        starts = self.source.starts
        return starts[place.line - 1] + place.column - 1, starts[place.end_line - 1] + place.end_column - 1

    def written(self, node: Node) -> str:
        """Return a value as it is written."""
        begin, end = self.offsets(node.place)
        return self.text[begin:end]

    def before(self, node: Node, new: str) -> Edit:
        """Return the edit that puts something before a value or key."""
        begin, _ = self.offsets(node.place)
        return Edit(begin, begin, new)

    def behind(self, node: Scalar, new: str) -> Edit:
        """Return the edit that puts something behind the text of a scalar, within its quotes."""
        _, end = self.offsets(node.place)
        end -= not node.plain
        return Edit(end, end, new)

    def instead(self, node: Node, new: str) -> Edit:
        """Return the edit that puts something in the place of a value."""
        return Edit(*self.offsets(node.place), new)

    # --- putting in ---------------------------------------------------------------------------------------------------

    def edits_of(self, faults: list[Fault]) -> list[Edit]:
        """Return all that some faults change, as edits in the order of the text."""
        puts: Puts = {}
        for fault in faults:
            puts.update({self.way(*way): value for way, value in fault.puts.items()})
        puts.update(self.leaving_alone(list(chain.from_iterable(fault.alone for fault in faults))))
        edits = list(chain.from_iterable(fault.edits for fault in faults))
        new: dict[tuple[str, ...], dict[str, object]] = {}
        for way, value in puts.items():
            there = at(self.node, way)
            if there is not None:
                edits.append(self.instead(there, value))
                continue
            depth = next(n for n in range(len(way) - 1, -1, -1) if at(self.node, way[:n]) is not None)
            below = new.setdefault(way[:depth], {})
            for key in way[depth:-1]:
                below = below.setdefault(key, {})  # type: ignore[assignment]
            below[way[-1]] = value
        edits += [self.put_in(way, items) for way, items in new.items()]
        # A mark alone belongs to what stands behind it.
        return sorted(edits, key=lambda edit: (edit.begin, edit.end, _MARKS.fullmatch(edit.new) is not None))

    def put_in(self, way: tuple[str, ...], items: dict[str, object]) -> Edit:
        """Return the edit that puts entries before the first one of a map."""
        around = at(self.node, way)
        assert isinstance(around, Fields), way
        begin, _ = self.offsets(around.place)
        in_braces = self.text[begin] == "{"
        if not around.entries:
            return Edit(begin + 1, begin + 1, flow(items)[1:-1])
        first, _ = self.offsets(around.entries[0][0].place)
        behind = ", " if in_braces else "\n" + " " * (around.entries[0][0].place.column - 1)
        return Edit(first, first, "".join(f"{key}: {flow(value)}{behind}" for key, value in items.items()))

    def leaving_alone(self, states: list[str]) -> Puts:
        """Return what keeps escalations across all states and clocks of the case away from some new states."""
        puts: Puts = {}
        if not states:
            return puts
        for key, escalation in self.under("escalations").entries:
            where = at(escalation, ("in",))
            if where is None or isinstance(where, Scalar):
                puts["escalations", key.text, "in"] = f"[{', '.join(self.open)}]"
        for key, clock in self.under("sla").entries:
            puts["sla", key.text, "met_by"] = f"[{', '.join([*texts(at(clock, ('met_by',))), *states])}]"
        return puts

    def planted(self, faults: Mapping[str, Fault]) -> tuple[str, dict[str, tuple[int, int]]]:
        """Return the text with faults, and by their names the line and column that each must be found at."""
        parts, index = [], 0
        for edit in self.edits_of([marked(fault, n) for n, fault in enumerate(faults.values())]):
            assert edit.begin >= index, "two faults change the same characters"
            parts += [self.text[index : edit.begin], edit.new]
            index = edit.end
        pieces = re.split(f"({_MARKS.pattern})", "".join([*parts, self.text[index:]]))
        text, places = pieces[0], {}
        for mark, piece in zip(pieces[1::2], pieces[2::2], strict=True):
            name = list(faults)[ord(mark) - _FIRST_MARK]
            assert name not in places, f"{name} is planted at two places"
            places[name] = (text.count("\n") + 1, len(text) - text.rfind("\n"))
            text += piece
        return text, places


def marked(fault: Fault, index: int) -> Fault:
    """Return a fault with a mark of its own."""
    mark = chr(_FIRST_MARK + index)
    return Fault(
        puts={
            tuple(step.replace("«", mark) for step in way): value.replace("«", mark)
            for way, value in fault.puts.items()
        },
        edits=[Edit(edit.begin, edit.end, edit.new.replace("«", mark)) for edit in fault.edits],
        alone=fault.alone,
    )


def at(node: Node | None, way: tuple[str, ...]) -> Node | None:
    """Return what stands at the end of a way, None if nothing does; marks in the way do not count."""
    try:
        return node and node_at(node, [_MARKS.sub("", step) for step in way])
    except LookupError:
        return None


def word(node: Node, key: str) -> str | None:
    """Return the text under a key."""
    found = at(node, (key,))
    return found.text if isinstance(found, Scalar) else None


def texts(node: Node | None) -> list[str]:
    """Return the texts of a list, or the one that stands alone."""
    items = node.items if isinstance(node, Items) else [node]
    return [item.text for item in items if isinstance(item, Scalar)]


def flow(value: object) -> str:
    """Write maps of maps with braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(below)}" for key, below in value.items()) + "}"
    return str(value)


Planter = Callable[[Sheet], Fault]
