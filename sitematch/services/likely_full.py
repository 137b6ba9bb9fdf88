"""What a match says of the time to come: that a site is likely full by a month, where that is probable.

It is worked out beside the look-ups and kept, so a look-up only reads a dictionary. It changes the order of nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sitematch.domain.match import Reason, ReasonCode
from sitematch.domain.ranking import NOTHING_FORESEEN
from sitematch.errors import SitematchError
from sitematch.store.engine import Store
from sitematch.store.recruiting import recruitment

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
        See `sitematch.store.recruiting.recruitment`.
    """
    found = recruitment(store, study_id, now, zone=UTC)
    if not found.enrolled:
        return NOTHING_FORESEEN
    # numpy and scipy are imported only where there is something to work out.
    from sitematch.reports.forecast.soon import full_soon

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


class LiveOutlook:
    """What is probable of a study's sites, worked out anew every ten minutes by a thread.

    Parameters
    ----------
    store
        The database.
    study_id
        The study.
    clock
        Gives the present instant (aware).
    refresh_s
        How long to keep what was worked out, in seconds.

    Notes
    -----
    It opens at once: nothing is said until the first result is there. Start it after the process has forked.
    """

    def __init__(
        self, store: Store, study_id: str, clock: Callable[[], datetime], *, refresh_s: float = REFRESH_S
    ) -> None:
        self._store = store
        self._study_id = study_id
        self._clock = clock
        self._refresh_s = refresh_s
        self._kept: tuple[datetime, Mapping[str, Reason]] = (clock(), NOTHING_FORESEEN)
        self._working = threading.Lock()
        self._stop = threading.Event()
        self.last_error: SitematchError | None = None
        self._thread = threading.Thread(target=self._run, name="sitematch-outlook", daemon=True)
        self._thread.start()

    def at(self, now: datetime, /) -> Mapping[str, Reason]:
        """Return what is probable, by site_id, from memory."""
        worked_out_at, foreseen = self._kept
        return foreseen if now - worked_out_at <= STALE_AFTER else NOTHING_FORESEEN

    def refresh(self) -> None:
        """Work it out now, rather than at the thread's next turn; errors are those of `likely_full`."""
        # One after another, so that what was read first is never kept last.
        with self._working:
            now = self._clock()
            self._kept = (now, likely_full(self._store, self._study_id, now))
            self.last_error = None

    def close(self) -> None:
        """Stop the thread; the store stays open."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self.refresh()
            except SitematchError as error:
                # What was worked out before is said until it is stale.
                self.last_error = error
            if self._stop.wait(self._refresh_s):
                return
