"""Which land mass each twentieth of a degree belongs to, and which masses fixed links join."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import shapely

from sitematch.errors import DataFault, Fault
from sitematch.roads.links import Link
from sitematch.roads.tiles import LAND_STEPS, tile_number

_CENTRES = (np.arange(LAND_STEPS) + 0.5) / LAND_STEPS


def read_masses(content: bytes) -> list[shapely.Geometry]:
    """Read land masses.

    Parameters
    ----------
    content
        A GeoJSON feature collection, a feature a land mass, the largest first.

    Raises
    ------
    DataFault
        If the content is not such a collection.
    """
    try:
        features: list[dict[str, Any]] = msgspec.json.decode(content)["features"]
        shapes = shapely.from_geojson([msgspec.json.encode(one["geometry"]).decode() for one in features])
    except (msgspec.MsgspecError, shapely.GEOSException, KeyError, TypeError) as error:
        fault = Fault(line=0, field="", value="", reason=f"{type(error).__name__}: {error}")
        raise DataFault("The polygons of land cannot be read.", faults=(fault,)) from error
    return list(shapely.make_valid(shapes))


def land_tiles(masses: Sequence[shapely.Geometry]) -> dict[int, tuple[bytes, tuple[int, ...]]]:
    """Cut land into tiles.

    Parameters
    ----------
    masses
        Land masses; their numbers are their places, from 1.

    Returns
    -------
    By the tile's number: the cells and the masses, as `tiles.TABLES` describes them. Tiles all of water are not there.
    A cell belongs to the mass that its centre lies in.
    """
    pieces: dict[int, list[tuple[int, shapely.Geometry]]] = {}
    for number, mass in zip(_across_the_antimeridian(masses), masses, strict=True):
        for row, column, piece in _cut(mass):
            pieces.setdefault(tile_number(row, column), []).append((number, piece))
    tiles = {}
    for tile, inside in sorted(pieces.items()):
        row, column = tile // 360 - 90, tile % 360 - 180
        x, y = np.meshgrid(column + _CENTRES, row + _CENTRES)
        cells = np.zeros(LAND_STEPS**2, dtype=np.uint8)
        there: list[int] = []
        for number, piece in inside:
            covered = shapely.contains_xy(piece, x.ravel(), y.ravel()) & (cells == 0)
            if covered.any() and len(there) < 255:
                if number not in there:
                    there.append(number)
                cells[covered] = there.index(number) + 1
        if there:
            whole = len(there) == 1 and bool(cells.all())
            tiles[tile] = (b"" if whole else cells.tobytes(), tuple(there))
    return tiles


def _across_the_antimeridian(masses: Sequence[shapely.Geometry]) -> list[int]:
    """Give each land mass its number, from 1; pieces of one mass on both sides of 180° get the same."""
    numbers = list(range(1, len(masses) + 1))
    latitude = np.arange(-90 + 0.5 / LAND_STEPS, 90, 1 / LAND_STEPS)
    edge = 180 - 0.5 / LAND_STEPS
    easts = [i for i, mass in enumerate(masses) if mass.bounds[2] > edge]
    wests = [i for i, mass in enumerate(masses) if mass.bounds[0] < -edge]
    for east in easts:
        for west in wests:
            shared = shapely.contains_xy(masses[east], edge, latitude) & shapely.contains_xy(
                masses[west], -edge, latitude
            )
            if shared.any():
                keep, drop = sorted((numbers[east], numbers[west]))
                numbers = [keep if number == drop else number for number in numbers]
    return numbers


def _cut(mass: shapely.Geometry) -> Iterator[tuple[int, int, shapely.Geometry]]:
    """Yield the pieces of a land mass by square degrees, halving it so that each cut is of a small shape."""
    if shapely.is_empty(mass):
        return
    west, south, east, north = (math.floor(mass.bounds[0]), math.floor(mass.bounds[1]), *_upper(mass))
    wide, high = east - west, north - south
    if wide <= 1 and high <= 1:
        yield south, west, mass
    elif wide >= high:
        middle = west + wide // 2
        yield from _cut(shapely.clip_by_rect(mass, west, south, middle, north))
        yield from _cut(shapely.clip_by_rect(mass, middle, south, east, north))
    else:
        middle = south + high // 2
        yield from _cut(shapely.clip_by_rect(mass, west, south, east, middle))
        yield from _cut(shapely.clip_by_rect(mass, west, middle, east, north))


def _upper(mass: shapely.Geometry) -> tuple[int, int]:
    return math.ceil(mass.bounds[2]), math.ceil(mass.bounds[3])


def networks(masses: Sequence[shapely.Geometry], drawn: Collection[int], links: Sequence[Link]) -> list[int]:
    """Give the network of each land mass: the least number of all that fixed links join to it.

    Parameters
    ----------
    masses
        Land masses; their numbers are their places, from 1.
    drawn
        The numbers of those that have a cell; smaller ones are joined by no link.
    links
        What joins them.
    """
    numbers = sorted(drawn)
    tree = shapely.STRtree([masses[number - 1] for number in numbers])
    network = list(range(1, len(masses) + 1))
    for link in links:
        ends = shapely.points([(end.longitude, end.latitude) for end in (link.start, link.end)])
        first, second = (network[numbers[at] - 1] for at in tree.nearest(ends))
        network = [min(first, second) if one in (first, second) else one for one in network]
    return network
