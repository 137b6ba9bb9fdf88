"""The cells of `sitematch.domain.grid_cells` from nearest to farthest, with how near anything in them can be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from sitematch.domain.grid_cells import COLUMNS, ROWS
from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import FloatArray, earth_centred_km, earth_centred_point_km, least_geodesics_km

REACH_KM = 79.0
"""No point of a cell is farther from its middle than this, in a straight line: half a diagonal at the equator is
78.5 km, and every other cell is smaller. A test measures it."""

_ROUNDING_KM = 1e-6
FIRST_CELLS, _MOST_CELLS = 9, 2_000
"""Cells given first, and at most at once; each time there are twice as many."""

_FEW_CELLS = 600
"""Within 2,000 km wherever one is, so that what the bounds of all others fall back to is farther than these."""

IntArray = npt.NDArray[np.int64]


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
    cells, bounds_km = _ordered(_chords_km(point))
    return cells.tolist(), bounds_km


def outward_in_groups(point: Coordinates, farthest_km: float = math.inf) -> Iterator[tuple[Sequence[int], float]]:
    """Part the cells around a point into groups, nearest first, each twice as large as the one before.

    Parameters
    ----------
    point
        Where to measure from.
    farthest_km
        Cells that certainly hold nothing so near are left out.

    Yields
    ------
    tuple
        Cells, and the kilometres below which everything lies in these or in cells given before; infinite at the end.
    """
    chords_km = _chords_km(point)
    # To order all cells takes longer than most look-ups, which need few.
    cells, bounds_km = _ordered(chords_km, np.flatnonzero(chords_km <= np.partition(chords_km, _FEW_CELLS)[_FEW_CELLS]))
    done, count = 0, FIRST_CELLS
    while True:
        if done + count >= len(cells) < len(chords_km):
            cells, bounds_km = _ordered(chords_km)
        end = min(done + count, int(np.searchsorted(bounds_km, farthest_km, side="right")))
        is_last = end < done + count or end == len(cells)
        # Whatever lies in a cell that was not given is at least so far.
        yield cells[done:end].tolist(), math.inf if is_last else float(bounds_km[end])
        if is_last:
            return
        done = end
        count = min(2 * count, _MOST_CELLS)


def _chords_km(point: Coordinates) -> FloatArray:
    """Return how far the middle of each cell is, in a straight line."""
    away = _middles_km() - np.array(earth_centred_point_km(point.latitude, point.longitude))
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", away, away)))


def _ordered(chords_km: FloatArray, some: IntArray | None = None) -> tuple[IntArray, FloatArray]:
    """Order all cells, or the nearest of them; see `outward`."""
    cells = np.arange(len(chords_km)) if some is None else some
    cells = cells[np.argsort(chords_km[cells], kind="stable")]
    least_km = np.maximum(chords_km[cells] - REACH_KM - _ROUNDING_KM, 0.0)
    bounds_km = least_geodesics_km(least_km)
    # Beyond 12,700 km the bound is the chord itself: the smallest of what is still to come counts.
    return cells, np.minimum.accumulate(bounds_km[::-1])[::-1]


@cache
def _middles_km() -> FloatArray:
    rows, columns = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    return earth_centred_km(rows - 89.5, columns - 179.5)
