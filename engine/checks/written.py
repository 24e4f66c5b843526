"""Where what a check speaks of was written: the exact part of an expression, and the key of a declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..diagnostics import Place
from ..document import Fields, Node, Scalar, below
from ..expression import Checked


@dataclass(slots=True)
class Written:
    """The document that a policy was compiled from, overlays applied; without it, places are no finer than terms."""

    node: Node | None = None
    _scalars: dict[Place, Scalar] = field(default_factory=dict)

    def part(self, checked: Checked, place: Place, span: tuple[int, int]) -> Place:
        """Return the place of `checked.text[span]`, where the expression is the end of the scalar at `place`."""
        scalar = self._scalar(place)
        if scalar is None or not scalar.text.endswith(checked.text):
            return place
        start = len(scalar.text) - len(checked.text)
        return scalar.place_of(start + span[0], start + span[1])

    def _scalar(self, place: Place) -> Scalar | None:
        if not self._scalars and self.node is not None:
            for node in below(self.node):
                if isinstance(node, Scalar):
                    self._scalars.setdefault(node.place, node)
        return self._scalars.get(place)

    def name(self, section: str, name: str, otherwise: Place) -> Place:
        """Return where the name of a declaration stands."""
        return next((key.place for key, _ in self.declared(section) if key.text == name), otherwise)

    def declared(self, *way: str) -> Iterator[tuple[Scalar, Node]]:
        """Yield the keys of the map at a way from the root, each with what stands under it."""
        node = self.node
        for key in way:
            node = node.get(key) if isinstance(node, Fields) else None
        if isinstance(node, Fields):
            yield from node.entries
