"""The grammar: what is read, how it groups, where every part stands, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from amends.engine.expression import SyntaxProblem, parse
from amends.engine.expression.parser import MAX_DEPTH
from amends.engine.expression.syntax import (
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
from amends.engine.expression.tokens import MAX_LENGTH


def shape(expr: Expr) -> str:
    """Write a tree with every bracket, so that grouping shows."""
    match expr:
        case Literal():
            return repr(expr.value)
        case Name():
            return expr.name
        case Select():
            return f"{shape(expr.of)}.{expr.field}"
        case Index():
            return f"{shape(expr.of)}[{shape(expr.index)}]"
        case Call():
            head = f"{shape(expr.receiver)}." if expr.receiver is not None else ""
            return f"{head}{expr.name}({', '.join(map(shape, expr.arguments))})"
        case Operation(operands=(one,)):
            return f"({expr.operator}{shape(one)})"
        case Operation():
            return "(" + f" {expr.operator} ".join(map(shape, expr.operands)) + ")"
        case Conditional():
            return f"({shape(expr.condition)} ? {shape(expr.then)} : {shape(expr.otherwise)})"
        case ListLiteral():
            return f"[{', '.join(map(shape, expr.items))}]"
        case MapLiteral():
            return "{" + ", ".join(f"{shape(key)}: {shape(value)}" for key, value in expr.entries) + "}"
        case RecordLiteral():
            return (
                expr.name + "{" + ", ".join(f"{name}: {shape(value)}" for name, _, value in expr.fields) + "}"
            )


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c * d", "(((a / b) % c) * d)"),
        ("a || b && c", "(a || (b && c))"),
        ("a && b && c", "(a && b && c)"),
        ("(a && b) && c", "((a && b) && c)"),
        ("a < b == c", "((a < b) == c)"),
        ("a in b && !c", "((a in b) && (!c))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a || b ? c : d", "((a || b) ? c : d)"),
        ("-a.b", "(-a.b)"),
        ("- 5 + --a", "(-5 + (-(-a)))"),
        ("!!a", "(!(!a))"),
        ("-2.5 * -x", "(Fraction(-5, 2) * (-x))"),
        ("a.b[c].d(e, f).g", "a.b[c].d(e, f).g"),
        ("part{id: a, note: [b,],}", "part{id: a, note: [b]}"),
        ('{"k": a, "l": {},}', "{'k': a, 'l': {}}"),
        ("a.`not a-name/x`.return", "a.not a-name/x.return"),
        ("a // all the rest\n && b", "(a && b)"),
        ("f()", "f()"),
    ],
)
def test_operators_group_as_in_cel(text: str, grouped: str) -> None:
    assert shape(parse(text)) == grouped


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("0x2A", 42),
        ("-0x2A", -42),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.50", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("0.1", Fraction(1, 10)),
        ("true", True),
        (r"'a\'\n\x41é\U0001F431\101'", "a'\nAé🐱A"),
        (r"r'a\n'", r"a\n"),
        ('"""a "b"\nc"""', 'a "b"\nc'),
        ("'''it's'''", "it's"),
        ("''", ""),
        ('"// no comment"', "// no comment"),
    ],
)
def test_literals_are_exact(text: str, value: object) -> None:
    expr = parse(text)
    assert isinstance(expr, Literal)
    assert (expr.value, type(expr.value)) == (value, type(value))


def test_every_part_knows_where_it_stands() -> None:
    text = '  (a.bb + f(1)) * x["k"] in [-2] ? {"m": 1} : r{f: 2}'
    expr = parse(text)

    def words(node: Expr) -> list[str]:
        return [text[node.start : node.end], *(word for child in children(node) for word in words(child))]

    assert words(expr) == [
        text.strip(),
        '(a.bb + f(1)) * x["k"] in [-2]',
        '(a.bb + f(1)) * x["k"]',
        "a.bb + f(1)",
        "a.bb",
        "a",
        "f(1)",
        "1",
        'x["k"]',
        "x",
        '"k"',
        "[-2]",
        "-2",
        '{"m": 1}',
        '"m"',
        "1",
        "r{f: 2}",
        "2",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "a" + ")" * 5_000,
        "[" * 5_000,
        "f(" * 5_000,
        "!" * 5_000 + "a",
        "-" * 5_000 + "a",
        "a" + ".b" * 5_000,
        "a" + "[0]" * 5_000,
        "a" + " + a" * 4_000,
        "a ? b : " * 2_000 + "c",
        '{"k": ' * 3_000,
    ],
)
def test_deep_nesting_is_a_problem_and_not_a_crash(text: str) -> None:
    with pytest.raises(SyntaxProblem, match=f"nested deeper than {MAX_DEPTH} levels|is not closed"):
        parse(text)


@pytest.mark.parametrize("text", ["a" + " && a" * 3_000, "a" + " || !a" * 2_000, "[" + "1, " * 5_000 + "]"])
def test_a_long_chain_is_not_deep(text: str) -> None:
    assert parse(text) is not None


def test_a_text_past_the_bound_is_refused() -> None:
    with pytest.raises(SyntaxProblem, match="longer than"):
        parse("a" * (MAX_LENGTH + 1))


@pytest.mark.parametrize(
    "piece", ['"', "'''\\", "\\'''", '"""\\"', "`", "a.", "((", "0x", "1.", "// ", "[[1],", "-", "a?b:"]
)
def test_hostile_text_is_refused(piece: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse((piece * MAX_LENGTH)[:MAX_LENGTH])
