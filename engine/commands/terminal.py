"""What every command shares of a terminal: exit codes, options, printing, and patience."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import click

#: Exit codes; 2 is click's own for wrong usage.
WRONG: Final = 1
UNUSABLE: Final = 2
FAILED: Final = 3

#: Seconds before a command says what it is doing.
PATIENCE: Final = 1.0
#: Characters that a terminal may lack, and what is written instead.
PLAINER: Final = str.maketrans({"–": "-", "—": "-", "…": "...", "→": "->", "≈": "~"})


def say(text: str, *, to: TextIO | None = None) -> None:
    """Print text that any terminal can show: what its encoding lacks is written more plainly."""
    stream = to or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAINER).encode(encoding, "replace").decode(encoding)
    click.echo(text, file=stream, nl=not text.endswith("\n"), color=True)


def in_colour(stream: TextIO | None = None) -> bool:
    """Tell whether colours are wanted: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return (
        (stream or sys.stdout).isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


@contextmanager
def patience(doing: str) -> Iterator[Callable[[str], None]]:
    """Say on a terminal what takes longer than a second, and how far it is; yields what tells it."""
    stream = sys.stderr
    shown, progress = threading.Event(), [doing]
    width = 0

    def show(text: str) -> None:
        nonlocal width
        progress[0] = text
        if shown.is_set():
            stream.write(f"\r{text.ljust(width)}")
            stream.flush()
            width = max(width, len(text))

    def begin() -> None:
        shown.set()
        show(progress[0])

    timer = threading.Timer(PATIENCE, begin)
    timer.daemon = True
    if stream.isatty():
        timer.start()
    try:
        yield show
    finally:
        timer.cancel()
        if shown.is_set():
            stream.write(f"\r{' ' * width}\r")
            stream.flush()


FORMAT: Final = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people or for programs.",
)
LANG: Final = click.option(
    "--lang",
    default="en",
    metavar="LANG",
    help="Language of sentences, such as en or zh; English where it is lacking.",
)
STORE: Final = click.option(
    "--store",
    required=True,
    envvar="AMENDS_STORE",
    metavar="URL",
    help="The database that cases live in; the variable AMENDS_STORE is taken where it is left out.",
)
EXISTING: Final = click.Path(exists=True, path_type=Path)
