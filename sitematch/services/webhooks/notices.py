"""Notices for webhooks: writing them to the outbox and delivering them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sitematch.notify.post import post
from sitematch.services.capacity.freed_spots import offer_freed_spots
from sitematch.store.engine import Store
from sitematch.store.webhooks.endpoints import disable_webhook, notice_changes
from sitematch.store.webhooks.outbox import count_deliveries, receivers_due, record, take_next

__all__ = ["count_deliveries", "deliver", "offer_and_notice", "run_notices"]

RECEIVERS_AT_ONCE = 8
"""Number of receivers served at the same time; a slow one delays only its own messages."""


def offer_and_notice(store: Store, now: datetime) -> None:
    """Offer free spots to the waiting list, and store the notices about changes.

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
    offer_freed_spots(store, now)
    notice_changes(store, now)


def deliver(store: Store, clock: Callable[[], datetime], *, allow_private: bool = False) -> int:
    """Deliver every message that is due, and return how many arrived.

    Receivers are served in parallel, each in the order of its messages. After a failure, the other messages of a
    receiver wait for the next attempt. Run it every few seconds, in any number of processes.

    Parameters
    ----------
    store
        The database.
    clock
        Returns the current time (aware), with which each attempt is signed.
    allow_private
        Whether receivers inside the own network are allowed.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`; messages that were not delivered are retried in a later run.
    """
    receivers = receivers_due(store, clock())
    if not receivers:
        return 0
    ended = threading.Event()
    with ThreadPoolExecutor(min(len(receivers), RECEIVERS_AT_ONCE), thread_name_prefix="sitematch-webhook") as pool:
        tasks = [pool.submit(_serve, store, each, clock, ended, allow_private=allow_private) for each in receivers]
        try:
            return sum(task.result() for task in tasks)
        finally:
            ended.set()  # after a database error, no further message is started


def _serve(
    store: Store, webhook_id: str, clock: Callable[[], datetime], ended: threading.Event, *, allow_private: bool
) -> int:
    """Deliver one receiver's messages until one fails or none is due."""
    arrived = 0
    while not ended.is_set() and (due := take_next(store, webhook_id, clock())) is not None:
        reply = post(
            due.url,
            secret=due.secret,
            body=due.body,
            message_id=due.message_id,
            at=clock(),
            allow_private=allow_private,
        )
        record(store, due, error=reply.error or None, now=clock())
        if reply.wants_no_more:
            disable_webhook(store, webhook_id=webhook_id, now=clock())
        if not reply.has_arrived:
            break
        arrived += 1
    return arrived


def run_notices(store: Store, clock: Callable[[], datetime], *, allow_private: bool = False) -> int:
    """Offer free spots, detect changes, deliver due messages, and return how many deliveries arrived.

    Parameters and errors are those of `deliver`.
    """
    offer_and_notice(store, clock())
    return deliver(store, clock, allow_private=allow_private)
