"""What a match says of the time to come: that a site is likely full by a month, where that is probable.

It is worked out beside the look-ups and kept, so a look-up only reads a dictionary. It changes the order of nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sitematch.domain.match import Reason, ReasonCode
from sitematch.domain.ranking import NOTHING_FORESEEN
from sitematch.errors import SitematchError, StudyNotFound
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
    """What is probable of the sites of the studies that are asked for, worked out anew every ten minutes by one thread.

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
    It opens at once: nothing is said of a study until its first result is there. Start it after the process has forked.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], *, refresh_s: float = REFRESH_S) -> None:
        self._store = store
        self._clock = clock
        self._refresh_s = refresh_s
        self._followed: dict[str, StudyOutlook] = {}
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        self.last_error: SitematchError | None = None
        self._thread = threading.Thread(target=self._run, name="sitematch-outlook", daemon=True)
        self._thread.start()

    def of(self, study_id: str) -> StudyOutlook:
        """Return what is probable of a study, following it from now on."""
        with self._lock:
            outlook = self._followed.get(study_id)
            if outlook is None:
                outlook = self._followed[study_id] = StudyOutlook(self._clock())
                self._wake.set()
        return outlook

    def forget(self, study_id: str) -> None:
        """Follow a study no longer."""
        with self._lock:
            self._followed.pop(study_id, None)

    def refresh(self) -> None:
        """Work it out now for every study followed, rather than at the thread's next turn.

        Raises
        ------
        LedgerBusy, StorageFault, NotReady
            See `likely_full`; the studies before the one that failed are done.
        """
        self._refresh(lambda outlook: True)

    def close(self) -> None:
        """Stop the thread; the store stays open."""
        self._is_closed = True
        self._wake.set()
        self._thread.join()

    def _refresh(self, is_due: Callable[[StudyOutlook], bool]) -> None:
        with self._lock:
            followed = list(self._followed.items())
        # One after another, so that what was read first is never kept last.
        with self._working:
            for study_id, outlook in followed:
                if not self._is_closed and is_due(outlook):
                    now = self._clock()
                    try:
                        outlook.keep(now, likely_full(self._store, study_id, now))
                    except StudyNotFound:
                        # It was removed; whoever asks for it next is told so.
                        self.forget(study_id)
        self.last_error = None

    def _run(self) -> None:
        while not self._is_closed:
            # Woken for a study that is new, the others wait for their turn.
            is_new = self._wake.is_set()
            self._wake.clear()
            try:
                self._refresh((lambda outlook: outlook.is_new) if is_new else (lambda outlook: True))
            except SitematchError as error:
                # What was worked out before is said until it is stale.
                self.last_error = error
            if not self._is_closed:
                self._wake.wait(self._refresh_s)


class StudyOutlook:
    """What is probable of one study's sites, from memory."""

    def __init__(self, now: datetime) -> None:
        self._kept: tuple[datetime, Mapping[str, Reason]] = (now, NOTHING_FORESEEN)
        self.is_new = True

    def keep(self, now: datetime, foreseen: Mapping[str, Reason]) -> None:
        """Take what was worked out at an instant (aware)."""
        self._kept = (now, foreseen)
        self.is_new = False

    def at(self, now: datetime, /) -> Mapping[str, Reason]:
        """Return what is probable, by site_id; nothing once it is stale."""
        worked_out_at, foreseen = self._kept
        return foreseen if now - worked_out_at <= STALE_AFTER else NOTHING_FORESEEN
