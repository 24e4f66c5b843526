"""What the parts of the checker share: problems, and what each may ask of the walk over the whole expression."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ..types import HOLE, Type
from . import syntax
from .flow import STILL, Keys, Typed
from .scope import Scope
from .tree import Constant, Field, Index, Local, Loop, Node, Reference, TableCall, WindowPart, path_of


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an expression, and where: offsets in characters of its text."""

    #: A code of `diagnostics.CATALOGUE`.
    code: str
    message: str
    start: int
    end: int
    hint: str | None = None


class Checking(Protocol):
    """The walk over one expression, as its parts see it."""

    @property
    def scope(self) -> Scope:
        """What names mean."""

    def infer(self, expr: syntax.Expr, present: Keys, wanted: Type | None = None) -> Typed:
        """Return an expression checked; `present` are the optional paths that are surely there.

        `wanted` is the type that would fit best; it only makes the hint for an unknown name better.
        """

    def part(self, expr: syntax.Expr, present: Keys) -> Typed:
        """Return an expression of which a field is read, checked; of a table it is not said to be read as a whole."""

    def suggest(self, word: str, known: Iterable[str]) -> str | None:
        """Return the did-you-mean for a name."""

    def due(self, node: Node, wanted: Type) -> Node:
        """Return a node as the type that is due, or report that it is not."""

    def report(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        """Record a problem."""

    def bound(self, variables: dict[str, tuple[Type, str]]) -> AbstractContextManager[dict[str, str]]:
        """Bind variables (name to type and path) for a while; gives their slots."""


def hole(expr: syntax.Expr) -> Typed:
    """Return what stands for a part that has a problem: its type fits everywhere."""
    return Typed(Constant(None, HOLE, expr.start, expr.end), STILL)


def report_path(node: Node) -> str:
    """Return what reports call a node: its dotted path, or nothing where it has none; an item is called as its list."""
    while isinstance(node, Index | Loop):
        if isinstance(node, Loop) and node.kind != "filter":
            return ""
        node = node.of if isinstance(node, Index) else node.over
    return path_of(node) if isinstance(node, Field | Local | Reference | TableCall) else ""


def flow_key(node: Node) -> str:
    """Return the key under which flow typing knows a path; the variable of a loop is itself, not its list."""
    match node:
        case Field():
            return f"{flow_key(node.of)}.{node.field}"
        case Local():
            return node.slot
        case Reference():
            return node.name
        case WindowPart(part="reason"):
            return f"{flow_key(node.of)}.reason"
        case Index(index=Constant(value=value)):
            return f"{flow_key(node.of)}[{value!r}]"
    # What is computed anew each time cannot be guarded.
    return f"@{node.start}"
