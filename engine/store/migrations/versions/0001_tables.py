"""Make the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def of_case(*, primary: bool = True) -> sa.Column[str]:
    """Return the column that names the case a row belongs to."""
    return sa.Column("case_id", KEY, sa.ForeignKey("amends_cases.id"), primary_key=primary, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "amends_policies",
        sa.Column("bundle", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "amends_cases",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("bundle", sa.Text, sa.ForeignKey("amends_policies.bundle"), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("states", sa.Text, nullable=False),
        sa.Column("waits_for", sa.Text, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("needs_human", sa.Text),
        sa.Column("parked", sa.Text),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("tally", sa.Text, nullable=False),
    )
    op.create_index("amends_cases_opened", "amends_cases", ["opened_at", "id"])
    armed = sa.text("due_at IS NOT NULL")
    op.create_index(
        "amends_cases_due", "amends_cases", ["due_at", "id"], sqlite_where=armed, postgresql_where=armed
    )
    op.create_table("amends_case_keys", of_case(), sa.Column("secret", sa.LargeBinary, nullable=False))
    op.create_table(
        "amends_vault",
        of_case(),
        sa.Column("commitment", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "amends_journal",
        of_case(),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
    )
    op.create_table("amends_openings", sa.Column("key", KEY, primary_key=True), of_case(primary=False))
    op.create_table(
        "amends_event_keys",
        of_case(),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
    )
    make_outbox()
    make_index()


def make_outbox() -> None:
    """Make the outbox."""
    op.create_table(
        "amends_outbox",
        sa.Column("key", KEY, primary_key=True),
        of_case(primary=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("lane", KEY, nullable=False),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "amends_outbox_waiting",
        "amends_outbox",
        ["next_at", "key"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("amends_outbox_lane", "amends_outbox", ["lane", "seq"])
    op.create_index("amends_outbox_case", "amends_outbox", ["case_id"])


def make_index() -> None:
    """Make what cases are found by, and what they share."""
    op.create_table(
        "amends_facts",
        of_case(),
        sa.Column("fact", KEY, primary_key=True),
        sa.Column("value", KEY, nullable=False),
    )
    op.create_index("amends_facts_value", "amends_facts", ["fact", "value"])
    op.create_table(
        "amends_balances",
        sa.Column("balance", KEY, primary_key=True),
        sa.Column("of", KEY, primary_key=True),
    )
    op.create_table(
        "amends_shares",
        of_case(),
        sa.Column("balance", KEY, primary_key=True),
        sa.Column("of", KEY, nullable=False),
    )
    op.create_index("amends_shares_of", "amends_shares", ["balance", "of"])
