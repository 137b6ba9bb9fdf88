"""A report as CSV, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from sitematch.domain.table_cells import cell_text
from sitematch.errors import InvalidInput
from sitematch.reports.document import Cell, Report, Table


def render(report: Report, *, table: str | None = None) -> bytes:
    """Return tables of a report as CSV (RFC 4180 with line feeds), UTF-8.

    Parameters
    ----------
    report
        The report.
    table
        The name of one table. None for the first table and all others with the same columns, one after another; the
        column ``table`` names the table of a row.

    Returns
    -------
    bytes
        A header, then one row for each row of the tables. Numbers are exact, times in UTC, durations in seconds; a text
        that a spreadsheet would run has a leading apostrophe. Totals are left out, because a sum over a column would
        count them again. The last columns of every row have the subject of the report.

    Raises
    ------
    InvalidInput
        If the report has no such table, or none at all.
    """
    chosen = _choose(report, table)
    about = (
        report.kind,
        report.study_id,
        report.as_of,
        report.time_zone,
        "; ".join(f"{name}: {value}" for name, value in report.filters),
        report.version,
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [column.name for column in chosen[0].columns]
    writer.writerow(["table", *names, "report", "study_id", "as_of", "time_zone", "filters", "version"])
    for part in chosen:
        for row in part.rows:
            writer.writerow([_text(value) for value in (part.name, *row, *about)])
    return out.getvalue().encode()


def omitted(report: Report, table: str | None = None) -> tuple[str, ...]:
    """Return the names of the tables that `render` leaves out. Errors: see `render`."""
    kept = {part.name for part in _choose(report, table)}
    return tuple(part.name for part in report.tables if part.name not in kept)


def _choose(report: Report, name: str | None) -> list[Table]:
    tables = report.tables
    known = ", ".join(table.name for table in tables) or "none"
    if name is None:
        chosen = [table for table in tables if _names(table) == _names(tables[0])]
    else:
        chosen = [table for table in tables if table.name == name]
    if not chosen:
        raise InvalidInput(f"The {report.kind} report has no table {name!r}; its tables: {known}.", field="table")
    return chosen


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _text(value: Cell) -> str:
    return cell_text(value.total_seconds() if isinstance(value, timedelta) else value)
