"""What the condition of a rule asks for, compared as it is written: a rule asks for no more than another, or it may."""

from __future__ import annotations

from collections.abc import Hashable

from ..rules.condition import AllOf, AnyOf, Condition, Leaf, Not
from ..table import CompiledRule


def asks(condition: Condition | None) -> frozenset[Hashable]:
    """Return what a condition asks for, all of which must hold."""
    match condition:
        case None:
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


def comparison(less: CompiledRule, more: CompiledRule) -> str:
    """Say that a rule holds whenever another does, for it asks for no more."""
    if less.condition is None:
        return f"`{less.id}` has no condition, so it always holds"
    if asks(less.condition) == asks(more.condition):
        return f"`{less.id}` has the same condition"
    return f"`{less.id}` holds whenever `{more.id}` does"
