"""Reports as bytes: one format a file. Nothing is worked out here, so every format shows the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import cast

from sitematch.errors import InvalidInput
from sitematch.reports.document import Report


class Format(StrEnum):
    """The formats of a file; the values are also the endings of its name."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"
    ZIP = "zip"

    @property
    def media_type(self) -> str:
        """Its media type, without parameters."""
        return _FACTS[self].media_type

    @property
    def is_text(self) -> bool:
        """Whether it is UTF-8 text, which its media type then says."""
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
    """Write a report as a file.

    Parameters
    ----------
    report
        The report; the same one gives the same bytes, in any process and at any time, with the same releases of the
        libraries and the same fonts.
    form
        The format.
    table
        For CSV, the name of one table; see `as_csv.render`. Other formats hold them all.

    Raises
    ------
    InvalidInput
        If there is no such table, or the format takes none.
    NotReady
        If the machine lacks what PDF needs.
    """
    # Each format is imported when it is asked for: the libraries behind them are heavy.
    module = import_module(f"sitematch.reports.render.as_{form.value}")
    if form is Format.CSV:
        return cast(bytes, module.render(report, table=table))
    if table is not None:
        raise InvalidInput("Only CSV can contain a single table. The other formats contain all tables.", field="table")
    return cast(bytes, module.render(report))
