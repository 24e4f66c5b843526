"""Conditions may be unknown, values may not: three-valued logic, and flow typing by `has`."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest

from amends.engine.errors import RuleError
from amends.engine.expression import evaluate
from amends.engine.values import Sealed, Unknown

TRUE, FALSE, UNKNOWN, ERROR = "true", "false", "sure", "1 / 0 == 1"
#: Kleene's tables, with CEL's errors: what decides wins, then what is unknown, then what failed.
AND = {
    (TRUE, TRUE): True,
    (TRUE, FALSE): False,
    (TRUE, UNKNOWN): Unknown,
    (TRUE, ERROR): RuleError,
    (FALSE, FALSE): False,
    (FALSE, UNKNOWN): False,
    (FALSE, ERROR): False,
    (UNKNOWN, UNKNOWN): Unknown,
    (UNKNOWN, ERROR): Unknown,
    (ERROR, ERROR): RuleError,
}
OPPOSITE = {TRUE: FALSE, FALSE: TRUE}


def worth(library: Any, text: str) -> Any:
    """Return what a text is worth: a truth, Unknown or RuleError."""
    try:
        value = library.value(text)
    except RuleError:
        return RuleError
    return Unknown if isinstance(value, Unknown) else value


@pytest.mark.parametrize(("left", "right"), list(itertools.product([TRUE, FALSE, UNKNOWN, ERROR], repeat=2)))
def test_and_or_all_and_exists_are_kleenes_and_absorb_errors(left: str, right: str, library: Any) -> None:
    due = AND[(left, right) if (left, right) in AND else (right, left)]
    assert worth(library, f"{left} && {right}") == due
    dual = AND[
        next(
            pair
            for pair in itertools.permutations([OPPOSITE.get(left, left), OPPOSITE.get(right, right)])
            if pair in AND
        )
    ]
    opposite = (not dual) if isinstance(dual, bool) else dual
    assert worth(library, f"{left} || {right}") == opposite
    body = f"n == 1 ? {left} : {right}"
    assert worth(library, f"[1, 2].all(n, {body})") == due
    assert worth(library, f"[1, 2].exists(n, {body})") == opposite


def test_not_of_unknown_is_unknown(library: Any, missing: Any) -> None:
    assert library.value("!sure") == missing("sure")


def test_an_unknown_names_everything_that_is_missing(library: Any, missing: Any) -> None:
    assert library.value("sure && limit > 2") == missing("sure", "limit")
    assert library.value("[limit, limit + 1, size(mark)]") == missing("limit", "mark")


@pytest.mark.parametrize(
    "text",
    [
        "limit == 2",
        "limit != 2",
        "limit < 2",
        "limit + 1",
        "-limit",
        "limit in [1, 2]",
        "numbers[limit]",
        "limit == 2 ? 1 : 2",
        "mark.size()",
        "min(limit, 1)",
        "numbers.map(n, n + limit)",
        "numbers.filter(n, n > limit)",
        "numbers.map(n, n > limit, n)",
        "scores.transformMap(k, v, v > limit, v)",
        "limit in numbers.map(n, limit)",
        "numbers.sum(n, n + limit)",
        "numbers.exists_one(n, n == limit)",
        'numbers.to_map(n, "k", limit)',
        '{"k": limit}',
        "string(limit)",
    ],
)
def test_unknown_flows_through_everything_else(text: str, library: Any, missing: Any) -> None:
    assert library.value(text) == missing("limit" if "limit" in text else "mark")


def test_a_window_that_is_missing_itself_makes_its_parts_unknown(library: Any, missing: Any) -> None:
    assert library.value("claims.is_open", claims=missing("asked_at")) == missing("asked_at")


def test_a_failure_beside_an_unknown_in_arithmetic_is_a_failure(library: Any) -> None:
    assert library.failure("limit + 1 / 0") == "division by zero in `1 / 0`"


def test_two_that_hold_already_are_not_exactly_one(library: Any) -> None:
    assert library.value("[1, 2, 3].exists_one(n, n < 3 || limit == n)") is False


@pytest.mark.parametrize(
    ("text", "facts", "there"),
    [
        ("has(limit)", {}, False),
        ("has(limit)", {"limit": 0}, True),
        ("has(sure)", {"sure": False}, True),
        ("has(price)", {}, True),
        ("has(damage)", {}, False),
        ("has(damage.note)", {}, False),
        ("has(damage.note)", {"damage": {"amount": 1}}, False),
        ("has(damage.note)", {"damage": {"note": ""}}, True),
        ("has(damage.amount)", {}, False),
        ("has(scores.a)", {}, True),
        ("has(scores.b)", {}, True),
        ("has(scores.c)", {}, False),
        ('has({"m": scores}.x.y)', {}, False),
        ("has(lines[1].weight)", {}, False),
        ("has(lines[0].weight)", {}, True),
        ("has(lines[9].weight)", {}, False),
        ("has(lines[limit].weight)", {}, False),
        ("has(claims.closes)", {}, False),
        ("has(always.closes)", {}, False),
        ("has(late)", {}, False),
        ("has(verdict(lines[0]).share)", {}, True),
        ("lines.exists(l, has(l.weight))", {}, True),
        ("lines.all(l, has(l))", {}, True),
        ("has(now)", {}, True),
    ],
)
def test_has_is_false_when_any_segment_is_missing_and_never_unknown(
    text: str,
    facts: dict[str, Any],
    there: bool,  # noqa: FBT001 - what is due
    library: Any,
) -> None:
    assert library.value(text, **facts) is there
    assert library.checked(text).may_miss == frozenset()


def test_an_erased_value_is_unknown_yet_was_there(library: Any, missing: Any) -> None:
    assert library.value("mark == name", mark=Sealed("00")) == missing("mark")
    assert library.value("has(mark)", mark=Sealed("00")) is True
    erased = {"amount": Sealed("00")}
    assert library.value("damage.amount > fee", damage=erased) == missing("damage.amount")
    assert library.value("has(damage.amount)", damage=erased) is True
    assert library.value('["a"].all(t, t == mark)', mark=Sealed("00")) == missing("mark")


@pytest.mark.parametrize(
    ("text", "may_miss"),
    [
        ("limit + 1", {"limit"}),
        ("has(limit) ? limit : 0", set()),
        ("!has(limit) ? 0 : limit", set()),
        ("has(limit) && limit > 2", set()),
        ("limit > 2 && has(limit)", {"limit"}),
        ("!has(limit) || limit > 2", set()),
        ("has(limit) || limit > 2", {"limit"}),
        ("limit > 2 ? limit : 0", {"limit"}),
        ("has(limit) && has(mark) ? mark : name", set()),
        ("has(limit) || has(mark) ? mark : name", {"mark"}),
        ("!(has(limit) && has(mark)) ? name : mark", set()),
        ("!(has(limit) || has(mark)) ? name : mark", {"mark"}),
        ("(has(mark) ? true : false) ? mark : name", set()),
        ("(has(mark) ? size(mark) > 2 : false) && mark == name", set()),
        ("(urgent ? has(mark) : has(mark)) ? mark : name", set()),
        ("(urgent ? has(mark) : true) ? mark : name", {"mark"}),
        ("damage.amount", {"damage"}),
        ("damage.note", {"damage", "damage.note"}),
        ("has(damage.note) ? damage.note : name", set()),
        ("has(damage.note) ? damage.amount : fee", set()),
        ("has(damage) ? damage.note : name", {"damage.note"}),
        ("late", {"asked_at"}),
        ("late && asked_at < now", {"asked_at"}),
        ("has(late) && late", set()),
        ("late ? asked_at : now", {"asked_at"}),
        ("claims.is_open", {"asked_at"}),
        ("has(asked_at) && claims.is_open", set()),
        ("has(claims.opens) ? claims.opens : now", set()),
        ("always.is_open", set()),
        ("lines.map(l, l.weight)", {"lines.weight"}),
        ("lines.filter(l, has(l.weight)).map(l, l.weight)", {"lines.weight"}),
        ("lines.map(l, has(l.weight), l.weight)", set()),
        ("lines.all(l, has(l.weight) && l.weight < 1)", set()),
        ("lines.map(l, has(l.weight) ? l.weight : 0.0)", set()),
        ("has(lines[0].weight) ? lines[0].weight : 1.0", set()),
        ("has(lines[0].weight) ? lines[1].weight : 1.0", {"lines.weight"}),
        ("line.weight", {"line.weight"}),
        ("[limit].size()", {"limit"}),
        ("numbers.map(n, limit)", {"limit"}),
    ],
)
def test_has_guards_through_the_conditions_around_it(text: str, may_miss: set[str], library: Any) -> None:
    assert library.checked(text).may_miss == may_miss


def test_what_may_be_missing_is_told_with_its_place(library: Any) -> None:
    checked = library.checked("price > fee && limit + tries > 1")
    assert dict(checked.misses) == {"limit": (15, 20)}


def test_what_is_surely_there_is_given_by_the_caller(library: Any) -> None:
    assert library.checked("limit + 1", present=["limit"]).may_miss == frozenset()
    assert library.checked("damage.note", present=["damage"]).may_miss == {"damage.note"}
    assert library.checked("claims.is_open", present=["asked_at"]).may_miss == frozenset()


@pytest.mark.parametrize(
    ("text", "true", "false"),
    [
        ("has(limit)", {"limit"}, set()),
        ("!has(limit)", set(), {"limit"}),
        ("limit > 2", {"limit"}, {"limit"}),
        ("sure", {"sure"}, {"sure"}),
        ("sure && has(mark)", {"sure", "mark"}, set()),
        ("sure || has(mark)", set(), {"sure"}),
        ("sure && willing", {"sure", "willing"}, set()),
        ("limit > 1 || limit < 0", {"limit"}, {"limit"}),
        ("!(sure || has(mark))", {"sure"}, set()),
        ("has(damage.note)", {"damage", "damage.note"}, set()),
        ('damage.kind == "novel"', {"damage"}, {"damage"}),
        ("urgent ? has(mark) : sure", set(), set()),
        ("urgent ? has(mark) && sure : sure", {"sure"}, set()),
        ("has(mark) ? urgent : false", {"mark"}, set()),
        ("late", {"asked_at"}, set()),
        ("!late", set(), {"asked_at"}),
        ("lines.all(l, has(l.weight))", set(), set()),
        ("limit in [1] && tags.exists(t, t == mark)", {"limit"}, set()),
        ("true", set(), set()),
    ],
)
def test_a_condition_tells_what_it_ensures(text: str, true: set[str], false: set[str], library: Any) -> None:
    checked = library.checked(text)
    assert (checked.ensures_true, checked.ensures_false) == (true, false)


def test_a_field_kept_as_none_is_missing(library: Any, missing: Any) -> None:
    assert library.value("damage.note == name", damage={"note": None}) == missing("damage.note")


def test_a_variable_that_the_caller_brings_may_be_missing_in_part(library: Any, missing: Any) -> None:
    checked = library.checked("line.weight > ratio")
    line = {"title": "Emma", "price": 1, "kind": "novel"}
    assert evaluate(checked, library.env(), {"line": line}) == missing("line.weight")
    assert evaluate(checked, library.env(), {"line": {**line, "weight": Fraction(1)}}) is True


@pytest.mark.parametrize(
    ("text", "misses"),
    [
        ("offer.owed", {"mark"}),
        ("offer.share > ratio", {"limit"}),
        ("has(offer.share) && offer.share > ratio", set()),
        ("has(limit) && offer.share > ratio", set()),
        ("offer.share > ratio && offer.owed", {"limit", "mark"}),
        ("offer == tariff", {"limit", "mark"}),
        ("has(offer) && offer == tariff", set()),
        ("[offer].exists(o, o.owed)", {"limit", "mark"}),
    ],
)
def test_each_output_of_a_table_misses_what_it_reads_and_the_whole_what_any_of_them_does(
    text: str, misses: set[str], library: Any
) -> None:
    assert library.checked(text).may_miss == misses


def test_an_output_is_known_beside_one_that_is_not_and_the_whole_is_not(library: Any, missing: Any) -> None:
    assert library.value("offer.owed") is True
    assert library.value("offer.share") == missing("limit")
    assert library.value("offer == tariff") == missing("limit")
    assert library.value("has(offer.owed) && !has(offer.share) && !has(offer)") is True
