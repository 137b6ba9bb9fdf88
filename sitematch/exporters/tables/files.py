"""Tables as files, a row at a time: CSV and NDJSON here, Excel in `sitematch.exporters.tables.workbook`."""

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
    """What a table can be written as; the value is the file's ending."""

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
        Where to; it stays open. A workbook is put together beside it and written at the end.
    form
        How.
    header
        The columns' names.
    rows
        Their values, each row as long as the header; read once.
    title
        Name of a workbook's sheet.

    Raises
    ------
    InvalidInput
        If a workbook cannot hold the rows.
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
    """Write CSV in UTF-8 (RFC 4180); a text that a spreadsheet would run as a formula gets an apostrophe before it.

    Parameters
    ----------
    file, header, rows
        See `write_table`.
    line_end
        As RFC 4180 has it; a carriage return inside a cell is only quoted with this one.
    for_excel
        Begin with a byte-order mark, without which Excel on Windows takes the file for the local code page.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig" if for_excel else "utf-8", newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(map(cell_text, row) for row in rows)
    text.detach()


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Value]], *, line_end: str = "\r\n") -> str:
    """Return what `write_csv` writes, for short tables."""
    file = io.BytesIO()
    write_csv(file, header, rows, line_end=line_end)
    return file.getvalue().decode()


def write_ndjson(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write one JSON object a line, with the header's names; empty cells are null and several texts an array."""
    encoder = msgspec.json.Encoder()
    for row in rows:
        file.write(encoder.encode(dict(zip(header, row, strict=True))) + b"\n")
