"""What requests need: the settings, the clock, and the finder, opened once in each worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sitematch.config import Settings
from sitematch.errors import DataFault, LedgerBusy, NotReady, StorageFault, StudyNotFound
from sitematch.services.finder import Finder
from sitematch.services.setup import open_finder

LOG = logging.getLogger("sitematch.api")

Clock = Callable[[], datetime]

_RETRY_S = 1.0
"""Between two tries to open what was not ready, so that a crowd of requests does not try in turn."""


def utc_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


class Backend:
    """Gives the finder once it can be opened; shared by all threads of a worker.

    Parameters
    ----------
    settings
        Where things are.
    clock
        Tells the moment of an answer (aware, UTC).
    finder
        A finder that is open already; otherwise it is opened at the first use.
    """

    def __init__(self, settings: Settings, clock: Clock = utc_now, finder: Finder | None = None) -> None:
        self.settings = settings
        self.now = clock
        self._finder = finder
        self._lock = threading.Lock()
        self._retry_at_s = 0.0
        self._said = ""

    def finder(self) -> Finder:
        """Return the finder, opening it if that is due.

        Raises
        ------
        NotReady
            If the gazetteer, the database or the study is missing or cannot be read; the log says which.
        """
        found = self._finder
        return found if found is not None else self._open()

    def _open(self) -> Finder:
        with self._lock:
            if self._finder is not None:
                return self._finder
            if time.monotonic() < self._retry_at_s:
                raise NotReady(self._said)
            try:
                self._finder = open_finder(self.settings)
            except (NotReady, StorageFault, LedgerBusy, StudyNotFound, DataFault) as error:
                self._retry_at_s = time.monotonic() + _RETRY_S
                if error.message != self._said:
                    self._said = error.message
                    # No request has a part in this message, so it may be logged.
                    LOG.error("Not ready. %s", error.message)
                raise NotReady(error.message) from error
            LOG.info("Ready: %s with %d sites.", self._finder.study.study_id, len(self._finder.sites))
            return self._finder
