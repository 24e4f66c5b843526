"""Versions and overlays: which one a case gets, what is wrong between versions, and rules for a time and a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.engine.diagnostics import Diagnostic
from amends.engine.errors import AmbiguousPolicy, UnknownPolicy
from amends.engine.library import Library
from amends.engine.literal import Misfit
from amends.engine.scenario import read_scenarios, run_file

Load = Callable[[Mapping[str, str]], Library]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = """
roles: [guest]
events: {cancel: {by: guest}}
facts: {region: {type: text, default: home}, booked_at: optional timestamp}
params: {share: 0.5}
states: {a: {initial: true, on: {cancel: b}}, b: {final: true}}
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a loader of a folder that holds some policies, by name."""

    def of(files: Mapping[str, str]) -> Library:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return Library.load(tmp_path)

    return of


def policy(name: str, version: str = "v1", in_force: str = "", more: str = "") -> str:
    return f"amends: 1\npolicy: {name}\nversion: {version}\nin_force: {{{in_force}}}\n{more}{BODY}"


def overlay(over: str, name: str, version: str = "v1", more: str = "") -> str:
    base, _, wanted = over.partition("@")
    return f"amends: 1\npolicy: {name}\nversion: {version}\nextends: {{policy: {base}, version: {wanted}}}\n{more}"


def told(library: Library) -> list[tuple[str, str, str, int]]:
    found = [i for i in library.diagnostics if i.code != "AM501"]
    return [(i.code, i.severity, Path(i.place.file).name, i.place.line) for i in found]


def first_of(library: Library) -> Diagnostic:
    return next(item for item in library.diagnostics if item.code != "AM501")


# --- between versions ---------------------------------------------------------------------------------------------------


def test_a_second_between_two_versions_is_a_warning_at_the_later_one(load: Load) -> None:
    first = policy("p", "v1", "until: 2026-02-28T23:59:59Z")
    library = load({"1": first, "2": policy("p", "v2", "from: 2026-03-01T00:00:00Z")})
    assert told(library) == [("AM111", "warning", "2.yaml", 4)]
    assert [Path(place.file).name for _, place in first_of(library).related] == ["1.yaml"]
    assert library.choose({}, NOON, "p").ref.version == "v2"


def test_versions_that_meet_whatever_their_zones_are_fine(load: Load) -> None:
    first = policy("p", "v1", "until: 2026-07-01T15:00:00+09:00")
    library = load({"1": first, "2": policy("p", "v2", "from: 2026-07-01T06:00:00Z")})
    assert told(library) == []


def test_an_overlap_of_a_second_is_an_error_that_names_both(load: Load) -> None:
    first = policy("p", "v1", "until: 2026-03-01T00:00:01Z")
    library = load({"1": first, "2": policy("p", "v2", "from: 2026-03-01T00:00:00Z")})
    assert told(library) == [("AM110", "error", "2.yaml", 4)]
    assert [Path(place.file).name for _, place in first_of(library).related] == ["1.yaml"]
    with pytest.raises(AmbiguousPolicy, match="more than one version of `p` takes this case: p v1, p v2"):
        library.choose({}, datetime(2026, 3, 1, tzinfo=UTC), "p")


def test_versions_that_different_instants_choose_are_a_warning(load: Load) -> None:
    first = policy("p", "v1", "until: 2026-03-01T00:00:00Z, decided_by: booked_at")
    library = load({"1": first, "2": policy("p", "v2", "from: 2026-03-01T00:00:00Z")})
    assert told(library) == [("AM111", "warning", "2.yaml", 4)]
    assert "is chosen by the opening, and version `v1` by `booked_at`" in first_of(library).message


def test_a_gap_of_an_overlay_is_filled_by_what_it_is_laid_over(load: Load) -> None:
    season = "in_force: {{from: {0}-11-01T00:00:00Z, until: {1}-01-01T00:00:00Z}}\n"
    library = load(
        {
            "base": policy("p"),
            "2025": overlay("p@v1", "holidays", "2025", season.format(2025, 2026)),
            "2026": overlay("p@v1", "holidays", "2026", season.format(2026, 2027)),
        }
    )
    assert told(library) == []
    chosen = [library.choose({}, datetime(2026, month, 15, tzinfo=UTC)).ref for month in (1, 12)]
    assert [(ref.name, ref.version) for ref in chosen] == [("p", "v1"), ("holidays", "2026")]


# --- of several that take a case ----------------------------------------------------------------------------------------


def test_the_overlay_nearest_to_the_case_comes_before_all_that_it_is_laid_over(load: Load) -> None:
    library = load(
        {
            "z": policy("law"),
            "a": overlay("law@v1", "shop", more='serves: region == "TH"\n'),
            "m": overlay("shop@v1", "seller", more='serves: region == "TH" && has(booked_at)\n'),
        }
    )
    assert told(library) == []
    booked = {"booked_at": "2026-03-01T00:00:00Z"}
    chosen = [
        library.choose(facts, NOON).ref.name for facts in ({}, {"region": "TH"}, {"region": "TH", **booked})
    ]
    assert chosen == ["law", "shop", "seller"]
    assert library.get("seller").extends == (("shop", "v1"), ("law", "v1"))


def test_an_overlay_comes_before_a_later_version_of_its_base_too(load: Load) -> None:
    library = load(
        {
            "1": policy("p", "v1", "until: 2026-03-01T00:00:00Z"),
            "2": policy("p", "v2", "from: 2026-03-01T00:00:00Z"),
            "o": overlay("p@v1", "north"),
        }
    )
    assert library.choose({}, NOON).ref.name == "north"


def test_two_that_are_not_laid_over_one_another_are_told_as_such(load: Load) -> None:
    library = load(
        {"p": policy("p"), "a": overlay("p@v1", "autumn"), "s": overlay("p@v1", "strikes"), "q": policy("q")}
    )
    with pytest.raises(
        AmbiguousPolicy, match="more than one policy takes this case: autumn v1, q v1, strikes v1"
    ):
        library.choose({}, NOON)


def test_a_policy_that_is_named_is_taken_whatever_is_laid_over_it(load: Load) -> None:
    library = load({"p": policy("p"), "o": overlay("p@v1", "north")})
    assert library.choose({}, NOON, "p").ref.name == "p"


def test_a_fact_that_decides_and_is_no_instant_is_told_where_the_policy_is_named(load: Load) -> None:
    library = load({"p": policy("p", in_force="decided_by: booked_at")})
    with pytest.raises(Misfit) as caught:
        library.choose({"booked_at": "yesterday"}, NOON, "p")
    assert caught.value.path == ("booked_at",)
    with pytest.raises(UnknownPolicy, match="no policy takes a case"):
        library.choose({"booked_at": "yesterday"}, NOON)


# --- for a time and a region --------------------------------------------------------------------------------------------

STAY = """
amends: 1
policy: stay
version: 2026-01-01
currency: EUR
roles: [guest]
facts: {price: money, region: text, checks_in_at: timestamp}
params: {kept: 0.5}
events: {cancel: {by: guest}}
payouts: {back: {amount: price * (1.0 - kept), routes: [{via: card}]}}
states:
  booked: {initial: true, on: {cancel: {to: cancelled, decision: cancelled}}}
  cancelled: {final: true, enter: [{pay: back}]}
