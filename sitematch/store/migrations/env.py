"""Run the migrations on the connection that `sitematch.store.migrate` hands over."""

from alembic import context

from sitematch.store.schema import metadata

# No batch mode on SQLite for existing tables is needed so far; the transaction is the caller's.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
