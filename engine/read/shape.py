"""Looking into nodes whose shape the schema has judged already: what is not as expected is passed over in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Items, Node, Scalar


def entries(node: Node | None) -> Iterator[tuple[str, Scalar, Node]]:
    """Yield the keys of a map with their nodes; nothing for anything else."""
    if isinstance(node, Fields):
        for key, value in node.entries:
            yield key.text, key, value


def at(node: Node | None, key: str) -> Node | None:
    """Return what stands under a key, or None where there is no map or no such key."""
    return node.get(key) if isinstance(node, Fields) else None


def items(node: Node | None) -> tuple[Node, ...]:
    """Return the items of a list; a single node stands for a list of one, none for an empty one."""
    if isinstance(node, Items):
        return node.items
    return () if node is None else (node,)


def word(node: Node | None) -> str | None:
    """Return the text of a scalar, or None."""
    return node.text if isinstance(node, Scalar) else None


def flag(node: Node | None) -> bool:
    """Return whether a scalar is `true`."""
    return isinstance(node, Scalar) and node.value is True


def names(node: Node | None) -> tuple[str, ...]:
    """Return the texts of a list of scalars."""
    return tuple(item.text for item in items(node) if isinstance(item, Scalar))


def known(node: Node | None, what: str, among: Collection[str], diagnostics: Diagnostics) -> tuple[str, ...]:
    """Return the declared names that a scalar or list of scalars writes; others are reported, each at its place."""
    found = []
    for item in items(node):
        if not isinstance(item, Scalar):
            continue
        if item.text in among:
            found.append(item.text)
        else:
            unknown(item, what, among, diagnostics)
    return tuple(found)


def unknown(node: Scalar, what: str, among: Iterable[str], diagnostics: Diagnostics) -> None:
    """Report that nothing of a kind is declared under the name that a scalar writes."""
    hint = diagnostics.near(node.text, among)
    diagnostics.add("AM104", node.place, f"there is no {what} `{node.text[:60]}`", hint=hint)


def tell_apart(ids: Iterable[tuple[str, Node]], what: str, diagnostics: Diagnostics) -> None:
    """Report ids that stand twice in a list, each with its node: no report could tell which of the two it names.

    Args:
        ids: in the order of the list; an id that is written out is told at its own place.
        what: the items of the list, such as "routes of `fee`".
        diagnostics: where findings go.
    """
    seen: dict[str, Place] = {}
    for id_, node in ids:
        place = (at(node, "id") or node).place
        if id_ in seen:
            message = f"two {what} have the id `{id_}`"
            diagnostics.add("AM105", place, message, related=[("the first one", seen[id_])])
        seen.setdefault(id_, place)


def says(node: Node | None) -> dict[str, str]:
    """Return text for people: one string, or a map by language."""
    if isinstance(node, Scalar) and node.value is not None:
        return {"": node.text}
    return {key: value.text for key, _, value in entries(node) if isinstance(value, Scalar)}
