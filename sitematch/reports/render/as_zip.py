"""A report as a zip archive with one CSV file for each table."""

from __future__ import annotations

import io
import zipfile

from sitematch.reports.document import Report
from sitematch.reports.render import as_csv

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold: the same report gives the same bytes."""


def render(report: Report) -> bytes:
    """Write every table of a report as a CSV file named after the table; see `as_csv.render`.

    Raises
    ------
    InvalidInput
        If the report has no table.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in report.tables:
            entry = zipfile.ZipInfo(f"{table.name}.csv", _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, as_csv.render(report, table=table.name))
    return out.getvalue()
