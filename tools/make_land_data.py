"""Write data/roads/land.geojson from the npm package that carries Natural Earth's land at 1:10 million.

Run once after raising a version::

    npm pack world-atlas@2.0.2   # and unpack it
    python -m tools.make_land_data DIR

The result is committed. Rings across the antimeridian are unrolled and cut there: as the package has them, they would
span the globe.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import shapely

from tools.make_gazetteer_data import arcs_of, ring, rounded

OUT = Path(__file__).resolve().parent.parent / "data" / "roads" / "land.geojson"
TOLERANCE_DEG = 0.008
LEAST_DEG2 = 0.0002
"""Smaller islands, of two square kilometres, are left out."""

Points = list[tuple[float, float]]


def unrolled(points: Points) -> Points:
    """Continue longitudes over the antimeridian; a ring round the pole goes down to it."""
    out = [points[0]]
    for x, y in points[1:]:
        before = out[-1][0]
        out.append((x + 360 * round((before - x) / 360), y))
    if abs(out[-1][0] - out[0][0]) > 180:
        pole = -90.0 if out[0][1] < 0 else 90.0
        out += [(out[-1][0], pole), (out[0][0], pole), out[0]]
    return out


def pieces(rings: list[Points]) -> shapely.Geometry:
    """Build a polygon and cut it at the antimeridian."""
    outer, *holes = (unrolled(points) for points in rings)
    whole = shapely.make_valid(shapely.Polygon(outer))
    for hole in holes:
        whole = shapely.difference(whole, shapely.make_valid(shapely.Polygon(hole)))
    parts = []
    for turn in (-360, 0, 360):
        turned = shapely.transform(whole, lambda xy, turn=turn: xy + np.array([turn, 0]))
        parts.append(shapely.clip_by_rect(turned, -180, -90, 180, 90))
    return shapely.union_all(parts)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("world_atlas", type=Path)
    topology = json.loads((parser.parse_args().world_atlas / "land-10m.json").read_text())
    arcs = arcs_of(topology)
    shapes = []
    for geometry in topology["objects"]["land"]["geometries"]:
        groups = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for rings in groups:
            decoded = [points for points in (ring(one, arcs) for one in rings) if len(points) > 3]
            if decoded:
                shapes.append(pieces(decoded))
    parts = shapely.get_parts(shapely.union_all(shapes))
    kept = [part for part in parts if part.geom_type == "Polygon" and part.area >= LEAST_DEG2]
    kept = [shapely.simplify(part, TOLERANCE_DEG) for part in kept]
    kept.sort(key=lambda part: (-part.area, part.bounds))
    texts = [json.dumps(rounded(json.loads(shapely.to_geojson(part))), separators=(",", ":")) for part in kept]
    lines = [f'{{"type":"Feature","properties":{{}},"geometry":{text}}}' for text in texts]
    body = ",\n".join(lines)
    OUT.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n')


if __name__ == "__main__":
    main()
