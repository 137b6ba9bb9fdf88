"""Results as GeoJSON (RFC 7946): longitude first, null geometry for sites without a location.

The properties are flat, because GIS programs and map libraries expect this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import IO, Annotated, Literal

import msgspec
from msgspec import Meta

from sitematch.domain.capacity.caps import LimitedBy
from sitematch.domain.journey.estimate import Way
from sitematch.domain.place import Precision
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.exporters.tables.rows import CapacityRow, SpotsAtSite
from sitematch.exporters.wire.matches import (
    DistanceAnswer,
    ExclusionAnswer,
    Instant,
    JourneyAnswer,
    Location,
    MatchAnswer,
    MatchesAnswer,
    PlaceAnswer,
    Query,
    SiteAnswer,
    StudyAnswer,
    Wire,
)

MEDIA_TYPE = "application/geo+json"

Degrees = Annotated[float, Meta(ge=-180, le=180)]
Box = Annotated[
    tuple[Degrees, Degrees, Degrees, Degrees],
    Meta(description="West, south, east, north; west is over east where it crosses the antimeridian."),
]


class Point(Wire, frozen=True, tag_field="type", tag="Point"):
    """A position: longitude, then latitude."""

    coordinates: tuple[Degrees, Degrees]


class SiteProperties(Wire, frozen=True, omit_defaults=True):
    """A site, with its rank in the result of a look-up; fields that do not apply are left out."""

    site_id: str
    study_id: str
    stand_in: Annotated[bool, Meta(description="True if the details are those of a site of another study.")]
    facility: str
    city: str
    state: str
    postcode: str
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    status: RecruitmentStatus
    travel: TravelCertainty
    as_of: date
    precision: Precision | None = None
    uncertainty_km: Annotated[float, Meta(ge=0)] | None = None
    outcome: Annotated[
        Literal["match", "excluded"] | None, Meta(description="Whether the site was ranked or left out.")
    ] = None
    rank: Annotated[int, Meta(ge=1)] | None = None
    band: Annotated[int, Meta(ge=1)] | None = None
    distance_km: Annotated[float, Meta(ge=0)] | None = None
    distance_uncertainty_km: Annotated[float, Meta(ge=0)] | None = None
    distance: Annotated[str | None, Meta(description="In the answer's unit, with its uncertainty.")] = None
    direction: str | None = None
    minutes: Annotated[float, Meta(ge=0, description="By car, the best guess.")] | None = None
    minutes_low: Annotated[float, Meta(ge=0, description="With minutes_high: true in 90 of 100 cases.")] | None = None
    minutes_high: Annotated[float, Meta(ge=0)] | None = None
    road_km: Annotated[float, Meta(ge=0)] | None = None
    way: Way | None = None
    journey: Annotated[str | None, Meta(description="The way by car in words.")] = None
    address: Annotated[str | None, Meta(description="Street and number, where known.")] = None
    remaining: Annotated[int | None, Meta(description="Spots left; absent is unknown.")] = None
    drawn_from: LimitedBy | None = None
    reasons: tuple[str, ...] = ()


class SiteFeature(Wire, frozen=True, tag_field="type", tag="Feature"):
    """One site."""

    id: str
    geometry: Annotated[Point | None, Meta(description="Null if the location of the site is unknown.")]
    properties: SiteProperties


class PlaceFeature(Wire, frozen=True, tag_field="type", tag="Feature"):
    """A postcode's place; the circle of `location.uncertainty_km` around it contains the true position."""

    geometry: Point
    properties: PlaceAnswer
    attribution: tuple[str, ...] = ()


