"""The database: schema and migrations, the site catalogue, the capacity ledger, accounts, the webhook outbox.

SQLite and PostgreSQL are equals: one schema, one set of statements, one specification run on both. This is
the only room that imports SQLAlchemy. Nothing is imported here, so that a program which needs no database
pays for none; take what you need from the modules:

=====================  ==============================================================================
`engine`               `open_store(url)`: connections, transactions, errors of the driver made ours
`migrate`              `upgrade`, `downgrade`, `revision`: the schema, through Alembic
`catalogue`            studies and sites; `catalogue_version` changes whenever they do
`ledger`, `waiting`    what takes a spot, moves it on, gives it back, passes it on
`rules`                caps, closing, the study's policy; `writing` holds the lock that makes all of it safe
`counting`             what is taken and left, where referrals stand, what happened
`feed`                 spots left, from memory, at most about a second old
`audit`                the hash chain checked, and all that is derived from it
`portable`, `backup`   the ledger as NDJSON; the whole database as one file
`accounts`, `tokens`   who may sign in, with which roles, by which proof
`webhooks`, `outbox`   who wants to be told what, and bringing it to them
=====================  ==============================================================================
"""
