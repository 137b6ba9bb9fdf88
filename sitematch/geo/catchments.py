"""Catchments: for each of several points, the region of the globe that is nearer to it than to any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sitematch.domain.area import MultiPolygon, Position
from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import WGS84, FloatArray
from sitematch.geo.rings import AT_POLE_DEG, enclose

WORST_SHARE = WGS84.a / WGS84.b - 1.0
"""The point whose catchment contains a place is at most this share of the distance (0.34 %) farther than the nearest
one: borders are computed on the auxiliary sphere, on which path lengths differ from the ellipsoid by at most the ratio
of its half-axes."""

DRAWN_KM = 0.5
"""Maximum distance between the drawn straight lines and those borders, in kilometres."""

WHOLE_GLOBE: MultiPolygon = ((((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0), (-180.0, -90.0)),),)

_SAME_POINT_DECIMALS = 8
"""In earth radii: points within six centimetres count as one; for smaller distances, rounding would rotate the border
between them."""

_ON_BORDER = 1e-11
"""In earth radii: a corner this near to a border (60 µm) is on it."""

_LONG_ARC_RAD = np.radians(100.0)
"""A longer side gets a corner in its middle, so that its ends always define its direction."""

_EARTH_KM = 6371.0

_AT_POLE = 1e-9
"""In earth radii: nearer to a pole (6 mm), lines do not have to be finer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catchment:
    """The region that is nearer to one point than to any other.

    Parameters
    ----------
    members
        Positions of the point in the input, ascending; several if several points are there.
    area
        The area.
    """

    members: tuple[int, ...]
    area: MultiPolygon


def catchments(coordinates: Sequence[Coordinates]) -> tuple[Catchment, ...]:
    """Divide the globe into the catchments of points.

    Parameters
    ----------
    coordinates
        Any number, in any order; those within centimetres of one another share a catchment.

    Returns
    -------
    tuple of Catchment
        Ordered by their first member. Together they cover the globe. One point has the whole globe; without points
        there are no catchments.

    Notes
    -----
    A spherical Voronoi diagram on the auxiliary sphere (reduced latitude, doi:10.1007/s00190-012-0578-z). A place in a
    catchment is nearest to its point, except for `WORST_SHARE` of the distance and `DRAWN_KM`. docs/adr/0090 explains
    why the half-spaces are cut one by one.

    Examples
    --------
    >>> north, south = catchments([Coordinates(latitude=50, longitude=8), Coordinates(latitude=-50, longitude=8)])
    >>> north.area[0][0][0], max(latitude for _, latitude in south.area[0][0])
    ((-180.0, 0.0), 0.0)
    """
    if not coordinates:
        return ()
    degrees = np.array([(c.latitude, c.longitude) for c in coordinates], dtype=np.float64)
    rounded = np.round(_on_sphere(degrees[:, 0], degrees[:, 1]), _SAME_POINT_DECIMALS) + 0.0
    points, member_of = np.unique(rounded, axis=0, return_inverse=True)
    members = [tuple(np.flatnonzero(member_of == i).tolist()) for i in range(len(points))]
    if len(points) == 1:
        return (Catchment(members=members[0], area=WHOLE_GLOBE),)
    points /= np.linalg.norm(points, axis=1)[:, None]
    areas = [enclose(_drawn(cell(points, i), points[i])) for i in range(len(points))]
    found = [Catchment(members=m, area=area) for m, area in zip(members, areas, strict=True)]
    return tuple(sorted(found, key=lambda catchment: catchment.members))


def cell(points: FloatArray, i: int) -> FloatArray:
    """Return the corners of one cell of the spherical Voronoi diagram.

    Parameters
    ----------
    points
        Unit vectors, shape (n, 3), n at least 2, all different.
    i
        The point of the cell.

    Returns
    -------
    FloatArray
        Unit vectors, shape (m, 3), counterclockwise as seen from outside. Neighbours are less than half a turn apart,
        because long sides have corners of 180 degrees.

    Notes
    -----
    The cell is the rest of a hemisphere after cutting away, for each other point, the half that is nearer to it. This
    needs no general position: it works for two points, for points on one circle and for opposite ones.
    """
    others = np.delete(points, i, axis=0)
    towards = points[i] - others
    apart = np.linalg.norm(towards, axis=1)
    towards = towards[np.argsort(apart, kind="stable")] / np.sort(apart)[:, None]
    corners = _great_circle(towards[0])
    uncut = np.ones(len(towards), dtype=np.bool_)
    uncut[0] = False
    while True:
        cuts = uncut & ((towards @ corners.T).min(axis=1) < -_ON_BORDER)
        if not cuts.any():
            return corners
        nearest = int(np.argmax(cuts))
        corners = _cut(corners, towards[nearest])
        uncut[nearest] = False


