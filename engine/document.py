"""YAML text to positioned nodes: every value and key of a YAML file knows where it stands.

YAML is read by rules of our own, because its usual ones guess. A plain scalar is `null` (or nothing at all), `true`,
`false`, a decimal integer (`-12`; not `007`, `+1`, `0x1F`, `1_000`) or a decimal fraction (`1.10`, exact; not `.5`,
`1e3`). Everything else is text, so `on`, `no`, `~`, `12:30` and `2026-02-25` are what they look like, and whatever is
quoted or stands in a `|` or `>` block is text. A key is always the text it is written as: `true:` is the key "true".

Nodes are built from parse events, in a loop: the parser of PyYAML crashes on deep nesting only when it composes nodes
itself. The parser in C reads where it is there, the one in Python elsewhere. They never give different trees, but each
refuses a little that the other reads: the one in Python tabs beside values and `?` in a plain value within brackets, the
one in C `{a:}`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import yaml

from .diagnostics import Diagnostic, Diagnostics, Place
from .text.limits import LIMITS, Limits
from .text.nodes import Fields, FileText, Items, Node, Scalar, Way, Written, below, node_at, to_plain, walk
from .text.yaml_traps import (
    bad_escape,
    decode,
    explain,
    in_quotes,
    is_readable,
    skip_properties,
    value_written,
)

__all__ = [
    "LIMITS",
    "Fields",
    "Items",
    "Limits",
    "Node",
    "Scalar",
    "Way",
    "below",
    "node_at",
    "read_file",
    "read_text",
    "to_plain",
    "walk",
]


def read_file(path: Path, *, limits: Limits = LIMITS) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """Read a YAML file; places name it as `path` is given. Never raises, never waits on a pipe or a device."""
    file = str(path)
    try:
        data = _bytes(path, limits.size + 1)
    except FileNotFoundError:
        return None, _refused("AM001", file, "the file cannot be read: there is no such file")
    except PermissionError:
        return None, _refused("AM001", file, "the file cannot be read: reading it is not allowed")
    except (OSError, ValueError):
        return None, _refused("AM001", file, "the file cannot be read")
    if data is None:
        what = "a folder" if path.is_dir() else "not a regular file"
        return None, _refused("AM001", file, f"the file cannot be read: it is {what}")
    return read_text(data, file, limits=limits)


def _bytes(path: Path, count: int) -> bytes | None:
    """Return the first bytes of a regular file, None for anything else that can be opened."""
    # A pipe without a writer would block at open, and a terminal would become ours.
    flags = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as opened:
            return opened.read(count)
    finally:
        os.close(handle)


def _refused(code: str, file: str, message: str, hint: str | None = None) -> tuple[Diagnostic, ...]:
    found = Diagnostics()
    found.add(code, Place(file, 1, 1, 1, 1), message, hint=hint)
    return found.sorted()


def read_text(
    data: bytes | str, file: str, *, limits: Limits = LIMITS
) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    r"""Read YAML into a tree of nodes, with every finding that one pass can give.

    Args:
        data: the bytes of a file (UTF-8, with or without a byte order mark), or their text.
        file: the name that places carry.
        limits: how much is read before giving up.

    Returns:
        The tree and the findings by place. The tree is None where a part of it could not be understood; it is there
        beside findings that leave it whole (a second key of the same name is dropped, an anchor or a tag ignored),
        so that later checks can add theirs.

    >>> node, found = read_text("open: no\nopen: 2", "p.yaml")
    >>> node.get("open").value, [f"{item.place}: {item.message}" for item in found]
    ('no', ['p.yaml:2:1: the key `open` stands twice in this map'])
    """
    if len(data) > limits.size or (
        isinstance(data, str) and len(data.encode("utf-8", "replace")) > limits.size
    ):
        return None, _refused("AM003", file, f"the file is larger than {limits.size:,} bytes")
    found = Diagnostics()
    text = data if isinstance(data, str) else decode(data, file, found)
    if text is None:
        return None, found.sorted()
    source = FileText(file, text.removeprefix("\ufeff"))
    if not is_readable(source, found):
        return None, found.sorted()
    reader = _Reader(source, found, limits)
    root = reader.read()
    return (root if reader.whole else None), found.sorted()


_NUMERAL: Final = frozenset("-0123456789")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_CHOICE: Final = re.compile(r"\s\?\s")
_COLON: Final = re.compile(r"\s*:")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BLOCKS: Final = frozenset("|>")
_WORDS: Final[dict[str, bool | None]] = {"": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not been read yet."""

    begin: int
    flow: bool
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    first: dict[str, Scalar] = field(default_factory=dict)
    key: Scalar | None = None
    #: The value that comes next belongs to a key that was refused.
    skips: bool = False
    #: A value of this flow collection was cut at a comma; what follows is its rest.
    torn: bool = False
    last: int = 0


