"""What a server does by itself now and then: offer lapsed spots to those who wait, tell webhooks, write demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sitematch.config import Settings
from sitematch.services.reports.demand import FLUSH_EVERY_S, DemandCounter
from sitematch.services.setup import Store, forget_old
from sitematch.services.webhooks.notices import deliver, offer_and_notice
from sitematch.supervision import Task

RETENTION_EVERY_S = 3600.0
"""How often what has served its purpose is deleted, in seconds."""

LATE_AFTER_S = 60.0
"""How long the waiting list and webhooks may go without a round before they count as late, in seconds."""


def flushing(
    counter: DemandCounter,
    store: Callable[[], Store],
    clock: Callable[[], datetime],
    *,
    every_s: float = FLUSH_EVERY_S,
) -> Task:
    """Return the task that writes full batches of look-ups now and then, by the clock and never because of a look-up.

    Parameters
    ----------
    counter
        Holds the counts.
    store
        Gives the database.
    clock
        Tells the moment (aware, UTC).
    every_s
        How often, in seconds.
    """
    return Task("demand", lambda: counter.flush(store(), clock()), every_s=every_s, late_after_s=2 * every_s)


def rounds(store: Store, clock: Callable[[], datetime], settings: Settings) -> tuple[Task, ...]:
    """Return the tasks that any number of processes may do side by side.

    Parameters
    ----------
    store
        The database.
    clock
        Tells the moment (aware, UTC).
    settings
        How often, and where webhooks may go.

    Returns
    -------
    tuple of Task
        The waiting list, and webhooks: apart, so that no receiver keeps a freed spot from being offered. And the
        deletion of what has served its purpose.
    """
    every_s = settings.notices_every_s
    late_s = LATE_AFTER_S + every_s
    return (
        Task("waiting list", lambda: offer_and_notice(store, clock()), every_s=every_s, late_after_s=late_s),
        Task(
            "webhooks",
            lambda: deliver(store, clock, allow_private=settings.webhooks_to_private),
            every_s=every_s,
            # One receiver that trickles may take its whole time, and its messages come one after another.
            late_after_s=late_s + 600.0,
        ),
        Task("retention", lambda: forget_old(store, clock()), every_s=RETENTION_EVERY_S, late_after_s=24 * 3600.0),
    )
