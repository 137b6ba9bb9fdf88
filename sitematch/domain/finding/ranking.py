"""The order of matches: lexicographic, total, deterministic, and explained.

Sites come in by distance. Those that can take a patient are grouped into bands of "about equally far", and within a
band what helps the patient decides. A band starts at its nearest site and holds every site whose extra distance is
within the greatest of 5 km, 10 % of the band's start, and the start's combined location uncertainty.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from types import MappingProxyType

from sitematch.domain.finding.candidate import (
    ORDERS,
    Candidate,
    CapacityView,
    Estimates,
    combined_km,
    distance_to,
    known,
)
from sitematch.domain.finding.match import Exclusion, MatchResult, Reason, ReasonCode, SiteMatch
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.reasons import cannot_be_told_apart, faults_of, reasons_of, too_long
from sitematch.domain.journey.estimate import least_minutes
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.units import unit_for

BAND_KM = 5.0
"""Extra distance that never matters, in kilometres."""

BAND_SHARE = 0.10
"""Extra distance that does not matter, as a share of the band's start."""

MAX_EXCLUDED = 20
"""Left-out sites that are listed; the rest is counted."""

MAX_TOO_FAR = 3
"""Sites beyond the radius that are listed when places are free."""

NOTHING_FORESEEN: Mapping[str, Reason] = MappingProxyType({})
"""For a ranking that knows nothing of what is to come."""


def rank(
    place: Place,
    policy: MatchPolicy,
    now: datetime,
    *,
    placed: Iterable[Candidate],
    unplaced: Iterable[Site],
    capacity: CapacityView,
    foreseen: Mapping[str, Reason] = NOTHING_FORESEEN,
    estimates: Estimates | None = None,
) -> MatchResult:
    """Rank the sites that can take a patient, and say which nearer ones were left out and why.

    Parameters
    ----------
    place
        Where the person is.
    policy
        What is asked.
    now
        The moment of the answer (aware, UTC).
    placed
        Every site with a location, nearest first, equal distances by site_id. Read only as far as needed.
    unplaced
        Sites without a location, by site_id; read after `placed`. Those that could take a patient rank last, never
        lost.
    capacity
        Spots left by site.
    foreseen
        What is probable of a site, by site_id: said with its match, without a say in the order.
    estimates
        The way by car; asked for the sites that are shown, and for others only where the policy asks for minutes.
        Without it a policy that asks for minutes finds no site that has any.

    Returns
    -------
    MatchResult
        Matches in the policy's order. Order "best": band, then travel support, then remaining spots (more first,
        unknown after every known number), then distance, then site_id. Order "distance": distance, then site_id. Order
        "time": minutes, then distance, then site_id; sites without minutes after those with them.
        A preferred country's sites come before all others. If nothing lies within the radius, the nearest site that
        can take a patient stands alone and `outside_radius` is true.
    """
    by_time = policy.order is Order.TIME
    if estimates is not None and (by_time or policy.max_minutes is not None):
        placed = _with_journeys(placed, estimates, max(policy.limit, _AT_ONCE))
    gathered = _gather(place, policy, placed, capacity)
    ordered = gathered.eligible
    ordered.sort(key=ORDERS[policy.order])
    if by_time:
        for band, candidate in enumerate(ordered, start=1):
            candidate.band = band
    _append_unplaced(gathered, unplaced, policy, capacity)
    shown = ordered[: policy.limit]
    if estimates is not None:
        _estimate(shown, estimates)
    excluded, more = _left_out(place, policy, gathered, shown)
    ties = [cannot_be_told_apart(place, policy, a, b) for a, b in pairwise(shown)]
    matches = tuple(
        SiteMatch(
            rank=i + 1,
            band=candidate.band,
            site=candidate.site,
            distance=distance_to(place, candidate),
            remaining=known(candidate),
            reasons=reasons_of(
                policy,
                ordered,
                i,
                ties,
                foreseen,
                nearest=gathered.nearest,
                outside_radius=gathered.outside_radius,
            ),
            journey=candidate.journey,
        )
        for i, candidate in enumerate(shown)
    )
    return MatchResult(
        place=place,
        policy=policy,
        unit=policy.unit or unit_for(place.country),
        matches=matches,
        excluded=excluded,
        excluded_more=more,
        outside_radius=gathered.outside_radius,
        answered_at=now,
    )


_AT_ONCE = 8
"""Sites whose way is estimated together at least."""


def _with_journeys(placed: Iterable[Candidate], estimates: Estimates, at_once: int) -> Iterator[Candidate]:
    """Yield candidates with their way, estimated some at a time."""
    candidates = iter(placed)
    while some := list(islice(candidates, at_once)):
        _estimate(some, estimates)
        yield from some


def _estimate(candidates: Sequence[Candidate], estimates: Estimates) -> None:
    unknown = [one for one in candidates if one.journey is None and one.km < math.inf]
    for candidate, journey in zip(unknown, estimates(unknown) if unknown else (), strict=True):
        candidate.journey = journey


@dataclass(slots=True)
class _Gathered:
    """What one walk from near to far has met."""

    eligible: list[Candidate]
    left_out: list[tuple[Candidate, tuple[Reason, ...]]]
    nearest: dict[int, Candidate]
    outside_radius: bool = False


