"""Scenario files as commands read them: what is wrong with them or with their policies is shown, and ends the command."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ..diagnostics import Diagnostic, did_you_mean
from ..library import Library
from ..render.diagnostics import findings_text
from ..render.plain import dumped
from ..render.results import results_json
from ..scenario import Results, ScenarioCase, ScenarioFile, read_scenarios
from .reading import load, texts, wrong
from .terminal import WRONG, in_colour, say


def ready(
    paths: Iterable[Path], scenarios: Iterable[Path], form: str
) -> tuple[Library, tuple[ScenarioFile, ...]]:
    """Read policies and scenario files; where any of them is wrong, show that and leave."""
    library = load(paths, Library)
    read = [read_scenarios(path) for path in scenarios]
    # The library has looked at scenario files below its folders too.
    every = {*library.diagnostics, *(item for _, items in read for item in items)}
    found = tuple(sorted(every, key=lambda item: item.order))
    if wrong(found):
        refuse(found, form)
    return library, tuple(file for file, _ in read if file is not None)


def refuse(found: tuple[Diagnostic, ...], form: str) -> None:
    """Show findings that leave nothing to run, and leave."""
    if form == "json":
        say(results_json(Results(cases=()), found))
    else:
        say(findings_text(found, texts(found), colour=in_colour(sys.stderr)), to=sys.stderr)
    sys.exit(WRONG)


def fail(message: str, form: str) -> None:
    """Say why a case cannot be run, and leave."""
    if form == "json":
        say(dumped({"error": message}))
    else:
        say(message, to=sys.stderr)
    sys.exit(WRONG)


def chosen(file: ScenarioFile, case_id: str | None) -> ScenarioCase:
    """Return the case of a file that was asked for, or its only one."""
    ids = [case.id for case in file.cases]
    if case_id is None and len(ids) == 1:
        return file.cases[0]
    if case_id is None:
        raise click.UsageError(
            f"{file.file} holds {len(ids)} cases; choose one with --case: {', '.join(ids)}"
        )
    if case_id not in ids:
        hint = did_you_mean(case_id, ids)
        raise click.BadParameter(
            f"{file.file} holds no case `{case_id}`" + (f"; {hint}" if hint else ""), param_hint="--case"
        )
    return file.cases[ids.index(case_id)]
