"""The order of matches: lexicographic, total, deterministic, and explained.

Sites come in by distance. Those that can take a patient are grouped into bands of "about equally far", and within a
band what helps the patient decides. A band starts at its nearest site and holds every site whose extra distance is
within the greatest of 5 km, 10 % of the band's start, and the start's combined location uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Protocol

from sitematch.domain.capacity.caps import LimitedBy, Remaining, Shortage
from sitematch.domain.finding.match import Distance, Exclusion, MatchResult, Reason, ReasonCode, SiteMatch
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty
from sitematch.domain.units import compass_point, unit_for

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

# Reasons without facts of their own are made once.
_NEAREST = Reason(ReasonCode.NEAREST)
_SPOTS_UNKNOWN = Reason(ReasonCode.SPOTS_UNKNOWN)
_STUDY_NOT_RECRUITING = Reason(ReasonCode.STUDY_NOT_RECRUITING)
_WAITING_LIST = Reason(ReasonCode.WAITING_LIST)
_TRAVEL_REASON = {
    TravelCertainty.COVERED: Reason(ReasonCode.TRAVEL_COVERED),
    TravelCertainty.MAY_BE_COVERED: Reason(ReasonCode.TRAVEL_MAY_BE_COVERED),
    TravelCertainty.UNKNOWN: Reason(ReasonCode.TRAVEL_UNKNOWN),
    TravelCertainty.NOT_COVERED: Reason(ReasonCode.TRAVEL_NOT_COVERED),
}


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
    """

    site: Site
    km: float
    azimuth_deg: float
    remaining: Remaining | None = None
    band: int = 0
    group: int = 0


