"""The macros: what each gives, over lists and maps, with one variable and with two."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from amends.engine.money import Money


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("numbers.all(n, n > 0)", True),
        ("numbers.all(n, n > 1)", False),
        ("numbers.exists(n, n == 2)", True),
        ("numbers.exists_one(n, n > 2)", True),
        ("numbers.existsOne(n, n > 1)", False),
        ("numbers.filter(n, n > 1)", (3, 2)),
        ("numbers.map(n, n * 2)", (6, 2, 4)),
        ("numbers.map(n, n > 1, n * 2)", (6, 4)),
        ("numbers.sum(n, n * n)", 14),
        ("lines.sum(l, l.price * 0.5)", Money(Fraction(10), "USD")),
        ('numbers.to_map(n, "n" + string(n), n)', {"n3": 3, "n1": 1, "n2": 2}),
        ("scores.all(k, k in scores)", True),
        ('scores.exists(k, k == "b")', True),
        ("scores.map(k, scores[k])", (1, 0)),
        ('scores.filter(k, k != "a")', ("b",)),
        ("scores.to_map(k, k + k, scores[k] + 1)", {"aa": 2, "bb": 1}),
        ("numbers.all(i, n, i < 3 && n > 0)", True),
        ("numbers.exists(i, n, i == 2 && n == 2)", True),
        ("numbers.exists_one(i, n, n > i)", True),
        ("numbers.transformList(i, n, n - i)", (3, 0, 0)),
        ("numbers.transformList(i, n, n > i, n - i)", (3,)),
        ("scores.all(k, v, v < 2)", True),
        ("scores.existsOne(k, v, v == 1)", True),
        ("scores.transformMap(k, v, v + 1)", {"a": 2, "b": 1}),
        ("scores.transformMap(k, v, v > 0, k)", {"a": "a"}),
        ("scores.transformList(k, v, v > 0, k)", ("a",)),
        ("[].all(n, n > 0)", True),
        ("[].exists(n, n > 0)", False),
        ("[].map(n, n / 2)", ()),
        ("{}.transformMap(k, v, k + v)", {}),
        ("[].sum(n, n)", 0),
    ],
)
def test_a_macro_gives(text: str, value: object, library: Any) -> None:
    assert library.value(text) == value


def test_a_failing_item_fails_unless_another_decides(library: Any) -> None:
    assert library.value("[0, 1].exists(n, 1 / n == 1)") is True
    assert library.value("[0, 2].all(n, 1 / n == 1)") is False
    assert library.failure("[0, 1].all(n, 1 / n == 1)") == "division by zero in `1 / n`"
    assert library.failure("[0, 1, 1].exists_one(n, 1 / n == 1)") == "division by zero in `1 / n`"


def test_loops_end(library: Any) -> None:
    numbers = tuple(range(1000))
    text = "numbers.all(a, numbers.all(b, numbers.all(c, a + b + c >= 0)))"
    assert library.failure(text, numbers=numbers).startswith("the loops turn more than 100000 times")
    assert library.value("numbers.map(a, numbers.exists(b, b == 50)).size()", numbers=numbers) == 1000


def test_a_decided_loop_stops_turning(library: Any) -> None:
    numbers = tuple(range(100_001))
    assert library.value("numbers.exists(n, n == 5)", numbers=numbers) is True
    assert library.failure("numbers.exists(n, n < 0)", numbers=numbers).startswith("the loops turn")
