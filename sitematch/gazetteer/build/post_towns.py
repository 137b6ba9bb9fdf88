"""Codes that bear a town's name under digits that are the town's lie at that town, in its region."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.rows import Town
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km

RULE = "it bears the name of the town that its first digits belong to"

_NAMES_BLOCKS = frozenset({"JP"})
"""Countries whose codes bear a block's name: a town of that name is somewhere else."""

_TOWN_PEOPLE = 20_000
_TIMES = 4.0
_BEARERS_LEAST = 3
_BEARERS_SHARE = 0.5
_OFF_KM = 15.0


def move_to_post_towns(draft: Draft, towns: TownIndex) -> None:
    """Move codes to the town whose name they bear and whose digits they share.

    Notes
    -----
    The witnesses: the code's name is, or begins with, that of a town of 20,000 people in the code's region, four
    times as large as any other of the name there; and of all codes with the same first digits half, and three at
    least, bear it ("Волгоград 1" to "Волгоград 89" are 4000xx). A code further off than the town reaches, and 15 km
    more, goes there, however far that is, unless a town of its name lies near its point as well.
    """
    rows = draft.rows
    bears = _bearers(draft, towns)
    members: Counter[str] = Counter()
    bearers: dict[str, Counter[int]] = defaultdict(Counter)
    for at, ladder in enumerate(draft.ladders):
        town = bears[at]
        for rung in ladder[1:]:
            members[rung.key] += 1
            if town is not None:
                bearers[rung.key][town.id] += 1
    for at in np.flatnonzero(~draft.trusted).tolist():
        town = bears[at]
        if town is None:
            continue
        theirs = any(
            bearers[rung.key][town.id] >= max(_BEARERS_LEAST, _BEARERS_SHARE * members[rung.key])
            for rung in draft.ladders[at][1:]
        )
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        off = apart_km(here, (town.latitude, town.longitude))
        if not theirs or off <= town.uncertainty_km + _OFF_KM or _is_near_another(draft, towns, at, here):
            continue
        why = f"{off:.0f} km from {town.name}, whose name and digits it bears"
        draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why, rule=RULE)


def _is_near_another(draft: Draft, towns: TownIndex, at: int, here: tuple[float, float]) -> bool:
    named: Sequence[Town] = towns.named(draft.rows.codes[at][0], draft.place[at])
    return any(apart_km(here, (one.latitude, one.longitude)) <= _OFF_KM for one in named)


def _bearers(draft: Draft, towns: TownIndex) -> list[Town | None]:
    """Give each code the town of its region whose name it bears."""
    known: dict[tuple[str, str], Town | None] = {}
    found: list[Town | None] = []
    for at, (country, _) in enumerate(draft.rows.codes):
        asked = (draft.place[at], draft.state[at])
        if asked not in known:
            known[asked] = None if country in US_POSTS or country in _NAMES_BLOCKS else _town_of(country, *asked, towns)
        found.append(known[asked])
    return found


def _town_of(country: str, place: str, state: str, towns: TownIndex) -> Town | None:
    if not place:
        return None
    own = [town for town in towns.beginning(country, place) if not state or town.admin == state]
    own.sort(key=lambda town: (-(town.population or 0), town.id))
    if not own or (own[0].population or 0) < _TOWN_PEOPLE:
        return None
    if len(own) > 1 and (own[0].population or 0) < _TIMES * (own[1].population or 0):
        return None
    return own[0]
