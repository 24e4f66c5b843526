"""`amends check` as its readers call it: in every form, and for the page of a code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amends import cli
from amends.engine.pages import page_text

POLICY = """\
amends: 1
policy: loans
version: 1
events: {give_back: {}}
states:
  on_loan:
    initial: true
    on: {give_back: clsoed}
    sla: {lost: {due: 60 days, breach: {to: closed}}}
  closed: {final: true}
"""

pytestmark = pytest.mark.usefixtures("loans")


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a policy with one mistake, and work beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "right.yaml").write_text(POLICY.replace("clsoed", "closed"), encoding="utf-8")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["check", *arguments], prog_name="amends")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_the_exit_code_does_not_depend_on_the_form(form: str) -> None:
    assert check("wrong.yaml", "--format", form).exit_code == 1
    assert check("right.yaml", "--format", form).exit_code == 0


def test_code_scanning_reads_the_finding_with_its_page() -> None:
    (run,) = json.loads(check("wrong.yaml", "--format", "sarif").stdout)["runs"]
    (result,), (rule,) = run["results"], run["tool"]["driver"]["rules"]
    assert (result["ruleId"], rule["id"]) == ("AM104", "AM104")
    assert rule["help"]["markdown"] == page_text("AM104")
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 8,
        "startColumn": 21,
        "endLine": 8,
        "endColumn": 27,
    }


def test_github_is_given_an_annotation_at_the_line() -> None:
    shown = check("wrong.yaml", "--format", "github").stdout
    assert shown.startswith(
        "::error file=wrong.yaml,line=8,col=21,endLine=8,endColumn=27,title=AM104::there is"
    )
    assert shown.count("\n") == 1


def test_github_is_given_nothing_where_all_is_well() -> None:
    assert check("right.yaml", "--format", "github").stdout == ""


def test_the_size_of_a_policy_is_told_in_keys_and_states() -> None:
    assert check("right.yaml").stdout == "loans 1: 17 keys, 2 states\nno findings in 1 file\n"
    assert json.loads(check("right.yaml", "--format", "json").stdout)["policies"] == [
        {"policy": "loans", "version": "1", "keys": 17, "states": 2}
    ]


def test_a_policy_that_cannot_run_has_no_size() -> None:
    assert json.loads(check("wrong.yaml", "--format", "json").stdout)["policies"] == []


@pytest.mark.parametrize("word", ["AM104", "am104", "unknown-name"])
def test_a_code_is_explained_by_its_page_without_a_policy(word: str) -> None:
    result = check("--explain", word)
    assert (result.exit_code, result.stdout) == (0, page_text("AM104"))


@pytest.mark.parametrize(("word", "meant"), [("AM1004", "AM104"), ("unknwon-name", "unknown-name")])
def test_a_code_that_is_none_is_wrong_usage_and_the_nearest_is_named(word: str, meant: str) -> None:
    result = check("--explain", word)
    assert result.exit_code == 2
    assert f"there is no code `{word}`; did you mean `{meant}`?" in result.stderr
