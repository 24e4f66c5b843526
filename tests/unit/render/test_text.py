"""Values, instants and reasons as a person writes them."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.calendar import zone
from amends.engine.case import Reason
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.policy import ReasonText
from amends.engine.render.text import Speech, chosen, padded, pieces, width
from amends.engine.render.words import LABELS, REASONS, label
from amends.engine.values import Sealed, Unknown, Window

NOON = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 6, 4, 59, 59, tzinfo=UTC)
EASTERN = zone("America/New_York")
EN = Speech(language="en", zone=EASTERN, reasons={})
ZH = Speech(language="zh", zone=EASTERN, reasons={})


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (NOON, "5 March 2026, 12:00", "2026年3月5日 12:00"),
        (NOON + timedelta(seconds=1), "5 March 2026, 12:00:01", "2026年3月5日 12:00:01"),
        (MIDNIGHT, "5 March 2026", "2026年3月5日"),
        (date(2026, 12, 31), "31 December 2026", "2026年12月31日"),
        (Money(Fraction(25, 2), "USD"), "12.50 USD", "12.50 USD"),
        (Money(Fraction(1, 3), "USD"), "0.33 USD", "0.33 USD"),
        (Money(Fraction(250000), "IDR"), "250000.00 IDR", "250000.00 IDR"),
        (Fraction(3, 2), "1.5", "1.5"),
        (Fraction(1, 3), "≈ 0.333333", "≈ 0.333333"),
        (3, "3", "3"),
        (True, "yes", "是"),
        (None, "–", "–"),
        (Unknown(frozenset({"a"})), "–", "–"),
        (Sealed("00"), "(sensitive)", "（敏感）"),
        (Period(2, "business day"), "2 business days", "2 business days"),
        (timedelta(seconds=90), "90 seconds", "90 秒"),
        (("photo",), "photo", "photo"),
        (("photo", "video", "log"), "photo, video and log", "photo、video和log"),
        ((), "–", "–"),
        ({"a": 1, "b": ("x", "y")}, "a: 1, b: x and y", "a: 1、b: x和y"),
        # Records within something larger keep to themselves.
        (({"a": 1, "b": 2}, {"a": 3}), "(a: 1, b: 2) and (a: 3)", "（a: 1、b: 2）和（a: 3）"),
        ({"a": {"b": 1}, "c": {}}, "a: (b: 1), c: –", "a: （b: 1）、c: –"),
        ({"closes": MIDNIGHT}, "always to 5 March 2026", "不限 至 2026年3月5日"),
        (Window(opens=None, closes=MIDNIGHT), "always to 5 March 2026", "不限 至 2026年3月5日"),
    ],
)
def test_a_value_is_written_as_a_person_writes_it(value: Any, english: str, chinese: str) -> None:
    assert EN.value(value) == english
    assert ZH.value(value) == chinese


def test_what_is_due_at_the_end_of_a_day_says_so() -> None:
    assert (EN.due(NOON), EN.due(MIDNIGHT)) == ("2026-03-05 12:00", "2026-03-05 end of day")


def test_what_happens_in_the_last_second_of_a_day_is_told_to_the_second() -> None:
    assert EN.when(MIDNIGHT) == "2026-03-05 23:59:59"


def said(text: dict[str, str], language: str = "en", **values: Any) -> str:
    speech = Speech(
        language=language, zone=EASTERN, reasons={"r": ReasonText(code="r", text=text, inserts=())}
    )
    return speech.sentence(Reason(code="r", values=values))


def test_a_sentence_inserts_what_the_step_saw() -> None:
    reason = Reason(code="r", values={"returns.closes": MIDNIGHT})
    texts = {"r": ReasonText(code="r", text={"": "closed on { returns.closes }."}, inserts=())}
    assert Speech(zone=EASTERN, reasons=texts).sentence(reason) == "closed on 5 March 2026."


def test_a_value_that_is_not_there_is_a_dash() -> None:
    assert said({"": "closed on {closes}."}) == "closed on –."


def test_two_braces_are_one() -> None:
    assert said({"": "{{x} is {x}"}, x=1) == "{x} is 1"


def test_an_insertion_may_hold_braces_of_its_own() -> None:
    reason = Reason(code="r", values={'pair{a: "}", b: 1}.b': 7})
    texts = {"r": ReasonText(code="r", text={"": 'it is {pair{a: "}", b: 1}.b}, then'}, inserts=())}
    assert Speech(reasons=texts).sentence(reason) == "it is 7, then"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh", "已关闭"), ("zh-CN", "已关闭"), ("en", "closed"), ("fr", "closed"), ("fr-CA", "closed")],
)
def test_a_sentence_is_said_in_the_nearest_language(language: str, sentence: str) -> None:
    assert said({"en": "closed", "zh": "已关闭"}, language) == sentence


def test_text_without_a_language_is_everybodys() -> None:
    assert chosen({"": "closed", "en": "shut"}, "fr") == "closed"


def test_a_language_nobody_asked_for_is_better_than_none() -> None:
    assert chosen({"id": "ditutup"}, "zh") == "ditutup"


def test_a_reason_without_a_sentence_is_its_code() -> None:
    assert EN.sentence(Reason(code="approved_by_hand")) == "approved_by_hand"


def test_a_policy_may_say_a_built_in_reason_its_own_way() -> None:
    texts = {"closed": ReasonText(code="closed", text={"": "It is over."}, inserts=())}
    assert Speech(reasons=texts).sentence(Reason(code="closed")) == "It is over."


def test_a_built_in_reason_says_as_much_as_is_known() -> None:
    assert (
        EN.sentence(Reason(code="missing_facts", values={"missing": ("a", "b")})) == "Not yet known: a and b."
    )
    refused = {"event": "reopen", "state": "answered", "accepted": ("close",)}
    assert EN.sentence(Reason(code="not_accepted", values=refused)) == (
        "reopen is not accepted in answered; close would be."
    )
    nothing = {**refused, "accepted": ()}
    assert EN.sentence(Reason(code="not_accepted", values=nothing)) == "reopen is not accepted in answered."
    assert EN.sentence(Reason(code="missing_facts")) == "Facts that decide it are not yet known."


def test_every_language_has_a_last_sentence_for_every_built_in_reason_that_needs_no_value() -> None:
    for language, reasons in REASONS.items():
        assert reasons.keys() == REASONS["en"].keys(), language
        for code, templates in reasons.items():
            assert not any(inserted for inserted, _ in pieces(templates[-1])), (language, code)


def test_every_language_has_every_label_with_the_same_insertions() -> None:
    def insertions(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for language, labels in LABELS.items():
        assert labels.keys() == LABELS["en"].keys(), language
        for key, text in labels.items():
            assert insertions(text) == insertions(LABELS["en"][key]), (language, key)


def test_an_unknown_language_has_english_labels() -> None:
    assert label("why", "tlh") == "why"


def test_padding_counts_columns() -> None:
    assert padded("退款", 6) == "退款  "
    assert width(padded("退", 6)) == width(padded("a", 6)) == 6


@given(st.text(), st.dictionaries(st.text(min_size=1), st.integers()))
def test_no_sentence_is_too_odd_to_be_said(template: str, values: dict[str, int]) -> None:
    assert isinstance(EN.filled(template, values), str)


@given(st.text(st.characters(exclude_characters="{")))
def test_a_sentence_without_insertions_is_said_as_written(template: str) -> None:
    assert EN.filled(template, {}) == template
