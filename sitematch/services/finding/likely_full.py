"""The forecast in a match: that a site is likely to be full by the end of a month, if that is probable.

It is computed in the background and stored, so a look-up only reads a dictionary. It does not change any order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from weakref import WeakSet

from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.finding.ranking import NOTHING_FORESEEN
from sitematch.store.capacity.history.recruiting import recruitment
from sitematch.store.engine import Store
from sitematch.supervision import Task

PROBABLE = 0.85
"""Lowest probability at which a match says so."""

WITHIN_MONTHS = 12
"""How far ahead, in months; a later date does not help anybody who looks for a site now."""

REFRESH_S = 600.0
"""How long a result is kept, in seconds; ten minutes of enrolments change it little."""

STALE_AFTER = timedelta(days=1)
"""Age at which a result is no longer shown if it could not be computed again."""

_COURSES = 2_000


def likely_full(store: Store, study_id: str, now: datetime) -> Mapping[str, Reason]:
    """Return the "likely full" reasons of sites, by site_id; none if there is too little data.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    now
        The instant (aware).

    Raises
    ------
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.history.recruiting.recruitment`.
    """
    found = recruitment(store, study_id, now, zone=UTC)
    if not found.enrolled:
        return NOTHING_FORESEEN
    # numpy and scipy are imported only if there is something to compute.
    from sitematch.reports.forecast.full_soon import full_soon

    soon = full_soon(found, UTC, probable=PROBABLE, months=WITHIN_MONTHS, courses=_COURSES)
    return {
        site_id: Reason(ReasonCode.LIKELY_FULL, on=full.on, probability=full.probability)
        for site_id, full in soon.items()
    }


class OutlookAt:
    """The forecast at one time, for a look-up or a batch that does not follow changes."""

    def __init__(self, foreseen: Mapping[str, Reason]) -> None:
        self._foreseen = foreseen

    def at(self, _now: datetime, /) -> Mapping[str, Reason]:
        """Return what is probable, by site_id."""
        return self._foreseen


def read_outlook(store: Store, study_id: str, now: datetime) -> OutlookAt:
    """Compute the forecast for a given time; errors are those of `likely_full`."""
    return OutlookAt(likely_full(store, study_id, now))


class StudyOutlook:
    """The latest forecast for one study's sites.

    Parameters
    ----------
    study_id
        The study.
    """

    def __init__(self, study_id: str) -> None:
        self.study_id = study_id
        self.due_at_s = 0.0
        self._kept: tuple[datetime, Mapping[str, Reason]] | None = None

    def at(self, now: datetime, /) -> Mapping[str, Reason]:
        """Return the forecast by site_id, from memory."""
        kept = self._kept
        return NOTHING_FORESEEN if kept is None or now - kept[0] > STALE_AFTER else kept[1]

    def keep(self, now: datetime, foreseen: Mapping[str, Reason]) -> None:
        """Store a new result."""
        self._kept = (now, foreseen)


class LiveOutlooks:
    """Computes the forecasts of the studies in use, in a thread: at once, then every ten minutes.

    Parameters
    ----------
    store
        The database.
    clock
        Returns the current time (aware).
    refresh_s
        How long to keep a result, in seconds.

    Notes
    -----
    Start it after the process has forked.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], *, refresh_s: float = REFRESH_S) -> None:
        self._store = store
        self._clock = clock
        self._refresh_s = refresh_s
        # A study is in use as long as a finder uses it.
        self._followed: WeakSet[StudyOutlook] = WeakSet()
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self.last_error: Exception | None = None
        self.task = Task(
            "outlooks", self._work_out_what_is_due, every_s=self._next_s, late_after_s=3 * refresh_s
        ).start(at_once=True)

    def follow(self, study_id: str) -> StudyOutlook:
        """Return a study's outlook, which is empty until it is computed for the first time."""
        outlook = StudyOutlook(study_id)
        with self._lock:
            self._followed.add(outlook)
        self.task.wake()
        return outlook

    def refresh(self) -> None:
        """Compute every outlook now instead of in the thread; errors are those of `likely_full`."""
        for outlook in self._list():
            self._work_out(outlook)

    def close(self) -> None:
        """Stop the thread; the store stays open."""
        self.task.stop()

    def _list(self) -> list[StudyOutlook]:
        with self._lock:
            return list(self._followed)

    def _work_out(self, outlook: StudyOutlook) -> None:
        # One after another, so that an older result never replaces a newer one.
        with self._working:
            outlook.due_at_s = time.monotonic() + self._refresh_s
            now = self._clock()
            outlook.keep(now, likely_full(self._store, outlook.study_id, now))
            self.last_error = None

    def _work_out_what_is_due(self) -> None:
        failed: Exception | None = None
        for outlook in self._list():
            if outlook.due_at_s <= time.monotonic():
                try:
                    self._work_out(outlook)
                except Exception as error:
                    # The previous result is shown until it is stale, and the other studies are computed.
                    self.last_error = failed = error
        if failed is not None:
            raise failed

    def _next_s(self) -> float:
        """Return how long to wait, in seconds, until the first study is due."""
        due = min((outlook.due_at_s for outlook in self._list()), default=time.monotonic() + self._refresh_s)
        return max(0.0, due - time.monotonic())
