"""The rows of CSV files, Excel workbooks and NDJSON, read as texts and one at a time."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, Any, TextIO

from sitematch.domain.table_cells import join_texts, restore_formula, restore_from_workbook
from sitematch.errors import DataFault, Fault
from sitematch.extras import needs_extra
from sitematch.importers import file_kinds
from sitematch.importers.fhir.places import read_place_rows as read_fhir_rows
from sitematch.importers.limits import NO_LIMITS, FileLimits, check_archive, check_rows, over_limit
from sitematch.importers.opened import open_file
from sitematch.importers.tables.hsds import read_place_rows as read_hsds_rows

Row = tuple[int, tuple[str, ...]]
"""A row's number in its file, from 1, and its cells; for CSV the number of its first line."""


ENCODINGS = ("UTF-8", "UTF-16 with a byte-order mark", "Windows-1252")
"""Encodings of CSV files that are tried, in this order."""

_LONGEST_CELL = 16 << 20
_DELIMITERS = ",;\t|"
_COUNTED_MEMBER = re.compile(r"sharedstrings\.xml$|worksheets/")
_COUNTED_TAG = re.compile(rb"<(?:[\w.-]{1,64}:)?(si|row|c)[\s/>]")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def read_rows(
    path: Path, sheet: str = "", *, notice: Callable[[str], None] = lambda _: None, limits: FileLimits = NO_LIMITS
) -> Iterator[Row]:
    """Yield the rows of a file, the header first; rows of empty cells are left out.

    Parameters
    ----------
    path
        CSV in one of `ENCODINGS` with commas, semicolons, tabs or bars between cells, or the separator of a first line
        ``sep=;``; an Excel workbook (.xlsx); or NDJSON of flat objects with the same names in each. The first bytes
        show which one it is. In CSV, apostrophes before formulas are removed. Memory use is constant. FHIR Locations
        and Organizations, and Open Referral's locations, are turned into rows; they are read into memory.
    sheet
        Name of a workbook's sheet; its first one if empty.
    notice
        Gets notices about unusual ways in which the file is read.
    limits
        The limits of reading.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it has none of these formats, is damaged, or exceeds a limit, or if there is no such sheet. This can happen
        after good rows.
    """
    with open_file(path, "a CSV or Excel file") as file:
        head = file.read(8)
        file.seek(0)
        kind = file_kinds.file_kind(path)
        if kind is file_kinds.FHIR:
            found = read_fhir_rows(path, notice=notice, limits=limits)
        elif kind is file_kinds.HSDS:
            found = read_hsds_rows(path, limits=limits)
        elif kind:
            raise refused(path.name, f"is not a table: it looks like {kind}")
        elif head[:4] == b"PK\x03\x04":
            found = _workbook_rows(file, table_name(path, sheet), sheet, limits)
        elif head[:1] == b"{":
            found = _ndjson_rows(file, path.name)
        else:
            found = _csv_rows(path, path.name, notice)
        yield from (row for row in check_rows(found, path.name, limits) if any(row[1]))


def csv_rows(
    path: Path, *, notice: Callable[[str], None] = lambda _: None, limits: FileLimits = NO_LIMITS
) -> Iterator[Row]:
    """Yield the rows of a CSV file whose kind is known, with cells of any length; see `read_rows`."""
    # One cell of ClinicalTrials.gov's download holds all locations of a study: up to about 200,000 characters.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    limits = replace(limits, cell_characters=_LONGEST_CELL)
    with open_file(path, "a CSV file"):
        pass
    yield from (row for row in check_rows(_csv_rows(path, path.name, notice), path.name, limits) if any(row[1]))


def table_name(path: Path, sheet: str) -> str:
    """Return the name of a table: its file's name, and the sheet's."""
    return f"{path.name}, sheet {sheet}" if sheet else path.name


def refused(name: str, reason: str) -> DataFault:
    """Return an error that concerns the whole file."""
    return DataFault(f"{name} {reason}.", faults=[Fault(0, "", "", reason, place=name)])


