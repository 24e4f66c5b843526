"""A store may fail before and after each thing that it is asked; the call is done again, and comes to what it would have come to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from amends.engine.engine import Engine
from amends.engine.errors import StoreUnavailable
from amends.engine.journal import entry_of
from amends.engine.library import Library
from amends.engine.store import open_store
from amends.engine.store.memory import MemoryStore
from amends.engine.store.protocol import Result, Store, Work
from tests.faults.story import Bank, engine_of, prove, story, tell


class Breaking:
    """A store that fails at one of the points before and after whatever a transaction is asked, and after its end.

    Args:
        store: that does the work.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        #: How many points there are before the one at which it fails.
        self.left = 0

    def point(self) -> None:
        """Fail, if this is the point."""
        self.left -= 1
        if self.left == -1:
            raise StoreUnavailable("it broke; do the call again")

    def transact(self, work: Work[Result], *, reads: bool = False) -> Result:
        """Do the work, as far as it comes."""
        result = self.store.transact(
            lambda transaction: work(_Transaction(transaction, self.point)), reads=reads
        )
        self.point()
        return result

    def close(self) -> None:
        """Close the store."""
        self.store.close()


class _Transaction:
    def __init__(self, transaction: Any, point: Callable[[], None]) -> None:
        self._transaction = transaction
        self._point = point

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._transaction, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            self._point()
            answer = asked(*arguments, **options)
            self._point()
            return answer

        return ask


def journals(engine: Engine) -> dict[str, list[bytes]]:
    """Return the entries of the cases of the story."""
    return {name: [entry_of(step) for step in engine.journal(name)] for name in "abc"}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> Any:
    """Return what engines take as their store."""
    return MemoryStore() if request.param == "memory" else request.getfixturevalue(request.param)


def test_broken_at_every_point_and_done_again_each_call_comes_to_the_same(
    address: Any, policies: Library, tmp_path: Path
) -> None:
    whole_bank, bank = Bank(tmp_path / "whole"), Bank(tmp_path / "broken")
    whole = engine_of(MemoryStore(), whole_bank, policies)
    tell(whole)
    store = Breaking(open_store(address))
    engine = engine_of(store, bank, policies)
    broke = 0
    for call in story(engine):
        for points in count():
            store.left = points
            try:
                call()
            except StoreUnavailable:
                broke += 1
            else:
                break
    store.left = -1
    assert broke > 130
    assert journals(engine) == journals(whole)
    assert {one.key: one.state for one in engine.deliveries()} == {
        one.key: one.state for one in whole.deliveries()
    }
    assert bank.paid() == whole_bank.paid()
    if isinstance(address, str):
        prove(address, policies)
    engine.close()