def _great_circle(pole: FloatArray) -> FloatArray:
    """Return four corners of the hemisphere around a pole, counterclockwise."""
    across = np.cross(pole, np.eye(3)[np.argmin(np.abs(pole))])
    across /= np.linalg.norm(across)
    ahead = np.cross(pole, across)
    return np.stack((across, ahead, -across, -ahead))


def _cut(corners: FloatArray, pole: FloatArray) -> FloatArray:
    """Cut a convex cell by the hemisphere around a pole; some corners are inside it and some outside."""
    highest = int(np.argmax(corners @ pole))
    corners = np.roll(corners, -highest, axis=0)
    height = corners @ pole
    outside = np.flatnonzero(height < -_ON_BORDER)
    out, back = int(outside[0]), int(outside[-1])
    leaving = _crossing(corners, height, out - 1, out)
    entering = _crossing(corners, height, back, (back + 1) % len(corners))
    side = _with_middle(leaving, entering, pole)
    return np.concatenate((corners[:out], side, corners[back + 1 :]))


def _crossing(corners: FloatArray, height: FloatArray, a: int, b: int) -> FloatArray:
    """Return where the side from one corner to another crosses the border at height 0."""
    crossing: FloatArray = corners[a] * abs(height[b]) + corners[b] * abs(height[a])
    return crossing / np.linalg.norm(crossing)


def _with_middle(a: FloatArray, b: FloatArray, pole: FloatArray) -> FloatArray:
    """Return the ends of a side that runs counterclockwise around a pole, with its middle if it is long."""
    angle = np.arctan2(np.cross(a, b) @ pole, a @ b) % (2.0 * np.pi)
    if not _LONG_ARC_RAD < angle < 1.5 * np.pi:  # beyond this, rounding has reversed a side of zero length
        return np.stack((a, b))
    middle = a * np.cos(angle / 2.0) + np.cross(pole, a) * np.sin(angle / 2.0)
    return np.stack((a, middle / np.linalg.norm(middle), b))


def _on_sphere(latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Convert points on the ellipsoid to unit vectors on the auxiliary sphere."""
    beta = np.arctan((1.0 - WGS84.f) * np.tan(np.radians(latitude_deg)))
    lam = np.radians(longitude_deg)
    return np.column_stack((np.cos(beta) * np.cos(lam), np.cos(beta) * np.sin(lam), np.sin(beta)))


def _on_ellipsoid(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Convert unit vectors on the auxiliary sphere to longitudes and latitudes in degrees."""
    x, y, z = points.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, (1.0 - WGS84.f) * np.hypot(x, y)))


def _drawn(corners: FloatArray, point: FloatArray) -> list[Position]:
    """Add positions to the sides of a point's cell until straight lines on the plate carrée follow them."""
    ring = corners
    while True:
        longitudes, latitudes = _on_ellipsoid(ring)
        middles = ring + np.roll(ring, -1, axis=0)
        middles /= np.linalg.norm(middles, axis=1)[:, None]
        off = np.linalg.norm(middles - _straight_middles(longitudes, latitudes), axis=1)
        # Finer near the point, which must stay inside, and near a pole, where longitudes change fast.
        from_point = np.linalg.norm(middles - point, axis=1)
        from_pole = np.maximum(np.hypot(middles[:, 0], middles[:, 1]), _AT_POLE)
        strays = off > np.minimum(DRAWN_KM / _EARTH_KM, np.minimum(0.02 * from_point, 0.1 * from_pole))
        if not strays.any():
            return list(zip(longitudes.tolist(), latitudes.tolist(), strict=True))
        ring = np.insert(ring, np.flatnonzero(strays) + 1, middles[strays], axis=0)


def _straight_middles(longitudes: FloatArray, latitudes: FloatArray) -> FloatArray:
    """Return the middles of the straight lines between neighbours; towards a pole the line keeps its longitude."""
    at_pole = np.abs(latitudes) >= AT_POLE_DEG
    step = (np.roll(longitudes, -1) - longitudes + 180.0) % 360.0 - 180.0
    start = np.where(at_pole, np.roll(longitudes, -1), longitudes)
    step = np.where(at_pole | np.roll(at_pole, -1), 0.0, step)
    return _on_sphere((latitudes + np.roll(latitudes, -1)) / 2.0, start + step / 2.0)
