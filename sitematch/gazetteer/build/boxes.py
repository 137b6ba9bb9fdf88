"""Codes that are no area: post boxes, large receivers and single buildings stand for their town."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sitematch.domain.place import Precision
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.medians import to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.postal import Places
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km
from sitematch.gazetteer.schema import PRECISIONS

NEAR_KM = 25.0
"""A town of the code's own name has to be so near, or the code keeps its own point."""

_TOWN_PEOPLE = 5_000
_LOCALITY = PRECISIONS.index(Precision.LOCALITY)
_UNKNOWN = PRECISIONS.index(Precision.UNKNOWN)


def large_receivers(places: Places) -> frozenset[tuple[str, str]]:
    """Find the German codes of single receivers (Großempfänger).

    Notes
    -----
    GeoNames lists their companies and offices in place of a town (80788 is BMW), all without an accuracy; every code
    of an area has one.
    """
    best = np.maximum.reduceat(places.accuracy, places.starts[:-1])
    return frozenset(places.codes[at] for at in np.flatnonzero(best == 0).tolist() if places.codes[at][0] == "DE")


def fall_to_town(
    draft: Draft,
    towns: TownIndex,
    *,
    cedex: Collection[tuple[str, str]],
    receivers: Collection[tuple[str, str]],
    areas: Collection[str],
) -> None:
    """Let codes that are no area of their own stand for their town.

    Parameters
    ----------
    draft
        The codes; changed in place.
    towns
        Where the towns are.
    cedex
        French codes that the source knows only with the word CEDEX.
    receivers
        Codes of single receivers; their names are no towns', so they fall to the nearest town of 5,000 people.
    areas
        ZIP codes that have a Census area; a code of the United States without one has no homes in it: it is a post
        box, one receiver or one building.

    Notes
    -----
    Where a town of the code's own name is within 25 km, the code takes its point, and the larger of both
    uncertainties. Otherwise it keeps its own point. Precision is `LOCALITY` either way. US military post stays
    `UNKNOWN`.
    """
    rows = draft.rows
    _to_nearest(draft, towns, receivers)
    for at, (country, key) in enumerate(rows.codes):
        boxed = (country, key) in cedex if country == "FR" else country in US_POSTS and key not in areas
        if not boxed or rows.precision[at] == _UNKNOWN:
            continue
        rows.precision[at] = _LOCALITY
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        near = [
            (apart_km(here, (town.latitude, town.longitude)), town.id, town)
            for town in towns.named(country, draft.place[at])
        ]
        apart, _, town = min(near, key=lambda one: one[:2], default=(np.inf, 0, None))
        if town is not None and apart <= NEAR_KM:
            rows.latitude[at], rows.longitude[at] = town.latitude, town.longitude
            rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), town.uncertainty_km)
            rows.source[at] = sources.TOWNS.id


def _to_nearest(draft: Draft, towns: TownIndex, receivers: Collection[tuple[str, str]]) -> None:
    rows = draft.rows
    members = np.array([at for at, code in enumerate(rows.codes) if code in receivers], np.int64)
    for country in np.unique(draft.country[members]).tolist():
        large = [town for town in towns.of_country(country) if (town.population or 0) >= _TOWN_PEOPLE]
        if not large:
            continue
        own = members[draft.country[members] == country]
        points = to_xyz(np.array([town.latitude for town in large]), np.array([town.longitude for town in large]))
        apart, which = nearest(points, draft.xyz(own), 1)
        for at, km, index in zip(own.tolist(), apart[:, 0].tolist(), which[:, 0].tolist(), strict=True):
            rows.precision[at] = _LOCALITY
            if km <= NEAR_KM:
                town = large[index]
                rows.latitude[at], rows.longitude[at] = town.latitude, town.longitude
                rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), town.uncertainty_km, km)
                rows.source[at] = sources.TOWNS.id
