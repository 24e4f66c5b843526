"""Making the tables and bringing them up to date, by the migrations in the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table

from ..errors import StoreOutdated
from .tables import REVISION, VERSIONS, cases

#: Any number that no other part of an application locks by: two workers must not make the tables at once.
_LOCK: Final = 4_861_923_075_120
_ADVISORY: Final = "SELECT pg_advisory_xact_lock(%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """What tables a database has: the revision they are at, and the one that this version of amends works with."""

    #: None where there are none yet.
    revision: str | None
    wanted: str

    @property
    def is_current(self) -> bool:
        """Whether they can be worked with."""
        return self.revision == self.wanted


def status(engine: Engine) -> StoreStatus:
    """Return what tables a database has."""
    with engine.connect() as connection:
        return StoreStatus(revision=_revision(connection), wanted=REVISION)


def ensure(engine: Engine) -> None:
    """Make the tables where there are none.

    Raises:
        StoreOutdated: there are tables, and they are those of another version.
    """
    found = status(engine)
    if found.is_current:
        return
    if found.revision is not None:
        raise StoreOutdated(
            f"the tables are at revision {found.revision}, and this version of amends works with {found.wanted}; "
            "run `amends store upgrade`, or the version that made them"
        )
    upgrade(engine)


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date, or make them; whoever comes at the same time waits."""
    from alembic import command  # noqa: PLC0415 - a fifth of a second, and only new tables need it
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "amends.engine.store:migrations")
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(_ADVISORY, (_LOCK,))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Return the revision of the tables, or None where there are none."""
    has = inspect(connection).has_table
    if not has(VERSIONS):
        return None
    versions = named_table(VERSIONS, named_column("version_num"))
    found: str | None = connection.scalar(select(versions.c.version_num))
    return found if found is not None and has(cases.name) else None
