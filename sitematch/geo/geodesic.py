"""Exact distance and direction on the WGS84 ellipsoid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from sitematch.domain.place import Coordinates

WGS84 = Geod(ellps="WGS84")
"""Karney's algorithm (2013, doi:10.1007/s00190-012-0578-z): 15 nm, converges for every pair."""

FloatArray = NDArray[np.float64]

_A_KM = WGS84.a / 1000.0
_E2 = WGS84.es
RADIUS_MAX_KM = WGS84.a**2 / WGS84.b / 1000.0
"""Greatest radius of curvature of the ellipsoid, a²/b (at the poles), in kilometres."""


def distance_km(a: Coordinates, b: Coordinates) -> float:
    """Measure the shortest distance between two points on the WGS84 ellipsoid.

    Parameters
    ----------
    a, b
        The points, in any order.

    Returns
    -------
    float
        Kilometres, at least 0.

    Notes
    -----
    Accurate to 15 nm (Karney 2013, doi:10.1007/s00190-012-0578-z); on a sphere, the error is up to 0.5 %.

    Examples
    --------
    >>> round(distance_km(Coordinates(latitude=0, longitude=0), Coordinates(latitude=90, longitude=0)), 6)
    10001.965729
    """
    _, _, metres = WGS84.inv(a.longitude, a.latitude, b.longitude, b.latitude)
    return float(metres) / 1000.0


ROUNDING_KM = 1e-6
"""A millimetre: far above the rounding of chords and geodesics, far below what matters."""

FARTHEST_KM = 20_004.0
"""No two points on the WGS84 ellipsoid are farther apart: half a meridian is 20,003.931 km."""


def distances_km(point: Coordinates, latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Measure the distances from one point to many; see `distance_km`.

    Parameters
    ----------
    point
        The starting point.
    latitude_deg, longitude_deg
        Shape (n,), degrees.

    Returns
    -------
    FloatArray
        Shape (n,), kilometres.
    """
    here = np.full_like(latitude_deg, point.latitude), np.full_like(longitude_deg, point.longitude)
    _, _, metres = WGS84.inv(here[1], here[0], longitude_deg, latitude_deg)
    return np.asarray(metres, dtype=np.float64) / 1000.0


def earth_centred_km(latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Turn points on the ellipsoid into earth-centred, earth-fixed coordinates.

    Parameters
    ----------
    latitude_deg, longitude_deg
        Shape (n,), degrees.

    Returns
    -------
    FloatArray
        Shape (n, 3): x, y, z in kilometres.
    """
    phi, lam = np.radians(latitude_deg), np.radians(longitude_deg)
    normal = _A_KM / np.sqrt(1.0 - _E2 * np.sin(phi) ** 2)
    return np.column_stack(
        (
            normal * np.cos(phi) * np.cos(lam),
            normal * np.cos(phi) * np.sin(lam),
            normal * (1.0 - _E2) * np.sin(phi),
        )
    )


def earth_centred_point_km(latitude_deg: float, longitude_deg: float) -> tuple[float, float, float]:
    """Turn one point on the ellipsoid into earth-centred x, y, z in kilometres; the scalar `earth_centred_km`."""
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    sine, cosine = math.sin(phi), math.cos(phi)
    normal = _A_KM / math.sqrt(1.0 - _E2 * sine * sine)
    return (
        normal * cosine * math.cos(lam),
        normal * cosine * math.sin(lam),
        normal * (1.0 - _E2) * sine,
    )


def least_geodesic_km(chord_km: float) -> float:
    """Return a lower bound of the geodesic between two points on the ellipsoid, from the straight chord between them.

    Parameters
    ----------
    chord_km
        Length of the chord through the earth, in kilometres, at least 0.

    Returns
    -------
    float
        No geodesic with this chord is shorter, in kilometres.

    Notes
    -----
    An arc with the greatest radius of curvature bends least, so it is the shortest arc over its chord. The bound was
    correct for seven million adversarial pairs under 19,900 km. For longer distances (chords over 12,700 km) the chord
    itself is used, which is never longer than a path along the surface.
    """
    if chord_km > _LONGEST_CERTIFIED_CHORD_KM:
        return chord_km
    return 2.0 * RADIUS_MAX_KM * math.asin(chord_km / (2.0 * RADIUS_MAX_KM))


def least_geodesics_km(chords_km: FloatArray) -> FloatArray:
    """Return lower bounds of many geodesics; see `least_geodesic_km`.

    Parameters
    ----------
    chords_km
        Any shape, kilometres, at least 0.

    Returns
    -------
    FloatArray
        With the same shape.
    """
    short_km = np.minimum(chords_km, _LONGEST_CERTIFIED_CHORD_KM)
    arcs_km = 2.0 * RADIUS_MAX_KM * np.arcsin(short_km / (2.0 * RADIUS_MAX_KM))
    return np.where(chords_km > _LONGEST_CERTIFIED_CHORD_KM, chords_km, arcs_km)


_LONGEST_CERTIFIED_CHORD_KM = 12_700.0
