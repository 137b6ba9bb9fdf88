"""A report as PDF, typeset by Typst with the template ``page.typ``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sitematch.domain.plain_text import plain_text
from sitematch.extras import needs_extra
from sitematch.reports.cell_text import facts_of, notes_of, parts_of, signed, total_shown
from sitematch.reports.document import CellKind, Report, Table
from sitematch.reports.plot import Plot
from sitematch.reports.plot_text import plot_table, plot_text

_TEMPLATE = Path(__file__).parent / "page.typ"
_LEFT = (CellKind.TEXT, CellKind.INSTANT, CellKind.DATE, CellKind.FLAG)


def render(report: Report) -> bytes:
    """Return a report as PDF, A4 landscape, with its subject and the page number at the foot of each page.

    It is tagged for screen readers. The font is DejaVu Sans, which is part of matplotlib; other characters, such as
    Chinese, use the machine's fonts.

    Parameters
    ----------
    report
        The report. The same one gives the same bytes with the same fonts and releases.

    Raises
    ------
    NotReady
        If the libraries of the extra ``reports`` are not installed.
    """
    with needs_extra("reports", "A report as PDF"):
        import matplotlib as mpl
        import typst
    return typst.compile(
        str(_TEMPLATE),
        font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")],
        format="pdf",
        sys_inputs={"report": plain_text(json.dumps(_content(report), ensure_ascii=False))},
        # No clock and no date; `as_of` has the time of the report.
        timestamp=0,
    )


def _content(report: Report) -> dict[str, Any]:
    # Columns that several tables share are explained once.
    columns = dict.fromkeys(column for table in report.tables for column in table.columns if column.description)
    return {
        "name": f"{report.title}: {report.study_id}",
        "about": f"{report.title}: {report.study_id}, as of {report.as_of.astimezone(report.zone):%Y-%m-%d %H:%M}"
        f" ({report.time_zone})",
        "title": report.title,
        "summary": report.summary,
        "facts": facts_of(report),
        "notes": report.notes,
        "sections": [
            {
                "title": section.title,
                "text": section.text,
                "plot": None if section.plot is None else _plot(section.plot, report, is_told=section.table is None),
                "tables": [_table(part, report) for part in (() if section.table is None else parts_of(section.table))],
                "notes": () if section.table is None else notes_of(section.table),
            }
            for section in report.sections
        ],
        "columns": [(column.label, column.description) for column in columns],
    }


def _plot(plot: Plot, report: Report, *, is_told: bool) -> dict[str, Any]:
    from sitematch.reports.render.as_svg import draw

    return {
        "drawing": draw(plot, report.zone),
        "text": f"{plot.title}. {plot_text(plot, report.zone)}",
        # With a table in the same section, the plot's numbers would appear twice.
        "table": _table(plot_table(plot), report) if is_told else None,
    }


def _table(table: Table, report: Report) -> dict[str, Any]:
    return {
        "columns": [{"label": column.label, "number": column.kind not in _LEFT} for column in table.columns],
        "rows": [
            [
                {
                    "text": signed(column, value, report.zone),
                    "tone": column.tone_of(value) or "",
                    "whole": column.kind not in (CellKind.TEXT, CellKind.FLAG),
                }
                for column, value in zip(table.columns, row, strict=True)
            ]
            for row in table.rows
        ],
        "totals": None
        if table.totals is None
        else [total_shown(table, at, report.zone) for at in range(len(table.columns))],
    }
