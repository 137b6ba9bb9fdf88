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
from typing import Any

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.errors import InvalidInput

MAX_PAIRS = 100_000
"""Referrals times sites that one batch may have."""

_FIRST_PAIRS = 10
"""How many of each referral's nearest sites the search starts with."""

_MOST_JOINING = 2_000
"""How many more pairs may join in one round."""

_TOLERANCE = 1e-10
"""Of reduced costs, in kilometres: a tenth of a micrometre."""


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
    site_of = dict(_solve(pairs, [fitting[referral][site] for referral, site in pairs], arm_of, caps, room))
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


def _solve(
    pairs: Sequence[tuple[str, str]],
    km: Sequence[float],
    arm_of: Mapping[str, str | None],
    caps: Mapping[tuple[str, str | None], Sequence[CapKey]],
    room: Mapping[CapKey, int],
) -> list[tuple[str, str]]:
    """Choose pairs of referral and site: most of them, then the least total distance.

    Notes
    -----
    The caps are nested: a referral in its arm in the study, a site in its country. So the choice is a flow in a
    network, and the linear program has a solution in whole numbers. It starts with each referral's nearest pairs. The
    others join when the prices of the limits show that they can improve the choice (column generation), so the result
    is the optimum over all pairs.
    """
    if not pairs:
        return []
    import numpy as np

    number: dict[CapKey | str, int] = {}
    limits: list[float] = []
    for referral, _ in pairs:
        if referral not in number:
            number[referral] = len(limits)
            limits.append(1)
    for cap, spots in room.items():
        number[cap] = len(limits)
        limits.append(spots)
    cap_rows = {at: [number[cap] for cap in applying if cap in room] for at, applying in caps.items()}
    row_lists = [[number[referral], *cap_rows[site, arm_of[referral]]] for referral, site in pairs]
    by_referral: dict[str, list[int]] = {}
    for j, (referral, _) in enumerate(pairs):
        by_referral.setdefault(referral, []).append(j)
    active = {j for own in by_referral.values() for j in sorted(own, key=lambda j: (km[j], j))[:_FIRST_PAIRS]}
    most = _most(pairs, arm_of, caps, room)
    chosen = _Program(np.array(limits, float), row_lists).optimum(np.array(km), active.union(most), len(most))
    return [pair for pair, is_chosen in zip(pairs, chosen, strict=True) if is_chosen]


def _most(
    pairs: Sequence[tuple[str, str]],
    arm_of: Mapping[str, str | None],
    caps: Mapping[tuple[str, str | None], Sequence[CapKey]],
    room: Mapping[CapKey, int],
) -> list[int]:
    """Return the numbers of as many pairs as can be chosen together: a maximum flow from the study to the sites."""
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import maximum_flow

    everybody = len({referral for referral, _ in pairs})
    where = {at: next(key for key in applying if key.level is CapLevel.SITE) for at, applying in caps.items()}
    # The level itself stands for those without an arm.
    group: dict[tuple[str, str | None], CapKey | CapLevel] = {
        at: next((key for key in applying if key.level is CapLevel.ARM), CapLevel.ARM) for at, applying in caps.items()
    }
    edges: dict[tuple[object, object], int] = {}
    for at in {(site, arm_of[referral]) for referral, site in pairs}:
        of = {key.level: key for key in caps[at]}
        study, country, site = of[CapLevel.STUDY], of[CapLevel.COUNTRY], of[CapLevel.SITE]
        arm = group[at]
        edges["start", study] = room.get(study, everybody)
        edges[study, arm] = room.get(arm, everybody) if isinstance(arm, CapKey) else everybody
        edges[site, country] = room.get(site, everybody)
        edges[country, "end"] = room.get(country, everybody)
    for referral, site_id in pairs:
        at = site_id, arm_of[referral]
        edges[group[at], (referral,)] = 1
        edges[(referral,), where[at]] = 1
    nodes = {node: number for number, node in enumerate(dict.fromkeys(node for edge in edges for node in edge))}
    starts, ends = ([nodes[edge[side]] for edge in edges] for side in (0, 1))
    limits = np.minimum(np.fromiter(edges.values(), np.int64), everybody).astype(np.int32)
    network = sparse.csr_array((limits, (starts, ends)), shape=(len(nodes), len(nodes)))
    flow = maximum_flow(network, nodes["start"], nodes["end"]).flow.tocoo()
    ahead = flow.data > 0
    used = set(zip(flow.row[ahead].tolist(), flow.col[ahead].tolist(), strict=True))
    return [
        j
        for j, (referral, site_id) in enumerate(pairs)
        if (nodes[(referral,)], nodes[where[site_id, arm_of[referral]]]) in used
    ]


class _Program:
    """A linear program over pairs: each pair counts once in each of its rows, and a row has an upper limit.

    Parameters
    ----------
    limits
        Of the rows.
    row_lists
        For each pair the numbers of its rows.
    """

    def __init__(self, limits: Any, row_lists: Sequence[Sequence[int]]) -> None:
        import numpy as np
        from scipy import sparse

        starts = np.cumsum([0, *map(len, row_lists)])
        indices = np.concatenate([np.asarray(rows, np.intp) for rows in row_lists])
        shape = (len(limits), len(row_lists))
        self._limits = limits
        self._matrix = sparse.csc_array((np.ones(len(indices)), indices, starts), shape=shape)

    def optimum(self, cost: Any, active: set[int], count: int) -> Any:
        """Minimise the cost of an exact number of pairs.

        Parameters
        ----------
        cost
            Of each pair.
        active
            The pairs to begin with; they allow a choice of that number.
        count
            How many pairs to choose.

        Returns
        -------
        array of bool
            The chosen pairs.
        """
        import numpy as np
        from scipy.optimize import linprog

        while True:
            columns = np.array(sorted(active))
            found = linprog(
                cost[columns],
                A_ub=self._matrix[:, columns],
                b_ub=self._limits,
                A_eq=np.ones((1, len(columns))),
                b_eq=[count],
                bounds=(0, None),
                method="highs-ds",  # the simplex method ends in a corner, and all corners are whole numbers
                options={"dual_feasibility_tolerance": _TOLERANCE, "presolve": False},
            )
            if not found.success:
                raise RuntimeError(f"HiGHS found no allocation: {found.message}")
            gain = float(found.eqlin.marginals[0]) + self._matrix.T @ found.ineqlin.marginals - cost
            gain[columns] = 0.0
            better = np.flatnonzero(gain > _TOLERANCE * 10)
            if not len(better):
                chosen = np.zeros(len(cost), bool)
                chosen[columns] = found.x > 0.5
                return chosen
            active = active.union(better[np.argsort(-gain[better], kind="stable")[:_MOST_JOINING]].tolist())
