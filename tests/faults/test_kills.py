"""Processes die at any moment and servers go away; what was answered is kept, and what is to be done is done once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder_of_a_server(postgres_server: str) -> Iterator[Path]:  # noqa: ARG001 - it is there for this platform
    """Return an empty folder that a server may enter, though it runs as another user than the tests."""
    with tempfile.TemporaryDirectory(prefix="amends-restarted-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


def test_processes_are_killed_under_load_and_nothing_is_lost_or_doubled(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("kills", url, "--kills", 15)
    assert figures["cases"] >= 1


def test_a_server_stops_and_starts_under_load_and_nothing_is_lost_or_doubled(
    run: Callable[..., dict[str, Any]], folder_of_a_server: Path
) -> None:
    figures = run("kills", "--server", folder_of_a_server, "--kills", 6, "--restarts", 2)
    assert figures["outages"] > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_hundreds_are_killed(run: Callable[..., dict[str, Any]], url: str, seed: int) -> None:
    figures = run("kills", url, "--kills", 300, "--seed", seed)
    assert figures["asked twice"] > 0


@pytest.mark.long
def test_a_server_stops_and_starts_again_and_again(
    run: Callable[..., dict[str, Any]], folder_of_a_server: Path
) -> None:
    figures = run("kills", "--server", folder_of_a_server, "--kills", 200, "--restarts", 40)
    assert figures["outages"] > 0
