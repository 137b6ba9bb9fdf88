"""Why a site stands where it stands, or is no match."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sitematch.domain.capacity.caps import LimitedBy, Remaining, Shortage
from sitematch.domain.finding.candidate import Candidate, best_key, known, site_km, travel_rank
from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.travel import TRAVEL_ORDER, TravelCertainty

QUICKER_MINUTES = 5.0
QUICKER_SHARE = 0.1
"""A site is called quicker than the one before it if it saves both: at least these minutes, and this share of them."""

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


def faults_of(candidate: Candidate, policy: MatchPolicy) -> tuple[Reason, ...]:
    """List why a site cannot be a match; empty when it can. Distance is judged elsewhere."""
    site, remaining = candidate.site, known(candidate)
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


def reasons_of(
    policy: MatchPolicy,
    ordered: Sequence[Candidate],
    i: int,
    ties: Sequence[bool],
    foreseen: Mapping[str, Reason],
    *,
    nearest: Mapping[int, Candidate],
    outside_radius: bool,
) -> tuple[Reason, ...]:
    """Say why the i-th of the ordered sites stands where it stands, the most telling reason first.

    ``ties[j]`` tells whether the shown sites j and j + 1 cannot be told apart.
    """
    candidate = ordered[i]
    reasons: list[Reason] = []
    if candidate.km == math.inf:
        reasons.append(Reason(ReasonCode.UNPLACED))
    else:
        if outside_radius:
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
            compared, reason = _position_reason(ordered, i, nearest[candidate.group])
        # Of a site that may as well be the nearer one, nothing else is said.
        if compared is None or all(compared is not other for other in tied):
            reasons.append(reason)
        reasons += [_undecided(candidate, other) for other in tied]
        if policy.order is not Order.TIME and i > 0:
            reasons += _quicker(candidate, ordered[i - 1])
    reasons += lasting_reasons(candidate.site, known(candidate), foreseen.get(candidate.site.site_id))
    return tuple(reasons)


def lasting_reasons(site: Site, remaining: Remaining, probable: Reason | None) -> tuple[Reason, ...]:
    """Say what is true of a site wherever a person is; these reasons come last."""
    said = (_TRAVEL_REASON[site.travel.certainty], _spots_reason(remaining))
    return said if probable is None else (*said, probable)


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
            if travel_rank(candidate) < travel_rank(other):
                code = ReasonCode.AHEAD_BY_TRAVEL
            elif known(other).count is None:
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


def too_long(policy: MatchPolicy) -> Reason:
    """Say that a site is more minutes away than was asked for."""
    return Reason(ReasonCode.TOO_LONG, count=round(policy.max_minutes or 0))


def _undecided(candidate: Candidate, other: Candidate) -> Reason:
    return Reason(ReasonCode.UNDECIDED, abs(candidate.km - other.km), subject=other.site.facility)


def cannot_be_told_apart(place: Place, policy: MatchPolicy, a: Candidate, b: Candidate) -> bool:
    """Tell whether only distance puts two neighbours in this order, and by less than its uncertainty."""
    if a.km == math.inf or b.km == math.inf or policy.order is Order.TIME:
        return False
    apart_km = abs(a.km - b.km)
    if apart_km >= math.hypot(place.uncertainty_km, site_km(a.site), site_km(b.site)) or a.group != b.group:
        return False
    return policy.order is Order.DISTANCE or a.band != b.band or best_key(a)[1:3] == best_key(b)[1:3]


def _spots_reason(remaining: Remaining) -> Reason:
    if remaining.count is None:
        return _SPOTS_UNKNOWN
    shared = remaining.drawn_from is LimitedBy.SHARED_POOL
    return Reason(ReasonCode.SPOTS_SHARED if shared else ReasonCode.SPOTS_AT_SITE, count=remaining.count)
