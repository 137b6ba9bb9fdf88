"""How well a study's open sites cover a list of people, and the effect of one more site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sitematch.domain.accounts.access import Actor, Permission, granted_sites
from sitematch.domain.place import Place
from sitematch.domain.reports.coverage import (
    Counterfactual,
    Coverage,
    FloatArray,
    Medians,
    NearestPeople,
    NotOpen,
    PossibleSite,
    counterfactuals,
    median,
    within_reach,
)
from sitematch.domain.studies.site import Site
from sitematch.domain.time_zones import zone_named
from sitematch.errors import InvalidInput
from sitematch.gazetteer.batch import locate_many
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.reach import Points, pairwise_km, reach
from sitematch.reports import coverage
from sitematch.reports.document import Report
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.open_sites import place_of, sites_now
from sitematch.services.reports.postcode_lists import PostcodeList

LIMITS_KM = (50.0, 100.0, 200.0)
"""Default distances, in kilometres."""

MAX_LIMITS = 10
MAX_PAIRS = 20_000_000
"""Maximum of distinct places times candidates; more takes minutes."""


@dataclass(frozen=True, slots=True)
class _Located:
    """The located people, each distinct place once."""

    points: Points
    people: FloatArray
    unlocated: float
    statuses: tuple[tuple[str, int], ...]


def coverage_report(
    finder: Finder,
    actor: Actor,
    people: PostcodeList,
    now: datetime,
    *,
    time_zone: str = "UTC",
    limits_km: Sequence[float] = LIMITS_KM,
    more_candidates: Sequence[Site] = (),
) -> Report:
    """Report how well a study's open sites cover a list of people; see `cover`.

    Which sites take patients is public (in `/v1/matches`), so everybody who may read a report of the study may use it.

    Raises
    ------
    NotAllowed
        If the actor may read reports of no site of the study.
    InvalidInput
        See `cover`; also if the zone is not known.
    """
    granted_sites(actor, Permission.REPORTS_READ, finder.study.study_id)
    zone = zone_named(time_zone)
    found = cover(finder, people, now, limits_km=limits_km, more_candidates=more_candidates)
    return coverage.coverage_report(found, zone.key)


def cover(
    finder: Finder,
    people: PostcodeList,
    now: datetime,
    *,
    limits_km: Sequence[float] = LIMITS_KM,
    more_candidates: Sequence[Site] = (),
) -> Coverage:
    """Calculate how far a list of people is from the sites that can take a patient now.

    Parameters
    ----------
    finder
        The study, its sites and their spots.
    people
        Their postcodes.
    now
        The instant (aware).
    limits_km
        Distances for which to report the share within, over 0, at most `MAX_LIMITS`.
    more_candidates
        Sites beyond the study's own that could be opened; those without a location are left out.

    Raises
    ------
    InvalidInput
        If a distance is invalid, or there are too many places times candidates.
    """
    limits = sorted(set(limits_km))
    if not limits or len(limits) > MAX_LIMITS or not all(np.isfinite(km) and km > 0 for km in limits):
        raise InvalidInput(f"Give 1 to {MAX_LIMITS} distances in kilometres, all greater than 0.", field="within_km")
    located = _locate(finder.gazetteer, people)
    now_sites = sites_now(finder, now)
    found = reach(located.points, site_points(now_sites.open))
    candidates = [PossibleSite(site=site, why=why) for site, why in now_sites.not_open]
    own = {site.site_id for site in finder.sites}
    candidates += [
        PossibleSite(site=site, why=NotOpen.CANDIDATE)
        for site in sorted(more_candidates, key=lambda site: site.site_id)
        if site.place is not None and site.site_id not in own
    ]
    if len(located.points) * len(candidates) > MAX_PAIRS:
        raise InvalidInput(
            f"{len(located.points)} places and {len(candidates)} candidate sites are too many at once. "
            "Give fewer candidates, or a sample of the list."
        )
    ranked: tuple[Counterfactual, ...] = ()
    if len(located.points) and candidates:
        to_candidates = pairwise_km(located.points, site_points([c.site for c in candidates]))
        ranked = counterfactuals(located.people, found.km, list(to_candidates.T), limits)
    return Coverage(
        study=finder.study,
        as_of=now,
        sources=finder.attribution,
        rows=len(people.postcodes),
        people=float(located.people.sum()) + located.unlocated,
        unlocated=located.unlocated,
        statuses=located.statuses,
        open_sites=now_sites.open,
        unplaced_sites=now_sites.unplaced,
        reached=tuple(
            within_reach(limit, located.people, located.unlocated, found.km, found.least_km, found.most_km)
            for limit in limits
        ),
        medians=Medians(
            km=median(found.km, located.people),
            low_km=median(found.least_km, located.people),
            high_km=median(found.most_km, located.people),
        ),
        nearest=_by_site(now_sites.open, located.people, found.nearest, found.km),
        candidates=tuple(candidates),
        ranked=ranked,
    )


def site_points(sites: Sequence[Site]) -> Points:
    """Return the positions of sites, all of which have a location."""
    return points_of([place_of(site) for site in sites])


def points_of(places: Sequence[Place]) -> Points:
    """Return places as arrays."""
    return Points(
        latitude_deg=np.array([place.coordinates.latitude for place in places], dtype=np.float64),
        longitude_deg=np.array([place.coordinates.longitude for place in places], dtype=np.float64),
        uncertainty_km=np.array([place.uncertainty_km for place in places], dtype=np.float64),
    )


def _locate(gazetteer: Gazetteer, people: PostcodeList) -> _Located:
    """Locate the postcodes and discard them; only distinct points with numbers of people remain."""
    frame = locate_many(gazetteer, list(people.countries), list(people.postcodes))
    frame["people"] = np.array(people.counts, dtype=np.float64)
    statuses = frame["status"].value_counts(sort=False)
    placed = frame[frame["latitude"].notna() & (frame["people"] > 0)]
    grouped = placed.groupby(["latitude", "longitude", "uncertainty_km"], sort=True)["people"].sum().reset_index()
    return _Located(
        points=Points(
            latitude_deg=grouped["latitude"].to_numpy(),
            longitude_deg=grouped["longitude"].to_numpy(),
            uncertainty_km=grouped["uncertainty_km"].to_numpy(),
        ),
        people=grouped["people"].to_numpy(),
        unlocated=float(frame.loc[frame["latitude"].isna(), "people"].sum()),
        statuses=tuple((str(status), int(count)) for status, count in statuses.items() if count),
    )


def _by_site(
    sites: Sequence[Site], people: FloatArray, nearest: NDArray[np.intp], km: FloatArray
) -> tuple[NearestPeople, ...]:
    found = []
    for i, site in enumerate(sites):
        own = nearest == i
        found.append(NearestPeople(site=site, people=float(people[own].sum()), median_km=median(km[own], people[own])))
    return tuple(sorted(found, key=lambda one: (-one.people, one.site.site_id)))
