"""What a match says of the time to come: that a site is likely full by a month, where that is probable.

It is worked out beside the look-ups and kept, so a look-up only reads a dictionary. It changes the order of nothing.
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

PROBABLE = 0.8
"""From this probability on it is said."""

WITHIN_MONTHS = 12
"""How far ahead, in months: what is farther off helps nobody who looks for a site now."""

REFRESH_S = 600.0
"""How long what was worked out is kept, in seconds; a day of enrolments changes it little."""

STALE_AFTER = timedelta(days=1)
"""After how long it is no longer said if it could not be worked out anew."""

_COURSES = 2_000


def likely_full(store: Store, study_id: str, now: datetime) -> Mapping[str, Reason]:
    """Return the reasons to say that a site will be full, by site_id; none if there are too few data to say.

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
    # numpy and scipy are imported only where there is something to work out.
    from sitematch.reports.forecast.full_soon import full_soon

    soon = full_soon(found, UTC, probable=PROBABLE, months=WITHIN_MONTHS, courses=_COURSES)
    return {
        site_id: Reason(ReasonCode.LIKELY_FULL, on=full.on, probability=full.probability)
        for site_id, full in soon.items()
    }


class OutlookAt:
    """What was probable at one instant, for a look-up or a batch that does not follow changes."""

    def __init__(self, foreseen: Mapping[str, Reason]) -> None:
        self._foreseen = foreseen

    def at(self, _now: datetime, /) -> Mapping[str, Reason]:
        """Return what is probable, by site_id."""
        return self._foreseen


def read_outlook(store: Store, study_id: str, now: datetime) -> OutlookAt:
    """Work out what is probable at an instant; errors are those of `likely_full`."""
    return OutlookAt(likely_full(store, study_id, now))


class StudyOutlook:
    """What is probable of one study's sites, as it was last worked out.

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
        """Return what is probable, by site_id, from memory."""
        kept = self._kept
        return NOTHING_FORESEEN if kept is None or now - kept[0] > STALE_AFTER else kept[1]

    def keep(self, now: datetime, foreseen: Mapping[str, Reason]) -> None:
        """Say this from now on."""
        self._kept = (now, foreseen)


class LiveOutlooks:
    """Works out what is probable of the studies that are followed, in a thread: at once, then every ten minutes.

    Parameters
    ----------
    store
        The database.
    clock
        Gives the present instant (aware).
    refresh_s
        How long to keep what was worked out, in seconds.

    Notes
    -----
    Start it after the process has forked.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], *, refresh_s: float = REFRESH_S) -> None:
        self._store = store
        self._clock = clock
        self._refresh_s = refresh_s
        # Only as long as a finder uses it is a study followed.
        self._followed: WeakSet[StudyOutlook] = WeakSet()
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self.last_error: Exception | None = None
        self.task = Task(
            "outlooks", self._work_out_what_is_due, every_s=self._next_s, late_after_s=3 * refresh_s
        ).start(at_once=True)

    def follow(self, study_id: str) -> StudyOutlook:
        """Return a study's outlook, which says nothing until it is worked out for the first time."""
        outlook = StudyOutlook(study_id)
        with self._lock:
            self._followed.add(outlook)
        self.task.wake()
        return outlook

    def refresh(self) -> None:
        """Work out every outlook now, rather than at the thread's next turn; errors are those of `likely_full`."""
        for outlook in self._list():
            self._work_out(outlook)

    def close(self) -> None:
        """Stop the thread; the store stays open."""
        self.task.stop()

    def _list(self) -> list[StudyOutlook]:
        with self._lock:
            return list(self._followed)

    def _work_out(self, outlook: StudyOutlook) -> None:
        # One after another, so that what was read first is never kept last.
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
                    # What was worked out before is said until it is stale, and the other studies have their turn.
                    self.last_error = failed = error
        if failed is not None:
            raise failed

    def _next_s(self) -> float:
        """Return how long to rest, in seconds: until the first study is due."""
        due = min((outlook.due_at_s for outlook in self._list()), default=time.monotonic() + self._refresh_s)
        return max(0.0, due - time.monotonic())
