"""``/v1/reports/demand``: the regions of look-ups, and where no site is open for them."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from api.access import caller
from api.backend import Backend
from api.http import problems
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from api.v1.capacity import READS
from api.v1.reports import ANSWERS, best_form, send_report
from api.v1.schemas.capacity import StudyId
from api.v1.schemas.reports import FormatChoice, TableChoice, TimeZone
from sitematch.domain.accounts.access import Permission
from sitematch.exporters.wire.matches import Wire


class DemandQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The months, and the distance that counts as within reach."""

    study_id: StudyId = None
    months: Annotated[int, Meta(ge=1, le=60, description="The number of full months to report.")] = 12
    within_km: Annotated[
        float, Meta(gt=0, lt=20_038, description="The distance that counts as within reach, in kilometres.")
    ] = 100.0
    time_zone: TimeZone = "UTC"
    format: FormatChoice = None
    table: TableChoice = None


def blueprint(backend: Backend) -> Documented:
    """Create the route."""
    routes = Documented("demand")

    @routes.serve(
        "GET",
        "/v1/reports/demand",
        Operation(
            summary="Report the regions that searches came from, and the regions with no open site within reach",
            description="By large regions of many thousand people, in batches. Single searches are never stored. "
            "Counting is off unless the operator sets SITEMATCH_COUNT_DEMAND=1.",
            tag="Reports",
            query=DemandQuery,
            answers=ANSWERS,
            problems=(*READS, problems.NOT_ACCEPTABLE),
            permission=Permission.REPORTS_READ,
        ),
    )
    def show() -> Response:
        from sitematch.services.reports.demand import report_demand

        asked = read_query(DemandQuery)
        form = asked.format or best_form()
        made = report_demand(
            backend.finder(asked.study_id),
            backend.store(),
            caller().actor,
            backend.now(),
            threshold=backend.settings.demand_threshold,
            months=asked.months,
            within_km=asked.within_km,
            time_zone=asked.time_zone,
        )
        return send_report(made, form, asked.table)

    return routes
