"""Run the migrations on the connection from `sitematch.store.migrate`."""

from alembic import context

from sitematch.store.schema import metadata

# So far no batch mode is needed for existing tables on SQLite. The caller manages the transaction.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
