"""``/v1/sites``: a study's sites in the catalogue."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request

from api.backend import Backend
from api.http import problems
from api.http.answers import encode, respond_cacheable
from api.http.negotiation import GEOJSON, JSON, choose_media_type
from api.http.operations import Documented, Operation
from api.http.reading import read_query
from api.http.tables import TABULAR, respond_table
from api.v1.schemas.finding import SiteDetail, SiteQuery, SitesAnswer, SitesQuery
from sitematch.exporters.geojson import SiteCollection, SiteFeature, site_feature, sites_geojson
from sitematch.exporters.tables.rows import SITE_HEADER, site_row
from sitematch.exporters.wire.matches import contact_answers, remaining_answer, site_answer, study_answer

_OFFERED = (JSON, GEOJSON)
_LISTED: dict[str, type] = {JSON: SitesAnswer, GEOJSON: SiteCollection, **TABULAR}
_STUDY_PROBLEMS = (
    problems.STUDY_NOT_FOUND,
    problems.BUSY,
    problems.STORAGE_FAULT,
    problems.NOT_ACCEPTABLE,
    problems.NOT_READY,
)


def blueprint(backend: Backend) -> Documented:
    """Create the routes."""
    routes = Documented("sites")

    @routes.serve(
        "GET",
        "/v1/sites",
        Operation(
            summary="List a study's sites",
            description="Ordered by site_id, in pages; the `Link` header has the next page.",
            tag="Sites",
            query=SitesQuery,
            answers=_LISTED,
            problems=(
                problems.INVALID_INPUT,
                problems.UNKNOWN_COUNTRY,
                *_STUDY_PROBLEMS,
            ),
            example={"country": "US", "limit": 10},
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
        ),
    )
    def list_sites() -> Response:
        media_type = choose_media_type(tuple(_LISTED))
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
        page = wanted[: asked.limit]
        following = page[-1].site_id if len(wanted) > len(page) else None
        if media_type in TABULAR:
            study_id, rows = finder.study.study_id, map(site_row, page)
            response = respond_table(media_type, "sites", study_id, SITE_HEADER, rows, cacheable=True)
        else:
            study, shown = study_answer(finder.study), tuple(map(site_answer, page))
            answer: SitesAnswer | SiteCollection
            if media_type == GEOJSON:
                answer = sites_geojson(shown, study=study, attribution=finder.attribution, after=following)
            else:
                answer = SitesAnswer(study=study, sites=shown, next=following, attribution=finder.attribution)
            response = respond_cacheable(encode(answer), media_type, vary=True)
        if following is not None:
            response.headers["Link"] = f'<{_next_page(following)}>; rel="next"'
        return response

    @routes.serve(
        "GET",
        "/v1/sites/<site_id>",
        Operation(
            summary="Get one site with the spots left",
            tag="Sites",
            path={"site_id": "The site's id from /v1/sites."},
            query=SiteQuery,
            answers={JSON: SiteDetail, GEOJSON: SiteFeature},
            problems=(
                problems.INVALID_INPUT,
                problems.SITE_NOT_FOUND,
                *_STUDY_PROBLEMS,
            ),
            example={"site_id": "NCT06064929-001"},
            headers={"If-None-Match": "The ETag of your last answer."},
            is_conditional=True,
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
            contacts=contact_answers(finder.contacts.of(site)),
            attribution=finder.attribution,
        )
        return respond_cacheable(encode(answer), vary=True)

    return routes


def _next_page(after: str) -> str:
    """Return the URL of the page after a site, with the same options."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
    return f"{request.path}?{urlencode([*asked, ('after', after)])}"
