"""Every format shows the same report: read back by other programs, cell by cell."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from openpyxl import load_workbook
from rich.console import Console

from sitematch.errors import InvalidInput
from sitematch.reports.cell_text import facts_of, parts_of, shown, signed
from sitematch.reports.document import CellKind, Column, Report, Section, Table
from sitematch.reports.plot import BarPlot, FanPlot, LinePlot
from sitematch.reports.plot_text import plot_table, plot_text
from sitematch.reports.render import Format, render
from sitematch.reports.render.as_html import content_security_policy
from sitematch.reports.render.as_terminal import print_report
from tests.reports.builders import COLUMNS, ROWS, make_bars, make_fan, make_lines, make_report, make_table
from tests.reports.readers import ReportHtml, read_csv, read_json, read_pdf, read_sheet

ROOT = Path(__file__).parent.parent.parent
BERLIN = ZoneInfo("Europe/Berlin")


def printed(report: Report, width: int = 200) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def as_people_read_it(table: Table) -> list[str]:
    return [
        " ".join(signed(column, value, BERLIN) for column, value in zip(table.columns, row, strict=True))
        for row in table.rows
    ]


def test_csv_holds_every_number_exactly() -> None:
    rows = read_csv(render(make_report(), Format.CSV))

    assert [float(row["used"]) if row["used"] else None for row in rows] == [row[3] for row in ROWS]
    assert [float(row["rate"]) if row["rate"] else None for row in rows] == [row[4] for row in ROWS]
    assert [int(row["enrolled"]) for row in rows] == [3, 1234, 0]
    assert rows[0]["oldest_hold_at"] == "2026-01-15T12:30:00Z"
    assert float(rows[0]["oldest_hold_age_s"]) == timedelta(days=2, hours=12).total_seconds()
    assert (rows[0]["opened_on"], rows[0]["is_open"]) == ("2025-12-01", "true")


def test_csv_neutralises_what_a_spreadsheet_would_run_and_names_the_report_in_every_row() -> None:
    rows = read_csv(render(make_report(), Format.CSV))

    assert rows[1]["part_id"] == "'=1+1"
    assert {(row["study_id"], row["as_of"], row["time_zone"], row["filters"], row["version"]) for row in rows} == {
        ("NCT00000001", "2026-01-15T12:30:00Z", "Europe/Berlin", "Country: DE", "sitematch 0.0.0")
    }


def test_csv_stacks_tables_of_one_form_and_gives_any_table_by_its_name() -> None:
    arms = make_table(name="arms", rows=ROWS[:1])
    other = Table(name="reasons", columns=COLUMNS[:1], rows=(("TRAVEL",),))
    report = make_report(
        sections=tuple(Section(title=table.name, table=table) for table in (make_table(), other, arms))
    )

    stacked = read_csv(render(report, Format.CSV))
    single = read_csv(render(report, Format.CSV, table="reasons"))

    assert [row["table"] for row in stacked] == ["sites", "sites", "sites", "arms"]
    assert [(row["table"], row["part_id"]) for row in single] == [("reasons", "TRAVEL")]
    with pytest.raises(InvalidInput, match="no table 'arm'; its tables: sites, reasons, arms"):
        render(report, Format.CSV, table="arm")
    with pytest.raises(InvalidInput, match="Only CSV"):
        render(report, Format.JSON, table="arms")


def test_json_holds_every_number_exactly_and_each_plot_as_text_and_data() -> None:
    answer = read_json(render(make_report(), Format.JSON))

    section = answer["sections"][0]
    assert [row["used"] for row in section["table"]["rows"]] == [row[3] for row in ROWS]
    assert section["table"]["rows"][0]["oldest_hold_at"] == "2026-01-15T12:30:00Z"
    assert section["table"]["totals"]["enrolled"] == 1237
    assert section["plot"]["text"] == plot_text(make_bars(), BERLIN)
    assert [row["series_1_enrolled"] for row in section["plot"]["data"]["rows"]] == [1, 12, 0]
    assert (answer["study_id"], answer["time_zone"], answer["filters"]) == (
        "NCT00000001",
        "Europe/Berlin",
        {"Country": "DE"},
    )


def test_workbook_holds_numbers_instants_and_shares_as_such_and_no_formula() -> None:
    written = render(make_report(), Format.XLSX)

    rows = read_sheet(written, "sites")
    assert rows[1] == (
        "a",
        "capacity",
        3,
        0.375,
        1.25,
        12.34,
        datetime(2026, 1, 15, 13, 30),  # noqa: DTZ001 - Excel knows no zones; the header names it
        2.5,
        datetime(2025, 12, 1),  # noqa: DTZ001
        True,
    )
    assert rows[0][6] == "Oldest hold (Europe/Berlin)"
    assert rows[2][:4] == ("=1+1", "no-capacity", 1234, 1.0)
    assert rows[3][3] == "no cap"
    assert rows[4][:3] == ("Total", None, 1237)
    sheet = load_workbook(io.BytesIO(written))["sites"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d", "b"}
    assert sheet["A3"].quotePrefix


def test_workbook_freezes_and_filters_its_header_and_marks_cells_by_colour_and_weight() -> None:
    book = load_workbook(io.BytesIO(render(make_report(), Format.XLSX)))

    sheet = book["sites"]
    assert book.active.title == "sites"
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:J4"
    assert sheet.print_title_rows == "$1:$1"
    rules = {
        str(part.sqref): [
            (rule.formula[0], rule.dxf.font.b, rule.dxf.font.i, rule.dxf.fill.bgColor.rgb) for rule in part.rules
        ]
        for part in sheet.conditional_formatting
    }
    assert rules["D2:D4"] == [
        ("AND(ISNUMBER(D2),D2>=1.0)", True, False, "00F6C9B5"),
        ("AND(ISNUMBER(D2),D2>=0.8)", False, True, "00FFE9B8"),
    ]
    assert rules["B2:B4"][0][:2] == ('B2="no-capacity"', True)


def test_workbook_says_what_it_is_about_and_what_each_column_is() -> None:
    lines = read_sheet(render(make_report(), Format.XLSX), "About")

    assert ("Capacity", None) in lines
    for fact in facts_of(make_report()):
        assert fact in lines
    assert ("Note", "The caps overlap.") in lines
    assert ("Used", "Taken of the cap.") in lines


def test_page_holds_the_table_as_people_read_it() -> None:
    page = ReportHtml(render(make_report(), Format.HTML))

    heading, *rows = page.tables["Sites"]
    assert heading == [column.label for column in COLUMNS]
    assert [" ".join(row) for row in rows[:-1]] == as_people_read_it(make_table())
    assert rows[-1][:3] == ["Total", "", "1,237"]


def test_page_holds_no_script_no_style_attribute_and_no_address() -> None:
    written = render(make_report(), Format.HTML)

    page = ReportHtml(written)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"style", "src", "onclick", "onload"} & page.attributes
    assert b"http" not in written.replace(b"http://www.w3.org/", b"").replace(b"http-equiv", b"")
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.references) <= set(page.ids)
    assert content_security_policy().encode() in written.replace(b"&#39;", b"'")


def test_page_says_each_plot_in_words_and_holds_its_numbers() -> None:
    page = ReportHtml(render(make_report(), Format.HTML))

    text = " ".join(page.text)
    for plot in (make_bars(), make_lines(), make_fan()):
        assert text.count(plot_text(plot, BERLIN)) == 2  # within the drawing, for screen readers, and below it
        table = plot_table(plot)
        assert [" ".join(row) for row in page.tables[plot.title][1:]] == as_people_read_it(table)


def test_pdf_holds_the_table_as_people_read_it() -> None:
    lines = read_pdf(render(make_report(), Format.PDF))

    for row in as_people_read_it(make_table()):
        assert row in lines
    assert "Total 1,237" in lines
    for name, value in facts_of(make_report()):
        assert f"{name} {value}" in lines
    assert any(
        line.startswith("Capacity: NCT00000001, as of 2026-01-15 13:30") and line.endswith("1 / 4") for line in lines
    )


def test_terminal_shows_the_table_as_people_read_it() -> None:
    lines = printed(make_report())

    for row in as_people_read_it(make_table()):
        assert row in lines
    assert "Total 1,237" in lines
    for name, value in facts_of(make_report()):
        assert f"{name}: {value}" in lines


def test_narrow_terminal_leaves_details_out_and_says_so() -> None:
    columns = (*COLUMNS[:-1], replace(COLUMNS[-1], is_detail=True))
    report = make_report(sections=(Section(title="Sites", table=make_table(columns=columns)),))

    lines = printed(report, width=100)

    assert "Not shown because the terminal is too narrow: Open." in lines
    assert not any(line.endswith(("yes", " no")) for line in lines)
    assert "Left out" not in " ".join(printed(report))


@pytest.mark.parametrize("form", Format)
def test_every_format_of_an_empty_report_can_be_read(form: Format) -> None:
    empty = make_table(rows=(), totals=None)
    report = make_report(sections=(Section(title="Sites", table=empty),), filters=(), notes=())

    written = render(report, form)

    if form is Format.XLSX:
        assert len(read_sheet(written, "sites")) == 1
    elif form is Format.PDF:
        assert "Nothing to show." in read_pdf(written)
    elif form is Format.HTML:
        assert ReportHtml(written).tables["Sites"][1] == ["Nothing to show."]
    elif form is Format.CSV:
        assert read_csv(written) == []
    elif form is Format.ZIP:
        assert read_csv(zipfile.ZipFile(io.BytesIO(written)).read("sites.csv")) == []
    else:
        assert read_json(written)["sections"][0]["table"]["rows"] == []


@pytest.mark.parametrize("form", Format)
def test_the_same_report_gives_the_same_bytes_in_any_process(form: Format, tmp_path: Path) -> None:
    code = (
        "import sys; from tests.reports.builders import make_report; "
        "from sitematch.reports.render import Format, render; "
        f"sys.stdout.buffer.write(render(make_report(), Format({form.value!r})))"
    )
    written = set()
    for seed, zone in (("1", "UTC"), ("2", "Pacific/Auckland")):
        # The user's drawing settings and the current date must not change the result.
        (tmp_path / "matplotlibrc").write_text(f"font.size: {seed}0\nlines.linewidth: {seed}\n")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "MATPLOTLIBRC": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
        written.add(done.stdout)

    assert len(written) == 1
    assert written == {render(make_report(), form)}


@pytest.mark.parametrize(
    ("form", "module"), [(Format.PDF, "typst"), (Format.XLSX, "openpyxl"), (Format.HTML, "matplotlib")]
)
def test_a_format_whose_library_is_missing_says_what_to_install(form: Format, module: str) -> None:
    code = f"""
