"""Telling webhooks what happened: the one place where the outbox and the sender meet."""

from __future__ import annotations

from datetime import datetime

from sitematch.notify.post import post
from sitematch.services.capacity.freed_spots import offer_freed_spots
from sitematch.store.engine import Store
from sitematch.store.webhooks.endpoints import notice_changes
from sitematch.store.webhooks.outbox import record, take_due


def run_notices(store: Store, now: datetime, *, allow_private: bool = False) -> int:
    """Offer what came free, notice what changed, deliver what is due, and return how many deliveries arrived.

    Run it every few seconds, in as many processes as you like.

    Parameters
    ----------
    store
        The database.
    now
        The instant (aware).
    allow_private
        Whether receivers inside one's own network may be reached.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`; what was not delivered is tried again at a later run.
    """
    offer_freed_spots(store, now)
    notice_changes(store, now)
    arrived = 0
    for due in take_due(store, now):
        error = post(
            due.url,
            secret=due.secret,
            body=due.body,
            message_id=due.message_id,
            at=now,
            allow_private=allow_private,
        )
        record(store, due, error=error, now=now)
        arrived += error is None
    return arrived
