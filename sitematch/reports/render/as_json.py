"""A report as JSON, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from sitematch.reports.cell_text import plain
from sitematch.reports.document import Cell, CellKind, Column, Report, Section, Table
from sitematch.reports.plot_text import plot_table, plot_text

Value = str | int | float | bool | None
"""The types of a field in a row."""


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    pass


class ReportColumn(_Wire, frozen=True):
    """One column of a table."""

    name: Annotated[str, Meta(description="The name of the field in each row, ending with its unit.")]
    label: str
    kind: CellKind
    description: str


class ReportTable(_Wire, frozen=True):
    """A table; all numbers are exact, not rounded."""

    name: str
    columns: tuple[ReportColumn, ...]
    rows: Annotated[
        tuple[dict[str, Value], ...],
        Meta(description="Instants in UTC and days are ISO 8601, durations are seconds; null as the column describes."),
    ]
    totals: Annotated[dict[str, Value] | None, Meta(description="Totals of the rows; null if a column has no total.")]
    notes: tuple[str, ...]


class ReportPlot(_Wire, frozen=True):
    """A plot as text and numbers."""

    name: str
    title: str
    text: Annotated[str, Meta(description="A description of the plot in text.")]
    data: ReportTable


class ReportSection(_Wire, frozen=True):
    """One part of a report."""

    title: str
    text: tuple[str, ...]
    plot: ReportPlot | None
    table: ReportTable | None


class ReportAnswer(_Wire, frozen=True):
    """A whole report."""

    kind: str
    title: str
    study_id: str
    study_title: str
    as_of: Annotated[datetime, Meta(tz=True, description="The date and time that the report describes.")]
    time_zone: Annotated[str, Meta(description="IANA name of the zone in which days and months are counted.")]
    version: Annotated[str, Meta(description="The program that made the report.")]
    filters: Annotated[dict[str, str], Meta(description="The options of the report, besides the study and the time.")]
    sources: Annotated[dict[str, str], Meta(description="The data that the report is based on.")]
    summary: Annotated[str, Meta(description="What matters most, in one sentence; may be empty.")]
    notes: tuple[str, ...]
    sections: tuple[ReportSection, ...]


def render(report: Report) -> bytes:
    """Return a report as one JSON object, UTF-8, indented, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(report_answer(report)), indent=2) + b"\n"


def report_answer(report: Report) -> ReportAnswer:
    """Return a report in its JSON type."""
    return ReportAnswer(
        kind=report.kind,
        title=report.title,
        study_id=report.study_id,
        study_title=report.study_title,
        as_of=report.as_of,
        time_zone=report.time_zone,
        version=report.version,
        filters=dict(report.filters),
        sources=dict(report.sources),
        summary=report.summary,
        notes=report.notes,
        sections=tuple(_section(section, report) for section in report.sections),
    )


def _section(section: Section, report: Report) -> ReportSection:
    plot = section.plot
    return ReportSection(
        title=section.title,
        text=section.text,
        plot=None
        if plot is None
        else ReportPlot(
            name=plot.name, title=plot.title, text=plot_text(plot, report.zone), data=_table(plot_table(plot))
        ),
        table=None if section.table is None else _table(section.table),
    )


def _table(table: Table) -> ReportTable:
    return ReportTable(
        name=table.name,
        columns=tuple(
            ReportColumn(name=column.name, label=column.label, kind=column.kind, description=_described(column))
            for column in table.columns
        ),
        rows=tuple(_row(table, row) for row in table.rows),
        totals=None if table.totals is None else _row(table, table.totals),
        notes=table.notes,
    )


def _row(table: Table, row: tuple[Cell, ...]) -> dict[str, Value]:
    return {column.name: plain(value) for column, value in zip(table.columns, row, strict=True)}


def _described(column: Column) -> str:
    null = "" if column.missing == "-" else f" Null: {column.missing}."
    return f"{column.description}{null}".strip()
