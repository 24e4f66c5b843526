"""Killed at any point at which it talks to its database and started again, a program comes to the end it would have come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_killed_at_some_points_and_started_again_it_comes_to_the_same_end(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("crash", url, "--from", 11, "--every", 61)
    assert figures["kills"] >= 5
    assert figures["payments"] == 4


def test_of_two_who_approve_at_once_one_is_killed_and_each_counts_once(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("approve", url, "--every", 4)
    assert figures["kills"] >= 3


@pytest.mark.long
def test_of_two_who_approve_at_once_one_is_killed_at_every_point_and_each_counts_once(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("approve", url)
    assert figures["kills"] == figures["points"] - 1


@pytest.mark.long
def test_killed_at_every_point_and_started_again_it_comes_to_the_same_end(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("crash", url)
    assert figures["kills"] == figures["points"] - 1


@pytest.mark.long
def test_killed_when_it_goes_on_as_well_it_comes_to_the_same_end(
    run: Callable[..., dict[str, Any]], url: str
) -> None:
    figures = run("crash", url, "--every", 3, "--again")
    assert figures["kills"] > figures["points"] / 3
