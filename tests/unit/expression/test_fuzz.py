"""No text makes the language crash: every input is a checked expression, or problems with a place."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.errors import RuleError
from amends.engine.expression import check_text, evaluate, explain

PROGRAMS = [
    case["expr"]
    for case in yaml.safe_load(Path(__file__).with_name("problems.yaml").read_text(encoding="utf-8"))
] + [
    'lines.filter(l, has(l.weight) && l.weight > 0.5).map(l, l.kind == "novel", l.price).sum() > price * ratio',
    'split(price, lines.map(l, l.price), [fee, price])[0] > money("1 USD") || lent_at in claims',
    'has(damage.note) ? damage.note.matches("^a+") : {"a": [1, 2]}.a.exists_one(i, n, n > i)',
    'part{id: "a", method: kind, amount: 0}.amount == scores.transformMap(k, v, price)["a"]',
    'date(lent_at) < day && now - lent_at > duration("1h") && lent_at.getHours("Asia/Tokyo") in numbers',
]
WORDS = [
    *(
        [
            "price",
            "fee",
            "tries",
            "kind",
            "limit",
            "sure",
            "mark",
            "damage",
            "lines",
            "tags",
            "scores",
            "claims",
            "late",
            "verdict",
            "line",
            "now",
            "x",
        ]
    ),
    *(
        [
            "amount",
            "kind",
            "is_open",
            "closes",
            "reason",
            "weight",
            "all",
            "exists",
            "map",
            "filter",
            "sum",
            "to_map",
            "has",
            "size",
            "min",
            "split",
        ]
    ),
    *(["0", "1", "-1", "1.5", '"novel"', '""', "true", "false", 'money("5', 'USD")', 'period("1', 'day")']),
    *(
        [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".",
            ",",
            ":",
            "?",
            "&&",
            "||",
            "!",
            "==",
            "!=",
            "<",
            "<=",
            "in",
            "+",
            "-",
            "*",
            "/",
            "%",
        ]
    ),
]


def survive(text: str, library: Any) -> None:
    checked, problems = check_text(text, library)
    assert (checked is None) == bool(problems)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message
        assert problem.message.isprintable()
        assert problem.hint is None or problem.hint.isprintable()
    if checked is not None:
        variables = {"line": library.env().value("lines")[0]}
        with suppress(RuleError):
            evaluate(checked, library.env(), variables)
        explain(checked, library.env(), variables)


@given(text=st.text())
def test_any_text_is_checked_or_refused(text: str, library: Any) -> None:
    survive(text, library)


@given(words=st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_heap_of_words_is_checked_or_refused(words: list[str], library: Any) -> None:
    survive(" ".join(words), library)


@given(data=st.data())
def test_any_mangled_program_is_checked_or_refused(data: st.DataObject, library: Any) -> None:
    text = data.draw(st.sampled_from(PROGRAMS))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 6)))
        new = data.draw(st.one_of(st.just(""), st.sampled_from(WORDS), st.text(max_size=3)))
        text = text[:start] + new + text[end:]
    survive(text, library)
