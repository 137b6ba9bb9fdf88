"""A report as one self-contained page: no script, no style attribute, no external files."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sitematch.domain.plain_text import plain_text
from sitematch.reports.cell_text import facts_of, notes_of, parts_of, signed, total_shown
from sitematch.reports.document import Cell, CellKind, Column, Report
from sitematch.reports.plot_text import plot_table, plot_text
from sitematch.reports.render.as_svg import draw

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_LEFT = (CellKind.TEXT, CellKind.INSTANT, CellKind.DATE, CellKind.FLAG)
_UNBROKEN = (CellKind.INSTANT, CellKind.DATE)


def render(report: Report) -> bytes:
    """Return a report as an HTML page, UTF-8, that also prints well.

    Each plot is inline and described in words below; its numbers are in a table that can be opened.
    """
    # Columns that several tables share are explained once.
    columns = dict.fromkeys(column for table in report.tables for column in table.columns if column.description)
    page = _template().render(
        report=report,
        css=_css(),
        policy=content_security_policy(),
        facts=facts_of(report),
        as_of=f"{report.as_of.astimezone(report.zone):%Y-%m-%d %H:%M}",
        attributes=_attributes,
        columns=columns,
        draw=draw,
        is_number=_is_number,
        notes_of=notes_of,
        parts_of=parts_of,
        plot_table=plot_table,
        plot_text=plot_text,
        signed=signed,
        total_shown=total_shown,
    )
    return page.encode() + b"\n"


@cache
def content_security_policy() -> str:
    """Return the Content-Security-Policy of a report's page: its own style sheet, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _css() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: plain_text(value) if type(value) is str else value,
    )
    return environment.get_template("page.html")


def _is_number(column: Column) -> bool:
    return column.kind not in _LEFT


def _attributes(column: Column, value: Cell) -> str:
    from markupsafe import Markup

    tone = column.tone_of(value)
    names = (["number"] if _is_number(column) else ["fixed"] if column.kind in _UNBROKEN else []) + (
        [] if tone is None else [tone.value]
    )
    return Markup(' class="{}"').format(" ".join(names)) if names else Markup("")
