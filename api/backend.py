"""What requests need: the settings, the clock, the database and the finder, opened once in each worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from typing import TypeVar

from api.background import flushing, rounds
from sitematch.config import Settings
from sitematch.domain.place import Place
from sitematch.domain.studies.study import tidy_study_id
from sitematch.errors import DataFault, LedgerBusy, NotReady, SitematchError, StorageFault, StudyNotFound
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.live_finders import LiveFinders
from sitematch.services.journey.opening import open_estimator
from sitematch.services.reports.demand import DemandCounter
from sitematch.services.setup import ClockGuard, Store, open_store
from sitematch.supervision import Supervisor

LOG = logging.getLogger("sitematch.api")

T = TypeVar("T")

Clock = Callable[[], datetime]

MOST_WRITES = 3
"""How many writes may be under way or wait at once in a process; beyond it they are told to come back. `serve` gives a
process at least five threads, so that some are always left for look-ups and for `/healthz`."""

THREADS = 8
"""Threads for requests where the settings name no number."""

SPARE_READERS = 2
"""Connections to the gazetteer beside those of the threads for requests: for what runs in the background."""

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

    Attributes
    ----------
    demand
        Counts look-ups by coarse region; None unless the operator wants that.
    tasks
        What runs in the background.
    """

    def __init__(self, settings: Settings, clock: Clock = utc_now, finder: Finder | None = None) -> None:
        self.settings = settings
        self.now = clock
        self._fixed = finder
        self._live: LiveFinders | None = None
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._retry_at_s: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self.demand = DemandCounter() if settings.count_demand else None
        self.tasks = Supervisor()
        if self.demand is not None:
            self.tasks.watch(flushing(self.demand, self.store, self.now).start())
            # A process that a server started runs this at its end; `atexit` does not, there.
            Finalize(None, self._flush_demand, exitpriority=0)

    def finder(self, study_id: str | None = None) -> Finder:
        """Return the finder over the present catalogue and ledger, opening it if that is due.

        Parameters
        ----------
        study_id
            The study as it was typed; None is the one that this server matches.

        Raises
        ------
        NotReady
            If the gazetteer, the database or the server's own study is missing or cannot be read; the log says which.
        StudyNotFound
            If another study was asked for and there is none.
        LedgerBusy, StorageFault
            If it had to be read and the database did not answer.
        """
        named = None if study_id is None else tidy_study_id(study_id)
        if self._fixed is not None and named in (None, self._fixed.study.study_id):
            return self._fixed
        live = self.live()
        if named is not None and named != live.default_id:
            return live.finder(named)
        try:
            return live.finder()
        except StudyNotFound as error:
            raise NotReady(error.message) from error

    def live(self) -> LiveFinders:
        """Return what follows the database, opening it if that is due.

        Raises
        ------
        NotReady
            See `finder`.
        """
        return self._live if self._live is not None else self._open(self._open_live)

    def store(self) -> Store:
        """Return the open database.

        Raises
        ------
        NotReady
            If it is missing or cannot be read; the log says why.
        """
        return self._store if self._store is not None else self._open(self._open_store)

    def count_demand(self, study_id: str, place: Place) -> None:
        """Count that a look-up was answered, by coarse region, if the operator wants that."""
        if self.demand is not None:
            self.demand.count(study_id, place)

    def _flush_demand(self) -> None:
        if self.demand is not None:
            try:
                self.demand.flush(self.store(), self.now())
            except SitematchError as error:
                LOG.warning("The counts of look-ups were not written: %s", error.message)

    def _open(self, opener: Callable[[], T]) -> T:
        """Try to open something, but not again at once; each on its own, as one may be there without the other."""
        what = opener.__name__
        with self._lock:
            if time.monotonic() < self._retry_at_s.get(what, 0.0):
                raise NotReady(self._said[what])
            try:
                return opener()
            except (NotReady, StorageFault, LedgerBusy, StudyNotFound, DataFault) as error:
                self._retry_at_s[what] = time.monotonic() + _RETRY_S
                if error.message not in self._said.values():
                    # No request has a part in this message, so it may be logged.
                    LOG.error("Not ready. %s", error.message)
                self._said[what] = error.message
                raise NotReady(error.message) from error

    def _open_store(self) -> Store:
        if self._store is None:
            self._store = open_store(
                self.settings.database_url,
                busy_timeout_s=self.settings.busy_timeout_s,
                clock=ClockGuard() if self.now is utc_now else None,
                most_waiting=MOST_WRITES,
            )
            if self.settings.notices_every_s:
                self.tasks.watch(*(task.start() for task in rounds(self._store, self.now, self.settings)))
        return self._store

    def _open_live(self) -> LiveFinders:
        if self._live is None:
            opened = self._fixed and self._fixed.gazetteer
            readers = self.settings.threads or THREADS
            gazetteer = opened or Gazetteer.open(self.settings.gazetteer_path, readers=readers + SPARE_READERS)
            travel = open_estimator(self.settings)
            self._live = LiveFinders(gazetteer, self._open_store(), self.settings.study_id, self.now, travel=travel)
            self.tasks.watch(self._live.feed.task, self._live.outlooks.task)
            finder = self._live.finder()
            LOG.info("Ready: %s with %d sites.", finder.study.study_id, len(finder.sites))
        return self._live
