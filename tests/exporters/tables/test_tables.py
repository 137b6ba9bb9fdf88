"""CSV, Excel and NDJSON of the same rows: typed, complete, and harmless to open."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from sitematch.domain.studies.site import PLACE_COLUMNS, SITE_COLUMNS
from sitematch.domain.table_cells import Value
from sitematch.errors import InvalidInput
from sitematch.exporters.geojson import write_sites_geojson
from sitematch.exporters.tables import workbook as workbooks
from sitematch.exporters.tables.files import TableFormat, write_csv, write_table
from sitematch.exporters.tables.rows import CAPACITY_HEADER, MATCH_HEADER, SITE_HEADER, cells, site_row
from sitematch.exporters.wire.matches import site_answer
from tests.builders import make_site

HEADER = ("id", "count", "share", "day", "at", "is_open", "texts", "nothing")
AT = datetime(2026, 1, 2, 12, 30, 15, tzinfo=UTC)
ROW: tuple[Value, ...] = ("04102", 3, -0.28, date(2026, 1, 2), AT, True, ("a", "b"), None)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1＋1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")')


def written(form: TableFormat, *rows: tuple[Value, ...], header: tuple[str, ...] = HEADER) -> bytes:
    file = io.BytesIO()
    write_table(file, form, header, rows, title="Sites")
    return file.getvalue()


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content)).active


def test_csv_is_what_rfc_4180_says() -> None:
    assert written(TableFormat.CSV, ROW).decode() == (
        "id,count,share,day,at,is_open,texts,nothing\r\n04102,3,-0.28,2026-01-02,2026-01-02T12:30:15Z,true,a | b,\r\n"
    )


def test_csv_for_excel_begins_with_a_byte_order_mark() -> None:
    file = io.BytesIO()

    write_csv(file, ["city"], [["Köln"]], for_excel=True)

    assert file.getvalue() == b"\xef\xbb\xbfcity\r\nK\xc3\xb6ln\r\n"


def test_ndjson_has_an_object_a_line_with_json_types() -> None:
    first, second = written(TableFormat.NDJSON, ROW, ROW).splitlines()

    assert first == second
    assert json.loads(first) == {
        "id": "04102",
        "count": 3,
        "share": -0.28,
        "day": "2026-01-02",
        "at": "2026-01-02T12:30:15Z",
        "is_open": True,
        "texts": ["a", "b"],
        "nothing": None,
    }


def test_a_workbook_has_real_types() -> None:
    sheet = opened(written(TableFormat.XLSX, ROW))

    assert [cell.value for cell in sheet[2]][:7] == [
        "04102",
        3,
        -0.28,
        datetime(2026, 1, 2),  # noqa: DTZ001 - Excel knows no zones
        datetime(2026, 1, 2, 12, 30, 15),  # noqa: DTZ001
        True,
        "a | b",
    ]
    assert [cell.data_type for cell in sheet[2]][:7] == ["s", "n", "n", "d", "d", "b", "s"]
    assert sheet["A2"].number_format == "@"
    assert sheet["D2"].number_format == "yyyy-mm-dd"
    assert sheet["E2"].number_format.endswith('"Z"')


def test_a_workbook_has_a_frozen_header_a_filter_and_columns_that_fit() -> None:
    long = "University Hospital of the Far Side of the Moon"
    sheet = opened(written(TableFormat.XLSX, (long, 1), ("B", 2), header=("facility", "n")))

    assert sheet.title == "Sites"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["A"].width == len(long)
    assert sheet.column_dimensions["B"].width < 10


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(text: str) -> None:
    content = written(TableFormat.XLSX, (text,), header=("facility",))
    table = written(TableFormat.CSV, (text,), header=("facility",)).decode()

    cell = opened(content)["A2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert list(csv.reader(io.StringIO(table, newline="")))[1] == [f"'{text}"]


def test_every_digit_of_a_float_is_in_a_workbook() -> None:
    sheet = opened(written(TableFormat.XLSX, (0.1 + 0.2, 5e-324, -1e300), header=("a", "b", "c")))

    assert [cell.value for cell in sheet[2]] == [0.1 + 0.2, 5e-324, -1e300]


def test_a_date_that_excel_cannot_count_is_text() -> None:
    sheet = opened(written(TableFormat.XLSX, (date(1899, 5, 6), date(1900, 3, 1)), header=("a", "b")))

    assert (sheet["A2"].value, sheet["B2"].data_type) == ("1899-05-06", "d")


def test_what_a_workbook_cannot_hold_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="column facility has 32,768 characters"):
        written(TableFormat.XLSX, ("x" * 32_768,), header=("facility",))

    monkeypatch.setattr(workbooks, "MAX_ROWS", 3)
    written(TableFormat.XLSX, (1,), (2,), header=("n",))
    with pytest.raises(InvalidInput, match="holds 2 rows"):
        written(TableFormat.XLSX, (1,), (2,), (3,), header=("n",))


def test_a_site_has_every_column_that_its_import_needs() -> None:
    assert (*SITE_COLUMNS, *PLACE_COLUMNS, "stand_in") == SITE_HEADER
    assert set(MATCH_HEADER) > set(SITE_HEADER)
    assert {"site_id", "remaining", "latitude", "as_of"} < set(CAPACITY_HEADER)


def test_no_row_is_read_before_it_is_needed(tmp_path: Path) -> None:
    """The memory of an export does not grow: a row is read only after the previous one was written."""
    read = 0

    def rows() -> Any:
        nonlocal read
        for number in range(20_000):
            read += 1
            yield make_site(f"{number:05d}")

    class Watched(io.BytesIO):
        least_ahead = 20_000

        def write(self, data: Any) -> int:
            self.least_ahead = min(self.least_ahead, read)
            return super().write(data)

    for form in (TableFormat.CSV, TableFormat.NDJSON):
        read, file = 0, Watched()
        write_table(file, form, SITE_HEADER, cells(map(site_row, rows()), SITE_HEADER))
        assert file.least_ahead < 200
    read, file = 0, Watched()
    write_sites_geojson(file, map(site_answer, rows()), attribution=())
    assert file.least_ahead < 200
    assert len(json.loads(file.getvalue())["features"]) == 20_000


def test_streamed_geojson_is_one_collection_also_when_it_is_empty() -> None:
    empty, file = io.BytesIO(), io.BytesIO()

    write_sites_geojson(empty, [], attribution=("Source",))
    write_sites_geojson(file, [site_answer(make_site(latitude=1.0, longitude=2.0))], attribution=("Source",))

    assert json.loads(empty.getvalue()) == {"type": "FeatureCollection", "features": [], "attribution": ["Source"]}
    (feature,) = msgspec.json.decode(file.getvalue())["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.0, 1.0]}
