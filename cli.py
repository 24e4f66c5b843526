"""The command line: it parses, calls, prints and sets the exit code. docs/cli.md describes it.

Only click is imported here; each command imports what it needs when it is called, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from amends.engine.version import LANGUAGE, VERSION

if TYPE_CHECKING:
    from amends.engine.diagnostics import Diagnostic
    from amends.engine.library import Library
    from amends.engine.scenario import ScenarioCase, ScenarioFile

#: Exit codes; wrong usage is 2, click's own.
WRONG: Final = 1
FAILED: Final = 3

#: Seconds before a command says what it is doing.
PATIENCE: Final = 1.0
#: Characters that a terminal may lack, and what is written instead.
PLAINER: Final = str.maketrans({"–": "-", "—": "-", "…": "...", "→": "->", "≈": "~"})


class Commands(click.Group):
    """Commands that never end in a traceback; `AMENDS_DEBUG` brings it back."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn what nobody foresaw into a short text and exit code 3."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except BrokenPipeError:
            # Whoever read us has stopped; Python would complain again when it flushes on its way out.
            sys.stdout = None
            ctx.exit(FAILED)
        except Exception as problem:
            if os.environ.get("AMENDS_DEBUG"):
                raise
            lines = str(problem).splitlines() or [""]
            what = "the environment failed" if isinstance(problem, OSError) else "this is a mistake in amends"
            say(f"amends: {what}: {type(problem).__name__}: {lines[0]}", to=sys.stderr)
            say("set AMENDS_DEBUG=1 to see where", to=sys.stderr)
            ctx.exit(FAILED)


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
EXISTING: Final = click.Path(exists=True, path_type=Path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(
    VERSION, prog_name="amends", message=f"%(prog)s %(version)s, policy language {LANGUAGE}"
)
def main() -> None:
    """Check, dry-run and test policies.

    Exit codes: 0 fine, 1 a policy or an expectation is wrong, 2 wrong usage, 3 the environment failed.
    """


def explain_code(ctx: click.Context, param: click.Parameter, code: str | None) -> None:
    """Print the page of a code and leave; it needs no policy."""
    from amends.engine.errors import InvalidValue
    from amends.engine.pages import code_of, page_text

    if code is None or ctx.resilient_parsing:
        return
    try:
        known = code_of(code)
    except InvalidValue as problem:
        raise click.BadParameter(str(problem), ctx, param) from None
    say(page_text(known))
    ctx.exit()


@main.command()
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
def check(paths: tuple[Path, ...], form: str) -> None:
    """Check policies, and say where they are wrong.

    PATH is a policy file, or a folder of them.
    """
    from amends.engine.pages import page_texts
    from amends.engine.render.diagnostics import findings_json, findings_text
    from amends.engine.render.github import findings_github
    from amends.engine.render.sarif import findings_sarif

    library = load(paths, to_run=False)
    found = library.diagnostics
    sizes = [(policy.ref, *policy.size) for policy in library.policies]
    match form:
        case "json":
            said = findings_json(found, sizes=sizes)
        case "sarif":
            said = findings_sarif(found, page_texts(item.code for item in found))
        case "github":
            said = findings_github(found)
        case _:
            read = texts(found)
            said = findings_text(found, read, files=len(library.files), sizes=sizes, colour=in_colour())
    if said:
        say(said)
    sys.exit(WRONG if wrong(found) else 0)


@main.command()
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
def simulate(
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
    from amends.engine.errors import AmendsError
    from amends.engine.render.timeline import timeline_json, timeline_text
    from amends.engine.simulate import simulate as run
    from amends.engine.values import parse_timestamp

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


@main.command()
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
def test(paths: tuple[Path, ...], files: tuple[Path, ...], lang: str, form: str) -> None:
    """Run scenario cases against policies, and show what is not as expected.

    PATH is a policy file or a folder of them. Without --cases the scenario files beside them are run: below a folder
    every *.yaml in a folder `scenarios` and every *.scenarios.yaml; of X.yaml the file X.scenarios.yaml.
    """
    from amends.engine.render.results import results_json, results_text
    from amends.engine.scenario import CaseResult, Results, find_scenarios, run_file

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


@main.command()
@click.argument("name", type=click.Choice(["policy", "scenario"]))
def schema(name: str) -> None:
    """Print the JSON Schema of policies or of scenario files, for an editor."""
    from amends.engine.schema import schema_text

    say(schema_text("policy" if name == "policy" else "scenario"))


def load(paths: Iterable[Path], *, to_run: bool = True) -> Library:
    """Read policies; those that are only looked at are read quicker."""
    from amends.engine.library import Library

    # What is read stays, so that looking for garbage meanwhile finds none and takes a tenth of the time.
    gc.disable()
    try:
        with patience("reading policies"):
            return Library.load(*paths) if to_run else Library.check(*paths)
    finally:
        gc.enable()


def ready(
    paths: Iterable[Path], scenarios: Iterable[Path], form: str
) -> tuple[Library, tuple[ScenarioFile, ...]]:
    """Read policies and scenario files; where any of them is wrong, show that and leave."""
    from amends.engine.scenario import read_scenarios

    library = load(paths)
    read = [read_scenarios(path) for path in scenarios]
    # The library has looked at scenario files below its folders too.
    every = {*library.diagnostics, *(item for _, items in read for item in items)}
    found = tuple(sorted(every, key=lambda item: item.order))
    if wrong(found):
        refuse(found, form)
    return library, tuple(file for file, _ in read if file is not None)


def refuse(found: tuple[Diagnostic, ...], form: str) -> None:
    """Show findings that leave nothing to run, and leave."""
    from amends.engine.render.diagnostics import findings_text
    from amends.engine.render.results import results_json
    from amends.engine.scenario import Results

    if form == "json":
        say(results_json(Results(cases=()), found))
    else:
        say(findings_text(found, texts(found), colour=in_colour(sys.stderr)), to=sys.stderr)
    sys.exit(WRONG)


def fail(message: str, form: str) -> None:
    """Say why a case cannot be run, and leave."""
    if form == "json":
        from amends.engine.render.plain import dumped

        say(dumped({"error": message}))
    else:
        say(message, to=sys.stderr)
    sys.exit(WRONG)


def chosen(file: ScenarioFile, case_id: str | None) -> ScenarioCase:
    """Return the case of a file that was asked for, or its only one."""
    from amends.engine.diagnostics import did_you_mean

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
