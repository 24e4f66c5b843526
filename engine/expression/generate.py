"""The fast path: a checked tree as a Python function, for evaluations in which nothing is missing and nothing fails.

The function is built as Python's own syntax tree from the checked tree, which is plain data, and compiled; no text is ever
run. An author's words appear in it as constants only: keys of maps and values to compare with. It has no builtins, and
the attributes that it reads are those of our own values.

INVARIANT: it gives the value that the reference gives, or None; then the reference is asked, for the whole expression. It
gives None, or raises, at the first value that may be missing and the first part that may fail, and it reads what it reads
in the order of the reference. So unknowns, what overcomes them, and the sentences of failures exist once, in `interpret`.

A watched function also gives what the explanation needs, as two tuples: what each leaf was worth, and what they saw.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import CodeType, FunctionType
from typing import Any, Final

from ..types import BOOL
from ..values import Value
from . import python as py
from .checked import Checked, Generated
from .explain import Plan, leaf_count, plans_of
from .inline import NAMES, applied, class_of, computed, doubts, inside, past, table_called, tested
from .lists import loop, written_out
from .reads import has, key_of, path
from .tree import (
    Apply,
    Choice,
    Constant,
    Field,
    Has,
    Index,
    ListOf,
    Local,
    Logic,
    Loop,
    MapOf,
    Node,
    Not,
    Now,
    RecordOf,
    Reference,
    TableCall,
    WindowPart,
)

_ARGUMENTS: Final = ("known", "env", "variables")
#: What is longer is interpreted, for making its function would take too long: in characters, and in leaves that are watched,
#: each of which may end the function with the worth of all before it.
_MAX_LENGTH: Final = 4_000
_MAX_LEAVES: Final = 128


def generate(checked: Checked, *, watched: bool = False) -> Generated | None:
    """Return an expression as a function, or None where it is too long, or too deep for Python."""
    plans = tuple(plans_of(checked).values()) if watched else None
    if len(checked.text) > _MAX_LENGTH or len(plans or ()) > _MAX_LEAVES:
        return None
    writer = _Writer(plans)
    try:
        writer.write(checked.root)
        return Generated(function=_compiled(writer), leaves=tuple(writer.leaves), calls=writer.calls)
    except (RecursionError, SyntaxError, MemoryError):
        return None


def _compiled(writer: _Writer) -> Callable[..., Any]:
    arguments = ast.arguments([], [ast.arg(word) for word in _ARGUMENTS], None, [], [], None, [])
    start = [py.assign("turns", py.constant(0))] if writer.turns else []
    definition = ast.FunctionDef("expression", arguments, [*start, *writer.block], [], None)
    module = ast.fix_missing_locations(ast.Module([definition], []))
    code = compile(module, "<expression>", "exec", dont_inherit=True)
    (body,) = (found for found in code.co_consts if isinstance(found, CodeType))
    return FunctionType(body, {**NAMES, **writer.constants})


class _Writer:
    """The function that is being written."""

    def __init__(self, plans: tuple[Plan, ...] | None) -> None:
        self.block: list[ast.stmt] = []
        self.constants: dict[str, Any] = {}
        self.turns = self.calls = False
        #: What is in reach: variables of what was read, by `key_of`; those surely there; parts of decimals and amounts.
        self._known: dict[str, str] = {}
        self._sure: set[str] = set()
        self.exact: dict[str, py.Exact] = {}
        self._count = 0
        #: Of a watched function: what to tell of each leaf written so far.
        self.leaves: list[Plan] = []
        self._plans = plans or ()
        self._walking = plans is not None
        #: What each of those leaves was worth, and the variables that hold what they saw.
        self._worth: list[ast.expr] = []
        self._slots: dict[str, int] = {}
        #: Variables of leaves that may not be needed: of their worth, in order, and of what they read, by `key_of`.
        self._waiting: list[str] = []
        self._prepared: dict[str, str] = {}

    # --- variables and constants ------------------------------------------------------------------------------------------

    def variable(self) -> str:
        """Return a new name."""
        self._count += 1
        return f"v{self._count}"

    def keep(self, value: ast.expr, *, sure: bool = True) -> ast.expr:
        """Store a value in a new variable."""
        word = self.variable()
        self.block.append(py.assign(word, value))
        if sure:
            self._sure.add(word)
        return py.name(word)

    def given(self, value: Value) -> ast.expr:
        """Return a constant: as it is, or under a name in the globals."""
        if type(value) in (bool, int, str):
            return py.constant(value)
        word = f"c{len(self.constants)}"
        self.constants[word] = value
        return py.name(word)

    def leave_if(self, test: ast.expr) -> None:
        """Hand the expression to the reference if a test holds."""
        self.block.append(py.when(test, py.give_up()))

    @contextmanager
    def branch(self) -> Iterator[list[ast.stmt]]:
        """Write statements that may be passed over; what is read there is in reach only there."""
        outside = self.block, self._known, self._sure, self.exact
        self.block, self._known = [], dict(self._known)
        self._sure, self.exact = set(self._sure), dict(self.exact)
        yield self.block
        if not self.block:
            self.block.append(ast.Pass())
        self.block, self._known, self._sure, self.exact = outside

    def bind(self, slot: str, word: str) -> None:
        """Let a variable of the expression be one of the function."""
        self._known[f"${slot}"] = word

    def read(self, key: str | None, value: Callable[[], ast.expr]) -> ast.expr:
        """Return the variable of a value that may be read again; the first time, write how it is read."""
        if key is None:
            return self.keep(value(), sure=False)
        if key not in self._known:
            got, word = value(), self._prepared.get(key) or self.variable()
            self.block.append(py.assign(word, got))
            self._known[key] = word
        return py.name(self._known[key])

    def ask(self, word: str) -> ast.expr:
        """Write that the value of a declared name is read."""
        if word not in self._known:
            self._known[word] = self._prepared.get(word) or self.variable()
            self.block.append(py.asking(self._known[word], word))
        return py.name(self._known[word])

    def now(self) -> ast.expr:
        """Write the instant of the step."""
        value = self.read("@now", lambda: py.part(py.name("env"), "now"))
        self._sure.add(self._known["@now"])
        return value

    def turn(self, count: ast.expr) -> None:
        """Count turns of loops."""
        self.turns = True
        self.block.append(py.assign("turns", py.binary(py.name("turns"), "+", count)))

    # --- values -----------------------------------------------------------------------------------------------------------

    def plain(self, node: Node) -> ast.expr:
        """Write a node whose value is surely there."""
        value = self.raw(node)
        if isinstance(value, ast.Name) and not self._is_sure(value):
            self._look_at(value, class_of(node.type))
            self._sure.add(value.id)
        return value

    def _is_sure(self, value: ast.expr) -> bool:
        return not isinstance(value, ast.Name) or value.id in self._sure or value.id in self.constants

    def _look_at(self, value: ast.expr, class_: str | None) -> None:
        kind = py.call("type", value)
        absent = py.compare(kind, "in", py.name("ABSENT"))
        self.leave_if(py.compare(kind, "is not", py.name(class_)) if class_ else absent)

    def raw(self, node: Node) -> ast.expr:
        """Write a node; gives a variable or constant, which may stand for a missing value."""
        if self._walking and not isinstance(node, Logic | Not | Choice):
            return self._leaf(node)
        match node:
            case Constant(value=value):
                return self.given(value)
            case Now():
                return self.now()
            case Reference() | Local() | Field() | Index() | WindowPart(part="opens" | "closes" | "reason"):
                return path(node, self)
            case Choice():
                return self._choice(node)
            case Logic():
                return self._logic(node)
            case TableCall():
                self.calls = True
                return self.read(key_of(node), lambda: table_called(node, self))
            case ListOf() | MapOf() | RecordOf():
                return written_out(node, self)
            case Loop():
                return loop(node, self)
            case Apply():
                found = computed(node, self)
                if found is not None:
                    return found
        return self.settled(self.test(node))

    def _choice(self, node: Choice) -> ast.expr:
        chosen = self.settled(self.test(node.condition))
        word, sure, blocks = self.variable(), True, []
        for side in (node.then, node.otherwise):
            with self.branch() as block:
                value = self.settled(self.test(side)) if node.type == BOOL else self.raw(side)
                sure = sure and self._is_sure(value)
                self.block.append(py.assign(word, value))
            blocks.append(block)
        self.block.append(py.when(chosen, *blocks[0], otherwise=blocks[1]))
        if sure:
            self._sure.add(word)
        return py.name(word)

    # --- conditions -------------------------------------------------------------------------------------------------------

    def test(self, node: Node) -> py.Test:
        """Write a condition."""
        if self._walking and not isinstance(node, Logic | Not | Choice):
            return py.Test(self._leaf(node))
        match node:
            case Constant(value=value):
                return py.Test(py.constant(value))
            case Not(of=of):
                found = self.test(of)
                return replace(found, inverted=not found.inverted)
            case Has():
                return has(node, self)
            case WindowPart(part="is_open", of=of):
                return inside(self.raw(of), self.now(), self)
            case WindowPart(part="is_closed", of=of):
                return past(self.raw(of), self.now(), self)
            case Apply():
                return tested(node, self) or py.Test(applied(node, self))
        value = self.raw(node)
        if self._is_sure(value):
            return py.Test(value)
        holds, fails = (py.compare(value, "is", py.constant(truth)) for truth in (True, False))
        return py.Test(holds, doubts=doubts(value, BOOL), fails=fails)

    def settled(self, test: py.Test) -> ast.expr:
        """Write a condition as a value."""
        if isinstance(test.holds, ast.Name | ast.Constant) and not test.inverted and not test.doubts:
            return test.holds
        word = self.variable()
        self._store(test, word)
        self._sure.add(word)
        return py.name(word)

    def _store(self, test: py.Test, word: str) -> None:
        self.block.append(py.assign(word, test.holds))
        if test.doubts:
            with self.branch() as block:
                self._dispel(test)
            self.block.append(py.when(py.inverted(py.name(word)), *block))
        if test.inverted:
            self.block.append(py.assign(word, py.inverted(py.name(word))))

    def _dispel(self, test: py.Test) -> None:
        """Write that what a condition is false of is there."""
        for value, class_ in test.doubts:
            if not self._is_sure(value):
                self._look_at(value, class_ or None)

    def require(self, node: Node, truth: bool, fail: Callable[[], None]) -> None:  # noqa: FBT001 - one of the two truths
        """Write that a condition is worth `truth`, or else `fail` ends the block: it returns, breaks or continues."""
        match node:
            case Not(of=of):
                return self.require(of, not truth, fail)
            case Logic(operator=operator, operands=operands) if (operator == "&&") is truth:
                for operand in operands:
                    self.require(operand, truth, fail)
                return None
        if self._walking and not isinstance(node, Logic | Choice):
            return self._require_leaf(node, truth, fail)
        self._prepare(node)
        return self._demand(self.test(node), truth, fail)

    def _demand(self, test: py.Test, truth: bool, fail: Callable[[], None]) -> None:  # noqa: FBT001 - one of the two truths
        wanted = truth is not test.inverted
        other = py.inverted(test.holds) if wanted else py.inverted(test.fails) if test.fails else test.holds
        with self.branch() as block:
            if wanted or test.fails:
                self._dispel(test)
            fail()
        self.block.append(py.when(other, *block))
        if not wanted and not test.fails:
            self._dispel(test)

    def _logic(self, node: Logic) -> ast.expr:
        word = self.variable()
        self._store(self.test(node.operands[0]), word)
        for operand in node.operands[1:]:
            with self.branch() as block:
                self._store(self.test(operand), word)
            undecided = py.name(word) if node.operator == "&&" else py.inverted(py.name(word))
            self.block.append(py.when(undecided, *block))
        self._sure.add(word)
        return py.name(word)

    # --- the whole, and its leaves ----------------------------------------------------------------------------------------

    def write(self, root: Node) -> None:
        """Write the function: a row of conditions returns as soon as it is decided."""
        if isinstance(root, Logic | Not):
            truth = _row(root)
            self.require(root, truth, lambda: self._give(py.constant(not truth)))
            return self._give(py.constant(truth))
        if isinstance(root, Choice):
            self._prepare(root)
        return self._give(self.plain(root))

    def _give(self, value: ast.expr) -> None:
        if self._plans:
            saw: list[ast.expr] = [py.name(word) for word in self._slots]
            parts = [
                value,
                ast.Tuple([ast.Tuple(list(self._worth), ast.Load()), ast.Tuple(saw, ast.Load())], ast.Load()),
            ]
            value = ast.Tuple(parts, ast.Load())
        self.block.append(ast.Return(value))

    def _require_leaf(self, node: Node, truth: bool, fail: Callable[[], None]) -> None:  # noqa: FBT001 - one of the two truths
        """Write a leaf of a row that is decided by it: what it is worth is plain from where we are."""
        self._walking = False
        test = self.test(node)
        self._walking = True
        self._tell(py.constant(not truth))
        self._demand(test, truth, fail)
        self._worth[-1] = py.constant(truth)

    def _leaf(self, node: Node) -> ast.expr:
        self._walking = False
        value = self.plain(node)
        self._walking = True
        if self._waiting:
            self.block.append(py.assign(self._waiting.pop(0), value))
            self._tell()
        else:
            self._tell(value)
        return value

    def _tell(self, worth: ast.expr | None = None) -> None:
        """Note where what a leaf saw is, of what is in reach."""
        plan = self._plans[len(self.leaves)]
        words = [self._known.get(key_of(node) or "") for _, node in plan.sources]
        slots = [None if word is None else self._slots.setdefault(word, len(self._slots)) for word in words]
        self.leaves.append(plan.placed(tuple(slots)))
        if worth is not None:
            self._worth.append(worth)

    def _prepare(self, node: Node) -> None:
        """Give leaves that may not be needed variables that are there in any case."""
        if not self._walking:
            return
        none = py.constant(None)
        first = len(self.leaves)
        for plan in self._plans[first : first + leaf_count(node)]:
            word = self.variable()
            self.block.append(py.assign(word, none))
            self._waiting.append(word)
            self._worth.append(py.name(word))
            keys = {key_of(source) or "" for _, source in plan.sources}
            for key in sorted(keys - {"", *self._known, *self._prepared}):
                self._prepared[key] = self.variable()
                self.block.append(py.assign(self._prepared[key], none))


def _row(node: Node) -> bool:
    """Return which truth of a condition needs all of its operands to be of one worth."""
    turned = False
    while isinstance(node, Not):
        turned, node = not turned, node.of
    return (isinstance(node, Logic) and node.operator == "||") is turned
