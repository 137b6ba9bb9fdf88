"""The rows of CSV files, Excel workbooks and NDJSON, as texts and one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

from sitematch.domain.table_cells import join_texts, restore_formula, restore_from_workbook
from sitematch.errors import DataFault, Fault, NotReady

Row = tuple[int, tuple[str, ...]]
"""A row's number in its file, the first being 1, and its cells; of CSV the number of its first line."""


def read_rows(path: Path, sheet: str = "") -> Iterator[Row]:
    """Yield the rows of a file, the header first; rows of empty cells are left out.

    Parameters
    ----------
    path
        CSV in UTF-8 with commas, semicolons or tabs between cells, an Excel workbook (.xlsx), or NDJSON of flat
        objects with the same names in each; which of them is told from its first bytes. Apostrophes before what a
        spreadsheet would run are taken off in CSV. All is read at a constant memory.
    sheet
        Name of a workbook's sheet; its first one if empty.

    Raises
    ------
    NotReady
        If there is no such file.
    DataFault
        If it is not UTF-8, no workbook, or broken; if there is no such sheet. It can come after good rows.
    """
    with open_file(path, "a CSV or Excel file") as file:
        head = file.read(8)
        file.seek(0)
        if head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise refused(path.name, "is a workbook of Excel 2003 or before; save it as .xlsx")
        if head[:4] == b"PK\x03\x04":
            found = _workbook_rows(file, table_name(path, sheet), sheet)
        elif head[:1] == b"{":
            found = _ndjson_rows(file, path.name)
        else:
            found = _csv_rows(path, path.name)
        yield from (row for row in found if any(row[1]))


def open_file(path: Path, wanted: str) -> IO[bytes]:
    """Open a file to read.

    Raises
    ------
    NotReady
        If it is not there or cannot be read; the message says to name what is `wanted`.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotReady(f"There is no file {path}: name {wanted}.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise NotReady(f"{path} cannot be read as a file: {error.strerror}.") from error


def table_name(path: Path, sheet: str) -> str:
    """Return what to call a table: its file's name, and the sheet's."""
    return f"{path.name}, sheet {sheet}" if sheet else path.name


def refused(name: str, reason: str) -> DataFault:
    """Return the fault of a file as a whole."""
    return DataFault(f"{name} {reason}.", faults=[Fault(0, "", "", reason, place=name)])


def _csv_rows(path: Path, name: str) -> Iterator[Row]:
    start = 1
    try:
        # newline="": the csv module has to see line ends inside quotes as they are.
        with path.open(encoding="utf-8-sig", newline="") as text:
            first = ""
            while not first.strip() and (line := text.readline()):
                first = line
            text.seek(0)
            reader = csv.reader(text, delimiter=max(",;\t", key=first.count))
            for cells in reader:
                yield start, tuple(map(restore_formula, cells))
                start = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise refused(name, f"is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise refused(name, f"cannot be read from line {start} on: {error}") from error


def _ndjson_rows(file: IO[bytes], name: str) -> Iterator[Row]:
    header: tuple[str, ...] = ()
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise refused(name, f"cannot be read from line {number} on: {error}") from error
        if not isinstance(found, dict):
            raise refused(name, f"has no JSON object in line {number}")
        if not header:
            header = tuple(found)
            yield 0, header
        if found.keys() != set(header):
            raise refused(name, f"has other names in line {number} than in line 1")
        try:
            yield number, tuple(_json_text(found[column]) for column in header)
        except TypeError as error:
            raise refused(name, f"holds in line {number} {error}") from None


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return join_texts(tuple(value))
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError("a value that is not text, a number or a list of texts")


def _workbook_rows(file: IO[bytes], name: str, sheet: str) -> Iterator[Row]:
    # Some 0.3 s to import; only workbooks need it.
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise refused(name, f"is not a readable Excel workbook ({error})") from error
    try:
        if sheet and sheet not in workbook.sheetnames:
            raise refused(name, f"does not exist; the sheets are {', '.join(workbook.sheetnames)}")
        chosen = workbook[sheet] if sheet else workbook.worksheets[0]
        for number, cells in enumerate(chosen.iter_rows(values_only=True), start=1):
            yield number, tuple(map(_workbook_text, cells))
    finally:
        workbook.close()


def _workbook_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return restore_from_workbook(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Excel keeps 33180 as 33180.0; a zero before it is lost already.
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
