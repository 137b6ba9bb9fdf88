"""Catchments and circles as GeoJSON (RFC 7946)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from sitematch.domain.area import MultiPolygon
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.exporters.wire.matches import Instant, Wire


class Area(Wire, frozen=True, tag_field="type", tag="MultiPolygon"):
    """An area: cut at the antimeridian, closed along a pole inside it."""

    coordinates: Annotated[
        MultiPolygon, Meta(description="Polygons of rings of positions: longitude, then latitude, in degrees.")
    ]


class AreaProperties(Wire, frozen=True, omit_defaults=True):
    """The sites of the area."""

    kind: Annotated[
        Literal["catchment", "circle"],
        Meta(description="catchment: nearer to it than to any other open site. circle: what lies within radius_km."),
    ]
    site_ids: Annotated[tuple[str, ...], Meta(description="The site; several where sites share one point.")]
    facilities: tuple[str, ...]
    city: str
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    uncertainty_km: Annotated[float, Meta(ge=0, description="The uncertainty of the site's point.")]
    radius_km: Annotated[float, Meta(gt=0)] | None = None


class AreaFeature(Wire, frozen=True, tag_field="type", tag="Feature"):
    """One area."""

    id: str
    geometry: Area
    properties: AreaProperties


class AreaCollection(Wire, frozen=True, tag_field="type", tag="FeatureCollection"):
    """A study's areas: catchments first, then circles, each by the first site's id."""

    features: tuple[AreaFeature, ...]
    study_id: str
    study_title: str
    as_of: Annotated[Instant, Meta(description="Sites that could take a patient at this instant.")]
    sites_without_location: Annotated[int, Meta(ge=0)]
    error: Annotated[str, Meta(description="The uncertainty of the borders.")]
    notice: str
    attribution: tuple[str, ...]


def area_feature(
    kind: Literal["catchment", "circle"], sites: Sequence[Site], area: MultiPolygon, radius_km: float | None = None
) -> AreaFeature:
    """Return one area as a feature.

    Parameters
    ----------
    kind
        Which kind.
    sites
        Its sites, all at one point; at least one, all with a location.
    area
        Its coordinates.
    radius_km
        The radius of a circle, in kilometres.
    """
    first = sites[0]
    assert first.place is not None
    return AreaFeature(
        id=f"{kind}-{first.site_id}",
        geometry=Area(coordinates=area),
        properties=AreaProperties(
            kind=kind,
            site_ids=tuple(site.site_id for site in sites),
            facilities=tuple(site.facility for site in sites),
            city=first.city,
            country=first.country,
            uncertainty_km=max(site.place.uncertainty_km for site in sites if site.place),
            radius_km=radius_km,
        ),
    )


def areas_geojson(
    features: Sequence[AreaFeature],
    *,
    study: Study,
    as_of: datetime,
    sites_without_location: int,
    error: str,
    attribution: tuple[str, ...],
) -> AreaCollection:
    """Return a study's areas; see `AreaCollection`."""
    return AreaCollection(
        features=tuple(features),
        study_id=study.study_id,
        study_title=study.title,
        as_of=as_of,
        sites_without_location=sites_without_location,
        error=error,
        notice=study.notice,
        attribution=attribution,
    )
