"""Python's syntax tree in short, and what the parts of the generator share.

Attributes and globals that are named here are named by us, never by an author.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from .tree import Node

_COMPARE: Final[dict[str, type[ast.cmpop]]] = {
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
    "is": ast.Is,
    "is not": ast.IsNot,
    "in": ast.In,
    "not in": ast.NotIn,
}
_BINARY: Final[dict[str, type[ast.operator]]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}


def name(word: str) -> ast.expr:
    """Return a variable that is read."""
    return ast.Name(word, ast.Load())


def constant(value: Any) -> ast.expr:
    """Return a plain constant: None, a bool, an int, a text."""
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """Return a call of something in the globals."""
    return ast.Call(name(function), list(arguments), [])


def part(of: ast.expr, attribute: str) -> ast.expr:
    """Return an attribute of one of our own values; which one, no author chooses."""
    return ast.Attribute(of, attribute, ast.Load())


def item(of: ast.expr, key: ast.expr) -> ast.expr:
    """Return an item."""
    return ast.Subscript(of, key, ast.Load())


def compare(left: ast.expr, *rest: str | ast.expr) -> ast.expr:
    """Return a comparison, or a chain of them: `compare(a, "<", b, "<", c)`."""
    operators = [_COMPARE[word]() for word in rest[::2] if isinstance(word, str)]
    return ast.Compare(left, list(operators), [right for right in rest[1::2] if isinstance(right, ast.expr)])


def binary(left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
    """Return a sum, difference or product."""
    return ast.BinOp(left, _BINARY[operator](), right)


def minus(of: ast.expr) -> ast.expr:
    """Return the opposite."""
    return ast.UnaryOp(ast.USub(), of)


def inverted(of: ast.expr) -> ast.expr:
    """Return `not of`."""
    return ast.UnaryOp(ast.Not(), of)


def every(*parts: ast.expr) -> ast.expr:
    """Return `a and b`."""
    return ast.BoolOp(ast.And(), list(parts))


def either(*parts: ast.expr) -> ast.expr:
    """Return `a or b`."""
    return ast.BoolOp(ast.Or(), list(parts))


def assign(word: str, value: ast.expr) -> ast.stmt:
    """Return an assignment."""
    return ast.Assign([ast.Name(word, ast.Store())], value)


def when(test: ast.expr, *body: ast.stmt, otherwise: Sequence[ast.stmt] = ()) -> ast.stmt:
    """Return an `if`."""
    return ast.If(test, list(body), list(otherwise))


def asking(word: str, asked: str) -> ast.stmt:
    """Return what reads the value of a declared name: where it is known already, or from the environment."""
    from_env = call("ask", name("env"), constant(asked))
    unknown = ast.ExceptHandler(name("KeyError"), None, [assign(word, from_env)])
    return ast.Try([assign(word, item(name("known"), constant(asked)))], [unknown], [], [])


def remembered(word: str, value: ast.expr, slot: str, otherwise: ast.expr) -> ast.stmt:
    """Return what reads a slot of a value, or finds out what would be in it."""
    empty = ast.ExceptHandler(name("AttributeError"), None, [assign(word, otherwise)])
    return ast.Try([assign(word, part(value, slot))], [empty], [], [])


def give_up() -> ast.stmt:
    """Return what hands the whole expression to the reference."""
    return ast.Return(constant(None))


@dataclass(frozen=True, slots=True)
class Exact:
    """A decimal or an amount, not reduced: `denominator` None is one, `currency` None any (of a zero, or no money)."""

    numerator: ast.expr
    denominator: ast.expr | None = None
    currency: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """A condition as Python: it holds if `holds` is true, or, `inverted`, if it is false.

    Where `holds` is false, each of `doubts` (a value, the name of its class) may in truth be missing; where `fails` is
    true, `holds` is surely false.
    """

    holds: ast.expr
    inverted: bool = False
    doubts: tuple[tuple[ast.expr, str], ...] = ()
    fails: ast.expr | None = None


class Writer(Protocol):
    """The function that is being written."""

    #: Where statements go.
    block: list[ast.stmt]
    #: Where the parts of the decimals and amounts in variables are.
    exact: dict[str, Exact]

    def raw(self, node: Node) -> ast.expr:
        """Write a node; gives a variable or constant, which may stand for a missing value."""

    def plain(self, node: Node) -> ast.expr:
        """Write a node whose value is surely there."""

    def keep(self, value: ast.expr, *, sure: bool = True) -> ast.expr:
        """Store a value in a new variable."""

    def leave_if(self, test: ast.expr) -> None:
        """Hand the expression to the reference if a test holds."""

    def given(self, value: Any) -> ast.expr:
        """Return a constant: as it is, or under a name in the globals."""

    def variable(self) -> str:
        """Return a new name."""

    def test(self, node: Node) -> Test:
        """Write a condition."""

    def settled(self, test: Test) -> ast.expr:
        """Write a condition as a value."""

    def require(self, node: Node, truth: bool, fail: Callable[[], None]) -> None:  # noqa: FBT001 - one of the two truths
        """Write that a condition is worth `truth`, or else `fail` ends the block."""

    def branch(self) -> AbstractContextManager[list[ast.stmt]]:
        """Write statements that may be passed over; what is read there is in reach only there."""

    def ask(self, word: str) -> ast.expr:
        """Write that the value of a declared name is read."""

    def read(self, key: str | None, value: Callable[[], ast.expr]) -> ast.expr:
        """Return the variable of a value that may be read again; the first time, write how it is read."""

    def bind(self, slot: str, word: str) -> None:
        """Let a variable of the expression be one of the function."""

    def now(self) -> ast.expr:
        """Write the instant of the step."""

    def turn(self, count: ast.expr) -> None:
        """Count turns of loops."""
