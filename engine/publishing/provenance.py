"""Where every value of a policy comes from, once all that it extends is under it, and what it stands in the place of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..diagnostics import Place
from ..document import Fields, Items, Node, Scalar
from ..read.shape import at, word
from .bundle import OWN

#: Which policy a document is, and what of.
_IDENTITY: Final = frozenset({"amends", "policy", "version", "extends"})
_PLAIN_KEY: Final = re.compile(r"[^\s.\[\]\"]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One value of a resolved policy."""

    #: Keys with points between them; an item of a list is `[its id]`, or `[its number]` from 0.
    path: str
    #: As it is written; `{}` and `[]` where nothing stands within.
    text: str
    place: Place
    #: What stood there in the policies below, the nearest first, as far as they say something else.
    over: tuple[tuple[str, Place], ...] = ()


def origins(node: Node, under: Sequence[Node] = ()) -> tuple[Origin, ...]:
    """Return every value of a resolved document, in its order.

    Args:
        node: the document, with all that it extends under it.
        under: what it is laid over, the lowest first, each with all that it extends under it.
    """
    below = [values_of(layer) for layer in reversed(under)]
    found = []
    for path, (text, place) in values_of(node).items():
        over: list[tuple[str, Place]] = []
        seen = place
        for layer in below if path.partition(".")[0] not in OWN else ():
            old = _there(layer, path)
            if old is not None and old[1] != seen:
                over.append(old)
                seen = old[1]
        found.append(Origin(path=path, text=text, place=place, over=tuple(over)))
    return tuple(found)


def _there(layer: Mapping[str, tuple[str, Place]], path: str) -> tuple[str, Place] | None:
    """Return what stands at a path of a policy below; a param may be written as its value alone."""
    if path.startswith("params.") and path not in layer:
        path = path.removesuffix(".is") if path.endswith(".is") else f"{path}.is"
    return layer.get(path)


def values_of(node: Node) -> dict[str, tuple[str, Place]]:
    """Return every value of a document by its path: how it is written, and where.

    >>> from amends.engine.document import read_text
    >>> node, _ = read_text("{a: {b.c: 1}, rules: [{id: small, then: 2}], none: []}", "p.yaml")
    >>> {path: text for path, (text, _) in values_of(node).items()}
    {'a."b.c"': '1', 'rules[small].id': 'small', 'rules[small].then': '2', 'none': '[]'}
    """
    return {path: (text, place) for path, text, place in _walk(node, "")}


def _walk(node: Node, path: str) -> Iterator[tuple[str, str, Place]]:
    match node:
        case Scalar():
            yield path, node.text, node.place
        case Fields():
            if not node.entries:
                yield path, "{}", node.place
            for key, value in node.entries:
                name = key.text if _PLAIN_KEY.fullmatch(key.text) else f'"{key.text}"'
                yield from _walk(value, f"{path}.{name}" if path else name)
        case Items():
            if not node.items:
                yield path, "[]", node.place
            for index, item in enumerate(node.items):
                yield from _walk(item, f"{path}[{word(at(item, 'id')) or index}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path at which two policies say something else: what each says and where, None where it says nothing."""

    path: str
    before: tuple[str, Place] | None
    after: tuple[str, Place] | None


def changes_between(old: Node, new: Node) -> tuple[Change, ...]:
    """Return the paths at which two resolved documents differ: those of the new one in its order, then what it lacks.

    Which policy each is, of which version, and what it extends is not compared.
    """
    before, after = (
        {path: value for path, value in values_of(node).items() if path.partition(".")[0] not in _IDENTITY}
        for node in (old, new)
    )
    return tuple(
        Change(path=path, before=before.get(path), after=after.get(path))
        for path in dict.fromkeys([*after, *before])
        if (before[path][0] if path in before else None) != (after[path][0] if path in after else None)
    )
