"""Tables with points: GeoPackage (through GDAL) and GeoParquet 1.1, with the same columns as the other tables."""

from __future__ import annotations

import io
import json
import struct
import types
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from sitematch.domain.table_cells import join_texts
from sitematch.exporters.wire.matches import Wire
from sitematch.extras import needs_extra

if TYPE_CHECKING:
    import pyarrow as pa

GEOMETRY = "geometry"
GEOPARQUET_VERSION = "1.1.0"
_POINT = struct.Struct("<BIdd")
"""Well-known binary of a point: little endian, its kind, longitude, latitude (ISO 19125-1)."""
_WKB_POINT = 1


def write_geopackage(
    file: IO[bytes], row_type: type[Wire], header: Sequence[str], rows: Iterable[Wire], name: str
) -> None:
    """Write a GeoPackage with one layer of points; a row without a point has none.

    Parameters
    ----------
    file
        Where to write.
    row_type
        The type of the rows; its fields give the columns their types.
    header
        The columns, in order; `latitude` and `longitude` are among them.
    rows
        The rows; they are kept in memory.
    name
        The layer.

    Raises
    ------
    NotReady
        If the extra "geo" is not installed.
    """
    with needs_extra("geo", "A GeoPackage"):
        from pyogrio import write_arrow

    table = _table(row_type, header, rows)
    into = io.BytesIO()
    write_arrow(
        table,
        into,
        layer=name,
        driver="GPKG",
        geometry_name=GEOMETRY,
        geometry_type="Point",
        crs="EPSG:4326",
    )
    file.write(into.getvalue())


def write_geoparquet(file: IO[bytes], row_type: type[Wire], header: Sequence[str], rows: Iterable[Wire]) -> None:
    """Write GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/); see `write_geopackage`.

    Raises
    ------
    NotReady
        If the extra "geo" is not installed.
    """
    with needs_extra("geo", "GeoParquet"):
        import pyarrow.parquet as pq

    table = _table(row_type, header, rows)
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    points = [
        (x, y)
        for x, y in zip(table["longitude"].to_pylist(), table["latitude"].to_pylist(), strict=True)
        if x is not None and y is not None
    ]
    if points:
        (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
        column["bbox"] = [west, south, east, north]
    # Without "crs" the coordinates are longitude and latitude on WGS84 (OGC:CRS84).
    about = {"version": GEOPARQUET_VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(about)}), file, compression="zstd")


def _table(row_type: type[Wire], header: Sequence[str], rows: Iterable[Wire]) -> pa.Table:
    import pyarrow as pa

    hints = get_type_hints(row_type)
    columns: dict[str, list[Any]] = {name: [] for name in header}
    geometry: list[bytes | None] = []
    for row in rows:
        for name in header:
            columns[name].append(_plain(getattr(row, name)))
        latitude, longitude = getattr(row, "latitude", None), getattr(row, "longitude", None)
        is_placed = latitude is not None and longitude is not None
        geometry.append(_POINT.pack(1, _WKB_POINT, longitude, latitude) if is_placed else None)
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    arrays = {name: pa.array(columns[name], type=kinds.get(_kind(hints[name]), pa.string())) for name in header}
    return pa.table({**arrays, GEOMETRY: pa.array(geometry, type=pa.binary())})


def _kind(hint: Any) -> Any:
    """Return the type of a field, without None."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = [part for part in get_args(hint) if part is not type(None)][:1]
    return hint


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return join_texts(tuple(map(str, value)))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
