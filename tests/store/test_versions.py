"""Open cases go on under another version on every store, and what is kept still tells how they came there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.engine.errors import InvalidValue, UnknownCase, UnknownPolicy
from amends.engine.library import Library

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = """
amends: 1
policy: desk
version: v1
in_force: {until: 2026-06-01T00:00:00Z}
roles: [user]
facts: {owner: text, note: {type: optional text, sensitive: true}, tries: {type: int, default: 0}}
events: {ask: {by: user}, close: {by: user}}
states:
  fresh: {initial: true, on: {ask: {to: review, set: {tries: tries + 1}}}}
  review: {waits_for: user, sla: {answer: {due: 10 days, breach: {to: closed}}}, on: {close: closed}}
  closed: {final: true}
"""
NEW = OLD.replace("version: v1", "version: v2\nmigrates: {from: [v1], states: {review: in_review}}")
NEW = NEW.replace("{until: 2026-06-01T00:00:00Z}", "{from: 2026-06-01T00:00:00Z}").replace(
    "to: review", "to: in_review"
)
NEW = NEW.replace("  review:", "  in_review:").replace("due: 10 days", "due: 20 days")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return two versions of a policy."""
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(NEW, encoding="utf-8")
    loaded = Library.load(tmp_path)
    assert [item.message for item in loaded.diagnostics if item.severity == "error"] == []
    return loaded


@pytest.fixture
def case_id(engine: Any) -> str:
    engine.open("desk", {"owner": "ann", "note": "secret"}, at=NOON, case_id="a")
    engine.send("a", "ask", by="user", at=NOON)
    return "a"


def test_a_case_goes_on_under_another_version_and_back(
    engine: Any, case_id: str, make: Callable[..., Any]
) -> None:
    there = engine.migrate(case_id, "v2", by="ops:7", at=NOON + DAY, key="m")
    assert (there.refusal, there.state, there.case.policy.version) == (None, "in_review", "v2")
    assert engine.migrate(case_id, "v2", by="ops:7", at=NOON + DAY, key="m") == there
    (listed,) = engine.cases(state="in_review").cases
    assert listed.policy.version == "v2"
    assert (engine.why(case_id)["who"], engine.why(case_id)["what"]) == ("ops:7", "goes on under v2")
    later = make(Library())
    assert later.case(case_id).facts["note"] == "secret"
    assert later.verify(case_id).decided == 3
    back = later.migrate_back(case_id, by="ops:7", at=NOON + 2 * DAY, key="b")
    assert (back.state, back.case.policy.version) == ("review", "v1")
    assert later.migrate_back(case_id, by="ops:7", at=NOON + 2 * DAY, key="b") == back
    assert later.send(case_id, "close", by="user", at=NOON + 3 * DAY).state == "closed"
    assert later.verify(case_id).decided == 5


def test_what_is_due_before_fires_under_the_version_before(engine: Any, case_id: str) -> None:
    late = engine.migrate(case_id, "v2", by="ops:7", at=NOON + 15 * DAY)
    assert [step.input.timer for step in late.before] == ["breach:review/answer"]
    assert engine.verify(case_id).decided == engine.case(case_id).seq + 1


def test_a_migration_that_cannot_be_is_said(engine: Any, case_id: str) -> None:
    with pytest.raises(UnknownCase):
        engine.migrate("x", "v2", by="ops:7")
    with pytest.raises(UnknownPolicy):
        engine.migrate(case_id, "v9", by="ops:7")
    with pytest.raises(InvalidValue, match="was not taken over"):
        engine.migrate_back(case_id, by="ops:7")
    engine.send(case_id, "ask", by="user", at=NOON, key="k")
    for call in (
        lambda: engine.migrate(case_id, "v2", by="ops:7", key="k"),
        lambda: engine.migrate_back(case_id, by="ops:7", key="k"),
    ):
        with pytest.raises(InvalidValue, match="the key `k` came before, with something else"):
            call()  # type: ignore[no-untyped-call]