"""
STORM = """
amends: 1
policy: stay.storm
version: 2026-09-10
extends: {policy: stay, version: 2026-01-01}
serves: region in ["PT-20", "PT-30"]
in_force: {from: 2026-09-10T00:00:00-01:00, until: 2026-09-17T00:00:00-01:00, decided_by: checks_in_at}
params: {kept: 0.0}
states: {booked: {on: {cancel: {decision: force_majeure}}}}
"""


def storm_case(number: int, region: str, checks_in_at: str, decision: str, amount: str) -> str:
    return f"""
  - id: S-{number}
    name: {region} {checks_in_at}
    given: {{price: "100.00", region: {region}, checks_in_at: "{checks_in_at}"}}
    events: [{{at: "2026-09-01T10:00:00Z", actor: guest, type: cancel}}]
    expect: [{{at: "2026-09-01T10:00:00Z", state: cancelled, decision: {decision}, amount: "{amount}"}}]
"""


def test_rules_for_a_time_and_a_region_are_an_overlay(load: Load, tmp_path: Path) -> None:
    cases = [
        storm_case(1, "PT-20", "2026-09-10T00:59:59Z", "cancelled", "50.00"),
        storm_case(2, "PT-20", "2026-09-10T01:00:00Z", "force_majeure", "100.00"),
        storm_case(3, "PT-20", "2026-09-17T00:59:59Z", "force_majeure", "100.00"),
        storm_case(4, "PT-20", "2026-09-17T01:00:00Z", "cancelled", "50.00"),
        storm_case(5, "ES", "2026-09-12T12:00:00Z", "cancelled", "50.00"),
    ]
    library = load({"stay": STAY, "storm": STORM, "stay.scenarios": "cases:\n" + "".join(cases)})
    assert told(library) == []
    file, found = read_scenarios(tmp_path / "stay.scenarios.yaml")
    assert file is not None, found
    results = list(run_file(file, library))
    assert [(result.id, result.status, result.error) for result in results] == [
        (f"S-{number}", "passed", None) for number in range(1, 6)
    ]
    assert [result.policy and result.policy.ref.name for result in results] == [
        "stay",
        "stay.storm",
        "stay.storm",
        "stay",
        "stay",
    ]
