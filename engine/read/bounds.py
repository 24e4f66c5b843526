"""Bounds of params: what a param may come to, in this policy and in every one that is laid over it.

An overlay may change a param within the bounds that it inherits, and may draw them closer; it may not loosen them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Node, to_plain
from ..errors import RuleError
from ..literal import Misfit, read_literal
from ..rules.cell import is_ordered, precedes
from ..types import Type
from ..values import Value
from .shape import at, entries

BOUNDS: Final = ("at_least", "at_most")


@dataclass(frozen=True, slots=True)
class _Said:
    """A value of a param, as it is written, and where."""

    value: Value
    text: str
    place: Place


def check_bounds(
    name: str, layers: Sequence[Node | None], type_: Type, currency: str | None, diagnostics: Diagnostics
) -> None:
    """Report where a param leaves its bounds, or an overlay loosens those that it inherits.

    Args:
        name: of the param.
        layers: the param as each policy has it, with all that it extends under it; the lowest first, its own last.
        type_: of the param.
        currency: of amounts that name none.
        diagnostics: takes the findings.
    """
    within: dict[str, _Said] = {}
    before: Node | None = None
    for node in layers:
        if node is None:
            # Who takes it away is told of the bounds by `check_removed`.
            within = {}
            continue
        written = (
            {key: at(node, key) for key in ("is", *BOUNDS)} if isinstance(node, Fields) else {"is": node}
        )
        said = {
            key: _said(value, type_, currency, diagnostics)
            for key, value in written.items()
            if value is not None
        }
        if any(key in said for key in BOUNDS) and not is_ordered(type_):
            place = next(there.place for key in BOUNDS if (there := written.get(key)))
            message = f"a value of type {type_} has no order, so `{name}` has no bounds"
            diagnostics.add("AM112", place, message, hint="remove `at_least` and `at_most`")
            return
        if isinstance(node, Fields):
            for key in BOUNDS:
                # Over a literal alone a map says nothing of the bounds, and so inherits them as the literal does.
                if written.get(key) is None and at(before, key) is not None and (old := within.get(key)):
                    _removed(name, key, node.place, old, diagnostics)
        own = {key: held for key, held in said.items() if held is not None}
        for key in BOUNDS:
            if (new := own.get(key)) and (old := within.get(key)) and new.place != old.place:
                _check_closer(name, key, new, old, diagnostics)
        new_bounds = {key: own.get(key, within.get(key)) for key in BOUNDS}
        for key, bound in new_bounds.items():
            if bound and (held := own.get("is")):
                _check_within(name, key, held, bound, within.get(key), diagnostics)
        within = {key: bound for key, bound in new_bounds.items() if bound is not None}
        before = node


def first_bounded(layers: Iterable[Node | None]) -> Node | None:
    """Return the lowest of some layers in which a param has bounds: it says of which type the param is."""
    return next((node for node in layers if node is not None and any(_bounds_of(node))), None)


def check_removed(layers: Sequence[Node], diagnostics: Diagnostics) -> None:
    """Report overlays that remove a param which has bounds: that it is there is what the bounds are worth.

    `layers` are policies with all that they extend under them, the lowest first.
    """
    for below, above in pairwise(layers):
        params = at(above, "params")
        for name, _, old in entries(at(below, "params")):
            bound = next(_bounds_of(old), None)
            if bound is not None and at(params, name) is None:
                key, value = bound
                message = f"`{name}` is removed, and has bounds for every policy that is laid over it"
                related = [(f"`{key}` stands here", value.place)]
                diagnostics.add("AM112", (params or above).place, message, hint="keep it", related=related)


def _bounds_of(node: Node) -> Iterator[tuple[str, Node]]:
    return ((key, value) for key in BOUNDS if (value := at(node, key)) is not None)


def _said(node: Node, type_: Type, currency: str | None, diagnostics: Diagnostics) -> _Said | None:
    try:
        value = read_literal(to_plain(node), type_, currency=currency)
    except Misfit as misfit:
        diagnostics.add("AM106", node.place, str(misfit), hint=misfit.hint)
        return None
    return _Said(value, str(to_plain(node)), node.place)


def _removed(name: str, key: str, place: Place, old: _Said, diagnostics: Diagnostics) -> None:
    message = f"`{key}` of `{name}` is removed, and holds for every policy that is laid over it"
    diagnostics.add("AM112", place, message, hint="keep it", related=[_stands(key, old)])


def _check_closer(name: str, key: str, new: _Said, old: _Said, diagnostics: Diagnostics) -> None:
    """Report a bound that is looser than the one it replaces."""
    if _is_outside(key, new, old):
        message = f"`{key}: {new.text}` of `{name}` is looser than the {old.text} that it inherits"
        hint = "a policy that is laid over another one may draw its bounds closer, and not loosen them"
        diagnostics.add("AM112", new.place, message, hint=hint, related=[_stands(key, old)])


def _check_within(
    name: str, key: str, value: _Said, bound: _Said, inherited: _Said | None, diagnostics: Diagnostics
) -> None:
    """Report a value that is outside a bound, where whichever of the two is new stands."""
    if not _is_outside(key, value, bound):
        return
    word = "less" if key == "at_least" else "more"
    message = f"`{name}` is {value.text}, and may not be {word} than {bound.text}"
    if _is_apart(value, bound):
        message = f"`{name}` is {value.text}, which cannot be compared with `{key}: {bound.text}`"
    drawn_closer = inherited is not None and inherited.place != bound.place
    if drawn_closer and value.place.file != bound.place.file:
        diagnostics.add("AM112", bound.place, message, related=[("it is set here", value.place)])
    else:
        diagnostics.add("AM112", value.place, message, related=[_stands(key, bound)])


def _stands(key: str, bound: _Said) -> tuple[str, Place]:
    return (f"`{key}` stands here", bound.place)


def _is_outside(key: str, value: _Said, bound: _Said) -> bool:
    """Return whether a value is past a bound, or cannot be compared with it."""
    low, high = (value, bound) if key == "at_least" else (bound, value)
    try:
        return precedes(low.value, high.value)
    except RuleError:
        return True


def _is_apart(value: _Said, bound: _Said) -> bool:
    try:
        precedes(value.value, bound.value)
    except RuleError:
        return True
    return False
