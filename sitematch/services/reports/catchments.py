"""The catchments of a study's open sites, as GeoJSON."""

from __future__ import annotations

from datetime import datetime

from sitematch.domain.accounts.access import Actor, Permission, granted_sites
from sitematch.exporters.geojson_areas import AreaCollection, area_feature, areas_geojson
from sitematch.geo.catchments import DRAWN_KM, WORST_SHARE, catchments
from sitematch.geo.circle import TOLERANCE, geodesic_circle
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.open_sites import place_of, sites_now

_ERROR = (
    f"Borders: a place's site is at most {WORST_SHARE:.2%} farther than the nearest, plus {DRAWN_KM:g} km for the "
    f"drawn lines. Circles: {TOLERANCE:.1%} of the radius. Sites lie within their uncertainty_km."
)


def draw_catchments(finder: Finder, actor: Actor, now: datetime, *, radius_km: float | None = None) -> AreaCollection:
    """Return, for each open site, the area that is nearer to it than to any other open site.

    Parameters
    ----------
    finder
        The study, its sites and their spots.
    actor
        The actor; everybody who may read a report of the study may use it.
    now
        The instant (aware).
    radius_km
        Also return the circle with this radius around each site; see `geodesic_circle`.

    Raises
    ------
    NotAllowed
        If the actor may read reports of no site of the study.
    InvalidInput
        If such a circle is not possible.
    """
    granted_sites(actor, Permission.REPORTS_READ, finder.study.study_id)
    found = sites_now(finder, now)
    points = [place_of(site).coordinates for site in found.open]
    parted = [
        ([found.open[i] for i in catchment.members], catchment.area, points[catchment.members[0]])
        for catchment in catchments(points)
    ]
    features = [area_feature("catchment", sites, area) for sites, area, _ in parted]
    if radius_km is not None:
        features += [
            area_feature("circle", sites, geodesic_circle(point, radius_km), radius_km) for sites, _, point in parted
        ]
    return areas_geojson(
        features,
        study=finder.study,
        as_of=now,
        sites_without_location=len(found.unplaced),
        error=_ERROR,
        attribution=finder.attribution,
    )
