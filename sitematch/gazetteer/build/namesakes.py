"""Codes that stand on a place of the same name in another state."""

from __future__ import annotations

import numpy as np

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.strays import AROUND, STRAY_KM
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km

RULE = "in another state, and a town of its name is in its own"


def move_namesakes(draft: Draft, towns: TownIndex) -> None:
    """Move codes that stand on a place of the same name in another state to the town of that name in their own.

    Notes
    -----
    Two witnesses: none of the twelve points nearest to the code is of its state, and a town of its name is in its
    state (163000 Arkhangelsk stands on a village in Bashkortostan).
    """
    rows = draft.rows
    for at in _in_foreign_state(draft):
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        own = [
            town
            for town in towns.beginning(rows.codes[at][0], draft.place[at])
            if town.admin == draft.state[at] and apart_km(here, (town.latitude, town.longitude)) > STRAY_KM
        ]
        if own:
            town = max(own, key=lambda one: (one.population or 0, -one.id))
            apart = apart_km(here, (town.latitude, town.longitude))
            why = f"{apart:.0f} km away in another state; {town.name} is in its own"
            draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why, rule=RULE)


def _in_foreign_state(draft: Draft) -> list[int]:
    """List the doubtful codes around which no other point is of their state."""
    state_ids = {name: number for number, name in enumerate(dict.fromkeys(draft.state))}
    state = np.array([state_ids[name] for name in draft.state])
    stated = np.array([bool(name) for name in draft.state])
    found: list[int] = []
    for country in np.unique(draft.country).tolist():
        members = np.flatnonzero((draft.country == country) & stated)
        if country in US_POSTS or draft.trusted[members].all() or len(np.unique(state[members])) < 2:
            continue
        points, first, which = np.unique(
            np.round(draft.xyz(members), 1), axis=0, return_index=True, return_inverse=True
        )
        if len(points) <= AROUND:
            continue
        point_state = state[members][first]
        doubtful = np.flatnonzero(~draft.trusted[members])
        mine = which.reshape(-1)[doubtful]
        _, around = nearest(points, points[mine], AROUND + 1)
        same = (point_state[around] == state[members][doubtful][:, None]) & (around != mine[:, None])
        found += members[doubtful[~same.any(axis=1)]].tolist()
    return sorted(found)
