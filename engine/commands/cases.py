"""`amends cases`: what operators do with the cases of a store."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any, Final

import click

from ..durable.listing import place_of
from ..durable.standing import Standing
from ..errors import InvalidValue
from ..render.diagnostics import one_line
from ..render.plain import dumped
from ..render.proving import imported_json, imported_text, proven_json, proven_text
from ..render.report import report_json, report_text
from ..render.rows import Rows, row_json
from ..render.standing import case_json, case_text
from ..render.steps import entry_json, journal_text, why_text
from .stores import AT, SENSITIVE, filtered, operating, sought
from .terminal import FORMAT, LANG, STORE, WRONG, in_colour, patience, say

#: How many rows are written at once.
_ROWS: Final = 100

CASE: Final = click.argument("case_id", metavar="CASE")
CASES: Final = click.argument("ids", nargs=-1, metavar="[CASE]...")


class Declared(click.Group):
    """Commands in the order in which they are declared: what is asked for most comes first."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return their names."""
        return list(self.commands)


@click.group("cases", cls=Declared)
def command() -> None:
    """List, explain, prove, count and carry the cases of a store.

    A store is the address of a database, such as sqlite:///cases.db or postgresql://user@host/database.
    """


# --- looking ------------------------------------------------------------------------------------------------------------


@command.command("list")
@STORE
@filtered
@click.option("--overdue", is_flag=True, help="Only cases for which somebody should have acted, and has not.")
@AT
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="How many at most.",
)
@click.option(
    "--all", "every", is_flag=True, help="All of them, however many; they are read as they are written."
)
@click.option(
    "--after", metavar="PLACE", help="Go on after a place in the list, as a list before has told it."
)
@FORMAT
def list_(
    *,
    store: str,
    overdue: bool,
    at: datetime | None,
    limit: int,
    every: bool,
    after: str | None,
    form: str,
    **filters: Any,
) -> None:
    """List cases in the order of their opening.

    As JSON: a line for each.
    """
    now = _now(at)
    rows = Rows(now, colour=in_colour())
    last: Standing | None = None
    with operating(store) as operations:
        found = operations.standings(sought(**filters), after, overdue_at=now if overdue else None)
        asked = found if every else islice(found, limit)
        while page := _page(asked):
            for line in [row_json(one, now) for one in page] if form == "json" else rows.lines(page):
                say(line)
            last = page[-1]
        if form == "json":
            return
        if last is None:
            say("no cases")
        elif not every and next(found, None) is not None:
            say(f"more follow: --after {shlex.quote(place_of(last.summary))}")


def _now(at: datetime | None) -> datetime:
    return at or datetime.now(UTC)


def _page(found: Iterable[Standing]) -> list[Standing]:
    """Read some rows; where few of many cases are asked for that may take long."""
    with patience("looking through cases ..."):
        return list(islice(found, _ROWS))


@command.command("show")
@STORE
@CASE
@AT
@SENSITIVE
@LANG
@FORMAT
def show(*, store: str, case_id: str, at: datetime | None, reveal: bool, lang: str, form: str) -> None:
    """Show how a case stands.

    Whom it waits for, what is known, what runs out when and what then happens, and where its money is.
    """
    with operating(store) as operations:
        shown = operations.show(case_id, reveal=reveal)
    if form == "json":
        say(case_json(shown, _now(at), language=lang))
    else:
        say(case_text(shown, _now(at), language=lang, colour=in_colour()))


@command.command("why")
@STORE
@CASE
@click.option(
    "--seq",
    type=click.IntRange(min=0),
    metavar="N",
    help="The number of the step; the last where it is left out.",
)
@SENSITIVE
@LANG
@FORMAT
def why(*, store: str, case_id: str, seq: int | None, reveal: bool, lang: str, form: str) -> None:
    """Show what a step of a case did, and why."""
    with operating(store) as operations:
        if form == "json":
            say(dumped(operations.why(case_id, seq, lang=lang, reveal=reveal)))
            return
        told = operations.story(case_id, seq, reveal=reveal)
    say(why_text(told, language=lang, colour=in_colour()))


