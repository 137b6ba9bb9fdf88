"""Codes of countries that GeoNames has none for: first digits are regions, and a region's towns say where it is.

`data/gazetteer/regions.csv` holds the facts (which digits stand for which towns, and who says so); the points and
how far they reach are computed from GeoNames' towns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sitematch.domain.place import Precision
from sitematch.errors import DataFault, Fault, InvalidPostcode
from sitematch.gazetteer import grammar
from sitematch.gazetteer.build.evidence import TownIndex
from sitematch.gazetteer.build.medians import Floats, geometric_medians, group_quantiles, to_degrees, to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.rows import Rows, Town, joined_name
from sitematch.gazetteer.build.rungs import sorted_rows
from sitematch.gazetteer.build.sources import REGIONS
from sitematch.gazetteer.schema import PRECISIONS

_LOCALITY = PRECISIONS.index(Precision.LOCALITY)
_REGION = PRECISIONS.index(Precision.REGION)

_LEAST_KM = 5.0
"""A town's codes reach into its surroundings, however few people GeoNames gives it."""

_ALIKE_LEAST = 4
"""So many regions of as many digits divide a country; fewer are exceptions."""

_PEOPLE_SHARE = 0.95
_EXTENT_MOST_KM = 300.0

FILLED = {"BR": 3, "CL": 3}
"""Countries whose towns hold unbroken ranges of codes and whose dump lists the first code of each range: a leading
part of so many digits that has no code of its own belongs to the last code listed before it."""


@dataclass(frozen=True, slots=True)
class Region:
    """One row of the committed table.

    Parameters
    ----------
    line
        Where it stands in the table.
    prefix
        First characters of codes.
    towns
        Names of the towns that it stands for.
    """

    line: int
    prefix: str
    towns: tuple[str, ...]


def read_regions(content: bytes) -> Mapping[str, Sequence[Region]]:
    """Decode the committed table.

    Parameters
    ----------
    content
        CSV with the columns country, prefix, towns (``|`` between them), source.

    Returns
    -------
    Country to its regions, in the order of the table.

    Raises
    ------
    DataFault
        If a prefix is repeated; every such row is listed.
    """
    regions: dict[str, list[Region]] = {}
    seen: set[tuple[str, str]] = set()
    faults: list[Fault] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), start=2):
        code = (row["country"], row["prefix"])
        if code in seen:
            faults.append(Fault(line, "prefix", row["prefix"], "is listed twice"))
        seen.add(code)
        regions.setdefault(row["country"], []).append(Region(line, row["prefix"], tuple(row["towns"].split("|"))))
    if faults:
        raise DataFault("data/gazetteer/regions.csv has faults.", faults=tuple(faults))
    return regions


def with_regions(country: str, rows: Rows, regions: Sequence[Region], towns: TownIndex) -> Rows:
    """Add a country's regions to its rows.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    rows
        Codes and rungs from the sources; where they have a key, they win.
    regions
        The country's regions.
    towns
        Where the towns are.

    Returns
    -------
    All rows, sorted. A region's point minimises the distance to its towns, weighted by their people; its uncertainty
    reaches 95 of 100 of them, each with its own, and 95 of 100 of the people of all towns that are nearer to it than
    to any other region of as many digits. One town makes a `LOCALITY`, several a `REGION`.

    Raises
    ------
    DataFault
        If a region names a town that GeoNames does not have; every such region of the country is listed.
    """
    known = set(rows.codes)
    faults: list[Fault] = []
    codes: list[tuple[str, str]] = []
    members: list[list[Town]] = []
    for region in regions:
        found: list[Town] = []
        for name in region.towns:
            named = towns.named(country, name)
            if not named:
                faults.append(Fault(region.line, "towns", name, "is no town of GeoNames in this country"))
                continue
            found.append(max(named, key=lambda town: (town.population or 0, -town.id)))
        if (country, region.prefix) not in known and found:
            codes.append((country, region.prefix))
            members.append(found)
    if faults:
        raise DataFault("data/gazetteer/regions.csv has faults.", faults=tuple(faults))
    return _joined(rows, codes, members, towns.of_country(country)) if codes else rows


def _joined(
    rows: Rows, codes: Sequence[tuple[str, str]], members: Sequence[Sequence[Town]], towns: Sequence[Town]
) -> Rows:
    flat = [town for group in members for town in group]
    counts = np.array([len(group) for group in members])
    starts = np.concatenate(([0], np.cumsum(counts)))
    xyz = to_xyz(np.array([town.latitude for town in flat]), np.array([town.longitude for town in flat]))
    people = np.array([float(town.population or 500) for town in flat])
    latitude, longitude = to_degrees(geometric_medians(xyz, starts, people))
    alone = counts == 1
    first = starts[:-1]
    latitude[alone] = [flat[at].latitude for at in first[alone]]
    longitude[alone] = [flat[at].longitude for at in first[alone]]
    apart = np.linalg.norm(xyz - np.repeat(to_xyz(latitude, longitude), counts, axis=0), axis=1)
    own = np.array([max(town.uncertainty_km, _LEAST_KM) for town in flat])
    reach = np.maximum(group_quantiles(apart + own, starts, 0.95), _extents(codes, members, towns, latitude, longitude))
    names = [joined_name(group[0].name, group[0].admin) for group in members]
    return sorted_rows(
        Rows(
            codes=(*rows.codes, *codes),
            latitude=np.concatenate((rows.latitude, latitude)),
            longitude=np.concatenate((rows.longitude, longitude)),
            precision=np.concatenate((rows.precision, np.where(alone, _LOCALITY, _REGION))).astype(np.int8),
            uncertainty_km=np.concatenate((rows.uncertainty_km, reach)),
            name=(*rows.name, *names),
            source=np.concatenate((rows.source, np.full(len(codes), REGIONS.id))).astype(np.int8),
            children=np.concatenate((rows.children, [0 if _is_full(*code) else 1 for code in codes])),
        )
    )


