"""Positioned nodes: scalars, lists and maps that know where they stand, down to the single character.

A node is what policies are read from. A scalar finds the place of any part of its text by undoing what YAML did to it
(quotes, escapes, folded lines); this is done when asked for, since most scalars never are. Places are computed from
offsets into the text, never taken from a parser.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from ..diagnostics import Place

BREAK: Final = re.compile(r"\r\n|\r|\n")

#: One character of a scalar's text, and the stretch of the written form that it was made from.
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of one file without its byte order mark, shared by all of its nodes."""

    file: str
    text: str
    #: Offset of the first character of every line.
    starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = (0, *(match.end() for match in BREAK.finditer(self.text)))
        object.__setattr__(self, "starts", starts)

    def place(self, begin: int, end: int) -> Place:
        r"""Return the place of `text[begin:end]`; columns count characters.

        >>> str(FileText("a.yaml", "é: 1\r\nb: 2").place(6, 7))
        'a.yaml:2:1'
        """
        starts = self.starts
        line, end_line = bisect_right(starts, begin), bisect_right(starts, end)
        return Place(self.file, line, begin - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1)

    def line_end(self, offset: int, limit: int | None = None) -> int:
        """Return the offset at which the line of `offset` ends, before its break; not looked for past `limit`."""
        stop = len(self.text) if limit is None else min(limit, len(self.text))
        match = BREAK.search(self.text, offset, stop)
        return match.start() if match else stop

    def line_begin(self, offset: int) -> int:
        """Return the offset at which the line of `offset` begins."""
        return self.starts[bisect_right(self.starts, offset) - 1]


# Nobody changes one, as no other record; but to freeze it makes it three times as long in the making, and there are
# thousands in every file. So it is with `Written`.
@dataclass(slots=True, unsafe_hash=True)
class Scalar:
    """A single value, or a key."""

    #: The resolved text: quotes, escapes and folded lines undone.
    text: str
    #: What it means; of a key and of anything quoted always the text.
    value: bool | int | Fraction | str | None
    #: Whether it is written without quotes and block indicators.
    plain: bool
    #: How it is written in its file, or, where no file holds it, the place that findings of it are told at.
    stands: Written | Place = field(repr=False)

    @property
    def place(self) -> Place:
        """Where the whole scalar stands, quotes included; found when asked for, since most places never are."""
        return self.stands if isinstance(self.stands, Place) else self.stands.place()

    def place_of(self, start: int, end: int) -> Place:
        r"""Return the place in the file of `text[start:end]`.

        Exact in every style; a character made by an escape or a fold has the whole escape or fold as its place.
        The work is done when asked for, since most scalars never are.

        >>> source = FileText("p.yaml", r'a: "x\ty"')
        >>> written = Written(source, 3, 9, '"')
        >>> node = Scalar("x\ty", "x\ty", plain=False, stands=written)
        >>> str(node.place_of(2, 3))
        'p.yaml:1:8'
        """
        end = max(0, min(end, len(self.text)))
        start = max(0, min(start, end))
        if isinstance(self.stands, Place):
            return self.stands
        stretch = self.stands.stretch(self.text, start, end)
        return self.stands.place() if stretch is None else self.stands.source.place(*stretch)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Fields:
    """A map, in the order it is written."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place
    _index: dict[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        index = {key.text: at for at, (key, _) in enumerate(self.entries)}
        object.__setattr__(self, "_index", index)

    def get(self, key: str) -> Node | None:
        """Return the value under a key, or None."""
        at = self._index.get(key)
        return None if at is None else self.entries[at][1]

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, for its place, or None."""
        at = self._index.get(key)
        return None if at is None else self.entries[at][0]

    def keys(self) -> tuple[str, ...]:
        """Return the keys as written, in order."""
        return tuple(self._index)

    def __contains__(self, key: object) -> bool:
        return key in self._index


Node = Scalar | Items | Fields


#: The way from the root of a tree to a node: keys and indexes.
Way = tuple[str | int, ...]


def walk(node: Node, way: Way = ()) -> Iterator[tuple[Way, Node]]:
    """Yield every node below and including `node` with the way to it, in the order of the file.

    Where a value comes from after a merge is said by its place, so this is also a tree's provenance.
    """
    yield way, node
    if isinstance(node, Fields):
        for key, value in node.entries:
            yield from walk(value, (*way, key.text))
    elif isinstance(node, Items):
        for at, value in enumerate(node.items):
            yield from walk(value, (*way, at))


