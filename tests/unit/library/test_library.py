"""Libraries: which files hold policies, what they extend, which one serves a case and which version is in force."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.engine.errors import UnknownPolicy
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICIES = Path(__file__).parents[3] / "policies"
BODY = """
roles: [user]
events: {go: {by: user}}
states: {a: {initial: true, on: {go: b}}, b: {final: true}}
"""
SCENARIO = """
cases:
  - id: P-1
    name: it goes
    policy: p
    given: {}
    events: [{at: "2026-03-02T12:00:00Z", actor: user, type: go}]
    expect: [{at: "2026-03-02T12:00:00Z", state: b}]
"""
Load = Callable[..., Library]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a loader of a folder that holds some files, by name; those under `beside/` are in no asked folder."""

    def of(files: Mapping[str, str], *asked: str) -> Library:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Library.load(*(tmp_path / name for name in asked or (".",)))

    return of


def policy(name: str = "p", version: str = "v1", more: str = "", body: str = BODY) -> str:
    return f"amends: 1\npolicy: {name}\nversion: {version}\n{more}{body}"


def overlay(over: str, name: str = "o", version: str = "v1", more: str = "") -> str:
    base, _, wanted = over.partition("@")
    return f"amends: 1\npolicy: {name}\nversion: {version}\nextends: {{policy: {base}, version: {wanted or 'v1'}}}\n{more}"


def errors(library: Library) -> list[tuple[str, str]]:
    return [(item.code, item.message) for item in library.diagnostics if item.severity == "error"]


# --- files --------------------------------------------------------------------------------------------------------------


def test_every_yaml_file_below_a_folder_counts_in_the_order_of_names(load: Load) -> None:
    library = load({"b.yaml": policy("b"), "a/z.yml": policy("z"), "a/x.txt": "no", "c.yaml": policy("c")})
    assert errors(library) == []
    assert [path.name for path in library.files] == ["z.yml", "b.yaml", "c.yaml"]
    assert [found.ref.name for found in library.policies] == ["z", "b", "c"]


def test_files_that_hold_cases_are_scenarios_and_only_checked(load: Load) -> None:
    library = load({"a.yaml": policy(), "a.scenarios.yaml": SCENARIO, "bad.yaml": "cases: 5\n"})
    assert [found.ref.name for found in library.policies] == ["p"]
    assert {item.place.file.rpartition("/")[2] for item in library.diagnostics} == {"bad.yaml"}


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    library = Library.load(tmp_path / "nothing.yaml")
    assert [item.code for item in library.diagnostics] == ["AM001"]
    assert library.policies == ()


def test_a_folder_without_policies_is_an_empty_library(tmp_path: Path) -> None:
    library = Library.load(tmp_path)
    assert (library.policies, library.diagnostics, library.files) == ((), (), ())
    with pytest.raises(UnknownPolicy, match="has no policy `p`"):
        library.get("p")


def test_what_is_asked_for_twice_is_read_once(load: Load, tmp_path: Path) -> None:
    load({"a.yaml": policy()})
    inner = tmp_path / "x"
    inner.mkdir()
    library = Library.load(tmp_path, tmp_path / "a.yaml", inner / ".." / "a.yaml")
    assert errors(library) == []
    assert len(library.policies) == 1


def test_one_version_in_two_files_is_a_finding_that_names_both(load: Load) -> None:
    library = load({"a.yaml": policy(), "b.yaml": policy()})
    (found,) = [item for item in library.diagnostics if item.severity == "error"]
    assert (found.code, found.message) == ("AM105", "version `v1` of the policy `p` is declared twice")
    assert found.place.file.endswith("b.yaml")
    assert [place.file.rpartition("/")[2] for _, place in found.related] == ["a.yaml"]


def test_one_broken_policy_does_not_take_the_others_with_it(load: Load) -> None:
    library = load(
        {"a.yaml": policy("a", more="timezone: Nowhere\n"), "b.yaml": policy("b"), "c.yaml": "a: ["}
    )
    assert [found.ref.name for found in library.policies] == ["b"]
    with pytest.raises(UnknownPolicy, match="some policies have errors, see `diagnostics`"):
        library.get("a")


