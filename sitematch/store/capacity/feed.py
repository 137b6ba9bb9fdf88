"""Live capacity from memory, so that matching needs no database query for each site.

A thread checks four times a second whether any process has committed anything, and reads the changed studies again. On
SQLite it uses ``PRAGMA data_version``, which takes microseconds; on PostgreSQL one small query reads the ends of the
studies' chains. Lapsing holds need no poll, because the feed knows when they lapse.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sitematch.domain.capacity.caps import CapKey, CapLevel, Remaining, SiteCapacity
from sitematch.domain.capacity.occupancy import StudyView
from sitematch.domain.studies.site import Site
from sitematch.errors import SitematchError
from sitematch.store.capacity.counting import read_view
from sitematch.store.engine import Store
from sitematch.store.faults import translated_errors
from sitematch.store.schema import cap, catalogue
from sitematch.supervision import Task

FEED = "capacity feed"
"""Name of the background task that keeps all numbers of spots current."""

POLL_S = 0.25
"""How long the thread waits between two polls, in seconds."""

STALE_AFTER = timedelta(seconds=10)
"""Time without a successful poll after which the numbers are reported as unknown."""

EAGER_STUDIES = 200
"""Up to this many studies with a ledger are read at the start; with more, each is read at its first use."""

_HEADS = sa.select(cap.c.study_id, cap.c.head_seq, cap.c.head_hash).where(
    cap.c.level == "STUDY", cap.c.scope == "", cap.c.head_seq > 0
)
_CLOCK = sa.select(sa.func.clock_timestamp())
_CATALOGUE = sa.select(catalogue.c.epoch, catalogue.c.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCapacity:
    """A study's spots in the feed.

    Parameters
    ----------
    study_id
        The study.
    version
        A text that changes whenever the numbers do; suitable for an ETag.
    sites
        Every site, in the catalogue's order.
    as_of
        The time of the last poll (aware, UTC).
    next_lapse_at
        When the next hold or offer lapses; until then the numbers change only with a commit. None if none will lapse.
    """

    study_id: str
    version: str
    sites: Mapping[str, SiteCapacity]
    as_of: datetime
    next_lapse_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySpots:
    """A study's spots as a whole.

    Parameters
    ----------
    study_id
        The study.
    offered, held, screening, enrolled
        Referrals in that state.
    left
        Spots left: what the sites have left together, but no more than the study's own cap; None if no cap is known.
    """

    study_id: str
    offered: int
    held: int
    screening: int
    enrolled: int
    left: int | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The data of one study, and its numbers at a given time."""

    head: tuple[int, str]
    view: StudyView
    counted_at: datetime
    sites: Mapping[str, SiteCapacity]
    next_lapse_at: datetime | None

    def holds_at(self, now: datetime) -> bool:
        """Return whether no hold has lapsed since the count, and the clock did not go back."""
        return self.counted_at <= now and (self.next_lapse_at is None or now < self.next_lapse_at)


def _count(head: tuple[int, str], view: StudyView, now: datetime) -> _Loaded:
    sites = {site.site_id: site for site in view.capacity(now)}
    return _Loaded(head, view, now, sites, view.next_expiry(now))


def _summed(study_id: str, loaded: _Loaded, now: datetime) -> StudySpots:
    sites = loaded.sites.values()
    known = [site.remaining for site in sites if site.remaining is not None]
    own = loaded.view.caps.get(CapKey(level=CapLevel.STUDY))
    left = sum(known) if known else None
    if left is not None and own is not None and own.spots is not None:
        left = min(left, max(0, own.spots - loaded.view.taken(now)[CapKey(level=CapLevel.STUDY)]))
    return StudySpots(
        study_id=study_id,
        offered=sum(site.offered for site in sites),
        held=sum(site.held for site in sites),
        screening=sum(site.screening for site in sites),
        enrolled=sum(site.enrolled for site in sites),
        left=left,
    )


@dataclass(frozen=True, slots=True)
class _State:
    """All data of the feed; replaced as a whole, so readers need no lock."""

    looked_at: datetime
    catalogue_version: str
    heads: Mapping[str, tuple[int, str]]
    studies: Mapping[str, _Loaded]


