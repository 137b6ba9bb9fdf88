"""Tables as Excel workbooks: every value has its type, and a text is never a formula."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any

from sitematch.domain.table_cells import Value, escape_for_workbook, is_formula, join_texts
from sitematch.errors import InvalidInput
from sitematch.extras import needs_extra

MAX_ROWS = 1_048_576
"""Maximum number of rows in a sheet, including its header."""

MAX_CHARACTERS = 32_767
"""Maximum length of a cell."""

_MEASURED_ROWS = 100
_NARROWEST, _WIDEST = 8, 60
_FIRST_DATE = date(1900, 3, 1)
"""Excel has a date 1900-02-29, which did not exist, and no dates before 1900: earlier dates are written as text."""

_DATE_FORMAT = "yyyy-mm-dd"
_INSTANT_FORMAT = 'yyyy-mm-dd hh:mm:ss"Z"'
_TEXT_FORMAT = "@"


def write_workbook(
    file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Value]], *, title: str = "sitematch"
) -> None:
    """Write a workbook of one sheet, with a frozen header, a filter and columns as wide as their first rows need.

    Parameters
    ----------
    file
        The output; it stays open.
    header, rows
        See `exporters.tables.files.write_table`. Texts stay texts (``"04102"``, ``"=1+1"``); times are in UTC and shown
        with a ``Z``, because Excel has no time zones.
    title
        The sheet's name; characters that Excel does not allow are left out.

    Raises
    ------
    InvalidInput
        If there are too many rows for a sheet, or a text is too long for a cell.
    """
    # The import takes about 0.3 s, and only workbooks need it.
    with needs_extra("reports", "An Excel workbook"):
        from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    workbook = Workbook(write_only=True)
    workbook.properties.creator = "sitematch"
    sheet = workbook.create_sheet("".join(c for c in title if c not in r"[]:*?/\\")[:31])
    rest = iter(rows)
    first = list(itertools.islice(rest, _MEASURED_ROWS))
    last = get_column_letter(len(header))
    for number, name in enumerate(header):
        longest = max((len(_shown(row[number])) for row in first), default=0)
        width = min(max(longest, len(name) + 3, _NARROWEST), _WIDEST)
        sheet.column_dimensions[get_column_letter(number + 1)].width = width
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    heads = [WriteOnlyCell(sheet, name) for name in header]
    for head in heads:
        head.font = bold
    sheet.append(heads)
    try:
        count = _append(sheet, header, itertools.chain(first, rest))
    except BaseException:
        # Only saving removes the temporary file of the sheet.
        with tempfile.TemporaryFile() as nowhere:
            workbook.save(nowhere)
        raise
    sheet.auto_filter.ref = f"A1:{last}{count}"
    workbook.save(file)


def _append(sheet: Any, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Append rows under the header, and count them all."""
    count = 1
    for row in rows:
        count += 1
        if count > MAX_ROWS:
            raise InvalidInput(
                f"An Excel sheet holds {MAX_ROWS - 1:,} rows, and there are more: write CSV or NDJSON.", field="format"
            )
        sheet.append([_cell(sheet, name, value) for name, value in zip(header, row, strict=True)])
    return count


def _cell(sheet: Any, name: str, value: Value) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, tuple):
        value = join_texts(value)
    if isinstance(value, date) and _as_date(value) < _FIRST_DATE:
        value = value.isoformat()
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _text_cell(sheet, name, value)
    if isinstance(value, float):
        # openpyxl would write 16 digits; a float needs 17 to be restored exactly.
        cell = WriteOnlyCell(sheet, repr(value))
        cell.data_type = "n"
        return cell
    if isinstance(value, datetime):
        cell = WriteOnlyCell(sheet, value.astimezone(UTC).replace(tzinfo=None))
        cell.number_format = _INSTANT_FORMAT
        return cell
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, date):
        cell.number_format = _DATE_FORMAT
    return cell


def _text_cell(sheet: Any, name: str, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    escaped = escape_for_workbook(text)
    if len(escaped) > MAX_CHARACTERS:
        raise InvalidInput(
            f"A text in column {name} has {len(escaped):,} characters, and an Excel cell holds {MAX_CHARACTERS:,}: "
            "write CSV or NDJSON.",
            field="format",
        )
    cell = WriteOnlyCell(sheet, escaped)
    cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    if is_formula(text):
        cell.quotePrefix = True  # it stays a text when somebody edits the cell
    return cell


def _as_date(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _shown(value: Value) -> str:
    text = join_texts(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return max(text.splitlines(), key=len, default="")
