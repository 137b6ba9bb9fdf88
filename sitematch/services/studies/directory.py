"""Searching sites and studies in the whole catalogue: by id, name, status, country and distance, page by page.

A page is a section of a fixed order, identified by the entry before or after it. Sites that are added or removed
elsewhere do not move it, so reading all pages returns every site once.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from sitematch.domain.fhir import MAX_ID_LENGTH, is_digest, our_id, resource_id
from sitematch.domain.place import Coordinates
from sitematch.domain.studies.filters import SiteFilter, StudyFilter
from sitematch.domain.studies.order import SortOrder
from sitematch.domain.studies.text_match import TextTest
from sitematch.geo.cells import outward_in_groups
from sitematch.geo.geodesic import FARTHEST_KM, distances_km
from sitematch.store.engine import Store
from sitematch.store.studies import directory, ordered
from sitematch.store.studies.directory import PlacedSite, PlacedSites
from sitematch.store.studies.nearby import FEW_STUDIES


@dataclass(frozen=True, slots=True)
class SearchCentre:
    """The point to measure from, and the maximum distance.

    Parameters
    ----------
    point
        The point.
    km
        Maximum distance in kilometres; None for no limit.
    """

    point: Coordinates
    km: float | None = None


@dataclass(frozen=True, slots=True)
class SiteSearch:
    """A query for sites; all parts must match.

    Parameters
    ----------
    where
        The conditions that the database checks.
    tests
        Texts that must match.
    near
        Only sites with a location, nearest first; None orders by id.
    order
        Another order; not together with `near`.
    """

    where: SiteFilter = field(default_factory=SiteFilter)
    tests: tuple[TextTest, ...] = ()
    near: SearchCentre | None = None
    order: SortOrder | None = None


@dataclass(frozen=True, slots=True)
class StudySearch:
    """A query for studies; all parts must match. See `SiteSearch`."""

    where: StudyFilter = field(default_factory=StudyFilter)
    tests: tuple[TextTest, ...] = ()
    order: SortOrder | None = None


@dataclass(frozen=True, slots=True)
class PageMark:
    """A position in the order of an answer: the entry with this id, and this distance if the order is by distance.

    Parameters
    ----------
    id
        The id of a site or study.
    km
        Its distance; None in an order by id.
    values
        The values of the fields of a `SortOrder`; empty in another order.
    """

    id: str
    km: float | None = None
    values: tuple[str, ...] = ()

    def key(self) -> tuple[float, str]:
        """Return the sort key."""
        return (self.km or 0.0, self.id)


@dataclass(frozen=True, slots=True)
class PagePosition:
    """A page: the entries after a mark, before one, or the first page."""

    limit: int
    after: PageMark | None = None
    before: PageMark | None = None


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """A section of an answer.

    Parameters
    ----------
    marks
        The entries on it, in order.
    total
        The number of entries on all pages.
    has_previous, has_next
        Whether there are entries before or after it.
    """

    marks: tuple[PageMark, ...]
    total: int
    has_previous: bool
    has_next: bool


def search_sites(store: Store, query: SiteSearch, turn: PagePosition) -> DirectoryPage:
    """Search sites.

    Parameters
    ----------
    store
        The database.
    query
        The query; with `near` ordered by exact WGS84 distance, ties by id, otherwise by id.
    turn
        The page; its marks must have the same order.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if query.near is not None:
        return _nearest(store, query, query.near, turn)
    if query.order is not None:
        fitting = directory.fitting_site_ids(store, query.where, query.tests) if query.tests else None
        total = directory.count_sites(store, query.where) if fitting is None else len(fitting)
        return _ordered(store, query.where, query.order, fitting, total, turn)
    if query.tests:
        return _cut([*map(PageMark, directory.fitting_site_ids(store, query.where, query.tests))], turn)

    def ids(after: str, before: str, limit: int) -> Sequence[str]:
        return directory.site_ids(store, query.where, after=after, before=before, limit=limit)

    return _ranged(ids, directory.count_sites(store, query.where), turn)


def search_studies(store: Store, query: StudySearch, turn: PagePosition) -> DirectoryPage:
    """Search studies, by id or in another order; see `search_sites`."""
    if query.order is not None:
        fitting = directory.fitting_study_ids(store, query.where, query.tests) if query.tests else None
        total = directory.count_studies(store, query.where) if fitting is None else len(fitting)
        return _ordered(store, query.where, query.order, fitting, total, turn)
    if query.tests:
        return _cut([*map(PageMark, directory.fitting_study_ids(store, query.where, query.tests))], turn)

    def ids(after: str, before: str, limit: int) -> Sequence[str]:
        return directory.study_ids(store, query.where, after=after, before=before, limit=limit)

    return _ranged(ids, directory.count_studies(store, query.where), turn)


def _ranged(ids: Callable[[str, str, int], Sequence[str]], total: int, turn: PagePosition) -> DirectoryPage:
    """Let the database select the page in its own order."""
    if turn.before is not None:
        found = ids("", turn.before.id, turn.limit + 1)
        shown = found[-turn.limit :] if turn.limit else ()
        return DirectoryPage(tuple(map(PageMark, shown)), total, has_previous=len(found) > turn.limit, has_next=True)
    after = "" if turn.after is None else turn.after.id
    found = ids(after, "", turn.limit + 1)
    shown = found[: turn.limit]
    return DirectoryPage(tuple(map(PageMark, shown)), total, has_previous=bool(after), has_next=len(found) > turn.limit)


