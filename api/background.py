"""What a server does by itself now and then: offer lapsed spots to who waits, tell webhooks, write demand."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from sitematch.config import Settings
from sitematch.errors import SitematchError
from sitematch.services.capacity.notices import run_notices
from sitematch.services.reports.demand import FLUSH_EVERY_S, DemandCounter
from sitematch.store.engine import Store

LOG = logging.getLogger("sitematch.api")


def start_flushing(
    counter: DemandCounter,
    store: Callable[[], Store],
    clock: Callable[[], datetime],
    *,
    every_s: float = FLUSH_EVERY_S,
) -> threading.Event:
    """Start a thread that writes full batches of look-ups now and then, by the clock and never because of a look-up.

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

    Returns
    -------
    threading.Event
        Once set, it ends the thread.
    """
    ended = threading.Event()

    def flush_till_ended() -> None:
        while not ended.wait(every_s):
            try:
                counter.flush(store(), clock())
            except SitematchError as error:
                LOG.warning("Demand was not written: %s. Trying again next time.", type(error).__name__)

    threading.Thread(target=flush_till_ended, name="sitematch-demand", daemon=True).start()
    return ended


def start_rounds(store: Store, clock: Callable[[], datetime], settings: Settings) -> None:
    """Start a thread that makes the rounds until the process ends; any number of processes may do so.

    Parameters
    ----------
    store
        The database.
    clock
        Tells the moment (aware, UTC).
    settings
        How often, and where webhooks may go.
    """

    def make_rounds() -> None:
        said = ""
        while True:
            time.sleep(settings.notices_every_s)
            try:
                run_notices(store, clock(), allow_private=settings.webhooks_to_private)
                said = ""
            except SitematchError as error:
                # No request has a part in this, but a message may name an address of ours: its kind is enough.
                kind = type(error).__name__
                if kind != said:
                    LOG.warning("Notices are late: %s. Trying again.", kind)
                said = kind

    threading.Thread(target=make_rounds, name="sitematch-rounds", daemon=True).start()
