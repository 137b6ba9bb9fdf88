"""Which other websites' scripts may call the API in a browser (CORS)."""

from __future__ import annotations

import re

from flask import Flask, Response, request
from flask_cors import CORS

from sitematch.config import Settings

_PUBLIC = r"/(v1/(matches|clinics|sites|studies|postcodes)|fhir|openapi\.json)([/:.].*)?$"
"""Routes that anybody may read. Those of coordinators are left out: no other website handles their tokens."""

_MAX_AGE_S = 3600


def register(app: Flask, settings: Settings) -> None:
    """Let the scripts of the origins in the settings call the public routes.

    Cookies and tokens are not allowed in, so such a script gets what anybody gets.
    """
    if not settings.cors_origins:
        return
    CORS(
        app,
        resources={_PUBLIC: {"origins": list(settings.cors_origins)}},
        methods=["GET", "HEAD", "OPTIONS", "POST"],
        allow_headers=["Accept", "Accept-Language", "Content-Type", "If-None-Match"],
        expose_headers=["ETag", "Link", "Retry-After", "X-Request-Id"],
        supports_credentials=False,
        send_wildcard=False,
        max_age=_MAX_AGE_S,
    )
    public = re.compile(_PUBLIC)

    @app.after_request
    def vary(response: Response) -> Response:
        # Without it a cache could give one origin's answer to another.
        if public.match(request.path):
            response.vary.add("Origin")
        return response
