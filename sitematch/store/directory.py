"""Looking sites and studies up over the whole catalogue, a page at a time.

Nothing here depends on how many there are: a page is a range of the primary key, a box a range of coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.occupancy import TAKING_STATUSES
from sitematch.domain.place import GLOBE, Box
from sitematch.domain.site import Site
from sitematch.domain.study import RecruitmentStatus, Study
from sitematch.store.engine import Store
from sitematch.store.rows import site_of, study_of
from sitematch.store.schema import site, study

_ROWS_A_STATEMENT = 1_000
_TAKING = sorted(TAKING_STATUSES)
_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_Row = sa.Row[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFilter:
    """Which sites; None does not narrow, an empty set fits none.

    Parameters
    ----------
    site_ids, study_ids
        Ids, compared exactly.
    statuses
        The sites' own statuses.
    countries
        ISO 3166-1 alpha-2.
    takes_patients
        Whether the site's and its study's status both let it take patients.
    boxes
        Only placed sites inside one of them.
    """

    site_ids: frozenset[str] | None = None
    study_ids: frozenset[str] | None = None
    statuses: frozenset[RecruitmentStatus] | None = None
    countries: frozenset[str] | None = None
    takes_patients: bool | None = None
    boxes: tuple[Box, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFilter:
    """Which studies; None does not narrow, an empty set fits none.

    Parameters
    ----------
    study_ids
        Ids, compared exactly.
    any_ids
        Of each of these sets one has to be the study's id or one of its other ids.
    site_ids
        Studies that have one of these sites.
    statuses
        The studies' own statuses.
    """

    study_ids: frozenset[str] | None = None
    site_ids: frozenset[str] | None = None
    any_ids: tuple[frozenset[str], ...] = ()
    statuses: frozenset[RecruitmentStatus] | None = None


class Brief(msgspec.Struct, frozen=True, gc=False):
    """The little of a site that a search reads of every candidate; degrees are None for one without a place."""

    site_id: str
    facility: str
    city: str
    latitude_deg: float | None
    longitude_deg: float | None


class StudyBrief(msgspec.Struct, frozen=True, gc=False):
    """The little of a study that a search reads of every candidate."""

    study_id: str
    title: str
    conditions: tuple[str, ...]


def count_sites(store: Store, where: SiteFilter) -> int:
    """Count the sites that a filter lets through. Errors: see `Store.reading`."""
    return _count(store, sa.select(sa.func.count()).select_from(site).where(*_of_site(where)))


def count_studies(store: Store, where: StudyFilter) -> int:
    """Count the studies that a filter lets through. Errors: see `Store.reading`."""
    return _count(store, sa.select(sa.func.count()).select_from(study).where(*_of_study(where)))


def site_ids(store: Store, where: SiteFilter, *, after: str = "", before: str = "", limit: int) -> tuple[str, ...]:
    """Return a page of ids.

    Parameters
    ----------
    store
        The database.
    where
        Which sites.
    after, before
        Only ids beyond this one, or only those ahead of it; empty for no bound.
    limit
        How many at most: the first ones, or with `before` the last ones.

    Returns
    -------
    tuple of str
        By id, in the database's order.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return _page(store, site.c.site_id, _of_site(where), after, before, limit)


def study_ids(store: Store, where: StudyFilter, *, after: str = "", before: str = "", limit: int) -> tuple[str, ...]:
    """Return a page of ids of studies; see `site_ids`."""
    return _page(store, study.c.study_id, _of_study(where), after, before, limit)


def iter_site_briefs(store: Store, where: SiteFilter) -> Iterator[Brief]:
    """Yield what a search needs of every site that a filter lets through, in no order, at a constant memory.

    One read transaction lasts as long as the iteration. Errors: see `Store.reading`.
    """
    columns = (site.c.site_id, site.c.facility, site.c.city, site.c.latitude_deg, site.c.longitude_deg)
    for row in _stream(store, sa.select(*columns).where(*_of_site(where))):
        yield Brief(*row)


def iter_study_briefs(store: Store, where: StudyFilter) -> Iterator[StudyBrief]:
    """Yield what a search needs of every study that a filter lets through; see `iter_site_briefs`."""
    columns = (study.c.study_id, study.c.title, study.c.conditions)
    for study_id, title, conditions in _stream(store, sa.select(*columns).where(*_of_study(where))):
        yield StudyBrief(study_id, title, _TEXTS.decode(conditions))


def sites_by_id(store: Store, ids: Iterable[str]) -> dict[str, Site]:
    """Return the sites of some ids; unknown ones are left out. Errors: see `Store.reading`."""
    return {row.site_id: site_of(row) for row in _by_id(store, site, site.c.site_id, ids)}


def studies_by_id(store: Store, ids: Iterable[str]) -> dict[str, Study]:
    """Return the studies of some ids; unknown ones are left out. Errors: see `Store.reading`."""
    return {row.study_id: study_of(row) for row in _by_id(store, study, study.c.study_id, ids)}