class _Reader:
    """Builds nodes from parse events with a stack of its own."""

    def __init__(self, source: FileText, found: Diagnostics, limits: Limits) -> None:
        self.source = source
        self.found = found
        self.limits = limits
        #: False once a part of the tree is missing or read otherwise than meant.
        self.whole = True
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.nodes = 0
        self.documents = 0
        self.scalar: Written | None = None

    def read(self) -> Node | None:
        """Return the root, or None with findings."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        # Each tells whether there is any use in reading on.
        acts: dict[type, Callable[[Any, int, int], bool]] = {
            yaml.DocumentStartEvent: self.start_document,
            yaml.AliasEvent: self.refuse_alias,
            yaml.ScalarEvent: self.take_scalar,
            yaml.SequenceStartEvent: self.open_collection,
            yaml.MappingStartEvent: self.open_collection,
            yaml.SequenceEndEvent: self.close,
            yaml.MappingEndEvent: self.close,
        }
        found, limits = self.found.found, self.limits
        try:
            for event in yaml.parse(self.source.text, Loader=loader):
                act = acts.get(event.__class__)
                if act is None:
                    continue
                first, last = event.start_mark, event.end_mark
                begin, end = (first.index, last.index) if first and last else (0, 0)
                if not act(event, begin, end) or len(found) >= limits.findings:
                    return None
                if self.nodes > limits.nodes:
                    self.report("AM003", begin, end, f"the file holds more than {limits.nodes:,} values")
                    return None
        except (yaml.YAMLError, ValueError, OverflowError) as problem:
            if isinstance(problem, yaml.MarkedYAMLError) and "nesting depth" in (problem.problem or ""):
                # The scanner in C gives up at its own limit before it hands out what is within ours.
                self.refuse_depth(problem.problem_mark.index if problem.problem_mark else 0)
                return None
            # The parser in Python lets `chr` complain about an escape past the last character.
            opened = self.open[-1].begin if self.open and self.open[-1].flow else None
            explain(problem, self.source, self.scalar, opened, self.found)
            self.whole = False
        root = self.root
        if self.whole and (root is None or (isinstance(root, Scalar) and root.plain and not root.text)):
            self.report("AM006", 0, 0, "the file holds no document", "write one, or remove the file")
        return root

    def report(self, code: str, begin: int, end: int, message: str, hint: str | None = None) -> None:
        # What was read otherwise than it was meant must not reach later checks: they would report its consequences.
        self.whole &= code in {"AM004", "AM005"}
        self.found.add(code, self.source.place(begin, end), message, hint=hint)

    def start_document(self, _: yaml.Event, begin: int, end: int) -> bool:
        self.documents += 1
        if self.documents > 1:
            hint = "keep one document per file, and remove this `---`"
            self.report("AM006", begin, end, "a second document begins here", hint)
        return self.documents == 1

    def refuse_alias(self, event: yaml.AliasEvent, begin: int, end: int) -> bool:
        self.nodes += 1
        hint = "write the value out; if it is an expression, quote it"
        self.report("AM005", begin, end, f"the alias `*{event.anchor}` is not part of the language", hint)
        self.whole = False
        self.attach(None, begin, end)
        return True

    def refuse_properties(self, event: yaml.NodeEvent, tag: str | None, begin: int, end: int) -> None:
        if event.anchor:
            hint = "write the value out where it is needed"
            message = f"the anchor `&{event.anchor}` is not part of the language"
            self.report("AM005", begin, begin + len(event.anchor) + 1, message, hint)
        if tag is None:
            return
        if isinstance(event, yaml.ScalarEvent) and not event.style and tag.startswith("!"):
            message = "a value that begins with `!` is read as a tag"
            self.report("AM007", begin, *self.suggestion(begin, message))
        else:
            self.report("AM005", begin, end, "tags are not part of the language", "remove the tag")

    def suggestion(self, begin: int, message: str) -> tuple[int, str, str]:
        """Return the end of the value that was meant, the message, and the hint to quote it."""
        top = self.open[-1] if self.open else None
        end = value_written(self.source, begin, flow=top is not None and top.flow)
        key = f"{top.key.text}: " if top is not None and top.key is not None else ""
        return end, message, f"quote it: `{key}{in_quotes(self.source.text[begin:end])}`"

    def take_scalar(self, event: yaml.ScalarEvent, begin: int, end: int) -> bool:
        self.nodes += 1
        text, style = event.value, event.style or ""
        if event.anchor or event.tag:
            self.refuse_properties(event, event.tag, begin, end)
            begin = skip_properties(self.source.text, begin, end)
        elif not text:
            begin, end = self.take_nothing(begin, end, style)
        if style == '"' and _SURROGATE.search(text):  # the parser in C has stopped already
            self.report("AM002", *bad_escape(self.source, begin))
        self.scalar = written = Written(self.source, begin, end, style)
        if style in _BLOCKS:
            end = written.used_end()
        value: bool | int | Fraction | str | None = text
        if len(text) > self.limits.text:
            self.report("AM003", begin, end, f"a text is longer than {self.limits.text:,} characters")
        elif not style:
            value = self.resolve(text, begin, end)
        top = self.open[-1] if self.open else None
        if top is not None and top.is_map and top.key is None and not top.skips:
            self.take_key(top, Scalar(text, text, not style, written), begin, end)
            top.last = end
        else:
            self.attach(Scalar(text, value, not style, written), begin, end)
        return True

    def resolve(self, text: str, begin: int, end: int) -> bool | int | Fraction | str | None:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMERAL or not _NUMBER.fullmatch(text):
            return text
        if len(text) > self.limits.number:
            message = f"a number is longer than {self.limits.number} digits"
            self.report("AM003", begin, end, message, "quote it if it is text")
            return text
        return Fraction(text) if "." in text else int(text)

    def take_nothing(self, begin: int, end: int, style: str) -> tuple[int, int]:
        """Return where an empty scalar stands: the parsers disagree; and report the traps that leave one behind."""
        top = self.open[-1] if self.open else None
        if style in _BLOCKS and self.source.text[begin + 1 : begin + 2].isdigit():
            message = f"a value that begins with `{style}` is read as a block of text, here an empty one"
            self.report("AM007", begin, *self.suggestion(begin, message))
        if style or top is None or not top.is_map or top.key is None:
            return begin, end
        colon = _COLON.match(self.source.text, top.last)
        if colon:
            return colon.end(), colon.end()
        braces = self.source.text[top.begin - 1 : top.begin + 1] == "{{"  # said already: a map is no key
        if top.flow and not top.torn and not braces:
            hint = "write `: ` and a value after it, or quote what it is a part of"
            if ":" in top.key.text:
                hint = "write a space after the `:`"
            message = f"`{top.key.text}` is read as a key without a value"
            self.whole = False
            self.found.add("AM007", top.key.place, message, hint=hint)
        return top.last, top.last

    def open_collection(self, event: yaml.CollectionStartEvent, begin: int, end: int) -> bool:
        self.nodes += 1
        if len(self.open) >= self.limits.depth:
            self.refuse_depth(begin)
            return False
        if event.anchor or event.tag:
            self.refuse_properties(event, event.tag, begin, end)
        is_map = event.__class__ is yaml.MappingStartEvent
        self.open.append(_Open(begin, bool(event.flow_style), is_map, last=begin))
        return True

    def refuse_depth(self, begin: int) -> None:
        message = f"lists and maps stand within one another more than {self.limits.depth} deep"
        self.report("AM003", begin, begin + 1, message)

    def close(self, _: yaml.Event, __: int, end: int) -> bool:
        top = self.open.pop()
        # The parser ends a block collection where the next token begins, lines below.
        end = end if top.flow else top.last
        place = self.source.place(top.begin, end)
        node = Fields(tuple(top.entries), place) if top.is_map else Items(tuple(top.items), place)
        self.attach(node, top.begin, end)
        return True

    def attach(self, node: Node | None, begin: int, end: int) -> None:
        """Put a finished node where it belongs; None stands for one that was refused."""
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        if top.is_map and top.key is None and not top.skips:
            self.take_key(top, node, begin, end)
        else:
            if top.flow and node.__class__ is Scalar:
                self.find_torn(top, node, begin)
            if node is not None and not top.is_map:
                top.items.append(node)
            elif node is not None and top.key is not None:
                top.entries.append((top.key, node))
            top.key, top.skips = None, False
        top.last = end

    def find_torn(self, top: _Open, node: Scalar, begin: int) -> None:
        if "(" in node.text and node.plain and node.text.count("(") > node.text.count(")"):
            message = f"`{node.text}` is cut at the comma: within brackets a comma ends the value"
            self.report("AM007", begin, *self.suggestion(begin, message))
            top.torn = True

    def take_key(self, top: _Open, node: Node | None, begin: int, end: int) -> None:
        top.skips = True
        if node is None:
            return
        if not isinstance(node, Scalar):
            what = "map" if isinstance(node, Fields) else "list"
            hint = (
                "quote the value"
                if self.source.text[begin - 1 : begin] in {"{", "["}
                else "a key is one word"
            )
            self.report("AM008", begin, end, f"a {what} stands where a key is due", hint)
        elif node.plain and node.text == "<<":
            self.whole = False
            self.report("AM005", begin, end, "merge keys are not part of the language", "write the keys out")
        elif node.plain and not node.text:
            self.report("AM008", begin, end, "a key is empty", "write the key before the `:`")
        elif (first := top.first.get(node.text)) is not None:
            message = f"the key `{node.text}` stands twice in this map"
            related = [("it stands here first", first.place)]
            self.found.add("AM004", node.place, message, hint="keep one of the two", related=related)
        else:
            if node.plain and _CHOICE.search(node.text):
                message = "a choice `a ? b : c` without quotes is read as a key and a value"
                self.report("AM007", begin, *self.suggestion(begin, message))
            top.skips = False
            top.key = top.first[node.text] = node
