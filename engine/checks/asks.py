"""What conditions ask for, compared as they are written: one asks for no more than another, or it may.

Of what is tried in order it tells what is never tried, for something before it holds whenever it would.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from ..expression.tree import Constant
from ..rules.condition import AllOf, AnyOf, Condition, Leaf, Not


class Asking(Protocol):
    """A rule of a table, or a route: something with a condition that is tried."""

    @property
    def id(self) -> str:
        """Its name for reports."""

    @property
    def condition(self) -> Condition | None:
        """What it asks for; None always holds."""


def is_always(condition: Condition | None) -> bool:
    """Return whether a condition is none, or the word `true`."""
    if isinstance(condition, Leaf) and isinstance(condition.checked.root, Constant):
        return condition.checked.root.value is True
    return condition is None


def asks(condition: Condition | None) -> frozenset[Hashable]:
    """Return what a condition asks for, all of which must hold."""
    match condition:
        case None:
            return frozenset()
        case Leaf() if is_always(condition):
            return frozenset()
        case AllOf(items=items):
            return frozenset().union(*map(asks, items))
        case AnyOf(items=(item,)):
            return asks(item)
        case _:
            return frozenset({_key(condition)})


def _key(condition: Condition) -> Hashable:
    """Return a condition as it is written, its places apart."""
    match condition:
        case Leaf(checked=checked):
            return checked.text.strip()
        case Not(item=item):
            return ("unless", _key(item))
        case AllOf(items=items):
            return ("all", frozenset(map(_key, items)))
        case AnyOf(items=items):
            return ("any", frozenset(map(_key, items)))


def asked_before(tried: Sequence[Asking]) -> dict[int, int]:
    """Return by its index everything that asks for all that something before it asks for, and the first that does."""
    found: dict[int, int] = {}
    asked = [asks(item.condition) for item in tried]
    for index, more in enumerate(asked):
        for before, less in enumerate(asked[:index]):
            if less <= more:
                found[index] = before
                break
    return found


def comparison(less: Asking, more: Asking) -> str:
    """Say that something holds whenever another does, for it asks for no more."""
    if less.condition is None:
        return f"`{less.id}` has no condition, so it always holds"
    if is_always(less.condition):
        return f"`{less.id}` always holds"
    if asks(less.condition) == asks(more.condition):
        return f"`{less.id}` has the same condition"
    return f"`{less.id}` holds whenever `{more.id}` does"
