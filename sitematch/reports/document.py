"""A report as one value with all its content, so that renderers only render.

::

    Report ── sections ── Section ── text
                                  ├─ plot     BarPlot, LinePlot, FanPlot (see `sitematch.reports.plot`)
                                  └─ table    Table ── columns, rows, totals, notes

So every format has the same numbers, and the same inputs give the same bytes: a report does not read the clock, and it
names its sources.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sitematch.domain.time_zones import zone_named
from sitematch.reports.plot import Plot

Cell = str | int | float | bool | date | datetime | timedelta | None
"""The types of a cell; None means "none" or "unknown", as its column says."""


class CellKind(StrEnum):
    """Kinds of columns, which determine how cells are formatted."""

    TEXT = "TEXT"
    """A `str`: names, ids, codes."""
    INTEGER = "INTEGER"
    """An `int`: counts."""
    NUMBER = "NUMBER"
    """A `float`, shown with the column's `digits`."""
    SHARE = "SHARE"
    """A `float`, 1 is the whole; shown as a percentage with `digits` decimals."""
    KM = "KM"
    """A `float`: kilometres, shown with `digits`."""
    DURATION = "DURATION"
    """A `timedelta`; shown as days with `digits`, in seconds for programs."""
    INSTANT = "INSTANT"
    """An aware `datetime`, shown in the report's time zone to the minute."""
    DATE = "DATE"
    """A `date`."""
    FLAG = "FLAG"
    """A `bool`, shown as yes or no."""


_TYPES: dict[CellKind, tuple[type, ...]] = {
    CellKind.TEXT: (str,),
    CellKind.INTEGER: (int,),
    CellKind.NUMBER: (float, int),
    CellKind.SHARE: (float, int),
    CellKind.KM: (float, int),
    CellKind.DURATION: (timedelta,),
    CellKind.INSTANT: (datetime,),
    CellKind.DATE: (date,),
    CellKind.FLAG: (bool,),
}
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")


class CellTone(StrEnum):
    """How strongly a cell is highlighted; renderers use a font weight or a sign in addition to the colour."""

    GOOD = "good"
    WARN = "warn"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMark:
    """A rule for highlighting a cell.

    Parameters
    ----------
    tone
        How strongly.
    equals
        Marks cells with this value; None if `at_least` decides.
    at_least
        Marks numbers from this value on.
    """

    tone: CellTone
    equals: str | bool | None = None
    at_least: int | float | None = None

    def __post_init__(self) -> None:
        if (self.equals is None) == (self.at_least is None):
            raise ValueError("A mark needs one of equals and at_least.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        For programs: lower case and underscores, with its unit: ``_km``, ``_s`` for a `DURATION`, ``_at``, ``_on``.
    label
        For people: short.
    kind
        The kind of the cells.
    description
        One sentence about what is counted and what is not.
    missing
        The displayed text if a cell is None, e.g. ``"unknown"``, ``"no cap"``, ``"fewer than 11"``.
    digits
        Decimals shown to people of a `NUMBER`, `SHARE` (of its percentage), `KM` or `DURATION` (of its days); programs
        get the exact number.
    marks
        Rules for highlighting a cell; the first one that matches decides.
    is_detail
        Whether a narrow terminal may leave it out, with a note.

    Raises
    ------
    ValueError
        If the name has another form.
    """

    name: str
    label: str
    kind: CellKind
    description: str = ""
    missing: str = "-"
    digits: int = 1
    marks: tuple[CellMark, ...] = ()
    is_detail: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)

    def tone_of(self, value: Cell) -> CellTone | None:
        """Return how strongly a cell of this column is highlighted; None if it is not."""
        if value is None:
            return None
        for mark in self.marks:
            if mark.equals is not None:
                if value == mark.equals:
                    return mark.tone
            elif isinstance(value, int | float) and mark.at_least is not None and value >= mark.at_least:
                return mark.tone
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with rows and columns.

    Parameters
    ----------
    name
        Unique in the report, lower case with hyphens; used for sheets, files and CSV rows.
    columns
        At least one, with unique names.
    rows
        In the displayed order; each has one cell for each column.
    totals
        The row of totals: one cell for each column, None if a column has no total. None for no such row.
    notes
        Information that is needed to read it, e.g. that caps overlap or numbers are suppressed.

    Raises
    ------
    ValueError
        If a row has another length than the columns, a cell does not match its column's kind, a number is not finite, a
        time is not aware, or a name is used twice.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name)
        names = [column.name for column in self.columns]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"Table {self.name}: each column needs its own name.")
        for row in self.rows if self.totals is None else (*self.rows, self.totals):
            if len(row) != len(names):
                raise ValueError(f"Table {self.name}: a row has {len(row)} cells for {len(names)} columns.")
            for column, value in zip(self.columns, row, strict=True):
                if not _fits(column.kind, value):
                    raise ValueError(f"Table {self.name}: {value!r} is not a {column.kind} for {column.name}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a report: text, then the plot, then the table.

    Parameters
    ----------
    title
        Its heading.
    text
        Paragraphs with the result in plain words, with its uncertainty.
    plot, table
        Each may be missing.
    """

    title: str
    text: tuple[str, ...] = ()
    plot: Plot | None = None
    table: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report.

    Parameters
    ----------
    kind
        The kind of report, e.g. ``"capacity"``; lower case with hyphens.
    title
        Its heading, e.g. ``"Capacity"``.
    study_id, study_title
        The study.
    as_of
        The time that it describes (aware).
    time_zone
        The IANA name of the time zone for displaying and counting times, days and months, e.g. ``"Europe/Berlin"``.
    version
        The program and its version, e.g. ``"sitematch 0.1.0"``.
    sections
        In the displayed order. Table and plot names are unique in the report.
    filters
        The options besides the study and the time, as (name, value); empty means no filter.
    sources
        The data that it is based on, as (name, value), e.g. the last event of the ledger.
    notes
        Notes about the whole report: what the reader may not see, that the catalogue keeps no history, a study's
        notice.
    summary
        What matters most, in one sentence; it comes first. Empty if there is nothing to say.

    Raises
    ------
    ValueError
        If `as_of` is not aware, the time zone is unknown, or a name is used twice.
    """

    kind: str
    title: str
    study_id: str
    study_title: str
    as_of: datetime
    time_zone: str
    version: str
    sections: tuple[Section, ...]
    filters: tuple[tuple[str, str], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    summary: str = ""

    def __post_init__(self) -> None:
        _check_name(self.kind)
        if self.as_of.tzinfo is None:
            raise ValueError("as_of must be aware.")
        zone_named(self.time_zone)
        names = [part.name for section in self.sections for part in (section.plot, section.table) if part is not None]
        for name in names:
            _check_name(name)
        if len(set(names)) < len(names):
            raise ValueError(f"Report {self.kind}: each table and plot needs its own name.")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return zone_named(self.time_zone)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in order; the first is the main one."""
        return tuple(section.table for section in self.sections if section.table is not None)


def _fits(kind: CellKind, value: Cell) -> bool:
    # Exact types, because in Python a bool is an int and a datetime a date, and JSON cannot contain numpy numbers.
    if value is None:
        return True
    if type(value) not in _TYPES[kind]:
        return False
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return not isinstance(value, float) or math.isfinite(value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid name. Use lower-case letters and digits, separated by hyphens or underscores."
        )
