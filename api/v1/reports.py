"""``/v1/reports/…``: reports for coordinators, in several formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

from flask import Response

from api.access import caller
from api.backend import Backend
from api.http import problems
from api.http.negotiation import choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from api.v1.capacity import READS
from api.v1.schemas.reports import ForecastQuery, ReportQuery
from sitematch.domain.accounts.access import Permission
from sitematch.domain.time_zones import read_instant, zone_named
from sitematch.reports.document import Report
from sitematch.reports.forecast.plan import WhatIf
from sitematch.reports.render import Format, render
from sitematch.reports.render.as_json import ReportAnswer
from sitematch.services.reports import forecasting, reporting

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_FORMATS = {form.media_type: form for form in Format}
_TYPES: dict[Format, type] = {Format.JSON: ReportAnswer, Format.XLSX: bytes, Format.PDF: bytes, Format.ZIP: bytes}
ANSWERS: dict[str, type] = {form.media_type: _TYPES.get(form, str) for form in Format}
"""Every format of a report, by its media type."""
_PROBLEMS = (*READS, problems.SITE_NOT_FOUND, problems.UNKNOWN_COUNTRY, problems.NOT_ACCEPTABLE)
_NOTE = (
    "JSON, CSV, Excel, HTML, PDF or a zip archive of CSV files, by `format` or by the Accept header; all show "
    "the same numbers. Sites that you do not have access to are left out, and the report says so."
)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("reports")
    _serve(routes, backend, "capacity", "Report spots taken and left", reporting.capacity_report)
    _serve(routes, backend, "funnel", "Report how far referrals got", reporting.funnel_report)
    _serve(routes, backend, "forecast", "Forecast enrolment", forecasting.forecast_report, ForecastQuery, _supposed)
    return routes


def _nothing_more(_asked: ReportQuery) -> dict[str, Any]:
    return {}


def _supposed(asked: ReportQuery) -> dict[str, Any]:
    """Return the options of a forecast that other reports do not have."""
    assert isinstance(asked, ForecastQuery)
    what_if = WhatIf(
        add_sites=asked.add_sites,
        opening=asked.opening,
        close=asked.close,
        caps=forecasting.read_caps(asked.cap),
    )
    return {"by": asked.by, "opened": forecasting.read_openings(asked.opened), "what_if": what_if}


def _serve(
    routes: Documented,
    backend: Backend,
    name: str,
    summary: str,
    make: Callable[..., Report],
    query: type[ReportQuery] = ReportQuery,
    more: Callable[[ReportQuery], dict[str, Any]] = _nothing_more,
) -> None:
    def show() -> Response:
        asked = read_query(query)
        form, now = asked.format or best_form(), backend.now()
        report = make(
            backend.store(),
            caller().actor,
            asked.study_id or backend.settings.study_id,
            now,
            as_of=None if asked.as_of is None else read_instant(asked.as_of, zone_named(asked.time_zone), now),
            time_zone=asked.time_zone,
            country=None if asked.country is None else _country(asked.country),
            site_id=asked.site_id,
            **more(asked),
        )
        return send_report(report, form, asked.table)

    show.__name__ = name
    operation = Operation(
        summary=summary,
        description=_NOTE,
        tag="Reports",
        query=query,
        answers=ANSWERS,
        problems=_PROBLEMS,
        permission=Permission.REPORTS_READ,
    )
    routes.serve("GET", f"/v1/reports/{name}", operation)(show)


def best_form() -> Format:
    """Return the format that the Accept header prefers; 406 if it accepts none."""
    return _FORMATS[choose_media_type(tuple(_FORMATS))]


def send_report(report: Report, form: Format, table: str | None = None) -> Response:
    """Send a report, which must not be cached; files get a name that describes their content."""
    response = Response(
        render(report, form, table=table), content_type=form.media_type + ("; charset=utf-8" if form.is_text else "")
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    if form is Format.CSV and table is None:
        from sitematch.reports.render.as_csv import omitted

        if others := omitted(report):
            response.headers["Sitematch-Omitted-Tables"] = ", ".join(others)
    if form is Format.HTML:
        from sitematch.reports.render.as_html import content_security_policy

        # The page has an inline style sheet, which the service's own policy would not allow.
        response.headers["Content-Security-Policy"] = f"{content_security_policy()}; frame-ancestors 'none'"
    elif form is not Format.JSON:
        name = f"{report.kind}-{report.study_id}-{report.as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        file_name = f"sitematch-{_UNFIT.sub('_', name)}.{form.value}"
        response.headers.set("Content-Disposition", "attachment", filename=file_name)
    return response


def _country(text: str) -> str:
    from sitematch.gazetteer.grammar import parse_country

    return parse_country(text)
