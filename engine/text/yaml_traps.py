"""What is wrong with text that is not YAML, said so that its author knows what to change.

The parser's complaints name tokens; these name the cause, which is nearly always a value that wants quotes, a bracket
or quote left open, or a line indented by accident. Complaints of both parsers, in C and in Python, are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import yaml

from ..diagnostics import Diagnostics
from .nodes import FileText, Written

#: Characters beyond which the end of a value is not looked for.
_FAR: Final = 500

#: Code, offsets of the stretch it is about, message, hint.
_Said = tuple[str, int, int, str, str | None]

_BAD_ESCAPE: Final = re.compile(
    r"\\(?!x[0-9A-Fa-f]{2}|u(?![dD][89A-Fa-f])[0-9A-Fa-f]{4}|U(?:0000(?![dD][89A-Fa-f])|000[1-9A-Fa-f]|0010)[0-9A-Fa-f]{4}"
    r"|[0abt\tnvfre \"/\\N_LP\r\n])[^\r\n]"
)
_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_KEY: Final = re.compile(r"[\w.-]+:(?:\s|$)")
_BEFORE_VALUE: Final = re.compile(r"[ \t]*(?:- +)*(?:[^\s:#'\"\[\]{}]+:[ \t]+)?")
_QUOTED: Final = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_OPENING: Final = re.compile(r"(?<![\w)\]])[\[{]")
_CLOSING: Final = re.compile(r"[\]}]")
_NEGATION: Final = re.compile(r"(?:^[ \t]*|[-:,][ \t]+|[\[{][ \t]*)(!\S)")


def explain(
    problem: Exception, source: FileText, last: Written | None, opened: int | None, found: Diagnostics
) -> None:
    """Add the finding for what made the parser stop; `last` is the scalar read before, `opened` an open bracket."""
    first, context, since, text = _parts(problem)
    size = len(source.text)
    if first >= size and opened is not None and "node content" in text:
        context, since = "while parsing a flow sequence", opened
    at = min(first, size)
    complaint = _Complaint(source, f"{context}: {text}", at, min(since, size), last)
    for recognise in _RECOGNISERS:
        if said := recognise(complaint):
            break
    else:
        words = re.sub(r"['<>]", "", text.partition(", but")[0]) or "it cannot be read"
        said = ("AM002", at, at, f"the text is not YAML: {words}", None)
    code, begin, end, message, hint = said
    found.add(code, source.place(min(begin, size), min(end, size)), message, hint=hint)


def _parts(problem: Exception) -> tuple[int, str, int, str]:
    if not isinstance(problem, yaml.MarkedYAMLError):
        return 0, "while scanning a double-quoted scalar", 0, "invalid escape"
    context, mark = problem.context_mark, problem.problem_mark
    at = mark.index if mark else 0
    return at, problem.context or "", context.index if context else at, problem.problem or ""


@dataclass(frozen=True, slots=True)
class _Complaint:
    source: FileText
    what: str
    #: Where the parser stopped, and where the thing began that it was reading.
    at: int
    since: int
    last: Written | None

    @property
    def char(self) -> str:
        return self.source.text[self.at : self.at + 1]

    @property
    def value_begin(self) -> int:
        """Where the value on this line begins, by the look of it."""
        line = self.source.line_begin(self.at)
        match = _BEFORE_VALUE.match(self.source.text, line)
        return min(match.end() if match else line, self.at)

    @property
    def flow(self) -> bool:
        """Whether a bracket is open before this point, by the parser's word or by the look of the line."""
        line = _QUOTED.sub("", self.source.text[self.source.line_begin(self.at) : self.at])
        return self.says("flow") or len(_OPENING.findall(line)) > len(_CLOSING.findall(line))

    def value_end(self, begin: int) -> int:
        """Where a value that begins at or above this line ends."""
        return value_written(self.source, max(begin, self.source.line_begin(self.at)), flow=self.flow)

    def quote(self, begin: int) -> str:
        written = " ".join(self.source.text[begin : self.value_end(begin)].split())
        return f"quote the whole value: `{in_quotes(written)}`"

    def plain_before(self) -> Written | None:
        """Return the plain scalar that ends right before the trouble."""
        last = self.last
        if last is None or last.style or self.source.text[last.end : self.at].strip():
            return None
        return last

    def here(self, message: str, hint: str | None) -> _Said:
        """Say that the very character where the parser stopped is wrong."""
        return "AM002", self.at, self.at + 1, message, hint

    def says(self, *words: str) -> bool:
        return any(word in self.what for word in words)


