"""Rank a study's sites from many places at once: the order, bands and reasons of `domain.finding.ranking`, in arrays.

Each place's nearest sites are proposed by a k-d tree of earth-centred points and measured exactly; the bound of
`geo.index` proves that no other site can be nearer. Places for which it cannot be proven yet are tried again with more
sites.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitematch.domain.capacity.caps import Remaining
from sitematch.domain.finding.candidate import Candidate, CapacityView
from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.finding.ranking import BAND_KM, BAND_SHARE
from sitematch.domain.finding.reasons import faults_of, lasting_reasons
from sitematch.domain.place import Place
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.travel import TRAVEL_ORDER
from sitematch.domain.units import COMPASS
from sitematch.geo.geodesic import ROUNDING_KM, WGS84, earth_centred_km, least_geodesics_km

AT_ONCE = 20_000
"""Places that are ranked together: with a dozen sites each, the arrays take about 40 MB."""

_SPARE = 4
"""Sites beyond the limit that are measured at first; enough for most places."""

_POSITIONS = (
    *(ReasonCode.NEAREST, ReasonCode.SAME_BAND, ReasonCode.FARTHER, ReasonCode.AHEAD_BY_TRAVEL),
    *(ReasonCode.AHEAD_BY_KNOWN_SPOTS, ReasonCode.AHEAD_BY_SPOTS),
)
_NEAREST, _SAME_BAND, _FARTHER, _BY_TRAVEL, _BY_KNOWN, _BY_SPOTS = range(len(_POSITIONS))
_UNSAID = len(_POSITIONS)

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The matches of many places, one row each, in the order of the places and of their ranks.

    Parameters
    ----------
    counts
        Shape (places,): the number of matches of each place.
    site
        Index into `RankedTogether.sites`.
    rank, band, distance_km, uncertainty_km
        See `SiteMatch`; kilometres.
    direction
        Index into `COMPASS`.
    reasons
        See `RankedTogether.reason_text`.
    outside_radius
        Whether the match stands alone because nothing is within the radius.
    """

    counts: Whole
    site: Whole
    rank: Whole
    band: Whole
    distance_km: Floats
    uncertainty_km: Floats
    direction: Whole
    reasons: Whole
    outside_radius: NDArray[np.bool_]