def test_a_mark_of_the_byte_order_and_other_line_ends_are_read(load: Load) -> None:
    library = load({"a.yaml": "\ufeff" + policy().replace("\n", "\r\n")})
    assert errors(library) == []


def test_a_folder_of_a_thousand_small_files_is_read_in_time_that_grows_with_it(
    load: Load, tmp_path: Path
) -> None:
    def spent(count: int, folder: str) -> float:
        files = {f"{folder}/{i}.yaml": f"cases: [{i}]\n" for i in range(count)}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        start = time.process_time()
        assert len(Library.load(tmp_path / folder).files) == count
        return time.process_time() - start

    load({"warm.yaml": policy()})
    # The least of three: what else the process does meanwhile, such as looking for garbage, is nothing that grows.
    many, few = (min(spent(n, f"{n}_{i}") for i in range(3)) for n in (1000, 100))
    assert many < 12 * max(few, 0.01)


# --- extends ------------------------------------------------------------------------------------------------------------


def test_an_overlay_is_laid_over_what_it_extends(load: Load) -> None:
    base = policy(more="title: Base\ntimezone: Asia/Tokyo\nparams: {n: 1, m: 2}\nserves: 1 == 1\n")
    library = load({"a.yaml": base, "o.yaml": overlay("p", more="params: {n: 5, m: null, k: 7}\n")})
    assert errors(library) == []
    found = library.get("o")
    assert dict(found.params) == {"n": 5, "k": 7}
    assert found.timezone == library.get("p").timezone
    assert (found.title, found.serves) == ({}, None)
    assert list(found.legs[0].states) == ["a", "b"]


def test_a_chain_of_overlays_is_laid_from_the_bottom(load: Load) -> None:
    library = load(
        {
            "z.yaml": policy(more="params: {a: 1, b: 1, c: 1}\n"),
            "m.yaml": overlay("p", name="middle", more="params: {b: 2, c: 2}\n"),
            "a.yaml": overlay("middle", name="top", more="params: {c: 3}\n"),
        }
    )
    assert errors(library) == []
    assert dict(library.get("top").params) == {"a": 1, "b": 2, "c": 3}
    bundle = library.bundles[library.get("top").ref.bundle]
    assert [text.split("\n")[1] for text in bundle.texts] == ["policy: p", "policy: middle", "policy: top"]


def test_what_is_extended_is_looked_for_beside_the_overlay_and_is_not_served(load: Load) -> None:
    files = {
        "shared/base.yaml": policy(more="params: {a: 1}\n"),
        "shared/middle.yaml": overlay("p", name="middle"),
        "shared/top.yaml": overlay("middle", name="top"),
    }
    library = load(files, "shared/top.yaml")
    assert errors(library) == []
    assert [found.ref.name for found in library.policies] == ["top"]
    assert [path.name for path in library.files] == ["top.yaml"]
    assert dict(library.policies[0].params) == {"a": 1}


def test_rules_and_routes_are_merged_by_id_and_null_removes(load: Load) -> None:
    more = """
currency: USD
facts: {n: {type: int, default: 0}}
tables:
  t:
    outputs: int
    rules: [{id: small, when: n < 5, then: 1}, {id: middle, when: n < 10, then: 2}]
    otherwise: 3
payouts: {pay: {amount: 'money("5")', routes: [{id: card, when: n > 0, via: card}, {id: cash, via: cash}]}}
"""
    over = """
tables: {t: {rules: {middle: null, small: {then: 7}}}}
payouts: {pay: {routes: {card: {via: other}, cash: null}}}
"""
    more = more.replace("'money(\"5\")'", 'money("5 USD")')
    library = load({"a.yaml": policy(more=more), "o.yaml": overlay("p", more=over)})
    assert errors(library) == []
    table = library.get("o").tables["t"]
    assert [rule.id for rule in table.rules] == ["small"]
    routes = library.get("o").payouts["pay"].routes
    assert [(route.id, route.via and route.via.value) for route in routes] == [("card", "other")]  # type: ignore[union-attr] # constants


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yaml": overlay("nobody")}, "there is no policy `nobody` to extend, here or beside this file"),
        (
            {"a.yaml": policy(), "o.yaml": overlay("p@v2")},
            "the policy `p` has no version `v2` to extend",
        ),
        ({"a.yaml": overlay("o")}, "`o` extends itself"),
        ({"a.yaml": overlay("b", name="a"), "b.yaml": overlay("a", name="b")}, "`b` extends itself"),
        (
            {
                "a.yaml": overlay("b", name="a"),
                "b.yaml": overlay("c", name="b"),
                "c.yaml": overlay("a", name="c"),
            },
            "`a` extends itself",
        ),
    ],
)
def test_what_cannot_be_extended_is_a_finding(load: Load, files: dict[str, str], message: str) -> None:
    library = load(files)
    found = errors(library)
    assert ("AM107", message) in found
    assert {code for code, _ in found} == {"AM107"}
    assert all(policy.ref.name == "p" for policy in library.policies)


