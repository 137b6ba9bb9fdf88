"""Headers that every answer carries, and the access log that no postcode can get into."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

ACCESS = logging.getLogger("sitematch.access")
"""One line a request at level INFO: method, route, status, milliseconds."""

_HEADERS = (
    # Nothing but our own style sheets, pictures and forms; no script at all, no inline style, no frame.
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)


def register(app: Flask, *, access_log: bool) -> None:
    """Add the headers, and log requests by their route: never the address, which may hold a postcode.

    Parameters
    ----------
    app
        The app.
    access_log
        Whether to write a line for each request to the standard error stream; otherwise `ACCESS` is left to whoever
        configures logging.
    """
    if access_log and not ACCESS.handlers:
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
        for name, value in _HEADERS:
            response.headers.setdefault(name, value)
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
