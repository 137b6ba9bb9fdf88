"""Codes that are no area: post boxes, large receivers and single buildings stand for their town."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km
from sitematch.gazetteer.schema import PRECISIONS, Precision

NEAR_KM = 25.0
"""A town of the code's own name has to be so near, or the code keeps its own point."""

_LOCALITY = PRECISIONS.index(Precision.LOCALITY)
_UNKNOWN = PRECISIONS.index(Precision.UNKNOWN)


def fall_to_town(
    draft: Draft, towns: TownIndex, *, cedex: Collection[tuple[str, str]], areas: Collection[str]
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
    areas
        ZIP codes that have a Census area; a code of the United States without one has no homes in it: it is a post
        box, one receiver or one building.

    Notes
    -----
    Where a town of the code's own name is within 25 km, the code takes its point, and the larger of both
    uncertainties. Otherwise it keeps its own point. Precision is `LOCALITY` either way. US military post stays
    `UNKNOWN`. Nothing in the sources marks the large receivers of other countries.
    """
    rows = draft.rows
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