# --- which one ----------------------------------------------------------------------------------------------------------


def test_a_policy_is_found_by_name_and_version(load: Load) -> None:
    library = load(
        {
            "1.yaml": policy(version="v1", more="in_force: {until: 2026-02-01T00:00:00Z}\n"),
            "2.yaml": policy(version="v2", more="in_force: {from: 2026-02-01T00:00:00Z}\n"),
            "q.yaml": policy("q"),
        }
    )
    assert errors(library) == []
    assert library.get("p", "v2").ref.version == "v2"
    assert library.get("q").ref.name == "q"
    for arguments, message in [
        (("p",), r"`p` has several versions \(v1, v2\); say which"),
        (("p", "v3"), "has no policy version v3 of `p`"),
        (("qq",), "did you mean `q`"),
    ]:
        with pytest.raises(UnknownPolicy, match=message):
            library.get(*arguments)


def versions(chooser: str = "") -> dict[str, str]:
    """Return two versions of which the second follows the first at the start of March in New York."""
    decided = ", decided_by: sent_at" if chooser else ""
    more = f"{chooser}in_force: {{%s{decided}}}\n"
    return {
        "1.yaml": policy(
            version="v1", more=more % "from: 2026-02-01T00:00:00Z, until: 2026-03-01T00:00:00-05:00"
        ),
        "2.yaml": policy(version="v2", more=more % "from: 2026-03-01T00:00:00-05:00"),
    }


@pytest.mark.parametrize(
    ("at", "version"),
    [
        ("2026-02-01T00:00:00+00:00", "v1"),
        ("2026-03-01T04:59:59+00:00", "v1"),
        ("2026-03-01T05:00:00+00:00", "v2"),
        ("2026-03-01T00:00:00-05:00", "v2"),
        ("2026-03-01T11:59:59+07:00", "v1"),
        ("2030-01-01T00:00:00+00:00", "v2"),
    ],
)
def test_from_is_inclusive_and_until_exclusive_whatever_the_zone(load: Load, at: str, version: str) -> None:
    library = load(versions())
    assert errors(library) == []
    assert library.choose({}, datetime.fromisoformat(at), "p").ref.version == version
    by_fact = load(versions("facts: {sent_at: optional timestamp}\n"))
    assert by_fact.choose({"sent_at": at}, NOON, "p").ref.version == version


def test_the_opening_decides_where_the_fact_that_chooses_is_missing(load: Load) -> None:
    library = load(versions("facts: {sent_at: optional timestamp}\n"))
    assert library.choose({}, NOON, "p").ref.version == "v2"
    assert library.choose({"sent_at": "2026-02-10T00:00:00Z"}, NOON, "p").ref.version == "v1"


def test_before_the_first_version_no_case_is_taken(load: Load) -> None:
    library = load(versions())
    with pytest.raises(UnknownPolicy, match="no version of `p` takes a case with these facts at 2025-01-01"):
        library.choose({}, datetime(2025, 1, 1, tzinfo=UTC), "p")


def test_two_versions_in_force_at_once_are_a_finding(load: Load) -> None:
    found = errors(load({"1.yaml": policy(version="v1"), "2.yaml": policy(version="v2")}))
    assert [code for code, _ in found] == ["AM110"]


