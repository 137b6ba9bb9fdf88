"""Looking sites and studies up over the whole catalogue: by id, name, status, country and nearness, page by page.

A page is a stretch of a fixed order, named by what it follows or precedes: sites that come or go elsewhere do not move
it, so that walking all pages meets every site once.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from functools import cached_property

import numpy as np

from sitematch.domain.capacity import Availability, CapacityState, SiteCapacity
from sitematch.domain.fhir import MAX_ID_LENGTH, is_digest, our_id, resource_id
from sitematch.domain.identity import squash
from sitematch.domain.occupancy import TAKING_STATUSES
from sitematch.domain.place import Coordinates
from sitematch.domain.site import Site
from sitematch.domain.study import Study
from sitematch.geo.box import FARTHEST_KM, boxes_around
from sitematch.geo.geodesic import distances_km
from sitematch.services.finder import StatedCapacity
from sitematch.services.live import as_matched
from sitematch.store import changes, counting, directory
from sitematch.store.directory import Brief, SiteFilter, StudyBrief, StudyFilter
from sitematch.store.engine import Store

_FIRST_LOOK_KM = 50.0
_WIDER = 4.0


class Fit(Enum):
    """How a text has to fit."""

    STARTS = auto()
    """It begins so; case, accents, spaces and punctuation do not count."""
    CONTAINS = auto()
    """It holds that; case, accents, spaces and punctuation do not count."""
    EXACT = auto()
    """It is that, letter by letter."""


class Field(Enum):
    """A text that can be looked for."""

    FACILITY = auto()
    CITY = auto()
    TITLE = auto()
    CONDITION = auto()


@dataclass(frozen=True, slots=True)
class TextTest:
    """One of some texts has to fit.

    Parameters
    ----------
    field
        Where.
    wanted
        Any of these.
    fit
        How.
    """

    field: Field
    wanted: tuple[str, ...]
    fit: Fit = Fit.STARTS

    def check(self) -> Callable[[Iterable[str]], bool]:
        """Make what tells whether one of some texts fits one of those wanted; made once, it is asked of many."""
        if self.fit is Fit.EXACT:
            return lambda texts: any(text in self.wanted for text in texts)
        wanted = tuple(want for want in map(squash, self.wanted) if want)
        if self.fit is Fit.CONTAINS:
            return lambda texts: any(want in text for text in map(squash, texts) for want in wanted)
        return lambda texts: any(squash(text).startswith(wanted) for text in texts)


@dataclass(frozen=True, slots=True)
class Near:
    """Where to measure from, and how far to look.

    Parameters
    ----------
    point
        The point.
    km
        At most so many kilometres; None looks everywhere.
    """

    point: Coordinates
    km: float | None = None


@dataclass(frozen=True, slots=True)
class SiteQuery:
    """Which sites; all parts have to hold.

    Parameters
    ----------
    where
        What the database compares.
    tests
        Texts that have to fit.
    near
        Only placed sites, the nearest first; None orders by id.
    """

    where: SiteFilter = field(default_factory=SiteFilter)
    tests: tuple[TextTest, ...] = ()
    near: Near | None = None


@dataclass(frozen=True, slots=True)
class StudyQuery:
    """Which studies; all parts have to hold."""

    where: StudyFilter = field(default_factory=StudyFilter)
    tests: tuple[TextTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the order of an answer: between what has this id, and this distance if it is by distance.

    Parameters
    ----------
    id
        Of a site or study.
    km
        Its distance; None in an order by id.
    """

    id: str
    km: float | None = None

    def key(self) -> tuple[float, str]:
        """Return where it stands."""
        return (self.km or 0.0, self.id)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page: what follows a mark, or what precedes one, or the first."""

    limit: int
    after: Mark | None = None
    before: Mark | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of an answer.

    Parameters
    ----------
    marks
        What is on it, in order.
    total
        How many there are on all pages.
    has_previous, has_next
        Whether something lies ahead of it, or beyond.
    """

    marks: tuple[Mark, ...]
    total: int
    has_previous: bool
    has_next: bool


