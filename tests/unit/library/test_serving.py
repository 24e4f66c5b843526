"""Two policies that take the same case are found where it can be told, and never where they do not."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.errors import AmbiguousPolicy, UnknownPolicy
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = """
currency: EUR
roles: [guest]
types: {order: {country: text, total: money}}
facts:
  region: [north, south, east]
  price: money
  vip: {type: bool, default: false}
  nights: {type: int, default: 1}
  code: optional text
  booked_at: optional timestamp
  order: {type: order, default: '=order{country: "DE", total: price}'}
params: {limit: 10 EUR}
define: {is_dear: price > limit, far: 'region in ["south", "east"]'}
events: {cancel: {by: guest}}
states: {a: {initial: true, on: {cancel: b}}, b: {final: true}}
"""


def library_of(folder: Path, *heads: str, body: str = BODY) -> Library:
    """Load policies a, b, … with what each says at its top."""
    for name, head in zip("abc", heads, strict=False):
        text = f"amends: 1\npolicy: {name}\nversion: v1\n{head}\n{body}"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Library.load(folder)


def cases_of(library: Library) -> list[str]:
    """Return the cases that are told."""
    assert [item.message for item in library.diagnostics if item.severity == "error"] == []
    told = [item.message for item in library.diagnostics if item.code == "AM116"]
    return [message.partition("both take a case with ")[2].rpartition(", so")[0] for message in told]


@pytest.mark.parametrize(
    ("first", "second", "case"),
    [
        ('region == "north"', 'region == "south"', None),
        ('region == "north"', 'region != "south"', "region = north"),
        ('region == "north"', '!(region == "north")', None),
        ('region in ["north", "south"]', "far", "region = south"),
        ('region == "north"', "far", None),
        ("price < limit", "is_dear", None),
        ("price <= limit", 'price >= money("10 EUR")', "price = 10.00 EUR"),
        ('price < money("10 EUR")', 'price < money("10 USD")', None),
        ("vip", "!vip", None),
        ("vip", "true", "vip = true"),
        ('vip && region == "north"', 'region == "north" || nights > 3', "vip = true, region = north"),
        ('vip || region == "north"', '!vip && region != "north"', None),
        ('vip && region == "north"', 'region == "south" && nights > 3', None),
        ('code == "A1"', 'code != "B2"', "code = A1"),
        ('code == "A1"', 'code == "B2"', None),
        ('order.country == "DE"', 'order.country in ["AT", "DE"]', "order.country = DE"),
        ('order.country == "DE"', 'order.country == "AT"', None),
        ("nights > 2 && nights < 4", "nights == 3", "nights = 3"),
        ("nights > 2 && nights < 3", "nights >= 0", None),
    ],
)
def test_a_case_that_two_policies_take_is_shown(
    first: str, second: str, case: str | None, tmp_path: Path
) -> None:
    library = library_of(tmp_path, f"serves: '{first}'", f"serves: '{second}'")
    assert cases_of(library) == ([] if case is None else [case])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Only some of what they ask can be told.
        ('code.startsWith("A")', 'region == "north"'),
        ("has(code)", 'region == "north"'),
        ("price / 2 > limit", "price > limit"),
        ("price > order.total", "vip"),
    ],
)
def test_what_cannot_be_told_is_not_said(first: str, second: str, tmp_path: Path) -> None:
    assert cases_of(library_of(tmp_path, f"serves: '{first}'", f"serves: '{second}'")) == []


def test_a_way_that_can_be_told_is_said_beside_one_that_cannot(tmp_path: Path) -> None:
    heads = ("serves: 'code.startsWith(\"A\") || vip'", "serves: vip")
    assert cases_of(library_of(tmp_path, *heads)) == ["vip = true"]


def test_facts_that_one_of_them_does_not_declare_make_no_case(tmp_path: Path) -> None:
    assert cases_of(library_of(tmp_path, "serves: vip", 'serves: region == "north"')) != []
    body = BODY.replace("  vip: {type: bool, default: false}\n", "")
    (tmp_path / "b.yaml").write_text(
        f'amends: 1\npolicy: b\nversion: v1\nserves: region == "north"\n{body}', encoding="utf-8"
    )
    assert cases_of(Library.load(tmp_path)) == []


def test_a_region_that_only_one_of_them_knows_is_none_that_both_take(tmp_path: Path) -> None:
    library_of(tmp_path, "serves: 'region != \"south\"'", "serves: 'region != \"south\"'")
    other = (tmp_path / "b.yaml").read_text(encoding="utf-8").replace("[north, south, east]", "[south, west]")
    (tmp_path / "b.yaml").write_text(other.replace('"east"', '"west"'), encoding="utf-8")
    assert cases_of(Library.load(tmp_path)) == []


# --- time ---------------------------------------------------------------------------------------------------------------


def heads_of(*times: str) -> list[str]:
    return [f"serves: vip\nin_force: {{{time}}}" for time in times]


def test_policies_that_are_in_force_one_after_the_other_take_no_case_together(tmp_path: Path) -> None:
    times = ("until: 2026-06-01T00:00:00Z", "from: 2026-06-01T00:00:00Z")
    assert cases_of(library_of(tmp_path, *heads_of(*times))) == []


def test_a_second_at_which_both_are_in_force_is_shown(tmp_path: Path) -> None:
    times = ("until: 2026-06-01T00:00:01Z", "from: 2026-06-01T00:00:00Z")
    assert cases_of(library_of(tmp_path, *heads_of(*times))) == [
        "vip = true, the opening = 2026-06-01T00:00:00Z"
    ]


def test_a_fact_may_decide_and_be_asked_for_at_once(tmp_path: Path) -> None:
    head = "serves: '{}'\nin_force: {{from: 2026-06-01T00:00:00Z, decided_by: booked_at}}"
    early, late = (f'booked_at < timestamp("2026-0{month}-01T00:00:00Z")' for month in (6, 7))
    library = library_of(tmp_path, head.format(early), head.format(late))
    assert cases_of(library) == []
    library = library_of(tmp_path, head.format(late), head.format(late))
    assert cases_of(library) == ["booked_at = 2026-06-01T00:00:00Z"]


# --- between policies ---------------------------------------------------------------------------------------------------


def test_it_is_a_warning_at_the_later_one_that_points_to_the_other(tmp_path: Path) -> None:
    (found,) = [
        i for i in library_of(tmp_path, "serves: vip", "serves: vip").diagnostics if i.code == "AM116"
    ]
    assert (found.severity, Path(found.place.file).name, found.place.line) == ("warning", "b.yaml", 4)
    assert [(note, Path(place.file).name) for note, place in found.related] == [("`a`", "a.yaml")]


def test_versions_of_one_policy_and_overlays_are_told_apart_in_other_ways(tmp_path: Path) -> None:
    library_of(tmp_path, "serves: vip\nin_force: {until: 2026-06-01T00:00:00Z}")
    for name, head in (
        ("later", "policy: a\nversion: v2\nin_force: {from: 2026-06-01T00:00:00Z}\nserves: vip" + BODY),
        ("over", "policy: o\nversion: v1\nextends: {policy: a, version: v2}\nserves: vip"),
    ):
        (tmp_path / f"{name}.yaml").write_text(f"amends: 1\n{head}\n", encoding="utf-8")
    assert cases_of(Library.load(tmp_path)) == []


def test_each_two_policies_are_told_of_once(tmp_path: Path) -> None:
    assert len(cases_of(library_of(tmp_path, "serves: vip", "serves: vip", "serves: vip"))) == 3


def test_a_policy_that_serves_everything_it_can_read_says_nothing(tmp_path: Path) -> None:
    assert cases_of(library_of(tmp_path, "", "serves: vip")) == []


# --- a law --------------------------------------------------------------------------------------------------------------

_LEAVES = st.sampled_from(
    [
        "vip",
        "is_dear",
        "far",
        'region == "north"',
        'region != "east"',
        'region in ["north", "east"]',
        'price < money("20 EUR")',
        "price >= limit",
        "nights == 2",
        "nights > 1",
    ]
)
_SERVES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.builds("!({})".format, inner)
        | st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
    ),
    max_leaves=4,
)
_GRID = [
    {"region": region, "vip": vip, "price": price, "nights": nights}
    for region, vip, price, nights in itertools.product(
        ("north", "south", "east"), (True, False), ("9", "10", "15", "20"), (1, 2, 3)
    )
]


def is_ambiguous(library: Library) -> bool:
    """Try every case there is, as far as the policies tell cases apart."""
    for facts in _GRID:
        try:
            library.choose(facts, NOON)
        except AmbiguousPolicy:
            return True
        except UnknownPolicy:
            continue
    return False


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=_SERVES, second=_SERVES)
def test_two_policies_are_told_of_if_and_only_if_a_case_finds_both(
    first: str, second: str, tmp_path: Path
) -> None:
    library = library_of(tmp_path, f"serves: '{first}'", f"serves: '{second}'")
    assert bool(cases_of(library)) == is_ambiguous(library), (first, second)
