"""`amends diff`: what a policy says otherwise than another, and what cases come to under each."""

from __future__ import annotations

from pathlib import Path

import click

from ..library import Library
from ..policy import CompiledPolicy
from ..publishing.loading import Resolved
from ..publishing.provenance import changes_between
from ..render.comparison import comparison_json, comparison_text
from ..scenario.compare import compare_case
from .scenarios import ready
from .terminal import FORMAT, LANG, in_colour, patience, say

POLICY = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("diff")
@click.argument("old", type=POLICY)
@click.argument("new", type=POLICY)
@click.option(
    "--cases",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases to play under both; may be given more than once.",
)
@LANG
@FORMAT
def command(*, old: Path, new: Path, files: tuple[Path, ...], lang: str, form: str) -> None:
    """Compare two policies, and what cases come to under each.

    OLD and NEW are policy files, each with what it extends beside it. Cases are played under both, whichever is in force.
    """
    before, read = ready((old,), files, form)
    after, _ = ready((new,), (), form)
    (first, below), (second, above) = _only(before, old), _only(after, new)
    changes = changes_between(below.node, above.node)
    with patience("running cases"):
        compared = [compare_case(case, first, second) for file in read for case in file.cases]
    refs = (first.ref, second.ref)
    if form == "json":
        say(comparison_json(refs, changes, compared))
    else:
        say(comparison_text(refs, changes, compared, language=lang, colour=in_colour()))


def _only(library: Library, path: Path) -> tuple[CompiledPolicy, Resolved]:
    """Return the one policy of a file; a file of cases has none."""
    if len(library.policies) != 1:
        raise click.UsageError(f"{path} holds no policy")
    (policy,) = library.policies
    return policy, library.documents[policy.ref]
