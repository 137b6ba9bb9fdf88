"""The order of matches: lexicographic, total, deterministic, and explained.

Sites come in by distance. Those that can take a patient are grouped into bands of "about equally far", and within a
band what helps the patient decides. A band starts at its nearest site and holds every site whose extra distance is
within the greatest of 5 km, 10 % of the band's start, and the start's combined location uncertainty.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from types import MappingProxyType
from typing import Protocol

from sitematch.domain.capacity.caps import LimitedBy, Remaining, Shortage
from sitematch.domain.finding.match import Distance, Exclusion, MatchResult, Reason, ReasonCode, SiteMatch
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.journey.estimate import Journey, least_minutes
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

QUICKER_MINUTES = 5.0
QUICKER_SHARE = 0.1
"""A site is called quicker than the one before it if it saves both: at least these minutes, and this share of them."""

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
    ordered.sort(key=_ORDERS[policy.order])
    if by_time:
        for band, candidate in enumerate(ordered, start=1):
            candidate.band = band
    _append_unplaced(gathered, unplaced, policy, capacity)
    shown = ordered[: policy.limit]
    if estimates is not None:
        _estimate(shown, estimates)
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
        faults = _faults(candidate, policy)
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
                reason = Reason(ReasonCode.TOO_FAR, km=policy.within_km) if km > radius_km else _too_long(policy)
                found.left_out.append((candidate, (reason, *faults)))
        elif policy.max_minutes is not None and candidate.minutes > most_minutes:
            if not faults and first_too_long is None:
                first_too_long = candidate
            found.left_out.append((candidate, (_too_long(policy), *faults)))
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
                self._reach_km += max(BAND_KM, BAND_SHARE * candidate.km, _combined_km(self._place_km, candidate.site))
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
            by_km = policy.within_km is not None and candidate.km > policy.within_km
            reasons.append(
                Reason(ReasonCode.OUTSIDE_RADIUS, km=policy.within_km)
                if by_km or policy.max_minutes is None
                else Reason(ReasonCode.OUTSIDE_MINUTES, count=round(policy.max_minutes))
            )
        if policy.prefer_country is not None:
            is_own = candidate.site.country == policy.prefer_country
            code = ReasonCode.OWN_COUNTRY if is_own else ReasonCode.OTHER_COUNTRY
            reasons.append(Reason(code, subject=candidate.site.country))
        tied = [ordered[j] for j in (i - 1, i + 1) if 0 <= j <= len(ties) and ties[min(i, j)]]
        if policy.order is Order.TIME:
            compared, reason = None, _time_reason(ordered, i)
        else:
            compared, reason = _position_reason(ordered, i, gathered.nearest[candidate.group])
        # Of a site that may as well be the nearer one, nothing else is said.
        if compared is None or all(compared is not other for other in tied):
            reasons.append(reason)
        reasons += [_undecided(candidate, other) for other in tied]
        if policy.order is not Order.TIME and i > 0:
            reasons += _quicker(candidate, ordered[i - 1])
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


def _time_reason(ordered: Sequence[Candidate], i: int) -> Reason:
    """Explain a position by time."""
    candidate, first = ordered[i], ordered[0]
    if candidate.minutes == math.inf:
        return Reason(ReasonCode.NO_MINUTES)
    if i == 0 or first.minutes == math.inf:
        return Reason(ReasonCode.QUICKEST)
    return Reason(ReasonCode.SLOWER, count=round(candidate.minutes - first.minutes), subject=first.site.facility)


def _quicker(candidate: Candidate, ahead: Candidate) -> list[Reason]:
    """Say that a site is reached more quickly than the one that stands before it."""
    saved = ahead.minutes - candidate.minutes
    if not math.isfinite(saved) or saved < max(QUICKER_MINUTES, QUICKER_SHARE * ahead.minutes):
        return []
    return [Reason(ReasonCode.QUICKER_THAN_AHEAD, count=round(saved), subject=ahead.site.facility)]


def _too_long(policy: MatchPolicy) -> Reason:
    return Reason(ReasonCode.TOO_LONG, count=round(policy.max_minutes or 0))


def _undecided(candidate: Candidate, other: Candidate) -> Reason:
    return Reason(ReasonCode.UNDECIDED, abs(candidate.km - other.km), subject=other.site.facility)


def _cannot_be_told_apart(place: Place, policy: MatchPolicy, a: Candidate, b: Candidate) -> bool:
    """Tell whether only distance puts two neighbours in this order, and by less than its uncertainty."""
    if a.km == math.inf or b.km == math.inf or policy.order is Order.TIME:
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


def _time_key(candidate: Candidate) -> tuple[int, float, float, str]:
    return (candidate.group, candidate.minutes, candidate.km, candidate.site.site_id)


_ORDERS: Mapping[Order, Callable[[Candidate], tuple[float | str, ...]]] = {
    Order.BEST: _best_key,
    Order.DISTANCE: _distance_key,
    Order.TIME: _time_key,
}
