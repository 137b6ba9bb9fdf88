"""The cells of `sitematch.domain.grid_cells` from nearest to farthest, with a lower bound of the distance to each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from sitematch.domain.grid_cells import COLUMNS, ROWS
from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import ROUNDING_KM, FloatArray, earth_centred_km, earth_centred_point_km, least_geodesics_km

REACH_KM = 79.0
"""Maximum straight-line distance between a point of a cell and its centre: half a diagonal at the equator is
78.5 km, and every other cell is smaller. A test checks this."""

FIRST_CELLS, _MOST_CELLS = 9, 2_000
"""Number of cells in the first group, and the maximum per group; each group is twice as large as the previous one."""

_FEW_CELLS = 600
"""Within 2,000 km everywhere, so that the fallback bounds of all others are farther than these."""

IntArray = npt.NDArray[np.int64]


def outward(point: Coordinates) -> tuple[list[int], FloatArray]:
    """Sort all cells by distance from a point.

    Parameters
    ----------
    point
        Where to measure from.

    Returns
    -------
    tuple
        The cells' numbers, nearest centre first, equal ones by number; and for each a lower bound in kilometres of the
        geodesic to anything in it *or in any later cell*. So everything nearer than the n-th bound is in the first n
        cells.

    Notes
    -----
    The straight-line distance to a cell's centre, minus `REACH_KM`, is never longer than that to anything in the cell,
    and `least_geodesics_km` turns it into a bound of the geodesic. This is also true at the poles and across the
    antimeridian, because no degrees are compared.
    """
    cells, bounds_km = _ordered(_chords_km(point))
    return cells.tolist(), bounds_km


def outward_in_groups(point: Coordinates, farthest_km: float = math.inf) -> Iterator[tuple[Sequence[int], float]]:
    """Split the cells around a point into groups, nearest first, each twice as large as the previous one.

    Parameters
    ----------
    point
        Where to measure from.
    farthest_km
        Cells that certainly contain nothing within this distance are left out.

    Yields
    ------
    tuple
        Cells, and the distance in kilometres within which everything is in these or in earlier cells; infinite at the
        end.
    """
    chords_km = _chords_km(point)
    # Sorting all cells takes longer than most look-ups, which need few cells.
    cells, bounds_km = _ordered(chords_km, np.flatnonzero(chords_km <= np.partition(chords_km, _FEW_CELLS)[_FEW_CELLS]))
    done, count = 0, FIRST_CELLS
    while True:
        if done + count >= len(cells) < len(chords_km):
            cells, bounds_km = _ordered(chords_km)
        end = min(done + count, int(np.searchsorted(bounds_km, farthest_km, side="right")))
        is_last = end < done + count or end == len(cells)
        # Everything in other cells is at least this far away.
        yield cells[done:end].tolist(), math.inf if is_last else float(bounds_km[end])
        if is_last:
            return
        done = end
        count = min(2 * count, _MOST_CELLS)


def _chords_km(point: Coordinates) -> FloatArray:
    """Return the straight-line distance to the centre of each cell."""
    away = _middles_km() - np.array(earth_centred_point_km(point.latitude, point.longitude))
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", away, away)))


def _ordered(chords_km: FloatArray, some: IntArray | None = None) -> tuple[IntArray, FloatArray]:
    """Sort all cells, or the nearest of them; see `outward`."""
    cells = np.arange(len(chords_km)) if some is None else some
    cells = cells[np.argsort(chords_km[cells], kind="stable")]
    least_km = np.maximum(chords_km[cells] - REACH_KM - ROUNDING_KM, 0.0)
    bounds_km = least_geodesics_km(least_km)
    # Beyond 12,700 km the bound is the chord itself: the smallest of the remaining ones applies.
    return cells, np.minimum.accumulate(bounds_km[::-1])[::-1]


@cache
def _middles_km() -> FloatArray:
    rows, columns = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    return earth_centred_km(rows - 89.5, columns - 179.5)