def search_sites(store: Store, query: SiteQuery, turn: Turn) -> Page:
    """Look sites up.

    Parameters
    ----------
    store
        The database.
    query
        Which; with `near` by exact WGS84 distance, ties by id, else by id.
    turn
        Which page; its marks must be of the same order.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if query.near is not None:
        return _nearest(store, query, query.near, turn)
    if query.tests:
        fitting = filter(_site_check(query.tests), directory.iter_site_briefs(store, query.where))
        return _cut([Mark(brief.site_id) for brief in fitting], turn)

    def ids(after: str, before: str, limit: int) -> Sequence[str]:
        return directory.site_ids(store, query.where, after=after, before=before, limit=limit)

    return _ranged(ids, directory.count_sites(store, query.where), turn)


def search_studies(store: Store, query: StudyQuery, turn: Turn) -> Page:
    """Look studies up, by id; see `search_sites`."""
    if query.tests:
        fitting = filter(_study_check(query.tests), directory.iter_study_briefs(store, query.where))
        return _cut([Mark(brief.study_id) for brief in fitting], turn)

    def ids(after: str, before: str, limit: int) -> Sequence[str]:
        return directory.study_ids(store, query.where, after=after, before=before, limit=limit)

    return _ranged(ids, directory.count_studies(store, query.where), turn)


def _ranged(ids: Callable[[str, str, int], Sequence[str]], total: int, turn: Turn) -> Page:
    """Let the database cut the page out of its own order."""
    if turn.before is not None:
        found = ids("", turn.before.id, turn.limit + 1)
        shown = found[-turn.limit :] if turn.limit else ()
        return Page(tuple(map(Mark, shown)), total, has_previous=len(found) > turn.limit, has_next=True)
    after = "" if turn.after is None else turn.after.id
    found = ids(after, "", turn.limit + 1)
    shown = found[: turn.limit]
    return Page(tuple(map(Mark, shown)), total, has_previous=bool(after), has_next=len(found) > turn.limit)


def _cut(marks: Sequence[Mark], turn: Turn) -> Page:
    """Cut the page out of all marks, or out of the first of them."""
    ordered = sorted(marks, key=Mark.key)
    start, end = 0, len(ordered)
    if turn.before is not None:
        end = bisect.bisect_left(ordered, turn.before.key(), key=Mark.key)
        start = max(0, end - turn.limit)
    elif turn.after is not None:
        start = bisect.bisect_right(ordered, turn.after.key(), key=Mark.key)
    stop = min(end, start + turn.limit)
    return Page(tuple(ordered[start:stop]), len(ordered), has_previous=start > 0, has_next=stop < len(ordered))


def _nearest(store: Store, query: SiteQuery, near: Near, turn: Turn) -> Page:
    """Measure to every site within reach; where no distance bounds the search, reach out until the page is full."""
    everywhere = replace(query.where, boxes=boxes_around(near.point, FARTHEST_KM))
    is_bounded = near.km is not None
    farthest_km = FARTHEST_KM if near.km is None else min(near.km, FARTHEST_KM)
    reach_km = farthest_km if is_bounded or query.tests else _FIRST_LOOK_KM
    while True:
        within = replace(query.where, boxes=boxes_around(near.point, reach_km))
        marks = _measured(store, within, query.tests, near.point, reach_km)
        page = _cut(marks, turn)
        if reach_km >= farthest_km:
            return page
        if _is_certain(page, turn, reach_km):
            total = directory.count_sites(store, everywhere)
            return replace(page, total=total, has_next=page.has_next or len(marks) < total)
        reach_km = min(reach_km * _WIDER, farthest_km)


def _is_certain(page: Page, turn: Turn, reach_km: float) -> bool:
    """Whether nothing that belongs on the page lies beyond what was measured."""
    if turn.before is not None:
        return turn.before.key()[0] <= reach_km
    return len(page.marks) == turn.limit


def _measured(
    store: Store, where: SiteFilter, tests: Sequence[TextTest], point: Coordinates, reach_km: float
) -> list[Mark]:
    found = list(filter(_site_check(tests), directory.iter_site_briefs(store, where)))
    latitude_deg = np.array([brief.latitude_deg for brief in found], dtype=np.float64)
    longitude_deg = np.array([brief.longitude_deg for brief in found], dtype=np.float64)
    kilometres = distances_km(point, latitude_deg, longitude_deg).tolist()
    return [Mark(brief.site_id, km) for brief, km in zip(found, kilometres, strict=True) if km <= reach_km]


def _site_check(tests: Sequence[TextTest]) -> Callable[[Brief], bool]:
    """Make what tells whether a site passes all tests."""
    checks = [(test.field is Field.CITY, test.check()) for test in tests]
    return lambda brief: all(check((brief.city if is_city else brief.facility,)) for is_city, check in checks)


def _study_check(tests: Sequence[TextTest]) -> Callable[[StudyBrief], bool]:
    """Make what tells whether a study passes all tests."""
    checks = [(test.field is Field.CONDITION, test.check()) for test in tests]
    return lambda brief: all(check(brief.conditions if of_many else (brief.title,)) for of_many, check in checks)


def read_availability(
    store: Store, studies: Mapping[str, Study], sites: Iterable[Site], now: datetime
) -> dict[str, Availability]:
    """Return what everybody may know of the spots of some sites, as matches show it.

    Parameters
    ----------
    store
        The database.
    studies
        The sites' studies, by id.
    sites
        The sites.
    now
        The instant (aware).

    Returns
    -------
    dict
        By site_id.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    with_ledger = changes.ledger_heads(store, studies)
    by_study: dict[str, list[Site]] = {}
    for site in sites:
        by_study.setdefault(site.study_id, []).append(site)
    return {
        site.site_id: found
        for study_id, some in by_study.items()
        for site, found in _available(store, studies[study_id], some, now, has_ledger=study_id in with_ledger)
    }


def _available(
    store: Store, study: Study, sites: Sequence[Site], now: datetime, *, has_ledger: bool
) -> Iterator[tuple[Site, Availability]]:
    counted: dict[str, SiteCapacity] = {}
    if has_ledger:
        counted = {site.site_id: site for site in counting.capacity(store, study.study_id, now)}
    stated = StatedCapacity(study)
    for site in sites:
        found = counted.get(site.site_id)
        if found is not None:
            yield site, Availability(as_matched(site, found.as_remaining()), found.state)
            continue
        remaining = as_matched(site, stated.remaining(site))
        if study.status not in TAKING_STATUSES or site.status not in TAKING_STATUSES or remaining.count == 0:
            state = CapacityState.NO_CAPACITY
        else:
            state = CapacityState.UNKNOWN if remaining.count is None else CapacityState.CAPACITY
        yield site, Availability(remaining, state)


class IdFinder:
    """Turns FHIR ids into ours.

    Parameters
    ----------
    store
        The database; it is asked for digests alone, once however many there are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, resource_id_: str) -> str | None:
        """Return the id of a site or study that a FHIR id stands for, whether or not there is such a thing.

        Returns
        -------
        str or None
            None if it can stand for none.

        Raises
        ------
        LedgerBusy, StorageFault, NotReady
            See `Store.reading`.
        """
        return self._long.get(resource_id_) if is_digest(resource_id_) else our_id(resource_id_)

    @cached_property
    def _long(self) -> dict[str, str]:
        # A byte takes three characters at most.
        return {resource_id(text): text for text in directory.long_ids(self._store, MAX_ID_LENGTH // 3)}
