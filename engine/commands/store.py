"""`amends store`: the tables of a database that cases live in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..errors import Conflict, InvalidValue, StoreUnavailable
from ..render.plain import dumped
from ..store import store_status, upgrade_store
from .terminal import FAILED, FORMAT, WRONG, patience, say

if TYPE_CHECKING:
    from ..store.migrate import StoreStatus

URL = click.argument("url", envvar="AMENDS_STORE")


@click.group("store")
def command() -> None:
    """Look at the tables that cases live in, or bring them up to date.

    URL is the address of a database, such as sqlite:///cases.db or postgresql://user@host/database; the variable
    AMENDS_STORE is taken where it is left out.
    """


@command.command("status")
@URL
@FORMAT
def status(url: str, form: str) -> None:
    """Say at which revision the tables are; exit code 1 if this amends cannot work with them."""
    with _failures():
        found = store_status(url)
    _show(found, form)
    sys.exit(0 if found.is_current else WRONG)


@command.command("upgrade")
@URL
@FORMAT
def upgrade(url: str, form: str) -> None:
    """Make the tables, or bring them up to date. Workers of an older version must have ended."""
    with _failures(), patience("upgrading the tables …"):
        found = upgrade_store(url)
    _show(found, form)


@contextmanager
def _failures() -> Iterator[None]:
    """Tell a wrong address and a database that cannot be worked with from a mistake of ours."""
    try:
        yield
    except InvalidValue as error:
        raise click.UsageError(str(error)) from error
    except (Conflict, StoreUnavailable) as error:
        say(f"amends: {error}", to=sys.stderr)
        sys.exit(FAILED)


def _show(found: StoreStatus, form: str) -> None:
    if form == "json":
        say(dumped({"revision": found.revision, "wanted": found.wanted, "current": found.is_current}))
    elif found.revision is None:
        say(f"no tables; `amends store upgrade` makes them (revision {found.wanted})")
    else:
        verdict = "up to date" if found.is_current else f"this amends works with {found.wanted}"
        say(f"revision {found.revision}: {verdict}")
