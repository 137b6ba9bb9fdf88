"""pgeocode's calls over sitematch's gazetteer: its users move with one import.

>>> from sitematch.library.pgeocode import GeoDistance, Nominatim
>>> place = Nominatim("FR").query_postal_code("75013")
>>> place.place_name, place.country_code
('Paris', 'FR')

Nothing is downloaded, every country is in one file, distances are on the ellipsoid, and each row says how sure its
place is (``uncertainty_km``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sitematch.config import data_file
from sitematch.domain.place import Place
from sitematch.errors import AmbiguousPlace, InvalidInput, NotFound, UnknownCountry
from sitematch.extras import needs_extra
from sitematch.gazetteer.grammar import parse_country
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import distance_km

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "postal_code", "country_code", "place_name", "state_name", "state_code", "county_name", "county_code",
    "community_name", "community_code", "latitude", "longitude", "accuracy", "uncertainty_km",
)  # fmt: skip
"""pgeocode's columns, and the uncertainty. What the gazetteer does not have is NaN: codes, counties and communities."""

_NAN = math.nan


class Nominatim:
    """Postcodes and towns of one country.

    Parameters
    ----------
    country
        Name or ISO 3166-1 code.
    unique
        Accepted for compatibility: a postcode always has one row.
    gazetteer
        An open gazetteer; by default sitematch's own.

    Raises
    ------
    ValueError
        If the country is not known, as in pgeocode.
    NotReady
        If the gazetteer is missing.
    """

    def __init__(self, country: str = "fr", unique: bool = True, *, gazetteer: Gazetteer | None = None) -> None:
        try:
            self.country = parse_country(country)
        except UnknownCountry as error:
            raise ValueError(error.message) from error
        self.unique = unique
        self._gazetteer = gazetteer or Gazetteer.open(data_file("gazetteer.sqlite"))

    def query_postal_code(self, codes: Any) -> pd.Series | pd.DataFrame:
        """Find postcodes.

        Parameters
        ----------
        codes
            One postcode, or several: a list, an array or a series. Numbers are read as postcodes.

        Returns
        -------
        Series or DataFrame
            `COLUMNS`: a series for one postcode, otherwise one row for each, in their order. An unknown or invalid
            postcode has NaN.
        """
        with needs_extra("pandas", "A data frame"):
            import pandas as pd

        is_one = isinstance(codes, str | int) or not hasattr(codes, "__iter__")
        rows = [self._row(code) for code in ([codes] if is_one else codes)]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.iloc[0] if is_one else frame

    def query_location(
        self, name: str, top_k: int = 100, fuzzy_threshold: int | None = None, col: str = "place_name"
    ) -> pd.DataFrame:
        """Find towns by name.

        Parameters
        ----------
        name
            Their name, or its beginning; case and accents make no difference.
        top_k
            Maximum number of rows.
        fuzzy_threshold
            Accepted for compatibility: one wrong letter is always forgiven if nothing else is found.
        col
            Only ``"place_name"``.

        Returns
        -------
        DataFrame
            `COLUMNS`, the largest town first. The postcode is NaN, because a town has many.

        Raises
        ------
        ValueError
            If another column is asked for.
        """
        with needs_extra("pandas", "A data frame"):
            import pandas as pd

        if col != "place_name":
            raise ValueError("Only place_name can be searched.")
        try:
            towns = [town.place() for town in self._gazetteer.search_towns(name, self.country, limit=top_k)]
            if not towns:
                towns = [self._gazetteer.locate("", self.country, town=name)]
        except (InvalidInput, NotFound, AmbiguousPlace):
            towns = []
        rows = [_row(place, _NAN) for place in towns]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def place(self, code: Any) -> Place | None:
        """Return the place of a postcode; None if it is unknown or invalid."""
        text = str(code).strip() if code is not None and code == code else ""
        try:
            return self._gazetteer.locate(text, self.country) if any(map(str.isdigit, text)) else None
        except (InvalidInput, NotFound, AmbiguousPlace):
            return None

    def _row(self, code: Any) -> tuple[Any, ...]:
        place = self.place(code)
        text = str(code) if code is not None and code == code else _NAN
        return (text, *(_NAN,) * (len(COLUMNS) - 1)) if place is None else _row(place, text)


class GeoDistance:
    """Distances between postcodes of one country; see `Nominatim`."""

    def __init__(self, country: str = "fr", *, gazetteer: Gazetteer | None = None) -> None:
        self._places = Nominatim(country, gazetteer=gazetteer)

    def query_postal_code(self, x: Any, y: Any) -> Any:
        """Measure distances.

        Parameters
        ----------
        x, y
            One postcode each, or as many as each other.

        Returns
        -------
        float or ndarray
            Kilometres on WGS84; NaN where a postcode is unknown.

        Raises
        ------
        ValueError
            If there are not as many of one as of the other.
        """
        import numpy as np

        if isinstance(x, str | int) and isinstance(y, str | int):
            return self._between(x, y)
        one, other = _listed(x), _listed(y)
        if len(one) == 1 or len(other) == 1:
            most = max(len(one), len(other))
            one, other = one * (most // len(one)), other * (most // len(other))
        return np.array([self._between(a, b) for a, b in zip(one, other, strict=True)], dtype=np.float64)

    def _between(self, x: Any, y: Any) -> float:
        one, other = self._places.place(x), self._places.place(y)
        return _NAN if one is None or other is None else distance_km(one.coordinates, other.coordinates)


def _listed(codes: Any) -> list[Any]:
    return [codes] if isinstance(codes, str | int) else list(codes)


def _row(place: Place, code: Any) -> tuple[Any, ...]:
    town, _, state = place.name.partition(", ")
    at = place.coordinates
    none: Sequence[float] = (_NAN,) * 5
    return (
        code, place.country, town or _NAN, state or _NAN, *none, at.latitude, at.longitude, _NAN, place.uncertainty_km,
    )  # fmt: skip
