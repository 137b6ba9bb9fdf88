"""Searching sites and studies in the whole catalogue, one page at a time.

A page is a range of the primary key, nearby sites are in some cells, and a study's texts are in the full-text index.
Only names of sites, and parts inside texts, are compared row by row, by the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa

from sitematch.domain.grid_cells import NOWHERE
from sitematch.domain.studies.filters import SiteFilter, StudyFilter
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.domain.studies.text_match import Field, TextTest
from sitematch.store.engine import Store, in_batches
from sitematch.store.schema import site, study
from sitematch.store.studies.nearby import FEW_STUDIES, OccupiedCells
from sitematch.store.studies.rows import site_of, study_of
from sitematch.store.studies.text_filters import (
    MOST_COMPARED,
    SITE_TEXTS,
    byte_length,
    list_contains,
    may_pass,
    texts_of,
)

_ROWS_A_STATEMENT = 1_000
_TAKING = sorted(TAKING_STATUSES)
_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_Row = sa.Row[Any]


class PlacedSite(msgspec.Struct, frozen=True, gc=False):
    """A site with a location."""

    site_id: str
    latitude_deg: float
    longitude_deg: float


class PlacedSites:
    """Finds the sites with a location that match a filter and pass text tests.

    Parameters
    ----------
    connection
        Inside a read transaction that lasts as long as this is used.
    where, tests
        The filter and the tests; see `fitting_site_ids`.
    """

    def __init__(self, connection: sa.Connection, where: SiteFilter, tests: Sequence[TextTest] = ()) -> None:
        self._connection = connection
        self._cells = OccupiedCells(connection)
        self._tests = tests
        self._passes = _site_check(tests)
        self._where = where
        # Many ids are compared here; otherwise each statement would contain all of them.
        self._study_ids = where.study_ids if where.study_ids and len(where.study_ids) > FEW_STUDIES else None
        self._conditions = conditions_of_site(where if self._study_ids is None else replace(where, study_ids=None))
        self._conditions += _may_pass(connection, tests)

    def everywhere(self) -> list[PlacedSite]:
        """Return all of them, in no order."""
        # No range of cells, or a database would use their index for nearly all rows.
        return self._read(site.c.latitude_deg.is_not(None))

    def inside(self, cells: Sequence[int]) -> list[PlacedSite]:
        """Return those in the given cells, in no order."""
        parts = in_batches(self._cells.among(cells))
        return [found for part in parts for found in self._read(site.c.cell.in_(part))]

    def count(self) -> int:
        """Count all of them. The database counts, so there must be no tests."""
        if self._tests:
            raise ValueError("The database cannot apply this filter; count the results instead.")
        # The index of cells contains statuses and studies, but no countries.
        is_placed = site.c.cell > NOWHERE if self._where.countries is None else site.c.latitude_deg.is_not(None)
        query = sa.select(sa.func.count()).select_from(site).where(is_placed, *conditions_of_site(self._where))
        return int(self._connection.execute(query).scalar_one())

    def _read(self, place: sa.ColumnElement[bool]) -> list[PlacedSite]:
        columns = [site.c.site_id, site.c.latitude_deg, site.c.longitude_deg]
        judged = list(SITE_TEXTS) if self._tests else []
        of_study = [site.c.study_id] if self._study_ids is not None else []
        query = sa.select(*columns, *judged, *of_study).where(place, *self._conditions)
        rows = self._connection.execute(query).all()
        if self._study_ids is not None:
            rows = [row for row in rows if row.study_id in self._study_ids]
        if self._tests:
            rows = [row for row in rows if self._passes(row[3 : 3 + len(SITE_TEXTS)])]
        return [PlacedSite(*row[:3]) for row in rows]


def count_sites(store: Store, where: SiteFilter) -> int:
    """Count the sites that match a filter. Errors: see `Store.reading`."""
    return _count(store, sa.select(sa.func.count()).select_from(site).where(*conditions_of_site(where)))


def count_studies(store: Store, where: StudyFilter) -> int:
    """Count the studies that match a filter. Errors: see `Store.reading`."""
    return _count(store, sa.select(sa.func.count()).select_from(study).where(*conditions_of_study(where)))


def site_ids(store: Store, where: SiteFilter, *, after: str = "", before: str = "", limit: int) -> tuple[str, ...]:
    """Return a page of ids.

    Parameters
    ----------
    store
        The database.
    where
        Which sites.
    after, before
        Only ids after this one, or only ids before it; empty for no limit.
    limit
        Maximum number: the first ones, or with `before` the last ones.

    Returns
    -------
    tuple of str
        By id, in the database's order.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    return _page(store, site.c.site_id, conditions_of_site(where), after, before, limit)


