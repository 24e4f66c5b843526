"""Values as plain JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from amends.engine.calendar import zone
from amends.engine.money import Money
from amends.engine.period import Period
from amends.engine.render.plain import dumped, plain
from amends.engine.values import Sealed, Unknown, Window

NOON = datetime(2026, 7, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**63 - 1, 2**63 - 1),
        ("text", "text"),
        (Fraction(1, 4), "0.25"),
        (Fraction(1, 3), "1/3"),
        (Money(Fraction("12.5"), "USD"), "12.50 USD"),
        (NOON, "2026-07-05T14:00:00+02:00"),
        (date(2026, 7, 5), "2026-07-05"),
        (timedelta(hours=2), "7200s"),
        (Period(2, "business day"), "2 business days"),
        (Unknown(frozenset({"b", "a"})), {"unknown": ["a", "b"]}),
        (Sealed("00ff"), {"sensitive": True}),
        (Window(opens=None, closes=NOON), {"opens": None, "closes": "2026-07-05T14:00:00+02:00"}),
        ((1, ("a",)), [1, ["a"]]),
        ({"a": {"b": NOON}}, {"a": {"b": "2026-07-05T14:00:00+02:00"}}),
    ],
)
def test_a_value_is_plain_json(value: Any, expected: Any) -> None:
    assert plain(value, zone("Europe/Berlin")) == expected


def test_json_is_sorted_and_ascii() -> None:
    assert dumped({"b": "\u9000", "a": 1}) == '{\n  "a": 1,\n  "b": "\\u9000"\n}\n'
