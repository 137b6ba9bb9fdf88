"""Distances from many places to the nearest of several sites, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitematch.geo.geodesic import WGS84, FloatArray, earth_centred_km

_PLACES_AT_ONCE = 4096
"""Number of places per batch: with hundreds of sites, their chords take a few megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points with their uncertainty; three arrays of the same length.

    Parameters
    ----------
    latitude_deg, longitude_deg
        WGS84 degrees.
    uncertainty_km
        Radius that contains the true position in about 95 of 100 cases, at least 0.
    """

    latitude_deg: FloatArray
    longitude_deg: FloatArray
    uncertainty_km: FloatArray

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.latitude_deg)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestSites:
    """Distances of places to sites; arrays of the same length, infinite without a site.

    Parameters
    ----------
    nearest
        Position of the nearest site, the first of equally near ones; -1 without a site.
    km
        Geodesic distance to it, in kilometres.
    least_km, most_km
        The smallest possible distance to any site, and the distance within which there certainly is a site; the
        uncertainties of place and site are independent errors. ``least_km <= km <= most_km``; `least_km` is at least 0.
    """

    nearest: NDArray[np.intp]
    km: FloatArray
    least_km: FloatArray
    most_km: FloatArray


def reach(places: Points, sites: Points) -> NearestSites:
    """Measure the distance from each place to the nearest site.

    Parameters
    ----------
    places, sites
        Any number of them.

    Returns
    -------
    Reach
        In the order of `places`.

    Notes
    -----
    Exact: a site is skipped only if its chord through the earth, which is never longer than a path along the surface,
    proves that it does not affect any of the three distances.
    """
    parts = [
        _reach(
            Points(
                latitude_deg=places.latitude_deg[i : i + _PLACES_AT_ONCE],
                longitude_deg=places.longitude_deg[i : i + _PLACES_AT_ONCE],
                uncertainty_km=places.uncertainty_km[i : i + _PLACES_AT_ONCE],
            ),
            sites,
        )
        for i in range(0, max(len(places), 1), _PLACES_AT_ONCE)
    ]
    return NearestSites(
        nearest=np.concatenate([part.nearest for part in parts]),
        km=np.concatenate([part.km for part in parts]),
        least_km=np.concatenate([part.least_km for part in parts]),
        most_km=np.concatenate([part.most_km for part in parts]),
    )


def _reach(places: Points, sites: Points) -> NearestSites:
    n, m = len(places), len(sites)
    if not n or not m:
        endless = np.full(n, np.inf)
        return NearestSites(nearest=np.full(n, -1, dtype=np.intp), km=endless, least_km=endless, most_km=endless)
    chords_km = np.linalg.norm(_earth_centred_km(places)[:, None] - _earth_centred_km(sites)[None], axis=2)
    off_km = np.hypot(places.uncertainty_km[:, None], sites.uncertainty_km[None])
    rows, first = np.arange(n), chords_km.argmin(axis=1)
    enough_km = _distances_km(places, sites, rows, first) + off_km[rows, first]
    measured = chords_km - off_km <= enough_km[:, None] + 1e-6  # a millimetre for rounding
    km = np.full((n, m), np.inf)
    i, j = np.nonzero(measured)
    km[i, j] = _distances_km(places, sites, i, j)
    nearest = km.argmin(axis=1)
    return NearestSites(
        nearest=nearest,
        km=km[rows, nearest],
        least_km=np.maximum((km - off_km).min(axis=1), 0.0),
        most_km=(km + off_km).min(axis=1),
    )


def pairwise_km(places: Points, sites: Points) -> FloatArray:
    """Measure the distance from every place to every site: geodesic kilometres, shape (places, sites)."""
    i, j = np.indices((len(places), len(sites)))
    return _distances_km(places, sites, i.ravel(), j.ravel()).reshape(i.shape)


def _earth_centred_km(points: Points) -> FloatArray:
    return earth_centred_km(points.latitude_deg, points.longitude_deg)


def _distances_km(places: Points, sites: Points, i: NDArray[np.intp], j: NDArray[np.intp]) -> FloatArray:
    _, _, metres = WGS84.inv(
        places.longitude_deg[i], places.latitude_deg[i], sites.longitude_deg[j], sites.latitude_deg[j]
    )
    km: FloatArray = np.asarray(metres, dtype=np.float64) / 1000.0
    return km
