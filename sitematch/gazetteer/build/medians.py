"""The point that minimises the distance to many points, for a million groups at once.

Points are earth-centred (WGS84, kilometres), so neither the poles nor the antimeridian need a special case. Chords
stand in for geodesics: over 100 km they differ by a metre.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EQUATOR_KM = 6378.137
"""WGS84 semi-major axis."""

_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_SQUARED = _FLATTENING * (2 - _FLATTENING)
_TOO_NEAR_KM = 1e-3
_ROUNDS = 60
_BATCH_POINTS = 500_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def to_xyz(latitude: Floats, longitude: Floats) -> Floats:
    """Turn degrees into earth-centred kilometres, shape (n, 3), on the WGS84 ellipsoid.

    Examples
    --------
    >>> to_xyz(np.array([0.0]), np.array([180.0])).round(3).tolist()
    [[-6378.137, 0.0, 0.0]]
    """
    sin, cos = np.sin(np.radians(latitude)), np.cos(np.radians(latitude))
    normal = EQUATOR_KM / np.sqrt(1 - _ECCENTRICITY_SQUARED * sin**2)
    return np.column_stack(
        (
            normal * cos * np.cos(np.radians(longitude)),
            normal * cos * np.sin(np.radians(longitude)),
            normal * (1 - _ECCENTRICITY_SQUARED) * sin,
        )
    )


def to_degrees(xyz: Floats) -> tuple[Floats, Floats]:
    """Turn earth-centred points, on or below the surface, into latitude and longitude of the surface above them.

    Notes
    -----
    The geocentric direction is converted with the ellipsoid's flattening; for the chord middle of points 1,000 km
    apart the result is within 40 m of the geodesic middle.
    """
    longitude = np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0]))
    across = np.hypot(xyz[:, 0], xyz[:, 1])
    latitude = np.degrees(np.arctan2(xyz[:, 2], across * (1 - _ECCENTRICITY_SQUARED)))
    return latitude, longitude


def geometric_medians(xyz: Floats, starts: Ints, weight: Floats) -> Floats:
    """Minimise, for each group, the weighted sum of distances to its points.

    Parameters
    ----------
    xyz
        Points, shape (n, 3), kilometres; a group's points follow one another.
    starts
        First point of each group, and ``n`` at the end; no group is empty.
    weight
        Above 0, a point.

    Returns
    -------
    One point a group, shape (groups, 3). A group of one point returns it. Where a segment of minima exists (two
    equal weights) the point nearest the weighted mean is returned.

    Notes
    -----
    Weiszfeld's iteration with distances kept above a metre, 60 rounds; E. Weiszfeld and F. Plastria,
    doi:10.1007/s10479-008-0352-z. Within 10 m of the minimum for the codes of GeoNames.
    """
    counts = np.diff(starts)
    medians = _weighted_means(xyz, starts[:-1], weight)
    many = np.flatnonzero(counts > 1)
    if not many.size:
        return medians
    # In batches, or the copies of five million points would take half a gigabyte.
    batch = np.cumsum(counts[many]) // _BATCH_POINTS
    for number in range(int(batch[-1]) + 1):
        groups = many[batch == number]
        if groups.size:
            medians[groups] = _weiszfeld(xyz, starts, weight, groups, medians[groups])
    return medians


def _weiszfeld(xyz: Floats, starts: Ints, weight: Floats, groups: Ints, current: Floats) -> Floats:
    counts = starts[groups + 1] - starts[groups]
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    owner = np.repeat(np.arange(groups.size), counts)
    rows = np.arange(owner.size) - first[owner] + starts[groups][owner]
    points, base = xyz[rows], weight[rows]
    for _ in range(_ROUNDS):
        apart = np.linalg.norm(points - current[owner], axis=1)
        current = _weighted_means(points, first, base / np.maximum(apart, _TOO_NEAR_KM))
    return current


def _weighted_means(xyz: Floats, first: Ints, weight: Floats) -> Floats:
    total = np.add.reduceat(weight, first)
    return np.add.reduceat(xyz * weight[:, None], first, axis=0) / total[:, None]


def group_quantiles(value: Floats, starts: Ints, share: float) -> Floats:
    """Give each group's quantile: the smallest of its values that at least ``share`` of them do not exceed.

    Parameters
    ----------
    value
        One a row, a group's rows following one another.
    starts
        First row of each group, and the number of rows at the end; no group is empty.
    share
        Above 0, up to 1.

    Examples
    --------
    >>> group_quantiles(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 3, 4]), 0.5).tolist()
    [2.0, 9.0]
    """
    counts = np.diff(starts)
    owner = np.repeat(np.arange(counts.size), counts)
    ordered = value[np.lexsort((value, owner))]
    rank = np.ceil(share * counts).astype(np.int64) - 1
    return ordered[starts[:-1] + np.clip(rank, 0, counts - 1)]
