"""The postcode or town nearest to a point, for reverse geocoding, with trees that are built at first use."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitematch.domain.place import Coordinates, Place
from sitematch.gazetteer.grammar import fits
from sitematch.gazetteer.lookup import place_of
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.schema import DEGREE
from sitematch.gazetteer.towns import town_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.spatial import KDTree

_EARTH_KM = 6371.0088
_NEIGHBOURS = 12
"""Number of towns around a point whose countries are searched, because near a border the nearest code may be across
it."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The place nearest to a point.

    Parameters
    ----------
    place
        A full postcode's place, or a town's if its country has no known postcodes.
    distance_km
        The distance from the point to the place; rough, see `rough_km`.
    """

    place: Place
    distance_km: float


@dataclass(frozen=True, slots=True)
class _Tree:
    tree: KDTree
    keys: tuple[str, ...]


class NearestPlaces:
    """Nearest postcodes, with trees that are built once per country.

    Parameters
    ----------
    reader
        The gazetteer.

    Notes
    -----
    The first call reads all towns (about 0.4 s), and the first call in a country reads that country's codes (up to
    0.5 s); later calls take about 50 microseconds. Thread-safe.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._trees: dict[str, _Tree | None] = {}
        self._towns: tuple[KDTree, tuple[tuple[int, str], ...]] | None = None

    def find(self, point: Coordinates, limit: int = 1) -> tuple[Nearest, ...]:
        """Find the places nearest to a point.

        Parameters
        ----------
        point
            Anywhere on the globe.
        limit
            Maximum number.

        Returns
        -------
        tuple of Nearest
            Nearest first.
        """
        import numpy as np

        tree, towns = self._town_tree()
        at = _on_globe(np.array([point.latitude]), np.array([point.longitude]))
        _, around = tree.query(at, k=min(_NEIGHBOURS, len(towns)))
        near = [towns[int(i)] for i in np.ravel(around)]
        found: list[Nearest] = []
        for country in dict.fromkeys(country for _, country in near):
            codes = self._codes(country)
            if codes is None:
                town = next(number for number, of in near if of == country)
                found.append(self._measured(point, self._town(town)))
                continue
            _, nearest = codes.tree.query(at, k=min(limit, len(codes.keys)))
            for i in np.ravel(nearest):
                row = self._reader.postcode(country, codes.keys[int(i)])
                if row is not None:
                    found.append(self._measured(point, place_of(self._reader, country, codes.keys[int(i)], row)))
        return tuple(sorted(found, key=lambda one: (one.distance_km, one.place.postcode or ""))[:limit])

    def _measured(self, point: Coordinates, place: Place) -> Nearest:
        return Nearest(place, rough_km(point, place.coordinates))

    def _town(self, number: int) -> Place:
        return town_of(self._reader, self._reader.town(number)).place()

    def _town_tree(self) -> tuple[KDTree, tuple[tuple[int, str], ...]]:
        with self._lock:
            if self._towns is None:
                rows = self._reader.everywhere()
                tree = _tree_of([row[2] for row in rows], [row[3] for row in rows])
                self._towns = tree, tuple((row[0], row[1]) for row in rows)
            return self._towns

    def _codes(self, country: str) -> _Tree | None:
        with self._lock:
            if country not in self._trees:
                # If no codes are known, the file has only regions, so towns are used.
                rows = [row for row in self._reader.full_codes(country) if fits(country, row[0])]
                self._trees[country] = (
                    _Tree(_tree_of([row[1] for row in rows], [row[2] for row in rows]), tuple(row[0] for row in rows))
                    if rows
                    else None
                )
            return self._trees[country]


def _tree_of(latitudes: list[int], longitudes: list[int]) -> KDTree:
    import numpy as np
    from scipy.spatial import KDTree

    return KDTree(_on_globe(np.array(latitudes) / DEGREE, np.array(longitudes) / DEGREE))


def _on_globe(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert points to a sphere, where the antimeridian and the poles need no special treatment."""
    import numpy as np

    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return _EARTH_KM * np.column_stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude))
    )
