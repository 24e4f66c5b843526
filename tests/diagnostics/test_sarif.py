"""What code scanning reads: SARIF 2.1.0, held against the schema of OASIS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from amends.engine.diagnostics import CATALOGUE, Diagnostic, Diagnostics, Place
from amends.engine.pages import page_texts
from amends.engine.render.sarif import findings_sarif

SCHEMA = Path(__file__).with_name("sarif-schema-2.1.0.json")


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


@pytest.fixture
def found() -> tuple[Diagnostic, ...]:
    found = Diagnostics()
    found.add(
        "AM105",
        Place("desk.yaml", 9, 3, 9, 8),
        "the fact `price` has the name of a param",
        hint="rename one of them",
        related=[("the first one", Place("rates/2026 1.yaml", 4, 3, 4, 8))],
    )
    found.add("AM104", Place("desk.yaml", 5, 15, 5, 24), "there is no state `in_reveiw`")
    found.add("AM501", Place("/srv/other.yaml", 3, 1, 4, 2), "the fact `old` is never used")
    return found.sorted()


def log(found: tuple[Diagnostic, ...]) -> Any:
    return json.loads(findings_sarif(found, page_texts(item.code for item in found)))


def test_a_log_of_every_code_is_valid(validator: Any) -> None:
    found = Diagnostics()
    for code in CATALOGUE:
        found.add(code, Place("a.yaml", 1, 1, 1, 1), f"wrong: {code}", hint="mend it")
    validator.validate(log(found.sorted()))


def test_a_log_with_related_places_is_valid(validator: Any, found: tuple[Diagnostic, ...]) -> None:
    validator.validate(log(found))


def test_a_log_without_findings_is_valid(validator: Any) -> None:
    validator.validate(log(()))


def test_the_schema_bites(validator: Any, found: tuple[Diagnostic, ...]) -> None:
    data = log(found)
    data["runs"][0]["results"][0]["level"] = "grave"
    assert not validator.is_valid(data)


def test_a_result_says_what_where_and_the_remedy(found: tuple[Diagnostic, ...]) -> None:
    (run,) = log(found)["runs"]
    result = next(item for item in run["results"] if item["ruleId"] == "AM105")
    assert result["level"] == "error"
    assert result["message"]["text"] == "the fact `price` has the name of a param; rename one of them"
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "desk.yaml"},
        "region": {"startLine": 9, "startColumn": 3, "endLine": 9, "endColumn": 8},
    }
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "the first one"
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "rates/2026%201.yaml"


def test_a_warning_stays_one(found: tuple[Diagnostic, ...]) -> None:
    (run,) = log(found)["runs"]
    levels = {item["ruleId"]: item["level"] for item in run["results"]}
    assert levels == {"AM104": "error", "AM105": "error", "AM501": "warning"}


def test_every_result_points_at_its_rule_and_the_rule_at_its_page(found: tuple[Diagnostic, ...]) -> None:
    (run,) = log(found)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["AM104", "AM105", "AM501"]
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["name"] == CATALOGUE[rule["id"]].name
        assert rule["shortDescription"]["text"] == CATALOGUE[rule["id"]].about
        assert rule["help"]["markdown"].startswith(f"# {rule['id']} ")


def test_all_findings_are_in_a_log_that_no_person_reads() -> None:
    found = Diagnostics()
    for line in range(1_234):
        found.add("AM104", Place("a.yaml", line + 1, 1, line + 1, 2), "there is no state `a`")
    (run,) = log(found.sorted())["runs"]
    assert len(run["results"]) == 1_234
