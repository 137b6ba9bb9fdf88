"""``/v1/matches``: a study's sites ranked from where a person is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import GEOJSON, JSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_json, read_query, spoken_languages
from api.http.tables import TABULAR, respond_table
from api.v1.schemas.finding import MatchRequest
from sitematch.domain.finding.match import MatchResult
from sitematch.exporters.geojson import SiteCollection, matches_geojson
from sitematch.exporters.tables.rows import MATCH_HEADER, match_rows
from sitematch.exporters.wire.matches import MatchesAnswer, matches_answer
from sitematch.services.finding.finder import Finder

_ANSWERS: dict[str, type] = {JSON: MatchesAnswer, GEOJSON: SiteCollection, **TABULAR}
_OFFERED = tuple(_ANSWERS)
LOOK_UP_PROBLEMS = (
    problems.INVALID_INPUT,
    problems.INVALID_COORDINATES,
    problems.INVALID_POSTCODE,
    problems.UNKNOWN_COUNTRY,
    problems.INVALID_POLICY,
    problems.LOCATION_WANTED,
    problems.AMBIGUOUS_PLACE,
    problems.REGION_GIVEN,
    problems.POSTCODE_NOT_FOUND,
    problems.FORCES_POSTCODE,
    problems.TOWN_NOT_FOUND,
    problems.NOT_ACCEPTABLE,
    problems.NOT_READY,
)
_PROBLEMS = (*LOOK_UP_PROBLEMS, problems.STUDY_NOT_FOUND, problems.BUSY, problems.STORAGE_FAULT)
BODY_PROBLEMS = (problems.INVALID_JSON, problems.TOO_LARGE, problems.UNSUPPORTED_MEDIA_TYPE)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("matches")
    decoder = msgspec.json.Decoder(MatchRequest)

    @routes.serve(
        "POST",
        "/v1/matches",
        Operation(
            summary="Rank the sites by distance from a postcode, a town or coordinates",
            description="Use this for patients: the location stays out of URLs, and so out of logs, browser histories "
            "and referrers. Nothing of the request is stored or logged.",
            tag="Matching",
            body=MatchRequest,
            answers=_ANSWERS,
            problems=(*_PROBLEMS, *BODY_PROBLEMS),
            example={"postcode": "33180", "country": "US", "limit": 3},
        ),
    )
    def post() -> Response:
        media_type = choose_media_type(_OFFERED)
        return _answer(backend, read_json(decoder), media_type)

    if backend.settings.get_matches:

        @routes.serve(
            "GET",
            "/v1/matches",
            Operation(
                summary="Rank the sites, with the query in the URL",
                description="Useful for testing, but the postcode is in the URL: use POST for patients. "
                "The operator can switch this off.",
                tag="Matching",
                query=MatchRequest,
                answers=_ANSWERS,
                problems=_PROBLEMS,
                example={"postcode": "33180", "country": "US"},
            ),
        )
        def get() -> Response:
            media_type = choose_media_type(_OFFERED)
            return _answer(backend, read_query(MatchRequest), media_type)

    return routes


def find(finder: Finder, asked: MatchRequest, backend: Backend, *, languages: Sequence[str]) -> MatchResult:
    """Answer a look-up, and count its region if the operator has enabled this.

    Parameters
    ----------
    finder, asked, backend
        The study's finder, the request and the server.
    languages
        The person's languages, best first.

    Raises
    ------
    SitematchError
        See `MatchRequest.policy`, `MatchRequest.point` and `Finder.find`.
    """
    policy = asked.policy()
    point = asked.point()
    if point is not None:
        found = finder.match_sites(point, policy, backend.now())
    else:
        found = finder.find(
            asked.postcode or "", asked.country, policy, backend.now(), town=asked.town, languages=languages
        )
    backend.count_demand(finder.study.study_id, found.place)
    return found


def _answer(backend: Backend, asked: MatchRequest, media_type: str) -> Response:
    finder = backend.finder(asked.study_id)
    result = find(finder, asked, backend, languages=spoken_languages())
    if media_type in TABULAR:
        rows = match_rows(result, finder.study.notice)
        return respond_table(media_type, "matches", finder.study.study_id, MATCH_HEADER, rows)
    answer = matches_answer(result, finder.study, finder.attribution, finder.contacts)
    response = respond(matches_geojson(answer) if media_type == GEOJSON else answer, media_type)
    response.headers["Vary"] = "Accept, Accept-Language"
    return response
