"""Telling webhooks what happened: the one place where the outbox and the sender meet."""

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
"""How many receivers are served at the same time: a slow one keeps only its own messages waiting."""


def offer_and_notice(store: Store, now: datetime) -> None:
    """Offer what came free to those who wait, and write down what there is to tell.

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
    """Bring every message that is due to its receiver, and return how many arrived.

    Receivers are served side by side, each in the order of its messages; after a failure the rest of a receiver's
    messages wait for the next try. Run it every few seconds, in as many processes as you like.

    Parameters
    ----------
    store
        The database.
    clock
        Gives the present instant (aware): each attempt is signed with its own.
    allow_private
        Whether receivers inside one's own network may be reached.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.writing`; what was not delivered is tried again at a later run.
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
            ended.set()  # after a fault of the database nobody begins another message


def _serve(
    store: Store, webhook_id: str, clock: Callable[[], datetime], ended: threading.Event, *, allow_private: bool
) -> int:
    """Bring one receiver its messages until one fails or none is due."""
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
    """Offer what came free, notice what changed, deliver what is due, and return how many deliveries arrived.

    Parameters and errors are those of `deliver`.
    """
    offer_and_notice(store, clock())
    return deliver(store, clock, allow_private=allow_private)
