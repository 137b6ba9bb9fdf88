"""Plots as SVG, readable without colours, and with their texts as text.

The colours are Okabe and Ito's, which people with any kind of colour blindness can distinguish (Color Universal Design,
2008). Hatching, markers and line styles also work on paper. The drawing has no ``style`` attribute, so that it can be
used in a page whose content security policy allows none.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from sitematch.extras import needs_extra
from sitematch.reports.plot import Band, BarPlot, FanPlot, Level, Line, LinePlot, Plot, X
from sitematch.reports.plot_text import plot_text

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
_HATCHES = ("", "///", "...", "xx", "\\\\\\")
_LINE_STYLES = ("-", "--", "-.", ":", (0, (8, 2)))
_MARKERS = ("o", "s", "^", "D", "x")
_BAND_GREYS = ("#DDE9F2", "#B4D0E4", "#82B0D2")
"""From the widest interval to the narrowest; each is clearly darker than the previous one, also in print."""

_WIDTH_INCHES = 8.0
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    # A hospital's name may contain dollar signs.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# matplotlib's settings apply to the whole process.
_drawing = threading.Lock()

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_FONT_FAMILY = "'DejaVu Sans', Verdana, sans-serif"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def draw(plot: Plot, zone: ZoneInfo) -> str:
    """Draw a plot.

    Parameters
    ----------
    plot
        The plot.
    zone
        The time zone for displayed times.

    Returns
    -------
    str
        An ``svg`` element for a page or a file, without scripts, style attributes and external addresses. Its title is
        the plot's and its description the text equivalent. The same plot gives the same text.
    """
    with needs_extra("reports", "The plot of a report"):
        import matplotlib
    from matplotlib.figure import Figure

    with _drawing, matplotlib.rc_context():
        # The user's settings for other drawings are ignored here.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS | {"svg.hashsalt": plot.name})  # type: ignore[arg-type]
        figure = Figure(figsize=(_WIDTH_INCHES, _height_inches(plot)), layout="constrained")
        axes = figure.subplots()
        if isinstance(plot, BarPlot):
            _draw_bars(axes, plot)
        elif isinstance(plot, LinePlot):
            _draw_lines(axes, plot, zone)
        else:
            _draw_fan(axes, plot, zone)
        handles, labels = axes.get_legend_handles_labels()
        if len(handles) > 1:
            figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _tidy(out.getvalue(), plot, plot_text(plot, zone))


def _height_inches(plot: Plot) -> float:
    if not isinstance(plot, BarPlot):
        return 4.0
    rows = len(plot.categories) * (1 if plot.is_stacked else len(plot.series))
    return 1.2 + 0.24 * max(rows, 2)


def _draw_bars(axes: Any, plot: BarPlot) -> None:
    from matplotlib.ticker import MaxNLocator

    places = range(len(plot.categories))
    starts = [0.0] * len(plot.categories)
    thickness = 0.75 if plot.is_stacked else 0.8 / len(plot.series)
    for number, row in enumerate(plot.series):
        values = [0 if value is None else value for value in row.values]
        offset = 0.0 if plot.is_stacked else (number - (len(plot.series) - 1) / 2) * thickness
        bars = axes.barh(
            [place + offset for place in places],
            values,
            height=thickness,
            left=starts if plot.is_stacked else 0,
            label=row.label,
            color=_COLOURS[number % len(_COLOURS)],
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="black",
            linewidth=0.6,
        )
        if not plot.is_stacked:
            axes.bar_label(bars, [_known(value) for value in row.values], padding=3)
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    if plot.is_stacked:
        for place, end in zip(places, starts, strict=True):
            axes.annotate(_known(end), (end, place), xytext=(3, 0), textcoords="offset points", va="center")
    axes.set_yticks(list(places), plot.categories)
    axes.set_ylim(len(plot.categories) - 0.4, -0.6)
    axes.set_xlabel(plot.value_label)
    axes.set_ylabel(plot.category_label)
    axes.margins(x=0.08)
    if all(isinstance(value, int) for row in plot.series for value in row.values if value is not None):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _known(value: int | float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _draw_lines(axes: Any, plot: LinePlot, zone: ZoneInfo) -> None:
    for number, line in enumerate(plot.lines):
        _draw_line(axes, line, zone, number)
    _finish(axes, plot, zone, [x for line in plot.lines for x, _ in line.points])


def _draw_fan(axes: Any, plot: FanPlot, zone: ZoneInfo) -> None:
    for number, band in enumerate(plot.bands):
        _draw_band(axes, band, zone, number)
    _draw_line(axes, plot.observed, zone, 0, marker="")
    _draw_line(axes, plot.expected, zone, 1, marker="")
    for number, line in enumerate(plot.references, 2):
        _draw_line(axes, line, zone, number, marker="x")
    _finish(axes, plot, zone, [x for line in (plot.observed, plot.expected) for x, _ in line.points])


def _draw_line(axes: Any, line: Line, zone: ZoneInfo, number: int, *, marker: str | None = None) -> None:
    axes.plot(
        [_place(x, zone) for x, _ in line.points],
        [y for _, y in line.points],
        label=line.label,
        color="black" if marker == "" else _COLOURS[number % len(_COLOURS)],
        linestyle=_LINE_STYLES[number % len(_LINE_STYLES)],
        marker=_MARKERS[number % len(_MARKERS)] if marker is None else marker,
        markevery=max(1, len(line.points) // 12),
        markersize=4,
        drawstyle="steps-post" if line.is_stepped else "default",
    )


def _draw_band(axes: Any, band: Band, zone: ZoneInfo, number: int) -> None:
    axes.fill_between(
        [_place(x, zone) for x, _, _ in band.points],
        [low for _, low, _ in band.points],
        [high for _, _, high in band.points],
        label=band.label,
        facecolor=_BAND_GREYS[number % len(_BAND_GREYS)],
        edgecolor="#33607F",
        linestyle=_LINE_STYLES[(number + 2) % len(_LINE_STYLES)],
        linewidth=0.6,
    )


def _finish(axes: Any, plot: LinePlot | FanPlot, zone: ZoneInfo, xs: Sequence[X]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for level in plot.levels:
        _draw_level(axes, level)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    if xs and isinstance(xs[0], date):
        locator = AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)


def _draw_level(axes: Any, level: Level) -> None:
    axes.axhline(level.value, color="#B34700", linestyle=(0, (6, 2, 1, 2)), linewidth=1.2)
    axes.annotate(
        level.label,
        (0.01, level.value),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        color="#B34700",
    )


def _place(x: X, zone: ZoneInfo) -> Any:
    if isinstance(x, datetime):
        return x.astimezone(zone)
    return datetime(x.year, x.month, x.day, tzinfo=zone) if isinstance(x, date) else x


def _tidy(drawn: str, plot: Plot, description: str) -> str:
    """Turn style attributes into SVG's own, remove parts that a page does not need, and name the drawing."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawn)  # noqa: S314 - matplotlib wrote it a moment ago
    for unused in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(unused)
    for definitions in root.findall(f"{{{_SVG}}}defs"):
        for style in definitions.findall(f"{{{_SVG}}}style"):
            # "*{stroke-linejoin: round; stroke-linecap: butt}"; the first is said below, the second is SVG's default.
            definitions.remove(style)
    used = {found for element in root.iter() for value in element.attrib.values() for found in _referred(value)}
    for element in root.iter():
        for name, value in _declarations(element.attrib.pop("style", "")):
            element.set(name, _FONT_FAMILY if name == "font-family" else value)
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
    root.set("stroke-linejoin", "round")
    root.set("role", "img")
    root.set("class", "plot")
    root.set("aria-labelledby", f"{plot.name}-title")
    root.set("aria-describedby", f"{plot.name}-text")
    title = ET.Element(f"{{{_SVG}}}title", {"id": f"{plot.name}-title"})
    title.text = plot.title
    text = ET.Element(f"{{{_SVG}}}desc", {"id": f"{plot.name}-text"})
    text.text = description
    root.insert(0, title)
    root.insert(1, text)
    return ET.tostring(root, encoding="unicode")


def _referred(value: str) -> list[str]:
    return [value[1:]] if value.startswith("#") else _REFERENCE.findall(value)


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    return [(name.strip(), value.strip()) for name, _, value in pairs]
