"""``sites.csv``: the catalogue's own table of sites, checked row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sitematch.domain.studies.site import SITE_COLUMNS, Site
from sitematch.domain.table_cells import restore_formula
from sitematch.errors import DataFault, Fault, InvalidInput
from sitematch.importers.tables.site_rows import InCountry, RowCheck, summary


@dataclass(frozen=True, slots=True)
class SitesFile:
    """The content of a file of sites.

    Parameters
    ----------
    sites
        The good rows, in the file's order.
    faults
        All errors of the other rows, in the file's order.
    """

    sites: tuple[Site, ...]
    faults: tuple[Fault, ...]


def read_sites(path: Path, *, keep_good_rows: bool = False, in_country: InCountry | None = None) -> SitesFile:
    """Read and check a file of sites.

    Parameters
    ----------
    path
        CSV in UTF-8, with or without a byte-order mark, any line endings, a header with `SITE_COLUMNS` in any order.
    keep_good_rows
        Keep the good rows of a file with errors; otherwise one error refuses the whole file.
    in_country
        If given, a point outside its row's country is an error; usually latitude and longitude are swapped.

    Returns
    -------
    SitesRead
        The sites and, only with `keep_good_rows`, the faults.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If a row has a fault and `keep_good_rows` is false; or if the file is empty, is not UTF-8, lacks a column or has
        no good row. `.faults` lists all errors with their lines.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {path}: name a CSV file of sites.", field="source") from error
    return parse_sites(content, name=path.name, keep_good_rows=keep_good_rows, in_country=in_country)


def parse_sites(
    content: bytes, *, name: str, keep_good_rows: bool = False, in_country: InCountry | None = None
) -> SitesFile:
    """Check a file of sites that is already in memory; see `read_sites`.

    Parameters
    ----------
    content
        The file's bytes.
    name
        What to call it in messages.
    keep_good_rows, in_country
        See `read_sites`.

    Raises
    ------
    DataFault
        See `read_sites`.
    """
    rows = _rows(content, name)
    sites: list[Site] = []
    faults: list[Fault] = []
    first_line_of: dict[str, int] = {}
    for line, values in rows:
        row = RowCheck(line, values, in_country)
        site = row.site()
        if row.site_id in first_line_of:
            row.fault("site_id", f"the same id is in line {first_line_of[row.site_id]}; each id must be unique")
        elif row.site_id:
            first_line_of[row.site_id] = line
        if row.faults or site is None:
            faults.extend(row.faults)
        else:
            sites.append(site)
    if not sites or (faults and not keep_good_rows):
        if not faults:
            faults.append(Fault(0, "", "", "the file has a header but no rows; add at least one site"))
        raise DataFault(summary(name, faults), faults=faults)
    return SitesFile(tuple(sites), tuple(faults))


def _rows(content: bytes, name: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Decode the file and yield each row with its line; refuse files that are not a table of sites."""

    def refuse(reason: str) -> DataFault:
        return DataFault(f"{name}: {reason}", faults=[Fault(0, "", "", reason)])

    if not content.strip():
        raise refuse("the file is empty; add a header and at least one row")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"the file is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader)]
    missing = [column for column in SITE_COLUMNS if column not in header]
    if missing:
        faults = [Fault(1, column, "", "the column is missing") for column in missing]
        raise DataFault(f"{name}: missing column{'s' * (len(missing) > 1)} {', '.join(missing)}", faults=faults)

    def numbered() -> Iterator[tuple[int, Mapping[str, str]]]:
        start = reader.line_num + 1
        for cells in reader:
            if any(restore_formula(cell.strip()) for cell in cells):
                yield start, dict(zip(header, (restore_formula(cell.strip()) for cell in cells), strict=False))
            start = reader.line_num + 1

    return numbered()
