"""Exports of sites, matches and capacity as tables, and of sites as GeoJSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from sitematch.domain.capacity.caps import SiteCapacity
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.exporters.tables.rows import CapacityRow, capacity_row
from sitematch.store.studies.catalogue import iter_sites, iter_studies, read_sites, read_study

if TYPE_CHECKING:
    from sitematch.store.engine import Store


def all_sites(store: Store, study_ids: Collection[str] | None, *, country: str | None = None) -> Iterator[Site]:
    """Yield the sites of studies, by study and then in the catalogue's order, with constant memory.

    Parameters
    ----------
    store
        The database.
    study_ids
        The studies; None for all.
    country
        Only sites in this country (ISO 3166-1 alpha-2).

    Raises
    ------
    StudyNotFound
        If there is no study with a given id; nothing is yielded then.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    _require_studies(store, study_ids)
    return (site for site in iter_sites(store, study_ids) if country in (None, site.country))


def all_studies(store: Store, study_ids: Collection[str] | None) -> Iterator[tuple[Study, tuple[Site, ...]]]:
    """Yield studies, by id, each with its sites, with constant memory; parameters and errors: see `all_sites`."""
    _require_studies(store, study_ids)
    return iter_studies(store, study_ids)


def _require_studies(store: Store, study_ids: Collection[str] | None) -> None:
    for study_id in study_ids or ():
        read_study(store, study_id)


def with_places(store: Store, study_id: str, found: Iterable[SiteCapacity]) -> tuple[CapacityRow, ...]:
    """Add the details of a study's sites to their spots, in the given order.

    Raises
    ------
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        See `sitematch.store.studies.catalogue.read_sites`.
    """
    sites = {site.site_id: site for site in read_sites(store, study_id)}
    # A site that an import removed after its spots were counted no longer has a row.
    return tuple(capacity_row(sites[item.site_id], item) for item in found if item.site_id in sites)
