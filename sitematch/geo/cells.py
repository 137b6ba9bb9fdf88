"""The cells of `sitematch.domain.cell` from nearest to farthest, with how near anything in them can be."""

from __future__ import annotations

from functools import cache

import numpy as np

from sitematch.domain.cell import COLUMNS, ROWS
from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import FloatArray, earth_centred_km, earth_centred_point_km, least_geodesics_km

REACH_KM = 79.0
"""No point of a cell is farther from its middle than this, in a straight line: half a diagonal at the equator is
78.5 km, and every other cell is smaller. A test measures it."""

_ROUNDING_KM = 1e-6


def outward(point: Coordinates) -> tuple[list[int], FloatArray]:
    """Order all cells from a point.

    Parameters
    ----------
    point
        Where to measure from.

    Returns
    -------
    tuple
        The cells' numbers, nearest middle first, equal ones by number; and for each the least geodesic in kilometres
        that anything in it *or in any later cell* can have. So what is nearer than the n-th bound lies in the first
        n cells.

    Notes
    -----
    The straight line from the point to a cell's middle, less `REACH_KM`, is never longer than that to anything in the
    cell, and `least_geodesics_km` turns it into a bound on the way along the ellipsoid. That holds at the poles and
    over the antimeridian as anywhere, since no degrees are compared.
    """
    away = _middles_km() - np.array(earth_centred_point_km(point.latitude, point.longitude))
    chords_km = np.sqrt(np.einsum("ij,ij->i", away, away))
    order = np.argsort(chords_km, kind="stable")
    least_km = np.maximum(chords_km[order] - REACH_KM - _ROUNDING_KM, 0.0)
    bounds_km = least_geodesics_km(least_km)
    # Beyond 12,700 km the bound is the chord itself: the smallest of what is still to come counts.
    return order.tolist(), np.minimum.accumulate(bounds_km[::-1])[::-1]


@cache
def _middles_km() -> FloatArray:
    rows, columns = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    return earth_centred_km(rows - 89.5, columns - 179.5)
