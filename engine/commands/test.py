"""`amends test`: scenario cases, and what is not as they expect."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..render.results import results_json, results_text
from ..scenario import CaseResult, Results, find_scenarios, run_file
from .scenarios import ready
from .terminal import EXISTING, FORMAT, LANG, WRONG, in_colour, patience, say


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH...")
@click.option(
    "--cases",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases, instead of those beside the policies; may be given more than once.",
)
@LANG
@FORMAT
def command(paths: tuple[Path, ...], files: tuple[Path, ...], lang: str, form: str) -> None:
    """Run scenario cases against policies, and show what is not as expected.

    PATH is a policy file or a folder of them. Without --cases the scenario files beside them are run: below a folder
    every *.yaml in a folder `scenarios` and every *.scenarios.yaml; of X.yaml the file X.scenarios.yaml.
    """
    scenarios = files or tuple(dict.fromkeys(file for path in paths for file in find_scenarios(path)))
    if not scenarios:
        raise click.UsageError("there are no scenario files beside these policies; name one with --cases")
    library, read = ready(paths, scenarios, form)
    total = sum(len(file.cases) for file in read)
    done: list[CaseResult] = []
    with patience("running cases") as tell:
        for file in read:
            for result in run_file(file, library):
                done.append(result)
                tell(f"{len(done)} of {total} cases")
    results = Results(cases=tuple(done))
    if form == "json":
        say(results_json(results, language=lang))
    else:
        say(results_text(results, language=lang, colour=in_colour()))
    sys.exit(WRONG if results.failed or results.errors else 0)
