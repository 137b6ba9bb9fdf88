"""The database: schema and migrations, the site catalogue, the capacity ledger, accounts, the webhook outbox.

SQLite and PostgreSQL are equals: one schema, one set of statements, one specification run on both. This is
the only room that imports SQLAlchemy. Nothing is imported here, so that a program which needs no database
pays for none; take what you need from the modules:

=====================  ==============================================================================
`engine`               `open_store(url)`: connections, transactions, errors of the driver made ours
`migrate`              `upgrade`, `downgrade`, `revision`: the schema, through Alembic
`catalogue`            studies and sites; `catalogue_version` changes whenever they do
=====================  ==============================================================================
"""
