"""The tables, as SQLAlchemy knows them. docs/store.md tells what each is for; the migrations make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from ..errors import CorruptJournal

#: The migration that makes these tables.
REVISION: Final = "0001"
#: The table in which Alembic keeps the revision; a host's own Alembic has another.
VERSIONS: Final = "amends_version"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


class Instant(TypeDecorator[datetime]):
    """An instant as whole seconds since 1970 (UTC), the resolution of the engine: both databases sort and compare it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Return what is stored."""
        return None if value is None else (value - _EPOCH) // _SECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the instant that was stored."""
        try:
            return None if value is None else _EPOCH + value * _SECOND
        except (TypeError, OverflowError):
            raise CorruptJournal(f"a row of the store is damaged: `{value!r:.40}` is no instant") from None


#: What rows are found and sorted by: byte by byte on either database, whatever language a host's database sorts in.
Key: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()


def _of_case(*, primary: bool = True) -> Column[str]:
    return Column("case_id", Key, ForeignKey("amends_cases.id"), primary_key=primary, nullable=False)


policies = Table(
    "amends_policies",
    metadata,
    Column("bundle", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

cases = Table(
    "amends_cases",
    metadata,
    Column("id", Key, primary_key=True),
    Column("bundle", Text, ForeignKey("amends_policies.bundle"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    # Names with a space on either side, so that one of several can be looked for.
    Column("states", Text, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("due_at", Instant),
    Column("needs_human", Text),
    Column("parked", Text),
    Column("snapshot", Text, nullable=False),
    # What other cases may ask about it.
    Column("tally", Text, nullable=False),
)
Index("amends_cases_opened", cases.c.opened_at, cases.c.id)
Index(
    "amends_cases_due",
    cases.c.due_at,
    cases.c.id,
    sqlite_where=cases.c.due_at.is_not(None),
    postgresql_where=cases.c.due_at.is_not(None),
)

case_keys = Table(
    "amends_case_keys",
    metadata,
    _of_case(),
    Column("secret", LargeBinary, nullable=False),
)

vault = Table(
    "amends_vault",
    metadata,
    _of_case(),
    Column("commitment", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

journal = Table(
    "amends_journal",
    metadata,
    _of_case(),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("head", Text, nullable=False),
)

openings = Table(
    "amends_openings",
    metadata,
    Column("key", Key, primary_key=True),
    _of_case(primary=False),
)

event_keys = Table(
    "amends_event_keys",
    metadata,
    _of_case(),
    Column("key", Key, primary_key=True),
    Column("first", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
)

outbox = Table(
    "amends_outbox",
    metadata,
    Column("key", Key, primary_key=True),
    _of_case(primary=False),
    Column("seq", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lane", Key, nullable=False),
    # The effect as the journal has it: sensitive values as commitments.
    Column("effect", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("error", Text),
)
Index(
    "amends_outbox_waiting",
    outbox.c.next_at,
    outbox.c.key,
    sqlite_where=outbox.c.state == "waiting",
    postgresql_where=outbox.c.state == "waiting",
)
Index("amends_outbox_lane", outbox.c.lane, outbox.c.seq)
Index("amends_outbox_case", outbox.c.case_id)

# Values are digests of canonical JSON: of one length, however long they are.
facts = Table(
    "amends_facts",
    metadata,
    _of_case(),
    Column("fact", Key, primary_key=True),
    Column("value", Key, nullable=False),
)
Index("amends_facts_value", facts.c.fact, facts.c.value)

balances = Table(
    "amends_balances",
    metadata,
    Column("balance", Key, primary_key=True),
    Column("of", Key, primary_key=True),
)

shares = Table(
    "amends_shares",
    metadata,
    _of_case(),
    Column("balance", Key, primary_key=True),
    Column("of", Key, nullable=False),
)
Index("amends_shares_of", shares.c.balance, shares.c.of)
