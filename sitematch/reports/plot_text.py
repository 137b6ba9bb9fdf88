"""The text equivalent of a plot: one or two sentences, and its numbers as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sitematch.reports.document import Cell, CellKind, Column, Table
from sitematch.reports.plot import BarPlot, FanPlot, Level, Line, LinePlot, Plot, X

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def plot_text(plot: Plot, zone: ZoneInfo) -> str:
    """Describe a plot in words.

    Parameters
    ----------
    plot
        The plot.
    zone
        The time zone for displayed times.
    """
    if isinstance(plot, BarPlot):
        count = len(plot.categories)
        parts = [f"{count} bar{'' if count == 1 else 's'}: {plot.value_label} by {plot.category_label.lower()}."]
        parts += [_range(row.label, plot.categories, row.values) for row in plot.series]
        return " ".join(parts)
    if isinstance(plot, LinePlot):
        parts = [f"Lines: {plot.y_label} over {plot.x_label.lower()}."]
        parts += [_ends(line, zone) for line in plot.lines]
        return " ".join([*parts, *map(_level, plot.levels)])
    parts = [f"Fan: {plot.y_label} over {plot.x_label.lower()}.", _ends(plot.observed, zone)]
    parts.append(_ends(plot.expected, zone))
    parts += [_ends(line, zone) for line in plot.references]
    for band in plot.bands:
        if band.points:
            x, low, high = band.points[-1]
            parts.append(f"{band.label}: {_number(low)} to {_number(high)} at {_place(x, zone)}.")
    return " ".join([*parts, *map(_level, plot.levels)])


def plot_table(plot: Plot) -> Table:
    """Return a plot's numbers: one row for each category or position on the axis, one column for each series."""
    columns: list[tuple[str, dict[X, int | float | None]]] = []
    xs: Sequence[X]
    if isinstance(plot, BarPlot):
        labels = [row.label for row in plot.series]
        rows: list[tuple[Cell, ...]] = [
            (category, *(row.values[at] for row in plot.series)) for at, category in enumerate(plot.categories)
        ]
        return _table(plot.name, (plot.category_label, CellKind.TEXT), labels, rows, ())
    lines = plot.lines if isinstance(plot, LinePlot) else (plot.observed, plot.expected, *plot.references)
    for line in lines:
        columns.append((line.label, dict(line.points)))
    if isinstance(plot, FanPlot):
        for band in plot.bands:
            columns.append((f"{band.label}, low", {x: low for x, low, _ in band.points}))
            columns.append((f"{band.label}, high", {x: high for x, _, high in band.points}))
    xs = sorted({x for _, points in columns for x in points})
    rows = [(x, *(points.get(x) for _, points in columns)) for x in xs]
    notes = tuple(map(_level, plot.levels))
    return _table(plot.name, (plot.x_label, _kind_of(xs)), [label for label, _ in columns], rows, notes)


def _table(
    name: str, first: tuple[str, CellKind], labels: Sequence[str], rows: list[tuple[Cell, ...]], notes: tuple[str, ...]
) -> Table:
    columns = [Column(name="at", label=first[0], kind=first[1])]
    for number, label in enumerate(labels, 1):
        values = [row[number] for row in rows]
        kind = CellKind.INTEGER if all(value is None or isinstance(value, int) for value in values) else CellKind.NUMBER
        slug = _NOT_IN_NAMES.sub("_", label.lower()).strip("_")
        columns.append(Column(name=f"series_{number}_{slug}".rstrip("_"), label=label, kind=kind))
    return Table(name=name, columns=tuple(columns), rows=tuple(rows), notes=notes)


def _kind_of(xs: Iterable[X]) -> CellKind:
    first = next(iter(xs), None)
    if isinstance(first, datetime):
        return CellKind.INSTANT
    return CellKind.DATE if isinstance(first, date) else CellKind.NUMBER


def _range(label: str, names: Sequence[str], values: Sequence[int | float | None]) -> str:
    known = [(value, name) for value, name in zip(values, names, strict=True) if value is not None]
    if not known:
        return f"{label}: no data."
    low, high = min(value for value, _ in known), max(value for value, _ in known)
    if low == high:
        return f"{label}: {_number(low)} {'throughout' if len(known) > 1 else f'({known[0][1]})'}."
    least = next(name for value, name in known if value == low)
    most = next(name for value, name in known if value == high)
    return f"{label}: from {_number(low)} ({least}) to {_number(high)} ({most})."


def _ends(line: Line, zone: ZoneInfo) -> str:
    if not line.points:
        return f"{line.label}: no data."
    (first, low), (last, high) = line.points[0], line.points[-1]
    if first == last:
        return f"{line.label}: {_number(low)} at {_place(first, zone)}."
    return f"{line.label}: {_number(low)} at {_place(first, zone)}, {_number(high)} at {_place(last, zone)}."


def _level(level: Level) -> str:
    return f"{level.label}: {_number(level.value)}."


def _place(x: X, zone: ZoneInfo) -> str:
    if isinstance(x, datetime):
        return f"{x.astimezone(zone):%Y-%m-%d %H:%M}"
    return x.isoformat() if isinstance(x, date) else _number(x)


def _number(value: int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
