"""A report as one value: all that it shows is in here, and the renderers only render.

::

    Report ── sections ── Section ── text
                                  ├─ plot     BarPlot, LinePlot, FanPlot (see `sitematch.reports.plot`)
                                  └─ table    Table ── columns, rows, totals, notes

So the same numbers stand in every format, and the same inputs give the same bytes: a report holds no clock, and what
it was counted from is written in it.
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
"""What a table's field can hold; None is "there is none" or "not known", as its column says."""


class CellKind(StrEnum):
    """What a column's cells are, and so how they are written."""

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
    """How much a cell asks to be noticed; renderers use a weight or sign beside the colour."""

    GOOD = "good"
    WARN = "warn"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMark:
    """When a cell is to be noticed.

    Parameters
    ----------
    tone
        How much.
    equals
        Marks cells with this value; None if `at_least` decides.
    at_least
        Marks numbers of this much and more.
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
        What the cells are.
    description
        One sentence: what is counted, and what is not.
    missing
        What people read where a cell is None, e.g. ``"unknown"``, ``"no cap"``, ``"fewer than 11"``.
    digits
        Decimals shown to people of a `NUMBER`, `SHARE` (of its percentage), `KM` or `DURATION` (of its days);
        programs get the number as it is.
    marks
        When a cell is to be noticed; the first that fits decides.
    is_detail
        Whether a narrow terminal may leave it out, and say so.

    Raises
    ------
    ValueError
        If the name is in no such form.
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
        """Return how much a cell of this column asks to be noticed; None if not."""
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
    """Rows of equal form.

    Parameters
    ----------
    name
        Unique in the report, lower case with hyphens: sheets, files and CSV rows are named after it.
    columns
        At least one, no two of one name.
    rows
        In the order shown: each has one cell for each column.
    totals
        What stands below the rows: one cell for each column, None where nothing adds up; None for no such row.
    notes
        What must be known to read it: that caps overlap, that numbers are suppressed.

    Raises
    ------
    ValueError
        If a row has another length than the columns, a cell does not fit its column's kind, a number is not finite,
        an instant is not aware, or a name is used twice.
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
    """One part of a report: what is said first, then the plot, then the table.

    Parameters
    ----------
    title
        Its heading.
    text
        Paragraphs: the finding in plain words, with its uncertainty.
    plot, table
        Each may be absent.
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
        Which report, e.g. ``"capacity"``; lower case with hyphens.
    title
        Its heading, e.g. ``"Capacity"``.
    study_id, study_title
        The study that it is about.
    as_of
        The instant that it describes (aware).
    time_zone
        The IANA name of the zone in which instants, days and months are shown and counted, e.g. ``"Europe/Berlin"``.
    version
        The program and its version, e.g. ``"sitematch 0.1.0"``.
    sections
        In the order shown. Table and plot names are unique over all of them.
    filters
        What was asked beyond the study and the instant, as (name, value); empty is everything.
    sources
        What it was worked out from, as (name, value), e.g. how far the ledger went.
    notes
        What holds for all of it: what a reader may not see, that the catalogue keeps no history, a study's notice.

    Raises
    ------
    ValueError
        If `as_of` is not aware, the zone is unknown, or a name is used twice.
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
        """Every table, in order; the first is the one that the report is about."""
        return tuple(section.table for section in self.sections if section.table is not None)


def _fits(kind: CellKind, value: Cell) -> bool:
    # Exact types: a bool is an int to Python and a datetime a date, and numpy's own numbers cannot be written as JSON.
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