def served(name: str, serves: str, facts: str = "region: text") -> str:
    return policy(name, more=f"facts: {{{facts}}}\nserves: {serves}\n")


def test_serves_chooses_the_policy_of_a_case(load: Load) -> None:
    library = load(
        {
            "us.yaml": served("us", 'region == "US"'),
            "th.yaml": served("th", 'region == "TH"'),
            "old.yaml": served("old", "amount > 5", facts="amount: {type: int, default: 0}"),
        }
    )
    assert errors(library) == []
    assert library.choose({"region": "TH"}, NOON).ref.name == "th"
    assert library.choose({"amount": 7}, NOON).ref.name == "old"
    with pytest.raises(UnknownPolicy, match=r"no policy takes a case .*; the library has old, th, us"):
        library.choose({"region": "ID"}, NOON)
    with pytest.raises(UnknownPolicy, match="more than one policy takes this case: old v1, us v1"):
        library.choose({"region": "US", "amount": 7}, NOON)


def test_a_policy_that_says_nothing_takes_every_case_it_can_read(load: Load) -> None:
    library = load(
        {"a.yaml": policy("a", more="facts: {n: int}\n"), "b.yaml": policy("b", more="facts: {m: text}\n")}
    )
    assert library.choose({"n": 1}, NOON).ref.name == "a"
    assert library.choose({"m": "x"}, NOON).ref.name == "b"
    for facts in ({}, {"n": "x"}, {"k": 1}):
        with pytest.raises(UnknownPolicy, match="no policy takes"):
            library.choose(facts, NOON)


def test_where_no_policy_takes_a_case_it_is_told_which_facts_they_cannot_read(load: Load) -> None:
    library = load(
        {"a.yaml": policy("a", more="facts: {n: int}\n"), "b.yaml": served("b", "m > 5", "m: int")}
    )
    told = r"; the library has a \(the policy `a` has no fact `nn`: did you mean `n`\?\), b$"
    with pytest.raises(UnknownPolicy, match=told):
        library.choose({"nn": 1}, NOON)
    many = load({f"{name}.yaml": policy(name, more="facts: {n: int}\n") for name in "abcd"})
    with pytest.raises(UnknownPolicy, match=r"; the library has a, b, c, d$"):
        many.choose({"nn": 1}, NOON)


def test_serves_that_is_unknown_or_fails_takes_no_case(load: Load) -> None:
    library = load(
        {
            "a.yaml": served("a", "n > 5", facts="n: optional int"),
            "b.yaml": served("b", "10 / m > 1", facts="m: optional int"),
        }
    )
    for facts in ({}, {"m": 0}, {"n": "x"}):
        with pytest.raises(UnknownPolicy, match="no policy takes"):
            library.choose(facts, NOON)
    assert library.choose({"m": 2}, NOON).ref.name == "b"


def test_by_name_serves_is_not_asked(load: Load) -> None:
    library = load({"us.yaml": served("us", 'region == "US"')})
    assert library.choose({"region": "TH"}, NOON, "us").ref.name == "us"
    with pytest.raises(UnknownPolicy, match="has no policy `uk`"):
        library.choose({"region": "TH"}, NOON, "uk")


def test_an_empty_library_says_that_it_is_empty() -> None:
    with pytest.raises(UnknownPolicy, match="the library has none"):
        Library().choose({}, NOON)


def test_policies_are_told_apart_by_their_digests(load: Load) -> None:
    library = load({"a.yaml": policy("a"), "b.yaml": policy("b")})
    digests: set[Any] = {found.ref.bundle for found in library.policies}
    assert digests == set(library.bundles)
    assert len(digests) == 2


def test_whoever_looks_for_mistakes_loads_nothing_that_moves_a_case() -> None:
    """Starting takes longer than checking, and is what an author waits for."""
    program = (
        "import sys\n"
        "from amends.engine.publishing.loading import Loaded, load_policies\n"
        f"found = load_policies([{str(POLICIES)!r}], Loaded, dates=False)\n"
        "heavy = ['transitions', 'hashlib', 'holidays', 'jsonschema', 'sqlalchemy', 'amends.engine.step']\n"
        "print(len(found.policies) > 3, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"
