"""Pages of docs/diagnostics taken apart: their sections, and their examples as files that can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from amends.engine.diagnostics import Diagnostic
from amends.engine.library import Library
from amends.engine.pages import page_text

#: What an example leaves out for brevity.
DEFAULTS = {
    "amends": "amends: 1\n",
    "policy": "policy: example\n",
    "version": "version: 1\n",
    "states": (
        "states:\n"
        "  open: {initial: true, sla: {limit: {due: 30 days, breach: {to: closed}}}}\n"
        "  closed: {final: true}\n"
    ),
}
_BLOCK = re.compile(r"^```yaml(?: (?P<encoding>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\S+\.(?:yaml|lock))\n")
_MARK = re.compile(r"# (AM\d+)$")


@dataclass(frozen=True, slots=True)
class Example:
    """A block of a page: a file that a reader is shown."""

    name: str
    text: str
    encoding: str

    @property
    def marks(self) -> set[tuple[str, int, str]]:
        """Where the example says that something is found: file, line, code."""
        lines = enumerate(self.text.splitlines(), 1)
        return {(self.name, number, found[1]) for number, line in lines if (found := _MARK.search(line))}

    def whole(self) -> bytes:
        """Return the file with what the example leaves out; of states an overlay has those of its base, a leg its own."""
        if self.name.endswith(".lock"):
            return self.text.encode(self.encoding)
        top = set(re.findall(r"^(\w+):", self.text, re.MULTILINE))
        of_its_own = {"states": {"extends", "legs"}, "policy": {"fragment"}}
        left_out = [key for key in DEFAULTS if key not in top and not top & of_its_own.get(key, set())]
        return (self.text + "".join(DEFAULTS[key] for key in left_out)).encode(self.encoding)


def sections(page: str) -> dict[str, str]:
    """Return what stands under each heading of a page."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def examples(section: str) -> Iterator[Example]:
    """Yield the blocks of a section; a block that begins with `# NAME.yaml` is a file of that name."""
    for block in _BLOCK.finditer(section):
        name = _NAME.match(block["text"])
        yield Example(name[1] if name else "policy.yaml", block["text"], block["encoding"] or "utf-8")


@pytest.fixture
def check(tmp_path: Path) -> SimpleNamespace:
    """Return what checks the examples of a section of a code's page: their findings, and the marks they bear."""

    def section(code: str, heading: str) -> tuple[tuple[Diagnostic, ...], set[tuple[str, int, str]]]:
        shown = list(examples(sections(page_text(code))[heading]))
        assert shown, f"nothing is shown under {heading}"
        for example in shown:
            (tmp_path / example.name).write_bytes(example.whole())
        marks = {mark for example in shown for mark in example.marks}
        return Library.load(tmp_path).diagnostics, marks

    return SimpleNamespace(section=section, sections=sections)
