"""Types, names and missing facts of an expression: from the syntax tree to the checked tree.

The checker never raises on what an author wrote: every mistake is a `Problem` with a span, and the part that has it
gets the type that fits everywhere, so that the others are found too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Final

from ..diagnostics import did_you_mean, nearest
from ..types import (
    BOOL,
    DECIMAL,
    INT,
    TEXT,
    TIMESTAMP,
    WINDOW,
    EnumType,
    Hole,
    ListType,
    OptionalType,
    Type,
    required,
)
from . import calls, habits, hints, literals, macros, members, outputs, syntax
from .checked import Checked, reads_of
from .checking import Problem, hole
from .fit import common, convert, fits
from .flow import STILL, Flow, Keys, Span, Typed, both, choice, either, negated, strict
from .functions import FUNCTIONS
from .parser import parse
from .scope import STORED, Declared, Scope
from .tokens import SyntaxProblem
from .tree import (
    Choice,
    Constant,
    Local,
    Logic,
    Node,
    Not,
    Now,
    Reference,
    TableCall,
)

#: More problems of one expression are not told: they are the same mistake, or another language.
MAX_PROBLEMS: Final = 20


def check_text(
    text: str, scope: Scope, *, expect: Type | None = None, present: frozenset[str] = frozenset()
) -> tuple[Checked | None, tuple[Problem, ...]]:
    """Parse and check an expression; what cannot be read is a problem like any other."""
    try:
        expr = parse(text)
    except SyntaxProblem as problem:
        return None, (Problem("AM201", problem.message, problem.start, problem.end, problem.hint),)
    return check(expr, text, scope, expect=expect, present=present)


def check(
    expr: syntax.Expr,
    text: str,
    scope: Scope,
    *,
    expect: Type | None = None,
    present: frozenset[str] = frozenset(),
) -> tuple[Checked | None, tuple[Problem, ...]]:
    """Check an expression against the names in scope.

    Args:
        expr: the syntax tree of `text`.
        text: what the author wrote; spans count its characters.
        scope: what names mean.
        expect: the type that is due. Literals take it: `0` is money, a quoted text a value of an enum, an int a decimal.
        present: optional paths that are surely there.
    Returns:
        The checked expression, or None if any problem was found; and the problems, in the order of the text.
    """
    checker = _Checker(scope)
    typed = checker.infer(expr, present, None if expect is None else required(expect))
    node = checker.due(typed.node, expect) if expect is not None else typed.node
    if checker.problems:
        found = dict.fromkeys(sorted(checker.problems, key=lambda problem: (problem.start, problem.end)))
        return None, tuple(found)
    flow = typed.flow
    checked = Checked(
        text=text,
        root=node,
        type=node.type,
        reads=reads_of(node, scope),
        misses=dict(sorted(flow.misses.items(), key=lambda item: item[1])),
        ensures_true=checker.facts(flow.true),
        ensures_false=checker.facts(flow.false),
    )
    return checked, ()


class _Checker:
    """One walk over one expression."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.problems: list[Problem] = []
        #: Variables of the loops around the current part, by name: slot, type, path.
        self.variables: dict[str, tuple[str, Type, str]] = {}
        self.slots: set[str] = set()

    def report(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, start, end, hint))

    def suggest(self, word: str, known: Iterable[str]) -> str | None:
        """Return the did-you-mean for a name; where nothing more is told, nothing near is looked for."""
        return did_you_mean(word, known) if len(self.problems) < MAX_PROBLEMS else None

    def due(self, node: Node, wanted: Type) -> Node:
        """Return a node as the type that is due, or report that it is not."""
        if fits(node, wanted):
            return convert(node, wanted, self.report)
        hint = None
        if isinstance(required(wanted), EnumType) and node.type == TEXT:
            hint = "a text may be none of the enum's values; make the field an enum too"
        elif required(wanted) == BOOL and node.type == WINDOW:
            hint = _truth_hint(node)
        else:
            hint = hints.of_due(node, required(wanted))
        message = f"`{required(wanted)}` is due here, and this is `{node.type}`"
        self.report("AM202", message, node.start, node.end, hint)
        return node

    def facts(self, keys: Keys) -> frozenset[str]:
        """Return those paths that are stored: what a define or a loop's variable ensures is nobody else's business."""
        return frozenset(key for key in keys if self._is_stored(key.partition(".")[0]))

    def _is_stored(self, name: str) -> bool:
        declared = None if name in self.slots else self.scope.find(name)
        return declared is not None and declared.kind in STORED

    @contextmanager
    def bound(self, variables: dict[str, tuple[Type, str]]) -> Iterator[dict[str, str]]:
        """Bind the variables of a loop; a slot that would hide another name gets a mark, so slots are unique."""
        outer = dict(self.variables)
        slots: dict[str, str] = {}
        for name, (type_, path) in variables.items():
            slot = name
            while slot in self.slots or self.scope.find(slot) is not None:
                slot += "'"
            self.slots.add(slot)
            slots[name] = slot
            # Reports use the author's word, unless a declared name would be taken for it.
            self.variables[name] = (slot, type_, path or (slot if self.scope.find(name) else name))
        yield slots
        self.variables = outer

    # --- nodes --------------------------------------------------------------------------------------------------------

    def infer(self, expr: syntax.Expr, present: Keys, wanted: Type | None = None) -> Typed:
        return outputs.whole(self.part(expr, present, wanted), self.scope, present)

    def part(self, expr: syntax.Expr, present: Keys, wanted: Type | None = None) -> Typed:
        match expr:
            case syntax.Literal():
                return Typed(Constant(expr.value, _literal_type(expr.value), expr.start, expr.end), STILL)
            case syntax.Name():
                return self.name(expr, present, wanted)
            case syntax.Select():
                return members.select(self, expr, present)
            case syntax.Operation():
                return self.operation(expr, present)
            case syntax.Call():
                return self.call(expr, present)
            case syntax.Conditional():
                return self.conditional(expr, present)
            case syntax.Index():
                return members.index(self, expr, present)
            case syntax.ListLiteral():
                return literals.list_of(self, expr, present, wanted)
            case syntax.MapLiteral():
                return literals.map_of(self, expr, present)
        return literals.record_of(self, expr, present)

    def name(self, expr: syntax.Name, present: Keys, wanted: Type | None) -> Typed:
        variable = self.variables.get(expr.name)
        if variable is not None:
            slot, type_, path = variable
            return Typed(Local(slot, path, type_, expr.start, expr.end), STILL)
        declared = self.scope.find(expr.name)
        if declared is None:
            if expr.name == "now":
                return Typed(Now(TIMESTAMP, expr.start, expr.end), STILL)
            return self.unknown_name(expr, wanted)
        if declared.parameters is not None:
            hint = f"call it: `{expr.name}(…)`"
            self.report("AM202", f"`{expr.name}` is a table with parameters", expr.start, expr.end, hint)
            return hole(expr)
        type_ = required(declared.type)
        span = (expr.start, expr.end)
        node: Node = Reference(expr.name, declared.kind, type_, *span)
        if declared.kind == "variable":
            node = Local(expr.name, expr.name, type_, *span)
        return Typed(node, self.reading(expr.name, declared, span, present))

    def reading(self, name: str, declared: Declared, span: Span, present: Keys) -> Flow:
        """Return what reading a declared name says about optional paths."""
        may_miss = declared.may_miss or (
            frozenset({name}) if isinstance(declared.type, OptionalType) else frozenset()
        )
        ensures = declared.ensures_true or declared.ensures_false
        if not may_miss and not ensures:
            return STILL
        misses = {} if name in present else dict.fromkeys(sorted(may_miss - present), span)
        known = frozenset({name}) if may_miss else frozenset()
        return Flow(misses, known, known | declared.ensures_true, known | declared.ensures_false)

    def unknown_name(self, expr: syntax.Name, wanted: Type | None) -> Typed:
        hint = self.suggest(expr.name, [*self.variables, *self.scope.names()])
        if isinstance(wanted, ListType):
            wanted = wanted.item
        if isinstance(wanted, EnumType) and expr.name in wanted.values:
            hint = f'a value of an enum is quoted: `"{expr.name}"`'
        elif expr.name in FUNCTIONS:
            hint = f"it is a function: `{expr.name}(…)`"
        elif habit := habits.of_name(expr.name):
            hint = habit
        elif wanted is not None and required(wanted) == TEXT and not (hint or "").startswith("did you mean"):
            hint = f'if it is text, quote it: `"{expr.name}"`'
        self.report("AM104", f"nothing is declared under `{expr.name}`", expr.start, expr.end, hint)
        return hole(expr)

    # --- operators ----------------------------------------------------------------------------------------------------

    def operation(self, expr: syntax.Operation, present: Keys) -> Typed:
        span = (expr.start, expr.end)
        if expr.operator in ("&&", "||"):
            return self.logic(expr, present)
        if expr.operator == "!":
            of = self.condition(expr.operands[0], present, "!")
            return Typed(Not(of.node, BOOL, *span), negated(of.flow))
        operands = expr.operands
        if len(operands) == 2:
            left, right = self.operands(operands[0], operands[1], present)
            return calls.apply(expr.operator, "operator", [left, right], span, self.report)
        return calls.apply(expr.operator, "operator", [self.infer(operands[0], present)], span, self.report)

    def operands(self, first: syntax.Expr, second: syntax.Expr, present: Keys) -> tuple[Typed, Typed]:
        """Check two operands; a bare word that nothing declares may be meant for a value of the other's enum."""
        if isinstance(first, syntax.Name) and self.scope.find(first.name) is None:
            right = self.infer(second, present)
            return self.infer(first, present, right.node.type), right
        left = self.infer(first, present)
        return left, self.infer(second, present, left.node.type)

    def condition(self, expr: syntax.Expr, present: Keys, operator: str) -> Typed:
        typed = self.infer(expr, present)
        if not fits(typed.node, BOOL):
            message = f"`{operator}` is for conditions, and this is `{typed.node.type}`"
            self.report("AM202", message, expr.start, expr.end, _truth_hint(typed.node))
        return typed

    def logic(self, expr: syntax.Operation, present: Keys) -> Typed:
        """Check `&&` or `||`: each operand may rely on what those before it ensure."""
        conjunction = expr.operator == "&&"
        parts: list[Typed] = []
        for operand in expr.operands:
            part = self.condition(operand, present, expr.operator)
            parts.append(part)
            present |= part.flow.true if conjunction else part.flow.false
        flows = [part.flow for part in parts]
        nodes = tuple(part.node for part in parts)
        node = Logic("&&" if conjunction else "||", nodes, BOOL, expr.start, expr.end)
        return Typed(node, both(flows) if conjunction else either(flows))

    def conditional(self, expr: syntax.Conditional, present: Keys) -> Typed:
        condition = self.condition(expr.condition, present, "?")
        then = self.infer(expr.then, present | condition.flow.true)
        otherwise = self.infer(expr.otherwise, present | condition.flow.false)
        nodes = [then.node, otherwise.node]
        type_ = common(nodes)
        if type_ is None:
            message, hint = calls.apart(nodes[0], nodes[1], "both values of `? :` have one type")
            self.report("AM202", message, expr.otherwise.start, expr.otherwise.end, hint)
            return hole(expr)
        nodes = [convert(node, type_, self.report) for node in nodes]
        node = Choice(condition.node, nodes[0], nodes[1], type_, expr.start, expr.end)
        return Typed(node, choice(condition.flow, then, otherwise))

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, expr: syntax.Call, present: Keys) -> Typed:
        if expr.receiver is not None:
            return self.method(expr, expr.receiver, present)
        if expr.name == "has":
            return members.has(self, expr, present)
        declared = self.scope.find(expr.name)
        if declared is not None and declared.parameters is not None:
            return self.table(expr, declared, declared.parameters, present)
        arguments = [self.infer(argument, present) for argument in expr.arguments]
        if declared is not None and isinstance(declared.type, Hole):
            # What is wrong with it is told where it is declared.
            return hole(expr)
        if declared is not None and expr.name not in FUNCTIONS:
            self.report(
                "AM202",
                f"`{expr.name}` is not a function",
                expr.name_start,
                expr.name_start + len(expr.name),
                "leave the brackets out",
            )
            return hole(expr)
        return self.function(expr, "function", arguments)

    def function(self, expr: syntax.Call, style: str, arguments: list[Typed]) -> Typed:
        if not self.is_called(expr, style):
            return hole(expr)
        return calls.apply(expr.name, style, arguments, (expr.start, expr.end), self.report)

    def is_called(self, expr: syntax.Call, style: str) -> bool:
        """Return whether there is a function of a name to be called like this; if not, it is reported."""
        rows = FUNCTIONS.get(expr.name, ())
        if any(row.style in calls.STYLES[style] for row in rows):
            return True
        # Only names that are near are looked up: looking one up may read it, and it may be what is being read.
        near = nearest(expr.name, self.scope.names()) if len(self.problems) < MAX_PROBLEMS else []
        tables = [name for name in near if _is_function(self.scope.find(name))]
        message, hint = calls.unknown_function(expr.name, tables)
        self.report("AM206", message, expr.name_start, expr.name_start + len(expr.name), hint)
        return False

    def method(self, expr: syntax.Call, receiver: syntax.Expr, present: Keys) -> Typed:
        of = self.infer(receiver, present)
        shape = macros.SHAPES.get((expr.name, len(expr.arguments)))
        if shape is not None:
            return macros.expand(self, expr, shape, of, present)
        if expr.name in calls.MACROS and not (expr.name == "sum" and not expr.arguments):
            hint = f"such as `.{expr.name}(x, …)`"
            self.report(
                "AM202",
                f"`{expr.name}` names a variable and says what of it",
                expr.name_start,
                expr.end,
                hint,
            )
            return hole(expr)
        if not self.is_called(expr, "method"):
            # Its arguments may be meant for a macro, whose variable nothing declares.
            return hole(expr)
        return self.function(
            expr, "method", [of, *(self.infer(argument, present) for argument in expr.arguments)]
        )

    def table(
        self, expr: syntax.Call, declared: Declared, parameters: tuple[Type, ...], present: Keys
    ) -> Typed:
        wanted = dict(enumerate(parameters))
        arguments = [
            self.infer(argument, present, wanted.get(at)) for at, argument in enumerate(expr.arguments)
        ]
        if len(arguments) != len(parameters):
            due = ", ".join(f"`{type_}`" for type_ in parameters)
            message = f"`{expr.name}` takes {len(parameters)} values, and there are {len(arguments)}"
            self.report("AM202", message, expr.start, expr.end, f"it takes {due}")
            return hole(expr)
        nodes = tuple(self.due(item.node, type_) for item, type_ in zip(arguments, parameters, strict=True))
        span = (expr.start, expr.end)
        reading = Flow(dict.fromkeys(sorted(declared.may_miss - present), span))
        flow = strict([reading, *(item.flow for item in arguments)])
        return Typed(TableCall(expr.name, nodes, required(declared.type), *span), flow)


def _literal_type(value: bool | int | Fraction | str) -> Type:  # noqa: FBT001 - the literal itself
    match value:
        case bool():
            return BOOL
        case int():
            return INT
        case str():
            return TEXT
    return DECIMAL


def _is_function(declared: Declared | None) -> bool:
    return declared is not None and declared.parameters is not None


def _truth_hint(node: Node) -> str:
    if isinstance(node, Reference) and node.type == WINDOW:
        return f"write `{node.name}.is_open`, or `{node.name}.is_closed`"
    return "compare it with something" if node.type != TEXT else 'compare it, such as `x == "…"`'
