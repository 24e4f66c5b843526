"""What is computed from a param with bounds: in every policy that is laid over this one it has to go on being so.

Bounds would be worth nothing if an overlay could put a number of its own where the bounded one was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Items, Node, Scalar
from .bounds import BOUNDS
from .shape import at, entries, word

#: Parts whose names are computed from others, so that reading them is reading those.
_NAMED: Final = ("moments", "windows", "tables", "define", "lookups", "balances", "payouts")
#: Keys below which nothing is computed.
_SAID: Final = frozenset({"params", "title", "sources", "reasons", "says", "source", "migrates"})
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def check_guarded(layers: Sequence[Node], diagnostics: Diagnostics) -> None:
    """Report where an overlay computes without a bounded param what the policy below computes from it.

    Args:
        layers: policies with all that they extend under them, the lowest first.
        diagnostics: takes the findings.
    """
    bounded: dict[str, Place] = {}
    for below, above in pairwise(layers):
        for name, _, param in entries(at(below, "params")):
            bound = next((value for key in BOUNDS if (value := at(param, key)) is not None), None)
            if bound is not None:
                bounded.setdefault(name, bound.place)
        if not bounded:
            continue
        for old, new in _replaced(below, above):
            for name in sorted(bounded.keys() & _read(below, old) - _read(above, new)):
                message = f"this no longer turns on `{name}`, whose bounds hold for every policy that is laid over it"
                related = [("it did here", old.place), ("the bounds stand here", bounded[name])]
                hint = f"change the param `{name}` within its bounds, or go on computing from it"
                diagnostics.add("AM112", new.place, message, hint=hint, related=related)


def _replaced(below: Node, above: Node) -> Iterator[tuple[Node, Node]]:
    """Yield each value that an overlay puts in the place of another; what it only adds or removes is none."""
    if isinstance(below, Fields) and isinstance(above, Fields):
        for key, old in below.entries:
            new = above.get(key.text)
            if old is not None and new is not None and key.text not in _SAID:
                yield from _replaced(old, new)
    elif below.place != above.place:
        yield below, above
    elif isinstance(below, Items) and isinstance(above, Items):
        # Rules and routes, of which an overlay has changed some, by their ids.
        own = {word(at(item, "id")): item for item in above.items}
        for old in below.items:
            if (name := word(at(old, "id"))) in own and name is not None:
                yield from _replaced(old, own[name])


def _read(policy: Node, node: Node) -> set[str]:
    """Return every name that a part of a policy reads, through whatever it is computed from."""
    named = {name: value for section in _NAMED for name, _, value in entries(at(policy, section))}
    found: set[str] = set()
    waiting = [*_words(node)]
    while waiting:
        word = waiting.pop()
        if word not in found:
            found.add(word)
            waiting.extend(_words(named.get(word)))
    return found


def _words(node: Node | None) -> Iterator[str]:
    match node:
        case Scalar(text=text):
            yield from _WORD.findall(text)
        case Items(items=items):
            for item in items:
                yield from _words(item)
        case Fields(entries=pairs):
            for key, value in pairs:
                if key.text not in _SAID:
                    yield from _words(value)
