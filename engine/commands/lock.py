"""`amends lock`: keeps what published versions say, so that nobody changes one by accident."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import click

from ..diagnostics import Diagnostics
from ..publishing.loading import Loaded
from ..publishing.lock import FILE, Published, lock_text, published, read_lock
from ..render.diagnostics import findings_json, findings_text
from ..render.plain import dumped
from .reading import load, texts, wrong
from .terminal import EXISTING, FORMAT, WRONG, in_colour, say


@click.command("lock")
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH...")
@FORMAT
def command(paths: tuple[Path, ...], form: str) -> None:
    """Lock what policies say now, as published: a later change of them is an error.

    PATH is a policy file or a folder of them. The digests are written to `amends.lock` beside each policy; keep that file with
    the policies. A version that is locked already stays as it is.
    """
    library = load(paths, Loaded)
    if wrong(found := library.diagnostics):
        if form == "json":
            say(findings_json(found))
        else:
            say(findings_text(found, texts(found), colour=in_colour(sys.stderr)), to=sys.stderr)
        sys.exit(WRONG)
    new: dict[Path, list[Published]] = defaultdict(list)
    for ref, document in library.documents.items():
        if (ref.name, ref.version) not in library.published:
            new[document.path.parent / FILE].append(published(ref, document.node))
    for lock, items in sorted(new.items()):
        held = read_lock(lock, Diagnostics()) if lock.exists() else {}
        lock.write_text(lock_text([*held.values(), *items]), encoding="utf-8")
    kept = len(library.documents) - sum(map(len, new.values()))
    told = [(str(lock), item) for lock, items in sorted(new.items()) for item in _sorted(items)]
    say(_data(told, kept) if form == "json" else _text(told, kept))


def _sorted(items: Iterable[Published]) -> list[Published]:
    return sorted(items, key=lambda item: (item.name, item.version))


def _text(told: list[tuple[str, Published]], kept: int) -> str:
    lines = [f"{lock}: {item.name} {item.version} is locked" for lock, item in told]
    stay = f"{kept} {'version was' if kept == 1 else 'versions were'} locked before"
    return "\n".join([*lines, *([stay] if kept or not told else [])])


def _data(told: list[tuple[str, Published]], kept: int) -> str:
    locked = [
        {
            "file": lock,
            "policy": item.name,
            "version": item.version,
            "rules": item.rules,
            "model": item.model,
            "bundle": item.bundle,
        }
        for lock, item in told
    ]
    return dumped({"locked": locked, "locked_before": kept})
