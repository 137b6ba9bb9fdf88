"""Look-ups that follow the database: current spots and sites, without a query for each match."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime

from sitematch.domain.capacity.caps import Remaining
from sitematch.domain.finding.candidate import CapacityView
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.errors import LedgerBusy, StorageFault, StudyNotFound
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.finding.clinics import ClinicFinder
from sitematch.services.finding.finder import Finder, StatedCapacity
from sitematch.services.finding.likely_full import LiveOutlooks
from sitematch.services.journey.estimating import TravelEstimator
from sitematch.store.capacity import counting
from sitematch.store.capacity.feed import FEED, CapacityFeed
from sitematch.store.capacity.ledger_changes import has_ledger
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue
from sitematch.store.studies.contacts import read_contacts

SITES_KEPT = 20_000
"""Number of sites of non-default studies that stay in memory: about 32 MB, 1.6 kB per site."""


CAPACITY_FEED = FEED
"""Name of the background task that keeps all numbers of spots current."""


class LiveCapacity:
    """Spots from the ledger, in the feed's memory; for a study without a ledger, the stated numbers.

    Parameters
    ----------
    feed
        Follows the ledger.
    study
        The study whose stated numbers are used without a ledger.
    """

    def __init__(self, feed: CapacityFeed, study: Study) -> None:
        self._feed = feed
        self._stated = StatedCapacity(study)

    def at(self, now: datetime) -> CapacityView:
        """Return the spots at a given time; when a hold lapses, its spot becomes free without an event."""
        return _AtInstant(self._feed, self._stated, now)


class _AtInstant:
    __slots__ = ("_feed", "_now", "_stated")

    def __init__(self, feed: CapacityFeed, stated: StatedCapacity, now: datetime) -> None:
        self._feed, self._stated, self._now = feed, stated, now

    def remaining(self, site: Site, /) -> Remaining:
        """Return the spots left at a site."""
        found = self._feed.remaining(site, self._now)
        return self._stated.remaining(site) if found is None else shown_remaining(site, found)


class CapacityAt:
    """Spots from the ledger at one time, for a look-up or a batch that does not follow changes.

    Parameters
    ----------
    remaining
        By site_id; None if there is no ledger.
    study
        The study whose stated numbers are used without a ledger.
    """

    def __init__(self, remaining: Mapping[str, Remaining] | None, study: Study) -> None:
        self._remaining = remaining
        self._stated = StatedCapacity(study)

    def at(self, _now: datetime, /) -> CapacityAt:
        """Return itself."""
        return self

    def remaining(self, site: Site, /) -> Remaining:
        """Return the spots left at a site."""
        if self._remaining is None:
            return self._stated.remaining(site)
        return shown_remaining(site, self._remaining.get(site.site_id, Remaining(count=None, as_of=None)))


def read_capacity(store: Store, study: Study, now: datetime) -> CapacityAt:
    """Read a study's spots at a given time (aware).

    Raises
    ------
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.capacity.counting.capacity`.
    """
    if not has_ledger(store, study.study_id):
        return CapacityAt(None, study)
    sites = counting.capacity(store, study.study_id, now)
    return CapacityAt({site.site_id: site.as_remaining() for site in sites}, study)


def shown_remaining(site: Site, found: Remaining) -> Remaining:
    """Return the spots left at a site as matches show them: unknown, not 0, if it takes no patients."""
    if site.status in TAKING_STATUSES:
        return found
    # It does not take patients yet, or no longer does. If somebody requests such sites, they must not be shown as
    # "full", because nobody knows how many spots they will have.
    return Remaining(count=None, as_of=found.as_of)


class _LiveFinder:
    """One study's finder, which is read again when the catalogue has changed."""

    def __init__(
        self,
        gazetteer: Gazetteer,
        store: Store,
        study_id: str,
        feed: CapacityFeed,
        outlooks: LiveOutlooks,
        travel: TravelEstimator | None,
    ) -> None:
        self._gazetteer = gazetteer
        self._store = store
        self._study_id = study_id
        self._feed = feed
        self._travel = travel
        self._lock = threading.Lock()
        self._outlook = outlooks.follow(study_id)
        self._version, self._finder = self._load()

    @property
    def size(self) -> int:
        """Return its number of sites."""
        return len(self._finder.sites)

    def finder(self) -> Finder:
        if self._version != self._feed.catalogue_version and self._lock.acquire(blocking=False):
            # Other requests use the old finder until the new one is ready.
            try:
                self._version, self._finder = self._load()
            except (LedgerBusy, StorageFault) as error:
                # Old sites are better than none; the next request tries again.
                self._feed.last_error = error
            finally:
                self._lock.release()
        return self._finder

    def _load(self) -> tuple[str, Finder]:
        # Stored before the read, so that a change in between is read next time.
        version = self._feed.catalogue_version
        study = catalogue.read_study(self._store, self._study_id)
        sites = catalogue.read_sites(self._store, self._study_id)
        contacts = read_contacts(self._store, self._study_id)
        capacity = LiveCapacity(self._feed, study)
        finder = Finder(
            self._gazetteer,
            study,
            sites,
            capacity=capacity,
            contacts=contacts,
            foresight=self._outlook,
            travel=self._travel,
        )
        return version, finder


class LiveFinders:
    """The finders over a changing database: one for each requested study, and one feed for all.

    Parameters
    ----------
    gazetteer
        Turns texts into places.
    store
        The open database; the caller closes it.
    default_id
        The default study; its finder is always kept.
    clock
        Returns the current time (aware, UTC).
    sites_kept
        Of the other studies' finders, those asked for last are kept while they have no more sites than this together.
        The very last one is kept however many it has.
    travel
        Estimates the way by car; answers have no minutes if omitted.

    Raises
    ------
    StudyNotFound
        If the catalogue does not hold the default study.
    LedgerBusy, StorageFault, NotReady
        If the database cannot be read.

    Notes
    -----
    Thread-safe. Open it after the process has forked, because the feed and the outlooks each have a thread.
    """

    def __init__(
        self,
        gazetteer: Gazetteer,
        store: Store,
        default_id: str,
        clock: Callable[[], datetime],
        *,
        sites_kept: int = SITES_KEPT,
        travel: TravelEstimator | None = None,
    ) -> None:
        self.gazetteer = gazetteer
        self.store = store
        self.default_id = default_id
        self._sites_kept = sites_kept
        self._travel = travel
        self._lock = threading.Lock()
        self._others: OrderedDict[str, _LiveFinder] = OrderedDict()
        self.feed = CapacityFeed(store, clock)
        self.outlooks = LiveOutlooks(store, clock)
        try:
            self._default = self._open(default_id)
            self.clinics = ClinicFinder(gazetteer, store, lambda study: LiveCapacity(self.feed, study))
        except BaseException:
            self.close()
            raise

    def finder(self, study_id: str | None = None) -> Finder:
        """Return the finder over a study's current sites; sites are read again only if the catalogue has changed.

        Parameters
        ----------
        study_id
            The study; None is the default one.

        Raises
        ------
        StudyNotFound
            If the study is not in the catalogue, or no longer.
        LedgerBusy, StorageFault, NotReady
            If the finder was not open yet and the database cannot be read.
        """
        if study_id is None or study_id == self.default_id:
            return self._default.finder()
        with self._lock:
            live = self._others.get(study_id)
            if live is not None:
                self._others.move_to_end(study_id)
        if live is None:
            # Opened outside the lock, so that nobody waits for a study that somebody else requested. Two threads may
            # open the same one; both are correct, and the later one is kept.
            live = self._open(study_id)
            self._keep(study_id, live)
        try:
            return live.finder()
        except StudyNotFound:
            with self._lock:
                self._others.pop(study_id, None)
            raise

    def close(self) -> None:
        """Stop following the database."""
        self.outlooks.close()
        self.feed.close()

    def _open(self, study_id: str) -> _LiveFinder:
        return _LiveFinder(self.gazetteer, self.store, study_id, self.feed, self.outlooks, self._travel)

    def _keep(self, study_id: str, live: _LiveFinder) -> None:
        with self._lock:
            self._others[study_id] = live
            self._others.move_to_end(study_id)
            while len(self._others) > 1 and sum(other.size for other in self._others.values()) > self._sites_kept:
                self._others.popitem(last=False)