def _negation(c: _Complaint) -> _Said | None:
    line = c.source.line_begin(c.at)
    matches = list(_NEGATION.finditer(c.source.text[line : c.at + 1]))
    if not matches or not c.says("block scalar", "anchor", "tag", "flow", "expected key", "block end"):
        return None
    begin = line + matches[-1].start(1)
    return "AM007", begin, c.value_end(begin), "a value that begins with `!` is read as a tag", c.quote(begin)


def _colon(c: _Complaint) -> _Said | None:
    misplaced = c.says("mapping values are not allowed")
    if c.says("unexpected ':'"):
        return c.here("a `:` stands without a space behind it", "write `: ` and the value")
    ends = c.says("flow", "expected key", "block end")
    if not misplaced and not (ends and c.char and c.char in ":?"):
        return None
    before = c.plain_before()
    if before is None:
        return ("AM002", c.at, c.at + 1, "a `:` stands where no key can be", None) if misplaced else None
    value = c.source.text[before.begin : before.end]
    if c.char == "?" or re.search(r"\s\?(\s|$)", value):
        message = "a choice `a ? b : c` without quotes is not read as one value"
        return "AM007", before.begin, max(c.value_end(before.begin), c.at), message, c.quote(before.begin)
    if not misplaced:
        return None
    if c.source.line_begin(c.at) <= before.begin:
        return c.here("a second `:` stands in a value without quotes", c.quote(before.begin))
    first = value.splitlines()[0]
    if ":" in first:
        end = before.begin + len(first)
        return (
            "AM002",
            before.begin,
            end,
            f"`{first}` is one word, not a key and a value",
            "write a space after the `:`",
        )
    begin = c.source.line_begin(c.at)
    begin += len(c.source.text[begin : c.at]) - len(c.source.text[begin : c.at].lstrip())
    name = c.source.text[begin : c.at].strip()
    message = f"the key `{name}` is read as a part of the value that began above it"
    return "AM002", begin, c.at, message, "indent it like the keys it belongs to, or quote the value above"


def _quote(c: _Complaint) -> _Said | None:
    if not c.says("quoted scalar"):
        return None
    if not c.says("end of stream", "document indicator"):
        return "AM002", *bad_escape(c.source, c.since)
    mark = c.source.text[c.since : c.since + 1]
    return "AM002", c.since, c.since + 1, f"the quote `{mark}` is never closed", f"write the closing `{mark}`"


def bad_escape(source: FileText, begin: int) -> tuple[int, int, str, str]:
    """Return place, message and hint for the first wrong escape behind the quote at `begin`."""
    escapes = (_BAD_ESCAPE.match(source.text, item.start()) for item in _ESCAPE.finditer(source.text, begin))
    bad = next((item for item in escapes if item), None)
    first, last = bad.span() if bad else (begin, begin + 1)
    message = f"`{source.text[first:last]}` does not begin an escape that YAML knows"
    return first, last, message, "write `\\\\` for a backslash, or use single quotes"


def _token(c: _Complaint) -> _Said | None:
    if not c.says("cannot start any token", "tab character"):
        return None
    if c.char == "\t" or c.says("tab character"):
        return c.here("a tab stands where only spaces may", "indent with spaces")
    return c.here(f"no value without quotes may begin with `{c.char}`", c.quote(c.at))