def rank(
    place: Place,
    policy: MatchPolicy,
    now: datetime,
    *,
    placed: Iterable[Candidate],
    unplaced: Iterable[Site],
    capacity: CapacityView,
    foreseen: Mapping[str, Reason] = NOTHING_FORESEEN,
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

    Returns
    -------
    MatchResult
        Matches in the policy's order. Order "best": band, then travel support, then remaining spots (more first,
        unknown after every known number), then distance, then site_id. Order "distance": distance, then site_id.
        A preferred country's sites come before all others. If nothing lies within the radius, the nearest site that
        can take a patient stands alone and `outside_radius` is true.
    """
    gathered = _gather(place, policy, placed, capacity)
    ordered = gathered.eligible
    ordered.sort(key=_best_key if policy.order is Order.BEST else _distance_key)
    _append_unplaced(gathered, unplaced, policy, capacity)
    shown = ordered[: policy.limit]
    excluded, more = _left_out(place, policy, gathered, shown)
    ties = [_cannot_be_told_apart(place, policy, a, b) for a, b in pairwise(shown)]
    matches = tuple(
        SiteMatch(
            rank=i + 1,
            band=candidate.band,
            site=candidate.site,
            distance=distance_to(place, candidate),
            remaining=_known(candidate),
            reasons=_reasons(policy, gathered, i, ties, foreseen),
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
    bands = (_Bands(place, policy, 0), _Bands(place, policy, 1))
    leading = bands[0]
    too_far = 0
    for candidate in placed:
        km = candidate.km
        if leading.closed_before(km) >= policy.limit:
            break
        candidate.remaining = capacity.remaining(candidate.site)
        faults = _faults(candidate, policy)
        if km > radius_km:
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
                reason = Reason(ReasonCode.TOO_FAR, km=policy.within_km)
                found.left_out.append((candidate, (reason, *faults)))
        elif faults:
            found.left_out.append((candidate, faults))
        else:
            other = policy.prefer_country is not None and candidate.site.country != policy.prefer_country
            bands[other].add(candidate)
            found.nearest.setdefault(other, candidate)
            found.eligible.append(candidate)
    if bands[1].count:
        for candidate in found.eligible:
            if candidate.group:
                candidate.band += bands[0].count
    return found


class _Bands:
    """Puts candidates, nearest first, into bands, and knows when a band can take no more."""

    __slots__ = (
        "_by_distance",
        "_group",
        "_in_band",
        "_place_km",
        "_reach_km",
        "_start_km",
        "_total",
        "count",
    )

    def __init__(self, place: Place, policy: MatchPolicy, group: int) -> None:
        self._place_km = place.uncertainty_km
        self._by_distance = policy.order is Order.DISTANCE
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
                self._reach_km += max(BAND_KM, BAND_SHARE * candidate.km, _combined_km(self._place_km, candidate.site))
        candidate.band = self.count
        candidate.group = self._group
        self._in_band += 1
        self._total += 1

    def closed_before(self, km: float) -> int:
        """Count the candidates whose order no site at `km` or beyond can change."""
        return self._total if km > self._reach_km else self._total - self._in_band


def _faults(candidate: Candidate, policy: MatchPolicy) -> tuple[Reason, ...]:
    """List why a site cannot be a match; empty when it can. Distance is judged elsewhere."""
    site, remaining = candidate.site, _known(candidate)
    faults: list[Reason] = []
    if site.status not in policy.statuses:
        faults.append(Reason(ReasonCode.NOT_RECRUITING, subject=site.status))
    if not remaining.is_open:
        faults.append(_shortage_reason(remaining.shortage))
        if remaining.has_waiting_list:
            faults.append(_WAITING_LIST)
    elif policy.min_spots is not None and (remaining.count is None or remaining.count < policy.min_spots):
        faults.append(Reason(ReasonCode.TOO_FEW_SPOTS, count=remaining.count))
    if policy.min_travel is not None and TRAVEL_ORDER[site.travel.certainty] > TRAVEL_ORDER[policy.min_travel]:
        faults.append(Reason(ReasonCode.TRAVEL_TOO_UNSURE, subject=site.travel.certainty))
    if policy.country is not None and site.country != policy.country:
        faults.append(Reason(ReasonCode.COUNTRY_NOT_ASKED, subject=site.country))
    return tuple(faults)


def _shortage_reason(shortage: Shortage | None) -> Reason:
    """Say why no spot can be taken, and at which level."""
    if shortage is None:
        return Reason(ReasonCode.FULL)
    if shortage is Shortage.STUDY_NOT_RECRUITING:
        return _STUDY_NOT_RECRUITING
    kind = shortage.value.partition("_")[2]
    return Reason(ReasonCode(kind), subject=shortage.level)


def _append_unplaced(
    gathered: _Gathered, unplaced: Iterable[Site], policy: MatchPolicy, capacity: CapacityView
) -> None:
    """Put sites without a location behind all others; with a radius they are left out, since it cannot be checked."""
    last_band = max((c.band for c in gathered.eligible), default=0) + 1
    for site in unplaced:
        candidate = Candidate(site, math.inf, 0.0, capacity.remaining(site), last_band)
        faults = _faults(candidate, policy)
        if faults or policy.within_km is not None or len(gathered.eligible) >= policy.limit:
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


def _reasons(
    policy: MatchPolicy, gathered: _Gathered, i: int, ties: Sequence[bool], foreseen: Mapping[str, Reason]
) -> tuple[Reason, ...]:
    """Say why the i-th of the ordered sites stands where it stands, the most telling reason first.

    ``ties[j]`` tells whether the shown sites j and j + 1 cannot be told apart.
    """
    ordered = gathered.eligible
    candidate = ordered[i]
    reasons: list[Reason] = []
    if candidate.km == math.inf:
        reasons.append(Reason(ReasonCode.UNPLACED))
    else:
        if gathered.outside_radius:
            reasons.append(Reason(ReasonCode.OUTSIDE_RADIUS, km=policy.within_km))
        if policy.prefer_country is not None:
            is_own = candidate.site.country == policy.prefer_country
            code = ReasonCode.OWN_COUNTRY if is_own else ReasonCode.OTHER_COUNTRY
            reasons.append(Reason(code, subject=candidate.site.country))
        tied = [ordered[j] for j in (i - 1, i + 1) if 0 <= j <= len(ties) and ties[min(i, j)]]
        compared, reason = _position_reason(ordered, i, gathered.nearest[candidate.group])
        # Of a site that may as well be the nearer one, nothing else is said.
        if compared is None or all(compared is not other for other in tied):
            reasons.append(reason)
        reasons += [_undecided(candidate, other) for other in tied]
    reasons.append(_TRAVEL_REASON[candidate.site.travel.certainty])
    reasons.append(_spots_reason(_known(candidate)))
    probable = foreseen.get(candidate.site.site_id)
    if probable is not None:
        reasons.append(probable)
    return tuple(reasons)


def _position_reason(ordered: Sequence[Candidate], i: int, nearest: Candidate) -> tuple[Candidate | None, Reason]:
    """Explain a position by distance, or by what put the site ahead of a nearer one of its band.

    Also returns the site that the reason compares it with; None if it names none.
    """
    candidate = ordered[i]
    for j in range(i + 1, len(ordered)):
        other = ordered[j]
        if other.band != candidate.band:
            break
        if other.km < candidate.km:
            if _travel_rank(candidate) < _travel_rank(other):
                code = ReasonCode.AHEAD_BY_TRAVEL
            elif _known(other).count is None:
                code = ReasonCode.AHEAD_BY_KNOWN_SPOTS
            else:
                code = ReasonCode.AHEAD_BY_SPOTS
            return other, Reason(code, candidate.km - other.km, subject=other.site.facility)
    if candidate.km == nearest.km:
        return None, _NEAREST
    code = ReasonCode.SAME_BAND if candidate.band == nearest.band else ReasonCode.FARTHER
    return nearest, Reason(code, candidate.km - nearest.km, subject=nearest.site.facility)


def _undecided(candidate: Candidate, other: Candidate) -> Reason:
    return Reason(ReasonCode.UNDECIDED, abs(candidate.km - other.km), subject=other.site.facility)


def _cannot_be_told_apart(place: Place, policy: MatchPolicy, a: Candidate, b: Candidate) -> bool:
    """Tell whether only distance puts two neighbours in this order, and by less than its uncertainty."""
    if a.km == math.inf or b.km == math.inf:
        return False
    apart_km = abs(a.km - b.km)
    if apart_km >= math.hypot(place.uncertainty_km, _site_km(a.site), _site_km(b.site)) or a.group != b.group:
        return False
    return policy.order is Order.DISTANCE or a.band != b.band or _best_key(a)[1:3] == _best_key(b)[1:3]


def _spots_reason(remaining: Remaining) -> Reason:
    if remaining.count is None:
        return _SPOTS_UNKNOWN
    shared = remaining.drawn_from is LimitedBy.SHARED_POOL
    return Reason(ReasonCode.SPOTS_SHARED if shared else ReasonCode.SPOTS_AT_SITE, count=remaining.count)


def distance_to(place: Place, candidate: Candidate) -> Distance | None:
    """Return how far a candidate is and how sure that is; None for a site without a location."""
    if candidate.km == math.inf:
        return None
    return Distance(
        km=candidate.km,
        uncertainty_km=_combined_km(place.uncertainty_km, candidate.site),
        direction=compass_point(candidate.azimuth_deg),
        azimuth_deg=candidate.azimuth_deg % 360.0,
    )


def _combined_km(place_km: float, site: Site) -> float:
    return math.hypot(place_km, _site_km(site))


def _site_km(site: Site) -> float:
    return site.place.uncertainty_km if site.place is not None else 0.0


def _known(candidate: Candidate) -> Remaining:
    """Return the spots, which every candidate has once the walk has met it."""
    assert candidate.remaining is not None
    return candidate.remaining


def _travel_rank(candidate: Candidate) -> int:
    return TRAVEL_ORDER[candidate.site.travel.certainty]


def _best_key(candidate: Candidate) -> tuple[int, int, float, float, str]:
    count = _known(candidate).count
    spots = math.inf if count is None else -count
    return (candidate.band, _travel_rank(candidate), spots, candidate.km, candidate.site.site_id)


def _distance_key(candidate: Candidate) -> tuple[int, float, str]:
    return (candidate.group, candidate.km, candidate.site.site_id)
