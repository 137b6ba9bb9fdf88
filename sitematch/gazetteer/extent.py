"""The extent of each country, to detect points that cannot be in it."""

from __future__ import annotations

from sitematch.domain.place import Coordinates
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.schema import DEGREE

MARGIN_DEG = 1.0
"""Allowed beyond the outermost known code or town, in degrees (about 111 km of latitude)."""


class Extents:
    """Checks whether a point can be in a country, with the box around its codes and towns.

    Parameters
    ----------
    reader
        The gazetteer.

    Notes
    -----
    The box is generous: overseas parts widen it, and a country on both sides of the antimeridian extends around the
    whole earth. It detects swapped and mistyped coordinates, not small errors.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._boxes: dict[str, tuple[float, float, float, float] | None] = {}

    def may_contain(self, country: str, point: Coordinates) -> bool:
        """Return whether a point can be in a country.

        Parameters
        ----------
        country
            ISO 3166-1 alpha-2; for a country without data, every point is allowed.
        point
            The point.
        """
        if country not in self._boxes:
            extent = self._reader.extent(country)
            self._boxes[country] = (
                None
                if extent is None
                else (
                    extent[0] / DEGREE - MARGIN_DEG,
                    extent[1] / DEGREE + MARGIN_DEG,
                    extent[2] / DEGREE - MARGIN_DEG,
                    extent[3] / DEGREE + MARGIN_DEG,
                )
            )
        box = self._boxes[country]
        return box is None or (box[0] <= point.latitude <= box[1] and box[2] <= point.longitude <= box[3])