class RankedTogether:
    """Ranks one study's sites under one policy at one time from any number of places.

    Parameters
    ----------
    policy
        What is asked; see `suits`.
    placed
        The sites with a location, by site_id.
    capacity
        Spots left by site.
    foreseen
        What is probable of a site, by site_id.
    """

    def __init__(
        self, policy: MatchPolicy, placed: Sequence[Site], capacity: CapacityView, foreseen: Mapping[str, Reason]
    ) -> None:
        self._policy = policy
        eligible: list[tuple[Site, Remaining]] = []
        for site in placed:
            candidate = Candidate(site, 0.0, 0.0, capacity.remaining(site))
            if site.place is not None and candidate.remaining is not None and not faults_of(candidate, policy):
                eligible.append((site, candidate.remaining))
        self.sites = tuple(site for site, _ in eligible)
        self.remaining = tuple(remaining for _, remaining in eligible)
        places = [site.place for site in self.sites if site.place is not None]
        self._latitude = np.array([place.coordinates.latitude for place in places])
        self._longitude = np.array([place.coordinates.longitude for place in places])
        self._site_km = np.array([place.uncertainty_km for place in places])
        self._travel = np.array([TRAVEL_ORDER[site.travel.certainty] for site in self.sites])
        self._spots = np.array([math.inf if left.count is None else -left.count for left in self.remaining])
        self._xyz_km = earth_centred_km(self._latitude, self._longitude)
        self._tree: Any = None
        self._lasting = [
            " ".join(reason.code for reason in lasting_reasons(site, left, foreseen.get(site.site_id)))
            for site, left in eligible
        ]

    def reason_text(self, code: int) -> str:
        """Return the codes of `Ranked.reasons`, separated by spaces."""
        combination, site = divmod(code, len(self.sites))
        return " ".join((*_first_codes(combination), self._lasting[site]))

    @staticmethod
    def suits(policy: MatchPolicy) -> bool:
        """Return whether the policy needs nothing but distance, travel support and spots."""
        return not policy.asks_for_minutes and policy.prefer_country is None

    def rank(self, places: Sequence[Place]) -> Ranked:
        """Rank the sites from each place, in the order of `ranking.rank`.

        Parameters
        ----------
        places
            Where people are; at least one.
        """
        parts = [self._rank(places[at : at + AT_ONCE]) for at in range(0, len(places), AT_ONCE)]
        fields = Ranked.__dataclass_fields__
        return Ranked(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))

    def _rank(self, places: Sequence[Place]) -> Ranked:
        latitude = np.array([place.coordinates.latitude for place in places])
        longitude = np.array([place.coordinates.longitude for place in places])
        place_km = np.array([place.uncertainty_km for place in places])
        total, asked = len(self.sites), min(self._policy.limit + _SPARE, len(self.sites))
        waiting = np.arange(len(places))
        done: list[tuple[Whole, Ranked]] = []
        while len(waiting):
            here = (latitude[waiting], longitude[waiting], place_km[waiting])
            walk = self._walk(*here, asked)
            finished = walk.is_proven
            ranked = self._order(here[2], walk, finished)
            done.append((waiting[finished], ranked))
            waiting, asked = waiting[~finished], min(2 * asked, total)
        return _in_order(done, len(places))

    def _nearest(self, latitude: Floats, longitude: Floats, asked: int) -> tuple[Whole, Floats]:
        """Return the sites with the shortest chords, and what no other site can be nearer than, in kilometres."""
        from scipy.spatial import KDTree

        if self._tree is None:
            self._tree = KDTree(self._xyz_km)
        if asked == len(self.sites):
            return np.broadcast_to(np.arange(asked), (len(latitude), asked)), np.full(len(latitude), math.inf)
        chords_km, found = self._tree.query(earth_centred_km(latitude, longitude), k=np.arange(1, asked + 1))
        return found, least_geodesics_km(chords_km[:, -1]) - ROUNDING_KM

    def _walk(self, latitude: Floats, longitude: Floats, place_km: Floats, asked: int) -> _Walk:
        """Walk outwards from every place, as `ranking` does from one."""
        policy = self._policy
        found, bound_km = self._nearest(latitude, longitude, asked)
        here = (np.repeat(longitude, asked), np.repeat(latitude, asked))
        azimuth, _, metres = WGS84.inv(*here, self._longitude[found].ravel(), self._latitude[found].ravel())
        km = np.asarray(metres).reshape(found.shape) / 1000.0
        order = np.lexsort((found, km), axis=-1)
        found, km = np.take_along_axis(found, order, -1), np.take_along_axis(km, order, -1)
        azimuth = np.take_along_axis(np.asarray(azimuth).reshape(km.shape), order, -1)
        combined_km = np.hypot(place_km[:, None], self._site_km[found])
        widths = np.maximum(np.maximum(BAND_KM, BAND_SHARE * km), combined_km) if policy.order is Order.BEST else 0 * km
        radius_km = math.inf if policy.within_km is None else policy.within_km
        rows = len(km)
        band, reach_km = np.zeros(km.shape, np.int64), np.full(rows, -1.0)
        bands, in_band, met = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        walks, is_proven, outside = np.ones(rows, bool), np.zeros(rows, bool), np.zeros(rows, bool)
        for j in range(asked + 1):
            next_km = km[:, j] if j < asked else bound_km
            is_known = (next_km < bound_km) if j < asked else np.isinf(bound_km)
            next_km = np.minimum(next_km, bound_km)
            closed = np.where(next_km > reach_km, met, met - in_band)
            ends = (closed >= policy.limit) | ((next_km > radius_km) & (met > 0))
            if j == asked:
                ends |= is_known
            is_proven |= walks & ends
            walks &= ~ends & is_known
            if j == asked or not walks.any():
                break
            alone = walks & (next_km > radius_km)
            starts = walks & (next_km > reach_km)
            bands += starts
            in_band = np.where(starts, 1, in_band + walks)
            reach_km = np.where(starts, next_km + widths[:, j], reach_km)
            met += walks
            band[walks, j] = bands[walks]
            outside |= alone
            is_proven |= alone
            walks &= ~alone
        return _Walk(found, km, azimuth, combined_km, band, met, outside, is_proven)

    def _order(self, place_km: Floats, walk: _Walk, chosen: NDArray[np.bool_]) -> Ranked:
        """Put the sites of the proven walks into order, and say why."""
        found, band = walk.found[chosen], walk.band[chosen]
        km, azimuth, combined_km = walk.km[chosen], walk.azimuth_deg[chosen], walk.combined_km[chosen]
        met, outside, place_km = walk.met[chosen], walk.outside[chosen], place_km[chosen]
        travel, spots = self._travel[found], self._spots[found]
        nearest = np.zeros(len(found), np.int64)
        if self._policy.order is Order.BEST:
            unmet = np.where(band == 0, np.iinfo(np.int64).max, band)
            order = np.lexsort((found, km, spots, travel, unmet), axis=-1)
            nearest = np.argmin(order, axis=-1)  # where the first site of the walk stands now
            found, band, travel = (np.take_along_axis(part, order, -1) for part in (found, band, travel))
            km, azimuth, combined_km, spots = (
                np.take_along_axis(part, order, -1) for part in (km, azimuth, combined_km, spots)
            )
        shown = np.minimum(met, self._policy.limit)
        width = int(shown.max(initial=0))
        tied = self._ties(place_km, found, km, band, travel, spots, shown, width)
        codes = np.zeros((len(found), width), np.int64)
        for i in range(width):
            codes[:, i] = _reason_codes(i, km, band, travel, spots, nearest, tied)
        codes += np.where(outside, _UNSAID + 1, 0)[:, None] * 3
        rank = np.broadcast_to(np.arange(1, width + 1), codes.shape)
        is_shown = rank <= shown[:, None]
        site = found[:, :width][is_shown]
        return Ranked(
            counts=shown,
            site=site,
            rank=rank[is_shown],
            band=band[:, :width][is_shown],
            distance_km=km[:, :width][is_shown],
            uncertainty_km=combined_km[:, :width][is_shown],
            direction=np.floor(azimuth[:, :width][is_shown] / 22.5 + 0.5).astype(np.int64) % len(COMPASS),
            reasons=codes[is_shown] * len(self.sites) + site,
            outside_radius=np.repeat(outside, shown),
        )

    def _ties(
        self,
        place_km: Floats,
        found: Whole,
        km: Floats,
        band: Whole,
        travel: Whole,
        spots: Floats,
        shown: Whole,
        width: int,
    ) -> NDArray[np.bool_]:
        """Tell which shown neighbours cannot be told apart: shape (places, width + 1), column i for i - 1 and i."""
        tied = np.zeros((len(found), width + 1), bool)
        for i in range(1, width):
            a, b = i - 1, i
            sites_km = np.hypot(self._site_km[found[:, a]], self._site_km[found[:, b]])
            is_near = np.abs(km[:, a] - km[:, b]) < np.hypot(place_km, sites_km)
            if self._policy.order is Order.BEST:
                is_near &= (band[:, a] != band[:, b]) | ((travel[:, a] == travel[:, b]) & (spots[:, a] == spots[:, b]))
            tied[:, i] = is_near & (i < shown)
        return tied


