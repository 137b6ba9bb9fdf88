"""Names that people know: a code is shown by its town, not by an office, a street or a hamlet in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sitematch.gazetteer.build.rows import Rows, Town, joined_name
from sitematch.gazetteer.grammar import fold_name

COUNTRIES = frozenset({"AU", "GB", "IN", "KE", "NZ", "TR", "ZA"})
"""Countries whose codes the sources name after post offices, buildings or quarters. Elsewhere they name the town."""

_STATE_FROM_TOWNS = frozenset({"GB"})
"""Where the source gives a code that crosses a border the wrong nation: NP7 is in Wales."""

_DEGREE_KM = 111.2
_LEAST_PEOPLE = 5_000
_CITY = 100_000
_CENTRE_KM = 2.0
_STATE_KM = 20.0
_WITHIN = 0.6
"""The share of a town's circle, or of the code's own, that counts as the town: circles reach past the built-up area."""


def name_by_towns(rows: Rows, towns: Sequence[Town]) -> Rows:
    """Name each code after a town that people know.

    Parameters
    ----------
    rows
        A country's codes and leading parts.
    towns
        Its towns.

    Returns
    -------
    Rows
        The same rows with other names. A name that is itself a town's of the table, nearby, is kept. Otherwise the
        nearest city within two kilometres is taken; else, of the towns that reach the point, the one with the most
        people for its distance; else the name stays.
    """
    known = sorted(
        (town for town in towns if (town.population or 0) > 0), key=lambda town: (-(town.population or 0), town.id)
    )
    if not known or not len(rows):
        return rows
    people = np.array([town.population or 0 for town in known], float)
    latitude = np.array([town.latitude for town in known])
    longitude = np.array([town.longitude for town in known])
    reach_km = np.array([town.uncertainty_km for town in known]) * _WITHIN
    keys = [set(town.aliases) for town in known]
    has_states = rows.codes[0][0] in _STATE_FROM_TOWNS
    names = list(rows.name)
    for at, name in enumerate(names):
        # Flat is close enough: only what lies within some tens of kilometres counts.
        east = (longitude - rows.longitude[at] + 180) % 360 - 180
        km = _DEGREE_KM * np.hypot(latitude - rows.latitude[at], east * np.cos(np.radians(rows.latitude[at])))
        place, _, state = name.rpartition(", ")
        place = place or state
        reaches = km <= np.maximum(reach_km, float(rows.uncertainty_km[at]) * _WITHIN)
        nearby = np.flatnonzero((km <= reach_km * 2) | reaches)
        nearest = int(np.argmin(km))
        if any(fold_name(place) in keys[i] for i in nearby):
            chosen = None
        else:
            central = np.flatnonzero((km <= _CENTRE_KM) & (people >= _CITY))
            fitting = np.flatnonzero(reaches & (people >= _LEAST_PEOPLE))
            if len(central):
                chosen = known[int(central[np.argmin(km[central])])]
            elif len(fitting):
                chosen = known[int(fitting[np.argmax(people[fitting] / np.maximum(km[fitting], 1.0) ** 2)])]
            else:
                chosen = None
        if chosen is not None:
            names[at] = joined_name(chosen.name, chosen.admin or state)
        elif has_states and km[nearest] <= _STATE_KM and known[nearest].admin:
            names[at] = joined_name(place, known[nearest].admin)
    return replace(rows, name=tuple(names))
