"""Assign a batch of referrals to sites: first as many as possible, then with the smallest total distance.

Nothing here takes a spot. The caps of study, country, arm and site all apply at once. Together with "each referral at
most once" they form a flow from the study over arms, referrals, sites and countries, so the optimum has whole numbers
(docs/adr/0091).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from sitematch.domain.capacity.caps import CapKey
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.reports.assignment import choose_pairs
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.errors import InvalidInput

MAX_PAIRS = 100_000
"""Referrals times sites that one batch may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRequest:
    """A referral that needs a site, with its requirements; its location is given separately, as distances.

    Parameters
    ----------
    referral_id
        Opaque; unique in the batch.
    max_km
        Maximum distance, over 0; None for no limit.
    min_travel
        Only sites whose travel support is at least this certain; None allows all.
    country
        Only sites in this country (ISO 3166-1 alpha-2); None allows all.
    arm
        The arm or cohort whose cap applies; None for none.
    """

    referral_id: str
    max_km: float | None = None
    min_travel: TravelCertainty | None = None
    country: str | None = None
    arm: str | None = None

    def __post_init__(self) -> None:
        if self.max_km is not None and not (math.isfinite(self.max_km) and self.max_km > 0):
            raise InvalidInput(f"max_km is {self.max_km}. Give a number greater than 0, or none.", field="max_km")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationSite:
    """A site that takes patients, regardless of spots.

    Parameters
    ----------
    site_id, country
        The site.
    travel
        How certain its travel support is.
    """

    site_id: str
    country: str
    travel: TravelCertainty = TravelCertainty.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A referral with its site.

    Parameters
    ----------
    referral_id, site_id
        Which.
    km
        Distance in kilometres.
    best_site_id, best_km
        The nearest site that meets the requirements and has a spot now: the site that the referral would get alone.
    """

    referral_id: str
    site_id: str
    km: float
    best_site_id: str
    best_km: float

    @property
    def given_up_km(self) -> float:
        """The extra distance compared with its best site, in kilometres, at least 0."""
        return self.km - self.best_km


class Obstacle(StrEnum):
    """Reasons why a referral has no site."""

    NOT_LOCATED = "NOT_LOCATED"
    """Its location is unknown."""
    NO_SITE_FITS = "NO_SITE_FITS"
    """No site meets its requirements, regardless of spots."""
    CAPS = "CAPS"
    """Sites meet its requirements, but caps leave no spot for it; the caps are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedReferral:
    """A referral without a site.

    Parameters
    ----------
    referral_id
        Which.
    obstacle
        The reason.
    misfits
        With `NO_SITE_FITS`: the number of sites that failed each requirement, by
        ``"max_km"``, ``"min_travel"`` and ``"country"``; a site can fail several.
    caps
        With `CAPS`: every full cap of a suitable site, widest first. At least one of them blocks each suitable site; if
        all of them were one higher, the referral would have a site.
    """

    referral_id: str
    obstacle: Obstacle
    misfits: tuple[tuple[str, int], ...] = ()
    caps: tuple[CapKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The result for a batch.

    Parameters
    ----------
    placements, unplaced
        Every referral is in exactly one of them, in the order of the batch.
    """

    placements: tuple[Placement, ...]
    unplaced: tuple[UnplacedReferral, ...]

    @property
    def total_km(self) -> float:
        """The distances of all placements, in kilometres."""
        return math.fsum(placement.km for placement in self.placements)


def allocate(
    requests: Sequence[AllocationRequest],
    sites: Sequence[AllocationSite],
    km: Sequence[Sequence[float]],
    room: Mapping[CapKey, int],
) -> Allocation:
    """Assign referrals to sites.

    Parameters
    ----------
    requests
        The batch; ids are unique.
    sites
        The sites that take patients; ids are unique.
    km
        For each request the distance to each site, in kilometres; infinite or not a number if unknown.
    room
        Spots left under each cap; a missing cap has no limit. A closed part has a cap of 0.

    Returns
    -------
    Allocation
        No other assignment within the requirements and caps places more, and none that places as many has a smaller
        total distance, to a millimetre. The choice among equally good assignments depends only on the ids, not on the
        given order.

    Raises
    ------
    InvalidInput
        If an id occurs twice, or there are more than `MAX_PAIRS` pairs.

    Examples
    --------
    >>> ann, ben = AllocationRequest(referral_id="ann"), AllocationRequest(referral_id="ben")
    >>> near, far = AllocationSite(site_id="near", country="DE"), AllocationSite(site_id="far", country="DE")
    >>> from sitematch.domain.capacity.caps import CapLevel
    >>> one = {CapKey(level=CapLevel.SITE, scope="near"): 1}
    >>> found = allocate([ann, ben], [near, far], [[10, 20], [10, 90]], one)
    >>> [(p.referral_id, p.site_id, p.given_up_km) for p in found.placements]  # ben would lose more than ann
    [('ann', 'far', 10.0), ('ben', 'near', 0.0)]
    """
    _check(requests, sites)
    fitting = {
        request.referral_id: {
            site.site_id: float(row[j]) for j, site in enumerate(sites) if _fits(request, site, row[j])
        }
        for request, row in zip(requests, km, strict=True)
    }
    arm_of = {request.referral_id: request.arm for request in requests}
    caps = {
        (site.site_id, arm): keys_for(site.site_id, site.country, arm) for site in sites for arm in {*arm_of.values()}
    }
    has_spots = {at for at, applying in caps.items() if all(room.get(cap, 1) > 0 for cap in applying)}
    pairs = sorted(
        (referral, site)
        for referral, found in fitting.items()
        for site in found
        if (site, arm_of[referral]) in has_spots
    )
    site_of = dict(choose_pairs(pairs, [fitting[referral][site] for referral, site in pairs], arm_of, caps, room))
    used = Counter(cap for referral, site in site_of.items() for cap in caps[site, arm_of[referral]])
    nearest: dict[str, tuple[float, str]] = {}
    for referral, site in pairs:
        alone = (fitting[referral][site], site)
        nearest[referral] = min(nearest.get(referral, alone), alone)
    placements, unplaced = [], []
    for request, row in zip(requests, km, strict=True):
        referral = request.referral_id
        if referral in site_of:
            best_km, best = nearest[referral]
            site = site_of[referral]
            placements.append(
                Placement(
                    referral_id=referral, site_id=site, km=fitting[referral][site], best_site_id=best, best_km=best_km
                )
            )
        elif fitting[referral]:
            applying = {cap for site in fitting[referral] for cap in caps[site, request.arm]}
            full = sorted((cap for cap in applying if used[cap] >= room.get(cap, math.inf)), key=attrgetter("order"))
            unplaced.append(UnplacedReferral(referral_id=referral, obstacle=Obstacle.CAPS, caps=tuple(full)))
        else:
            unplaced.append(_misfit(request, sites, row))
    return Allocation(placements=tuple(placements), unplaced=tuple(unplaced))


def _check(requests: Sequence[AllocationRequest], sites: Sequence[AllocationSite]) -> None:
    for ids, field in (([r.referral_id for r in requests], "referral_id"), ([s.site_id for s in sites], "site_id")):
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            raise InvalidInput(f"{field} {twice[0]!r} appears twice.", field=field)
    if len(requests) * len(sites) > MAX_PAIRS:
        raise InvalidInput(
            f"{len(requests)} referrals and {len(sites)} sites are too many at once. "
            f"Allocate at most {MAX_PAIRS // len(sites)} referrals in one batch."
        )


def _fits(request: AllocationRequest, site: AllocationSite, km: float) -> bool:
    return math.isfinite(km) and not any(_misfits(request, site, km).values())


def _misfits(request: AllocationRequest, site: AllocationSite, km: float) -> dict[str, bool]:
    """Return the requirements that a site fails."""
    return {
        "max_km": request.max_km is not None and km > request.max_km,
        "min_travel": request.min_travel is not None and TRAVEL_ORDER[site.travel] > TRAVEL_ORDER[request.min_travel],
        "country": request.country is not None and site.country != request.country,
    }


def _misfit(request: AllocationRequest, sites: Sequence[AllocationSite], row: Sequence[float]) -> UnplacedReferral:
    if sites and not any(map(math.isfinite, row)):
        return UnplacedReferral(referral_id=request.referral_id, obstacle=Obstacle.NOT_LOCATED)
    failed: Counter[str] = Counter()
    for site, km in zip(sites, row, strict=True):
        failed.update(need for need, fails in _misfits(request, site, km).items() if fails)
    misfits = tuple((need, failed[need]) for need in ("max_km", "min_travel", "country") if failed[need])
    return UnplacedReferral(referral_id=request.referral_id, obstacle=Obstacle.NO_SITE_FITS, misfits=misfits)
