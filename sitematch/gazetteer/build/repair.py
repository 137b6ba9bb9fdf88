"""Find points that cannot be right, and put each where better evidence says, with the reason.

The evidence, strongest first: the US Census's points; the country's polygon; a town of the code's own name and
region. A point is moved only to where a witness has it, never for its distance from other codes alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.borders import ACCURACY_KM, Borders
from sitematch.gazetteer.build.evidence import Draft, TownIndex, groups_of
from sitematch.gazetteer.build.medians import geometric_medians, to_degrees, to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.rows import Repair, Town
from sitematch.gazetteer.build.zcta import FAR_KM, TOWN_KM, US_POSTS, apart_km
from sitematch.gazetteer.schema import UNKNOWN

GROUP_LEAST = 8
CENSUS_RULE = "far from the Census's point, and no town of its name there"
CITY_RULE = "a shared point is the middle of an area, and the codes bear a city's name"
ESTIMATE_RULE = "only an estimate, and a town of its name fits better"
HOME_RULE = "outside its country"
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
_PIER_KM = 10.0
_ABROAD_KM = 100.0
_KIN_HARMS = frozenset({"CA"})
"""Where Statistics Canada's points show that the middle of the codes around is worse: H0H is Santa Claus's."""

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
        draft.move(at, *point, min(reach, FAR_KM), sources.ZCTA.id, why, rule=CENSUS_RULE)
        draft.trusted[at] = True


def widen_at_cities(draft: Draft, towns: TownIndex) -> None:
    """Let a code that stands on its city's own point reach into the city.

    Notes
    -----
    The source then says no more than the city: 20132 Milan, in the east, stands on the cathedral square.
    """
    rows = draft.rows
    # Of Indian codes that stand at their post offices it is known how far those reach.
    vague = ~np.isin(draft.country, US_POSTS) & (rows.source != sources.INDIA.id)
    for at in np.flatnonzero(vague).tolist():
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
            draft.rows.precision[at] = UNKNOWN
            draft.rows.uncertainty_km[at] = _HALF_WAY_ROUND_KM


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
            reach = max(off, city.uncertainty_km)
            draft.move(at, city.latitude, city.longitude, reach, sources.TOWNS.id, why, rule=CITY_RULE)


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
        draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why, rule=ESTIMATE_RULE)


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
    The uncertainty of a point outside grows by as much; a pier, a new island and the polygon's own coarseness need no
    more. A point over 10 km outside goes to the nearest town of its name and region, if there is one. Over 100 km
    outside without such a town it goes to the middle of the codes around it, if there are eight and half are of its
    region: they are witnesses that the region is theirs.
    """
    rows = draft.rows
    outside = borders.outside_all_km(draft.country, rows.latitude, rows.longitude)
    outside[(rows.precision == UNKNOWN) | np.isin(rows.source, sources.ABROAD)] = 0.0
    parents = {at: group for group in groups_of(draft.ladders, draft.country, GROUP_LEAST).values() for at in group}
    for at in np.flatnonzero(outside > ACCURACY_KM).tolist():
        country, state = rows.codes[at][0], draft.state[at]
        rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), float(outside[at]))
        if outside[at] <= _PIER_KM or draft.trusted[at]:
            continue
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        why = f"{outside[at]:.0f} km outside its country"
        named = [town for town in towns.named(country, draft.place[at]) if not state or town.admin == state]
        if named:
            town = min(named, key=lambda one: (apart_km(here, (one.latitude, one.longitude)), one.id))
            draft.move(at, town.latitude, town.longitude, town.uncertainty_km, sources.TOWNS.id, why, rule=HOME_RULE)
            continue
        kin = [other for other in parents.get(at, []) if outside[other] <= ACCURACY_KM]
        same = sum(draft.state[other] == state for other in kin)
        if outside[at] <= _ABROAD_KM or country in _KIN_HARMS or 2 * same < max(len(kin), GROUP_LEAST):
            continue
        members = np.array(kin)
        middle = geometric_medians(draft.xyz(members), np.array([0, len(kin)]), np.ones(len(kin)))
        spread = float(np.linalg.norm(draft.xyz(members) - middle, axis=1).max())
        latitude, longitude = to_degrees(middle)
        point = (float(latitude[0]), float(longitude[0]))
        draft.move(at, *point, max(spread, _PIER_KM), int(rows.source[at]), why, rule=HOME_RULE)


def widen_to_home(draft: Draft, borders: Borders) -> None:
    """Let the uncertainty of what still lies outside its country reach home; run it last."""
    rows = draft.rows
    outside = borders.outside_all_km(draft.country, rows.latitude, rows.longitude)
    outside[np.isin(rows.source, sources.ABROAD)] = 0.0
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
            rule,
            sources.POSTAL.id,
        )
        for at, (latitude, longitude, why, rule) in sorted(draft.repairs.items())
    ]
    return [repair for repair in repairs if repair.moved_km >= _WORTH_KM]