def _csv_rows(path: Path, name: str, notice: Callable[[str], None]) -> Iterator[Row]:
    encoding = _encoding(path, name, notice)
    start = 1
    try:
        # newline="": the csv module must see line endings inside quotes unchanged.
        with path.open(encoding=encoding, newline="") as text:
            stated = _SEPARATOR_LINE.fullmatch(text.readline().strip("\r\n"))
            if stated:
                notice(f"The first line sets {stated[1]!r} as the separator.")
            else:
                text.seek(0)
                delimiter = _delimiter(text)
                text.seek(0)
            above = 1 if stated else 0
            start += above
            reader = csv.reader(text, delimiter=stated[1] if stated else delimiter)
            for cells in reader:
                yield start, tuple(map(restore_formula, cells))
                start = above + reader.line_num + 1
    except UnicodeDecodeError as error:
        raise refused(name, f"is not {encoding} (byte {error.start}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise refused(name, f"cannot be read from line {start} on: {error}") from error


def _delimiter(text: TextIO) -> str:
    """Choose the separator that most of the first lines have; titles above a header may have none."""
    lines = [line for line in islice(text, 25) if line.strip()]
    return max(
        _DELIMITERS, key=lambda mark: (sum(mark in line for line in lines), sum(line.count(mark) for line in lines))
    )


def _encoding(path: Path, name: str, notice: Callable[[str], None]) -> str:
    """Find the encoding of a file in `ENCODINGS`, by reading it once."""
    with path.open("rb") as file:
        head = file.read(4_096)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        notice("The file is in UTF-16.")
        return "utf-16"
    # UTF-16 without a mark has a null byte in every second position, and would pass as one of the others.
    tried = () if head.count(0) * 4 > len(head) else ("utf-8-sig", "cp1252")
    for encoding in tried:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            notice("The file is not UTF-8 and was read as Windows-1252: check names with accents.")
        return encoding
    raise refused(name, f"is in none of the encodings that were tried: {', '.join(ENCODINGS)}; save it as CSV UTF-8")


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


def _workbook_rows(file: IO[bytes], name: str, sheet: str, limits: FileLimits) -> Iterator[Row]:
    # The import takes about 0.3 s, and only workbooks need it.
    import zipfile
    import zlib
    from xml.etree.ElementTree import ParseError

    with needs_extra("reports", "An Excel workbook"):
        from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if limits != NO_LIMITS:
            _check_workbook(file, name, limits)
        workbook = load_workbook(file, read_only=True, data_only=True)
        try:
            if sheet and sheet not in workbook.sheetnames:
                raise refused(name, f"does not exist; the sheets are {', '.join(workbook.sheetnames)}")
            chosen = workbook[sheet] if sheet else workbook.worksheets[0]
            # Some programs state that a sheet of ten cells extends to XFD1048576; each row is as wide as its own cells.
            chosen.reset_dimensions()
            for number, cells in enumerate(chosen.iter_rows(values_only=True), start=1):
                yield number, tuple(map(_workbook_text, cells))
        finally:
            workbook.close()
    except DataFault:
        raise
    except (
        InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, OSError, EOFError, RuntimeError,
        ValueError, TypeError, AttributeError, LookupError, ArithmeticError,
    ) as error:  # fmt: skip
        # With a damaged workbook, openpyxl can fail at any point, also after good rows.
        raise refused(name, f"is not a readable Excel workbook ({type(error).__name__}: {error})") from error


def _check_workbook(file: IO[bytes], name: str, limits: FileLimits) -> None:
    """Refuse a workbook that is too large when unpacked, or has too many texts, rows or cells.

    The library reads all texts, and may read every sheet, before it yields the first row. A tag that is split between
    two parts of the file is not counted; one more or less makes no difference.
    """
    import zipfile

    most = {b"si": limits.cells, b"c": limits.cells, b"row": limits.rows}
    called = {b"si": "texts", b"c": "cells in a sheet", b"row": "rows in a sheet"}
    with zipfile.ZipFile(file) as archive:
        check_archive((member.file_size for member in archive.infolist()), name, limits)
        for member in archive.namelist():
            if not _COUNTED_MEMBER.search(member.lower()):
                continue
            counts: Counter[bytes] = Counter()
            with archive.open(member) as opened:
                while chunk := opened.read(1 << 20):
                    counts.update(_COUNTED_TAG.findall(chunk))
                    for tag, count in counts.items():
                        if count > most[tag]:
                            raise over_limit(name, called[tag], most[tag])
    file.seek(0)


def _workbook_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return restore_from_workbook(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Excel stores 33180 as 33180.0; a leading zero is already lost.
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
