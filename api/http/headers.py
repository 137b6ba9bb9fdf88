"""Headers that every answer carries, and the access log that no postcode can get into."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from sitematch.config import Settings

ACCESS = logging.getLogger("sitematch.access")
"""One line a request at level INFO: method, route, status, milliseconds."""

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(self), microphone=()"),
)


def content_security_policy(settings: Settings, *, frame_ancestors: str = "'none'") -> str:
    """Write the policy: our own scripts, style sheets, pictures and forms, nothing inline, nothing from elsewhere.

    Parameters
    ----------
    settings
        A tile server that is set may send pictures, and nothing else.
    frame_ancestors
        Who may show the page in a frame.
    """
    pictures = " ".join(filter(None, ("'self'", settings.tiles_origin)))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
    )


def register(app: Flask, settings: Settings) -> None:
    """Add the headers, and log requests by their route: never the address, which may hold a postcode.

    Parameters
    ----------
    app
        The app.
    settings
        Whether to write a line for each request to the standard error stream (otherwise `ACCESS` is left to whoever
        configures logging), and whose tiles a map may show.
    """
    policy = content_security_policy(settings)
    if settings.access_log and not ACCESS.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        ACCESS.addHandler(handler)
        ACCESS.setLevel(logging.INFO)

    @app.before_request
    def start() -> None:
        if ACCESS.isEnabledFor(logging.INFO):
            g.started_s = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in (("Content-Security-Policy", policy), *_HEADERS):
            response.headers.setdefault(name, value)  # a page that may be framed has said so itself
        if ACCESS.isEnabledFor(logging.INFO):
            took_ms = (time.perf_counter() - g.get("started_s", time.perf_counter())) * 1000
            # The rule, "/v1/postcodes/<country>/<code>", stands for the path; an unknown path is not told.
            route = request.url_rule.rule if request.url_rule else "(no route)"
            ACCESS.info("%s %s %d %.1f ms", _method(), route, response.status_code, took_ms)
        return response


def _method() -> str:
    """Return the method if it is one of HTTP's own: another could carry any text into the log."""
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return request.method if request.method in known else "(other)"
