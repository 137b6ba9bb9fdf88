"""The outbox: delivering each message to each subscribed webhook, with retries until it arrives or finally fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sitematch.domain.webhooks.notice import DueDelivery, FailedDelivery
from sitematch.store.engine import Store
from sitematch.store.instants import from_us, to_us
from sitematch.store.schema import delivery, outbox, webhook

RETRY_AFTER = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""The waits between attempts; after the last attempt the message is no longer retried."""

LEASE = timedelta(minutes=2)
"""How long a process has a delivery to itself; if the process dies, another one can take it afterwards."""


def receivers_due(store: Store, now: datetime) -> tuple[str, ...]:
    """Return the webhooks that may have a message due now, by id.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    due = sa.select(delivery.c.webhook_id).where(delivery.c.due_at_us <= to_us(now)).distinct()
    with store.reading() as connection:
        return tuple(connection.execute(due.order_by(delivery.c.webhook_id)).scalars())


def take_next(store: Store, webhook_id: str, now: datetime) -> DueDelivery | None:
    """Claim a webhook's oldest open message, if it is due; nobody else gets it for two minutes.

    A receiver gets its messages in order: while an older one waits for a retry, or is being delivered elsewhere, newer
    ones wait.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    oldest = (
        sa.select(delivery.c.message_id, delivery.c.due_at_us)
        .join(outbox, outbox.c.message_id == delivery.c.message_id)
        .where(delivery.c.webhook_id == webhook_id, delivery.c.due_at_us.is_not(None))
        .order_by(outbox.c.at_us, delivery.c.message_id)
        .limit(1)
    )
    with store.writing() as connection:
        found = connection.execute(oldest).one_or_none()
        if found is None or found.due_at_us > to_us(now):
            return None
        # Claimed only if still due: another process may have been faster.
        taken = connection.execute(
            sa.update(delivery)
            .where(
                delivery.c.message_id == found.message_id,
                delivery.c.webhook_id == webhook_id,
                delivery.c.due_at_us <= to_us(now),
            )
            # Without an error it is under way, so that nobody who sends failed messages again sends it twice.
            .values(attempts=delivery.c.attempts + 1, due_at_us=to_us(now + LEASE), last_error="")
            .returning(delivery.c.attempts)
        ).one_or_none()
        return None if taken is None else _due(connection, found.message_id, webhook_id, taken.attempts)


def _due(connection: sa.Connection, message_id: str, webhook_id: str, attempt: int) -> DueDelivery:
    row = connection.execute(
        sa.select(outbox.c.body, webhook.c.url, webhook.c.secret)
        .select_from(delivery)
        .join(outbox, outbox.c.message_id == delivery.c.message_id)
        .join(webhook, webhook.c.webhook_id == delivery.c.webhook_id)
        .where(delivery.c.message_id == message_id, delivery.c.webhook_id == webhook_id)
    ).one()
    return DueDelivery(
        message_id=message_id,
        webhook_id=webhook_id,
        url=row.url,
        secret=row.secret,
        body=row.body.encode(),
        attempt=attempt,
    )


def record(store: Store, due: DueDelivery, *, error: str | None, now: datetime) -> None:
    """Record the result of a delivery: done, to be retried, or finally failed.

    Parameters
    ----------
    store
        The database.
    due
        The delivery from `take_next`.
    error
        What went wrong, in plain words; None if it arrived.
    now
        The instant (aware).

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`.
    """
    values: dict[str, Any] = {"due_at_us": None, "last_error": error or ""}
    if error is None:
        values["delivered_at_us"] = to_us(now)
    elif due.attempt <= len(RETRY_AFTER):
        values["due_at_us"] = to_us(now + RETRY_AFTER[due.attempt - 1])
    else:
        values["failed_at_us"] = to_us(now)
    with store.writing() as connection:
        connection.execute(
            sa.update(delivery)
            .where(
                delivery.c.message_id == due.message_id,
                delivery.c.webhook_id == due.webhook_id,
                # If the lease has expired, the delivery now belongs to another process.
                delivery.c.attempts == due.attempt,
            )
            .values(**values)
        )


def count_deliveries(store: Store, now: datetime) -> dict[str, int]:
    """Count what is not delivered yet: ``"due"`` now, ``"waiting"`` for a later try or the end of one, ``"given up"``.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    due = delivery.c.due_at_us
    states = {"due": due <= to_us(now), "waiting": due > to_us(now), "given up": delivery.c.failed_at_us.is_not(None)}
    with store.reading() as connection:
        return {
            name: connection.execute(sa.select(sa.func.count()).select_from(delivery).where(found)).scalar_one()
            for name, found in states.items()
        }


def failed_deliveries(store: Store) -> tuple[FailedDelivery, ...]:
    """Return the messages that failed, finally or so far, oldest first."""
    query = (
        sa.select(delivery, webhook.c.url)
        .join(webhook, webhook.c.webhook_id == delivery.c.webhook_id)
        .join(outbox, outbox.c.message_id == delivery.c.message_id)
        .where(delivery.c.delivered_at_us.is_(None), delivery.c.last_error != "")
        .order_by(outbox.c.at_us, delivery.c.message_id, delivery.c.webhook_id)
    )
    with store.reading() as connection:
        return tuple(
            FailedDelivery(
                message_id=row.message_id,
                webhook_id=row.webhook_id,
                url=row.url,
                attempts=row.attempts,
                last_error=row.last_error,
                next_at=None if row.due_at_us is None else from_us(row.due_at_us),
            )
            for row in connection.execute(query)
        )
