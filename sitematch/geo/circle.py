"""Geodesic circles as GeoJSON: the area within a distance, on the ellipsoid and across the antimeridian and poles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitematch.domain.area import MultiPolygon
from sitematch.domain.place import Coordinates
from sitematch.errors import InvalidInput
from sitematch.geo.geodesic import WGS84, FloatArray, distance_km
from sitematch.geo.rings import enclose

MIN_RADIUS_KM = 0.001
MAX_RADIUS_KM = 19_900.0
"""Beyond this radius, geodesics from one point meet before the antipode, and a circle of their ends crosses itself."""

TOLERANCE = 0.002
"""Maximum distance between the drawn line and the circle, as a share of the radius."""

_FIRST = 64
"""Number of initial directions; more are added where the line would deviate from the circle."""


def geodesic_circle(centre: Coordinates, radius_km: float) -> MultiPolygon:
    """Return the area within a distance of a point.

    Parameters
    ----------
    centre
        The point.
    radius_km
        Kilometres along the WGS84 ellipsoid, `MIN_RADIUS_KM` to `MAX_RADIUS_KM`.

    Returns
    -------
    MultiPolygon
        The coordinates of a GeoJSON geometry: cut at the antimeridian, closed around a pole inside.

    Raises
    ------
    InvalidInput
        If the radius is out of its range.

    Notes
    -----
    Except at cuts, no point of the drawn circle is farther from the true one than `TOLERANCE` times the radius plus the
    centimetre to which positions are rounded.

    Examples
    --------
    >>> polygons = geodesic_circle(Coordinates(latitude=-17.8, longitude=179.9), 50)  # Fiji, across the antimeridian
    >>> len(polygons)
    2
    """
    if not MIN_RADIUS_KM <= radius_km <= MAX_RADIUS_KM:  # not a number, too
        raise InvalidInput(
            f"The radius is {radius_km:g} km; give {MIN_RADIUS_KM:g} to {MAX_RADIUS_KM:g}.", field="radius_km"
        )
    # From north to west, so that the inside is on the left.
    azimuths_deg = np.linspace(0.0, -360.0, _FIRST + 1)
    while True:
        longitudes, latitudes = _ends(centre, azimuths_deg, radius_km)
        strays = _strays(centre, longitudes, latitudes, radius_km)
        if not strays.any():
            break
        between = (azimuths_deg[:-1][strays] + azimuths_deg[1:][strays]) / 2.0
        azimuths_deg = np.sort(np.concatenate((azimuths_deg, between)))[::-1]
    ring = list(zip(longitudes[:-1].tolist(), latitudes[:-1].tolist(), strict=True))
    farther_pole = Coordinates(latitude=-90.0 if centre.latitude > 0.0 else 90.0, longitude=0.0)
    return enclose(ring, has_both_poles=distance_km(centre, farther_pole) < radius_km)


def _ends(centre: Coordinates, azimuths_deg: FloatArray, radius_km: float) -> tuple[FloatArray, FloatArray]:
    """Return the points at the radius in every direction."""
    n = len(azimuths_deg)
    longitudes, latitudes, _ = WGS84.fwd(
        np.full(n, centre.longitude), np.full(n, centre.latitude), azimuths_deg, np.full(n, radius_km * 1000.0)
    )
    return longitudes, latitudes


def _strays(centre: Coordinates, longitudes: FloatArray, latitudes: FloatArray, radius_km: float) -> NDArray[np.bool_]:
    """Return which lines between neighbours deviate from the circle by more than the tolerance, at their middle."""
    step = (np.diff(longitudes) + 180.0) % 360.0 - 180.0
    n = len(step)
    _, _, metres = WGS84.inv(
        np.full(n, centre.longitude),
        np.full(n, centre.latitude),
        longitudes[:-1] + step / 2.0,
        (latitudes[:-1] + latitudes[1:]) / 2.0,
    )
    off_km: FloatArray = np.abs(metres / 1000.0 - radius_km)
    return off_km > TOLERANCE * radius_km
