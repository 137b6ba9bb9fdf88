"""``/``: the patient's page. It works without a script; with one, it requests only the results and replaces them."""

from __future__ import annotations

from flask import Response
from werkzeug.exceptions import NotFound

from api.backend import Backend
from api.http import problems
from api.http.answers import checked, packed
from api.http.operations import Documented, Operation
from api.pages.assets import Assets
from api.pages.finder_page import FinderVariant
from api.pages.form import FormRequest, PageQuery

FORM = "application/x-www-form-urlencoded"

_PROBLEMS = (
    problems.INVALID_INPUT,
    problems.INVALID_POSTCODE,
    problems.INVALID_COORDINATES,
    problems.INVALID_POLICY,
    problems.UNKNOWN_COUNTRY,
    problems.LOCATION_WANTED,
    problems.AMBIGUOUS_PLACE,
    problems.REGION_GIVEN,
    problems.POSTCODE_NOT_FOUND,
    problems.FORCES_POSTCODE,
    problems.TOWN_NOT_FOUND,
    problems.STUDY_NOT_FOUND,
    problems.TOO_LARGE,
    problems.NOT_READY,
)


def blueprint(backend: Backend, assets: Assets) -> Documented:
    """Create the routes.

    Parameters
    ----------
    backend
        Has the finder.
    assets
        Has the script for other websites.
    """
    routes = Documented("pages")
    page = FinderVariant(backend, "find.html")
    framed = FinderVariant(backend, "embed.html", is_framed=True)

    @routes.serve(
        "GET",
        "/",
        Operation(
            summary="Show the search form",
            description="In the language of the URL, the cookie or Accept-Language.",
            tag="Pages",
            query=PageQuery,
            answers={"text/html": str},
            problems=(problems.STUDY_NOT_FOUND, problems.NOT_READY),
        ),
    )
    def form() -> Response:
        return page.form()

    # POST, so that the postcode is not in URLs, histories and referrers. The form changes only the visitor's own
    # language, and reads no cookie of value. Another site would gain nothing by sending it for a visitor, so it needs
    # no CSRF token.
    @routes.serve(
        "POST",
        "/",
        Operation(
            summary="Show the ranked sites",
            tag="Pages",
            body=FormRequest,
            body_type=FORM,
            answers={"text/html": str},
            problems=_PROBLEMS,
            example={"country": "US", "place": "33180"},
        ),
    )
    def answer() -> Response:
        return page.answer()

    @routes.serve(
        "GET",
        "/embed",
        Operation(
            summary="Show the search form inside a frame",
            description="For pages of the origins in `SITEMATCH_FRAME_ANCESTORS`.",
            tag="Pages",
            query=PageQuery,
            answers={"text/html": str},
            problems=(problems.STUDY_NOT_FOUND, problems.NOT_READY),
        ),
    )
    def framed_form() -> Response:
        return framed.form()

    @routes.serve(
        "POST",
        "/embed",
        Operation(
            summary="Show the ranked sites inside a frame",
            tag="Pages",
            body=FormRequest,
            body_type=FORM,
            answers={"text/html": str},
            problems=_PROBLEMS,
            example={"country": "US", "place": "33180"},
        ),
    )
    def framed_answer() -> Response:
        return framed.answer()

    @routes.serve(
        "GET",
        "/embed.js",
        Operation(
            summary="Get the script that defines <sitematch-finder> for other websites",
            tag="Pages",
            answers={"text/javascript": str},
            problems=(problems.NOT_FOUND,),
        ),
    )
    def element() -> Response:
        script = assets.read("embed.js")
        if script is None:
            raise NotFound  # nothing was built; the log says so
        response = checked(packed(Response(script, content_type="text/javascript; charset=utf-8")))
        # Used by other websites.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return routes
