"""``/v1/allocations``: sites for a batch of referrals; it takes no spot."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import Meta

from api.access import caller
from api.backend import Backend
from api.http.operations import Documented, Operation
from api.http.reading import read_json
from api.v1.coverage import MAX_LIST_BYTES, QUESTIONS
from api.v1.reports import ANSWERS, best_form, send_report
from api.v1.schemas.capacity import ReferralId, StudyId
from api.v1.schemas.reports import FormatChoice, TableChoice, TimeZone
from sitematch.domain.accounts.access import Permission
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.exporters.wire.matches import Wire

MAX_BATCH = 200
"""Maximum number of referrals in one request."""


class AllocationRow(Wire, frozen=True, forbid_unknown_fields=True):
    """A referral, with its location and its requirements."""

    referral_id: Annotated[ReferralId, Meta(description="An id that must not identify the patient.")]
    postcode: Annotated[str, Meta(description="Or a town's name. Used only to measure distances; not stored.")] = ""
    town: str | None = None
    country: Annotated[str | None, Meta(description="The person's country: ISO 3166-1 code or a name.")] = None
    within_km: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="The maximum distance in kilometres.")
    ] = None
    min_travel: Annotated[TravelCertainty | None, Meta(description="Only sites with at least this travel support.")] = (
        None
    )
    only_country: Annotated[str | None, Meta(description="Only sites in this country.")] = None
    arm: Annotated[str | None, Meta(description="The arm or cohort whose cap applies.")] = None


class AllocationBatch(Wire, frozen=True, forbid_unknown_fields=True):
    """A batch of referrals."""

    referrals: Annotated[tuple[AllocationRow, ...], Meta(min_length=1, max_length=MAX_BATCH)]
    study_id: StudyId = None
    time_zone: TimeZone = "UTC"
    format: FormatChoice = None
    table: TableChoice = None


def blueprint(backend: Backend) -> Documented:
    """Create the route."""
    routes = Documented("allocations")
    decoder = msgspec.json.Decoder(AllocationBatch)

    @routes.serve(
        "POST",
        "/v1/allocations",
        Operation(
            summary="Assign a batch of referrals to sites within every cap",
            description="The most referrals first, then the least total distance; what each gives up against its own "
            "best, and which caps keep the others out. It takes no spot, and keeps nothing of the request.",
            tag="Reports",
            body=AllocationBatch,
            answers=ANSWERS,
            problems=QUESTIONS,
            permission=Permission.REPORTS_READ,
            is_question=True,
            example={"referrals": [{"referral_id": "r-1", "postcode": "33180", "country": "US", "within_km": 500}]},
        ),
    )
    def allocate() -> Response:
        from sitematch.services.reports.allocating import ReferralRow, report_allocation

        request.max_content_length = MAX_LIST_BYTES
        asked = read_json(decoder)
        form = asked.format or best_form()
        made = report_allocation(
            backend.finder().gazetteer,
            backend.store(),
            caller().actor,
            asked.study_id or backend.settings.study_id,
            [ReferralRow(**msgspec.structs.asdict(row)) for row in asked.referrals],
            backend.now(),
            time_zone=asked.time_zone,
        )
        return send_report(made, form, asked.table)

    return routes
