"""Reports of the current study: the list, the options of each, and each as a page or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from flask import Response
from flask_babel import lazy_gettext as _
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, page
from api.console.page.routes import Console
from api.http.reading import read_filters
from api.v1.reports import send_report
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.time_zones import read_instant, zone_named
from sitematch.errors import NotFound
from sitematch.exporters.wire.matches import Wire
from sitematch.reports.document import Report
from sitematch.reports.forecast.plan import MAX_ADDED, WhatIf
from sitematch.reports.render import Format
from sitematch.services.reports import forecasting, reporting


class ReportPageQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The options and the format of a report."""

    study: str | None = None
    format: Format = Format.HTML
    zone: Annotated[str, Meta(max_length=60)] = "UTC"
    as_of: Annotated[str, Meta(max_length=30)] = ""
    by: date | None = None
    add_sites: Annotated[int, Meta(ge=0, le=MAX_ADDED)] = 0
    opening: date | None = None
    study_cap: Annotated[int, Meta(ge=0)] | None = None

    def instant(self, now: datetime) -> datetime | None:
        """Return the time to look back to; None is now. A time without an offset is in UTC.

        Raises
        ------
        InvalidInput
            See `read_instant`.
        """
        return read_instant(self.as_of, zone_named("UTC"), now) if self.as_of else None


def _looking_back(make: Callable[..., Report]) -> Callable[[ConsoleContext, ReportPageQuery], Report]:
    """Create a report of the ledger for the requested time."""

    def made(context: ConsoleContext, asked: ReportPageQuery) -> Report:
        return make(
            context.store,
            context.actor,
            context.study_id,
            context.now,
            as_of=asked.instant(context.now),
            time_zone=asked.zone,
        )

    return made


def _forecast(context: ConsoleContext, asked: ReportPageQuery) -> Report:
    caps = {} if asked.study_cap is None else {CapKey(level=CapLevel.STUDY): asked.study_cap}
    what_if = WhatIf(add_sites=asked.add_sites, opening=asked.opening, caps=caps)
    return forecasting.forecast_report(
        context.store, context.actor, context.study_id, context.now, by=asked.by, what_if=what_if, time_zone=asked.zone
    )


def _demand(context: ConsoleContext, asked: ReportPageQuery) -> Report:
    from sitematch.services.reports.demand import report_demand

    threshold = context.backend.settings.demand_threshold
    finder = context.backend.finder(context.study_id)
    return report_demand(finder, context.store, context.actor, context.now, threshold=threshold, time_zone=asked.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """One of the reports.

    Parameters
    ----------
    name, about
        Texts for people.
    fields
        Its options, by names of `ReportPageQuery`.
    make
        Creates the report.
    whole_study
        Whether it needs a role for the whole study.
    """

    name: Any
    about: Any
    fields: tuple[str, ...]
    make: Callable[[ConsoleContext, ReportPageQuery], Report]
    whole_study: bool = False


_KINDS: Mapping[str, ReportPage] = {
    "capacity": ReportPage(
        name=_("Capacity"),
        about=_("Spots taken and left at every site and under every cap."),
        fields=("as_of",),
        make=_looking_back(reporting.capacity_report),
    ),
    "funnel": ReportPage(
        name=_("Funnel"),
        about=_("How far referrals got, how long each step took, and why screening failed."),
        fields=("as_of",),
        make=_looking_back(reporting.funnel_report),
    ),
    "forecast": ReportPage(
        name=_("Forecast"),
        about=_("When the study will be full, how certain that is, and what happens if the plan changes."),
        fields=("by", "add_sites", "opening", "study_cap"),
        make=_forecast,
    ),
    "demand": ReportPage(
        name=_("Demand"),
        about=_("The regions that searches came from, and the regions with no open site within reach."),
        fields=(),
        make=_demand,
        whole_study=True,
    ),
}


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/reports", Permission.REPORTS_READ)
    def reports() -> Response:
        context = ConsoleContext(backend)
        of_all = context.may(Permission.REPORTS_READ)
        kinds = {name: kind for name, kind in _KINDS.items() if of_all or not kind.whole_study}
        counts_demand = backend.settings.count_demand
        return page("reports.html", kinds=kinds, files=tuple(Format)[::-1], counts_demand=counts_demand)

    @console.page("GET", "/reports/<kind>", Permission.REPORTS_READ)
    def report(kind: str) -> Response:
        asked, context = read_filters(ReportPageQuery), ConsoleContext(backend)
        found = _KINDS.get(kind)
        if found is None:
            raise NotFound("Report not found.", field="kind")
        return send_report(found.make(context, asked), asked.format)