def _extents(
    codes: Sequence[tuple[str, str]],
    members: Sequence[Sequence[Town]],
    towns: Sequence[Town],
    latitude: Floats,
    longitude: Floats,
) -> Floats:
    """Say how far each region reaches: to 95 of 100 people of the towns nearest to it among its like."""
    reach = np.zeros(len(codes))
    xyz = to_xyz(np.array([town.latitude for town in towns]), np.array([town.longitude for town in towns]))
    people = np.array([float(town.population or 500) for town in towns])
    own = np.array([town.uncertainty_km for town in towns])
    for digits in sorted({len(key) for _, key in codes}):
        alike = [at for at, (_, key) in enumerate(codes) if len(key) == digits]
        if len(alike) < _ALIKE_LEAST:
            continue
        flat = [(at, town) for at in alike for town in members[at]]
        points = to_xyz(np.array([t.latitude for _, t in flat]), np.array([t.longitude for _, t in flat]))
        _, which = nearest(points, xyz, 1)
        owner = np.array([at for at, _ in flat])[which[:, 0]]
        for at in alike:
            theirs = np.flatnonzero(owner == at)
            if not theirs.size:
                continue
            here = to_xyz(latitude[at : at + 1], longitude[at : at + 1])
            far = np.linalg.norm(xyz[theirs] - here, axis=1) + own[theirs]
            order = np.argsort(far)
            share = np.cumsum(people[theirs][order]) / people[theirs].sum()
            reach[at] = far[order][int(np.searchsorted(share, _PEOPLE_SHARE))]
    return np.minimum(reach, _EXTENT_MOST_KM)


def _is_full(country: str, key: str) -> bool:
    try:
        return grammar.key_of(country, grammar.parse_postcode(key, country).code) == key
    except InvalidPostcode:
        return False


def with_ranges(rows: Rows) -> Rows:
    """Add the leading parts that lie inside a town's range of codes (`FILLED`).

    Parameters
    ----------
    rows
        Sorted codes and rungs.

    Returns
    -------
    All rows, sorted. A Brazilian town is listed with the first code of its range, São Paulo with 01000-000; so
    the parts 011 to 059, which have no code in the dump, are São Paulo's.
    """
    known = set(rows.codes)
    codes: list[tuple[str, str]] = []
    like: list[int] = []
    beyond: list[int] = []
    border: list[bool] = []
    full: dict[str, list[tuple[str, int]]] = {country: [] for country in FILLED}
    for at, (country, key) in enumerate(rows.codes):
        if country in FILLED and rows.children[at] == 0:
            full[country].append((key, at))
    for country, digits in FILLED.items():
        listed = full[country]
        if not listed:
            continue
        following = 0
        for number in range(int(listed[0][0][:digits]), int(listed[-1][0][:digits]) + 1):
            prefix = f"{number:0{digits}d}"
            while following < len(listed) and listed[following][0] <= prefix.ljust(len(listed[0][0]), "0"):
                following += 1
            if (country, prefix) not in known and following:
                codes.append((country, prefix))
                before = listed[following - 1][1]
                like.append(before)
                after = listed[following][1] if following < len(listed) else before
                border.append(_state_of(rows.name[before]) != _state_of(rows.name[after]))
                beyond.append(after)
    taken, next_taken = np.array(like, np.int64), np.array(beyond, np.int64)
    xyz = to_xyz(rows.latitude, rows.longitude)
    # Between two states nobody says which has the codes: the circle reaches into both.
    apart = np.where(border, np.linalg.norm(xyz[taken] - xyz[next_taken], axis=1), 0.0)
    reach = np.maximum(rows.uncertainty_km[taken], apart + np.where(border, rows.uncertainty_km[next_taken], 0.0))
    return sorted_rows(
        Rows(
            codes=(*rows.codes, *codes),
            latitude=np.concatenate((rows.latitude, rows.latitude[taken])),
            longitude=np.concatenate((rows.longitude, rows.longitude[taken])),
            precision=np.concatenate((rows.precision, np.full(len(codes), _LOCALITY))).astype(np.int8),
            uncertainty_km=np.concatenate((rows.uncertainty_km, reach)),
            name=(*rows.name, *(rows.name[at] for at in like)),
            source=np.concatenate((rows.source, rows.source[taken])).astype(np.int8),
            children=np.concatenate((rows.children, np.ones(len(codes), np.int64))),
        )
    )


def _state_of(name: str) -> str:
    return name.rpartition(", ")[2]