class SiteCollection(Wire, frozen=True, tag_field="type", tag="FeatureCollection", omit_defaults=True):
    """Sites; in the result of a look-up the ranked ones first, then the left-out ones."""

    features: tuple[SiteFeature, ...]
    bbox: Box | msgspec.UnsetType = msgspec.UNSET
    query: Query | msgspec.UnsetType = msgspec.UNSET
    study: StudyAnswer | msgspec.UnsetType = msgspec.UNSET
    outside_radius: bool | msgspec.UnsetType = msgspec.UNSET
    excluded_more: Annotated[int, Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET
    answered_at: Instant | msgspec.UnsetType = msgspec.UNSET
    next: str | msgspec.UnsetType = msgspec.UNSET
    attribution: tuple[str, ...] = ()


class CapacityFeature(Wire, frozen=True, tag_field="type", tag="Feature"):
    """The spots of one site."""

    id: str
    geometry: Annotated[Point | None, Meta(description="Null if the location of the site is unknown.")]
    properties: SpotsAtSite


class CapacityCollection(Wire, frozen=True, tag_field="type", tag="FeatureCollection", omit_defaults=True):
    """The spots of sites."""

    features: tuple[CapacityFeature, ...]
    bbox: Box | msgspec.UnsetType = msgspec.UNSET


def matches_geojson(answer: MatchesAnswer) -> SiteCollection:
    """Return the result of one look-up as GeoJSON.

    Parameters
    ----------
    answer
        See `sitematch.exporters.wire.matches.matches_answer`.

    Returns
    -------
    SiteCollection
        Ranked sites in their order, then left-out ones. The person's place is in `query`, not in the features.
    """
    features = [_feature(match.site, _match_properties(match)) for match in answer.matches]
    features += [_feature(left_out.site, _exclusion_properties(left_out)) for left_out in answer.excluded]
    return SiteCollection(
        features=tuple(features),
        bbox=_box(features),
        query=answer.query,
        study=answer.study,
        outside_radius=answer.outside_radius,
        excluded_more=answer.excluded_more,
        answered_at=answer.answered_at,
        attribution=answer.attribution,
    )


def sites_geojson(
    sites: Iterable[SiteAnswer],
    *,
    study: StudyAnswer | None = None,
    attribution: tuple[str, ...] = (),
    after: str | None = None,
) -> SiteCollection:
    """Return a list of sites as GeoJSON.

    Parameters
    ----------
    sites
        In the order to keep.
    study, attribution
        The study and the sources that must be named with them.
    after
        Where the next page starts; None on the last page.
    """
    features = [site_feature(site) for site in sites]
    return SiteCollection(
        features=tuple(features),
        bbox=_box(features),
        study=study or msgspec.UNSET,
        next=after or msgspec.UNSET,
        attribution=attribution,
    )


def capacity_geojson(rows: Iterable[CapacityRow]) -> CapacityCollection:
    """Return the spots of sites as GeoJSON, in the given order."""
    features = tuple(
        CapacityFeature(
            id=row.site_id,
            geometry=None
            if row.latitude is None or row.longitude is None
            else Point(coordinates=(row.longitude, row.latitude)),
            properties=SpotsAtSite(**{name: getattr(row, name) for name in SpotsAtSite.__struct_fields__}),
        )
        for row in rows
    )
    return CapacityCollection(features=features, bbox=_box(features))


def write_sites_geojson(file: IO[bytes], sites: Iterable[SiteAnswer], *, attribution: tuple[str, ...]) -> None:
    """Write sites as one collection, with constant memory and without a `bbox`, which would need all sites first.

    Parameters
    ----------
    file
        The output; it stays open.
    sites
        In the order of the output; read once.
    attribution
        Sources that must be named with them.
    """
    encoder = msgspec.json.Encoder()
    file.write(b'{"type":"FeatureCollection","features":[')
    for number, site in enumerate(sites):
        file.write(b",\n" if number else b"\n")
        file.write(encoder.encode(site_feature(site)))
    file.write(b'\n],"attribution":' + encoder.encode(attribution) + b"}\n")


def site_feature(site: SiteAnswer) -> SiteFeature:
    """Return one site as a feature."""
    return _feature(site, _site_properties(site))


def place_feature(place: PlaceAnswer, attribution: tuple[str, ...]) -> PlaceFeature:
    """Return one place as a feature."""
    return PlaceFeature(geometry=_point(place.location), properties=place, attribution=attribution)


def bounding_box(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """Return the smallest box around points, over the antimeridian if that is shorter (RFC 7946, 5.2).

    Parameters
    ----------
    points
        Longitude and latitude in degrees.

    Returns
    -------
    tuple of float or None
        West, south, east, north; None if there are no points. West is greater than east where the box
        crosses the antimeridian.

    Examples
    --------
    >>> bounding_box([(178.4, -18.1), (-175.2, -21.1)])
    (178.4, -21.1, -175.2, -18.1)
    """
    if not points:
        return None
    longitudes = sorted({longitude for longitude, _ in points})
    latitudes = [latitude for _, latitude in points]
    # The box leaves out the widest gap between neighbours; the first gap is over the antimeridian.
    widest, west, east = longitudes[0] + 360.0 - longitudes[-1], longitudes[0], longitudes[-1]
    for left, right in pairwise(longitudes):
        if right - left > widest:
            widest, west, east = right - left, right, left
    return (west, min(latitudes), east, max(latitudes))


def _box(features: Sequence[SiteFeature | CapacityFeature]) -> tuple[float, float, float, float] | msgspec.UnsetType:
    box = bounding_box([feature.geometry.coordinates for feature in features if feature.geometry])
    return msgspec.UNSET if box is None else box


def _feature(site: SiteAnswer, properties: SiteProperties) -> SiteFeature:
    geometry = None if site.location is None else _point(site.location)
    return SiteFeature(id=site.site_id, geometry=geometry, properties=properties)


def _point(location: Location) -> Point:
    return Point(coordinates=(location.longitude, location.latitude))


def _site_properties(site: SiteAnswer) -> SiteProperties:
    return SiteProperties(
        site_id=site.site_id,
        study_id=site.study_id,
        stand_in=site.stand_in,
        facility=site.facility,
        address=site.address or None,
        city=site.city,
        state=site.state,
        postcode=site.postcode,
        country=site.country,
        status=site.status,
        travel=site.travel.certainty,
        as_of=site.as_of,
        precision=None if site.location is None else site.location.precision,
        uncertainty_km=None if site.location is None else site.location.uncertainty_km,
    )


def _match_properties(match: MatchAnswer) -> SiteProperties:
    return msgspec.structs.replace(
        _with_journey(_with_distance(_site_properties(match.site), match.distance), match.journey),
        outcome="match",
        rank=match.rank,
        band=match.band,
        remaining=match.remaining.count,
        drawn_from=match.remaining.drawn_from,
        reasons=tuple(reason.text for reason in match.reasons),
    )


def _exclusion_properties(left_out: ExclusionAnswer) -> SiteProperties:
    return msgspec.structs.replace(
        _with_distance(_site_properties(left_out.site), left_out.distance),
        outcome="excluded",
        reasons=tuple(reason.text for reason in left_out.reasons),
    )


def _with_distance(properties: SiteProperties, distance: DistanceAnswer | None) -> SiteProperties:
    if distance is None:
        return properties
    return msgspec.structs.replace(
        properties,
        distance_km=distance.km,
        distance_uncertainty_km=distance.uncertainty_km,
        distance=distance.text,
        direction=distance.direction,
    )


def _with_journey(properties: SiteProperties, journey: JourneyAnswer | None) -> SiteProperties:
    if journey is None:
        return properties
    minutes, road_km = journey.minutes, journey.road_km
    return msgspec.structs.replace(
        properties,
        minutes=minutes and minutes.best,
        minutes_low=minutes and minutes.low_90,
        minutes_high=minutes and minutes.high_90,
        road_km=road_km and road_km.best,
        way=journey.way,
        journey=journey.text,
    )