@dataclass(frozen=True, slots=True)
class _Walk:
    """Sites by distance from each place, shape (places, asked); `band` is 0 where the walk did not come to."""

    found: Whole
    km: Floats
    azimuth_deg: Floats
    combined_km: Floats
    band: Whole
    met: Whole
    outside: NDArray[np.bool_]
    is_proven: NDArray[np.bool_]


def _reason_codes(
    i: int, km: Floats, band: Whole, travel: Whole, spots: Floats, nearest: Whole, tied: NDArray[np.bool_]
) -> Whole:
    """Say for each place why its i-th site stands there: three times the position's reason, plus the number of ties."""
    rows = np.arange(len(km))
    code = np.where(band[:, i] == band[rows, nearest], _SAME_BAND, _FARTHER)
    compared = nearest.copy()
    is_nearest = km[:, i] == km[rows, nearest]
    code[is_nearest], compared[is_nearest] = _NEAREST, -1
    is_open = np.ones(len(km), bool)
    for j in range(i + 1, km.shape[1]):
        is_open &= band[:, j] == band[:, i]
        if not is_open.any():
            break
        ahead = is_open & (km[:, j] < km[:, i])
        by_spots = np.where(np.isinf(spots[:, j]), _BY_KNOWN, _BY_SPOTS)
        code[ahead] = np.where(travel[:, i] < travel[:, j], _BY_TRAVEL, by_spots)[ahead]
        compared[ahead] = j
        is_open &= ~ahead
    with_last, with_next = tied[:, i], tied[:, i + 1]
    code[(with_last & (compared == i - 1) & (compared >= 0)) | (with_next & (compared == i + 1))] = _UNSAID
    return np.asarray(3 * code + with_last + with_next, dtype=np.int64)


def _first_codes(combination: int) -> tuple[str, ...]:
    """Return the codes before those that a site always has; see `_reason_codes`."""
    rest, ties = divmod(combination, 3)
    is_outside, position = divmod(rest, _UNSAID + 1)
    return (
        *((ReasonCode.OUTSIDE_RADIUS.value,) if is_outside else ()),
        *((_POSITIONS[position].value,) if position < _UNSAID else ()),
        *(ReasonCode.UNDECIDED.value for _ in range(ties)),
    )


def _in_order(done: Sequence[tuple[Whole, Ranked]], places: int) -> Ranked:
    """Put what was finished at different times into the order of the places."""
    if len(done) == 1:
        return done[0][1]
    owners = np.concatenate([np.repeat(rows, ranked.counts) for rows, ranked in done])
    order = np.argsort(owners, kind="stable")
    counts = np.zeros(places, np.int64)
    for rows, ranked in done:
        counts[rows] = ranked.counts
    fields = [name for name in Ranked.__dataclass_fields__ if name != "counts"]
    return Ranked(counts, *(np.concatenate([getattr(ranked, name) for _, ranked in done])[order] for name in fields))
