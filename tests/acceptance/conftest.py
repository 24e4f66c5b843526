"""What the acceptance tests share: the shipped policies, and their cases as plain data and as records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from amends.engine.library import Library
from amends.engine.scenario import ScenarioFile, read_scenarios


def plain_yaml(path: Path) -> Any:
    """Read a YAML file without our own reader."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe one


@dataclass(frozen=True)
class Programme:
    """A programme that ships: its folder, its policies, and the cases that it is held to."""

    folder: Path

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def file(self) -> Path:
        """The file of its cases."""
        return self.folder / "scenarios" / "cases.yaml"

    @cached_property
    def cases(self) -> Any:
        """Its cases as plain data, read without our own reader."""
        return plain_yaml(self.file)

    @cached_property
    def library(self) -> Library:
        """Its policies."""
        loaded = Library.load(self.folder)
        assert loaded.diagnostics == ()
        return loaded


FOLDERS = sorted(
    path.parents[1] for path in Path(__file__).resolve().parents[2].glob("policies/*/scenarios/cases.yaml")
)


@pytest.fixture(scope="session", params=FOLDERS, ids=lambda folder: folder.name)
def programme(request: pytest.FixtureRequest) -> Programme:
    """Return one shipped programme after the other."""
    return Programme(request.param)


@pytest.fixture(scope="session")
def policies(root: Path) -> Path:
    """Return the folder of the policies whose acceptance this is."""
    return root / "policies" / "tiktok_shop"


@pytest.fixture(scope="session")
def cases_file(policies: Path) -> Path:
    """Return the file of the shipped cases."""
    return policies / "scenarios" / "cases.yaml"


@pytest.fixture(scope="session")
def cases(cases_file: Path) -> Any:
    """Return the shipped cases as plain data, read without our own reader."""
    return plain_yaml(cases_file)


@pytest.fixture(scope="session")
def calendars() -> Any:
    """Return the holiday lists that the dates of the cases were computed with, by name."""
    return plain_yaml(Path(__file__).with_name("calendars.yaml"))


@pytest.fixture(scope="session")
def library(policies: Path) -> Library:
    """Return the shipped policies."""
    loaded = Library.load(policies)
    assert loaded.diagnostics == ()
    return loaded


@pytest.fixture(scope="session")
def read() -> Callable[[Path], ScenarioFile]:
    """Return a reader of scenario files that must be right."""

    def of(path: Path) -> ScenarioFile:
        file, found = read_scenarios(path)
        assert found == ()
        assert file is not None
        return file

    return of
