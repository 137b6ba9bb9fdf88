"""The nearest-site index: which sites are nearest to a point, exactly and provably.

A k-d tree over earth-centred coordinates proposes candidates by straight chord, the exact geodesic re-ranks them, and
a bound certifies that no other site can be nearer; where the certificate fails, the query grows until it holds.
Sites that share a point are stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pykdtree.kdtree import KDTree

from sitematch.domain.place import Coordinates
from sitematch.geo.geodesic import WGS84, earth_centred_km, earth_centred_point_km, least_geodesic_km

_SPARE = 3
"""Candidates asked for beyond k: with them the certificate holds at once for nearly every query."""

_ROUNDING_KM = 1e-6
"""A millimetre: far above the rounding of chords and geodesics, far below what matters."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One point of the index near a query.

    Parameters
    ----------
    position
        Which of the indexed coordinates, counted from 0.
    distance_km
        Along the WGS84 ellipsoid.
    azimuth_deg
        Direction from the query to the point, clockwise from north, -180 to 180.
    """

    position: int
    distance_km: float
    azimuth_deg: float


class NearestIndex(Protocol):
    """Finds the nearest of a fixed set of coordinates; a compiled engine may stand in for `ChordIndex`."""

    def __len__(self) -> int:
        """Return how many coordinates are indexed."""
        ...

    def nearest(self, point: Coordinates, k: int) -> Sequence[Neighbour]:
        """Return at least the k nearest, nearest first; ties by position. See `ChordIndex.nearest`."""
        ...


class ChordIndex:
    """A k-d tree over earth-centred coordinates with an exact, certified re-rank.

    Parameters
    ----------
    coordinates
        What to index, in any order; positions in answers refer to this order. May be empty, may repeat a point.
    """

    def __init__(self, coordinates: Sequence[Coordinates]) -> None:
        self._size = len(coordinates)
        degrees = np.array([(c.latitude, c.longitude) for c in coordinates], dtype=np.float64).reshape(-1, 2)
        points, member_of = np.unique(degrees, axis=0, return_inverse=True)
        order = np.argsort(member_of, kind="stable")
        ends = np.cumsum(np.bincount(member_of, minlength=len(points)))
        self._members: list[list[int]] = [part.tolist() for part in np.split(order, ends[:-1])]
        self._tree = KDTree(earth_centred_km(points[:, 0], points[:, 1])) if len(points) else None
        # Plain floats: pyproj answers one pair of them in 0.7 µs, a dozen pairs as arrays in 14 µs.
        self._latitude_deg: list[float] = points[:, 0].tolist()
        self._longitude_deg: list[float] = points[:, 1].tolist()
        self._points = len(points)

    def __len__(self) -> int:
        """Return how many coordinates are indexed, repeated ones included."""
        return self._size

    def nearest(self, point: Coordinates, k: int) -> list[Neighbour]:
        """Find the nearest coordinates.

        Parameters
        ----------
        point
            Where to measure from.
        k
            How many are wanted, at least 1.

        Returns
        -------
        list of Neighbour
            All sites at the k nearest distinct points: at least ``min(k, len(self))`` of them, nearest first, equal
            distances by position. No indexed coordinate outside the answer is nearer than the last one in it.

        Raises
        ------
        ValueError
            If `k` is less than 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        if self._tree is None:
            return []
        asked = min(k + _SPARE, self._points)
        while True:
            ranked = self._rank(point, asked)
            if ranked is not None:
                break
            asked = min(asked * 2, self._points)
        return self._with_members(ranked[: min(k, self._points)])

    def _rank(self, point: Coordinates, asked: int) -> list[tuple[float, int, float]] | None:
        """Re-rank the `asked` nearest points by geodesic; None unless all but the spare ones are certain."""
        assert self._tree is not None
        chords_km, found = self._tree.query(_query_row(point), k=asked)
        inverse, latitude, longitude = WGS84.inv, point.latitude, point.longitude
        ranked = []
        for i in found.ravel().tolist():
            azimuth_deg, _, metres = inverse(longitude, latitude, self._longitude_deg[i], self._latitude_deg[i])
            ranked.append((metres / 1000.0, i, azimuth_deg))
        ranked.sort()
        if asked < self._points:
            bound_km = least_geodesic_km(float(chords_km.ravel()[-1])) - _ROUNDING_KM
            if ranked[asked - 1 - _SPARE][0] >= bound_km:
                return None
        return ranked

    def _with_members(self, ranked: list[tuple[float, int, float]]) -> list[Neighbour]:
        """Replace each point by all the indexed coordinates that lie there."""
        neighbours = []
        for km, i, azimuth_deg in ranked:
            for position in self._members[i]:
                neighbours.append(Neighbour(position, km, azimuth_deg))
        neighbours.sort(key=_by_distance_then_position)
        return neighbours


def _by_distance_then_position(neighbour: Neighbour) -> tuple[float, int]:
    return (neighbour.distance_km, neighbour.position)


def _query_row(point: Coordinates) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Turn a point into the tree's query, shape (1, 3), in kilometres."""
    return np.array((earth_centred_point_km(point.latitude, point.longitude),))
