"""Find points that cannot be right, and put each where better evidence says, with the reason.

The evidence, strongest first: the US Census's points; the country's polygon; the codes around a code in code order
against the codes around its point; a town of the code's own name. A point is moved only on two witnesses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from sitematch.domain.place import Precision
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.borders import ACCURACY_KM, Borders
from sitematch.gazetteer.build.evidence import Draft, TownIndex, groups_of
from sitematch.gazetteer.build.medians import geometric_medians, group_quantiles, to_degrees, to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.rows import Repair, Town
from sitematch.gazetteer.build.zcta import FAR_KM, TOWN_KM, US_POSTS, apart_km
from sitematch.gazetteer.schema import PRECISIONS

GROUP_LEAST = 8
STRAY_KM = 25.0
STRAY_SPREADS = 3.0
"""A code is a stray if it lies further than both from the middle of the codes around it in code order."""

AROUND = 12
"""Points around a code that are asked whether it is among its kin."""
_KIN_MOST = 1
_MAJOR_PEOPLE = 200_000
_MAJOR_TIMES = 4.0
_TOWN_PEOPLE = 5_000
_CITY_AROUND_KM = 60.0
_CITY_OFF_KM = 10.0
_CITY_PEOPLE = 100_000
_BEARERS_LEAST = 2
_BEARERS_SHARE = 0.02
_TOWN_NEAR_KM = 3.0
_WORTH_KM = 1.0
_SPREAD_PEOPLE = 20_000
_ON_TOWN_KM = 1.5
_LONE_CODES = 3
_ESTIMATE_LEAST = 3
_NEAR_KM = 5.0
_FAR_FROM_ESTIMATE_KM = 300.0
_UNKNOWN = PRECISIONS.index(Precision.UNKNOWN)
_HALF_WAY_ROUND_KM = 20_015.0


def believe_census(draft: Draft, points: Mapping[str, tuple[float, float]], towns: TownIndex) -> None:
    """Put ZIP codes on the Census's points.

    Notes
    -----
    The Census gives a point inside the area's shape, not where its people live. Where it lies over 50 km from
    GeoNames' point, and that is at a town of the code's own name, the area holds a wilderness (99701 Fairbanks'
    Census point is 297 km north of the city, 99503 Anchorage's 449 km west), and the town is believed. The distance
    between the two sources always counts towards the uncertainty.
    """
    rows = draft.rows
    for at in np.flatnonzero(np.isin(draft.country, US_POSTS)).tolist():
        country, key = rows.codes[at]
        point = points.get(key)
        if point is None:
            continue
        was = (float(rows.latitude[at]), float(rows.longitude[at]))
        apart = apart_km(was, point)
        reach = max(float(rows.uncertainty_km[at]), apart)
        if apart <= FAR_KM:
            rows.latitude[at], rows.longitude[at] = point
            rows.uncertainty_km[at] = reach
            rows.source[at] = sources.ZCTA.id
            draft.trusted[at] = True
            continue
        near = [
            town
            for town in towns.named(country, draft.place[at])
            if apart_km(was, (town.latitude, town.longitude)) <= TOWN_KM
        ]
        if near:
            town = max(near, key=lambda one: (one.population or 0, -one.id))
            rows.latitude[at], rows.longitude[at] = town.latitude, town.longitude
            rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), town.uncertainty_km, TOWN_KM)
            draft.trusted[at] = True
            continue
        why = f"GeoNames had it {apart:.0f} km from the Census's point"
        draft.move(at, *point, min(reach, FAR_KM), sources.ZCTA.id, why)
        draft.trusted[at] = True


def widen_at_cities(draft: Draft, towns: TownIndex) -> None:
    """Let a code that stands on its city's own point reach into the city.

    Notes
    -----
    The source then says no more than the city: 20132 Milan, in the east, stands on the cathedral square.
    """
    rows = draft.rows
    for at in np.flatnonzero(~np.isin(draft.country, US_POSTS)).tolist():
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        for name in {draft.place[at], draft.state[at]}:
            for town in towns.beginning(rows.codes[at][0], name) if name else ():
                if (town.population or 0) >= _SPREAD_PEOPLE and apart_km(
                    here, (town.latitude, town.longitude)
                ) <= _ON_TOWN_KM:
                    rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), town.uncertainty_km)


def mark_military(draft: Draft) -> None:
    """Own up that US military post abroad (APO, FPO, DPO) has no place that anyone publishes."""
    for at in np.flatnonzero(draft.country == "US").tolist():
        if draft.place[at][:4] in ("APO ", "FPO ", "DPO ") or draft.state[at] in ("AE", "AA", "AP"):
            draft.rows.precision[at] = _UNKNOWN
            draft.rows.uncertainty_km[at] = _HALF_WAY_ROUND_KM


def move_strays(draft: Draft, towns: TownIndex) -> None:
    """Bring back codes that lie far from the codes around them in code order, among strangers.

    Notes
    -----
    Two witnesses: the code is a stray in its group (`STRAY_KM`, `STRAY_SPREADS`), and at most one of the twelve
    points nearest to it belongs to its group. It goes to a town of its name near the group's middle, else to the
    middle; either way with the group's spread as uncertainty.
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
    stray &= (draft.rows.precision[member] != _UNKNOWN) & ~draft.trusted[member]
    group_of = np.full(len(draft.rows), -1, np.int64)
    group_of[member] = owner
    latitude, longitude = to_degrees(middles)
    # Strays do not count towards the spread that the others are given.
    reach = group_quantiles(np.where(stray, 0.0, apart), starts, 0.95)
    for at, group, is_lonely in _lonely(draft, member[stray], owner[stray], group_of):
        if not is_lonely or spread[group] > 100.0:
            continue
        middle = (float(latitude[group]), float(longitude[group]))
        radius = max(float(reach[group]), STRAY_KM)
        near = [
            (apart_km(middle, (town.latitude, town.longitude)), town)
            for town in towns.named(draft.rows.codes[at][0], draft.place[at])
        ]
        far = apart_km(middle, (float(draft.rows.latitude[at]), float(draft.rows.longitude[at])))
        why = f"{far:.0f} km from {names[group][1]}…, among other codes"
        best = min(near, key=lambda item: (item[0], item[1].id), default=None)
        if best is not None and best[0] <= radius:
            town = best[1]
            draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why)
        else:
            draft.move(at, *middle, radius, int(draft.rows.source[at]), why)


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


