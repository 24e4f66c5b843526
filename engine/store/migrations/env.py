"""Runs migrations on the connection that `amends.engine.store.migrate` hands over."""

from alembic import context

from amends.engine.store.tables import VERSIONS, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSIONS,
)
context.run_migrations()
