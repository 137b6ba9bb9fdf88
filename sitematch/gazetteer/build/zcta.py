"""The US Census's point of each ZIP Code Tabulation Area, and when it is believed over GeoNames'."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.medians import ECCENTRICITY_SQUARED, EQUATOR_KM

US_POSTS = ("US", "PR", "VI", "GU", "AS", "MP", "FM", "MH", "PW")
"""Countries and territories whose codes are ZIP codes."""

FAR_KM = 50.0
"""From here on the two sources contradict each other: the Census's area holds a wilderness, or GeoNames has erred."""

TOWN_KM = 15.0
"""How near to a town of its name GeoNames' point has to be to win a contradiction."""


def read_zcta(content: bytes) -> Mapping[str, tuple[float, float]]:
    """Decode the committed table.

    Parameters
    ----------
    content
        CSV with the columns zcta, latitude, longitude.

    Returns
    -------
    Five-digit code to (latitude, longitude), degrees.

    Raises
    ------
    DataFault
        If a row is not of that form; every such row is listed.
    """
    points: dict[str, tuple[float, float]] = {}
    faults = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), start=2):
        try:
            points[row["zcta"]] = (float(row["latitude"]), float(row["longitude"]))
        except (KeyError, TypeError, ValueError) as error:
            faults.append(Fault(line, "", str(row)[:80], f"is not a point: {error}"))
    if faults or not points:
        raise DataFault("The table of ZIP Code Tabulation Areas is damaged.", faults=tuple(faults))
    return points


def apart_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Give the chord between two points (latitude, longitude), kilometres.

    Examples
    --------
    >>> round(apart_km((0.0, 0.0), (0.0, 180.0)), 3)
    12756.274
    """
    return math.dist(_in_space(*one), _in_space(*other))


def _in_space(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Do `medians.to_xyz` for one point, without arrays: it is asked for millions of times."""
    sin, cos = math.sin(math.radians(latitude)), math.cos(math.radians(latitude))
    normal = EQUATOR_KM / math.sqrt(1 - ECCENTRICITY_SQUARED * sin * sin)
    east = math.radians(longitude)
    return (
        normal * cos * math.cos(east),
        normal * cos * math.sin(east),
        normal * (1 - ECCENTRICITY_SQUARED) * sin,
    )
