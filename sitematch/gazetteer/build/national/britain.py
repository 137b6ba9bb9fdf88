"""Ordnance Survey's Code-Point Open: a point for each of Great Britain's 1.7 million postcode units.

Northern Ireland (BT), the Channel Islands and Man are not in it.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer import grammar
from sitematch.gazetteer.build.calibrating import Check, checked
from sitematch.gazetteer.build.medians import Floats, Ints, geometric_medians, group_quantiles, to_degrees, to_xyz
from sitematch.gazetteer.build.neighbours import nearest
from sitematch.gazetteer.build.rows import Rows, no_rows
from sitematch.gazetteer.build.rungs import sorted_rows
from sitematch.gazetteer.build.sources import BRITAIN
from sitematch.gazetteer.schema import DEGREE, PRECISIONS
from sitematch.gazetteer.units import pack_unit

COUNTRY = "GB"

_NO_POINT = 90
"""Code-Point's quality of a unit without coordinates."""

_SHARE = 0.95
_LEAST_KM = 0.2
_TIMES_APART = 1.5
_FEW = 4
_CHECK_SHARE = 2
"""One unit in so many is kept aside to check circles with."""

# OSGB36 to WGS84 by the Ordnance Survey's own seven parameters: five metres, and the same with every version of PROJ.
_PIPELINE = (
    "+proj=pipeline +step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy "
    "+step +proj=cart +ellps=airy "
    "+step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
    "+convention=position_vector "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)


@dataclass(frozen=True, slots=True)
class Sector:
    """The units of one sector, packed.

    Parameters
    ----------
    key
        The sector, e.g. ``"SW1A 1"``.
    units
        See `sitematch.gazetteer.units`.
    uncertainty_km
        How far one unit reaches.
    """

    key: str
    units: bytes
    uncertainty_km: float


@dataclass(frozen=True, slots=True)
class Units:
    """What Code-Point says of all rungs.

    Parameters
    ----------
    rows
        Sectors, outward codes and areas, sorted; outward codes have no children, as everywhere in the gazetteer.
    sectors
        Their units.
    count
        How many units there are.
    check
        How the sectors' circles did on the units kept aside.
    """

    rows: Rows
    sectors: tuple[Sector, ...]
    count: int
    check: Check


def read_units(folder: Path) -> Units:
    """Read Code-Point Open, one area of letters after the other.

    Parameters
    ----------
    folder
        The gzipped CSV files: unit, quality, easting, northing; no header.

    Raises
    ------
    DataFault
        If a file is not of that form.

    Notes
    -----
    A sector, an outward code and an area stand at the point with the least sum of distances to their units. Their
    circle holds 95 of 100 of every other unit, each with its own reach; the rest are kept aside to check it.
    """
    from pyproj import Transformer

    transformer = Transformer.from_pipeline(_PIPELINE)
    parts: list[Rows] = []
    sectors: list[Sector] = []
    aside: list[tuple[Floats, Floats]] = []
    count = 0
    for file in sorted(folder.glob("*.csv.gz")):
        keys, easting, northing = _area(file)
        if not keys:
            continue
        longitude, latitude = transformer.transform(easting, northing)
        area = _Area(keys, np.asarray(latitude), np.asarray(longitude))
        parts += area.rungs()
        sectors += area.sectors()
        count += len(keys)
        aside.append(area.aside)
    apart, circle = (np.concatenate([np.empty(0), *parted]) for parted in zip(*aside, strict=True))
    return Units(_joined(parts), tuple(sectors), count, checked(COUNTRY, "SECTOR", BRITAIN.id, apart, circle))