def move_to_city(draft: Draft, towns: TownIndex) -> None:
    """Move codes of a city that all stand on the middle of an area to the city.

    Notes
    -----
    Where eight codes or more share one point that is no town, and the names of two of them, and of one in fifty,
    begin with that of a city of 100,000 people within 60 km, they go to the city: all of 5600xx Bengaluru stands
    28 km out, on the middle of a district. The distance moved counts towards the uncertainty.
    """
    rows = draft.rows
    shared: dict[tuple[str, float, float], list[int]] = defaultdict(list)
    for at in np.flatnonzero(~draft.trusted & ~np.isin(draft.country, US_POSTS)).tolist():
        shared[rows.codes[at][0], float(rows.latitude[at]), float(rows.longitude[at])].append(at)
    trees: dict[str, np.typing.NDArray[np.float64]] = {}
    for (country, latitude, longitude), group in shared.items():
        if len(group) < GROUP_LEAST:
            continue
        point = (latitude, longitude)
        if country not in trees:
            large = [town for town in towns.of_country(country) if (town.population or 0) >= _TOWN_PEOPLE]
            trees[country] = to_xyz(np.array([t.latitude for t in large]), np.array([t.longitude for t in large]))
        here = to_xyz(np.array([latitude]), np.array([longitude]))
        if not len(trees[country]) or np.linalg.norm(trees[country] - here, axis=1).min() < _TOWN_NEAR_KM:
            continue
        bearers: Counter[Town] = Counter(
            town
            for at in group
            for town in towns.beginning(country, draft.place[at])
            if (town.population or 0) >= _CITY_PEOPLE
            and _CITY_OFF_KM < apart_km(point, (town.latitude, town.longitude)) <= _CITY_AROUND_KM
        )
        cities = [town for town, codes in bearers.items() if codes >= max(_BEARERS_LEAST, _BEARERS_SHARE * len(group))]
        if not cities:
            continue
        city = max(cities, key=lambda town: (town.population or 0, -town.id))
        off = apart_km(point, (city.latitude, city.longitude))
        why = f"{len(group)} codes share the middle of an area; {city.name} is their city"
        for at in group:
            draft.move(at, city.latitude, city.longitude, max(off, city.uncertainty_km), sources.TOWNS.id, why)


def move_estimates(draft: Draft, towns: TownIndex) -> None:
    """Move codes whose point is only estimated to the one town of their name that is near.

    Notes
    -----
    GeoNames' estimates are often the middle of a prefecture (361000 Xiamen: 83 km off in the hills). A town of the
    code's own name between 5 and 300 km away is better if it is also nearer to the codes around it in code order, or
    a city of the code's own state, and is the only one, or has four times the people of the others.
    """
    rows = draft.rows
    groups = groups_of(draft.ladders, draft.country, _ESTIMATE_LEAST)
    group_of = {at: name for name, group in groups.items() for at in group}
    middles = _middles(draft, groups)
    in_city = _in_cities(draft, towns)
    for at in np.flatnonzero(draft.estimated).tolist():
        country = rows.codes[at][0]
        if country in US_POSTS or at not in group_of:
            continue
        was = (float(rows.latitude[at]), float(rows.longitude[at]))
        middle = middles[group_of[at]]
        now_off = apart_km(was, middle)
        near = [
            (town.population or 0, town)
            for town in towns.named(country, draft.place[at])
            if _NEAR_KM <= apart_km(was, (town.latitude, town.longitude)) <= _FAR_FROM_ESTIMATE_KM
            and (
                apart_km(middle, (town.latitude, town.longitude)) <= now_off
                or (town.admin == draft.state[at] and (town.population or 0) >= _MAJOR_PEOPLE and not in_city[at])
            )
        ]
        near.sort(key=lambda item: (-item[0], item[1].id))
        if not near or (len(near) > 1 and near[0][0] < _MAJOR_TIMES * near[1][0]):
            continue
        town = near[0][1]
        apart = apart_km(was, (town.latitude, town.longitude))
        why = f"only an estimate, {apart:.0f} km from {town.name}, whose name it bears"
        draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why)