def sites_of_studies(store: Store, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the ids of some studies' sites, in each record's order; a study without any is left out."""
    wanted = sorted(set(ids))
    found: dict[str, list[str]] = {}
    query = sa.select(site.c.study_id, site.c.site_id).where(site.c.study_id.in_(wanted))
    with store.reading() as connection:
        for row in connection.execute(query.order_by(site.c.study_id, site.c.position)):
            found.setdefault(row.study_id, []).append(row.site_id)
    return {study_id: tuple(site_ids_) for study_id, site_ids_ in found.items()}


def whole_studies(store: Store, ids: Iterable[str]) -> list[tuple[Study, tuple[Site, ...]]]:
    """Return some studies, each with all its sites in the record's order; by id, unknown ones left out."""
    wanted = sorted(set(ids))
    with store.reading() as connection:
        studies = [study_of(row) for row in connection.execute(sa.select(study).where(study.c.study_id.in_(wanted)))]
        rows = connection.execute(
            sa.select(site).where(site.c.study_id.in_(wanted)).order_by(site.c.study_id, site.c.position)
        )
        sites: dict[str, list[Site]] = {}
        for row in rows:
            sites.setdefault(row.study_id, []).append(site_of(row))
    studies.sort(key=lambda one: one.study_id)
    return [(one, tuple(sites.get(one.study_id, ()))) for one in studies]


def long_ids(store: Store, longer_than_bytes: int) -> tuple[str, ...]:
    """Return the ids of sites and studies that have more bytes of UTF-8 than so many: few in any catalogue."""

    def size(column: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
        if store.dialect == "postgresql":
            return sa.func.octet_length(column)
        return sa.func.length(sa.cast(column, sa.LargeBinary))

    columns = (site.c.site_id, study.c.study_id)
    queries = [sa.select(column).where(size(column) > longer_than_bytes) for column in columns]
    with store.reading() as connection:
        return tuple(text for query in queries for text in connection.execute(query).scalars())


def _count(store: Store, query: sa.Select[Any]) -> int:
    with store.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _page(
    store: Store,
    key: sa.ColumnElement[str],
    conditions: Sequence[sa.ColumnElement[bool]],
    after: str,
    before: str,
    limit: int,
) -> tuple[str, ...]:
    query = sa.select(key).where(*conditions).limit(limit)
    query = query.where(key < before).order_by(sa.desc(key)) if before else query.where(key > after).order_by(key)
    with store.reading() as connection:
        found = tuple(connection.execute(query).scalars())
    return found[::-1] if before else found


def _stream(store: Store, query: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
    with store.reading() as connection:
        for rows in connection.execution_options(yield_per=_ROWS_A_STATEMENT).execute(query).partitions():
            yield from map(tuple, rows)


def _by_id(store: Store, table: sa.Table, key: sa.ColumnElement[str], ids: Iterable[str]) -> list[_Row]:
    wanted = sorted(set(ids))
    rows: list[_Row] = []
    with store.reading() as connection:
        for start in range(0, len(wanted), _ROWS_A_STATEMENT):
            chunk = wanted[start : start + _ROWS_A_STATEMENT]
            rows += connection.execute(sa.select(table).where(key.in_(chunk))).all()
    return rows


def _of_site(where: SiteFilter) -> list[sa.ColumnElement[bool]]:
    conditions = _within(
        (site.c.site_id, where.site_ids),
        (site.c.study_id, where.study_ids),
        (site.c.status, where.statuses),
        (site.c.country, where.countries),
    )
    if where.takes_patients is not None:
        open_studies = sa.select(study.c.study_id).where(study.c.status.in_(_TAKING))
        takes = site.c.status.in_(_TAKING) & site.c.study_id.in_(open_studies)
        conditions.append(takes if where.takes_patients else ~takes)
    if where.boxes is not None:
        conditions.append(sa.or_(sa.false(), *map(_inside, where.boxes)))
    return conditions


def _inside(box: Box) -> sa.ColumnElement[bool]:
    if box == GLOBE:
        # No range, or a database would take the index for what is nearly all rows.
        return site.c.latitude_deg.is_not(None)
    return site.c.latitude_deg.between(box.south, box.north) & site.c.longitude_deg.between(box.west, box.east)


def _of_study(where: StudyFilter) -> list[sa.ColumnElement[bool]]:
    conditions = _within((study.c.study_id, where.study_ids), (study.c.status, where.statuses))
    if where.site_ids is not None:
        conditions.append(
            study.c.study_id.in_(sa.select(site.c.study_id).where(site.c.site_id.in_(sorted(where.site_ids))))
        )
    for some in where.any_ids:
        # The other ids are a JSON list of texts; one of them between its quotes is a whole one. Both databases compare
        # exactly in REPLACE; SQLite's LIKE would not.
        quoted = [msgspec.json.encode(text).decode() for text in sorted(some)]
        listed = [sa.func.replace(study.c.other_ids, text, "") != study.c.other_ids for text in quoted]
        conditions.append(sa.or_(study.c.study_id.in_(sorted(some)), *listed))
    return conditions


def _within(*pairs: tuple[sa.ColumnElement[str], Iterable[str] | None]) -> list[sa.ColumnElement[bool]]:
    return [column.in_(sorted(values)) for column, values in pairs if values is not None]
