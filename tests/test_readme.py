"""The README is what a newcomer believes: every command, policy, program and link in it is tried."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(root: Path) -> list[str]:
    lines = [line for block in blocks(root, "console") for line in block.splitlines()]
    return [line.removeprefix("$ .venv/bin/") for line in lines if line.startswith("$ .venv/bin/")]


def amends(root: Path, command: str) -> subprocess.CompletedProcess[str]:
    _, *arguments = shlex.split(command)
    return subprocess.run(
        [sys.executable, "-m", "amends", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )


def test_the_policy_shown_is_the_shipped_one_and_fits_in_25_lines(root: Path) -> None:
    (shown,) = blocks(root, "yaml")
    assert shown == (root / "examples" / "first_policy.yaml").read_text(encoding="utf-8")
    assert len(shown.splitlines()) <= 25


def test_the_program_for_hosts_runs_as_printed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks(root, "python")
    monkeypatch.chdir(root)
    exec(compile(program, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - it is our own page


def test_every_command_works_as_printed(root: Path) -> None:
    tried = commands(root)
    assert len(tried) >= 5
    for command in tried:
        done = amends(root, command)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout, command


def test_the_timeline_shown_is_what_the_demo_prints(root: Path) -> None:
    shown, _ = blocks(root, "text")
    (flow,) = re.findall(r"^FLOW := (.+)$", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    done = amends(root, f"amends simulate {flow} --case FF-02")
    assert shown in done.stdout


def test_a_mistake_is_told_as_printed(root: Path, tmp_path: Path) -> None:
    _, told = blocks(root, "text")
    policies = tmp_path / "policies"
    policies.mkdir()
    shipped = (root / "examples" / "first_policy.yaml").read_text(encoding="utf-8")
    (policies / "shop.yaml").write_text(shipped.replace("to: review}", "to: reveiw}"), encoding="utf-8")
    done = amends(tmp_path, "amends check policies/shop.yaml")
    assert done.returncode == 1
    # The page shows the finding alone, without its address and without what follows from it.
    for line in told.splitlines():
        assert line.rstrip() in done.stdout


def test_every_link_leads_somewhere(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert targets
    assert [target for target in targets if not (root / target).exists()] == []


def test_every_dependency_is_explained(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (root / "README.md").read_text(encoding="utf-8").partition("## What it stands on")[2]
    names = [re.split(r"[>=<~!]", dependency)[0] for dependency in project["dependencies"]]
    assert [name for name in names if not re.search(rf"^\|.*\b{name}\b", text, re.MULTILINE)] == []