class CapacityFeed:
    """Spots left at every site of every study with a ledger, at most about a second old.

    Parameters
    ----------
    store
        The database.
    clock
        Returns the current time (aware).
    poll_s
        How long to wait between two polls, in seconds.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        If the first poll fails; later failures make the numbers unknown, see `last_error`.

    Notes
    -----
    Use it in a ``with`` block, or call `close`. Start it after the process has forked.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], *, poll_s: float = POLL_S) -> None:
        self._store = store
        self._clock = clock
        self._raw: Any = None
        self._data_version: int | None = None
        self._looking = threading.Lock()
        self.last_error: Exception | None = None
        self._recounts: dict[str, _Loaded] = {}
        self._state = _State(clock(), "", {}, {})
        self.look()
        self.task = Task(FEED, self.look, every_s=poll_s, late_after_s=STALE_AFTER.total_seconds()).start()

    def remaining(self, site: Site, now: datetime) -> Remaining | None:
        """Return the spots left at a site, from memory.

        Parameters
        ----------
        site
            The site.
        now
            The instant (aware).

        Returns
        -------
        Remaining or None
            None if the study has no ledger; the catalogue's numbers are used then. A count of None if no cap is known,
            or if the database could not be read for `STALE_AFTER`.
        """
        state = self._state
        loaded = self._current(state, site.study_id, now)
        if loaded is None:
            return Remaining(count=None, as_of=state.looked_at) if site.study_id in state.heads else None
        found = loaded.sites.get(site.site_id)
        if found is None or now - state.looked_at > STALE_AFTER:
            return Remaining(count=None, as_of=state.looked_at)
        return found.as_remaining(state.looked_at)

    @property
    def catalogue_version(self) -> str:
        """Return `sitematch.store.studies.catalogue.catalogue_version` at the last poll."""
        return self._state.catalogue_version

    def study(self, study_id: str, now: datetime) -> StudyCapacity | None:
        """Return all spots of a study, from memory; None if it has no ledger."""
        state = self._state
        loaded = self._current(state, study_id, now)
        if loaded is None:
            return None
        lapse = "" if loaded.next_lapse_at is None else loaded.next_lapse_at.isoformat()
        return StudyCapacity(
            study_id=study_id,
            version=f"{loaded.head[1][:16]}.{state.catalogue_version}.{lapse}",
            sites=loaded.sites,
            as_of=state.looked_at,
            next_lapse_at=loaded.next_lapse_at,
        )

    @property
    def looked_at(self) -> datetime:
        """The last successful look at the database (aware)."""
        return self._state.looked_at

    def summaries(self, now: datetime) -> tuple[StudySpots, ...]:
        """Return the spots of every study that is in memory, by id; nothing is read."""
        state = self._state
        found = [(study_id, self._current(state, study_id, now)) for study_id in sorted(state.studies)]
        return tuple(_summed(study_id, loaded, now) for study_id, loaded in found if loaded is not None)

    def _current(self, state: _State, study_id: str, now: datetime) -> _Loaded | None:
        loaded = state.studies.get(study_id)
        if loaded is None and study_id in state.heads:
            loaded = self._first_read(study_id)
        if loaded is None or loaded.holds_at(now):
            return loaded
        recount = self._recounts.get(study_id)
        if recount is None or recount.view is not loaded.view or not recount.holds_at(now):
            # Two threads may do this at once and overwrite each other; each result is correct for its own `now`.
            recount = _count(loaded.head, loaded.view, now)
            self._recounts[study_id] = recount
        return recount

    def look(self) -> None:
        """Check for changes now instead of at the thread's next poll.

        Raises
        ------
        LedgerBusy, StorageFault, NotReady
            See `Store.reading`.
        """
        with self._looking:
            try:
                self._look()
            except Exception as error:
                # The numbers become stale, and then unknown. The next poll opens its own connection.
                self.last_error = error
                self._forget_raw()
                raise
            self.last_error = None

    def _look(self) -> None:
        looked_at = self._clock()
        self._note_database_clock()
        self._store.guards.check()
        # Stored before the read, so that a commit in between is read again next time and never missed.
        version = self._sqlite_version()
        if version is not None and version == self._data_version:
            state = self._state
            self._state = replace(state, looked_at=looked_at)
        else:
            self._state = self._read(looked_at)
            self._data_version = version

    def _note_database_clock(self) -> None:
        if self._store.dialect == "postgresql" and self._store.guards.clock is not None:
            with self._store.reading() as connection:
                self._store.guards.note_database_clock(connection.execute(_CLOCK).scalar_one())

    def close(self) -> None:
        """Stop the thread; the store stays open."""
        self.task.stop()
        with self._looking:
            self._forget_raw()

    def __enter__(self) -> CapacityFeed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sqlite_version(self) -> int | None:
        """Return SQLite's counter of other connections' commits; None on PostgreSQL."""
        if self._store.dialect != "sqlite":
            return None
        with translated_errors(self._store.where):
            if self._raw is None:
                self._raw = self._store.engine.raw_connection()
            cursor = self._raw.cursor()
            try:
                return int(cursor.execute("PRAGMA data_version").fetchone()[0])
            finally:
                cursor.close()

    def _forget_raw(self) -> None:
        raw, self._raw, self._data_version = self._raw, None, None
        if raw is not None:
            with contextlib.suppress(Exception):  # closing a broken connection can also fail
                raw.close()

    def _first_read(self, study_id: str) -> _Loaded | None:
        """Read a study at its first use; None if the database does not answer."""
        with self._looking:
            state = self._state
            if study_id not in state.studies:
                try:
                    with self._store.reading() as connection:
                        view = read_view(connection, study_id, state.looked_at)
                except SitematchError as error:
                    self.last_error = error
                    return None
                # The head is that of the last poll: if the study has changed since, the next poll reads it again.
                loaded = _count(state.heads[study_id], view, state.looked_at)
                self._state = replace(state, studies={**state.studies, study_id: loaded})
            return self._state.studies[study_id]

    def _read(self, now: datetime) -> _State:
        before = self._state
        with self._store.reading() as connection:
            row = connection.execute(_CATALOGUE).one()
            catalogue_version = f"{row.epoch}.{row.version}"
            is_same_catalogue = catalogue_version == before.catalogue_version
            heads = {head.study_id: (head.head_seq, head.head_hash) for head in connection.execute(_HEADS)}
            wanted = heads if len(heads) <= EAGER_STUDIES else before.studies.keys() & heads.keys()
            studies = {}
            for study_id in wanted:
                known = before.studies.get(study_id)
                if known is None or known.head != heads[study_id] or not is_same_catalogue:
                    known = _count(heads[study_id], read_view(connection, study_id, now), now)
                studies[study_id] = known
        return _State(now, catalogue_version, heads, studies)
