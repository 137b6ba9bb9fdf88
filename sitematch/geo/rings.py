"""Conversion of closed lines on the globe to valid GeoJSON: cut at the antimeridian, closed around the poles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from sitematch.domain.area import MultiPolygon, Position, Ring
from sitematch.extras import needs_extra

if TYPE_CHECKING:
    from shapely import Geometry

DECIMALS = 7
"""Decimals of a degree in the result: a centimetre."""

_GRID_DEG = 10.0**-DECIMALS

AT_POLE_DEG = 90.0 - 1e-9
"""From this latitude on, a tenth of a millimetre from the pole, longitudes have no meaning."""

_OVER_POLE_DEG = 180.0 - 1e-7
"""Neighbouring positions that differ this much in longitude are joined over the pole."""


def enclose(ring: Sequence[Position], *, has_both_poles: bool = False) -> MultiPolygon:
    """Return the area to the left of a closed line on the globe.

    Parameters
    ----------
    ring
        Longitudes (any, in degrees) and latitudes, at least three positions; the last is joined to the first. As seen
        from above, the area is on the left side of the line. Neighbours are less than half a turn apart, or the line
        runs over a pole there. A line around one pole crosses every meridian once.
    has_both_poles
        Whether both poles are inside the area, so that the line runs around the part outside it.

    Returns
    -------
    MultiPolygon
        Valid; see `MultiPolygon`. Empty if the area vanishes at `DECIMALS`. If the line crosses itself, as in a very
        narrow area, each enclosed part belongs to the area.

    Notes
    -----
    The line is unrolled onto an endless plane, where one turn around a pole ends 360 degrees from its start. Then it is
    closed along the pole, and each strip of 360 degrees is cut out and moved back.

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
    line[-1] = (line[0][0] + 360.0 * turns, line[0][1])  # set exactly, because many small steps do not add up to it
    if turns:
        # Once around: eastwards, the area on the left contains the north pole; westwards, the south pole.
        pole = 90.0 * turns
        line += [(line[-1][0], pole), (line[0][0], pole)]
    # GEOS divides by zero on purpose, and numpy would report the processor's flag for it.
    with np.errstate(divide="ignore", invalid="ignore"):
        area = _back_on_the_map(shapely.make_valid(shapely.Polygon(line)))
        if has_both_poles:
            area = shapely.box(-180.0, -90.0, 180.0, 90.0).difference(area)
        return _coordinates(area)


def _with_poles(ring: Sequence[Position]) -> Iterator[Position]:
    """Close the line, with a position at each pole that it runs over."""
    for here, there in pairwise((*ring, ring[0])):
        yield here
        over = abs((there[0] - here[0] + 180.0) % 360.0 - 180.0) >= _OVER_POLE_DEG
        if over and not _is_pole(here) and not _is_pole(there):
            yield (here[0], 90.0 if here[1] + there[1] >= 0.0 else -90.0)


def _is_pole(position: Position) -> bool:
    return abs(position[1]) >= AT_POLE_DEG


def _laid_out(positions: Iterator[Position]) -> list[Position]:
    """Unroll a closed line onto a plane where longitudes continue beyond 180; the first position is repeated there."""
    ring = list(positions)
    while _is_pole(ring[0]) and not all(map(_is_pole, ring)):
        ring = ring[1:] + ring[:1]  # begin at a position with a defined longitude
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
    """Cut an area on the endless plane into strips of 360 degrees, and overlay them."""
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
    return shapely.union_all(strips, grid_size=_GRID_DEG)  # parts on both sides of a cut fit together again


def _coordinates(area: Geometry) -> MultiPolygon:
    """Round, orient every ring correctly, and sort the polygons."""
    import shapely

    area = shapely.set_precision(area, _GRID_DEG)
    # Twice, because a collection may contain collections; after cuts, it may also contain lines.
    parts = [part for part in shapely.get_parts(shapely.get_parts(area)) if part.geom_type == "Polygon"]
    parts = [shapely.orient_polygons(shapely.normalize(part)) for part in parts if not part.is_empty]
    return tuple(
        tuple(_ring(ring) for ring in (part.exterior, *part.interiors)) for part in sorted(parts, key=_place_of)
    )


def _place_of(part: Geometry) -> tuple[float, ...]:
    return tuple(part.bounds)


def _ring(ring: Geometry) -> Ring:
    # + 0.0 turns -0.0 into 0.0.
    return tuple((round(x, DECIMALS) + 0.0, round(y, DECIMALS) + 0.0) for x, y in ring.coords)
