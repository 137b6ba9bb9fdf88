"""``/v1/reports/coverage`` and ``/v1/reports/catchments``: distances of people from the sites that can take them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import Meta

from api.access import caller
from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import GEOJSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query
from api.v1.capacity import READS
from api.v1.reports import ANSWERS, best_form, send_report
from api.v1.schemas.capacity import StudyId
from api.v1.schemas.reports import FormatChoice, TableChoice, TimeZone
from sitematch.domain.accounts.access import Permission
from sitematch.errors import InvalidInput
from sitematch.exporters.geojson_areas import AreaCollection
from sitematch.exporters.wire.matches import Wire
from sitematch.geo.circle import MAX_RADIUS_KM, MIN_RADIUS_KM

MAX_POSTCODES = 20_000
"""Maximum number of postcodes in one request; the command line accepts a million."""

MAX_LIST_BYTES = 1024 * 1024
"""Maximum size of a body with `MAX_POSTCODES` postcodes, each with a country and a number."""

QUESTIONS = (
    *READS,
    problems.UNKNOWN_COUNTRY,
    problems.INVALID_JSON,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.NOT_ACCEPTABLE,
)
"""The error responses of a request with a body."""


class CoverageRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """The postcodes and the options."""

    postcodes: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=MAX_POSTCODES, description="Postcodes, one for each person.")
    ]
    country: Annotated[str | None, Meta(description="Country of all of them: ISO 3166-1 code or a name.")] = None
    countries: Annotated[
        tuple[str, ...] | None, Meta(description="Instead of country: one for each postcode, in the same order.")
    ] = None
    people: Annotated[
        tuple[Annotated[float, Meta(ge=0)], ...] | None,
        Meta(description="The number of people for each postcode, in the same order; the default is one each."),
    ] = None
    within_km: Annotated[
        tuple[Annotated[float, Meta(gt=0)], ...],
        Meta(min_length=1, max_length=10, description="Distances in kilometres to report the share within."),
    ] = (50.0, 100.0, 200.0)
    candidate_study: Annotated[
        str | None, Meta(description="Another study whose sites could be opened, in addition to this study's own.")
    ] = None
    study_id: StudyId = None
    time_zone: TimeZone = "UTC"
    format: FormatChoice = None
    table: TableChoice = None


class CatchmentsQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The requested areas."""

    study_id: StudyId = None
    radius_km: Annotated[
        Annotated[float, Meta(ge=MIN_RADIUS_KM, le=MAX_RADIUS_KM)] | None,
        Meta(description="Also draw the circle of this radius, in kilometres, around each site."),
    ] = None


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("coverage")
    decoder = msgspec.json.Decoder(CoverageRequest)

    @routes.serve(
        "POST",
        "/v1/reports/coverage",
        Operation(
            summary="Report how many people on a list live near a site that can take them now",
            description="Includes the uncertainty, and the site that would reduce the median distance most if "
            f"it opened. The list is not stored or logged. At most {MAX_POSTCODES} postcodes.",
            tag="Reports",
            body=CoverageRequest,
            answers=ANSWERS,
            problems=QUESTIONS,
            permission=Permission.REPORTS_READ,
            is_question=True,
            example={"country": "US", "postcodes": ["33180", "04102"], "within_km": [50, 100]},
        ),
    )
    def report() -> Response:
        from sitematch.services.reports.coverage import coverage_report
        from sitematch.services.reports.postcode_lists import PostcodeList
        from sitematch.services.studies import catalogue

        request.max_content_length = MAX_LIST_BYTES
        asked = read_json(decoder)
        form = asked.format or best_form()
        finder = backend.finder(asked.study_id)
        candidates = catalogue.read_sites(backend.store(), asked.candidate_study) if asked.candidate_study else ()
        people = PostcodeList(
            postcodes=asked.postcodes,
            countries=_countries(asked),
            counts=asked.people if asked.people is not None else (1.0,) * len(asked.postcodes),
        )
        made = coverage_report(
            finder,
            caller().actor,
            people,
            backend.now(),
            time_zone=asked.time_zone,
            limits_km=asked.within_km,
            more_candidates=candidates,
        )
        return send_report(made, form, asked.table)

    @routes.serve(
        "GET",
        "/v1/reports/catchments",
        Operation(
            summary="Get the catchment area of each site that can take a patient now",
            description="The area that is nearer to it than to any other such site, as GeoJSON: cut at the "
            "antimeridian, closed around the poles. `error` gives the uncertainty of the borders.",
            tag="Reports",
            query=CatchmentsQuery,
            answers={GEOJSON: AreaCollection},
            problems=READS,
            permission=Permission.REPORTS_READ,
        ),
    )
    def catchments() -> Response:
        from sitematch.services.reports.catchments import draw_catchments

        asked = read_query(CatchmentsQuery)
        drawn = draw_catchments(
            backend.finder(asked.study_id), caller().actor, backend.now(), radius_km=asked.radius_km
        )
        return respond(drawn, GEOJSON)

    return routes


def _countries(asked: CoverageRequest) -> tuple[str, ...]:
    if (asked.country is None) == (asked.countries is None):
        raise InvalidInput("Give country for all postcodes, or countries with one for each.", field="country")
    return asked.countries if asked.countries is not None else (asked.country or "",) * len(asked.postcodes)
