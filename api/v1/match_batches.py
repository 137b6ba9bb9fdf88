"""``POST /v1/matches:batch``: up to 1,000 patients ranked in one request."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import Meta

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import JSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_json, spoken_languages
from api.v1.matches import BODY_PROBLEMS
from api.v1.schemas.finding import MatchRequest, StudyId
from sitematch.domain.finding.policy import MAX_LIMIT, Order
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.errors import InvalidPolicy
from sitematch.exporters.wire.matches import Instant, SiteAnswer, StudyAnswer, Wire, site_answer, study_answer
from sitematch.services.finding.many import Answered, ManyMatches, PatientQuery

MAX_PATIENTS = 1_000
"""Most patients in one request."""

_MAX_BYTES = 1_000_000
_MOST_MATCHES = 20_000
"""Most patients times matches: an answer of about 6 MB."""


class PatientAsked(Wire, frozen=True, forbid_unknown_fields=True):
    """Where one patient is: a postcode, a town, or coordinates."""

    patient: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Comes back with the answer. It must not identify the patient. The default is the position."),
    ] = None
    postcode: Annotated[str, Meta(description="A postcode or a town's name.")] = ""
    town: Annotated[str, Meta(description="A town's name; with a postcode, the two are checked.")] = ""
    country: Annotated[str, Meta(description="ISO 3166-1 code or a name.")] = ""
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None, Meta(description="Degrees north; with longitude.")
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None, Meta(description="Degrees east; with latitude.")
    ] = None


class BatchAsked(Wire, frozen=True, forbid_unknown_fields=True):
    """The patients, and the options of the look-up, which are the same for all."""

    patients: Annotated[tuple[PatientAsked, ...], Meta(min_length=1, max_length=MAX_PATIENTS)]
    order: Annotated[Order, Meta(description="As in /v1/matches.")] = Order.BEST
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="The most matches for each patient.")] = 5
    within_km: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="Radius in kilometres, greater than 0.")
    ] = None
    within_miles: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="Radius in miles instead.")] = None
    min_travel: Annotated[TravelCertainty | None, Meta(description="Only sites with at least this travel support.")] = (
        None
    )
    min_spots: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(description="Only sites known to have at least this many spots left."),
    ] = None
    only_country: Annotated[str | None, Meta(description="Only sites in this country.")] = None
    prefer_country: Annotated[str | None, Meta(description="Sites in this country come first.")] = None
    status: Annotated[
        tuple[RecruitmentStatus, ...] | None, Meta(description="Statuses that count as open; RECRUITING by default.")
    ] = None
    study_id: StudyId = None


class BatchMatch(Wire, frozen=True):
    """One ranked site of a patient; `sites` has its details."""

    rank: Annotated[int, Meta(ge=1)]
    band: Annotated[int, Meta(ge=1, description="Sites of one band are about equally far.")]
    site_id: str
    distance_km: Annotated[float | None, Meta(description="Null for a site without a location.")]
    distance_uncertainty_km: float | None
    direction: str | None
    remaining: Annotated[int | None, Meta(description="Spots left; null is unknown.")]
    reasons: Annotated[tuple[str, ...], Meta(description="The codes of the reasons, the most telling first.")]
    outside_radius: Annotated[bool, Meta(description="No site within the radius can take the patient.")]


class BatchReject(Wire, frozen=True):
    """Why a patient has no matches."""

    code: Annotated[str, Meta(description="The kind of fault, such as InvalidPostcode, or NoMatch.")]
    why: Annotated[str, Meta(description="What is wrong and what to do.")]
    suggestions: Annotated[str, Meta(description="What may have been meant, separated by semicolons.")]


class PatientAnswer(Wire, frozen=True):
    """The answer for one patient: matches or a reject."""

    patient: Annotated[str, Meta(description="As sent, or the position from 0.")]
    matches: tuple[BatchMatch, ...]
    reject: BatchReject | None


class BatchAnswer(Wire, frozen=True):
    """The answers in the order of the request."""

    study: StudyAnswer
    patients: tuple[PatientAnswer, ...]
    sites: Annotated[tuple[SiteAnswer, ...], Meta(description="Every site that is named, once.")]
    answered_at: Instant
    attribution: Annotated[tuple[str, ...], Meta(description="Sources to credit when you show the answer.")]


def blueprint(backend: Backend) -> Documented:
    """Create the route."""
    routes = Documented("match_batches")
    decoder = msgspec.json.Decoder(BatchAsked)

    @routes.serve(
        "POST",
        "/v1/matches:batch",
        Operation(
            summary=f"Rank the sites for up to {MAX_PATIENTS:,} patients",
            description="Sites, order and distances are those of /v1/matches for each patient. A patient who cannot be "
            "located has a reject with the reason; the others are answered. Nothing of the request is stored or "
            "logged, and it does not count as demand.",
            tag="Matching",
            body=BatchAsked,
            answers={JSON: BatchAnswer},
            problems=(
                problems.INVALID_INPUT,
                problems.INVALID_POLICY,
                problems.UNKNOWN_COUNTRY,
                problems.STUDY_NOT_FOUND,
                problems.NOT_ACCEPTABLE,
                problems.NOT_READY,
                problems.BUSY,
                problems.STORAGE_FAULT,
                *BODY_PROBLEMS,
            ),
            example={"patients": [{"patient": "p-1", "postcode": "33180", "country": "US"}], "limit": 1},
        ),
    )
    def post() -> Response:
        media_type = choose_media_type((JSON,))
        request.max_content_length = _MAX_BYTES
        asked = read_json(decoder)
        response = respond(_answer(backend, asked), media_type)
        response.headers["Vary"] = "Accept, Accept-Language"
        return response

    return routes


def _answer(backend: Backend, asked: BatchAsked) -> BatchAnswer:
    shared = {name: getattr(asked, name) for name in BatchAsked.__struct_fields__ if name != "patients"}
    policy = MatchRequest(**shared).policy()
    if len(asked.patients) * asked.limit > _MOST_MATCHES:
        most = _MOST_MATCHES // len(asked.patients)
        raise InvalidPolicy(
            f"{len(asked.patients):,} patients with {asked.limit} matches each are too many. Set limit to at most "
            f"{most}, or send fewer patients.",
            field="limit",
        )
    finder = backend.finder(asked.study_id)
    now = backend.now()
    many = ManyMatches(finder, policy, now, spoken_languages())
    queries = [
        PatientQuery(patient.postcode, patient.country, patient.town, patient.latitude, patient.longitude)
        for patient in asked.patients
    ]
    many.answer_all(queries)
    answers = [
        _patient(str(position) if patient.patient is None else patient.patient, many.answer(query), many)
        for position, (patient, query) in enumerate(zip(asked.patients, queries, strict=True))
    ]
    named = sorted({*many.columns["site_id"]})
    return BatchAnswer(
        study=study_answer(finder.study),
        patients=tuple(answers),
        sites=tuple(site_answer(finder.site(site_id)) for site_id in named),
        answered_at=now,
        attribution=finder.attribution,
    )


def _patient(name: str, answered: Answered, many: ManyMatches) -> PatientAnswer:
    columns, reject = many.columns, answered.reject
    return PatientAnswer(
        patient=name,
        matches=tuple(
            BatchMatch(
                rank=columns["rank"][row],
                band=columns["band"][row],
                site_id=columns["site_id"][row],
                distance_km=_metres(columns["distance_km"][row]),
                distance_uncertainty_km=_metres(columns["distance_uncertainty_km"][row]),
                direction=columns["direction"][row],
                remaining=columns["remaining"][row],
                reasons=tuple(columns["reasons"][row].split()),
                outside_radius=columns["outside_radius"][row],
            )
            for row in range(answered.start, answered.start + answered.count)
        ),
        reject=None
        if reject is None
        else BatchReject(code=reject.code, why=reject.why, suggestions=reject.suggestions),
    )


def _metres(km: float | None) -> float | None:
    return None if km is None else round(km, 3)