def below(node: Node) -> Iterator[Node]:
    """Yield every node below and including `node` in the order of the file: what `walk` does, without the ways."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Fields):
            waiting.extend(value for _, value in reversed(node.entries))
        elif isinstance(node, Items):
            waiting.extend(reversed(node.items))


def node_at(node: Node, way: Iterable[str | int]) -> Node:
    """Return the node at the end of a way; LookupError if the tree has none there."""
    for step in way:
        below: Node | None = None
        if isinstance(node, Fields) and isinstance(step, str):
            below = node.get(step)
        elif isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
            below = node.items[step]
        if below is None:
            raise LookupError(f"nothing stands at `{step}`")
        node = below
    return node


def to_plain(node: Node) -> Any:
    """Return a tree as dict, list, str, int, bool, None and Decimal, keys in order.

    Decimal fractions are Decimal and not float: exact, with the digits as written, and a number to jsonschema.
    """
    if isinstance(node, Scalar):
        # Asked of its class, for `isinstance` of a number is slow.
        return Decimal(node.text) if type(node.value) is Fraction else node.value
    if isinstance(node, Fields):
        return {key.text: to_plain(value) for key, value in node.entries}
    return [to_plain(item) for item in node.items]


@dataclass(slots=True, unsafe_hash=True)
class Written:
    """A scalar as it stands in its file: the stretch, and the style it is written in."""

    source: FileText
    begin: int
    #: Of a block where the next key begins, or thereabouts: the two parsers disagree.
    end: int = field(compare=False)
    #: One of `'`, `"`, `|`, `>`, or nothing for a plain scalar.
    style: str

    def used_end(self) -> int:
        """Return where it ends; of a block where its last line does."""
        if self.style not in {"|", ">"}:
            return self.end
        used = self.begin + len(self.source.text[self.begin : self.end].rstrip())
        return min(self.end, self.source.line_end(used))

    def place(self) -> Place:
        """Return where it stands."""
        return self.source.place(self.begin, self.used_end())

    def stretch(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return the offsets in the file of `text[start:end]`, where `text` is the scalar's resolved text.

        None if the written form does not give `text`, which happens only in documents that are refused anyway.
        """
        opened = self.begin + (self.style in {"'", '"'} and self.end > self.begin)
        if (
            self.source.text.startswith(text, opened)
            and opened + len(text) + (opened - self.begin) == self.end
        ):
            # Written as it reads, without escapes and folded lines: looked at again and again it must not cost more.
            return opened + start, opened + end
        spans = list(_spans(self.source.text[self.begin : self.end], text, self.style))[: len(text)]
        if "".join(char for char, _, _ in spans) != text:
            return None
        if start < end:
            return self.begin + spans[start][1], self.begin + spans[end - 1][2]
        if not spans:
            return opened, opened
        point = self.begin + (spans[start][1] if start < len(spans) else spans[-1][2])
        return point, point


_FOLD = r"(?P<fold>[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*)|(?P<blank>[ \t]+)"
_PLAIN: Final = re.compile(rf"{_FOLD}|(?P<char>.)", re.DOTALL)
_SINGLE: Final = re.compile(rf"{_FOLD}|(?P<twice>'')|(?P<char>.)", re.DOTALL)
_DOUBLE: Final = re.compile(
    rf"{_FOLD}|(?P<joined>\\(?:\r\n|\r|\n)[ \t\r\n]*)"
    r"|(?P<code>\\(?:x.{2}|u.{4}|U.{8}))|(?P<escape>\\.)|(?P<char>.)",
    re.DOTALL,
)
_ESCAPES: Final = dict(
    zip('0abt\tnvfre "\\/N_LP', '\0\a\b\t\t\n\v\f\r\x1b "\\/\x85\xa0\u2028\u2029', strict=True)
)


def _spans(written: str, text: str, style: str) -> Iterator[Span]:
    if style in {"|", ">"}:
        return _block_spans(written, text, folded=style == ">")
    if style == "'":
        return _flow_spans(written, 1, len(written) - 1, _SINGLE)
    if style == '"':
        return _flow_spans(written, 1, len(written) - 1, _DOUBLE)
    return _flow_spans(written, 0, len(written), _PLAIN)


def _flow_spans(written: str, begin: int, end: int, pattern: re.Pattern[str]) -> Iterator[Span]:
    """Yield the characters of a plain or quoted scalar, folded lines and escapes undone."""
    for match in pattern.finditer(written, begin, end):
        first, last, got = match.start(), match.end(), match.group()
        match match.lastgroup:
            case "fold" | "joined":
                breaks = list(BREAK.finditer(written, first, last))
                if len(breaks) == 1 and match.lastgroup == "fold":
                    yield " ", first, last
                # The first break of several is the fold itself; each further one is an empty line, and stays.
                for item in breaks[1:]:
                    yield "\n", item.start(), item.end()
            case "blank":
                for offset, char in enumerate(got, first):
                    yield char, offset, offset + 1
            case "twice":
                yield "'", first, last
            case "code":
                digits = got[2:]
                yield chr(int(digits, 16)), first, last
            case "escape":
                yield _ESCAPES.get(got[1], "\ufffd"), first, last
            case _:
                yield got, first, last


def _block_spans(written: str, text: str, *, folded: bool) -> Iterator[Span]:
    """Yield the characters of a `|` or `>` scalar; the caller cuts the trailing breaks that chomping drops."""
    lines = _block_lines(written, text)
    above: tuple[int, int, int] | None = None
    empty: list[tuple[int, int]] = []
    for begin, end, after in [*lines, (-1, -1, -1)]:
        if begin == end and begin >= 0:
            empty.append((end, after))
            continue
        if above is not None:
            start, stop, following = above
            flush = folded and begin >= 0 and written[start] not in " \t" and written[begin] not in " \t"
            if flush and not empty:
                yield " ", stop, begin
            elif not flush:
                yield "\n", stop, following
        for first, last in empty:
            yield "\n", first, last
        empty = []
        for offset in range(begin, end):
            yield written[offset], offset, offset + 1
        above = (begin, end, after)


def _block_lines(written: str, text: str) -> list[tuple[int, int, int]]:
    """Return (begin of content, end of content, begin of the next line) for every line below the header.

    The indentation is not written anywhere when the header leaves it out, so it is found by comparing the first line
    that holds more than spaces with the first such line of the text.
    """
    header = BREAK.search(written)
    lines: list[tuple[int, int, int]] = []
    begin = header.end() if header else len(written)
    while begin < len(written):
        found = BREAK.search(written, begin)
        end, after = (found.start(), found.end()) if found else (len(written), len(written))
        lines.append((begin, end, after))
        begin = after
    rows = [written[begin:end] for begin, end, _ in lines]
    indent = max(0, _margin(rows) - _margin(text.split("\n")))
    return [(min(begin + indent, end), end, after) for begin, end, after in lines]


def _margin(rows: list[str]) -> int:
    for row in rows:
        if row.strip(" "):
            return len(row) - len(row.lstrip(" "))
    return max(map(len, rows), default=0)
