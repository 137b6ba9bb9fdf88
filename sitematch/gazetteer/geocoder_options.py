"""The options of geopy's Nominatim: what is used of them, and what a warning says is ignored."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geopy.exc import GeocoderQueryError
from geopy.point import Point

from sitematch.domain.place import Place


class AmbiguousQuery(UserWarning):
    """Several places match, and the first was taken; ``exactly_one=False`` lists them all.

    A warning and no error, so that geopy's RateLimiter neither tries again nor logs the query.
    """


class IgnoredOption(UserWarning):
    """An option of Nominatim was given that a local gazetteer cannot honour."""


_WHY = {
    "language": "names are the gazetteer's own",
    "geometry": "the gazetteer has points and no outlines",
    "extratags": "the gazetteer has no tags",
    "namedetails": "the gazetteer has one name of each place",
    "featuretype": "postcodes and towns are all that it has",
    "zoom": "the nearest postcode or town is always found",
}
_SAME = {"featuretype": ("city", "settlement")}
"""Values that ask for what is found anyway."""


def warn_of_ignored(**options: Any) -> None:
    """Warn of the options that were given and are not used."""
    given = [name for name, value in options.items() if value and value not in _SAME.get(name, ())]
    if given:
        reasons = "; ".join(f"{name}: {_WHY[name]}" for name in given)
        warnings.warn(f"Ignored: {reasons}.", IgnoredOption, stacklevel=3)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the globe between two corners, degrees; it does not cross the antimeridian."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def of(cls, viewbox: Any) -> Box:
        """Read Nominatim's ``viewbox``: two points, as geopy reads them.

        Raises
        ------
        GeocoderQueryError
            If it is not two points.
        """
        try:
            if not isinstance(viewbox, Sequence) or isinstance(viewbox, str):
                raise TypeError("two points are needed")
            one, other = (Point(corner) for corner in viewbox)
        except (TypeError, ValueError) as fault:
            raise GeocoderQueryError(f"The viewbox is not two points: {fault}.") from fault
        south, north = sorted((one.latitude, other.latitude))
        west, east = sorted((one.longitude, other.longitude))
        return cls(south, west, north, east)

    def __contains__(self, place: Place) -> bool:
        """Return whether a place is inside."""
        at = place.coordinates
        return self.south <= at.latitude <= self.north and self.west <= at.longitude <= self.east