@command.command("journal")
@STORE
@CASE
@SENSITIVE
@LANG
@FORMAT
def journal(*, store: str, case_id: str, reveal: bool, lang: str, form: str) -> None:
    """Show the steps of a case, a line for each.

    As JSON: whole entries of the journal, a line for each.
    """
    with operating(store) as operations:
        found = operations.journal(case_id, reveal=reveal)
    if form == "json":
        for written in found.written:
            say(entry_json(case_id, written))
    else:
        say(journal_text(found, language=lang, colour=in_colour()))


@command.command("report")
@STORE
@filtered
@AT
@FORMAT
def report(*, store: str, at: datetime | None, form: str, **filters: Any) -> None:
    """Count cases: whom they wait for, how late, and the money.

    Also how many stand in which state, and how many were decided in which way.
    """
    with operating(store) as operations, patience("counting cases") as tell:
        found = operations.report(sought(**filters), _now(at), lambda count: tell(f"{count:,} cases"))
    say(report_json(found) if form == "json" else report_text(found, colour=in_colour()))


# --- proving ------------------------------------------------------------------------------------------------------------


@command.command("verify")
@STORE
@CASES
@filtered
@FORMAT
def verify(*, store: str, ids: tuple[str, ...], form: str, **filters: Any) -> None:
    """Prove journals, and decide every step again.

    It ends with exit code 1 if a case is not sound. The policies are those that the store has kept. Without a CASE all of them are proven, or those chosen by options.
    """
    with operating(store) as operations, patience("proving journals") as tell:
        found = operations.verify(
            operations.meant(ids, sought(**filters)), lambda count: tell(f"{count:,} cases")
        )
    if form == "json":
        say(proven_json(found))
    else:
        say(proven_text(found, colour=in_colour()))
    sys.exit(WRONG if found.wrong else 0)


# --- carrying -----------------------------------------------------------------------------------------------------------


@command.command("export")
@STORE
@CASES
@filtered
@SENSITIVE
def export(*, store: str, ids: tuple[str, ...], reveal: bool, **filters: Any) -> None:
    """Write cases to standard output, as JSON Lines.

    `amends cases import` reads them. With everything that another store needs to go on with them: their policies, journals, idempotency keys and deliveries.
    Without --with-sensitive, sensitive values stay behind, and are unknown to whoever imports the file.
    """
    stream = sys.stdout.buffer
    # On a terminal the lines themselves show how far it is.
    with (
        operating(store) as operations,
        nullcontext() if stream.isatty() else patience("exporting cases") as tell,
    ):
        meant = operations.meant(ids, sought(**filters))
        for line in operations.export(
            meant, reveal=reveal, tell=lambda count: tell and tell(f"{count:,} cases")
        ):
            stream.write(line)
        stream.flush()


@command.command("import")
@STORE
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--take-over",
    is_flag=True,
    help="Go on with the cases here: their timers fire, and what nobody delivered is delivered. They must have been left alone "
    "where they come from.",
)
@FORMAT
def import_(*, store: str, file: str, take_over: bool, form: str) -> None:
    """Write cases that were exported into a store.

    All of them are written, or none where anything is wrong. Every journal is proven first. FILE may be - for standard input. Without --take-over the cases are copies that do nothing by
    themselves.
    """
    with (
        operating(store, makes=True) as operations,
        patience("proving journals") as tell,
        _twice(file) as lines,
    ):
        try:
            done = operations.import_(
                lines, live=take_over, tell=lambda count: tell(f"{count:,} cases proven")
            )
        except InvalidValue as problem:
            name = "standard input" if file == "-" else file
            say(one_line(f"{name}: {problem}; nothing was imported"), to=sys.stderr)
            sys.exit(WRONG)
    say(imported_json(done, live=take_over) if form == "json" else imported_text(done, live=take_over))


@contextmanager
def _twice(name: str) -> Iterator[IO[bytes]]:
    """Open a file that is read twice: a pipe is copied first."""
    with click.open_file(name, "rb") as file:
        if file.seekable():
            yield file
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            yield copy
