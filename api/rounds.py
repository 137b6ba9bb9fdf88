"""What a server does by itself now and then: offer lapsed spots to who waits, and tell webhooks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from sitematch.config import Settings
from sitematch.errors import SitematchError
from sitematch.services.notices import run_notices
from sitematch.store.engine import Store

LOG = logging.getLogger("sitematch.api")


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
                    LOG.warning("Notices are late: %s. They are tried again.", kind)
                said = kind

    threading.Thread(target=make_rounds, name="sitematch-rounds", daemon=True).start()
