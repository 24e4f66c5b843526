"""Policies as commands read them. What needs cases is in `scenarios`: a check, which runs none, must not wait for it."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path

from ..diagnostics import Diagnostic
from ..publishing.loading import Result, load_policies
from .terminal import patience


def load(paths: Iterable[Path], into: type[Result], *, dates: bool = True) -> Result:
    """Read policies; where no case is to be opened they can do without the dates of holidays, and are read quicker."""
    # What is read stays, so that looking for garbage meanwhile finds none and takes a tenth of the time.
    gc.disable()
    try:
        with patience("reading policies"):
            return load_policies(paths, into, dates=dates)
    finally:
        # Nor is there any use in looking through it all at the end of the process.
        gc.freeze()
        gc.enable()


def wrong(found: Iterable[Diagnostic]) -> bool:
    """Tell whether any finding is an error."""
    return any(item.severity == "error" for item in found)


def texts(found: Iterable[Diagnostic]) -> dict[str, str]:
    """Read the files that findings point into, for the lines to show; what cannot be read is left out."""
    read: dict[str, str] = {}
    for name in dict.fromkeys(item.place.file for item in found):
        try:
            path = Path(name)
            if path.is_file() and path.stat().st_size <= 1_000_000:
                read[name] = path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
    return read
