"""What the names of one policy mean: facts, records, params, moments, windows, tables, defines and payouts.

Declarations that are defined by others are read when they are first asked for, so that their order in the file does not
matter; one that leads back to itself is found on the way. They are read one after another and never within one another,
so that a chain of them may be as long as a file: what asks for a name that is not read yet is given up, and read again
once that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ..diagnostics import LIMIT, Diagnostics, Place
from ..document import Node, Scalar, below, walk
from ..expression import RESERVED, Declared, SyntaxProblem, parse
from ..expression.parser import MAX_DEPTH
from ..expression.syntax import children
from ..types import HOLE, RecordType, Type, required

#: How deep expressions may stand within one another, through what they name too: whoever walks or computes them goes from
#: one to the next.
MAX_LEVELS: Final = 100

#: What an expression reads otherwise than as a name.
_WORDS: Final = RESERVED | {"false", "in", "now", "null", "true"}
_UNREADABLE: Final = Declared(type=HOLE, kind="variable")
#: A name, but not that of a field.
_NAME: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*", re.ASCII)
#: What makes an expression a level deeper, now and then.
_DEEPER: Final = re.compile(r"[-+*/%!?.(\[{&|<>=]|\bin\b")
#: Expressions with less of that are not parsed to see how deep they are.
_SHORT: Final = 8
#: Of a field that more records have, none is told.
_HOMES: Final = 4
#: Of circles longer than this the middle is not told.
_SHOWN: Final = 8


class _Unread(Exception):  # noqa: N818 - never leaves this room
    """A name is asked for that is not read yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class _Lazy:
    """A declaration that is read when it is first asked for."""

    node: Node
    read: Callable[[], Declared | None]


