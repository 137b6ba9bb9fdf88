"""Reports as bytes, one module per format. Nothing is calculated here, so every format shows the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import cast

from sitematch.errors import InvalidInput
from sitematch.reports.document import Report


class Format(StrEnum):
    """File formats; the values are also the file endings."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"
    ZIP = "zip"

    @property
    def media_type(self) -> str:
        """Return its media type, without parameters."""
        return _FACTS[self].media_type

    @property
    def is_text(self) -> bool:
        """Return whether it is UTF-8 text, as its media type then says."""
        return _FACTS[self].is_text


@dataclass(frozen=True, slots=True)
class _FormatFacts:
    media_type: str
    is_text: bool = False


_FACTS = {
    Format.JSON: _FormatFacts("application/json"),
    Format.CSV: _FormatFacts("text/csv", is_text=True),
    Format.XLSX: _FormatFacts("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Format.HTML: _FormatFacts("text/html", is_text=True),
    Format.PDF: _FormatFacts("application/pdf"),
    Format.ZIP: _FormatFacts("application/zip"),
}


def render(report: Report, form: Format, *, table: str | None = None) -> bytes:
    """Return a report as the bytes of a file.

    Parameters
    ----------
    report
        The report; the same one gives the same bytes, in any process and at any time, with the same releases of the
        libraries and the same fonts.
    form
        The format.
    table
        For CSV, the name of one table; see `as_csv.render`. Other formats contain all tables.

    Raises
    ------
    InvalidInput
        If there is no such table, or the format does not support this option.
    NotReady
        If the requirements of PDF are not installed.
    """
    # Each format is imported at its first use, because its libraries are slow to import.
    module = import_module(f"sitematch.reports.render.as_{form.value}")
    if form is Format.CSV:
        return cast(bytes, module.render(report, table=table))
    if table is not None:
        raise InvalidInput("Only CSV can contain a single table. The other formats contain all tables.", field="table")
    return cast(bytes, module.render(report))
