"""Arguments of fragments put where `$name` stands: in keys, as values, and inside texts.

What is put inside a text keeps the place of the `$name` that it stands for; an argument that is the whole value keeps its
own, which is where the author of the policy wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..diagnostics import Diagnostics, Place
from ..document import Fields, Items, Node, Scalar
from ..text.nodes import Written
from .shape import entries

#: The argument that every fragment has: the name under which it is included.
LEG: Final = "leg"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands for each argument of a fragment."""

    nodes: Mapping[str, Node]
    #: Those that are expressions: inside another one they stand in brackets.
    expressions: frozenset[str] = frozenset()


#: `$name`, `${name}`, or `$$` for the sign itself.
_USE: Final = re.compile(
    r"\$(?:(?P<sign>\$)|(?P<bare>[A-Za-z][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z][A-Za-z0-9_]*)\})"
)


def check_arguments(node: Node, declared: Node | None, diagnostics: Diagnostics) -> None:
    """Report arguments that a fragment declares and never uses, and uses of arguments that it does not declare."""
    known = {name: key for name, key, _ in entries(declared)}
    used: set[str] = set()
    for scalar in _scalars(node):
        for use in _USE.finditer(scalar.text):
            name = use["bare"] or use["braced"]
            if name is not None and name not in {LEG, *known}:
                place = scalar.place_of(*use.span())
                hint = diagnostics.near(name, known) or "a `$` alone is written `$$`"
                diagnostics.add("AM104", place, f"the fragment has no argument `{name[:60]}`", hint=hint)
            used.add(name or "")
    for name, key in known.items():
        if name not in used:
            message = f"the argument `{name}` is declared and never used"
            diagnostics.add("AM501", key.place, message, hint=f"use it as `${name}`, or remove it")


def _scalars(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Items():
            for item in node.items:
                yield from _scalars(item)
        case Fields():
            for key, value in node.entries:
                if key.text != "args":
                    yield key
                    yield from _scalars(value)


def substituted(node: Node, arguments: Arguments, diagnostics: Diagnostics) -> Node:
    """Return a tree with arguments in the place of their names."""
    match node:
        case Items():
            return Items(tuple(substituted(item, arguments, diagnostics) for item in node.items), node.place)
        case Fields():
            found = (
                (_inside(key, arguments, diagnostics), substituted(value, arguments, diagnostics))
                for key, value in node.entries
            )
            return Fields(tuple(found), node.place)
    whole = _USE.fullmatch(node.text)
    name = whole and (whole["bare"] or whole["braced"])
    return arguments.nodes.get(name or "") or _inside(node, arguments, diagnostics)


def _inside(node: Scalar, arguments: Arguments, diagnostics: Diagnostics) -> Scalar:
    """Return a text with the texts of arguments in it."""
    if "$" not in node.text:
        return node
    text, done, stretches = "", 0, []
    for use in _USE.finditer(node.text):
        name = use["bare"] or use["braced"] or ""
        argument = arguments.nodes.get(name)
        if argument is None and use["sign"] is None:
            continue
        if isinstance(argument, Items | Fields):
            message = f"`{use[0]}` is a {'list' if isinstance(argument, Items) else 'map'}, and stands inside a text"
            diagnostics.add("AM102", node.place_of(*use.span()), message, hint="let it be the whole value")
            continue
        text += node.text[done : use.start()]
        put = "$" if argument is None else argument.text.removeprefix("=")
        put = f"({put})" if name in arguments.expressions else put
        stretches.append((len(text), len(text) + len(put), *use.span()))
        text, done = text + put, use.end()
    text += node.text[done:]
    stands = node.stands
    if not isinstance(stands, Place):
        stretch = (stands.source, stands.begin, stands.end, stands.style)
        stands = _Spliced(*stretch, node.text, stands, tuple(stretches))
    return replace(node, text=text, value=text, stands=stands)


@dataclass(slots=True, unsafe_hash=True)
class _Spliced(Written):
    """How a text that arguments were put into stands in its file."""

    before: str
    origin: Written
    #: Begin and end of each argument in the text, and of the `$name` it stands for in the text before.
    stretches: tuple[tuple[int, int, int, int], ...]

    def stretch(self, text: str, start: int, end: int) -> tuple[int, int] | None:  # noqa: ARG002 - as nodes.py asks
        """Return the offsets in the file of a part of the text."""
        return self.origin.stretch(self.before, self._back(start, 0), self._back(end, 1))

    def _back(self, offset: int, side: int) -> int:
        """Return an offset in the text as it was; within an argument the begin or end of its name."""
        moved = 0
        for begin, end, old_begin, old_end in self.stretches:
            if begin <= offset < end or (side and begin < offset <= end):
                return (old_begin, old_end)[side]
            if offset < begin:
                break
            moved = old_end - end
        return offset + moved
