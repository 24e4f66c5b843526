"""The checked tree: an expression as plain data, with every name resolved and every macro expanded.

The interpreter, the explanation and whatever generates code read it. Each node has its type and its span in the text.
Nothing here is optional at run time: a value that is missing is `Unknown`, whatever the type says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..types import Type
from ..values import Value
from .scope import Kind


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known from the text alone: a literal, or `money("5 USD")`."""

    value: Value
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Now:
    """The instant of the step."""

    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A declared name; its own name is its path."""

    name: str
    kind: Kind
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Local:
    """A variable: of a loop, a parameter, or what the caller brings. `slot` is unique in the expression."""

    slot: str
    #: What reports call it: for the variable of a loop the path of the list.
    path: str
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record; missing, it is unknown under `path`."""

    of: Node
    field: str
    path: str
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """An item of a list by its number, or of a map by its key; where there is none, the rule fails."""

    of: Node
    index: Node
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WindowPart:
    """What is asked of a window."""

    of: Node
    part: Literal["is_open", "is_closed", "opens", "closes", "reason"]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a path leads to a value; false when any segment is missing."""

    of: Node
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; unknown stays unknown."""

    of: Node
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Logic:
    """`&&` or `||` over two or more operands, in any order of deciding."""

    operator: Literal["&&", "||"]
    operands: tuple[Node, ...]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function: `overload` is a key of `functions.OVERLOADS`."""

    overload: str
    arguments: tuple[Node, ...]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TableCall:
    """A table with parameters, called."""

    name: str
    arguments: tuple[Node, ...]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list written out."""

    items: tuple[Node, ...]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map written out."""

    entries: tuple[tuple[Node, Node], ...]
    type: Type
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record written out. The field named in `may_lack` stays out of it while its value is unknown."""

    fields: tuple[tuple[str, Node], ...]
    may_lack: frozenset[str]
    type: Type
    start: int
    end: int


LoopKind = Literal["all", "exists", "exists_one", "filter", "map", "sum", "to_map"]


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro over a list or a map.

    `second` is the slot of the item, or of a map's value; `first` that of the position, or of the key. With one
    variable over a map it is the key. `condition` chooses items (of `all`, `exists`, `exists_one` it is the body);
    `body` makes the result, `key` the key of `to_map`.
    """

    kind: LoopKind
    over: Node
    first: str | None
    second: str
    condition: Node | None
    key: Node | None
    body: Node | None
    type: Type
    start: int
    end: int


Node = (
    Constant
    | Now
    | Reference
    | Local
    | Field
    | Index
    | WindowPart
    | Has
    | Not
    | Logic
    | Choice
    | Apply
    | TableCall
    | ListOf
    | MapOf
    | RecordOf
    | Loop
)


def children(node: Node) -> Iterator[Node]:
    """Yield the parts of a node, left to right."""
    match node:
        case Field() | WindowPart() | Has() | Not():
            yield node.of
        case Index():
            yield from (node.of, node.index)
        case Logic():
            yield from node.operands
        case Choice():
            yield from (node.condition, node.then, node.otherwise)
        case Apply() | TableCall():
            yield from node.arguments
        case ListOf():
            yield from node.items
        case MapOf():
            for key, value in node.entries:
                yield from (key, value)
        case RecordOf():
            yield from (value for _, value in node.fields)
        case Loop():
            yield node.over
            yield from (part for part in (node.condition, node.key, node.body) if part is not None)


def sources(root: Node) -> Iterator[Node]:
    """Yield what an expression reads, outermost first: names, dotted paths, calls of tables, and `now`.

    >>> from ..types import BOOL, WINDOW
    >>> is_open = WindowPart(Reference("trial", "window", WINDOW, 0, 5), "is_open", BOOL, 0, 13)
    >>> [type(node).__name__ for node in sources(is_open)]
    ['Now', 'Reference']
    """
    waiting = [root]
    while waiting:
        node = waiting.pop()
        base = node
        while isinstance(base, Field):
            base = base.of
        if isinstance(base, Reference | Local | Now):
            yield node
            continue
        if isinstance(node, TableCall):
            yield node
        if isinstance(node, WindowPart) and node.part in ("is_open", "is_closed", "reason"):
            yield Now(node.type, node.start, node.end)
        waiting.extend(reversed(list(children(node))))


def path_of(node: Node) -> str:
    """Return the path under which reports show a source."""
    match node:
        case Field() | Local():
            return node.path
        case Reference() | TableCall():
            return node.name
        case _:
            return "now"
