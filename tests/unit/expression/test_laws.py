"""Laws that hold for every well-typed expression, whatever facts are missing.

Random programs are drawn by type, so that they check; a fifth of the facts are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amends.engine.errors import RuleError
from amends.engine.expression import Checked, evaluate, explain
from amends.engine.money import Money
from amends.engine.values import Unknown, Value, parse_timestamp

Draw = Callable[[st.SearchStrategy[Any]], Any]

OPTIONAL: dict[str, Value] = {
    "limit": 2,
    "sure": True,
    "willing": False,
    "mark": "torn",
    "asked_at": parse_timestamp("2026-03-04T12:00:00Z"),
    "damage": {
        "amount": Money(Fraction(3), "USD"),
        "kind": "novel",
        "at": parse_timestamp("2026-03-04T13:00:00Z"),
    },
    "damage.note": "wet",
}
PYTHON = {
    "bool": bool,
    "int": int,
    "decimal": Fraction,
    "text": str,
    "money": Money,
    "timestamp": type(parse_timestamp("2026-03-04T12:00:00Z")),
    "duration": timedelta,
    "list of int": tuple,
}

#: A row of the grammar: the type of the result, the text, and the types of its parts.
RULES: list[tuple[str, str, tuple[str, ...]]] = [
    *(("bool", text, ()) for text in ["true", "false", "urgent", "sure", "willing", "late", "claims.is_open"]),
    *(("bool", f"has({path})", ()) for path in ["limit", "mark", "damage", "damage.note", "late", "claims.opens"]),
    *(("bool", text, ("bool", "bool")) for text in ["({} && {})", "({} || {})", "({} == {})"]),
    *(("bool", text, ("bool", "bool", "bool")) for text in ["({} ? {} : {})", "({} && {} && {})"]),
    ("bool", "!({})", ("bool",)),
    *(("bool", "({} " + op + " {})", (kind, kind)) for op in ("<", "==", ">=") for kind in ("int", "decimal", "money", "text", "timestamp", "duration")),
    ("bool", "({} < {})", ("int", "decimal")),
    ("bool", "({} in {})", ("int", "list of int")),
    ("bool", "{}.all(a, {})", ("list of int", "bool")),
    ("bool", "{}.exists(a, a == {})", ("list of int", "int")),
    ("bool", "{}.exists_one(i, n, n > i || {})", ("list of int", "bool")),
    ("bool", '(kind == "atlas" || damage.kind in ["novel"])', ()),
    ("bool", "({} in claims)", ("timestamp",)),
    ("bool", "{}.startsWith({})", ("text", "text")),
    *(("int", text, ()) for text in ["0", "1", "-3", "tries", "limit", "most", "scores.a", "numbers[0]"]),
    *(("int", "({} " + op + " {})", ("int", "int")) for op in ("+", "-", "*", "/", "%")),
    ("int", "({} ? {} : {})", ("bool", "int", "int")),
    ("int", "{}.size()", ("list of int",)),
    ("int", "size({})", ("text",)),
    ("int", "{}.sum(n, n + {})", ("list of int", "int")),
    ("int", "max({}, {})", ("int", "int")),
    ("int", "{}[{}]", ("list of int", "int")),
    ("int", "lent_at.getHours()", ()),
    *(("decimal", text, ()) for text in ["0.5", "ratio", "2.0"]),
    *(("decimal", "({} " + op + " {})", ("decimal", kind)) for op in ("+", "-", "*", "/") for kind in ("decimal", "int")),
    ("decimal", "({} / {})", ("money", "money")),
    ("decimal", "decimal({})", ("int",)),
    *(("money", text, ()) for text in ["price", "fee", "damage.amount", "half", 'money("1 USD")']),
    *(("money", "({} " + op + " {})", ("money", "money")) for op in ("+", "-")),
    *(("money", "({} " + op + " {})", ("money", "decimal")) for op in ("*", "/")),
    ("money", "({} ? {} : 0)", ("bool", "money")),
    ("money", "lines.sum(l, l.price * {})", ("int",)),
    ("money", "split({}, [1, 2])[0]", ("money",)),
    *(("text", text, ()) for text in ['""', '"torn"', "name", "mark", "damage.note", "string(kind)"]),
    ("text", "({} + {})", ("text", "text")),
    ("text", "string({})", ("int",)),
    ("text", "(has(mark) ? mark : {})", ("text",)),
    *(("timestamp", text, ()) for text in ["now", "lent_at", "asked_at", "damage.at", "claims.closes"]),
    ("timestamp", "({} + {})", ("timestamp", "duration")),
    *(("duration", text, ()) for text in ["wait", 'duration("90m")']),
    ("duration", "({} - {})", ("timestamp", "timestamp")),
    ("duration", "({} + {})", ("duration", "duration")),
    *(("list of int", text, ()) for text in ["numbers", "[1, 2]"]),
    ("list of int", "[{}, {}]", ("int", "int")),
    ("list of int", "{}.map(n, n * {})", ("list of int", "int")),
    ("list of int", "{}.filter(n, {})", ("list of int", "bool")),
    ("list of int", "({} + {})", ("list of int", "list of int")),
]  # fmt: skip
BY_TYPE = {kind: [rule for rule in RULES if rule[0] == kind] for kind in PYTHON}
LEAVES = {kind: [rule for rule in rules if not rule[2]] for kind, rules in BY_TYPE.items()}


def write(draw: Draw, kind: str, depth: int) -> str:
    """Draw a program of a type."""
    _, text, parts = draw(st.sampled_from(BY_TYPE[kind] if depth else LEAVES[kind]))
    return str(text).format(*(write(draw, part, depth - 1) for part in parts))


@st.composite
def programs(draw: Draw) -> tuple[str, str]:
    """Draw a type, and a program of it."""
    kind = draw(st.sampled_from(["bool", "bool", "bool", *PYTHON]))
    return kind, write(draw, kind, draw(st.integers(0, 4)))


@st.composite
def missing_facts(draw: Draw) -> frozenset[str]:
    """Draw which optional paths are missing."""
    return frozenset(path for path in OPTIONAL if draw(st.integers(0, 4)) == 0)


def facts_without(missing: frozenset[str]) -> dict[str, Value]:
    """Return the optional facts but those that are missing."""
    facts = {path: value for path, value in OPTIONAL.items() if path not in missing and "." not in path}
    if "damage" in facts and "damage.note" not in missing:
        facts["damage"] = {**facts["damage"], "note": OPTIONAL["damage.note"]}
    return facts


def absent(missing: frozenset[str]) -> frozenset[str]:
    """Return the paths that lead nowhere: a record's fields are missing with it."""
    return missing | {"damage.note"} if "damage" in missing else missing


