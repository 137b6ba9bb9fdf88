"""The nearest-site index: which sites are nearest to a point, exactly and provably.

Straight chords between earth-centred coordinates propose candidates (all of them for a study's few sites, a k-d tree
for thousands), the exact geodesic ranks them again, and a bound proves that no other site can be nearer. If the proof
fails, the query grows until it succeeds. Sites that share a point are stored once. docs/adr/0002 explains the choice of
engines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np

from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import (
    ROUNDING_KM,
    WGS84,
    FloatArray,
    earth_centred_km,
    earth_centred_point_km,
    least_geodesic_km,
)

_SPARE = 3
"""Number of candidates beyond k: with them, the proof succeeds at once for nearly every query."""

TREE_FROM = 2_000
"""From this many distinct points on, a k-d tree is used; with fewer, measuring every chord is as fast and needs no
set-up."""


class Neighbour(msgspec.Struct, frozen=True, gc=False):
    """One point of the index near a query.

    Parameters
    ----------
    position
        Index of the coordinates, from 0.
    distance_km
        Along the WGS84 ellipsoid.
    azimuth_deg
        Direction from the query to the point, clockwise from north, -180 to 180.
    """

    position: int
    distance_km: float
    azimuth_deg: float


class NearestIndex(Protocol):
    """Finds the nearest of a fixed set of coordinates; a compiled engine could replace `ChordIndex`."""

    def __len__(self) -> int:
        """Return the number of indexed coordinates."""
        ...

    def nearest(self, point: Coordinates, k: int) -> Sequence[Neighbour]:
        """Return at least the k nearest, nearest first; ties by position. See `ChordIndex.nearest`."""
        ...


class ChordIndex:
    """An index over earth-centred coordinates with an exact, proven ranking.

    Parameters
    ----------
    coordinates
        The coordinates, in any order; positions in results refer to this order. May be empty, may repeat a point.
    """

    def __init__(self, coordinates: Sequence[Coordinates]) -> None:
        self._size = len(coordinates)
        degrees = np.array([(c.latitude, c.longitude) for c in coordinates], dtype=np.float64).reshape(-1, 2)
        points, member_of = np.unique(degrees, axis=0, return_inverse=True)
        order = np.argsort(member_of, kind="stable")
        ends = np.cumsum(np.bincount(member_of, minlength=len(points)))
        self._members: list[list[int]] = [part.tolist() for part in np.split(order, ends[:-1])]
        xyz_km = earth_centred_km(points[:, 0], points[:, 1])
        self._chords: _NearestChords = _all_chords(xyz_km) if len(points) < TREE_FROM else _tree_chords(xyz_km)
        # Plain floats: pyproj takes 0.7 µs for one pair of them, and 14 µs for a dozen pairs as arrays.
        self._latitude_deg: list[float] = points[:, 0].tolist()
        self._longitude_deg: list[float] = points[:, 1].tolist()
        self._points = len(points)

    def __len__(self) -> int:
        """Return the number of indexed coordinates, including repeated ones."""
        return self._size

    def nearest(self, point: Coordinates, k: int) -> list[Neighbour]:
        """Find the nearest coordinates.

        Parameters
        ----------
        point
            Where to measure from.
        k
            The number of points, at least 1.

        Returns
        -------
        list of Neighbour
            All coordinates at the k nearest distinct points: at least ``min(k, len(self))`` of them, nearest first,
            equal distances by position. No indexed coordinate outside the result is nearer than the last one in it.

        Raises
        ------
        ValueError
            If `k` is less than 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        if not self._points:
            return []
        asked = min(k + _SPARE, self._points)
        while True:
            ranked = self._rank(point, asked)
            if ranked is not None:
                break
            asked = min(asked * 2, self._points)
        return self._with_members(ranked[: min(k, self._points)])

    def _rank(self, point: Coordinates, asked: int) -> list[tuple[float, int, float]] | None:
        """Rank the `asked` nearest points by geodesic; None unless all except the spare ones are certain."""
        latitude, longitude, inverse = point.latitude, point.longitude, WGS84.inv
        found, farthest_chord_km = self._chords(np.array(earth_centred_point_km(latitude, longitude)), asked)
        ranked = []
        for i in found:
            azimuth_deg, _, metres = inverse(longitude, latitude, self._longitude_deg[i], self._latitude_deg[i])
            ranked.append((metres / 1000.0, i, azimuth_deg))
        ranked.sort()
        if asked < self._points:
            bound_km = least_geodesic_km(farthest_chord_km) - ROUNDING_KM
            if ranked[asked - 1 - _SPARE][0] >= bound_km:
                return None
        return ranked

    def _with_members(self, ranked: list[tuple[float, int, float]]) -> list[Neighbour]:
        """Replace each point by all indexed coordinates at that point."""
        neighbours = []
        for km, i, azimuth_deg in ranked:
            for position in self._members[i]:
                neighbours.append(Neighbour(position, km, azimuth_deg))
        neighbours.sort(key=_by_distance_then_position)
        return neighbours


def _by_distance_then_position(neighbour: Neighbour) -> tuple[float, int]:
    return (neighbour.distance_km, neighbour.position)


_NearestChords = Callable[[FloatArray, int], tuple[list[int], float]]
"""Takes a query, shape (3,), and k; returns the k points nearest by chord in any order, and the longest chord."""


def _all_chords(xyz_km: FloatArray) -> _NearestChords:
    """Measure every chord: a few microseconds for a study's sites, without any set-up."""
    everything = list(range(len(xyz_km)))

    def nearest(query_km: FloatArray, k: int) -> tuple[list[int], float]:
        if k >= len(everything):
            return everything, 0.0
        away = xyz_km - query_km
        squares = np.einsum("ij,ij->i", away, away)
        found = np.argpartition(squares, k - 1)[:k]
        return found.tolist(), float(squares[found[k - 1]]) ** 0.5

    return nearest


def _tree_chords(xyz_km: FloatArray) -> _NearestChords:
    """Build a k-d tree; scipy is imported only for catalogues that need it."""
    from scipy.spatial import KDTree

    tree = KDTree(xyz_km)

    def nearest(query_km: FloatArray, k: int) -> tuple[list[int], float]:
        chords_km, found = tree.query(query_km, k=np.arange(1, k + 1))
        return found.tolist(), float(chords_km[-1])

    return nearest