@dataclass(slots=True)
class PolicyScope:
    """The scope of a policy's expressions, filled while the policy is read."""

    diagnostics: Diagnostics
    find_named_type: Callable[[str], Type | None]
    record_names: Callable[[], Iterable[str]]
    _declared: dict[str, Declared] = field(default_factory=dict)
    _lazy: dict[str, _Lazy] = field(default_factory=dict)
    _places: dict[str, tuple[str, Place]] = field(default_factory=dict)
    #: How deep each name leads that was read.
    _levels: dict[str, int] = field(default_factory=dict)
    #: What the declaration that is being read has asked for; None while none is.
    _asked: set[str] | None = None

    def declare(self, name: str, what: str, place: Place, declared: Declared) -> bool:
        """Add a name; a second declaration under it, or a word of the language, is reported, and is not added."""
        if self._takes(name, what, place):
            self._declared[name] = declared
            return True
        return False

    def declare_lazily(
        self, name: str, what: str, place: Place, node: Node, read: Callable[[], Declared | None]
    ) -> None:
        """Add a name whose node is read when it is first asked for.

        Args:
            name: as it is declared.
            what: kind of declaration, for messages.
            place: of the name.
            node: what stands under the name.
            read: reads it. It may be called again: what it keeps and reports must be what its last call does.
        """
        if self._takes(name, what, place):
            self._lazy[name] = _Lazy(node, read)

    def _takes(self, name: str, what: str, place: Place) -> bool:
        if name in _WORDS:
            message = f"the {what} cannot be called `{name}`, for that is a word of the expression language"
            self.diagnostics.add("AM105", place, message, hint="choose another name")
            return False
        if name in self._places:
            first, first_place = self._places[name]
            self.diagnostics.add(
                "AM105",
                place,
                f"the {what} `{name}` has the name of {'an' if first[0] in 'aeiou' else 'a'} {first}",
                hint="values share one namespace; rename one of them",
                related=[("the first one", first_place)],
            )
            return False
        self._places[name] = (what, place)
        return True

    def find(self, name: str) -> Declared | None:
        """Return what a name stands for, or None."""
        if name not in self._declared and name in self._lazy:
            if self._asked is not None:
                raise _Unread(name)
            self._read(name)
        if self._asked is not None:
            self._asked.add(name)
        return self._declared.get(name)

    def names(self) -> tuple[str, ...]:
        """Return every name, for did-you-mean; none once there are more findings than a report shows."""
        return tuple(self._places) if len(self.diagnostics.found) < LIMIT else ()

    def homes(self, field: str) -> tuple[str, ...]:
        """Return the paths of a field in the records that are read already, for hints; none if they are many."""
        if len(self.diagnostics.found) >= LIMIT:
            return ()
        records = ((name, required(declared.type)) for name, declared in self._declared.items())
        found = [
            f"{name}.{field}"
            for name, type_ in records
            if isinstance(type_, RecordType) and type_.field(field)
        ]
        return tuple(found) if len(found) <= _HOMES else ()

    def read_all(self) -> None:
        """Read every declaration, also those that nothing asks for."""
        for name in list(self._lazy):
            self.find(name)

    def find_type(self, name: str) -> Type | None:
        """Return a type of the policy by its name."""
        return self.find_named_type(name)

    def type_names(self) -> tuple[str, ...]:
        """Return the names of the policy's records."""
        return tuple(self.record_names())

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self, name: str) -> None:
        """Read a declaration, and before it those that it needs."""
        waiting, seen = [name], set[str]()
        wants: dict[str, str] = {}
        while waiting:
            top = waiting[-1]
            if top in self._levels:
                waiting.pop()
            elif top not in seen:
                # What it mentions is probably what it asks for; once that is read, it need not be given up.
                seen.add(top)
                waiting.extend(other for other in self._mentioned(top) if other not in seen)
            elif (wanted := self._attempt(top)) is None:
                wants.pop(top, None)
            else:
                wants[top] = wanted
                if circle := _circle(wants, top):
                    self._report_circle(circle)
                    # Whoever asks for it before it is read goes on without it.
                    self._declared[wanted] = _UNREADABLE
                else:
                    waiting.append(wanted)

    def _mentioned(self, name: str) -> Iterator[str]:
        for node in below(self._lazy[name].node):
            if isinstance(node, Scalar):
                for word in _NAME.findall(node.text):
                    if word in self._lazy and word not in self._levels:
                        yield word

    def _attempt(self, name: str) -> str | None:
        """Read a declaration; return the name of another that must be read before it, or None."""
        self._asked = asked = set[str]()
        try:
            declared = self._lazy[name].read() or _UNREADABLE
        except _Unread as unread:
            return unread.name
        finally:
            self._asked = None
        below = max((self._levels.get(other, 0) for other in asked), default=0)
        levels = _levels_of(self._lazy[name].node) + below
        if levels > MAX_LEVELS:
            message = f"`{name}` leads through more than {MAX_LEVELS} levels of expressions"
            hint = "let fewer declarations be defined by one another"
            self.diagnostics.add("AM003", self._places[name][1], message, hint=hint)
            declared, levels = _UNREADABLE, 0
        self._declared[name], self._levels[name] = declared, levels
        return None

    def _report_circle(self, circle: list[str]) -> None:
        first = min(circle, key=lambda name: self._places[name][1])
        at = circle.index(first)
        names = [*circle[at:], *circle[:at]]
        shown = [*names[: _SHOWN - 2], "…", names[-1]] if len(names) > _SHOWN else names
        message = f"`{first}` is defined by itself: {' → '.join([*shown, first])}"
        self.diagnostics.add("AM205", self._places[first][1], message)


def _circle(wants: dict[str, str], start: str) -> list[str]:
    """Return the names through which a name wants itself, or nothing."""
    names = [start]
    while (wanted := wants.get(names[-1])) is not None:
        if wanted == start:
            return names
        names.append(wanted)
    return []


def _levels_of(node: Node) -> int:
    """Return how deep the expressions below a node stand, what they name left out; now and then more than that."""
    scalars = ((way, part) for way, part in walk(node) if isinstance(part, Scalar))
    return max((len(way) + _depth(part.text) for way, part in scalars), default=1)


def _depth(text: str) -> int:
    """Return the levels of an expression; of any other text no fewer than it can have."""
    deeper = len(_DEEPER.findall(text))
    if deeper < _SHORT:
        return deeper + 1
    try:
        levels, waiting = 0, [parse(text.removeprefix("="))]
    except SyntaxProblem:
        return min(deeper, MAX_DEPTH) + 1
    while waiting:
        levels += 1
        waiting = [child for expr in waiting for child in children(expr)]
    return levels
