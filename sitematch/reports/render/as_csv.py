"""A report as CSV, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from sitematch.domain.table_cells import cell_text
from sitematch.errors import InvalidInput
from sitematch.reports.document import Cell, Report, Table


def render(report: Report, *, table: str | None = None) -> bytes:
    """Write tables of a report as CSV (RFC 4180 with line feeds), UTF-8.

    Parameters
    ----------
    report
        The report.
    table
        The name of one table. None is the first and every other one with the same columns, one below the other; the
        column ``table`` says which a row is of.

    Returns
    -------
    bytes
        A header, then one row for each row of the tables. Numbers are exact, instants in UTC, durations in seconds; a
        text that a spreadsheet would run has an apostrophe before it. Totals are left out: a sum over a column would
        count them again. What the report is about stands in the last columns of every row.

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
