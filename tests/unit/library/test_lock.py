"""Published versions: what may still be corrected, what may not, and the file that remembers them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amends.cli import main
from amends.engine.diagnostics import Diagnostics
from amends.engine.library import Library
from amends.engine.publishing.lock import FILE, read_lock

LOANS = """\
amends: 1
policy: loans
version: 2026-01-01
title: Loans
calendars: {business: {holidays: DE, weekend: [sat, sun]}}
roles: [reader]
sources: {rules: {cite: page 3, read: primary, says: a month}}
params: {period: {is: 30 days, source: rules, says: how long}}
reasons: {late: "It is late, {period}."}
facts: {lent_at: timestamp}
windows: {open: {closes: period after lent_at, late: late}}
events: {claim: {by: reader}}
states:
  a: {initial: true, on: {claim: {when: open.is_open, to: b}}, sla: {limit: {due: 90 days, breach: {to: b}}}}
  b: {final: true}
"""
NORTH = """\
amends: 1
policy: loans.north
version: 2026-01-01
extends: {policy: loans, version: 2026-01-01}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a policy and one laid over it, both published."""
    (tmp_path / "loans.yaml").write_text(LOANS, encoding="utf-8")
    (tmp_path / "north.yaml").write_text(NORTH, encoding="utf-8")
    assert amends("lock", tmp_path).exit_code == 0
    return tmp_path


def amends(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "loans.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def told(folder: Path) -> list[tuple[str, str, str, int]]:
    return [
        (item.code, item.severity, Path(item.place.file).name, item.place.line)
        for item in Library.check(folder).diagnostics
    ]


CHANGED = [("AM113", "error", "loans.yaml", 3), ("AM113", "error", "north.yaml", 3)]


def test_what_was_published_and_stayed_as_it_was_is_fine(folder: Path) -> None:
    assert told(folder) == []
    assert amends("check", folder).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("30 days", "29 days"),
        ("30 days, source: rules", "30 days"),
        ("{period}", "{open.closes}"),
        ("weekend: [sat, sun]", "weekend: [sun]"),
        ("read: primary", "read: assumed"),
        ("roles: [reader]", "roles: [reader, librarian]"),
        ("due: 90 days", "due: 91 days"),
        ("title: Loans", "serves: has(lent_at)"),
        ("title: Loans", "in_force: {from: 2026-01-01T00:00:00Z}"),
    ],
)
def test_a_change_of_what_it_says_is_an_error_in_all_that_is_made_of_it(
    folder: Path, old: str, new: str
) -> None:
    change(folder, old, new)
    found = told(folder)
    # An overlay does not take over which cases its base serves, and when.
    own = old == "title: Loans"
    assert [item for item in found if item[0] == "AM113"] == CHANGED[: 1 if own else 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Loans", "title: {en: Loans, zh: 借阅}"),
        ("title: Loans", "in_force: {until: 2026-07-01T00:00:00Z}"),
        ("says: how long", "says: for how long a loan is"),
        ("says: a month", "says: one month"),
        ("It is late, {period}.", "Too late, after {period}!"),
        ("roles: [reader]", "roles: {reader: {en: reader}}"),
        ("30 days, source", '"30 days", source'),
    ],
)
def test_labels_and_the_end_may_be_written_later(folder: Path, old: str, new: str) -> None:
    change(folder, old, new)
    assert told(folder) == []


def test_newer_holidays_are_no_change_of_the_policy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amends.engine.publishing.bundle.expand_holidays", lambda _: frozenset())
    library = Library.load(folder)
    assert library.diagnostics == ()
    loans = library.get("loans")
    assert library.published["loans", "2026-01-01"].model != loans.ref.model


def test_the_finding_says_what_to_do_and_where_it_was_locked(folder: Path) -> None:
    change(folder, "30 days", "29 days")
    found = Library.check(folder / "loans.yaml").diagnostics[0]
    assert (
        found.message == "version `2026-01-01` of `loans` is published, and no longer says what it did then"
    )
    assert found.hint == (
        "leave it as it was, and write what changes as a new `version` that begins where this one ends (`until`)"
    )
    assert [Path(place.file).name for _, place in found.related] == [FILE]
    result = amends("check", folder, "--format", "json")
    assert result.exit_code == 1
    assert [item["code"] for item in json.loads(result.stdout)["diagnostics"]] == ["AM113", "AM113"]
    with pytest.raises(LookupError):
        Library.load(folder).get("loans")


def test_a_version_that_is_gone_is_a_warning_where_the_whole_folder_is_asked_for(folder: Path) -> None:
    (folder / "north.yaml").unlink()
    line = next(n for n, row in enumerate((folder / FILE).read_text().splitlines(), 1) if "north" in row) + 1
    assert told(folder) == [("AM114", "warning", FILE, line)]
    assert Library.check(folder / "loans.yaml").diagnostics == ()


def test_a_policy_that_moved_within_the_folder_is_still_held(folder: Path) -> None:
    (folder / "moved").mkdir()
    change(folder, "30 days", "29 days")
    (folder / "loans.yaml").rename(folder / "moved" / "loans.yaml")
    (folder / "north.yaml").unlink()
    assert ("AM113", "error", "loans.yaml", 3) in told(folder)


def test_locking_again_adds_what_is_new_and_leaves_the_rest(folder: Path) -> None:
    before = (folder / FILE).read_text(encoding="utf-8")
    again = amends("lock", folder)
    assert (again.exit_code, again.stdout) == (0, "2 versions were locked before\n")
    assert (folder / FILE).read_text(encoding="utf-8") == before
    change(folder, "title: Loans", "in_force: {until: 2026-07-01T00:00:00Z}")
    later = LOANS.replace("2026-01-01", "2026-07-01").replace("30 days", "40 days")
    later = later.replace("title: Loans", "in_force: {from: 2026-07-01T00:00:00Z}")
    (folder / "later.yaml").write_text(later, encoding="utf-8")
    result = amends("lock", folder, "--format", "json")
    data = json.loads(result.stdout)
    assert [(item["policy"], item["version"]) for item in data["locked"]] == [("loans", "2026-07-01")]
    assert data["locked_before"] == 2
    after = (folder / FILE).read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert told(folder) == []


def test_a_lock_stands_in_the_folder_of_each_policy(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.yaml").write_text(LOANS.replace("loans", name), encoding="utf-8")
    result = amends("lock", tmp_path)
    assert result.stdout.splitlines() == [
        f"{tmp_path / name / FILE}: {name} 2026-01-01 is locked" for name in ("a", "b")
    ]
    held = read_lock(tmp_path / "a" / FILE, Diagnostics())
    assert list(held) == [("a", "2026-01-01")]


def test_a_policy_with_errors_is_not_locked(folder: Path) -> None:
    change(folder, "to: b}}, sla", "to: nowhere}}, sla")
    result = amends("lock", folder)
    assert result.exit_code == 1
    assert "AM104" in result.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("amends: 1\n", 1),
        ('amends: 1\npublished: {"loans": {"2026-01-01": {rules: "1", model: "2"}}}\n', 2),
    ],
)
def test_a_lock_that_lacks_something_is_found_where_it_does(folder: Path, text: str, line: int) -> None:
    (folder / FILE).write_text(text, encoding="utf-8")
    assert told(folder) == [("AM103", "error", FILE, line)]
