"""Tables as files, written row by row: CSV and NDJSON here, Excel in `sitematch.exporters.tables.workbook`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import IO

import msgspec

from sitematch.domain.table_cells import Value, cell_text

CSV_TYPE = "text/csv"
NDJSON_TYPE = "application/x-ndjson"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TableFormat(StrEnum):
    """Formats of a table; the value is the file's ending."""

    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


def write_table(
    file: IO[bytes],
    form: TableFormat,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    title: str = "sitematch",
) -> None:
    """Write a table.

    Parameters
    ----------
    file
        The output; it stays open. A workbook is built in a temporary file and written at the end.
    form
        The format.
    header
        The columns' names.
    rows
        Their values, each row as long as the header; read once.
    title
        Name of a workbook's sheet.

    Raises
    ------
    InvalidInput
        If the rows do not fit into a workbook.
    """
    if form is TableFormat.XLSX:
        from sitematch.exporters.tables.workbook import write_workbook

        write_workbook(file, header, rows, title=title)
    elif form is TableFormat.CSV:
        write_csv(file, header, rows)
    else:
        write_ndjson(file, header, rows)


def write_csv(
    file: IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    line_end: str = "\r\n",
    for_excel: bool = False,
) -> None:
    """Write CSV in UTF-8 (RFC 4180); a text that a spreadsheet would run as a formula gets a leading apostrophe.

    Parameters
    ----------
    file, header, rows
        See `write_table`.
    line_end
        The default is that of RFC 4180; only with it, a carriage return inside a cell is quoted.
    for_excel
        Begin with a byte-order mark; without it, Excel on Windows reads the file in the local code page.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig" if for_excel else "utf-8", newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(map(cell_text, row) for row in rows)
    text.detach()


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Value]], *, line_end: str = "\r\n") -> str:
    """Return the output of `write_csv` as text, for short tables."""
    file = io.BytesIO()
    write_csv(file, header, rows, line_end=line_end)
    return file.getvalue().decode()


def write_ndjson(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write one JSON object per line, with the header's names; empty cells are null, several texts are an array."""
    encoder = msgspec.json.Encoder()
    for row in rows:
        file.write(encoder.encode(dict(zip(header, row, strict=True))) + b"\n")
