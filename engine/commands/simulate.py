"""`amends simulate`: one case run dry, as a timeline."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import AmendsError
from ..render.timeline import timeline_json, timeline_text
from ..simulate import simulate as run
from ..values import parse_timestamp
from .scenarios import chosen, fail, ready
from .terminal import EXISTING, FORMAT, LANG, in_colour, patience, say


@click.command("simulate")
@click.argument("policy", type=EXISTING)
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--case", "case_id", metavar="ID", help="Which case of the file; needed where it holds several."
)
@click.option("--until", metavar="T", help="Stop at this instant, such as 2026-03-05T20:00:00-05:00.")
@click.option(
    "--what-if-nobody-acts", is_flag=True, help="After the last event let time pass until nothing happens."
)
@LANG
@FORMAT
def command(
    *,
    policy: Path,
    scenario: Path,
    case_id: str | None,
    until: str | None,
    what_if_nobody_acts: bool,
    lang: str,
    form: str,
) -> None:
    """Dry-run a case, and show its timeline.

    POLICY is a policy file or a folder of them; SCENARIO a file of cases.
    """
    try:
        end = None if until is None else parse_timestamp(until)
    except AmendsError as problem:
        raise click.BadParameter(str(problem), param_hint="--until") from None
    library, (file,) = ready((policy,), [scenario], form)
    case = chosen(file, case_id)
    if end is not None and end < case.opens_at:
        raise click.BadParameter("the case is not open by then", param_hint="--until")
    with patience("running the case"):
        try:
            timeline = run(case, library, until=end, what_if_nobody_acts=what_if_nobody_acts)
        except AmendsError as problem:
            fail(f"{case.place}: {case.id}: {problem}", form)
    if form == "json":
        say(timeline_json(timeline, language=lang))
    else:
        say(timeline_text(timeline, language=lang, colour=in_colour()))