def _bracket(c: _Complaint) -> _Said | None:
    if not c.says("flow sequence", "flow mapping"):
        return None
    opening = c.source.text[c.since : c.since + 1]
    closing = {"[": "]", "{": "}"}.get(opening, "]")
    below = c.source.line_begin(c.at) > c.since
    if not c.char or (below and (c.char == ":" or _KEY.match(c.source.text, c.at))):
        return (
            "AM002",
            c.since,
            c.since + 1,
            f"the bracket `{opening}` is never closed",
            f"write the closing `{closing}`",
        )
    if c.char in "]}":
        return c.here(
            f"`{c.char}` stands where `{closing}` is due",
            "close brackets in order",
        )
    begin = c.last.begin if c.last and c.since < c.last.begin and c.last.end <= c.at else c.at
    message = f"a `,` or `{closing}` is due before `{c.char}`"
    return c.here(message, f"if this is one value, {c.quote(begin)}")


def _block(c: _Complaint) -> _Said | None:
    if not c.says("block scalar"):
        return None
    begin = c.since
    mark = c.source.text[begin : begin + 1]
    message = f"a value that begins with `{mark}` is read as a block of text"
    return "AM007", begin, c.value_end(begin), message, c.quote(begin)


def _anchor(c: _Complaint) -> _Said | None:
    if c.says("directive"):
        message = "a line that begins with `%` is read as a directive"
        return "AM002", c.since, c.since + 1, message, "quote it, or indent it with the value it belongs to"
    if not c.says("alphabetic or numeric"):
        return None
    begin = c.value_begin
    kind = "an anchor" if c.says("anchor") else "an alias"
    message = f"`{c.source.text[c.since : c.since + 1]}` at the beginning of a word is read as {kind}"
    return "AM007", c.since, c.since + 1, message, c.quote(begin)


def _dash(c: _Complaint) -> _Said | None:
    if not c.says("entries are not allowed"):
        return None
    hint = f"put the list on a line of its own, or {c.quote(c.at)}"
    return c.here("a `-` begins a list where no list can begin", hint)


def _after_value(c: _Complaint) -> _Said | None:
    """Explain something that follows a whole value, or stands at an indentation that nothing has."""
    if not c.says("expected key", "block end", "'-' indicator"):
        return None
    text, line = c.source.text, c.source.line_begin(c.at)
    before = text[line : c.at].strip()
    last = c.last
    if last and last.style in {"'", '"'} and last.begin < line <= last.end and before.endswith(last.style):
        hint = f"close it with `{last.style}` on the line where it begins"
        return "AM002", last.begin, last.begin + 1, "the quote is closed only lines below", hint
    if before.endswith(("'", '"', "]", "}")):
        hint = c.quote(c.value_begin)
        if before[-1] == "'" and text[c.at - 1] == "'":
            hint = "write an apostrophe within single quotes twice, or use double quotes"
        return c.here(f"the value goes on after its closing `{before[-1]}`", hint)
    if before:
        return c.here(
            "something follows a value that is already whole",
            c.quote(c.value_begin),
        )
    if c.char == ":":
        return c.here("a key is empty", "write the key before the `:`")
    if c.char == "-":
        return c.here(
            "a list item stands among the keys of a map",
            "indent it under its key",
        )
    if c.says("block collection", "'-' indicator"):
        return c.here("a key stands among the items of a list", "begin the line with `- `")
    return c.here(
        "the indentation fits no line above",
        "indent it like the lines it belongs with",
    )


def _key(c: _Complaint) -> _Said | None:
    if not c.says("could not find expected ':'"):
        return None
    end = c.source.line_end(c.since)
    name = c.source.text[c.since : end].strip()
    shown = name if len(name) <= 60 else name[:57] + "..."
    hint = "write `key: value`, or indent the line if it belongs to the value above"
    return "AM002", c.since, end, f"`{shown}` stands where a key is due, and no `:` follows", hint