import sys
sys.modules[{module!r}] = None  # Python's own way to make an import fail
from tests.reports.builders import make_report
from sitematch.errors import NotReady
from sitematch.reports.render import Format, render
try:
    render(make_report(), Format({form.value!r}))
except NotReady as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.endswith(f'needs {module}. Install it with: pip install "sitematch[reports]"\n')


@pytest.mark.parametrize("plot", [make_bars(), make_bars(is_stacked=False), make_lines(), make_fan()])
def test_a_drawing_needs_no_colours_no_style_and_no_script(plot: BarPlot | LinePlot | FanPlot) -> None:
    from sitematch.reports.render.as_svg import draw

    drawn = draw(plot, BERLIN)

    assert "style=" not in drawn and "<style" not in drawn and "<script" not in drawn
    assert "<title" in drawn and "<desc" in drawn
    for label in ("Enrolled", "Participants"):
        assert f">{label}</text>" in drawn  # text stays text: it can be searched, read aloud and enlarged
    if isinstance(plot, BarPlot):
        assert "<pattern" in drawn
        assert ">$FR$</text>" in drawn
    else:
        assert "stroke-dasharray" in drawn


def test_cells_are_written_for_people_in_the_reports_zone() -> None:
    instant = COLUMNS[6]

    assert instant.kind is CellKind.INSTANT
    assert shown(instant, datetime(2026, 7, 1, 22, 30, tzinfo=UTC), BERLIN) == "2026-07-02 00:30"