def outcome(checked: Checked, env: Any) -> Any:
    """Return the value, Unknown, or RuleError."""
    try:
        return evaluate(checked, env)
    except RuleError:
        return RuleError


@given(program=programs(), missing=missing_facts())
def test_a_value_has_its_type_or_names_what_is_missing(
    program: tuple[str, str], missing: frozenset[str], library: Any
) -> None:
    kind, text = program
    checked = library.checked(text)
    assert str(checked.type) == kind
    value = outcome(checked, library.env(**facts_without(missing)))
    if isinstance(value, Unknown):
        assert value.missing
        assert value.missing <= absent(missing)
        assert value.missing <= checked.may_miss
    elif value is not RuleError:
        assert type(value) is PYTHON[kind]


@given(program=programs(), missing=missing_facts())
def test_what_cannot_miss_anything_is_never_unknown(
    program: tuple[str, str], missing: frozenset[str], library: Any
) -> None:
    checked = library.checked(program[1])
    if not checked.may_miss & absent(missing):
        assert not isinstance(outcome(checked, library.env(**facts_without(missing))), Unknown)


@given(missing=missing_facts(), data=st.data())
def test_what_a_condition_ensures_is_there(
    missing: frozenset[str], data: st.DataObject, library: Any
) -> None:
    checked = library.checked(write(data.draw, "bool", 4))
    value = outcome(checked, library.env(**facts_without(missing)))
    if value is True:
        assert not checked.ensures_true & absent(missing)
    if value is False:
        assert not checked.ensures_false & absent(missing)


@given(missing=missing_facts(), data=st.data())
def test_what_is_known_without_a_fact_stays_so_with_it(
    missing: frozenset[str], data: st.DataObject, library: Any
) -> None:
    text = write(data.draw, "bool", 4)
    if "has(" in text or "exists_one" in text:
        return
    checked = library.checked(text)
    before = outcome(checked, library.env(**facts_without(missing)))
    if isinstance(before, bool):
        assert outcome(checked, library.env(**facts_without(frozenset()))) is before


@given(missing=missing_facts(), data=st.data())
def test_the_explanation_sees_what_the_evaluation_saw(
    missing: frozenset[str], data: st.DataObject, library: Any
) -> None:
    checked = library.checked(write(data.draw, "bool", 4))
    env = library.env(**facts_without(missing))
    value, leaves = outcome(checked, env), explain(checked, env)
    assert leaves
    if value is RuleError:
        assert any(leaf.failed for leaf in leaves)
    if isinstance(value, Unknown):
        assert value.missing <= frozenset().union(
            *(leaf.value.missing for leaf in leaves if isinstance(leaf.value, Unknown))
        )
    for leaf in leaves:
        assert checked.text[leaf.start : leaf.end] == leaf.text


@given(missing=missing_facts(), data=st.data())
def test_a_condition_and_its_opposite_never_agree(
    missing: frozenset[str], data: st.DataObject, library: Any
) -> None:
    text = write(data.draw, "bool", 3)
    env = library.env(**facts_without(missing))
    value, opposite = outcome(library.checked(text), env), outcome(library.checked(f"!({text})"), env)
    assert opposite == (not value if isinstance(value, bool) else value)
    other = write(data.draw, "bool", 2)
    both = outcome(library.checked(f"({text}) && ({other})"), env)
    morgan = outcome(library.checked(f"!(!({text}) || !({other}))"), env)
    turned = outcome(library.checked(f"({other}) && ({text})"), env)
    assert both == morgan == turned