def _stray(c: _Complaint) -> _Said | None:
    if c.says("tag"):
        return (
            "AM007",
            c.since,
            c.since + 1,
            "a `!` at the beginning of a word is read as a tag",
            "quote the value",
        )
    if c.says("document start"):
        message = "something stands after the end of the document"
        return c.here(message, "close every bracket once, and remove what follows")
    if c.says("node content"):
        shown = f"`{c.char}`" if c.char.strip() else "nothing"
        return c.here(f"{shown} stands where a value is due", "write a value, or quote it")
    if c.says("keys are not allowed"):
        return c.here("no value without quotes may begin with `? `", c.quote(c.at))
    return None


_RECOGNISERS: Final[tuple[Callable[[_Complaint], _Said | None], ...]] = (
    _negation, _colon, _quote, _token, _bracket, _block, _anchor, _dash, _after_value, _key, _stray,
)  # fmt: skip


_PROPERTY: Final = re.compile(r"(?:[&!][^\s]*|#[^\r\n]*)?\s+|[&!][^\s]*$")


def skip_properties(text: str, begin: int, end: int) -> int:
    """Return where a scalar begins behind its anchor and tag."""
    while (match := _PROPERTY.match(text, begin, end)) and match.end() > begin:
        begin = match.end()
    return begin


def value_written(source: FileText, begin: int, *, flow: bool) -> int:
    """Return where a value that begins at `begin` was meant to end: on its line, brackets and quotes balanced."""
    text, stop = source.text, source.line_end(begin, begin + _FAR)
    depth, quote, offset = 0, "", begin
    while offset < stop:
        char = text[offset]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        closed = flow and (depth < 0 or (depth == 0 and char == ","))
        if not quote and (closed or (char == "#" and text[offset - 1] in " \t")):
            break
        offset += 1
    return begin + len(text[begin:offset].rstrip())


def in_quotes(text: str) -> str:
    r"""Return a value in the quotes that need the least change, for a hint.

    >>> in_quotes('method == "wallet"')
    '\'method == "wallet"\''
    """
    if len(text) > 60:
        text = text[:57] + "..."
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_HIDDEN: Final = re.compile("[\x85\u2028\u2029\ufeff]")
_DIRECTIVE: Final = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*+%[^\r\n]*")


def decode(data: bytes, file: str, found: Diagnostics) -> str | None:
    """Return the text of UTF-8 bytes, or None with the place of the first byte that is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = FileText(file, data[: problem.start].decode("utf-8").removeprefix("\ufeff"))
        end = len(before.text)
        wide = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
        found.add(
            "AM001",
            before.place(end, end),
            f"the byte 0x{data[problem.start]:02X} is not UTF-8 text",
            hint="the file looks like UTF-16; save it as UTF-8" if wide else "save the file as UTF-8",
        )
        return None


def is_readable(source: FileText, found: Diagnostics) -> bool:
    """Report characters and lines that no policy may hold, the first of each sort."""
    before = len(found.found)
    if match := _CONTROL.search(source.text):
        message = f"a control character (U+{ord(match.group()):04X}) stands in the text"
        found.add(
            "AM001", source.place(*match.span()), message, hint="remove it; the file may not be text at all"
        )
    if match := _HIDDEN.search(source.text):
        message = f"an invisible character (U+{ord(match.group()):04X}) stands in the text"
        hint = f"remove it, or write `\\u{ord(match.group()):04X}` in double quotes if it is meant"
        found.add("AM007", source.place(*match.span()), message, hint=hint)
    if match := _DIRECTIVE.match(source.text):
        begin = source.line_begin(match.end())
        found.add(
            "AM005",
            source.place(begin, match.end()),
            "a directive is not part of the language",
            hint="remove the line",
        )
    return len(found.found) == before
