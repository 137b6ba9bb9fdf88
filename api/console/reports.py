"""Reports of the study in view: which there are, and each as a page or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from flask import Response
from flask_babel import lazy_gettext as _
from msgspec import Meta

from api.backend import Backend
from api.console.routes import Console
from api.console.view import Desk, page
from api.reading import read_filters
from api.reports import send_report
from sitematch.domain.access import Permission
from sitematch.errors import NotFound
from sitematch.exporters.wire import Wire
from sitematch.reports.document import Report
from sitematch.reports.render import Format
from sitematch.services import forecasting, reporting

_MAKERS: Mapping[str, Callable[..., Report]] = {
    "capacity": reporting.capacity_report,
    "funnel": reporting.funnel_report,
    "forecast": forecasting.forecast_report,
}
_WORDS: Mapping[str, tuple[Any, Any]] = {
    "capacity": (_("Capacity"), _("What is taken and left, at every site and under every cap.")),
    "funnel": (_("Funnel"), _("How many referrals came how far, how long each step took, why screening failed.")),
    "forecast": (_("Forecast"), _("When the study will be full, with how sure that is.")),
}


class ReportQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """As what to show a report."""

    study: str | None = None
    format: Format = Format.HTML
    zone: Annotated[str, Meta(max_length=60)] = "UTC"


def register(console: Console, backend: Backend) -> None:
    """Make the routes."""

    @console.page("GET", "/reports", Permission.REPORTS_READ)
    def reports() -> Response:
        study_id = Desk(backend).study_id
        return page("reports.html", study_id=study_id, reports=_WORDS, files=[Format.PDF, Format.XLSX, Format.CSV])

    @console.page("GET", "/reports/<kind>", Permission.REPORTS_READ)
    def report(kind: str) -> Response:
        asked, desk = read_filters(ReportQuery), Desk(backend)
        make = _MAKERS.get(kind)
        if make is None:
            raise NotFound("There is no such report.", field="kind")
        made = make(desk.store, desk.actor, desk.study_id, desk.now, time_zone=asked.zone)
        return send_report(made, asked.format)