def study_ids(store: Store, where: StudyFilter, *, after: str = "", before: str = "", limit: int) -> tuple[str, ...]:
    """Return a page of study ids; see `site_ids`."""
    return _page(store, study.c.study_id, conditions_of_study(where), after, before, limit)


def fitting_site_ids(store: Store, where: SiteFilter, tests: Sequence[TextTest]) -> list[str]:
    """Return the ids of all sites that match a filter and pass text tests, in no order.

    Parameters
    ----------
    store
        The database; it excludes most rows that cannot pass.
    where
        Which sites.
    tests
        Tests of fields of sites; all must pass.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    passes = _site_check(tests)
    with store.reading() as connection:
        query = sa.select(site.c.site_id, *SITE_TEXTS)
        rows = _stream(connection, query.where(*conditions_of_site(where), *_may_pass(connection, tests)))
        return [site_id for site_id, *texts in rows if passes(texts)]


def fitting_study_ids(store: Store, where: StudyFilter, tests: Sequence[TextTest]) -> list[str]:
    """Return the ids of all studies that match a filter and pass tests of TITLE and CONDITION.

    See `fitting_site_ids`.
    """
    checks = [(test.field is Field.CONDITION, test.check()) for test in tests]
    with store.reading() as connection:
        query = sa.select(study.c.study_id, study.c.title, study.c.conditions)
        rows = _stream(connection, query.where(*conditions_of_study(where), *_may_pass(connection, tests)))
        return [
            study_id
            for study_id, title, conditions in rows
            if all(check(_TEXTS.decode(conditions) if of_many else (title,)) for of_many, check in checks)
        ]


def sites_by_id(store: Store, ids: Iterable[str]) -> dict[str, Site]:
    """Return the sites with some ids; unknown ones are left out. Errors: see `Store.reading`."""
    return {row.site_id: site_of(row) for row in _by_id(store, site, site.c.site_id, ids)}


def studies_by_id(store: Store, ids: Iterable[str]) -> dict[str, Study]:
    """Return the studies with some ids; unknown ones are left out. Errors: see `Store.reading`."""
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
    """Return the few ids of sites and studies with more than a given number of UTF-8 bytes."""
    columns = (site.c.site_id, study.c.study_id)
    queries = [sa.select(column).where(byte_length(store.dialect, column) > longer_than_bytes) for column in columns]
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


def _stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
    """Read rows in batches, because a query can return many rows of which few pass."""
    return map(tuple, connection.execute(query.execution_options(yield_per=_ROWS_A_STATEMENT)))


def _by_id(store: Store, table: sa.Table, key: sa.ColumnElement[str], ids: Iterable[str]) -> list[_Row]:
    wanted = sorted(set(ids))
    rows: list[_Row] = []
    with store.reading() as connection:
        for start in range(0, len(wanted), _ROWS_A_STATEMENT):
            chunk = wanted[start : start + _ROWS_A_STATEMENT]
            rows += connection.execute(sa.select(table).where(key.in_(chunk))).all()
    return rows


def conditions_of_site(where: SiteFilter) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a filter of sites."""
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
    return conditions


def conditions_of_study(where: StudyFilter) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a filter of studies."""
    conditions = _within((study.c.study_id, where.study_ids), (study.c.status, where.statuses))
    if where.site_ids is not None:
        conditions.append(
            study.c.study_id.in_(sa.select(site.c.study_id).where(site.c.site_id.in_(sorted(where.site_ids))))
        )
    for some in where.any_ids:
        listed = [list_contains(study.c.other_ids, text) for text in sorted(some)]
        conditions.append(sa.or_(study.c.study_id.in_(sorted(some)), *listed))
    return conditions


def _may_pass(connection: sa.Connection, tests: Sequence[TextTest]) -> list[sa.ColumnElement[bool]]:
    return [may_pass(connection.dialect.name, test) for test in tests[:MOST_COMPARED]]


def _site_check(tests: Iterable[TextTest]) -> Callable[[Sequence[str]], bool]:
    """Return a function that checks whether a site's texts (`SITE_TEXTS`) pass all tests."""
    checks = [(texts_of(test.field), test.check()) for test in tests]
    return lambda texts: all(check([texts[at] for at in places]) for places, check in checks)


def _within(*pairs: tuple[sa.ColumnElement[str], Iterable[str] | None]) -> list[sa.ColumnElement[bool]]:
    return [column.in_(sorted(values)) for column, values in pairs if values is not None]
