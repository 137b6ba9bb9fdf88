"""Attempts to sign in, counted before it is known whether they are right, and the wait after several failures."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sitematch.errors import LoginDelayed
from sitematch.store import schema
from sitematch.store.accounts.hashing import sha256
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us

FREE_ATTEMPTS = 5
"""Number of attempts without a wait; each further one doubles the wait, from 1 second to `LONGEST_WAIT`."""

LONGEST_WAIT = timedelta(minutes=15)
"""The longest wait between two attempts."""


def count_attempt(store: Store, email: str, now: datetime) -> None:
    """Count an attempt, before it is known whether it is right.

    Raises
    ------
    LoginDelayed
        If too many failed; the attempt is then not counted.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    table = schema.login_failure
    insert = postgresql.insert if store.dialect == "postgresql" else sqlite.insert
    key, now_us = sha256(email), to_us(now)
    with store.writing() as connection:
        connection.execute(insert(table).values(email_hash=key, attempts=0, last_at_us=0).on_conflict_do_nothing())
        # The row's lock makes attempts with the same e-mail wait for one another.
        row = connection.execute(
            sa.update(table)
            .where(table.c.email_hash == key)
            .values(attempts=table.c.attempts + 1)
            .returning(table.c.attempts, table.c.last_at_us)
        ).one()
        wait = _wait_after(row.attempts - 1)
        ready_at = from_us(row.last_at_us) + wait
        if now < ready_at:
            # Undone with the transaction: a request during the wait does not count as an attempt.
            raise LoginDelayed(
                "Too many failed attempts. Wait before you try again.", retry_after_s=(ready_at - now).total_seconds()
            )
        connection.execute(sa.update(table).where(table.c.email_hash == key).values(last_at_us=now_us))


def _wait_after(attempts: int) -> timedelta:
    if attempts < FREE_ATTEMPTS:
        return timedelta(0)
    return min(LONGEST_WAIT, timedelta(seconds=2.0 ** min(attempts - FREE_ATTEMPTS, 20)))


def forget_attempts(connection: sa.Connection, email: str) -> None:
    """Start the count anew after a success."""
    table = schema.login_failure
    connection.execute(sa.delete(table).where(table.c.email_hash == sha256(email)))
