"""What effects say to people is told in words, with the values of the step that asked for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.engine.async_engine import AsyncEngine
from amends.engine.engine import Engine
from amends.engine.library import Library

from .conftest import Blocking

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = """
amends: 1
policy: telling
version: v1
roles: [user]
facts:
  n: {type: int, default: 1}
reasons:
  counted: {en: "You have {n}.", zh: "您有{n}个。"}
  more: "There is more than {n - 1}."
events: {add: {by: user}}
effects:
  tell: {message: reason, again: optional reason, to: text}
states:
  open:
    initial: true
    enter: [{tell: {message: counted, to: counted}}]
    on:
      add:
        set: {n: n + 1}
        do: [{tell: {message: counted, again: more, to: user}}]
        to: over
  over: {final: true}
"""


@pytest.fixture(params=[Engine, AsyncEngine], ids=lambda kind: kind.__name__)
def engine(request: pytest.FixtureRequest, sqlite: str, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "telling.yaml").write_text(POLICY, encoding="utf-8")
    library = Library.load(tmp_path / "telling.yaml")
    assert [found.code for found in library.diagnostics if found.severity == "error"] == []
    made = Engine(library, sqlite) if request.param is Engine else Blocking(AsyncEngine(library, sqlite))
    yield made
    made.close()


def texts(engine: Any, seq: int, **how: Any) -> list[dict[str, str]]:
    return [effect["texts"] for effect in engine.why("a", seq, **how)["effects"]]


def test_a_reason_among_an_effects_fields_is_told_as_it_was_after_the_step(engine: Any) -> None:
    engine.open("telling", {}, at=NOON, case_id="a")
    engine.send("a", "add", by="user", at=NOON)
    # A text that happens to be a reason's name says nothing.
    assert texts(engine, 0) == [{"message": "You have 1."}]
    assert texts(engine, 0, lang="zh") == [{"message": "您有1个。"}]
    assert texts(engine, 1) == [{"message": "You have 2.", "again": "There is more than 1."}]


def test_what_a_preview_would_say_is_not_told(engine: Any) -> None:
    engine.open("telling", {}, at=NOON, case_id="a")
    would = engine.preview("a", "add", by="user", at=NOON)
    assert [effect["texts"] for effect in engine.why("a", would.step)["effects"]] == [{}]
