"""Formatting of cells for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sitematch.reports.document import Cell, CellKind, CellTone, Column, Report, Table

_DAY_S = 86_400

SIGNS: dict[CellTone, str] = {CellTone.GOOD: "", CellTone.WARN: "△", CellTone.ALERT: "▲"}
"""The sign before a marked cell, so that it is visible without colours."""

SIGNS_NOTE = "▲ needs attention, △ may need attention soon."
"""The explanations below a table with marks."""


def shown(column: Column, value: Cell, zone: ZoneInfo) -> str:
    """Format a cell for a person.

    Parameters
    ----------
    column
        Its column.
    value
        Its value.
    zone
        The time zone for displayed times.

    Examples
    --------
    >>> share = Column(name="used", label="Used", kind=CellKind.SHARE, digits=0, missing="no cap")
    >>> shown(share, 0.375, ZoneInfo("UTC")), shown(share, None, ZoneInfo("UTC"))
    ('38 %', 'no cap')
    >>> since = Column(name="held_at", label="Held since", kind=CellKind.INSTANT)
    >>> shown(since, datetime(2026, 7, 1, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    '2026-07-01 14:00'
    """
    if value is None:
        return column.missing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / _DAY_S:,.{column.digits}f} d"
    if isinstance(value, int | float) and column.kind is not CellKind.INTEGER:
        if column.kind is CellKind.SHARE:
            return f"{100 * value:,.{column.digits}f} %"
        return f"{value:,.{column.digits}f}" + (" km" if column.kind is CellKind.KM else "")
    return f"{value:,}" if isinstance(value, int) else str(value)


def plain(value: Cell) -> str | int | float | bool | None:
    """Format a cell for a program: times in UTC and days as ISO 8601, durations in seconds.

    Examples
    --------
    >>> plain(timedelta(hours=1)), plain(datetime(2026, 7, 1, 12, tzinfo=UTC)), plain(date(2026, 7, 1)), plain(None)
    (3600.0, '2026-07-01T12:00:00Z', '2026-07-01', None)
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def signed(column: Column, value: Cell, zone: ZoneInfo) -> str:
    """Format a cell for a person, with the sign of its mark before it."""
    tone = column.tone_of(value)
    sign = "" if tone is None else SIGNS[tone]
    return f"{sign} {shown(column, value, zone)}".lstrip()


def total_shown(table: Table, at: int, zone: ZoneInfo) -> str:
    """Format one cell of a table's totals for a person; an empty first cell gets the row's name."""
    value = None if table.totals is None else table.totals[at]
    if value is None:
        return "" if at else "Total"
    return signed(table.columns[at], value, zone)


def notes_of(table: Table) -> tuple[str, ...]:
    """Return the lines below a table: the meaning of its signs, and its notes."""
    has_signs = any(
        SIGNS[tone]
        for row in table.rows
        for column, value in zip(table.columns, row, strict=True)
        if (tone := column.tone_of(value)) is not None
    )
    return ((SIGNS_NOTE,) if has_signs else ()) + table.notes


WIDEST = 22
"""More columns than this are shown in two tables, where a page has a width."""


def parts_of(table: Table) -> tuple[Table, ...]:
    """Return a table as a page shows it: with many columns, the main ones first, then the details below them.

    Both parts have all rows, and begin with the first column and the texts that follow it.
    """
    details = [at for at, column in enumerate(table.columns) if column.is_detail]
    if len(table.columns) <= WIDEST or not details:
        return (table,)
    names = [0]
    while table.columns[names[-1] + 1].kind is CellKind.TEXT:
        names.append(names[-1] + 1)
    main = [at for at in range(len(table.columns)) if at in names or at not in details]
    return tuple(
        replace(
            table,
            columns=tuple(table.columns[at] for at in places),
            rows=tuple(tuple(row[at] for at in places) for row in table.rows),
            totals=None if table.totals is None else tuple(table.totals[at] for at in places),
            notes=table.notes if part else (),
        )
        for part, places in enumerate((main, [*names, *(at for at in details if at not in names)]))
    )


def facts_of(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the facts that every format shows: the subject of the report, its time, and its sources."""
    return (
        ("Study", f"{report.study_id}: {report.study_title}"),
        ("As of", f"{report.as_of.astimezone(report.zone):%Y-%m-%d %H:%M:%S} ({report.time_zone})"),
        ("Filters", "; ".join(f"{name}: {value}" for name, value in report.filters) or "none"),
        *report.sources,
        ("Made by", report.version),
    )
