"""Floors: what a policy may do with a param that it inherits. The law, a marketplace upon it, and a seller upon that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amends.engine.library import Library
from amends.engine.period import Period

Load = Callable[..., Library]

LAW = """\
amends: 1
policy: law
version: v1
currency: EUR
params:
  p: %s
states: {a: {initial: true, final: true}}
"""
OVER = """\
amends: 1
policy: %s
version: v1
extends: {policy: %s, version: v1}
params:
  p: %s
"""


@pytest.fixture
def layers(tmp_path: Path) -> Load:
    """Return a loader of a policy named `law` with a param `p`, and of one laid over another for each further `p`."""

    def of(*params: str, asked: str = ".") -> Library:
        names = ["law", "market", "seller"]
        (tmp_path / "law.yaml").write_text(LAW % params[0], encoding="utf-8")
        for name, base, param in zip(names[1:], names, params[1:], strict=False):
            (tmp_path / f"{name}.yaml").write_text(OVER % (name, base, param), encoding="utf-8")
        return Library.load(tmp_path / asked)

    return of


def told(library: Library) -> list[tuple[str, int, int, str]]:
    return [
        (Path(item.place.file).stem, item.place.line, item.place.column, item.message)
        for item in library.diagnostics
        if item.code != "AM501"
    ]


@pytest.mark.parametrize(
    "params",
    [
        ("{is: 14 days, at_least: 14 days}", "30 days", "45 days"),
        ("{is: 14 days, at_least: 14 days}", "{is: 30 days, at_least: 30 days}", "30 days"),
        ("{is: 14 days, at_least: 14 days}", "{at_least: 14 days}", "14 days"),
        ("{is: 14 days, at_least: 14 days}", "2 weeks", "{is: 3 weeks}"),
        ("{is: 2, at_least: 1, at_most: 3}", "{at_most: 2}", "1"),
        ("{is: 0.5, at_least: 0.25}", "0.75", "{is: 1.0, at_most: 1.0}"),
        ("{is: 20 EUR, at_least: 20.00}", "{is: 25}", "30 EUR"),
        ("{is: 2026-12-01, at_least: 2026-11-01}", "2026-11-01", "2027-01-01"),
    ],
)
def test_better_and_as_good_is_fine(layers: Load, params: tuple[str, ...]) -> None:
    assert told(layers(*params)) == []


@pytest.mark.parametrize(
    ("params", "found"),
    [
        (
            ("{is: 13 days, at_least: 14 days}",),
            [("law", 6, 11, "`p` is 13 days, and may not be less than 14 days")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "13 days"),
            [("market", 6, 6, "`p` is 13 days, and may not be less than 14 days")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "30 days", "{is: 1 week}"),
            [("seller", 6, 11, "`p` is 1 week, and may not be less than 14 days")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "{is: 30 days, at_least: 30 days}", "20 days"),
            [("seller", 6, 6, "`p` is 20 days, and may not be less than 30 days")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "{at_least: 20 days}"),
            [("market", 6, 17, "`p` is 14 days, and may not be less than 20 days")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "{at_least: 10 days}"),
            [("market", 6, 17, "`at_least: 10 days` of `p` is looser than the 14 days that it inherits")],
        ),
        (
            ("{is: 2, at_most: 3}", "{at_most: 4}", "4"),
            [("market", 6, 16, "`at_most: 4` of `p` is looser than the 3 that it inherits")],
        ),
        (
            ("{is: 20 EUR, at_most: 20 EUR}", "20.01"),
            [("market", 6, 6, "`p` is 20.01, and may not be more than 20 EUR")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "14 business days"),
            [("market", 6, 6, "`p` is 14 business days, which cannot be compared with `at_least: 14 days`")],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "{is: 30 days, at_least: null}"),
            [
                (
                    "market",
                    6,
                    6,
                    "`at_least` of `p` is removed, and holds for every policy that is laid over it",
                )
            ],
        ),
        (
            ("{is: 14 days, at_least: 14 days}", "null"),
            [("market", 6, 3, "`p` is removed, and has bounds for every policy that is laid over it")],
        ),
        (
            ("{is: some words, at_least: a}",),
            [("law", 6, 33, "a value of type text has no order, so `p` has no bounds")],
        ),
        (
            ("{is: 3, at_least: 4, at_most: 2}",),
            [
                ("law", 6, 11, "`p` is 3, and may not be less than 4"),
                ("law", 6, 11, "`p` is 3, and may not be more than 2"),
            ],
        ),
    ],
)
def test_worse_is_an_error_where_it_is_written(
    layers: Load, params: tuple[str, ...], found: list[tuple[str, int, int, str]]
) -> None:
    library = layers(*params)
    assert told(library) == found
    assert {item.code for item in library.diagnostics} <= {"AM112", "AM501"}


def test_the_floor_is_shown_beside_what_breaks_it(layers: Load) -> None:
    library = layers("{is: 14 days, at_least: 14 days}", "30 days", "7 days")
    (item,) = [item for item in library.diagnostics if item.code == "AM112"]
    ((note, place),) = item.related
    assert (note, Path(place.file).stem, place.line, place.column) == ("`at_least` stands here", "law", 6, 30)


def test_a_floor_holds_where_only_the_seller_is_asked_for(layers: Load) -> None:
    params = ("{is: 14 days, at_least: 14 days}", "30 days", "7 days")
    assert told(layers(*params, asked="seller.yaml")) == [
        ("seller", 6, 6, "`p` is 7 days, and may not be less than 14 days")
    ]


def test_a_policy_within_its_floors_runs_with_its_own_value(layers: Load) -> None:
    library = layers("{is: 14 days, at_least: 14 days}", "30 days", "45 days")
    assert [library.get(name).params["p"] for name in ("law", "market", "seller")] == [
        Period(14, "day"),
        Period(30, "day"),
        Period(45, "day"),
    ]


def test_something_of_another_kind_is_found_where_it_is_written(layers: Load) -> None:
    library = layers("{is: 14 days, at_least: 14 days}", "5")
    ((code, stem),) = {
        (item.code, Path(item.place.file).stem) for item in library.diagnostics if item.code != "AM501"
    }
    assert (code, stem) == ("AM106", "market")
