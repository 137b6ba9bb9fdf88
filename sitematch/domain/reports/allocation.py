"""Assign a batch of referrals to sites: as many as possible, then over the least total distance.

Nothing here takes a spot. The caps of study, country, arm and site hold all at once; together with "each referral at
most once" they are a flow from the study over arms, referrals, sites and countries, so that the optimum is one of
whole numbers (docs/adr/0091).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from sitematch.domain.capacity.caps import CapKey
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.errors import InvalidInput

MAX_PAIRS = 100_000
"""Referrals times sites that one batch may have; a quarter of a million take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRequest:
    """A referral to place, and what it needs; where it is rides beside it, as distances.

    Parameters
    ----------
    referral_id
        Opaque; unique in the batch.
    max_km
        No site farther than this, over 0; None for no bound.
    min_travel
        Only sites whose travel support is at least as sure; None takes all.
    country
        Only sites of this country (ISO 3166-1 alpha-2); None takes all.
    arm
        The arm or cohort whose cap counts; None for none.
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
    """A site that takes patients, spots apart.

    Parameters
    ----------
    site_id, country
        Which site.
    travel
        How sure its travel support is.
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
        The nearest site that fits the referral and has a spot now: what it would get alone.
    """

    referral_id: str
    site_id: str
    km: float
    best_site_id: str
    best_km: float

    @property
    def given_up_km(self) -> float:
        """How much farther it goes than alone, in kilometres, at least 0."""
        return self.km - self.best_km


class Obstacle(StrEnum):
    """Why a referral has no site."""

    NOT_LOCATED = "NOT_LOCATED"
    """Where it comes from is not known."""
    NO_SITE_FITS = "NO_SITE_FITS"
    """No site fits what it needs, whatever is left."""
    CAPS = "CAPS"
    """Sites fit, but caps leave none for it: they are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedReferral:
    """A referral without a site.

    Parameters
    ----------
    referral_id
        Which.
    obstacle
        Why.
    misfits
        With `NO_SITE_FITS`: how many sites failed each need, by ``"max_km"``, ``"min_travel"`` and ``"country"``; a
        site may fail several.
    caps
        With `CAPS`: every cap of a site that fits which is used up, widest first. At least one stands in the way to
        each such site; were all of them one higher, the referral had one.
    """

    referral_id: str
    obstacle: Obstacle
    misfits: tuple[tuple[str, int], ...] = ()
    caps: tuple[CapKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A batch, assigned.

    Parameters
    ----------
    placements, unplaced
        Every referral is in exactly one of them; each in the order of the batch.
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
        The batch, no two of one id.
    sites
        Those that take patients, no two of one id.
    km
        For each request the distance to each site, in kilometres; infinite or not a number where it cannot be told.
    room
        Spots left under each cap; a cap that is absent has no limit. A closed part has a cap of 0.

    Returns
    -------
    Allocation
        No other assignment within the needs and caps places more; none that places as many has a smaller total
        distance, to a millimetre. Which of several such is chosen depends on the ids alone, not on the order given.

    Raises
    ------
    InvalidInput
        If an id is there twice, or there are more than `MAX_PAIRS` pairs.

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
    country_of = {site.site_id: site.country for site in sites}
    keys = {
        (request.referral_id, site_id): keys_for(site_id, country_of[site_id], request.arm)
        for request in requests
        for site_id in fitting[request.referral_id]
    }
    pairs = sorted(pair for pair, caps in keys.items() if all(room.get(cap, 1) > 0 for cap in caps))
    site_of = dict(_solve(pairs, [fitting[referral][site] for referral, site in pairs], keys, room))
    used = Counter(cap for pair in site_of.items() for cap in keys[pair])
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
            applying = {cap for site in fitting[referral] for cap in keys[referral, site]}
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
    """Tell which needs a site fails."""
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


def _solve(
    pairs: Sequence[tuple[str, str]],
    km: Sequence[float],
    keys: Mapping[tuple[str, str], Sequence[CapKey]],
    room: Mapping[CapKey, int],
) -> list[tuple[str, str]]:
    """Choose pairs of referral and site: most of them, then the least total distance."""
    if not pairs:
        return []
    import numpy as np

    # Each referral once, each cap as often as it has room: a row of the matrix for each.
    limits: dict[Any, float] = {}
    members: dict[Any, list[int]] = {}
    for j, pair in enumerate(pairs):
        limits[pair[0]] = 1
        members.setdefault(pair[0], []).append(j)
        for cap in keys[pair]:
            if cap in room:
                limits[cap] = room[cap]
                members.setdefault(cap, []).append(j)
    binding = [name for name in members if len(members[name]) > limits[name]]
    rows = [(members[name], limits[name]) for name in binding]
    most = round(float(_optimum(np.full(len(pairs), -1.0), rows).sum()))
    chosen = _optimum(np.array(km), rows, count=most)
    return [pair for pair, is_chosen in zip(pairs, chosen, strict=True) if is_chosen]


def _optimum(cost: Any, rows: Sequence[tuple[list[int], float]], count: int | None = None) -> Any:
    """Minimise a cost over choices of pairs under upper limits, with an exact number of choices if one is given."""
    import numpy as np
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    every = (list(range(len(cost))), math.inf if count is None else float(count))
    rows = [*rows, every]
    indices = np.concatenate([members for members, _ in rows])
    starts = np.cumsum([0, *(len(members) for members, _ in rows)])
    matrix = sparse.csr_array((np.ones(len(indices)), indices, starts), shape=(len(rows), len(cost)))
    upper = np.array([limit for _, limit in rows])
    lower = np.zeros(len(rows))
    lower[-1] = count or 0
    found = milp(
        cost,
        constraints=LinearConstraint(matrix, lower, upper),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(cost)),
        options={"mip_rel_gap": 0.0},
    )
    if not found.success:
        raise RuntimeError(f"HiGHS found no allocation: {found.message}")
    return found.x > 0.5
