"""Tokens to a syntax tree: the grammar of CEL.

Nesting is bounded, so no text can exhaust the stack of whoever walks the tree; time and memory grow with the length of
the text. Source: CEL language definition, "Syntax".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .habits import PAIRS, SIGNS
from .syntax import (
    Call,
    Conditional,
    Expr,
    Index,
    ListLiteral,
    Literal,
    MapLiteral,
    Name,
    Operation,
    RecordLiteral,
    Select,
    children,
)
from .tokens import INT_MAX, INT_MIN, RESERVED, SyntaxProblem, Token, literal_meant, tokens

#: How deep a tree may be. `&&` and `||` chains are one level, however long.
MAX_DEPTH: Final = 64
#: How deep the parser may call itself: a bracket is a call, and so is the right side of an operator in it.
_MAX_CALLS: Final = 96
#: Binary operators and how tightly they bind; all associate to the left. The conditional binds at 1.
#: What a per cent sign behind a number, which here asks for a remainder, was meant for.
_SHARE: Final = "a share is written as a number: `0.1` for 10 %"
_BINDING: Final[dict[str, int]] = {
    "||": 2,
    "&&": 3,
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "in"], 4),
    **dict.fromkeys("+-", 5),
    **dict.fromkeys("*/%", 6),
}
_RELATIONS: Final = 4


def parse(text: str) -> Expr:
    """Return the syntax tree of an expression.

    Raises:
        SyntaxProblem: the text is not an expression of the profile; it says where and what to do.

    >>> parse("a.b < 2").operator
    '<'
    """
    parser = _Parser(text, tokens(text))
    expr = parser.expression(1)
    parser.finish()
    # A tree is no deeper than its tokens are many.
    if len(parser.found) > MAX_DEPTH:
        _bound(expr)
    return expr


def _bound(root: Expr) -> None:
    """Refuse a tree that is too deep: a long chain of operators is, though no bracket stands in it."""
    waiting = [(root, 1)]
    while waiting:
        expr, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(expr.start, expr.end)
        waiting.extend((child, depth + 1) for child in children(expr))


def _too_deep(start: int, end: int) -> SyntaxProblem:
    return SyntaxProblem(
        f"the expression is nested deeper than {MAX_DEPTH} levels",
        start,
        end,
        "name a part of it under `define`",
    )


class _Parser:
    """Precedence climbing over a list of tokens. Only brackets, calls and conditionals recurse, and they are counted."""

    def __init__(self, text: str, found: list[Token]) -> None:
        self.text = text
        self.found = found
        self.at = 0
        self.depth = 0

    # --- tokens -----------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.found[self.at]

    def here(self, symbol: str) -> bool:
        token = self.found[self.at]
        return token.kind == "symbol" and token.value == symbol

    def take(self) -> Token:
        token = self.found[self.at]
        self.at += 1
        return token

    def accept(self, symbol: str) -> bool:
        if self.here(symbol):
            self.at += 1
            return True
        return False

    def expect(self, symbol: str, opened: Token) -> Token:
        """Take a closing bracket, or say which one is not closed."""
        if self.here(symbol):
            return self.take()
        if self.token.kind == "end":
            raise SyntaxProblem(
                f"`{opened.value}` is not closed", opened.start, opened.end, f"a `{symbol}` is missing"
            )
        raise self.unexpected(f"`{symbol}` or `,` is due here")

    @property
    def last_end(self) -> int:
        return self.found[self.at - 1].end

    def unexpected(self, hint: str | None = None) -> SyntaxProblem:
        token = self.token
        before = self.found[self.at - 1] if self.at else token
        if token.kind == "end":
            hint = _SHARE if before.kind == "symbol" and before.value == "%" else hint
            return SyntaxProblem("the expression ends too early", max(token.start - 1, 0), token.end, hint)
        word = str(token.value)
        pair = self.text[before.start : token.end]
        if token.kind in ("name", "symbol") and word in SIGNS:
            hint = f"write `{SIGNS[word]}`"
        elif pair in PAIRS:
            hint = f"write {PAIRS[pair]}"
        elif before.kind == "name" and before.value == "not":
            hint = "write `!` for `not`"
        elif before.kind == "symbol" and before.value == "%":
            hint = _SHARE
        elif before.kind == "name" and before.value == "of":
            hint = "a share of an amount is a product: `price * 0.1`"
        elif self.at and (meant := literal_meant(self.text, self.found[self.at - 1].start)):
            hint = f"write `{meant}`"
        what = f"`{word}`" if token.kind in ("name", "symbol") else "this"
        return SyntaxProblem(f"{what} is not expected here", token.start, token.end, hint)

    def finish(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected("an operator is missing before it" if self.token.kind != "symbol" else None)

    # --- grammar ----------------------------------------------------------------------------------------------------

    def expression(self, least: int) -> Expr:
        """Parse operators that bind at least so tightly."""
        self.depth += 1
        if self.depth > _MAX_CALLS:
            raise _too_deep(self.token.start, self.token.end)
        start = self.token.start
        left = self.unary()
        while self.token.kind == "symbol" and (power := _BINDING.get(str(self.token.value), 0)) >= max(
            least, 2
        ):
            operator = str(self.take().value)
            operands = [left, self.expression(power + 1)]
            while power < _RELATIONS and self.accept(operator):
                operands.append(self.expression(power + 1))
            left = Operation(operator, tuple(operands), start, self.last_end)
        if least == 1 and self.accept("?"):
            then = self.expression(2)
            if not self.accept(":"):
                raise self.unexpected("`?` needs a `:` and the value otherwise")
            left = Conditional(left, then, self.expression(1), start, self.last_end)
        self.depth -= 1
        return left

    def unary(self) -> Expr:
        signs: list[Token] = []
        while self.here("!") or self.here("-"):
            signs.append(self.take())
        negative = bool(signs) and signs[-1].value == "-" and self.token.kind in ("int", "decimal")
        expr = self.member(signs.pop() if negative else None)
        for sign in reversed(signs):
            expr = Operation(str(sign.value), (expr,), sign.start, self.last_end)
        return expr

    def member(self, minus: Token | None) -> Expr:
        start = self.token.start if minus is None else minus.start
        expr = self.primary(minus)
        while True:
            if self.here("."):
                self.take()
                field = self.field()
                if self.here("("):
                    arguments = self.arguments()
                    expr = Call(str(field.value), field.start, expr, arguments, start, self.last_end)
                else:
                    expr = Select(expr, str(field.value), field.start, start, field.end)
            elif self.here("["):
                opened = self.take()
                index = self.expression(1)
                expr = Index(expr, index, start, self.expect("]", opened).end)
            else:
                return expr

    def field(self) -> Token:
        if self.token.kind in ("name", "quoted"):
            return self.take()
        raise self.unexpected("the name of a field is due after `.`")

    def arguments(self) -> tuple[Expr, ...]:
        opened = self.take()
        found: list[Expr] = []
        if self.accept(")"):
            return ()
        found.append(self.expression(1))
        while self.accept(","):
            found.append(self.expression(1))
        self.expect(")", opened)
        return tuple(found)

    def primary(self, minus: Token | None) -> Expr:
        token = self.token
        if token.kind in ("int", "decimal"):
            return self.number(self.take(), minus)
        if token.kind in ("text", "bool"):
            self.take()
            return Literal(token.value, token.start, token.end)
        if token.kind == "name":
            return self.name(self.take())
        if self.here("("):
            self.take()
            expr = self.expression(1)
            if self.here(","):
                raise self.unexpected("a list stands in square brackets: `[a, b]`")
            self.expect(")", token)
            return expr
        if self.here("["):
            self.take()
            return ListLiteral(tuple(self.items(token, "]")), token.start, self.last_end)
        if self.here("{"):
            self.take()
            return MapLiteral(tuple(self.entries(token)), token.start, self.last_end)
        raise self.unexpected()

    def number(self, token: Token, minus: Token | None) -> Literal:
        start = token.start if minus is None else minus.start
        value = token.value if minus is None else -token.value  # type: ignore[operator] # a number token
        if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
            raise SyntaxProblem(
                "the number does not fit into 64 bits",
                start,
                token.end,
                "a number with a point may be larger",
            )
        return Literal(value, start, token.end)

    def name(self, token: Token) -> Expr:
        word = str(token.value)
        if word == "null":
            raise SyntaxProblem(
                "`null` is not part of the profile",
                token.start,
                token.end,
                "ask `has(…)` whether a value is there",
            )
        if word in RESERVED:
            hint = "give what it names another name; a field may have it"
            hint = "write `condition ? a : b`" if word == "if" and self.here("(") else hint
            raise SyntaxProblem(f"`{word}` is a reserved word", token.start, token.end, hint)
        if self.here("("):
            arguments = self.arguments()
            return Call(word, token.start, None, arguments, token.start, self.last_end)
        if self.here("{"):
            opened = self.take()
            return RecordLiteral(word, tuple(self.fields(opened)), token.start, self.last_end)
        return Name(word, token.start, token.end)

    def items(self, opened: Token, close: str) -> Iterator[Expr]:
        while not self.accept(close):
            yield self.expression(1)
            if not self.accept(","):
                self.expect(close, opened)
                return

    def entries(self, opened: Token) -> Iterator[tuple[Expr, Expr]]:
        while not self.accept("}"):
            key = self.expression(1)
            if not self.accept(":"):
                raise self.unexpected('a map is written `{"key": value}`')
            yield key, self.expression(1)
            if not self.accept(","):
                self.expect("}", opened)
                return

    def fields(self, opened: Token) -> Iterator[tuple[str, int, Expr]]:
        while not self.accept("}"):
            field = self.field()
            if not self.accept(":"):
                raise self.unexpected("a record is written `name{field: value}`")
            yield str(field.value), field.start, self.expression(1)
            if not self.accept(","):
                self.expect("}", opened)
                return
