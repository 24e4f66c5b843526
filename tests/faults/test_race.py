"""Whoever comes at the same time gets one answer to one key, and together no more than there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("racers", [("--threads", 8), ("--processes", 4)], ids=["threads", "processes"])
def test_of_what_many_ask_for_at_once_each_thing_is_done_once_and_no_more_than_there_is(
    run: Callable[..., dict[str, Any]], url: str, racers: tuple[str, int]
) -> None:
    figures = run("race", url, *racers, "--rounds", 12)
    assert figures["payouts"] == 12 * (racers[1] // 2 + 4)


@pytest.mark.long
@pytest.mark.parametrize("racers", [("--threads", 8), ("--processes", 4)], ids=["threads", "processes"])
def test_so_it_is_a_thousand_times(
    run: Callable[..., dict[str, Any]], url: str, racers: tuple[str, int]
) -> None:
    figures = run("race", url, *racers, "--rounds", 1000)
    assert figures["payouts"] == 1000 * (racers[1] // 2 + 4)
