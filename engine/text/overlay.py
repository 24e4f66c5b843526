"""One tree of nodes laid over another, as an overlay lies over the policy that it extends."""

from __future__ import annotations

from typing import Final

from ..diagnostics import Diagnostics
from .nodes import Fields, Items, Node, Scalar

#: Lists that an overlay changes item by item.
_BY_ID: Final = frozenset({"rules", "routes"})
#: A `set` so many keys below one of these says what facts become, and there `null` clears a fact, as it does everywhere.
_SETTING: Final = frozenset({"on", "always", "breach", "unknown", "escalations", "migrates"})
_BELOW: Final = 3


def merge(base: Node, over: Node, diagnostics: Diagnostics, way: tuple[str, ...] = ()) -> Node:
    """Lay one tree over another, as an overlay lies over the policy that it extends.

    Maps merge key by key: `null` removes, and removing what is not there is AM108; in a `set` it clears a fact. A list whose items are all maps
    with an `id` merges with a map of the changed items by id; a new id is appended. Whatever else differs in kind, and
    every other list, is replaced; a list that keeps some ids of the one it replaces and drops others is AM117. Each value keeps the place in the file that it was written in; a merged map has the
    place of the overlay's, for it is the overlay that can have spoiled it. `way` are the keys that lead to the two.

    >>> from amends.engine.document import read_text, to_plain
    >>> base, _ = read_text("{a: 1, rules: [{id: small, then: x}, {id: large, then: y}]}", "base.yaml")
    >>> over, _ = read_text("{a: 2, rules: {small: null, huge: {then: z}}}", "over.yaml")
    >>> to_plain(merge(base, over, Diagnostics()))
    {'a': 2, 'rules': [{'id': 'large', 'then': 'y'}, {'id': 'huge', 'then': 'z'}]}
    """
    if isinstance(over, Fields) and isinstance(base, Items) and base.items and _ids(base):
        return _merge_by_id(base, over, diagnostics, way)
    if not isinstance(over, Fields):
        return over
    # Where the base holds no map there is nothing to remove, and a `null` in the overlay is as wrong as elsewhere.
    entries = {key.text: (key, value) for key, value in (base.entries if isinstance(base, Fields) else ())}
    known = tuple(entries)
    clears = way[-1:] == ("set",) and not _SETTING.isdisjoint(way[-1 - _BELOW : -1])
    for key, value in over.entries:
        old = entries.get(key.text)
        if old and key.text in _BY_ID and isinstance(value, Fields) and _is_nameless(old[1]):
            message = (
                f"nothing of `{key.text}` can be changed by its id, for not every item has one of its own"
            )
            hint = "give an `id` to every item that this lies over, or write the whole list here"
            diagnostics.add("AM102", key.place, message, hint=hint, related=[("the items", old[1].place)])
        elif clears or not _removes(value):
            if old and key.text in _BY_ID:
                _tell_dropped(key, old[1], value, diagnostics)
            # A new map is laid over its own key, that is, over no map at all.
            merged = merge(old[1] if old else key, value, diagnostics, (*way, key.text))
            entries[key.text] = (key, merged)
        elif old is None:
            _nothing_to_remove(key, known, diagnostics)
        else:
            del entries[key.text]
    return Fields(tuple(entries.values()), over.place)


def _is_nameless(base: Node) -> bool:
    """Return whether a node is a list of maps of which not every one has an id of its own."""
    if not isinstance(base, Items) or not base.items or _ids(base):
        return False
    return all(isinstance(item, Fields) for item in base.items)


def _tell_dropped(key: Scalar, base: Node, over: Node, diagnostics: Diagnostics) -> None:
    """Report a list that was probably meant to change some items, and takes the place of all."""
    if not (isinstance(base, Items) and isinstance(over, Items)):
        return
    known, kept = _ids(base), frozenset(_ids(over))
    dropped = [f"`{name}`" for name in known if name not in kept]
    if dropped and not kept.isdisjoint(known):
        message = f"this list takes the place of all `{key.text}`, and drops {', '.join(dropped)}"
        hint = "write a map, each item by its id: what it does not name stays, and `null` removes"
        diagnostics.add("AM117", key.place, message, hint=hint, related=[("the items", base.place)])


def _ids(base: Items) -> tuple[str, ...]:
    """Return the ids of a list of maps that all have one of their own; nothing for any other list."""
    ids = [item.get("id") if isinstance(item, Fields) else None for item in base.items]
    texts = [node.text for node in ids if isinstance(node, Scalar)]
    return tuple(texts) if len(set(texts)) == len(ids) else ()


def _merge_by_id(base: Items, over: Fields, diagnostics: Diagnostics, way: tuple[str, ...]) -> Items:
    known = _ids(base)
    items = dict(zip(known, base.items, strict=True))
    for key, value in over.entries:
        old = items.get(key.text)
        if _removes(value):
            if items.pop(key.text, None) is None:
                _nothing_to_remove(key, known, diagnostics)
        elif not isinstance(value, Fields):
            message = f"`{key.text}` is one of a list of maps, and this is no map"
            diagnostics.add(
                "AM102", value.place, message, hint="write what changes as a map, or `null` to remove it"
            )
        elif (name := value.key("id")) is not None:
            message = "`id` is written already, as the key of this map"
            diagnostics.add("AM102", name.place, message, hint="remove it")
        elif old is not None:
            items[key.text] = merge(old, value, diagnostics, (*way, key.text))
        else:
            new = merge(key, value, diagnostics, (*way, key.text))
            entries = new.entries if isinstance(new, Fields) else ()
            items[key.text] = Fields(((Scalar("id", "id", key.plain, key.place), key), *entries), new.place)
    return Items(tuple(items.values()), base.place)


def _removes(value: Node) -> bool:
    return isinstance(value, Scalar) and value.value is None


def _nothing_to_remove(key: Scalar, known: tuple[str, ...], diagnostics: Diagnostics) -> None:
    message = f"`null` removes `{key.text}`, which is not there"
    diagnostics.add("AM108", key.place, message, hint=diagnostics.near(key.text, known))
