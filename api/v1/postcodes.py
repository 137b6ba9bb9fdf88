"""``/v1/postcodes``: where a postcode is, with its uncertainty."""

from __future__ import annotations

from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import GEOJSON, JSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from api.v1.schemas.finding import NoQuery, PostcodeAnswer
from sitematch.domain.units import unit_for
from sitematch.exporters.geojson import PlaceFeature, place_feature
from sitematch.exporters.wire.matches import place_answer
from sitematch.gazetteer.grammar import parse_country, parse_postcode

_OFFERED = (JSON, GEOJSON)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("postcodes")

    @routes.serve(
        "GET",
        "/v1/postcodes/<country>/<code>",
        Operation(
            summary="Locate a postcode",
            description="If only the first part of a postcode is known, the answer is for that part and says so.",
            tag="Postcodes",
            path={
                "country": "ISO 3166-1 code or a name of the country.",
                "code": "The postcode as a person types it.",
            },
            query=NoQuery,
            answers={JSON: PostcodeAnswer, GEOJSON: PlaceFeature},
            problems=(
                problems.INVALID_INPUT,
                problems.INVALID_POSTCODE,
                problems.UNKNOWN_COUNTRY,
                problems.POSTCODE_NOT_FOUND,
                problems.NOT_ACCEPTABLE,
                problems.NOT_READY,
            ),
            example={"country": "US", "code": "33180"},
        ),
    )
    def locate(country: str, code: str) -> Response:
        media_type = choose_media_type(_OFFERED)
        read_query(NoQuery)
        finder = backend.finder()
        # Not `finder.locate`, which also accepts a town's name.
        place = finder.gazetteer.lookup(parse_postcode(code, parse_country(country)))
        answer = place_answer(place, unit_for(place.country))
        if media_type == GEOJSON:
            response = respond(place_feature(answer, finder.attribution), GEOJSON)
        else:
            response = respond(PostcodeAnswer(place=answer, attribution=finder.attribution))
        response.headers["Vary"] = "Accept"
        return response

    return routes