def test_plot_words_tell_the_least_and_most_or_the_first_and_last() -> None:
    assert plot_text(make_bars(), BERLIN) == (
        "3 bars: Participants by country. Enrolled: from 0 ($FR$) to 12 (US). Held: from 2 (DE) to 3 (US)."
    )
    assert plot_text(make_lines(), BERLIN) == (
        "Lines: Participants over day. Enrolled: 0 at 2026-01-01, 7 at 2026-03-01. "
        "Screened: 1 at 2026-01-01, 9 at 2026-02-01. Cap: 8."
    )
    assert "95 % interval: 5.0 to 14.0 at 2026-04-01 02:00." in plot_text(make_fan(), BERLIN)


def test_plot_data_joins_lines_at_their_common_places() -> None:
    table = plot_table(make_lines())

    days: list[Any] = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert list(table.rows) == [(days[0], 0, 1), (days[1], None, 9), (days[2], 7, None)]
    assert table.notes == ("Cap: 8.",)


def test_sentence_that_matters_comes_first_in_every_format_for_people() -> None:
    report = make_report(summary="At this pace the study fills in June 2026.")

    page = render(report, Format.HTML).decode()
    assert page.index("fills in June 2026") < page.index("<h2>")
    assert read_pdf(render(report, Format.PDF))[2] == report.summary
    assert printed(report)[1] == report.summary
    assert msgspec.json.decode(render(report, Format.JSON))["summary"] == report.summary
    assert 'class="summary"' not in render(make_report(), Format.HTML).decode()


def test_table_too_wide_for_a_page_is_shown_in_two_with_the_same_rows() -> None:
    names = Column(name="site", label="Site", kind=CellKind.TEXT)
    counts = [
        Column(name=f"count_{n}", label=f"Count {n}", kind=CellKind.INTEGER, is_detail=n % 2 == 0) for n in range(24)
    ]
    wide = Table(
        name="wide", columns=(names, *counts), rows=(("a", *range(24)), ("b", *range(24, 48))), notes=("Note",)
    )

    main, details = parts_of(wide)

    assert [column.name for column in main.columns] == ["site", *(f"count_{n}" for n in range(1, 24, 2))]
    assert [column.name for column in details.columns] == ["site", *(f"count_{n}" for n in range(0, 24, 2))]
    assert (main.rows[1][:2], details.rows[1][:2]) == (("b", 25), ("b", 24))
    assert (main.notes, details.notes) == ((), ("Note",))
    assert parts_of(make_table()) == (make_table(),)
