"""docs/capabilities.md claims nothing that is not shown: every test and case that it names is run here, and passes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from amends.engine.library import Library
from amends.engine.scenario import CaseResult, read_scenarios, run_file

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "capabilities.md"
SMALL = ROOT / "tests" / "capabilities"
#: How much each row weighs; which rows there are is what programmes demand, and not ours to say.
WEIGHTS = {
    "A": "MMMMMMMMMMMSMMSSMSMCSSM",
    "B": "MMMMMMSMMMMMMSMC",
    "C": "MMMMSMSMMMSMMMMSMMSS",
    "D": "MMMSMMSMMC",
    "E": "MMMMSMSSMSMC",
    "F": "MMMMMMSMSMSSMMSM",
    "G": "MMCSS",
    "H": "MMMMSMSMC",
    "I": "MMMMM",
}
_ROW = re.compile(
    r"\| (?P<id>[A-I]\d+) \| (?P<says>.+?) \| (?P<weight>[MSC]) \| (?P<by>.+?) \| (?P<shown>.+) \|"
)
_NOT_YET = "not yet: "


@dataclass(frozen=True)
class Row:
    """One capability, as the page has it."""

    id: str
    weight: str
    by: str
    shown: str

    @property
    def claims(self) -> tuple[str, ...]:
        """What shows it: cases as `FILE#CASE`, tests by their ids."""
        return () if self.shown.startswith(_NOT_YET) else tuple(re.findall(r"`([^`]+)`", self.shown))


def rows() -> Iterator[Row]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| [A-I]\d", line):
            found = _ROW.fullmatch(line)
            assert found is not None, f"not a row: {line}"
            yield Row(found["id"], found["weight"], found["by"], found["shown"])


ROWS = tuple(rows())
CLAIMED = tuple(dict.fromkeys(claim for row in ROWS for claim in row.claims))
TESTS = tuple(claim for claim in CLAIMED if "::" in claim)
CASES = tuple(claim for claim in CLAIMED if "::" not in claim)


def scenario_file(name: str) -> Path:
    """Return the file that a claim means: one of the small ones, or of a shipped programme."""
    small = SMALL / f"{name}.scenarios.yaml"
    programme, _, file = name.partition("/")
    return small if small.is_file() else ROOT / "policies" / programme / "scenarios" / f"{file}.yaml"


@cache
def library_of(path: Path) -> Library:
    """Return the policies that a file of cases is played by: those of its programme, or the one beside it."""
    beside = path.with_name(path.name.replace(".scenarios.yaml", ".yaml"))
    library = Library.load(path.parent.parent if path.parent.name == "scenarios" else beside)
    assert library.diagnostics == (), library.diagnostics
    return library


@cache
def results(path: Path) -> dict[str, CaseResult]:
    """Return what became of the cases of a file, by their ids."""
    file, found = read_scenarios(path)
    assert file is not None, (str(path), found)
    return {result.id: result for result in run_file(file, library_of(path))}


def test_the_page_has_every_row_with_its_weight() -> None:
    expected = [
        (f"{letter}{n}", weight) for letter, kept in WEIGHTS.items() for n, weight in enumerate(kept, 1)
    ]
    assert [(row.id, row.weight) for row in ROWS] == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_says_by_what_and_shows_it_or_why_not(row: Row) -> None:
    if row.claims:
        named = re.findall(r"`([\w.]+)", row.by)
        text = "".join(
            (ROOT / "docs" / page).read_text(encoding="utf-8")
            for page in ("language.md", "expressions.md", "api.md", "cli.md", "howto/write_scenarios.md")
        )
        assert [key for key in named if not re.search(rf"\b{re.escape(key)}\b", text)] == []
        assert named
    else:
        assert row.shown.startswith(_NOT_YET), f"{row.id} shows nothing, and does not say why"
        assert len(row.shown) > len(_NOT_YET) + 20
        assert row.by == "–", f"{row.id} names what does it, and shows nothing"


@pytest.mark.parametrize("claim", CASES)
def test_every_case_that_is_named_passes(claim: str) -> None:
    name, _, case = claim.partition("#")
    path = scenario_file(name)
    assert path.is_file(), f"there is no file {path.relative_to(ROOT)}"
    result = results(path).get(case)
    assert result is not None, f"there is no case {case} in {path.relative_to(ROOT)}"
    assert result.checks, f"{claim} expects nothing"
    assert [(check.key, check.expected, check.actual) for check in result.checks if not check.passed] == []
    assert result.error is None, result.error


def test_every_test_that_is_named_is_run_and_passes(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            f"--junitxml={report}",
            *TESTS,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    # Ours, and a moment old: there is nothing hostile in it.
    cases = [case for case in ET.parse(report).iter("testcase") if not list(case)]  # noqa: S314
    ran = {
        f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').partition('[')[0]}"
        for case in cases
    }
    assert {test.partition("[")[0] for test in TESTS} <= ran, "every one ran, and none was skipped"


def unshown(weight: str) -> list[str]:
    return [row.id for row in ROWS if row.weight == weight and not row.claims]


def test_whatever_several_programmes_need_is_shown() -> None:
    assert unshown("M") == []


def test_nine_in_ten_of_what_one_programme_needs_are_shown() -> None:
    assert len(unshown("S")) * 10 <= sum(row.weight == "S" for row in ROWS), unshown("S")
