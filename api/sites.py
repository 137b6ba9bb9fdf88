"""``/v1/sites``: a study's sites as the catalogue holds them."""

from __future__ import annotations

from flask import Response

from api import problems
from api.answers import encode, respond_cacheable
from api.backend import Backend
from api.negotiate import GEOJSON, JSON, choose_media_type
from api.operations import Documented, Operation
from api.reading import read_query
from api.schemas import SiteDetail, SiteQuery, SitesAnswer, SitesQuery
from sitematch.exporters.geojson import SiteCollection, SiteFeature, site_feature, sites_geojson
from sitematch.exporters.wire import remaining_answer, site_answer, study_answer

_OFFERED = (JSON, GEOJSON)
_STUDY_PROBLEMS = (
    problems.STUDY_NOT_FOUND,
    problems.BUSY,
    problems.STORAGE_FAULT,
    problems.NOT_ACCEPTABLE,
    problems.NOT_READY,
)


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
    routes = Documented("sites")

    @routes.serve(
        "GET",
        "/v1/sites",
        Operation(
            summary="List a study's sites",
            description="By site_id, a page at a time.",
            tag="Sites",
            query=SitesQuery,
            answers={JSON: SitesAnswer, GEOJSON: SiteCollection},
            problems=(
                problems.INVALID_INPUT,
                problems.UNKNOWN_COUNTRY,
                *_STUDY_PROBLEMS,
            ),
            example={"country": "US", "limit": 10},
        ),
    )
    def list_sites() -> Response:
        media_type = choose_media_type(_OFFERED)
        asked = read_query(SitesQuery)
        country = asked.country_code()
        finder = backend.finder(asked.study_id)
        wanted = [
            site
            for site in finder.sites
            if site.site_id > asked.after
            and country in (None, site.country)
            and (asked.status is None or site.status in asked.status)
        ]
        shown = tuple(map(site_answer, wanted[: asked.limit]))
        following = shown[-1].site_id if len(wanted) > len(shown) else None
        study = study_answer(finder.study)
        if media_type == GEOJSON:
            collection = sites_geojson(shown, study=study, attribution=finder.attribution, after=following)
            return respond_cacheable(encode(collection), GEOJSON, vary=True)
        answer = SitesAnswer(study=study, sites=shown, next=following, attribution=finder.attribution)
        return respond_cacheable(encode(answer), vary=True)

    @routes.serve(
        "GET",
        "/v1/sites/<site_id>",
        Operation(
            summary="Show one site with the spots left",
            tag="Sites",
            path={"site_id": "The site's id, as /v1/sites lists it."},
            query=SiteQuery,
            answers={JSON: SiteDetail, GEOJSON: SiteFeature},
            problems=(
                problems.INVALID_INPUT,
                problems.SITE_NOT_FOUND,
                *_STUDY_PROBLEMS,
            ),
            example={"site_id": "NCT06064929-001"},
        ),
    )
    def show_site(site_id: str) -> Response:
        media_type = choose_media_type(_OFFERED)
        finder = backend.finder(read_query(SiteQuery).study_id)
        site = finder.site(site_id)
        if media_type == GEOJSON:
            return respond_cacheable(encode(site_feature(site_answer(site))), GEOJSON, vary=True)
        answer = SiteDetail(
            study=study_answer(finder.study),
            site=site_answer(site),
            remaining=remaining_answer(finder.remaining(site, backend.now())),
            attribution=finder.attribution,
        )
        return respond_cacheable(encode(answer), vary=True)

    return routes
