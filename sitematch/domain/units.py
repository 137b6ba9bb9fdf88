"""Kilometres and miles, compass points, and distances as text."""

from __future__ import annotations

import math
from enum import StrEnum

KM_PER_MILE = 1.609344
"""International mile, exact since 1959."""


class Unit(StrEnum):
    """The unit in which distances are shown; everything is computed in kilometres."""

    KM = "km"
    MILES = "miles"


MILES_COUNTRIES = frozenset({"US", "GB", "LR", "PR", "GU", "VI", "AS", "MP", "UM", "GG", "JE", "IM"})
"""Countries whose road distances are given in miles: CLDR 46 unitPreferenceData, length, usage "road", for the United
States and Great Britain, and Liberia's customary units, with the territories that share those countries' road signs."""


def unit_for(country: str) -> Unit:
    """Return the unit in which people of a country think of road distances.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2; empty or unknown gives kilometres.

    Examples
    --------
    >>> unit_for("US").value, unit_for("FR").value
    ('miles', 'km')
    """
    return Unit.MILES if country in MILES_COUNTRIES else Unit.KM


COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
"""The sixteen points, clockwise from north."""


def compass_point(azimuth_deg: float) -> str:
    """Return the compass point nearest to a direction.

    Parameters
    ----------
    azimuth_deg
        Degrees clockwise from north, any finite number.

    Examples
    --------
    >>> compass_point(0.0), compass_point(-90.0), compass_point(130.0)
    ('N', 'W', 'SE')
    """
    return COMPASS[math.floor(azimuth_deg / 22.5 + 0.5) % 16]


def format_distance(km: float, unit: Unit) -> str:
    """Format a distance for display: one decimal below ten, whole numbers above.

    Parameters
    ----------
    km
        Kilometres, at least 0.
    unit
        The unit to show.

    Examples
    --------
    >>> format_distance(3.21, Unit.KM), format_distance(160.9344, Unit.MILES)
    ('3.2 km', '100 mi')
    """
    value = km / KM_PER_MILE if unit is Unit.MILES else km
    digits = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
    return f"{digits} {'mi' if unit is Unit.MILES else 'km'}"
