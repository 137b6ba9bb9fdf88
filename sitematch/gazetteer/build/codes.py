"""From a code's many places to one point, a name, and how far the code may reach."""

from __future__ import annotations

import numpy as np

from sitematch.gazetteer.build.medians import (
    Floats,
    geometric_medians,
    group_quantiles,
    to_degrees,
    to_xyz,
)
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.postal import Places
from sitematch.gazetteer.build.rows import Rows, joined_name
from sitematch.gazetteer.build.sources import POSTAL

SHARE = 0.95
"""The share of a code's places that its uncertainty covers."""

_ESTIMATED_WEIGHT = 0.25
_NEIGHBOURS = 4
_LEAST_KM = 0.2


def full_codes(places: Places) -> Rows:
    """Make one row of each code.

    Parameters
    ----------
    places
        Every place of every code.

    Returns
    -------
    Rows in the order of ``places.codes``; the precision is not set yet. The point minimises the weighted sum of
    distances to the code's places, places with estimated coordinates (accuracy 1) counting a quarter. The name is that of
    the place nearest the point.
    """
    xyz = to_xyz(places.latitude, places.longitude)
    weight = np.where(places.accuracy == 1, _ESTIMATED_WEIGHT, 1.0)
    medians = geometric_medians(xyz, places.starts, weight)
    latitude, longitude = to_degrees(medians)
    single = places.counts == 1
    first = places.starts[:-1]
    latitude[single] = places.latitude[first[single]]
    longitude[single] = places.longitude[first[single]]
    medians = to_xyz(latitude, longitude)
    apart = np.linalg.norm(xyz - medians[places.code], axis=1)
    order = np.lexsort((apart, places.code))
    closest = order[places.starts[:-1]]
    names = tuple(joined_name(*places.names[name]) for name in places.name[closest].tolist())
    spread = group_quantiles(apart, places.starts, SHARE)
    countries = np.array([country for country, _ in places.codes])
    reach = np.maximum(spread, reach_km(countries, medians))
    return Rows(
        codes=places.codes,
        latitude=latitude,
        longitude=longitude,
        precision=np.zeros(len(names), np.int8),
        uncertainty_km=np.maximum(reach, _LEAST_KM),
        name=names,
        source=np.full(len(names), POSTAL.id, np.int8),
        children=np.zeros(len(names), np.int64),
    )


def reach_km(countries: np.typing.NDArray[np.str_], xyz: Floats) -> Floats:
    """Say how far a code may reach: the distance to its country's fourth nearest other point.

    Parameters
    ----------
    countries
        A country a point.
    xyz
        Earth-centred kilometres, shape (n, 3). Points within about 100 m count as one, since many codes share the
        point of their town and then stand anywhere in it.

    Returns
    -------
    Kilometres, 0 where the country has one point only.
    """
    reach = np.zeros(len(xyz))
    for country in np.unique(countries):
        members = np.flatnonzero(countries == country)
        _, which, inverse = np.unique(
            np.round(xyz[members], 1), axis=0, return_index=True, return_inverse=True
        )
        points = xyz[members][which]
        if len(points) > 1:
            count = min(_NEIGHBOURS + 1, len(points))
            apart, _ = nearest(points, points, count)
            reach[members] = apart[:, -1][inverse.reshape(-1)]
    return reach
