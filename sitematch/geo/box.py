"""Boxes of latitude and longitude that certainly hold every point within a distance: what a database can look up."""

from __future__ import annotations

import math

from sitematch.domain.place import GLOBE, Box, Coordinates
from sitematch.geo.geodesic import WGS84

FARTHEST_KM = 20_004.0
"""No two points on the WGS84 ellipsoid are farther apart: half a meridian is 20,003.931 km."""

_LEAST_MERIDIAN_RADIUS_KM = WGS84.b**2 / WGS84.a / 1000.0
_EQUATOR_KM = WGS84.a / 1000.0
_MARGIN_DEG = 1e-9


def boxes_around(point: Coordinates, km: float) -> tuple[Box, ...]:
    """Return one or two boxes that hold every point at most so far from another.

    Parameters
    ----------
    point
        The middle.
    km
        Kilometres along the ellipsoid, at least 0.

    Returns
    -------
    tuple of Box
        Two where the antimeridian lies between; one from -180 to 180 where a pole does. They hold farther points too:
        whoever looks there has to measure.

    Notes
    -----
    A degree of latitude is nowhere shorter than at the equator (radius of curvature b²/a). The way stays between the
    two parallels so found, where a degree of longitude is nowhere shorter than on a circle of radius a·cos φ, φ being
    the latitude nearest to a pole.

    Examples
    --------
    >>> [round(edge, 2) for edge in (boxes_around(Coordinates(latitude=0, longitude=180), 100)[0].west, -180)]
    [179.1, -180]
    """
    if km >= FARTHEST_KM:
        return (GLOBE,)
    reach_deg = math.degrees(km / _LEAST_MERIDIAN_RADIUS_KM) + _MARGIN_DEG
    south, north = max(-90.0, point.latitude - reach_deg), min(90.0, point.latitude + reach_deg)
    nearest_pole_deg = max(abs(south), abs(north))
    if nearest_pole_deg >= 90.0:
        return (Box(south=south, north=north, west=-180.0, east=180.0),)
    across_deg = math.degrees(km / (_EQUATOR_KM * math.cos(math.radians(nearest_pole_deg)))) + _MARGIN_DEG
    if across_deg >= 180.0:
        return (Box(south=south, north=north, west=-180.0, east=180.0),)
    west, east = point.longitude - across_deg, point.longitude + across_deg
    spans = [(max(west, -180.0), min(east, 180.0))]
    if west < -180.0:
        spans.append((west + 360.0, 180.0))
    if east > 180.0:
        spans.append((-180.0, east - 360.0))
    return tuple(Box(south=south, north=north, west=w, east=e) for w, e in spans)
