"""Alembic's scripts; run them through `sitematch.store.migrate`."""
