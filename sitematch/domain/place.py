"""Points, places and postcodes, with their precision and uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from sitematch.errors import InvalidCoordinates


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """A point on the WGS84 ellipsoid, in decimal degrees; keyword-only, so that the two cannot be swapped.

    Parameters
    ----------
    latitude
        -90 to 90, north positive.
    longitude
        -180 to 180, east positive.

    Raises
    ------
    InvalidCoordinates
        If a value is not a finite number in its range.

    Examples
    --------
    >>> Coordinates(latitude=25.9565, longitude=-80.1392)
    Coordinates(latitude=25.9565, longitude=-80.1392)
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        for field, value, bound in (("latitude", self.latitude, 90.0), ("longitude", self.longitude, 180.0)):
            if not (math.isfinite(value) and -bound <= value <= bound):
                raise InvalidCoordinates(
                    f"The {field} {value!r} is not a number from -{bound:g} to {bound:g}.", field=field
                )


class Precision(StrEnum):
    """The kind of area that a place represents, finest first; the kilometres are in `Place.uncertainty_km`."""

    ADDRESS = "ADDRESS"
    """One building or one stated point."""
    UNIT = "UNIT"
    """A street or less: a full British, Dutch or Canadian code, a Japanese block, a US ZIP+4."""
    SECTOR = "SECTOR"
    """A part of a district: a British sector, a five-digit Brazilian code."""
    DISTRICT = "DISTRICT"
    """What most postcodes stand for: a US ZIP code, a German PLZ, a British outward code."""
    LOCALITY = "LOCALITY"
    """A town as a whole."""
    REGION = "REGION"
    """A first-digits region, a state or a province."""
    UNKNOWN = "UNKNOWN"
    """Unknown; the place may be anywhere in its country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postcode:
    """A postcode in its country's normal form.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code, upper case.
    code
        Normal form, as the country writes it: ``"SW1A 1AA"``, ``"04102"``, ``"85-065"``.
    """

    country: str
    code: str

    def __str__(self) -> str:
        return f"{self.code} ({self.country})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point with its precision and uncertainty.

    Parameters
    ----------
    coordinates
        The best single point for the place.
    precision
        The kind of area that the point represents.
    uncertainty_km
        Radius in kilometres that contains the true position in about 95 of 100 cases; computed from the data.
    source
        Where the point comes from, e.g. ``"GeoNames postal codes 2025-12-30 (CC BY 4.0)"``.
    country
        ISO 3166-1 alpha-2 code; empty if it does not matter (coordinates only).
    name
        The place's own name, e.g. ``"Miami, Florida"``; empty if unknown.
    postcode
        The code that was found, in normal form. It may be coarser than the requested code. None for a town or a point.
    notes
        What the person should know, in plain words: that a coarser code was used, or a contradiction and which part was
        used.
    """

    coordinates: Coordinates
    precision: Precision
    uncertainty_km: float
    source: str
    country: str = ""
    name: str = ""
    postcode: str | None = None
    notes: tuple[str, ...] = ()
