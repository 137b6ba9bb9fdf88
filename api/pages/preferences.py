"""``/preferences``: saves a language or a colour scheme, from any page and without a script."""

from __future__ import annotations

import re

from flask import Response

from api.http import problems
from api.http.negotiation import HTML
from api.http.operations import Documented, Operation
from api.http.reading import read_form
from api.pages.languages import remember
from api.v1.schemas.finding import PreferencesRequest

_OUR_PAGE = re.compile(r"(?:/[\w.-]+)*/?", re.ASCII)
"""A path on this server; never ``//elsewhere`` or ``/\\elsewhere``, which browsers take for another one."""


def blueprint() -> Documented:
    """Create the routes."""
    routes = Documented("preferences")

    # It only changes two harmless cookies of the sender, so it needs no CSRF token.
    @routes.serve(
        "POST",
        "/preferences",
        Operation(
            summary="Save a language or colour scheme",
            description="Sets a cookie with the choice and nothing about the person, and redirects back to the page.",
            tag="Pages",
            body=PreferencesRequest,
            body_type="application/x-www-form-urlencoded",
            answers={"text/html": str},
            problems=(problems.INVALID_INPUT, problems.TOO_LARGE),
            example={"lang": "de", "back": "/"},
            status=303,
        ),
    )
    def choose() -> Response:
        asked = read_form(PreferencesRequest)
        back = asked.back if asked.back and _OUR_PAGE.fullmatch(asked.back) else "/"
        response = Response(status=303, headers={"Location": back}, content_type=HTML)
        remember(response, language=asked.lang, theme=asked.theme)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
