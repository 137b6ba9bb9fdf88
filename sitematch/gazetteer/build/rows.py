"""What the build hands from step to step: the gazetteer's future rows as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Rows:
    """Future ``postcode`` rows as parallel columns.

    Parameters
    ----------
    codes
        (country, key), each once.
    latitude, longitude
        Degrees, WGS84.
    precision
        Index into `schema.PRECISIONS`.
    uncertainty_km
        See `sitematch.domain.place.Place`.
    name
        What the place is called, e.g. ``"Miami, Florida"``.
    source
        `sources.Source.id` of the point.
    children
        0 for a full code, else the number of full codes under the rung.
    """

    codes: tuple[tuple[str, str], ...]
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    precision: npt.NDArray[np.int8]
    uncertainty_km: npt.NDArray[np.float64]
    name: tuple[str, ...]
    source: npt.NDArray[np.int8]
    children: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)


def no_rows() -> Rows:
    """Give columns without a row."""
    floats, small = np.empty(0, np.float64), np.empty(0, np.int8)
    return Rows((), floats, floats, small, floats, (), small, np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Town:
    """A town, city or village, from GeoNames.

    Parameters
    ----------
    id
        GeoNames id.
    country
        ISO 3166-1 alpha-2 code.
    name
        As its country writes it.
    admin
        State or province; empty if unknown.
    latitude, longitude
        Degrees, WGS84.
    uncertainty_km
        Radius that holds about 95 of 100 of the town's addresses.
    population
        Inhabitants; None is unknown.
    keys
        Folded names to find it by, sorted, each once.
    aliases
        Every folded name that the source has, for the build's own use.
    """

    id: int
    country: str
    name: str
    admin: str
    latitude: float
    longitude: float
    uncertainty_km: float
    population: int | None
    keys: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """A point that was moved, and why.

    Parameters
    ----------
    country, key
        The code.
    was_latitude, was_longitude
        Where the source had it, degrees.
    moved_km
        Geodesic distance moved.
    why
        The reason in plain words.
    rule
        Name of the rule that had the last word.
    source
        `sources.Source.id` of the point that was moved.
    """

    country: str
    key: str
    was_latitude: float
    was_longitude: float
    moved_km: float
    why: str
    rule: str
    source: int


def joined_name(place: str, state: str) -> str:
    """Join a place and its state for people.

    Examples
    --------
    >>> joined_name("Miami", "Florida")
    'Miami, Florida'
    >>> joined_name("Encamp", "Encamp"), joined_name("", "Salta")
    ('Encamp', 'Salta')
    """
    if not place or place == state:
        return state or place
    return f"{place}, {state}" if state else place
