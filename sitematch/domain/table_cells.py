"""Values of table cells that can be read back unchanged and never run when a spreadsheet opens them.

Code that writes tables (exports, reports) and code that reads them (imports) both use this module, so that they agree.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime

from sitematch.domain.plain_text import plain_text

Value = str | int | float | bool | date | datetime | tuple[str, ...] | None
"""The types of a cell's value; a time is aware, and None is an empty cell."""

LIST_SEPARATOR = " | "
"""Separator of several texts in one cell."""

# Spaces and invisible characters before the sign are skipped, as spreadsheets do. The full-width and small forms come
# from East Asian keyboards, and run as well.
_RUNS = r"[\s\x00\ufeff\u200b-\u200f\u2060]*[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫]"
_WOULD_RUN = re.compile(rf"'*{_RUNS}")
_NEUTRALISED = re.compile(rf"'+{_RUNS}")

# Characters that XML cannot hold, and the carriage return, which an XML reader turns into a line feed.
_NOT_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def neutralise_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Parameters
    ----------
    text
        Any text. A text that is already neutralised gets a second apostrophe, so that `restore_formula` is exact.

    Returns
    -------
    str
        The unchanged text if it is harmless.

    Notes
    -----
    According to OWASP's "CSV Injection", a text runs if it begins with
    ``=``, ``+``, ``-``, ``@``, a tab or a line break. Numbers are not texts: a number ``-0.28`` stays a number.

    Examples
    --------
    >>> neutralise_formula("=HYPERLINK(A1)"), neutralise_formula("Clinic"), neutralise_formula("'-1")
    ("'=HYPERLINK(A1)", 'Clinic', "''-1")
    """
    return f"'{text}" if is_formula(text) else text


def restore_formula(text: str) -> str:
    """Undo `neutralise_formula`; an apostrophe before a harmless text stays.

    Examples
    --------
    >>> restore_formula("'=1+1"), restore_formula("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return text[1:] if _NEUTRALISED.match(text) else text


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would run a text if somebody typed it into a cell."""
    return _WOULD_RUN.match(text) is not None


def join_texts(texts: tuple[str, ...]) -> str:
    """Join several texts into one cell, separated by `LIST_SEPARATOR`; as JSON if that could not be split again.

    Examples
    --------
    >>> join_texts(("MILEAGE", "PARKING")), join_texts(("a | b", "")), join_texts(())
    ('MILEAGE | PARKING', '["a | b", ""]', '')
    """
    plain = LIST_SEPARATOR.join(texts)
    return plain if split_texts(plain) == texts else json.dumps(texts, ensure_ascii=False)


def split_texts(cell: str) -> tuple[str, ...]:
    """Split a text from `join_texts`, or a similar text that a person wrote; empty parts are left out."""
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except ValueError:  # a normal text in brackets
            found = None
        if isinstance(found, list) and all(isinstance(text, str) for text in found):
            return tuple(found)
    return tuple(part for part in cell.split(LIST_SEPARATOR) if part)


def cell_text(value: Value) -> str:
    """Format a value as the text of a CSV cell.

    Parameters
    ----------
    value
        The value; a number must be finite.

    Returns
    -------
    str
        Harmless and exact: floats with all their digits, times in UTC with a ``Z``, booleans as ``true`` or ``false``,
        None as an empty text.

    Examples
    --------
    >>> cell_text(-0.28), cell_text("-0.28"), cell_text(True), cell_text(date(2026, 1, 2)), cell_text(None)
    ('-0.28', "'-0.28", 'true', '2026-01-02', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return neutralise_formula(plain_text(str(value)))
    if isinstance(value, tuple):
        return neutralise_formula(plain_text(join_texts(value)))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else repr(value)


def escape_for_workbook(text: str) -> str:
    """Escape the characters that a workbook's XML cannot hold as ``_x000D_``, which Excel reads.

    Examples
    --------
    >>> escape_for_workbook("one" + chr(13) + chr(10) + "two"), escape_for_workbook("_x0041_")
    ('one_x000D_\\ntwo', '_x005F_x0041_')
    """
    return _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def restore_from_workbook(text: str) -> str:
    """Undo `escape_for_workbook`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
