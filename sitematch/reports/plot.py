"""Plots as data, independent of rendering. Each has a text equivalent from the same numbers (`plot_words`).

People who cannot see a picture get the same facts, and plots do not depend on colours: series also differ in hatching,
markers and line styles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

X = int | float | date | datetime
"""A position on a line plot's axis; a plot has one kind, and times are aware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of bars.

    Parameters
    ----------
    label
        Its name in the legend.
    values
        One for each category, in the same order; None if unknown.
    """

    label: str
    values: tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPlot:
    """Horizontal bars, the first category on top.

    Parameters
    ----------
    name
        Unique in the report, lower case with hyphens; used for files and element ids.
    title
        Its title.
    category_label, value_label
        The kind of the categories (``"Country"``), and the measured quantity with its unit (``"Participants"``).
    categories
        The label of each bar, in the displayed order. More than about fifty are unreadable, so select before.
    series
        At least one; at most five can be distinguished.
    is_stacked
        Whether the series are stacked end to end, and so add up, or shown one above the other.

    Raises
    ------
    ValueError
        If a series has another length than `categories`, or a value is not finite.
    """

    name: str
    title: str
    category_label: str
    value_label: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    is_stacked: bool = False

    def __post_init__(self) -> None:
        if not self.series:
            raise ValueError(f"{self.name}: there is nothing to draw.")
        for row in self.series:
            if len(row.values) != len(self.categories):
                raise ValueError(f"{self.name}: {row.label!r} has not one value for each category.")
            _check_finite(self.name, row.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points joined by a line.

    Parameters
    ----------
    label
        Its name in the legend.
    points
        In ascending order of x, each (x, y).
    is_stepped
        Whether y keeps its value until the next point, like a count, instead of changing in a straight line.
    """

    label: str
    points: tuple[tuple[X, int | float], ...]
    is_stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An interval around a line.

    Parameters
    ----------
    label
        Its name in the legend, e.g. ``"80 % interval"``.
    points
        In ascending order of x, each (x, low, high).
    """

    label: str
    points: tuple[tuple[X, int | float, int | float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """An important level, shown as a horizontal line: a cap, a target."""

    label: str
    value: int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlot:
    """Lines with a common axis.

    Parameters
    ----------
    name, title
        As in `BarPlot`.
    x_label, y_label
        The quantity on each axis, with its unit.
    lines
        At least one; at most five can be distinguished.
    levels
        Important levels.

    Raises
    ------
    ValueError
        If points are not in order or a value is not finite.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError(f"{self.name}: there is nothing to draw.")
        for line in self.lines:
            _check_order(self.name, [x for x, _ in line.points])
            _check_finite(self.name, [y for _, y in line.points])
        _check_finite(self.name, [level.value for level in self.levels])


@dataclass(frozen=True, slots=True, kw_only=True)
class FanPlot:
    """Past values, then a forecast with its intervals, which widen like a fan.

    Parameters
    ----------
    name, title, x_label, y_label, levels
        As in `LinePlot`.
    observed
        The past values.
    expected
        The middle of the forecast: a median or a mean; its label says which.
    bands
        Intervals around `expected`, widest first.
    references
        Lines to compare with, e.g. what an earlier pace would have given.

    Raises
    ------
    ValueError
        If points are not in order, a value is not finite, or an interval's low end is above its high end.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    observed: Line
    expected: Line
    bands: tuple[Band, ...]
    levels: tuple[Level, ...] = ()
    references: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.observed, self.expected, *self.references):
            _check_order(self.name, [x for x, _ in line.points])
            _check_finite(self.name, [y for _, y in line.points])
        for band in self.bands:
            _check_order(self.name, [x for x, _, _ in band.points])
            _check_finite(self.name, [y for _, low, high in band.points for y in (low, high)])
            if any(low > high for _, low, high in band.points):
                raise ValueError(f"{self.name}: {band.label!r} has a low end above its high end.")
        _check_finite(self.name, [level.value for level in self.levels])


Plot = BarPlot | LinePlot | FanPlot


def _check_order(name: str, xs: Sequence[X]) -> None:
    if any(after < before for before, after in pairwise(xs)):  # type: ignore[operator]
        raise ValueError(f"{name}: points are not in order.")


def _check_finite(name: str, values: Sequence[int | float | None]) -> None:
    if not all(value is None or math.isfinite(value) for value in values):
        raise ValueError(f"{name}: a value is not finite.")
