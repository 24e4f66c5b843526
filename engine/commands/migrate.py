"""`amends migrate`: what would become of open cases under another version."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import AmendsError
from ..render.migration import migration_json, migration_text
from ..scenario import find_scenarios, try_migration
from ..values import parse_timestamp
from .scenarios import ready
from .terminal import EXISTING, FORMAT, LANG, WRONG, in_colour, patience, say


@click.command("migrate")
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH...")
@click.option("--dry-run", is_flag=True, required=True, help="Only show it. A host migrates: Engine.migrate.")
@click.option(
    "--cases",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases, instead of those beside the policies; may be given more than once.",
)
@click.option(
    "--to", "version", metavar="VERSION", help="The version to go on under, where several would do."
)
@click.option("--at", metavar="T", help="When, such as 2026-09-01T00:00:00Z; else when each case ends.")
@LANG
@FORMAT
def command(
    *,
    paths: tuple[Path, ...],
    dry_run: bool,  # noqa: ARG001 - it says what is not done
    files: tuple[Path, ...],
    version: str | None,
    at: str | None,
    lang: str,
    form: str,
) -> None:
    """Show what would become of open cases under a version that takes them over.

    PATH is a policy file or a folder of them, with the versions before and after. The cases are those of scenario files, played
    as far as they go.
    """
    try:
        end = None if at is None else parse_timestamp(at)
    except AmendsError as problem:
        raise click.BadParameter(str(problem), param_hint="--at") from None
    scenarios = files or tuple(dict.fromkeys(file for path in paths for file in find_scenarios(path)))
    if not scenarios:
        raise click.UsageError("there are no scenario files beside these policies; name one with --cases")
    library, read = ready(paths, scenarios, form)
    with patience("running cases"):
        tried = [
            try_migration(case, library, at=end, version=version) for file in read for case in file.cases
        ]
    if form == "json":
        say(migration_json(tried, language=lang))
    else:
        say(migration_text(tried, language=lang, colour=in_colour()))
    sys.exit(WRONG if any(item.fate in {"stays", "error"} for item in tried) else 0)
