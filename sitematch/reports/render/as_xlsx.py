"""A report as an Excel workbook: one sheet per table with typed values, and one sheet about the report."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from sitematch.domain.table_cells import escape_for_workbook, is_formula
from sitematch.extras import needs_extra
from sitematch.reports.cell_text import facts_of, notes_of
from sitematch.reports.document import Cell, CellKind, CellMark, CellTone, Column, Report, Table

_WIDEST = 48
_SHEET_NAME = 31
"""Maximum number of characters that Excel allows."""
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_CORE = "docProps/core.xml"
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_FILLS = {CellTone.GOOD: "D9F0E3", CellTone.WARN: "FFE9B8", CellTone.ALERT: "F6C9B5"}


def render(report: Report) -> bytes:
    """Return a report as a workbook.

    Parameters
    ----------
    report
        The report.

    Returns
    -------
    bytes
        First the sheet ``About`` with the facts, texts, notes and column descriptions; then a sheet for each table, the
        first of which is active. Headers are frozen and have filters. Times are in the report's time zone, because
        Excel has none; durations are days. Rules colour marked cells and, for printing, make them bold or italic.
        Nothing is a formula.
    """
    with needs_extra("reports", "An Excel workbook"):
        from openpyxl import Workbook

    book = Workbook()
    about = book.active
    about.title = "About"
    _write_about(about, report)
    for table in report.tables:
        sheet = book.create_sheet(table.name[:_SHEET_NAME])
        _write_table(sheet, table, report)
    book.active = 1 if report.tables else 0
    # Only one sheet is selected; with two, Excel would edit both.
    for number, sheet in enumerate(book.worksheets):
        sheet.sheet_view.tabSelected = number == book.index(book.active)
    book.properties.creator = report.version
    book.properties.title = f"{report.title}: {report.study_id}"
    book.properties.created = report.as_of.astimezone(UTC).replace(tzinfo=None)
    out = io.BytesIO()
    book.save(out)
    return _timeless(out.getvalue(), report.as_of)


def _write_about(sheet: Any, report: Report) -> None:
    from openpyxl.styles import Alignment, Font

    bold, wrap = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    lines: list[tuple[str, str, bool]] = [(report.title, "", True)]
    lines += [(name, value, False) for name, value in facts_of(report)]
    lines += [("Note", note, False) for note in report.notes]
    for section in report.sections:
        lines.append(("", "", False))
        lines.append((section.title, "", True))
        lines += [("", text, False) for text in section.text]
        if section.table is not None:
            lines += [("Note", note, False) for note in notes_of(section.table)]
            lines += [(column.label, column.description, False) for column in section.table.columns]
    for number, (name, value, is_heading) in enumerate(lines, 1):
        for place, text in ((1, name), (2, value)):
            cell = sheet.cell(number, place)
            _put_text(cell, text)
            cell.alignment = wrap
        if is_heading:
            sheet.cell(number, 1).font = bold
    sheet.column_dimensions["A"].width = 26
    sheet.column_dimensions["B"].width = 100
    _set_up_page(sheet, report)


def _write_table(sheet: Any, table: Table, report: Report) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter

    line = Side(style="thin")
    widths = [0] * len(table.columns)
    for number, column in enumerate(table.columns, 1):
        cell = sheet.cell(1, number)
        label = f"{column.label} ({report.time_zone})" if column.kind is CellKind.INSTANT else column.label
        _put_text(cell, label)
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.border = Border(bottom=line)
        widths[number - 1] = max(len(word) for word in label.split() or [""])
    rows = table.rows if table.totals is None else (*table.rows, table.totals)
    for row_number, row in enumerate(rows, 2):
        is_total = row is table.totals
        for number, (column, value) in enumerate(zip(table.columns, row, strict=True), 1):
            cell = sheet.cell(row_number, number)
            if is_total:
                _put_text(cell, "Total" if number == 1 and value is None else "")
                cell.font, cell.border = Font(bold=True), Border(top=line)
            if not (is_total and value is None):
                _put(cell, column, value, report.zone)
            widths[number - 1] = max(widths[number - 1], _width(column, cell.value))
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = min(width, _WIDEST) + 3
    sheet.freeze_panes = "B2"
    last = get_column_letter(len(table.columns))
    sheet.auto_filter.ref = f"A1:{last}{1 + len(table.rows)}"
    for number, column in enumerate(table.columns, 1):
        letter = get_column_letter(number)
        for mark in column.marks:
            if table.rows:
                _add_rule(sheet, f"{letter}2:{letter}{1 + len(table.rows)}", f"{letter}2", mark)
    sheet.print_title_rows = "1:1"
    _set_up_page(sheet, report)


def _put(cell: Any, column: Column, value: Cell, zone: ZoneInfo) -> None:
    if value is None:
        _put_text(cell, "" if column.missing == "-" else column.missing)
    elif isinstance(value, str):
        _put_text(cell, value)
    else:
        if isinstance(value, datetime):
            value = value.astimezone(zone).replace(tzinfo=None)
        elif isinstance(value, timedelta):
            value = value / timedelta(days=1)
        cell.value = value
        if isinstance(value, float):
            # openpyxl would write 16 digits; a float needs 17 to be restored exactly.
            cell.value, cell.data_type = repr(value), "n"
        cell.number_format = _number_format(column)


def _put_text(cell: Any, text: str) -> None:
    """Write a text into a cell as a text, because openpyxl treats one that begins with an equals sign as a formula."""
    if text:
        cell.value = escape_for_workbook(text)
        cell.data_type = "s"
        cell.quotePrefix = is_formula(text)  # it stays a text when somebody edits the cell


def _number_format(column: Column) -> str:
    decimals = "." + "0" * column.digits if column.digits else ""
    return {
        CellKind.TEXT: "General",
        CellKind.INTEGER: "#,##0",
        CellKind.NUMBER: f"#,##0{decimals}",
        CellKind.SHARE: f"0{decimals}%",
        CellKind.KM: f'#,##0{decimals}" km"',
        CellKind.DURATION: f'#,##0{decimals}" d"',
        CellKind.INSTANT: "yyyy-mm-dd hh:mm",
        CellKind.DATE: "yyyy-mm-dd",
        CellKind.FLAG: "General",
    }[column.kind]


def _width(column: Column, value: object) -> int:
    if column.kind is CellKind.INSTANT:
        return 16
    return len(value) if isinstance(value, str) else 6


def _add_rule(sheet: Any, cells: str, first: str, mark: CellMark) -> None:
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import Font, PatternFill

    if mark.equals is None:
        # Excel treats a text as greater than every number, including "no cap".
        test = f"AND(ISNUMBER({first}),{first}>={mark.at_least})"
    elif isinstance(mark.equals, bool):
        test = f"{first}={str(mark.equals).upper()}"
    else:
        quoted = mark.equals.replace('"', '""')
        test = f'{first}="{quoted}"'
    font = Font(bold=mark.tone is CellTone.ALERT, italic=mark.tone is CellTone.WARN)
    fill = PatternFill(bgColor=_FILLS[mark.tone], fill_type="solid")
    sheet.conditional_formatting.add(cells, FormulaRule([test], font=font, fill=fill, stopIfTrue=True))


def _set_up_page(sheet: Any, report: Report) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    # An ampersand begins a code in headers and footers.
    sheet.oddHeader.left.text = f"{report.title}: {report.study_id}".replace("&", "&&")
    sheet.oddHeader.right.text = f"As of {report.as_of.astimezone(report.zone):%Y-%m-%d %H:%M} ({report.time_zone})"
    sheet.oddFooter.left.text = report.version.replace("&", "&&")
    sheet.oddFooter.right.text = "&P / &N"


def _timeless(workbook: bytes, as_of: datetime) -> bytes:
    """Repack a workbook without the time of saving, so that the same report gives the same bytes."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(workbook)) as packed, ZipFile(out, "w", ZIP_DEFLATED) as anew:
        for item in packed.infolist():
            body = packed.read(item)
            if item.filename == _CORE:
                stamp = f"{as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
                body, found = _MODIFIED.subn(rb"\g<1>" + stamp + rb"\g<2>", body)
                if not found:
                    raise AssertionError("openpyxl writes the instant of saving elsewhere now")
            entry = ZipInfo(item.filename, _ZIP_EPOCH)
            entry.compress_type = ZIP_DEFLATED
            anew.writestr(entry, body)
    return out.getvalue()
