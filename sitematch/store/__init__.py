"""The database: schema and migrations, the site catalogue, the capacity ledger, accounts, the webhook outbox.

SQLite and PostgreSQL are equals: one schema, one set of statements, one specification run on both. This is
the only room that imports SQLAlchemy. Nothing is imported here, so that a program which needs no database
pays for none; take what you need from the modules:

=================  ===============================================================================
`engine`           `open_store(url)`: connections, transactions, errors of the driver made ours
`schema`           every table; `migrate` brings a database up to it, through Alembic
`idempotency`      the same key gets the same answer; `request_claims` for answers that hold a secret
`backup`           the whole database as one file
`studies`          studies and sites; `catalogue_version` changes whenever they do
`capacity`         what takes a spot, moves it on, gives it back, and what is left
`accounts`         who may sign in, with which roles, by which proof
`webhooks`         who wants to be told what, and the outbox
`reports`          counts of look-ups
=================  ===============================================================================
"""
