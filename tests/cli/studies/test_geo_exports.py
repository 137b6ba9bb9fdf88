"""GeoPackage, GeoParquet and GeoJSON are opened by GDAL and by Arrow, and have the columns of every other table."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyogrio
import pytest

from sitematch.exporters.tables.rows import CAPACITY_HEADER, MATCH_HEADER, SITE_HEADER
from tests.cli.conftest import Run

TABLES = {
    "sites": (("export", "sites"), SITE_HEADER),
    "matches": (("export", "matches", "33180", "--country", "US"), MATCH_HEADER),
    "capacity": (("export", "capacity"), CAPACITY_HEADER),
}


def exported(run: Run, tmp_path: Path, name: str, form: str) -> Path:
    path = tmp_path / f"{name}.{form}"
    done = run(*TABLES[name][0], "--out", str(path))
    assert done.exit_code == 0, done.output
    return path


def rows_of(run: Run, tmp_path: Path, name: str) -> list[dict[str, str]]:
    with exported(run, tmp_path, name, "csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def point(wkb: bytes | None) -> tuple[float, float] | None:
    return None if wkb is None else struct.unpack("<BIdd", wkb)[2:]


@pytest.mark.parametrize("name", TABLES)
def test_gdal_opens_a_geopackage_of_points(run: Run, tmp_path: Path, name: str) -> None:
    path = exported(run, tmp_path, name, "gpkg")
    expected = rows_of(run, tmp_path, name)

    about = pyogrio.read_info(path, layer=name)
    meta, table = pyogrio.read_arrow(path)

    assert (about["driver"], about["crs"], about["geometry_type"]) == ("GPKG", "EPSG:4326", "Point")
    assert list(about["fields"]) == list(TABLES[name][1])
    assert about["features"] == len(expected)
    assert table["site_id"].to_pylist() == [row["site_id"] for row in expected]
    assert [point(wkb) for wkb in table[meta["geometry_name"]].to_pylist()] == [
        (float(row["longitude"]), float(row["latitude"])) if row["latitude"] else None for row in expected
    ]


@pytest.mark.parametrize("name", TABLES)
def test_geoparquet_says_what_it_is_and_has_the_same_rows(run: Run, tmp_path: Path, name: str) -> None:
    path = exported(run, tmp_path, name, "parquet")
    expected = rows_of(run, tmp_path, name)

    table = pq.read_table(path)
    about: dict[str, Any] = json.loads(table.schema.metadata[b"geo"])

    assert (about["version"], about["primary_column"]) == ("1.1.0", "geometry")
    column = about["columns"]["geometry"]
    assert (column["encoding"], column["geometry_types"], "crs" in column) == ("WKB", ["Point"], False)
    points = [point(wkb) for wkb in table["geometry"].to_pylist()]
    placed = [one for one in points if one is not None]
    west, south, east, north = column["bbox"]
    assert (west, east) == (min(x for x, _ in placed), max(x for x, _ in placed))
    assert (south, north) == (min(y for _, y in placed), max(y for _, y in placed))
    assert table.column_names == [*TABLES[name][1], "geometry"]
    assert table["site_id"].to_pylist() == [row["site_id"] for row in expected]
    assert {"double", "string", "int64"} <= {str(field.type) for field in table.schema}


@pytest.mark.parametrize("name", TABLES)
def test_gdal_opens_the_geojson(run: Run, tmp_path: Path, name: str) -> None:
    path = exported(run, tmp_path, name, "geojson")
    expected = rows_of(run, tmp_path, name)

    about = pyogrio.read_info(path)

    assert (about["driver"], about["crs"], about["features"]) == ("GeoJSON", "EPSG:4326", len(expected))
    assert "site_id" in about["fields"]


def test_two_exports_of_the_same_rows_are_the_same_file(run: Run, tmp_path: Path) -> None:
    first = exported(run, tmp_path, "sites", "parquet").read_bytes()

    assert exported(run, tmp_path, "sites", "parquet").read_bytes() == first


def test_a_byte_order_mark_is_for_csv_alone(run: Run, tmp_path: Path) -> None:
    assert run("export", "sites", "--bom", "--out", str(tmp_path / "sites.gpkg")).exit_code == 2
