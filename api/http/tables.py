"""Answers as tables to be kept: CSV, Excel and NDJSON, under a file's name that tells nothing of who asked."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from flask import Response

from api.http.answers import respond_cacheable
from sitematch.domain.table_cells import Value
from sitematch.exporters.tables.files import CSV_TYPE, NDJSON_TYPE, XLSX_TYPE, TableFormat, write_table
from sitematch.exporters.tables.rows import cells
from sitematch.exporters.wire.matches import Wire

TABULAR: dict[str, type] = {CSV_TYPE: str, XLSX_TYPE: bytes, NDJSON_TYPE: str}
"""The media types of tables, and what the document says of them."""

_FORMS = {CSV_TYPE: TableFormat.CSV, XLSX_TYPE: TableFormat.XLSX, NDJSON_TYPE: TableFormat.NDJSON}
_UNFIT = re.compile(r"[^A-Za-z0-9._-]")


def respond_table(
    media_type: str, kind: str, study_id: str, header: Sequence[str], rows: Iterable[Wire], *, cacheable: bool = False
) -> Response:
    """Send a table.

    Parameters
    ----------
    media_type
        One of `TABULAR`.
    kind, study_id
        Name the file, e.g. ``sitematch-sites-NCT06064929.csv``.
    header, rows
        See `sitematch.exporters.tables.rows`.
    cacheable
        Whether it holds nothing personal and may be kept; otherwise nobody may.
    """
    values = list(cells(rows, header))
    form = _FORMS[media_type]
    body = _written(form, header, values, kind)
    content_type = f"{media_type}; charset=utf-8" if form is TableFormat.CSV else media_type
    if cacheable:
        # A workbook bears the instant at which it was written; its rows say whether it changed.
        same_as = _written(TableFormat.NDJSON, header, values, kind) if form is TableFormat.XLSX else None
        response = respond_cacheable(body, content_type, vary=True, same_as=same_as)
    else:
        response = Response(body, content_type=content_type)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept"
    name = f"sitematch-{kind}-{_UNFIT.sub('_', study_id)}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(form: TableFormat, header: Sequence[str], values: Iterable[Sequence[Value]], kind: str) -> bytes:
    file = io.BytesIO()
    write_table(file, form, header, values, title=kind.capitalize())
    return file.getvalue()