def _area(file: Path) -> tuple[list[str], Floats, Floats]:
    keys: list[str] = []
    points: list[tuple[float, float]] = []
    try:
        text = gzip.decompress(file.read_bytes()).decode("ascii")
        for row in csv.reader(io.StringIO(text)):
            if int(row[1]) != _NO_POINT:
                keys.append(row[0].replace(" ", ""))
                points.append((float(row[2]), float(row[3])))
    except (OSError, EOFError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise DataFault("Code-Point Open cannot be read.", faults=(Fault(0, file.name, "", str(error)),)) from error
    order = sorted(range(len(keys)), key=keys.__getitem__)
    sorted_points = np.array([points[at] for at in order]).reshape(-1, 2)
    return [keys[at] for at in order], sorted_points[:, 0], sorted_points[:, 1]


class _Area:
    """The units of one file."""

    def __init__(self, keys: list[str], latitude: Floats, longitude: Floats) -> None:
        self.keys = keys
        self.latitude, self.longitude = latitude, longitude
        self.xyz = to_xyz(latitude, longitude)
        apart, _ = nearest(self.xyz, self.xyz, min(2, len(keys)))
        self.reach = np.maximum(_LEAST_KM, _TIMES_APART * apart[:, -1])
        self.members: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(keys):
            self.members[key[:-2]].append(at)
        self.kept_aside = np.arange(len(keys)) % _CHECK_SHARE == 1
        self.aside = (np.empty(0), np.empty(0))
        self._sectors: dict[str, tuple[Ints, float, float]] = {}

    def rungs(self) -> Iterator[Rows]:
        """Give the rungs, finest first."""
        groups: dict[tuple[str, Any], list[int]] = {}
        for sector, units in self.members.items():
            for rung in grammar.rungs(COUNTRY, f"{sector[:-1]} {sector[-1]}"):
                groups.setdefault((rung.key, rung.precision), []).extend(units)
        member = np.fromiter((at for group in groups.values() for at in group), np.int64)
        counts = np.array([len(group) for group in groups.values()])
        starts = np.concatenate(([0], np.cumsum(counts)))
        xyz = self.xyz[member]
        latitude, longitude = to_degrees(geometric_medians(xyz, starts, np.ones(len(member))))
        latitude, longitude = np.round(latitude, 4), np.round(longitude, 4)
        owner = np.repeat(np.arange(len(counts)), counts)
        apart = np.linalg.norm(xyz - to_xyz(latitude, longitude)[owner], axis=1)
        reach = _quantile_of_fitted(apart + self.reach[member], self.kept_aside[member], starts)
        is_sector = np.array([" " in key for key, _ in groups])
        held = self.kept_aside[member] & is_sector[owner]
        self.aside = (apart[held], reach[owner][held])
        for at, (key, _) in enumerate(groups):
            if is_sector[at]:
                rows = member[starts[at] : starts[at + 1]]
                self._sectors[key] = (rows, float(latitude[at]), float(longitude[at]))
        number = {precision: index for index, precision in enumerate(PRECISIONS)}
        whole = np.array([grammar.is_partial(COUNTRY, key) and " " not in key for key, _ in groups])
        yield Rows(
            codes=tuple((COUNTRY, key) for key, _ in groups),
            latitude=latitude,
            longitude=longitude,
            precision=np.array([number[precision] for _, precision in groups], np.int8),
            uncertainty_km=reach,
            name=("",) * len(groups),
            source=np.full(len(groups), BRITAIN.id, np.int8),
            children=np.where(whole, 0, counts),
        )

    def sectors(self) -> Iterator[Sector]:
        """Pack the units of each sector."""
        for key, (rows, latitude, longitude) in self._sectors.items():
            south, west = round(latitude * DEGREE), round(longitude * DEGREE)
            packed = bytearray()
            for at in rows.tolist():
                high = round(float(self.latitude[at]) * DEGREE) - south
                wide = round(float(self.longitude[at]) * DEGREE) - west
                packed += pack_unit(self.keys[at][-2:], high, wide)
            yield Sector(key, bytes(packed), float(np.quantile(self.reach[rows], _SHARE)))


def _quantile_of_fitted(value: Floats, aside: npt.NDArray[np.bool_], starts: Ints) -> Floats:
    """Give each group's 95th percentile of the values that are not kept aside; the largest of all if those are few."""
    counts = np.diff(starts)
    owner = np.repeat(np.arange(counts.size), counts)
    fitted = np.bincount(owner[~aside], minlength=counts.size)
    every = group_quantiles(value, starts, 1.0)
    chosen = np.flatnonzero(~aside & (fitted[owner] >= _FEW))
    if not chosen.size:
        return every
    groups, first = np.unique(owner[chosen], return_index=True)
    every[groups] = group_quantiles(value[chosen], np.append(first, chosen.size), _SHARE)
    return every


def _joined(parts: list[Rows]) -> Rows:
    if not parts:
        return no_rows()
    return sorted_rows(
        Rows(
            codes=tuple(code for part in parts for code in part.codes),
            latitude=np.concatenate([part.latitude for part in parts]),
            longitude=np.concatenate([part.longitude for part in parts]),
            precision=np.concatenate([part.precision for part in parts]),
            uncertainty_km=np.concatenate([part.uncertainty_km for part in parts]),
            name=tuple(name for part in parts for name in part.name),
            source=np.concatenate([part.source for part in parts]),
            children=np.concatenate([part.children for part in parts]),
        )
    )


def with_units(rows: Rows, units: Units) -> Rows:
    """Let Code-Point's rungs take the place of GeoNames', with GeoNames' names.

    Parameters
    ----------
    rows
        The country's codes and rungs, sorted; what Code-Point lacks (Northern Ireland) stays.
    units
        What Code-Point says.
    """
    names = dict(zip((key for _, key in rows.codes), rows.name, strict=True))
    ours = {key for _, key in units.rows.codes}
    kept = np.array([at for at, (_, key) in enumerate(rows.codes) if key not in ours], np.int64)
    named = tuple(_name_of(key, names) for _, key in units.rows.codes)
    old = Rows(
        codes=tuple(rows.codes[at] for at in kept.tolist()),
        latitude=rows.latitude[kept],
        longitude=rows.longitude[kept],
        precision=rows.precision[kept],
        uncertainty_km=rows.uncertainty_km[kept],
        name=tuple(rows.name[at] for at in kept.tolist()),
        source=rows.source[kept],
        children=rows.children[kept],
    )
    return _joined([old, replace(units.rows, name=named)])


def _name_of(key: str, names: dict[str, str]) -> str:
    """Take the name of the code itself or of the nearest coarser one that has a name."""
    for rung in grammar.rungs(COUNTRY, key):
        if names.get(rung.key):
            return names[rung.key]
    return ""
