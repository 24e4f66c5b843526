"""Stores of cases as commands use them: how one is named and opened, which cases are meant, and what can go wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from typing import Any, Final

import click

from ..engine import Engine
from ..errors import AmendsError, Conflict, InvalidValue, StoreOutdated, StoreUnavailable, UnknownCase
from ..library import Library
from ..operations import Operations
from ..render.diagnostics import one_line
from ..store import store_status
from ..store.protocol import Sought
from ..values import parse_timestamp
from .terminal import FAILED, UNUSABLE, WRONG, say

SENSITIVE: Final = click.option(
    "--with-sensitive",
    "reveal",
    is_flag=True,
    help="Sensitive values too, as far as they are not erased.",
)


class Instant(click.ParamType[datetime]):
    """An instant with its offset."""

    name = "T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            return parse_timestamp(str(value))
        except InvalidValue as problem:
            self.fail(str(problem), param, ctx)


INSTANT: Final = Instant()
AT: Final = click.option(
    "--at", type=INSTANT, metavar="T", help="What is overdue is so at this instant; now where it is left out."
)

_FILTERS: Final = (
    click.option("--policy", metavar="NAME", help="Only cases of a policy."),
    click.option("--state", metavar="STATE", help="Only cases that stand in a state."),
    click.option("--waits-for", metavar="ROLE", help="Only cases that wait for a role."),
    click.option(
        "--open/--closed", "is_open", default=None, help="Only cases that are open, or that are over."
    ),
    click.option(
        "--stuck", is_flag=True, help="Only cases that need a person: a rule failed, or they are parked."
    ),
    click.option(
        "--opened-from", type=INSTANT, metavar="T", help="Only cases that were opened then or later."
    ),
    click.option(
        "--opened-before", type=INSTANT, metavar="T", help="Only cases that were opened before then."
    ),
)

Command = Callable[..., Any]


def filtered(command: Command) -> Command:
    """Give a command the options by which cases are chosen; `sought` makes what is sought of them."""
    return reduce(lambda made, option: option(made), reversed(_FILTERS), command)


def sought(
    *,
    policy: str | None,
    state: str | None,
    waits_for: str | None,
    is_open: bool | None,
    stuck: bool,
    opened_from: datetime | None,
    opened_before: datetime | None,
) -> Sought:
    """Return which cases the options of `filtered` choose."""
    return Sought(
        policy=policy,
        state=state,
        waits_for=waits_for,
        closed=None if is_open is None else not is_open,
        stuck=True if stuck else None,
        opened_from=opened_from,
        opened_before=opened_before,
    )


class Unusable(click.ClickException):
    """What was asked for is not there: wrong usage, told in one line."""

    exit_code = UNUSABLE


@contextmanager
def operating(url: str, *, makes: bool = False) -> Iterator[Operations]:
    """Open a store, and tell what goes wrong with it or its cases in a line.

    Args:
        url: the address of a database.
        makes: make tables where there are none; else there is nothing to be looked at.
    """
    try:
        if not makes and store_status(url).revision is None:
            raise Unusable("no cases live there: the database has no tables, or the file is not there")
        with Engine(Library(), url) as engine:
            yield Operations(engine)
    except (InvalidValue, UnknownCase) as problem:
        raise Unusable(str(problem)) from problem
    except AmendsError as problem:
        say(one_line(f"amends: {problem}"), to=sys.stderr)
        sys.exit(FAILED if _is_away(problem) else WRONG)


def _is_away(problem: AmendsError) -> bool:
    """Tell whether it is the database that failed, and not what is in it."""
    return isinstance(problem, StoreUnavailable | StoreOutdated | Conflict)
