"""A report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from sitematch.reports.cell_text import facts_of, notes_of, signed, total_shown
from sitematch.reports.document import Cell, CellKind, CellTone, Column, Report, Table
from sitematch.reports.plot import BarPlot, Plot
from sitematch.reports.plot_text import plot_text

_STYLES = {CellTone.GOOD: "green", CellTone.WARN: "yellow", CellTone.ALERT: "bold red"}
_LEFT = (CellKind.TEXT, CellKind.INSTANT, CellKind.DATE, CellKind.FLAG)
_BAR_CELLS = 40
_GAP = 2
_NAME_WIDTH = 18
_BARS = "█▒░▓▞"


def print_report(report: Report, console: Console) -> None:
    """Print a report: its facts, each section's text, plot and table, then the notes.

    Parameters
    ----------
    report
        The report.
    console
        The output; on a narrow terminal, a wide table is folded.
    """
    console.print(Text(report.title, style="bold"))
    if report.summary:
        console.print(Text(report.summary, style="bold"))
    for name, value in facts_of(report):
        console.print(Text.assemble((f"{name}: ", "dim"), value))
    for section in report.sections:
        console.print()
        console.print(Text(section.title, style="bold underline"))
        for paragraph in section.text:
            console.print(Text(paragraph))
        if section.plot is not None:
            _print_plot(section.plot, report.zone, console)
        if section.table is not None:
            _print_table(section.table, report.zone, console)
    if report.notes:
        console.print()
    for note in report.notes:
        console.print(Text(f"Note: {note}"))


def _print_plot(plot: Plot, zone: ZoneInfo, console: Console) -> None:
    console.print(Text(plot_text(plot, zone), style="italic"))
    if isinstance(plot, BarPlot):
        _print_bars(plot, console)


def _print_bars(plot: BarPlot, console: Console) -> None:
    """Print stacked bars of characters; bars that do not add up are described only by the text."""
    if not plot.is_stacked and len(plot.series) > 1:
        return
    sums = [sum(row.values[at] or 0 for row in plot.series) for at in range(len(plot.categories))]
    scale = _BAR_CELLS / max(sums, default=0) if any(sums) else 0.0
    grid = RichTable(box=None, pad_edge=False, show_header=False)
    for at, category in enumerate(plot.categories):
        bar = "".join(
            _BARS[number % len(_BARS)] * round((row.values[at] or 0) * scale) for number, row in enumerate(plot.series)
        )
        grid.add_row(Text(category), Text(bar))
    console.print(grid)
    legend = "  ".join(f"{_BARS[number % len(_BARS)]} {row.label}" for number, row in enumerate(plot.series))
    console.print(Text(legend, style="dim"))


def _print_table(table: Table, zone: ZoneInfo, console: Console) -> None:
    if not table.rows:
        console.print(Text("Nothing to show."))
        return
    widths = [_least_width(table, at, zone) for at in range(len(table.columns))]
    places = list(range(len(widths)))
    if sum(widths) + _GAP * len(widths) > console.width:
        places = [at for at in places if not table.columns[at].is_detail]
    console.print(_grid(table, places, widths, zone))
    left_out = [column.label for at, column in enumerate(table.columns) if at not in places]
    if left_out:
        console.print(Text(f"Not shown because the terminal is too narrow: {', '.join(left_out)}.", style="dim"))
    for note in notes_of(table):
        console.print(Text(note, style="dim"))


def _grid(table: Table, places: Sequence[int], widths: Sequence[int], zone: ZoneInfo) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, header_style="bold", show_footer=table.totals is not None)
    for at in places:
        column = table.columns[at]
        grid.add_column(
            column.label,
            total_shown(table, at, zone),
            footer_style="bold",
            justify="left" if column.kind in _LEFT else "right",
            vertical="top",
            overflow="fold",
            min_width=widths[at],
        )
    for row in table.rows:
        grid.add_row(*(_cell(table.columns[at], row[at], zone) for at in places))
    return grid


def _least_width(table: Table, at: int, zone: ZoneInfo) -> int:
    """Return the minimum width of a column: words of its heading and numbers are not broken, but names can be."""
    column = table.columns[at]
    cells = [signed(column, row[at], zone) for row in table.rows] + [total_shown(table, at, zone)]
    longest = max(map(cell_len, cells))
    if at and column.kind is CellKind.TEXT:
        longest = min(longest, _NAME_WIDTH)
    return max(longest, *map(cell_len, column.label.split()))


def _cell(column: Column, value: Cell, zone: ZoneInfo) -> Text:
    tone = column.tone_of(value)
    return Text(signed(column, value, zone), style="" if tone is None else _STYLES[tone])
