"""Which district and province each Turkish code belongs to, and the towns that these are called after."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.medians import geometric_medians, to_degrees
from sitematch.gazetteer.build.rows import Town
from sitematch.gazetteer.build.sources import POSTAL, TOWNS, TURKEY
from sitematch.gazetteer.build.zcta import apart_km

RULE = "too far from the district that the post gives it"

_DISTRICT_KM = 40.0
_ESTIMATE_KM = 25.0
_PROVINCE_KM = 150.0
_REACH_KM = 20.0
_PROVINCE_REACH_KM = 40.0
_PROVINCE_DIGITS = 2
_CYPRUS_DIGITS = "99"
_NICOSIA = (35.185, 33.382)
_CYPRUS_REACH_KM = 60.0
_CODES_LEAST = 4
_MOST = 2 / 3


@dataclass(frozen=True, slots=True)
class District:
    """Where the post puts a code.

    Parameters
    ----------
    province, district
        Names.
    """

    province: str
    district: str


def read_districts(content: bytes) -> Mapping[str, District]:
    """Decode the committed table.

    Parameters
    ----------
    content
        CSV with the columns postcode, province, district.

    Raises
    ------
    DataFault
        If a row is not of that form; every such row is listed.
    """
    found: dict[str, District] = {}
    faults: list[Fault] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), start=2):
        if not row.get("postcode") or not row.get("province") or not row.get("district"):
            faults.append(Fault(line, "", str(row)[:80], "is no code with a province and a district"))
            continue
        found[row["postcode"]] = District(row["province"], row["district"])
    if faults or not found:
        raise DataFault("The table of Turkish codes is damaged.", faults=tuple(faults))
    return found


def move_to_districts(draft: Draft, districts: Mapping[str, District], towns: TownIndex) -> None:
    """Move Turkish codes that lie far from the district that the post gives them to the town of that district.

    Notes
    -----
    The first two digits are the province's number. A code over 40 km from its district's town (25 km if GeoNames
    only estimated it) goes there. Where no town has the district's name, the middle of its codes stands for it if
    two thirds of them are within 25 km of it, else the province's town, from 150 km on. A code whose district is not
    listed is asked for its province alone.
    """
    rows = draft.rows
    _to_cyprus(draft)
    province_of: dict[str, Counter[str]] = defaultdict(Counter)
    for key, one in districts.items():
        province_of[key[:_PROVINCE_DIGITS]][one.province] += 1
    places = {
        at: districts.get(key) or District(province_of[key[:_PROVINCE_DIGITS]].most_common(1)[0][0], "")
        for at, (country, key) in enumerate(rows.codes)
        if country == "TR" and key[:_PROVINCE_DIGITS] in province_of
    }
    members: dict[District, list[int]] = defaultdict(list)
    for at, place in places.items():
        members[place].append(at)
    for place, codes in sorted(members.items(), key=lambda item: (item[0].province, item[0].district)):
        centre = _centre_of(draft, place, codes, towns)
        if centre is None:
            continue
        for at in codes:
            here = (float(rows.latitude[at]), float(rows.longitude[at]))
            off = apart_km(here, (centre.latitude, centre.longitude))
            if off > (centre.estimate_km if draft.estimated[at] else centre.limit_km):
                why = f"{off:.0f} km from {centre.name}, where the post has it"
                point = (centre.latitude, centre.longitude)
                draft.move(at, *point, centre.reach_km, centre.source, why, rule=RULE)


def _to_cyprus(draft: Draft) -> None:
    """Put codes that begin with 99 where they are, in the north of Cyprus: GeoNames has villages of Anatolia."""
    for at, (country, key) in enumerate(draft.rows.codes):
        if country == "TR" and key.startswith(_CYPRUS_DIGITS):
            draft.move(at, *_NICOSIA, _CYPRUS_REACH_KM, TURKEY.id, "99 is the north of Cyprus", rule=RULE)
            draft.trusted[at] = True


@dataclass(frozen=True, slots=True)
class _Centre:
    name: str
    latitude: float
    longitude: float
    reach_km: float
    limit_km: float
    estimate_km: float
    source: int


def _centre_of(draft: Draft, place: District, codes: Sequence[int], towns: TownIndex) -> _Centre | None:
    """Find a district's middle: its town's point, else its codes' where most are together, else its province's."""
    capital = max(towns.named("TR", place.province), key=lambda one: (one.population or 0, -one.id), default=None)
    if capital is None:
        return None
    town = _town_of(place, capital, towns)
    if town is not None:
        reach = max(town.uncertainty_km, _REACH_KM)
        return _Centre(town.name, town.latitude, town.longitude, reach, _DISTRICT_KM, _ESTIMATE_KM, TOWNS.id)
    if place.district and len(codes) >= _CODES_LEAST:
        xyz = draft.xyz(np.array(codes))
        middle = geometric_medians(xyz, np.array([0, len(codes)]), np.ones(len(codes)))
        apart = np.linalg.norm(xyz - middle, axis=1)
        latitude, longitude = to_degrees(middle)
        point = (float(latitude[0]), float(longitude[0]))
        at_home = apart_km(point, (capital.latitude, capital.longitude)) <= _PROVINCE_KM
        if at_home and np.mean(apart <= _ESTIMATE_KM) >= _MOST:
            return _Centre(place.district, *point, _REACH_KM, _DISTRICT_KM, _DISTRICT_KM, POSTAL.id)
    reach = max(capital.uncertainty_km, _PROVINCE_REACH_KM)
    point = (capital.latitude, capital.longitude)
    return _Centre(capital.name, *point, reach, _PROVINCE_KM, _PROVINCE_KM, TOWNS.id)


def _town_of(place: District, capital: Town, towns: TownIndex) -> Town | None:
    """Find the town of a district, no further from the province's town than a province reaches."""
    if place.district == "Merkez":  # the centre, that is, the province's town
        return capital
    middle = (capital.latitude, capital.longitude)
    near = [
        (off, town)
        for town in (towns.named("TR", place.district) if place.district else ())
        if (off := apart_km(middle, (town.latitude, town.longitude))) <= _PROVINCE_KM
    ]
    # The nearest, for a village in the next province may have the district's name.
    return min(near, key=lambda one: (one[0], one[1].id), default=(0.0, None))[1]
