"""A site that is being ranked: how far it is, its spots, its band, and its place in each order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sitematch.domain.capacity.caps import Remaining
from sitematch.domain.finding.match import Distance
from sitematch.domain.finding.policy import Order
from sitematch.domain.journey.estimate import Journey
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.travel import TRAVEL_ORDER
from sitematch.domain.units import compass_point


class CapacityView(Protocol):
    """Answers how many spots remain at a site, from memory: ranking asks for every site it meets."""

    def remaining(self, site: Site, /) -> Remaining:
        """Return the spots left at a site."""
        ...


@dataclass(slots=True)
class Candidate:
    """A site on the way from nearest to farthest.

    Parameters
    ----------
    site
        The site.
    km
        Geodesic distance in kilometres; infinite for a site without a location.
    azimuth_deg
        Direction from the place, degrees clockwise from north, -180 to 180.
    remaining
        Spots left; None until the walk has met the site.
    band
        See `SiteMatch.band`; 0 until the walk has met the site.
    group
        1 for a site outside the preferred country, which ranks behind all others; else 0.
    journey
        The way by car; None where it was not asked for.
    """

    site: Site
    km: float
    azimuth_deg: float
    remaining: Remaining | None = None
    band: int = 0
    group: int = 0
    journey: Journey | None = None

    @property
    def minutes(self) -> float:
        """Minutes by car by the best guess; infinite across the sea and where nothing is known."""
        return self.journey.minutes.best if self.journey and self.journey.minutes else math.inf


Estimates = Callable[[Sequence[Candidate]], Sequence[Journey]]
"""Estimates the way to candidates that have a location, in their order."""


def distance_to(place: Place, candidate: Candidate) -> Distance | None:
    """Return how far a candidate is and how sure that is; None for a site without a location."""
    if candidate.km == math.inf:
        return None
    return Distance(
        km=candidate.km,
        uncertainty_km=combined_km(place.uncertainty_km, candidate.site),
        direction=compass_point(candidate.azimuth_deg),
        azimuth_deg=candidate.azimuth_deg % 360.0,
    )


def combined_km(place_km: float, site: Site) -> float:
    """Return the uncertainty of the place and the site together, in kilometres."""
    return math.hypot(place_km, site_km(site))


def site_km(site: Site) -> float:
    """Return the uncertainty of a site's location, in kilometres; 0 without a location."""
    return site.place.uncertainty_km if site.place is not None else 0.0


def known(candidate: Candidate) -> Remaining:
    """Return the spots, which every candidate has once the walk has met it."""
    assert candidate.remaining is not None
    return candidate.remaining


def travel_rank(candidate: Candidate) -> int:
    """Return the place of a site's travel support among `TRAVEL_ORDER`."""
    return TRAVEL_ORDER[candidate.site.travel.certainty]


def best_key(candidate: Candidate) -> tuple[int, int, float, float, str]:
    """Return the sort key of the order "best"; see `ranking.rank`."""
    count = known(candidate).count
    spots = math.inf if count is None else -count
    return (candidate.band, travel_rank(candidate), spots, candidate.km, candidate.site.site_id)


def _distance_key(candidate: Candidate) -> tuple[int, float, str]:
    return (candidate.group, candidate.km, candidate.site.site_id)


def _time_key(candidate: Candidate) -> tuple[int, float, float, str]:
    return (candidate.group, candidate.minutes, candidate.km, candidate.site.site_id)


ORDERS: Mapping[Order, Callable[[Candidate], tuple[float | str, ...]]] = {
    Order.BEST: best_key,
    Order.DISTANCE: _distance_key,
    Order.TIME: _time_key,
}
