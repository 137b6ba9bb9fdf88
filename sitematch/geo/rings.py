"""From a closed line on the globe to a valid GeoJSON area: cut at the antimeridian, closed around the poles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from sitematch.domain.area import MultiPolygon, Position, Ring
from sitematch.extras import needs_extra

if TYPE_CHECKING:
    from shapely import Geometry

DECIMALS = 7
"""Of a degree, in what comes out: a centimetre."""

_GRID_DEG = 10.0**-DECIMALS

AT_POLE_DEG = 90.0 - 1e-9
"""From this latitude on, a tenth of a millimetre from the pole, a longitude means nothing."""

_OVER_POLE_DEG = 180.0 - 1e-7
"""Neighbouring positions that differ so much in longitude are joined over the pole."""


def enclose(ring: Sequence[Position], *, has_both_poles: bool = False) -> MultiPolygon:
    """Return the area to the left of a closed line on the globe.

    Parameters
    ----------
    ring
        Longitudes (any, in degrees) and latitudes, at least three positions; the last is joined to the first. As seen
        from above, the area lies on the left-hand side of who walks along it. Neighbours are less than half a turn
        apart, or the line runs over a pole there. A line around one pole crosses every meridian once.
    has_both_poles
        Whether both poles lie inside the area, so that the line runs around what is left out of it.

    Returns
    -------
    MultiPolygon
        Valid; see there. Empty if the area vanishes at `DECIMALS`. Where the line crosses itself, as a very narrow
        area's may, each part that it runs around belongs to the area.

    Notes
    -----
    The line is laid out on a plane without a seam, where one turn around a pole ends 360 degrees from where it began;
    then it is closed along the pole, and each strip of 360 degrees is cut out and moved back.

    Examples
    --------
    >>> enclose([(179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0)])[0]
    (((-180.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (-180.0, 1.0), (-180.0, 0.0)),)
    """
    import numpy as np

    with needs_extra("reports", "A catchment"):
        import shapely

    line = _laid_out(_with_poles(ring))
    turns = round((line[-1][0] - line[0][0]) / 360.0)
    line[-1] = (line[0][0] + 360.0 * turns, line[0][1])  # exactly so: many small steps do not add up to it
    if turns:
        # Once around: eastwards the area on the left is the one with the north pole, westwards the south pole.
        pole = 90.0 * turns
        line += [(line[-1][0], pole), (line[0][0], pole)]
    # GEOS divides by zero on purpose within, and numpy would report the flag that the processor keeps of it.
    with np.errstate(divide="ignore", invalid="ignore"):
        area = _back_on_the_map(shapely.make_valid(shapely.Polygon(line)))
        if has_both_poles:
            area = shapely.box(-180.0, -90.0, 180.0, 90.0).difference(area)
        return _coordinates(area)


def _with_poles(ring: Sequence[Position]) -> Iterator[Position]:
    """Close the line, with a position at the pole where it runs over one."""
    for here, there in pairwise((*ring, ring[0])):
        yield here
        over = abs((there[0] - here[0] + 180.0) % 360.0 - 180.0) >= _OVER_POLE_DEG
        if over and not _is_pole(here) and not _is_pole(there):
            yield (here[0], 90.0 if here[1] + there[1] >= 0.0 else -90.0)


def _is_pole(position: Position) -> bool:
    return abs(position[1]) >= AT_POLE_DEG


def _laid_out(positions: Iterator[Position]) -> list[Position]:
    """Lay a closed line out on a plane where longitudes go on beyond 180; the first position is repeated there."""
    ring = list(positions)
    while _is_pole(ring[0]) and not all(map(_is_pole, ring)):
        ring = ring[1:] + ring[:1]  # begin where the longitude is known
    line = [ring[0]]
    at_pole = 0.0
    for longitude, latitude in (*ring[1:], ring[0]):
        if _is_pole((longitude, latitude)):
            if not at_pole:
                at_pole = 90.0 if latitude > 0.0 else -90.0
                line.append((line[-1][0], at_pole))
            continue
        before = line[-1][0]
        ahead = (longitude - before) % 360.0
        if at_pole:
            # Along the pole with the area on the left: westwards at the north pole, eastwards at the south pole.
            step = ahead - 360.0 if at_pole > 0.0 else ahead
            line.append((before + step, at_pole))
            at_pole = 0.0
        else:
            step = ahead if ahead < 180.0 else ahead - 360.0
        line.append((before + step, latitude))
    return line


def _back_on_the_map(plane: Geometry) -> Geometry:
    """Cut an area on the endless plane into strips of 360 degrees, and lay them over one another."""
    import math

    import shapely
    from shapely.affinity import translate

    if plane.area == 0.0:
        return plane
    west, _, east, _ = plane.bounds
    first, last = math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0) - 1
    if first == last:
        return translate(plane, -360.0 * first)
    strips = [
        translate(plane.intersection(shapely.box(-180.0 + 360.0 * k, -90.0, 180.0 + 360.0 * k, 90.0)), -360.0 * k)
        for k in range(first, last + 1)
    ]
    return shapely.union_all(strips, grid_size=_GRID_DEG)  # what lay on both sides of a cut fits again


def _coordinates(area: Geometry) -> MultiPolygon:
    """Round, turn every ring the right way, and put the polygons into a fixed order."""
    import shapely

    area = shapely.set_precision(area, _GRID_DEG)
    # Twice, as a collection may hold collections; where an area was cut, bare lines may be among them.
    parts = [part for part in shapely.get_parts(shapely.get_parts(area)) if part.geom_type == "Polygon"]
    parts = [shapely.orient_polygons(shapely.normalize(part)) for part in parts if not part.is_empty]
    return tuple(
        tuple(_ring(ring) for ring in (part.exterior, *part.interiors)) for part in sorted(parts, key=_place_of)
    )


def _place_of(part: Geometry) -> tuple[float, ...]:
    return tuple(part.bounds)


def _ring(ring: Geometry) -> Ring:
    # + 0.0 turns -0.0 into 0.0, which reads better.
    return tuple((round(x, DECIMALS) + 0.0, round(y, DECIMALS) + 0.0) for x, y in ring.coords)
