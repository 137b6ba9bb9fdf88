"""The catalogue and the ledger as FHIR resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput, NotFound
from sitematch.exporters.fhir.resources import (
    location_resource,
    organization_resource,
    service_resource,
    study_resource,
)
from sitematch.exporters.fhir.types import Entity
from sitematch.services.finding.availability import read_availability
from sitematch.services.studies.directory import (
    DirectoryPage,
    IdFinder,
    PageMark,
    PagePosition,
    SiteSearch,
    StudySearch,
    search_sites,
    search_studies,
)
from sitematch.store.engine import Store
from sitematch.store.studies import directory


class ResourceKind(StrEnum):
    """The types of resource that can be read and searched for."""

    LOCATION = "Location"
    HEALTHCARE_SERVICE = "HealthcareService"
    RESEARCH_STUDY = "ResearchStudy"
    ORGANIZATION = "Organization"


INCLUDES: dict[ResourceKind, dict[str, ResourceKind]] = {
    ResourceKind.LOCATION: {"Location:organization": ResourceKind.ORGANIZATION},
    ResourceKind.HEALTHCARE_SERVICE: {
        "HealthcareService:location": ResourceKind.LOCATION,
        "HealthcareService:organization": ResourceKind.ORGANIZATION,
    },
    ResourceKind.RESEARCH_STUDY: {"ResearchStudy:site": ResourceKind.LOCATION},
    ResourceKind.ORGANIZATION: {},
}
"""The values of ``_include``, and the resources that they add."""

REVERSE_INCLUDES: dict[ResourceKind, dict[str, ResourceKind]] = {
    ResourceKind.LOCATION: {
        "ResearchStudy:site": ResourceKind.RESEARCH_STUDY,
        "HealthcareService:location": ResourceKind.HEALTHCARE_SERVICE,
    },
    ResourceKind.HEALTHCARE_SERVICE: {},
    ResourceKind.RESEARCH_STUDY: {},
    ResourceKind.ORGANIZATION: {
        "Location:organization": ResourceKind.LOCATION,
        "HealthcareService:organization": ResourceKind.HEALTHCARE_SERVICE,
    },
}
"""The values of ``_revinclude``, and the resources that they add."""


@dataclass(frozen=True, slots=True)
class FoundResource:
    """One resource of an answer.

    Parameters
    ----------
    kind, resource
        It.
    is_match
        Whether it matches the search; otherwise it was included with a match.
    km
        Its distance, if requested.
    """

    kind: ResourceKind
    resource: Entity
    is_match: bool = True
    km: float | None = None


MAX_STUDIES = 10_000
"""Maximum number of studies whose sites a search can request."""


def search(
    store: Store, kind: ResourceKind, *, sites: SiteSearch, studies: StudySearch, of_studies: bool, turn: PagePosition
) -> DirectoryPage:
    """Search for resources of a type.

    Parameters
    ----------
    store
        The database.
    kind
        The type.
    sites, studies
        The queries: `studies` for a ResearchStudy, `sites` for all others.
    of_studies
        Whether the sites must also belong to one of the studies that match `studies`.
    turn
        Which page.

    Raises
    ------
    InvalidInput
        If a search for sites matches more than `MAX_STUDIES` studies.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if kind is ResourceKind.RESEARCH_STUDY:
        return search_studies(store, studies, turn)
    if of_studies:
        found = search_studies(store, studies, PagePosition(MAX_STUDIES))
        if found.has_next:
            raise InvalidInput(f"More than {MAX_STUDIES:,} studies match. Narrow the search.", field="_has")
        ids = frozenset(mark.id for mark in found.marks)
        sites = replace(sites, where=replace(sites.where, study_ids=ids))
    return search_sites(store, sites, turn)


def read_resource(store: Store, kind: ResourceKind, resource_id: str, now: datetime) -> Entity:
    """Return one resource.

    Raises
    ------
    NotFound
        If there is none with that type and id.
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    our_id = IdFinder(store).find(resource_id)
    found = [] if our_id is None else join(store, kind, [PageMark(our_id)], frozenset(), now)
    if not found:
        raise NotFound(f"There is no {kind.value} with this id. Search for {kind.value} to find the ids.", field="id")
    return found[0].resource


def join(
    store: Store, kind: ResourceKind, marks: Sequence[PageMark], included: frozenset[ResourceKind], now: datetime
) -> tuple[FoundResource, ...]:
    """Return the resources of a page, in its order, then the included ones, each once.

    Parameters
    ----------
    store
        The database.
    kind
        The type of the search.
    marks
        The page; resources that are no longer in the catalogue are left out.
    included
        Types to include.
    now
        The time of the spots left (aware).

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    if kind is ResourceKind.RESEARCH_STUDY:
        studies = directory.studies_by_id(store, (mark.id for mark in marks))
        site_ids = directory.sites_of_studies(store, studies)
        main = [
            FoundResource(kind, study_resource(studies[mark.id], site_ids.get(mark.id, ())))
            for mark in marks
            if mark.id in studies
        ]
        sites = directory.sites_by_id(store, (i for some in site_ids.values() for i in some)) if included else {}
        return (*main, *_of_sites(store, ResourceKind.LOCATION, sites.values(), studies, now, is_match=False))
    sites = directory.sites_by_id(store, (mark.id for mark in marks))
    studies = directory.studies_by_id(store, (site.study_id for site in sites.values()))
    here = [sites[mark.id] for mark in marks if mark.id in sites]
    kilometres = {mark.id: mark.km for mark in marks}
    found = [
        FoundResource(kind, one.resource, km=kilometres[site.site_id])
        for site, one in zip(here, _of_sites(store, kind, here, studies, now), strict=True)
    ]
    for other in (other for other in ResourceKind if other in included):
        if other is ResourceKind.RESEARCH_STUDY:
            site_ids = directory.sites_of_studies(store, studies)
            found += [
                FoundResource(other, study_resource(studies[i], site_ids[i]), is_match=False) for i in sorted(studies)
            ]
        else:
            found += _of_sites(store, other, here, studies, now, is_match=False)
    return tuple(found)


def _of_sites(
    store: Store,
    kind: ResourceKind,
    sites: Iterable[Site],
    studies: dict[str, Study],
    now: datetime,
    *,
    is_match: bool = True,
) -> list[FoundResource]:
    sites = list(sites)
    if kind is ResourceKind.HEALTHCARE_SERVICE:
        spots = read_availability(store, studies, sites, now)
        resources: list[Entity] = [service_resource(s, studies[s.study_id], spots[s.site_id]) for s in sites]
    elif kind is ResourceKind.LOCATION:
        resources = [location_resource(site, studies[site.study_id]) for site in sites]
    else:
        resources = [organization_resource(site) for site in sites]
    return [FoundResource(kind, resource, is_match=is_match) for resource in resources]
