"""Reports to test with; every builder takes what the test cares about and fills in the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sitematch.reports.document import CellKind, CellMark, CellTone, Column, Report, Section, Table
from sitematch.reports.plot import Band, BarPlot, FanPlot, Level, Line, LinePlot, Series

NOON = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
COLUMNS = (
    Column(name="part_id", label="Site", kind=CellKind.TEXT, description="The site's id."),
    Column(
        name="state",
        label="State",
        kind=CellKind.TEXT,
        description="What can be offered.",
        marks=(CellMark(tone=CellTone.ALERT, equals="no-capacity"), CellMark(tone=CellTone.GOOD, equals="capacity")),
    ),
    Column(name="enrolled", label="Enrolled", kind=CellKind.INTEGER, description="Participants."),
    Column(
        name="used",
        label="Used",
        kind=CellKind.SHARE,
        digits=0,
        description="Taken of the cap.",
        missing="no cap",
        marks=(CellMark(tone=CellTone.ALERT, at_least=1.0), CellMark(tone=CellTone.WARN, at_least=0.8)),
    ),
    Column(name="rate", label="Per month", kind=CellKind.NUMBER, digits=2, description="Enrolled a month."),
    Column(name="distance_km", label="Distance", kind=CellKind.KM, description="From here."),
    Column(name="oldest_hold_at", label="Oldest hold", kind=CellKind.INSTANT, description="When it began."),
    Column(name="oldest_hold_age_s", label="Age of hold", kind=CellKind.DURATION, description="How old it is."),
    Column(name="opened_on", label="Opened", kind=CellKind.DATE, description="The day."),
    Column(name="is_open", label="Open", kind=CellKind.FLAG, description="Whether it takes patients."),
)
ROWS = (
    ("a", "capacity", 3, 0.375, 1.25, 12.34, NOON, timedelta(days=2, hours=12), date(2025, 12, 1), True),
    ("=1+1", "no-capacity", 1234, 1.0, 0.0, 0.0, None, None, None, False),
    ("<b>&amp;</b>", "unknown", 0, None, None, None, NOON, timedelta(0), date(2025, 12, 2), None),
)


def make_table(**changes: Any) -> Table:
    values: dict[str, Any] = {
        "name": "sites",
        "columns": COLUMNS,
        "rows": ROWS,
        "totals": (None, None, 1237, None, None, None, None, None, None, None),
        "notes": ("The caps overlap.",),
    }
    return Table(**(values | changes))


def make_bars(**changes: Any) -> BarPlot:
    values: dict[str, Any] = {
        "name": "by-country",
        "title": "Spots by country",
        "category_label": "Country",
        "value_label": "Participants",
        "categories": ("DE", "US", "$FR$"),
        "series": (Series(label="Enrolled", values=(1, 12, 0)), Series(label="Held", values=(2, 3, None))),
        "is_stacked": True,
    }
    return BarPlot(**(values | changes))


def make_lines(**changes: Any) -> LinePlot:
    values: dict[str, Any] = {
        "name": "enrolment",
        "title": "Enrolment",
        "x_label": "Day",
        "y_label": "Participants",
        "lines": (
            Line(label="Enrolled", points=((date(2026, 1, 1), 0), (date(2026, 3, 1), 7)), is_stepped=True),
            Line(label="Screened", points=((date(2026, 1, 1), 1), (date(2026, 2, 1), 9))),
        ),
        "levels": (Level(label="Cap", value=8),),
    }
    return LinePlot(**(values | changes))


def make_fan(**changes: Any) -> FanPlot:
    day = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    values: dict[str, Any] = {
        "name": "forecast",
        "title": "Forecast",
        "x_label": "Instant",
        "y_label": "Participants",
        "observed": Line(label="Enrolled", points=((day[0], 0), (day[1], 4)), is_stepped=True),
        "expected": Line(label="Median", points=((day[1], 4), (day[2], 6.5), (day[3], 9.0))),
        "bands": (
            Band(label="95 % interval", points=((day[1], 4, 4), (day[3], 5.0, 14.0))),
            Band(label="50 % interval", points=((day[1], 4, 4), (day[3], 8.0, 11.0))),
        ),
        "levels": (Level(label="Cap", value=12),),
    }
    return FanPlot(**(values | changes))


def make_report(**changes: Any) -> Report:
    values: dict[str, Any] = {
        "kind": "capacity",
        "title": "Capacity",
        "study_id": "NCT00000001",
        "study_title": "A study of <lupus> & nephritis",
        "as_of": NOON,
        "time_zone": "Europe/Berlin",
        "version": "sitematch 0.0.0",
        "filters": (("Country", "DE"),),
        "sources": (("Ledger", "12 events"),),
        "notes": ("The catalogue keeps no history.",),
        "sections": (
            Section(title="Sites", text=("One site is full.",), plot=make_bars(), table=make_table()),
            Section(title="Enrolment", plot=make_lines()),
            Section(title="Forecast", plot=make_fan()),
        ),
    }
    return Report(**(values | changes))
