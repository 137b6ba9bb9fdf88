"""Data for the patient's map in addition to the clinics: circles of equal distance, and towns for orientation."""

from __future__ import annotations

import functools
from typing import Annotated

import msgspec
from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.http import problems
from api.http.answers import checked, encode, packed, respond
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.reading import read_json
from api.pages import wording
from api.pages.languages import speak
from sitematch.domain.area import MultiPolygon
from sitematch.domain.finding.policy import MAX_RADIUS_KM
from sitematch.domain.place import Coordinates
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.exporters.wire.matches import Wire
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.schema import DEGREE
from sitematch.geo.circle import MAX_RADIUS_KM as MAX_CIRCLE_KM
from sitematch.geo.circle import MIN_RADIUS_KM as MIN_CIRCLE_KM
from sitematch.geo.circle import geodesic_circle

LEAST_INHABITANTS = 100_000
"""Minimum population of the towns on the map."""

_STEPS = tuple(factor * 10.0**power for power in range(-1, 5) for factor in (1.0, 2.0, 5.0))
"""Round radii, in kilometres or miles."""

_CIRCLES = 4
"""Maximum number."""

_TOWNS_KEPT_S = 24 * 3600


class CirclesRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """Where the person is, and the distance of the clinics."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    uncertainty_km: Annotated[float, Meta(ge=0, le=MAX_RADIUS_KM)] = 0.0
    farthest_km: Annotated[float, Meta(ge=0, le=MAX_RADIUS_KM, description="Distance of the farthest clinic.")] = 0.0
    unit: Unit = Unit.KM
    lang: Annotated[str, Meta(description="Language tag for the names of the circles.")] = ""


class Circle(Wire, frozen=True):
    """The area within a round distance of the person."""

    km: float
    text: Annotated[str, Meta(description="The distance in words.")]
    area: MultiPolygon


class CirclesAnswer(Wire, frozen=True):
    """Geodesic circles around one point, as GeoJSON coordinates."""

    circles: Annotated[tuple[Circle, ...], Meta(description="Smallest first.")]
    uncertainty: Annotated[
        MultiPolygon, Meta(description="The area that contains the person in about 95 of 100 cases.")
    ]


class TownsAnswer(Wire, frozen=True):
    """Towns for orientation."""

    towns: Annotated[
        tuple[tuple[str, float, float, int], ...],
        Meta(description="Name, latitude, longitude (to 100 m), thousands of inhabitants; the largest first."),
    ]
    attribution: tuple[str, ...]


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("maps")
    decoder = msgspec.json.Decoder(CirclesRequest)

    # POST, so that the person's location is not in URLs.
    @routes.serve(
        "POST",
        "/map/circles",
        Operation(
            summary="Draw circles of equal distance around a point",
            description="Along the ellipsoid: right across the antimeridian and around the poles, where the areas are "
            "cut as GeoJSON asks (RFC 7946). The circles have round radii and extend to the farthest clinic.",
            tag="Pages",
            body=CirclesRequest,
            answers={JSON: CirclesAnswer},
            problems=(
                problems.INVALID_INPUT,
                problems.INVALID_JSON,
                problems.TOO_LARGE,
                problems.UNSUPPORTED_MEDIA_TYPE,
            ),
            example={"latitude": -18.14, "longitude": 178.44, "uncertainty_km": 8, "farthest_km": 1200},
        ),
    )
    def circles() -> Response:
        asked = read_json(decoder)
        speak(asked.lang)
        here = Coordinates(latitude=asked.latitude, longitude=asked.longitude)
        radii_km = _round_radii_km(asked.farthest_km, asked.unit) if asked.farthest_km else ()
        drawn = tuple(
            Circle(km=round(km, 3), text=wording.length(km, asked.unit), area=geodesic_circle(here, km))
            for km in radii_km
        )
        known = MIN_CIRCLE_KM <= asked.uncertainty_km <= MAX_CIRCLE_KM
        unsure = geodesic_circle(here, asked.uncertainty_km) if known else ()
        return respond(CirclesAnswer(circles=drawn, uncertainty=unsure))

    @routes.serve(
        "GET",
        "/map/towns",
        Operation(
            summary="List the larger towns, for a map",
            tag="Pages",
            answers={JSON: TownsAnswer},
            problems=(problems.NOT_READY,),
        ),
    )
    def towns() -> Response:
        finder = backend.finder()
        response = Response(_towns(finder.gazetteer.reader, finder.attribution), content_type=JSON)
        checked(packed(response))
        response.headers["Cache-Control"] = f"public, max-age={_TOWNS_KEPT_S}"
        return response

    return routes


@functools.lru_cache(maxsize=4)
def _towns(reader: Reader, attribution: tuple[str, ...]) -> bytes:
    """Encode the towns once per gazetteer."""
    rows = reader.largest_towns(LEAST_INHABITANTS)
    # Fewer digits take half the bytes, and are precise enough for a dot on a map.
    places = tuple(
        (name, round(latitude / DEGREE, 3), round(longitude / DEGREE, 3), round(population / 1000))
        for name, latitude, longitude, population in rows
    )
    return encode(TownsAnswer(towns=places, attribution=attribution))


def _round_radii_km(farthest_km: float, unit: Unit) -> tuple[float, ...]:
    """Choose up to four round distances, evenly spaced, the last of which reaches at least three quarters of the way.

    Examples
    --------
    >>> _round_radii_km(1190.0, Unit.KM)
    (500.0, 1000.0)
    >>> [round(km / KM_PER_MILE) for km in _round_radii_km(1900.0, Unit.MILES)]
    [500, 1000]
    """
    one_km = KM_PER_MILE if unit is Unit.MILES else 1.0
    reach = min(max(farthest_km, 1.0), MAX_CIRCLE_KM) / one_km
    step = next(step for step in _STEPS if step * (_CIRCLES + 1) > reach)
    count = max(1, int(reach // step))
    return tuple(step * i * one_km for i in range(1, count + 1))