def _ordered(
    store: Store,
    where: SiteFilter | StudyFilter,
    order: SortOrder,
    fitting: Sequence[str] | None,
    total: int,
    turn: PagePosition,
) -> DirectoryPage:
    """Select the page in an order; the database sorts, unless texts were compared here (`fitting`)."""
    after, before = (None if mark is None else (*mark.values, mark.id) for mark in (turn.after, turn.before))
    if fitting is None:
        keys = ordered.ordered_keys(store, where, order, after=after, before=before, limit=turn.limit + 1)
    else:
        every = sorted(ordered.keys_of(store, where, order, fitting), reverse=order.is_descending)

        def precedes(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
            return one > other if order.is_descending else one < other

        if before is not None:
            keys = [key for key in every if precedes(key, before)][-turn.limit - 1 :]
        else:
            keys = [key for key in every if after is None or precedes(after, key)][: turn.limit + 1]
    is_back = before is not None
    shown = (keys[-turn.limit :] if is_back else keys[: turn.limit]) if turn.limit else []
    marks = tuple(PageMark(key[-1], values=key[:-1]) for key in shown)
    has_more = len(keys) > turn.limit
    return DirectoryPage(
        marks,
        total,
        has_previous=has_more if is_back else after is not None,
        has_next=True if is_back else has_more,
    )


def _cut(marks: Sequence[PageMark], turn: PagePosition) -> DirectoryPage:
    """Select the page from all marks, or from the first of them."""
    ordered = sorted(marks, key=PageMark.key)
    start, end = 0, len(ordered)
    if turn.before is not None:
        end = bisect.bisect_left(ordered, turn.before.key(), key=PageMark.key)
        start = max(0, end - turn.limit)
    elif turn.after is not None:
        start = bisect.bisect_right(ordered, turn.after.key(), key=PageMark.key)
    stop = min(end, start + turn.limit)
    return DirectoryPage(tuple(ordered[start:stop]), len(ordered), has_previous=start > 0, has_next=stop < len(ordered))


def _nearest(store: Store, query: SiteSearch, near: SearchCentre, turn: PagePosition) -> DirectoryPage:
    """Read cells from near to far, until everything within the distance is read or the page is full."""
    # A distance that was converted from another unit may be slightly less than stated.
    is_everywhere = near.km is None or near.km > FARTHEST_KM - 0.01
    farthest_km = FARTHEST_KM if near.km is None or is_everywhere else near.km
    with store.reading() as connection:
        sites = PlacedSites(connection, query.where, query.tests)
        if _is_few(query.where) or (is_everywhere and query.tests):
            return _cut(_measured(sites.everywhere(), near.point, farthest_km), turn)
        total = sites.count() if is_everywhere else None
        marks: list[PageMark] = []
        for cells, certain_km in outward_in_groups(near.point, farthest_km):
            marks += _measured(sites.inside(cells), near.point, farthest_km)
            if total is None:
                continue
            known = [mark for mark in marks if mark.key()[0] < certain_km]
            page = _cut(known, turn)
            if _is_certain(page, turn, certain_km):
                return replace(page, total=total, has_next=page.has_next or len(known) < total)
        return _cut(marks, turn)


def _is_few(where: SiteFilter) -> bool:
    """Return whether reading all of the few sites is faster than reading cell by cell."""
    return where.site_ids is not None or (where.study_ids is not None and len(where.study_ids) <= FEW_STUDIES)


def _is_certain(page: DirectoryPage, turn: PagePosition, certain_km: float) -> bool:
    """Return whether nothing that belongs on the page is at this distance or farther."""
    if turn.before is not None:
        return turn.before.key()[0] < certain_km
    return len(page.marks) == turn.limit


def _measured(found: Sequence[PlacedSite], point: Coordinates, farthest_km: float) -> list[PageMark]:
    latitude_deg = np.array([site.latitude_deg for site in found], dtype=np.float64)
    longitude_deg = np.array([site.longitude_deg for site in found], dtype=np.float64)
    kilometres = distances_km(point, latitude_deg, longitude_deg).tolist()
    return [PageMark(site.site_id, km) for site, km in zip(found, kilometres, strict=True) if km <= farthest_km]


class IdFinder:
    """Turns FHIR ids into ours.

    Parameters
    ----------
    store
        The database; it is queried only for digests, and only once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, resource_id_: str) -> str | None:
        """Return the id of a site or study for a FHIR id, whether or not it exists.

        Returns
        -------
        str or None
            None if no id is possible.

        Raises
        ------
        LedgerBusy, StorageFault, NotReady
            See `Store.reading`.
        """
        return self._long.get(resource_id_) if is_digest(resource_id_) else our_id(resource_id_)

    @cached_property
    def _long(self) -> dict[str, str]:
        # A byte needs at most three characters.
        return {resource_id(text): text for text in directory.long_ids(self._store, MAX_ID_LENGTH // 3)}
