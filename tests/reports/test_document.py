"""A report refuses values that no renderer can show."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sitematch.reports.document import Cell, CellKind, CellMark, CellTone, Column, Section, Table
from sitematch.reports.plot import Band, FanPlot, Line, LinePlot, Series
from tests.reports.builders import make_bars, make_report

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CellKind.TEXT, 5),
        (CellKind.INTEGER, 5.0),
        (CellKind.INTEGER, True),
        (CellKind.SHARE, float("nan")),
        (CellKind.KM, float("inf")),
        (CellKind.DURATION, 3600),
        (CellKind.INSTANT, datetime(2026, 1, 15)),  # noqa: DTZ001 - naive on purpose
        (CellKind.INSTANT, date(2026, 1, 15)),
        (CellKind.DATE, NOON),
        (CellKind.FLAG, 1),
    ],
)
def test_a_cell_that_is_not_of_its_columns_kind_is_refused(kind: CellKind, value: Cell) -> None:
    with pytest.raises(ValueError, match=f"is not a {kind} for count"):
        Table(name="sites", columns=(Column(name="count", label="Count", kind=kind),), rows=((value,),))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CellKind.TEXT, "a"),
        (CellKind.INTEGER, 5),
        (CellKind.SHARE, 0.5),
        (CellKind.DURATION, timedelta(days=2)),
        (CellKind.INSTANT, NOON),
        (CellKind.DATE, date(2026, 1, 15)),
        (CellKind.FLAG, False),
        (CellKind.FLAG, None),
    ],
)
def test_a_cell_of_its_columns_kind_is_kept(kind: CellKind, value: Cell) -> None:
    table = Table(name="sites", columns=(Column(name="count", label="Count", kind=kind),), rows=((value,),))

    assert table.rows[0][0] is value


def test_rows_and_totals_have_a_cell_for_each_column() -> None:
    columns = (Column(name="a", label="A", kind=CellKind.TEXT), Column(name="b", label="B", kind=CellKind.TEXT))

    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table(name="sites", columns=columns, rows=(("x",),))
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table(name="sites", columns=columns, rows=(), totals=("x",))


def test_the_first_mark_that_fits_decides() -> None:
    column = Column(
        name="share",
        label="Share",
        kind=CellKind.SHARE,
        marks=(CellMark(tone=CellTone.ALERT, at_least=1), CellMark(tone=CellTone.WARN, at_least=0.8)),
    )

    assert [column.tone_of(value) for value in (None, 0.79, 0.8, 1.0)] == [None, None, CellTone.WARN, CellTone.ALERT]


def test_names_in_a_report_are_used_once() -> None:
    table = Table(name="sites", columns=(Column(name="a", label="A", kind=CellKind.TEXT),), rows=())
    section = Section(title="Sites", table=table)

    with pytest.raises(ValueError, match="its own name"):
        make_report(sections=(section, section))


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "", "/UTC"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        make_report(time_zone=zone)


def test_plots_refuse_what_cannot_be_drawn() -> None:
    line = Line(label="Enrolled", points=((1, 2), (2, 3)))

    with pytest.raises(ValueError, match="one value for each category"):
        make_bars(series=(Series(label="Enrolled", values=(1,)),))
    with pytest.raises(ValueError, match="not in order"):
        LinePlot(name="p", title="", x_label="", y_label="", lines=(Line(label="x", points=((2, 1), (1, 1))),))
    with pytest.raises(ValueError, match="low end above"):
        FanPlot(
            name="p",
            title="",
            x_label="",
            y_label="",
            observed=line,
            expected=line,
            bands=(Band(label="80 %", points=((1, 3, 2),)),),
        )
