"""``/v1/clinics``: where studies about a condition recruit, ranked from where a person is."""

from __future__ import annotations

import msgspec
from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json, spoken_languages
from api.v1.matches import BODY_PROBLEMS, LOOK_UP_PROBLEMS
from api.v1.schemas.finding import ClinicsRequest
from sitematch.exporters.wire.clinics import ClinicsAnswer, clinics_answer


def blueprint(backend: Backend) -> Documented:
    """Create the route."""
    routes = Documented("clinics")
    decoder = msgspec.json.Decoder(ClinicsRequest)

    @routes.serve(
        "POST",
        "/v1/clinics",
        Operation(
            summary="Rank the clinics that recruit for a condition",
            description="Over all studies that take patients and have every word of the condition in their title, "
            "conditions, keywords, interventions or ids. One row for each clinic, with all studies that recruit there. "
            "Nothing of the request is stored or logged.",
            tag="Matching",
            body=ClinicsRequest,
            answers={JSON: ClinicsAnswer},
            problems=(*LOOK_UP_PROBLEMS, problems.BUSY, problems.STORAGE_FAULT, *BODY_PROBLEMS),
            example={"condition": "lupus nephritis", "postcode": "33180", "country": "US", "limit": 3},
        ),
    )
    def rank_clinics() -> Response:
        asked = read_json(decoder)
        policy, point, finder = asked.policy(), asked.point(), backend.live().clinics
        if point is not None:
            result = finder.match_clinics(asked.condition, point, policy, backend.now())
        else:
            result = finder.find(
                asked.condition,
                asked.postcode or "",
                asked.country,
                policy,
                backend.now(),
                town=asked.town,
                languages=spoken_languages(),
            )
        return respond(clinics_answer(result, finder.attribution))

    return routes
