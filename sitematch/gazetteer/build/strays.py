"""Codes that lie among strangers: moved where a town of their name says so, and doubted otherwise."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.evidence import Draft, TownIndex, groups_of
from sitematch.gazetteer.build.medians import geometric_medians, group_quantiles, to_degrees
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.repair import GROUP_LEAST
from sitematch.gazetteer.build.zcta import apart_km
from sitematch.gazetteer.schema import UNKNOWN

RULE = "among strangers, and a town of its name and region is among its kin"

STRAY_KM = 25.0
STRAY_SPREADS = 3.0
"""A code is a stray if it lies further than both from the middle of the codes around it in code order."""

AROUND = 12
"""Points around a code that are asked whether it is among its kin."""

DOUBT_MOST_KM = 100.0
"""A code that may be a stray is doubted so far: a larger circle would say nothing."""

KIN_MOST_KM = 100.0
"""How far from the middle of its kin a town may lie."""

_KIN_MOST = 1


def move_strays(draft: Draft, towns: TownIndex) -> None:
    """Bring back codes that lie among strangers, where a town of their name and region lies among their kin.

    Notes
    -----
    A code is a stray if it is far from the codes around it in code order (`STRAY_KM`, `STRAY_SPREADS`) and at most
    one of the twelve points nearest to it belongs to them. That alone moves nothing, for in sparse countries it is no
    error. A stray goes to a town of its own name and region near the middle of its group, unless a town of that name
    lies near its point too. Without such a witness it stays, and where no town of its name is near, its uncertainty
    reaches to the middle of its group, up to `DOUBT_MOST_KM`.
    """
    groups = groups_of(draft.ladders, draft.country, GROUP_LEAST)
    names = list(groups)
    if not names:
        return
    member = np.fromiter((at for name in names for at in groups[name]), np.int64)
    counts = np.array([len(groups[name]) for name in names])
    starts = np.concatenate(([0], np.cumsum(counts)))
    owner = np.repeat(np.arange(len(names)), counts)
    xyz = draft.xyz(member)
    middles = geometric_medians(xyz, starts, np.ones(len(member)))
    apart = np.linalg.norm(xyz - middles[owner], axis=1)
    spread = group_quantiles(apart, starts, 0.5)
    stray = (apart > STRAY_KM) & (apart > STRAY_SPREADS * spread[owner])
    stray &= (draft.rows.precision[member] != UNKNOWN) & ~draft.trusted[member]
    group_of = np.full(len(draft.rows), -1, np.int64)
    group_of[member] = owner
    latitude, longitude = to_degrees(middles)
    # Strays do not count towards the spread that the others are given.
    reach = group_quantiles(np.where(stray, 0.0, apart), starts, 0.95)
    for at, group, is_lonely in _lonely(draft, member[stray], owner[stray], group_of):
        here = (float(draft.rows.latitude[at]), float(draft.rows.longitude[at]))
        named = towns.named(draft.rows.codes[at][0], draft.place[at])
        if not is_lonely or any(apart_km(here, (one.latitude, one.longitude)) <= STRAY_KM for one in named):
            continue
        middle = (float(latitude[group]), float(longitude[group]))
        radius = max(float(reach[group]), STRAY_KM)
        own = [
            (off, town)
            for town in named
            if town.admin == draft.state[at]
            and (off := apart_km(middle, (town.latitude, town.longitude))) <= min(radius, KIN_MOST_KM)
        ]
        far = apart_km(middle, here)
        best = min(own, key=lambda item: (item[0], item[1].id), default=None)
        if best is None:
            doubt = min(far + radius, DOUBT_MOST_KM)
            draft.rows.uncertainty_km[at] = max(float(draft.rows.uncertainty_km[at]), doubt)
            continue
        town = best[1]
        why = f"{far:.0f} km from {names[group][1]}… and from {town.name}, whose name it bears"
        reach_km = max(town.uncertainty_km, best[0])
        draft.move(at, town.latitude, town.longitude, reach_km, sources.TOWNS.id, why, rule=RULE)


def _lonely(
    draft: Draft, strays: np.typing.NDArray[np.int64], owner: np.typing.NDArray[np.int64],
    group_of: np.typing.NDArray[np.int64],
) -> list[tuple[int, int, bool]]:  # fmt: skip
    """Say of each stray whether the points around it belong to other groups."""
    result: list[tuple[int, int, bool]] = []
    for country in np.unique(draft.country[strays]):
        members = np.flatnonzero(draft.country == country)
        points, which = np.unique(np.round(draft.xyz(members), 1), axis=0, return_inverse=True)
        count = min(AROUND + 1, len(points))
        if count <= AROUND // 2:
            continue
        groups_at: dict[int, set[int]] = defaultdict(set)
        for at, point in zip(members.tolist(), which.reshape(-1).tolist(), strict=True):
            groups_at[point].add(int(group_of[at]))
        chosen = draft.country[strays] == country
        _, around = nearest(points, draft.xyz(strays[chosen]), count)
        for at, group, near in zip(
            strays[chosen].tolist(), owner[chosen].tolist(), around[:, 1:].tolist(), strict=True
        ):
            kin = sum(group in groups_at[point] for point in near)
            result.append((at, group, kin <= _KIN_MOST))
    return result
