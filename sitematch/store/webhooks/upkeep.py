"""Looking after a webhook: a test message, sending again what was given up, another secret."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec
import sqlalchemy as sa

from sitematch.errors import InvalidInput, NotFound
from sitematch.store.engine import Store
from sitematch.store.instants import to_us
from sitematch.store.schema import delivery, outbox, webhook

TEST_KIND = "webhook.test"
"""What a test message says that it is about; nobody has to ask for it."""


def send_test(store: Store, *, webhook_id: str, now: datetime) -> str:
    """Write a message that says nothing happened, to be delivered like any other, and return its id.

    Raises
    ------
    NotFound
        If there is no such webhook.
    InvalidInput
        If it is disabled.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    message_id = secrets.token_hex(16)
    with store.writing() as connection:
        study_id = _enabled(connection, webhook_id)
        body = {
            "id": message_id,
            "kind": TEST_KIND,
            "at": now,
            "study_id": study_id or None,
            "percent": None,
            "sites": [],
        }
        connection.execute(
            sa.insert(outbox).values(
                message_id=message_id,
                at_us=to_us(now),
                study_id=study_id,
                kind=TEST_KIND,
                body=msgspec.json.encode(body).decode(),
            )
        )
        connection.execute(
            sa.insert(delivery).values(
                message_id=message_id, webhook_id=webhook_id, attempts=0, due_at_us=to_us(now), last_error=""
            )
        )
    return message_id


def redeliver(store: Store, *, webhook_id: str, now: datetime) -> int:
    """Send again, from the first attempt on, every message that failed and was given up or waits; return how many.

    A message that is under way just now is left to whoever brings it.

    Raises
    ------
    NotFound, InvalidInput
        As for `send_test`.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    with store.writing() as connection:
        _enabled(connection, webhook_id)
        again = connection.execute(
            sa.update(delivery)
            .where(
                delivery.c.webhook_id == webhook_id,
                delivery.c.delivered_at_us.is_(None),
                delivery.c.last_error != "",
                sa.or_(delivery.c.failed_at_us.is_not(None), delivery.c.due_at_us > to_us(now)),
            )
            .values(attempts=0, due_at_us=to_us(now), failed_at_us=None)
        )
        return again.rowcount


def rotate_secret(store: Store, *, webhook_id: str) -> str:
    """Give a webhook another secret, which signs from the next message on, and return it.

    Raises
    ------
    NotFound, InvalidInput
        As for `send_test`.
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    secret = secrets.token_urlsafe(32)
    with store.writing() as connection:
        _enabled(connection, webhook_id)
        connection.execute(sa.update(webhook).where(webhook.c.webhook_id == webhook_id).values(secret=secret))
    return secret


def _enabled(connection: sa.Connection, webhook_id: str) -> str:
    """Return the study of a webhook that is told things; empty for every study."""
    row = connection.execute(
        sa.select(webhook.c.study_id, webhook.c.disabled_at_us).where(webhook.c.webhook_id == webhook_id)
    ).one_or_none()
    if row is None:
        raise NotFound("Webhook not found.", field="webhook_id")
    if row.disabled_at_us is not None:
        raise InvalidInput("This webhook is disabled. Add a new one.", field="webhook_id")
    return str(row.study_id)
