"""An overlay that changes a param changes the tables that name it, and they are looked at again."""

from __future__ import annotations

from pathlib import Path

from amends.engine.library import Library

BASE = """
amends: 1
policy: loans
version: 1
currency: EUR
facts: {price: money}
params: {small: {is: 20 EUR}, large: {is: 100 EUR}, usual: {is: 3 days}}
tables:
  answer_time:
    hit: unique
    inputs: [price]
    outputs: period
    rules:
      - {id: cheap, when: "<= small", then: 1 day}
      - {id: usual, when: "(small..100 EUR]", then: =usual}
      - {id: dear, when: "> large", then: 9 days}
states:
  open: {initial: true, sla: {answer: {due: =answer_time, breach: {to: closed}}}}
  closed: {final: true}
"""


def findings(folder: Path, params: str) -> list[str]:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    overlay = f"amends: 1\npolicy: loans.far\nversion: 1\nextends: {{policy: loans, version: 1}}\nparams: {params}\n"
    (folder / "over.yaml").write_text(overlay, encoding="utf-8")
    return [f"{item.code} {item.message}" for item in Library.load(folder).diagnostics]


def test_a_limit_that_stays_in_order_is_fine(tmp_path: Path) -> None:
    assert findings(tmp_path, "{small: {is: 50 EUR}}") == []


def test_a_limit_that_leaves_a_gap_is_found_in_the_overlay(tmp_path: Path) -> None:
    assert findings(tmp_path, "{large: {is: 200 EUR}}") == [
        "AM404 no rule of `answer_time` holds for price = 200.00 EUR"
    ]


def test_a_limit_that_makes_rules_overlap_is_found_in_the_overlay(tmp_path: Path) -> None:
    assert findings(tmp_path, "{large: {is: 80 EUR}}") == [
        "AM402 `usual` and `dear` both hold for price = 100.00 EUR"
    ]


def test_a_limit_above_the_other_end_of_its_range_is_found_in_the_overlay(tmp_path: Path) -> None:
    assert findings(tmp_path, "{small: {is: 150 EUR}}") == [
        "AM403 the range `(small..100 EUR]` holds nothing"
    ]


def test_an_output_that_leaves_the_order_of_its_tiers_is_found_in_the_overlay(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "{usual: {is: 30 days}}")
    assert found.startswith(
        "AM405 with `usual` the output goes up and down again: 1 day for price = 20.00 EUR, then 30"
    )