def trust_cities(draft: Draft, towns: TownIndex) -> None:
    """Take codes at a city of 100,000 people of their own name out of further doubt."""
    rows = draft.rows
    for at in np.flatnonzero(~draft.trusted).tolist():
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        draft.trusted[at] = any(
            (town.population or 0) >= _CITY_PEOPLE and apart_km(here, (town.latitude, town.longitude)) <= _CITY_OFF_KM
            for town in towns.named(rows.codes[at][0], draft.place[at])
        )


def _in_cities(draft: Draft, towns: TownIndex) -> np.typing.NDArray[np.bool_]:
    """Say of each estimated code whether it stands in a city of 100,000 people."""
    inside = np.zeros(len(draft.rows), np.bool_)
    for country in np.unique(draft.country[draft.estimated]).tolist():
        cities = [town for town in towns.of_country(country) if (town.population or 0) >= _CITY_PEOPLE]
        if not cities:
            continue
        points = to_xyz(np.array([t.latitude for t in cities]), np.array([t.longitude for t in cities]))
        members = np.flatnonzero((draft.country == country) & draft.estimated)
        apart, _ = nearest(points, draft.xyz(members), 1)
        inside[members] = apart[:, 0] <= _CITY_OFF_KM
    return inside


def _middles(
    draft: Draft, groups: Mapping[tuple[str, str], Sequence[int]]
) -> Mapping[tuple[str, str], tuple[float, float]]:
    names = list(groups)
    if not names:
        return {}
    member = np.fromiter((at for name in names for at in groups[name]), np.int64)
    starts = np.concatenate(([0], np.cumsum([len(groups[name]) for name in names])))
    latitude, longitude = to_degrees(geometric_medians(draft.xyz(member), starts, np.ones(len(member))))
    return dict(zip(names, zip(latitude.tolist(), longitude.tolist(), strict=True), strict=True))


def keep_home(draft: Draft, borders: Borders, towns: TownIndex) -> None:
    """See that no code lies outside its own country by more than its uncertainty.

    Notes
    -----
    A point at most 10 km outside (a pier, a new island, the polygon's own coarseness) stays and its uncertainty
    grows, and so does that of a point from a source that knows its islands; one further out goes to a town of its
    name, else to the middle of the codes around it.
    """
    rows = draft.rows
    outside = borders.outside_all_km(draft.country, rows.latitude, rows.longitude)
    outside[rows.precision == _UNKNOWN] = 0.0
    parents = {at: group for group in groups_of(draft.ladders, draft.country, 2).values() for at in group}
    for at in np.flatnonzero(outside > ACCURACY_KM).tolist():
        rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), float(outside[at]))
        if outside[at] <= 10.0 or draft.trusted[at]:
            continue
        why = f"{outside[at]:.0f} km outside its country"
        named = towns.named(rows.codes[at][0], draft.place[at])
        if named:
            town = max(named, key=lambda one: (one.population or 0, -one.id))
            draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why)
            continue
        kin = [other for other in parents.get(at, []) if outside[other] <= ACCURACY_KM]
        if kin:
            members = np.array(kin)
            starts = np.array([0, len(kin)])
            middle = geometric_medians(draft.xyz(members), starts, np.ones(len(kin)))
            spread = float(np.linalg.norm(draft.xyz(members) - middle, axis=1).max())
            latitude, longitude = to_degrees(middle)
            draft.move(at, float(latitude[0]), float(longitude[0]), max(spread, 10.0), int(rows.source[at]), why)


def widen_to_home(draft: Draft, borders: Borders) -> None:
    """Let the uncertainty of what still lies outside its country reach home; run it last."""
    rows = draft.rows
    outside = borders.outside_all_km(draft.country, rows.latitude, rows.longitude)
    np.maximum(rows.uncertainty_km, outside, out=rows.uncertainty_km)


def widen_lone(draft: Draft, borders: Borders) -> None:
    """Let the codes of a country that has three or fewer reach all over it: 999077 stands for all of Hong Kong."""
    rows = draft.rows
    for country, count in Counter(draft.country.tolist()).items():
        if count <= _LONE_CODES:
            for at in np.flatnonzero(draft.country == country).tolist():
                reach = borders.reach_km(country, float(rows.latitude[at]), float(rows.longitude[at]))
                rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), reach)


def finished(draft: Draft) -> list[Repair]:
    """List what moved by a kilometre or more, with the distance, sorted by code."""
    rows = draft.rows
    repairs = [
        Repair(
            *rows.codes[at],
            latitude,
            longitude,
            apart_km((latitude, longitude), (float(rows.latitude[at]), float(rows.longitude[at]))),
            why,
            sources.POSTAL.id,
        )
        for at, (latitude, longitude, why) in sorted(draft.repairs.items())
    ]
    return [repair for repair in repairs if repair.moved_km >= _WORTH_KM]
