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


# --- what is computed from a param with bounds --------------------------------------------------------------------------

COMPUTED = """\
amends: 1
policy: law
version: v1
currency: EUR
params:
  grace: {is: 14 days, at_least: 14 days}
  least: {is: 20 EUR, at_least: 20 EUR}
roles: [buyer]
facts: {delivered_at: timestamp, asked: {type: money, default: 0}}
define: {owed: "max(asked, least)", tried: asked > least}
moments: {back_by: grace after delivered_at}
windows: {returns: {opens: delivered_at, closes: back_by}}
tables:
  share:
    inputs: [asked]
    outputs: decimal
    rules:
      - {id: small, when: ["<= least"], then: 1.0}
      - {id: large, when: ["> least"], then: 0.5}
payouts: {credit: {amount: owed, routes: [{when: share > 0.5, via: card}, {via: bank}]}}
events: {ask: {by: buyer}}
states:
  open: {initial: true, on: {ask: {when: returns.is_open && tried, to: closed}}, sla: {limit: {due: grace, breach: {to: closed}}}}
  closed: {final: true, enter: [{pay: credit}]}
"""
SHOP = "amends: 1\npolicy: shop\nversion: v1\nextends: {policy: law, version: v1}\n"


@pytest.fixture
def over(tmp_path: Path) -> Callable[[str], list[tuple[str, int, str]]]:
    """Return what is found where a shop says something over the law: a code, the line there, the name of the param."""

    def of(text: str) -> list[tuple[str, int, str]]:
        (tmp_path / "law.yaml").write_text(COMPUTED, encoding="utf-8")
        (tmp_path / "shop.yaml").write_text(SHOP + text, encoding="utf-8")
        found = [i for i in Library.load(tmp_path).diagnostics if i.code != "AM501"]
        return [(i.code, i.place.line, i.message.split("`")[1]) for i in found]

    return of


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("windows: {returns: {closes: 3 days after delivered_at}}\n", "grace"),
        ("moments: {back_by: 3 days after delivered_at}\n", "grace"),
        ("states: {open: {sla: {limit: {due: 3 days}}}}\n", "grace"),
        ("states: {open: {on: {ask: {when: tried}}}}\n", "grace"),
        ('define: {owed: money("1 EUR")}\n', "least"),
        ("payouts: {credit: {amount: asked}}\n", "least"),
        ('tables: {share: {rules: {small: {when: ["<= 1 EUR"]}, large: {when: ["> 1 EUR"]}}}}\n', "least"),
    ],
)
def test_a_number_in_the_place_of_a_bounded_one_is_found(
    over: Callable[[str], list[tuple[str, int, str]]], text: str, param: str
) -> None:
    assert {*over(text)} == {("AM112", 5, param)}


@pytest.mark.parametrize(
    "text",
    [
        "params: {grace: 30 days, least: 25 EUR}\n",
        "windows: {returns: {closes: {later_of: [back_by, 60 days after delivered_at]}}}\n",
        "moments: {mine: 7 days after back_by}\nwindows: {returns: {closes: mine}}\n",
        "windows: {returns: {closes: grace after delivered_at}}\n",
        "windows: {returns: {source: null, opens: 1 day after delivered_at}}\n",
        "states: {open: {on: {ask: {to: open}}}}\n",
        'payouts: {credit: {amount: owed + money("5 EUR")}}\n',
    ],
)
def test_what_goes_on_being_computed_from_it_or_never_was_is_fine(
    over: Callable[[str], list[tuple[str, int, str]]], text: str
) -> None:
    assert [item for item in over(text) if item[0] == "AM112"] == []


def test_bounds_of_the_lowest_policy_hold_over_two_others(tmp_path: Path) -> None:
    (tmp_path / "law.yaml").write_text(COMPUTED, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SHOP + "params: {grace: 30 days}\n", encoding="utf-8")
    seller = SHOP.replace("shop", "seller").replace("policy: law,", "policy: shop,")
    (tmp_path / "seller.yaml").write_text(
        seller + "moments: {back_by: 3 days after delivered_at}\n", encoding="utf-8"
    )
    (item,) = [item for item in Library.load(tmp_path).diagnostics if item.code == "AM112"]
    assert (Path(item.place.file).stem, [note for note, _ in item.related]) == (
        "seller",
        ["it did here", "the bounds stand here"],
    )
