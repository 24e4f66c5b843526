"""Pages in Markdown, read as the blocks that a reader would type: files, changes to files, commands and programs.

What a block is stands in a comment before it, which nobody sees on the rendered page:

    <!-- file: shop.yaml -->      the block is this file, whole
    <!-- change: shop.yaml -->    the block, in `diff`, changes this file; every stretch of it stands there once
    <!-- is: shop.yaml -->        the block is this file as it stands after all that came before
    <!-- exits: 1 -->             the last command of the block ends with this code
    <!-- finds: AM204 -->         the policy of the block has a finding of this code
    <!-- lays over: NAME -->      the block is laid over another than the page's first policy
    <!-- not run -->              the block is there to be read

`python tests/docs/pages.py PAGE…` plays pages and writes what the commands print into them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
NOTE = re.compile(r"^\s*<!-- (.*) -->\s*$")
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the notes before it, and the lines of the page that it stands on."""

    language: str
    text: str
    notes: tuple[tuple[str, str], ...]
    #: Line numbers of the fences, counted from 0.
    first: int
    last: int
    #: The heading that it stands under.
    section: str

    def note(self, name: str) -> str | None:
        """Return what a note says, or None where it is not there."""
        return dict(self.notes).get(name)


@dataclass(frozen=True)
class Command:
    """A line after a prompt, what the page shows below it, and the code with which it is to end."""

    line: str
    shown: tuple[str, ...]
    code: int = 0


@dataclass(frozen=True)
class Played:
    """What became of a command."""

    block: Block
    command: Command
    printed: tuple[str, ...]
    code: int


def blocks(text: str) -> tuple[Block, ...]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    notes: list[tuple[str, str]] = []
    section, opened, indent = "", None, ""
    lines = text.splitlines()
    language = ""
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, indent, language = number, fence[1], fence[2]
        elif opened is not None and fence and not fence[2]:
            inside = "".join(f"{inner.removeprefix(indent)}\n" for inner in lines[opened + 1 : number])
            found.append(Block(language, inside, tuple(notes), opened, number, section))
            opened, notes = None, []
        elif opened is None and (note := NOTE.match(line)):
            name, _, value = note[1].partition(":")
            notes.append((name.strip(), value.strip()))
        elif opened is None:
            section = line.lstrip("# ") if line.startswith("#") else section
            notes = notes if not line.strip() else []
    return tuple(found)


def commands(block: Block) -> tuple[Command, ...]:
    """Return the commands of a block of the language `console`."""
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith(PROMPT):
            found.append(Command(line.removeprefix(PROMPT), ()))
        elif found:
            found[-1] = replace(found[-1], shown=(*found[-1].shown, line))
    if found and (code := block.note("exits")):
        found[-1] = replace(found[-1], code=int(code))
    return tuple(found)


def changed(text: str, change: str) -> str:
    """Return a text after a change in the form of a diff; stretches are separated by lines that begin with `@@`."""
    for stretch in re.split(r"^@@.*\n", change, flags=re.MULTILINE):
        lines = stretch.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        if not old:
            text += new
            continue
        if text.count(old) != 1:
            raise ValueError(f"this stands {text.count(old)} times in the file, not once:\n{old}")
        text = text.replace(old, new)
    return text


def run(line: str, folder: Path) -> tuple[tuple[str, ...], int]:
    """Run a command of ours, and return what it prints and its exit code."""
    name, *arguments = shlex.split(line, comments=True)
    if name != "amends":
        raise ValueError(f"`{name}` is not ours to run")
    done = subprocess.run(
        [sys.executable, "-m", "amends", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"},
        check=False,
    )
    return tuple(part.rstrip() for part in done.stdout.splitlines()), done.returncode


@lru_cache
def run_once(line: str, folder: Path) -> tuple[tuple[str, ...], int]:
    """Run a command in a folder that nobody writes to; several pages may show the same."""
    return run(line, folder)


def play(text: str, folder: Path) -> Iterator[Played]:
    """Do what a page says, in a folder: write its files, change them, run its commands."""
    writes = any(block.note("file") for block in blocks(text))
    for block in blocks(text):
        if name := block.note("file"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif name := block.note("change"):
            target = folder / name
            target.write_text(changed(target.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        elif block.language == "console" and block.note("not run") is None:
            for command in commands(block):
                printed, code = (run if writes else run_once)(command.line, folder)
                yield Played(block, command, printed, code)


def rewritten(text: str, folder: Path) -> str:
    """Return a page with what its commands print now, where it showed anything or the page writes files."""
    lines = text.splitlines()
    bodies: dict[Block, list[str]] = {}
    for played in play(text, folder):
        body = bodies.setdefault(played.block, [])
        body += [f"{PROMPT}{played.command.line}", *played.printed]
        if played.code != played.command.code:
            sys.stderr.write(f"`{played.command.line}` ends with {played.code}\n")
    for block in blocks(text):
        if name := block.note("is"):
            bodies[block] = (folder / name).read_text(encoding="utf-8").splitlines()
    for block in sorted(bodies, key=lambda item: -item.first):
        lines[block.first + 1 : block.last] = bodies[block]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as name:
            page.write_text(rewritten(page.read_text(encoding="utf-8"), Path(name)), encoding="utf-8")
