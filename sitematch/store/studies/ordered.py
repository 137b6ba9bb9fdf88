"""Ids of sites and studies in the order of other columns, one page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sitematch.domain.studies.filters import SiteFilter, StudyFilter
from sitematch.domain.studies.order import SortField, SortOrder
from sitematch.store.engine import Store, in_batches
from sitematch.store.schema import site, study
from sitematch.store.studies.directory import conditions_of_site, conditions_of_study

_SITE: dict[SortField, sa.Column[str]] = {
    SortField.ID: site.c.site_id,
    SortField.FACILITY: site.c.facility,
    SortField.CITY: site.c.city,
    SortField.STATE: site.c.state,
    SortField.POSTCODE: site.c.postcode,
    SortField.COUNTRY: site.c.country,
    SortField.STATUS: site.c.status,
}
_STUDY: dict[SortField, sa.Column[str]] = {
    SortField.ID: study.c.study_id,
    SortField.STATUS: study.c.status,
    SortField.TITLE: study.c.title,
}

Key = tuple[str, ...]
"""The values of an order's fields, and the id."""


def ordered_keys(
    store: Store,
    where: SiteFilter | StudyFilter,
    order: SortOrder,
    *,
    after: Key | None = None,
    before: Key | None = None,
    limit: int,
) -> list[Key]:
    """Return a page of ids with the values that they are ordered by.

    Parameters
    ----------
    store
        The database, which sorts all that match.
    where
        Which sites or studies.
    order
        The order.
    after, before
        Only what follows this key, or only what precedes it.
    limit
        Maximum number: the first ones, or with `before` the last ones.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    columns, conditions = _columns(where, order), _conditions(where)
    parts = [_binary(store, column) for column in columns]
    is_back = before is not None
    mark = before if before is not None else after
    # Backwards in a descending order is forwards.
    is_rising = is_back is order.is_descending
    if mark is not None:
        here, there = sa.tuple_(*parts), sa.tuple_(*(sa.literal(text) for text in mark))
        conditions = [*conditions, here > there if is_rising else here < there]
    query = sa.select(*columns).where(*conditions).limit(limit)
    query = query.order_by(*(part if is_rising else sa.desc(part) for part in parts))
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    return found[::-1] if is_back else found


def keys_of(store: Store, where: SiteFilter | StudyFilter, order: SortOrder, ids: Sequence[str]) -> list[Key]:
    """Return the keys of some ids, in no order; unknown ids are left out. Errors: see `Store.reading`."""
    columns = _columns(where, order)
    found: list[Key] = []
    with store.reading() as connection:
        for part in in_batches(ids):
            found += [tuple(row) for row in connection.execute(sa.select(*columns).where(columns[-1].in_(part)))]
    return found


def _columns(where: SiteFilter | StudyFilter, order: SortOrder) -> list[sa.Column[str]]:
    known = _SITE if isinstance(where, SiteFilter) else _STUDY
    return [*(known[field] for field in order.fields), known[SortField.ID]]


def _conditions(where: SiteFilter | StudyFilter) -> list[sa.ColumnElement[bool]]:
    return conditions_of_site(where) if isinstance(where, SiteFilter) else conditions_of_study(where)


def _binary(store: Store, column: sa.Column[str]) -> sa.ColumnElement[Any]:
    # The same order in both databases, whatever the locale.
    return sa.collate(column, "C") if store.dialect == "postgresql" else column
