"""From a code's many places to one point, a name, and how far the code may reach."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from sitematch.gazetteer.build.evidence import Draft, Ladders, TownIndex
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
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km
from sitematch.gazetteer.schema import PRECISIONS

SHARE = 0.95
"""The share of a code's places that its uncertainty covers."""

WIDE_KM = 30.0
"""Codes whose places reach so far from their middle are the outback's: 2880 is Broken Hill and a land of sheep."""

_PLACES_LEAST = 5
_SLIP_TIMES = 10.0
_SAME_TOWN_KM = 10.0
_PEOPLE_OF_A_PLACE = 200.0
_ESTIMATED_WEIGHT = 0.25
_NEIGHBOURS = 4
_LEAST_KM = 0.2
_TIMES_AROUND = 1.4
"""How far a code reaches, in distances to its fourth nearest other point. For 95 of 100 US ZIP codes the Census's
point lies within 0.64 of GeoNames'; a building may lie anywhere in the code's area, and other countries' points are
coarser: 1.4 covers 95 of 100 of tests/data/checked_postcodes.csv."""
_POINT_KM = 1.0
_ZIP_MOST_KM = 100.0
_NAMED_BY_TOWN = frozenset({"JP"})
_TOWN_PEOPLE = 5_000


def draft_codes(places: Places, ladders: Ladders, towns: TownIndex) -> Draft:
    """Make one row of each code, and keep what is known of it.

    Parameters
    ----------
    places
        Every place of every code.
    ladders
        A ladder a code, in the same order.
    towns
        The country's towns.

    Returns
    -------
    Codes in the order of ``places.codes``. The point minimises the weighted sum of distances to the code's places,
    places with estimated coordinates (accuracy 1) counting a quarter. A code whose places lie `WIDE_KM` and more apart
    has few people in most of them: there a place counts as much as the town of its name has people. The name is that
    of the place nearest the point.
    """
    xyz = to_xyz(places.latitude, places.longitude)
    weight = np.where(places.accuracy == 1, _ESTIMATED_WEIGHT, 1.0)
    medians = geometric_medians(xyz, places.starts, weight)
    apart = np.linalg.norm(xyz - medians[places.code], axis=1)
    wide = group_quantiles(apart, places.starts, SHARE) >= WIDE_KM
    if wide.any():
        medians = geometric_medians(xyz, places.starts, _by_people(places, weight, wide, towns))
    latitude, longitude = to_degrees(medians)
    single = places.counts == 1
    first = places.starts[:-1]
    latitude[single] = places.latitude[first[single]]
    longitude[single] = places.longitude[first[single]]
    # As the file stores them: codes that share a point in the source shall share it here.
    latitude, longitude = np.round(latitude, 5), np.round(longitude, 5)
    medians = to_xyz(latitude, longitude)
    apart = np.linalg.norm(xyz - medians[places.code], axis=1)
    order = np.lexsort((apart, places.code))
    closest = order[places.starts[:-1]]
    chosen = [places.names[name] for name in places.name[closest].tolist()]
    spread = group_quantiles(_without_slips(apart, places), places.starts, SHARE)
    countries = np.array([country for country, _ in places.codes])
    around = reach_km(countries, medians)
    guess = _TIMES_AROUND * around + np.minimum(_POINT_KM, 2 * around)
    # Where ZIP codes are few, as on the Aleutians, the next one does not say how far one goes.
    guess = np.where(np.isin(countries, US_POSTS), np.minimum(guess, _ZIP_MOST_KM), guess)
    reach = np.maximum(spread, guess)
    best = np.maximum.reduceat(places.accuracy, places.starts[:-1])
    number = {precision: index for index, precision in enumerate(PRECISIONS)}
    rows = Rows(
        codes=places.codes,
        latitude=latitude,
        longitude=longitude,
        precision=np.array([number[ladder[0].precision] for ladder in ladders], np.int8),
        uncertainty_km=np.maximum(reach, _LEAST_KM),
        name=tuple(joined_name(*name) for name in chosen),
        source=np.full(len(chosen), POSTAL.id, np.int8),
        children=np.zeros(len(chosen), np.int64),
    )
    return Draft(
        rows=rows,
        ladders=ladders,
        country=countries,
        place=[place for place, _ in chosen],
        state=[state for _, state in chosen],
        estimated=(best == 1) | ((best == 0) & (countries != "DE")),
        trusted=best >= 5,
        repairs={},
    )


def _without_slips(apart: Floats, places: Places) -> Floats:
    """Take places out of a code's spread that a namesake elsewhere took the point of.

    A code of five places and more, most of them close together, does not reach to one that is ten times as far as
    most and `WIDE_KM`: 2500 Wollongong's "Spring Hill" is GeoNames' in another part of New South Wales.
    """
    usual = group_quantiles(apart, places.starts, 0.5)
    limit = np.where(places.counts >= _PLACES_LEAST, np.maximum(WIDE_KM, _SLIP_TIMES * usual), np.inf)
    return np.where(apart <= limit[places.code], apart, 0.0)


def _by_people(places: Places, weight: Floats, wide: npt.NDArray[np.bool_], towns: TownIndex) -> Floats:
    """Weigh the places of wide codes by the people of the towns of their names that they stand on."""
    weight = weight.copy()
    for row in np.flatnonzero(wide[places.code]).tolist():
        here = (float(places.latitude[row]), float(places.longitude[row]))
        country = places.codes[int(places.code[row])][0]
        people = max(
            (
                town.population or 0
                for town in towns.named(country, places.names[int(places.name[row])][0])
                if apart_km(here, (town.latitude, town.longitude)) <= _SAME_TOWN_KM
            ),
            default=0,
        )
        weight[row] *= max(1.0, people / _PEOPLE_OF_A_PLACE)
    return weight


def named_by_towns(draft: Draft, towns: TownIndex, receivers: Collection[tuple[str, str]]) -> tuple[str, ...]:
    """Name codes by their nearest town where their own name says nothing.

    Parameters
    ----------
    draft, towns
        The codes and where the towns are.
    receivers
        Codes of single receivers, which bear a company's name.

    Returns
    -------
    A name a code: the town's for receivers and for Japanese codes (a block's name without its town); other codes
    keep theirs.
    """
    names = list(draft.rows.name)
    alone = np.array([code in receivers for code in draft.rows.codes])
    for country in sorted({*_NAMED_BY_TOWN, *(country for country, _ in receivers)}):
        known = [town for town in towns.of_country(country) if (town.population or 0) >= _TOWN_PEOPLE]
        members = np.flatnonzero((draft.country == country) & (alone | (country in _NAMED_BY_TOWN)))
        if not known or not members.size:
            continue
        points = to_xyz(np.array([t.latitude for t in known]), np.array([t.longitude for t in known]))
        _, index = nearest(points, draft.xyz(members), 1)
        for at, town in zip(members.tolist(), index[:, 0].tolist(), strict=True):
            names[at] = joined_name(known[town].name, draft.state[at])
    return tuple(names)


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
        _, which, inverse = np.unique(np.round(xyz[members], 1), axis=0, return_index=True, return_inverse=True)
        points = xyz[members][which]
        if len(points) > 1:
            count = min(_NEIGHBOURS + 1, len(points))
            apart, _ = nearest(points, points, count)
            reach[members] = apart[:, -1][inverse.reshape(-1)]
    return reach