def _gather(place: Place, policy: MatchPolicy, placed: Iterable[Candidate], capacity: CapacityView) -> _Gathered:
    """Walk outwards until no farther site can change the first `limit` matches."""
    found = _Gathered([], [], {})
    radius_km = math.inf if policy.within_km is None else policy.within_km
    most_minutes = math.inf if policy.max_minutes is None else policy.max_minutes
    first_too_long: Candidate | None = None
    bands = (_Bands(place, policy, 0), _Bands(place, policy, 1))
    leading = bands[0]
    too_far = 0
    for candidate in placed:
        km = candidate.km
        if leading.closed_before(km) >= policy.limit:
            break
        is_outside = km > radius_km or least_minutes(km) > most_minutes
        if is_outside and first_too_long is not None and not found.eligible:
            break
        candidate.remaining = capacity.remaining(candidate.site)
        faults = faults_of(candidate, policy)
        if is_outside:
            if not found.eligible and not faults:
                found.outside_radius = True
                bands[0].add(candidate)
                found.nearest[0] = candidate
                found.eligible.append(candidate)
            elif len(found.eligible) >= policy.limit or too_far == MAX_TOO_FAR:
                if found.eligible:
                    break
            else:
                too_far += not faults
                reason = Reason(ReasonCode.TOO_FAR, km=policy.within_km) if km > radius_km else too_long(policy)
                found.left_out.append((candidate, (reason, *faults)))
        elif policy.max_minutes is not None and candidate.minutes > most_minutes:
            if not faults and first_too_long is None:
                first_too_long = candidate
            found.left_out.append((candidate, (too_long(policy), *faults)))
        elif faults:
            found.left_out.append((candidate, faults))
        else:
            other = policy.prefer_country is not None and candidate.site.country != policy.prefer_country
            bands[other].add(candidate)
            found.nearest.setdefault(other, candidate)
            found.eligible.append(candidate)
    if first_too_long is not None and not found.eligible:
        # Nothing is within the minutes: the nearest site that can take a patient stands alone.
        found.outside_radius = True
        bands[0].add(first_too_long)
        found.nearest[0] = first_too_long
        found.eligible.append(first_too_long)
        found.left_out = [pair for pair in found.left_out if pair[0] is not first_too_long]
    if bands[1].count:
        for candidate in found.eligible:
            if candidate.group:
                candidate.band += bands[0].count
    return found


class _Bands:
    """Puts candidates, nearest first, into bands, and knows when a band can take no more."""

    __slots__ = (
        "_by_distance",
        "_by_time",
        "_group",
        "_in_band",
        "_limit",
        "_place_km",
        "_quickest",
        "_reach_km",
        "_start_km",
        "_total",
        "count",
    )

    def __init__(self, place: Place, policy: MatchPolicy, group: int) -> None:
        self._place_km = place.uncertainty_km
        self._by_distance = policy.order is not Order.BEST
        self._by_time = policy.order is Order.TIME
        self._limit = policy.limit
        self._quickest: list[float] = []
        self._group = group
        self._reach_km = -1.0
        self._in_band = 0
        self._total = 0
        self.count = 0

    def add(self, candidate: Candidate) -> None:
        if candidate.km > self._reach_km:
            self.count += 1
            self._in_band = 0
            self._reach_km = candidate.km
            if not self._by_distance:
                self._reach_km += max(BAND_KM, BAND_SHARE * candidate.km, combined_km(self._place_km, candidate.site))
        candidate.band = self.count
        candidate.group = self._group
        self._in_band += 1
        self._total += 1
        if self._by_time:
            insort(self._quickest, candidate.minutes)

    def closed_before(self, km: float) -> int:
        """Count the candidates whose order no site at `km` or beyond can change."""
        if self._by_time:
            return bisect_left(self._quickest, least_minutes(km))
        return self._total if km > self._reach_km else self._total - self._in_band


def _append_unplaced(
    gathered: _Gathered, unplaced: Iterable[Site], policy: MatchPolicy, capacity: CapacityView
) -> None:
    """Put sites without a location behind all others; with a radius they are left out, since it cannot be checked."""
    last_band = max((c.band for c in gathered.eligible), default=0) + 1
    for site in unplaced:
        candidate = Candidate(site, math.inf, 0.0, capacity.remaining(site), last_band)
        faults = faults_of(candidate, policy)
        if faults or policy.is_bounded or len(gathered.eligible) >= policy.limit:
            gathered.left_out.append((candidate, (*faults, Reason(ReasonCode.NO_LOCATION))))
        else:
            gathered.eligible.append(candidate)


def _left_out(
    place: Place, policy: MatchPolicy, gathered: _Gathered, shown: Sequence[Candidate]
) -> tuple[tuple[Exclusion, ...], int]:
    """Choose the left-out sites that a person would wonder about, nearest first, and count the rest."""
    full = len(shown) == policy.limit
    farthest_km = max((c.km for c in shown), default=math.inf) if full else math.inf
    if full and not gathered.left_out and len(gathered.eligible) == len(shown):
        return (), 0
    wondered = [
        (candidate, reasons)
        for candidate, reasons in gathered.left_out
        if candidate.km < farthest_km or candidate.km == math.inf
    ]
    for position, candidate in enumerate(gathered.eligible[len(shown) :], start=len(shown) + 1):
        if candidate.km < farthest_km:
            reason = (
                Reason(ReasonCode.OTHER_COUNTRY, subject=candidate.site.country)
                if candidate.group
                else Reason(ReasonCode.BEYOND_LIMIT, count=position)
            )
            wondered.append((candidate, (reason,)))
    wondered.sort(key=lambda pair: (pair[0].km, pair[0].site.site_id))
    exclusions = tuple(
        Exclusion(site=candidate.site, distance=distance_to(place, candidate), reasons=reasons)
        for candidate, reasons in wondered[:MAX_EXCLUDED]
    )
    return exclusions, len(wondered) - len(exclusions)
