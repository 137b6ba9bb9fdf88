"""Deleting data that is no longer needed. The ledger is not affected; it keeps everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sitematch.store import idempotency
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import delivery, invitation, known_device, login_failure, outbox, token

MESSAGES_KEPT = timedelta(days=30)
"""How long a delivered or finally failed message is kept."""

LOGIN_FAILURES_KEPT = timedelta(days=1)
"""How long failed sign-in attempts are kept: far longer than the longest wait they cause."""

ENDED_TOKENS_KEPT = timedelta(days=30)
"""How long a session or token is listed after it has ended. The audit trail keeps its id permanently."""


DEVICES_KEPT = timedelta(days=366)
"""How long a browser is known after a sign-in with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedCounts:
    """How many rows of each kind were deleted."""

    answers: int
    messages: int
    login_failures: int
    tokens: int

    def __bool__(self) -> bool:
        """Return whether there were any."""
        return bool(self.answers or self.messages or self.login_failures or self.tokens)


def forget_old(store: Store, now: datetime) -> DeletedCounts:
    """Delete stored answers, finished messages, failed sign-ins, and what has ended: sessions, tokens, invitations.

    Parameters
    ----------
    store
        The database.
    now
        The instant (aware).

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    answers = idempotency.forget_old(store, now)
    settled = sa.and_(
        delivery.c.due_at_us.is_(None),
        sa.func.coalesce(delivery.c.delivered_at_us, delivery.c.failed_at_us) <= to_us(now - MESSAGES_KEPT),
    )
    ended_us = to_us(now - ENDED_TOKENS_KEPT)
    with store.writing() as connection:
        connection.execute(sa.delete(delivery).where(settled))
        nobodys = sa.select(delivery.c.message_id).where(delivery.c.message_id == outbox.c.message_id).exists()
        old = sa.and_(outbox.c.at_us <= to_us(now - MESSAGES_KEPT), ~nobodys)
        messages = connection.execute(sa.delete(outbox).where(old)).rowcount
        failures = connection.execute(
            sa.delete(login_failure).where(login_failure.c.last_at_us <= to_us(now - LOGIN_FAILURES_KEPT))
        ).rowcount
        connection.execute(sa.delete(invitation).where(invitation.c.expires_at_us <= to_us(now)))
        connection.execute(sa.delete(known_device).where(known_device.c.created_at_us <= to_us(now - DEVICES_KEPT)))
        tokens = connection.execute(
            sa.delete(token).where(sa.or_(token.c.expires_at_us <= ended_us, token.c.revoked_at_us <= ended_us))
        ).rowcount
    return DeletedCounts(answers=answers, messages=messages, login_failures=failures, tokens=tokens)
