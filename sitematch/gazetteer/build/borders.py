"""Countries as polygons, to tell whether a point is in its own country and how far outside if not.

Natural Earth at 1:10 million, simplified to about a kilometre, so a coast or a border is right to two or three.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.medians import Floats, to_xyz
from sitematch.gazetteer.build.neighbours import nearest

ACCURACY_KM = 3.0
"""How far the polygons themselves may be off."""

_STEP_DEG = 0.05
"""Borders are measured at points no further apart than this."""

_WITHIN = {"GF": "FR", "GP": "FR", "MQ": "FR", "RE": "FR", "YT": "FR", "SJ": "NO", "BQ": "NL", "TK": "NZ"}
"""Territories that Natural Earth draws as parts of another country."""


class Borders:
    """The world's countries.

    Parameters
    ----------
    content
        A GeoJSON feature collection, a feature a country with the property ``country`` (ISO 3166-1 alpha-2).

    Raises
    ------
    DataFault
        If the content is not such a collection.
    """

    def __init__(self, content: bytes) -> None:
        try:
            features: list[dict[str, Any]] = msgspec.json.decode(content)["features"]
            shapes = shapely.from_geojson([msgspec.json.encode(one["geometry"]).decode() for one in features])
            countries = [str(one["properties"]["country"]) for one in features]
        except (msgspec.MsgspecError, shapely.GEOSException, KeyError, TypeError) as error:
            fault = Fault(line=0, field="", value="", reason=f"{type(error).__name__}: {error}")
            raise DataFault("The countries' polygons cannot be read.", faults=(fault,)) from error
        self._shapes: dict[str, shapely.Geometry] = {
            country: _areas(shape) for country, shape in zip(countries, shapes, strict=True)
        }
        for territory, parent in _WITHIN.items():
            if parent in self._shapes:
                self._shapes.setdefault(territory, self._shapes[parent])

    def outside_km(self, country: str, latitude: Floats, longitude: Floats) -> Floats:
        """Measure how far points lie outside a country.

        Parameters
        ----------
        country
            ISO 3166-1 alpha-2 code.
        latitude, longitude
            Degrees.

        Returns
        -------
        Kilometres to the country's nearest border or coast; 0 inside, and everywhere for a country without a
        polygon. Measured in space, so the antimeridian is no border.
        """
        outside = np.zeros(len(latitude))
        shape = self._shapes.get(country)
        if shape is None or shapely.is_empty(shape) or not len(latitude):
            return outside
        shapely.prepare(shape)
        out = np.flatnonzero(~shapely.contains_xy(shape, longitude, latitude))
        if out.size:
            edge = shapely.get_coordinates(shapely.segmentize(shape, _STEP_DEG))
            points = to_xyz(edge[:, 1], edge[:, 0])
            apart, _ = nearest(points, to_xyz(latitude[out], longitude[out]), 1)
            outside[out] = apart[:, 0]
        return outside

    def reach_km(self, country: str, latitude: float, longitude: float) -> float:
        """Give the distance from a point within which 95 of 100 points of the country's edge lie; 0 if unknown."""
        shape = self._shapes.get(country)
        if shape is None or shapely.is_empty(shape):
            return 0.0
        edge = shapely.get_coordinates(shapely.segmentize(shape, _STEP_DEG))
        here = to_xyz(np.array([latitude]), np.array([longitude]))
        return float(np.quantile(np.linalg.norm(to_xyz(edge[:, 1], edge[:, 0]) - here, axis=1), 0.95))

    def outside_all_km(self, country: npt.NDArray[np.str_], latitude: Floats, longitude: Floats) -> Floats:
        """Measure each point against its own country; see `outside_km`."""
        outside = np.zeros(len(latitude))
        for one in np.unique(country):
            members = np.flatnonzero(country == one)
            outside[members] = self.outside_km(str(one), latitude[members], longitude[members])
        return outside


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """Drop what rounding folded into lines and points: islets of a few hundred metres."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    parts = shapely.get_parts(parts)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
