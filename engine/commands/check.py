"""`amends check`: what is wrong with policies, and where."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import InvalidValue
from ..pages import code_of, page_text, page_texts
from ..publishing.loading import Loaded
from ..publishing.provenance import origins
from ..render.diagnostics import findings_json, findings_text
from ..render.github import findings_github
from ..render.provenance import Whence, provenance_data, provenance_text
from ..render.sarif import findings_sarif
from .reading import load, texts, wrong
from .terminal import EXISTING, WRONG, in_colour, say


def explain_code(ctx: click.Context, param: click.Parameter, code: str | None) -> None:
    """Print the page of a code and leave; it needs no policy."""
    if code is None or ctx.resilient_parsing:
        return
    try:
        known = code_of(code)
    except InvalidValue as problem:
        raise click.BadParameter(str(problem), ctx, param) from None
    say(page_text(known))
    ctx.exit()


def _whence(library: Loaded) -> list[Whence]:
    return [(ref, origins(found.node, found.under)) for ref, found in library.documents.items()]


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH...")
@click.option(
    "--explain",
    is_eager=True,
    expose_value=False,
    callback=explain_code,
    metavar="CODE",
    help="Print the page of a code, such as AM104, and leave.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="For people, for programs, for code scanning (SARIF 2.1.0), or as annotations of GitHub Actions.",
)
@click.option(
    "--provenance",
    is_flag=True,
    help="Print where every value of each policy comes from, with all that it extends under it.",
)
def command(paths: tuple[Path, ...], form: str, *, provenance: bool) -> None:
    """Check policies, and say where they are wrong.

    PATH is a policy file, or a folder of them.
    """
    if provenance and form not in {"text", "json"}:
        raise click.UsageError(f"--provenance is printed as text or json, not as {form}")
    library = load(paths, Loaded, dates=False)
    found = library.diagnostics
    sizes = [(policy.ref, *policy.size) for policy in library.policies]
    match form:
        case "json":
            more = {"provenance": provenance_data(_whence(library))} if provenance else {}
            said = findings_json(found, sizes=sizes, more=more)
        case "sarif":
            said = findings_sarif(found, page_texts(item.code for item in found))
        case "github":
            said = findings_github(found)
        case _:
            read = texts(found)
            said = findings_text(found, read, files=len(library.files), sizes=sizes, colour=in_colour())
            if provenance:
                said = provenance_text(_whence(library), colour=in_colour()) + said
    if said:
        say(said)
    sys.exit(WRONG if wrong(found) else 0)
