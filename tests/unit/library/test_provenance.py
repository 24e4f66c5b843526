"""Provenance: every value of a policy is told with its file and line, and with what it stands in the place of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amends.cli import main
from amends.engine.library import Library
from amends.engine.publishing.provenance import Origin, origins

LAW = """\
amends: 1
policy: law
version: v1
facts: {n: {type: int, default: 0}}
params:
  days: {is: 14 days, at_least: 14 days}
  fee: 5
tables:
  t: {outputs: int, rules: [{id: low, when: n < fee, then: 1}, {id: high, when: n >= fee, then: 2}]}
define: {x: t}
states: {a: {initial: true, final: true, says: a}}
"""
MARKET = """\
amends: 1
policy: market
version: v1
extends: {policy: law, version: v1}
params: {days: 30 days}
"""
SELLER = """\
amends: 1
policy: seller
version: v1
extends: {policy: market, version: v1}
params: {days: {is: 45 days}}
tables: {t: {rules: {low: {then: 7}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"law": LAW, "market": MARKET, "seller": SELLER}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def of(folder: Path, name: str) -> dict[str, Origin]:
    library = Library.check(folder)
    found = next(document for ref, document in library.documents.items() if ref.name == name)
    return {origin.path: origin for origin in origins(found.node, found.under)}


def where(origin: Origin) -> list[tuple[str, str, int]]:
    every = [(origin.text, origin.place), *origin.over]
    return [(text, Path(place.file).stem, place.line) for text, place in every]


def test_a_value_is_told_with_all_that_it_stands_in_the_place_of(folder: Path) -> None:
    seller = of(folder, "seller")
    assert where(seller["params.days.is"]) == [
        ("45 days", "seller", 5),
        ("30 days", "market", 5),
        ("14 days", "law", 6),
    ]
    assert where(seller["tables.t.rules[low].then"]) == [("7", "seller", 6), ("1", "law", 9)]


def test_what_is_taken_over_is_told_with_the_place_below(folder: Path) -> None:
    seller = of(folder, "seller")
    assert where(seller["params.fee"]) == [("5", "law", 7)]
    assert where(seller["tables.t.rules[high].then"]) == [("2", "law", 9)]


def test_what_is_a_policys_own_stands_in_the_place_of_nothing(folder: Path) -> None:
    assert where(of(folder, "seller")["policy"]) == [("seller", "seller", 2)]


def test_every_value_is_told_once_and_in_the_order_of_the_policy(folder: Path) -> None:
    paths = list(of(folder, "law"))
    assert paths[:5] == ["amends", "policy", "version", "facts.n.type", "facts.n.default"]
    assert paths[-2:] == ["states.a.final", "states.a.says"]
    assert len(paths) == len(set(paths))


def amends(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_prints_a_line_for_every_value_before_the_findings(folder: Path) -> None:
    result = amends("check", folder / "seller.yaml", "--provenance")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "seller v1"
    seller, law = folder / "seller.yaml", folder / "law.yaml"
    assert f"  params.fee: 5  {law}:7" in lines
    over = f"over 30 days ({folder / 'market.yaml'}:5), over 14 days ({law}:6)"
    assert f"  params.days.is: 45 days  {seller}:5, {over}" in lines
    assert lines[-1] == "1 warning"


def test_as_json_the_values_stand_beside_the_findings(folder: Path) -> None:
    data = json.loads(amends("check", folder / "seller.yaml", "--provenance", "--format", "json").stdout)
    ((policy, version, values),) = [
        (item["policy"], item["version"], item["values"]) for item in data["provenance"]
    ]
    assert (policy, version, data["errors"]) == ("seller", "v1", 0)
    (days,) = [value for value in values if value["path"] == "params.days.is"]
    assert (days["value"], days["place"]["line"], days["over"][0]["value"]) == ("45 days", 5, "30 days")
    assert "provenance" not in json.loads(amends("check", folder, "--format", "json").stdout)


@pytest.mark.parametrize("form", ["sarif", "github"])
def test_as_findings_for_other_programs_it_cannot_be_printed(folder: Path, form: str) -> None:
    assert amends("check", folder, "--provenance", "--format", form).exit_code == 2
