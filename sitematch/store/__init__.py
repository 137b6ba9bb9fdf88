"""The database: schema and migrations, the site catalogue, the capacity ledger, accounts, the webhook outbox.

SQLite and PostgreSQL have the same schema, the same statements and the same tests. This is the only package that
imports SQLAlchemy. Nothing is imported here, so that a program without a database does not load it; import from the
modules:

=================  ===============================================================================
`engine`           `open_store(url)`: connections, transactions, conversion of driver errors `schema`           every
table; `migrate` upgrades a database to it, with Alembic `idempotency`      the same key gets the same answer;
`request_claims` for answers that contain a secret `backup`           the whole database as one file `studies` studies
and sites; `catalogue_version` changes whenever they do `capacity`         taking, using and releasing spots, and the
spots left `accounts`         accounts, roles and authentication `webhooks`         subscriptions to notices, and the
outbox `reports`          counts of look-ups
=================  ===============================================================================
"""
