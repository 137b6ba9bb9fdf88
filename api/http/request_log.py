"""A request's id, and the line that is logged for it: by its route, never by its address, which may hold a postcode."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from flask import Flask, Response, g, has_request_context, request

from sitematch.config import Settings

ACCESS = logging.getLogger("sitematch.access")
"""One line a request at level INFO, if the settings want that."""

NO_ROUTE = "(no route)"
"""Stands for every address that we do not have."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_UNTYPED_LENGTH = 16
"""Characters. From somebody unknown, a shorter id is not believed: it could be a postcode or a name."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Observer = Callable[[str, str, int, float], None]
"""Is told of each answer: method, route, status and seconds."""


class RequestFacts(logging.Filter):
    """Adds the id and the route of the request that a record arose in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add them, and keep the record."""
        if has_request_context():
            record.request_id = g.get("request_id", "")
            record.route = route()
        return True


def register(app: Flask, settings: Settings, observer: Observer | None = None) -> None:
    """Give each request an id, send it back, and log the request. It comes before all else that is registered.

    Parameters
    ----------
    app
        The app.
    settings
        Whether to write a line for each request.
    observer
        Is told of each answer.
    """

    @app.before_request
    def start() -> None:
        g.started_s = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if len(given) >= _UNTYPED_LENGTH and _REQUEST_ID.fullmatch(given) else _new_id()

    @app.after_request
    def finish(response: Response) -> Response:
        # The audit trail names the same one.
        response.headers["X-Request-Id"] = g.get("request_id", "")
        took_s = time.perf_counter() - g.get("started_s", time.perf_counter())
        if observer is not None:
            observer(method(), route(), response.status_code, took_s)
        if settings.access_log:
            facts = {
                "method": method(),
                "route": route(),
                "status": response.status_code,
                "duration_ms": round(took_s * 1000, 1),
            }
            ACCESS.info("%s %s %d", method(), route(), response.status_code, extra=facts)
        return response


def route() -> str:
    """Return the rule, ``/v1/postcodes/<country>/<code>``, that stands for the path; an unknown path is not told."""
    return request.url_rule.rule if request.url_rule else NO_ROUTE


def method() -> str:
    """Return the method if it is one of HTTP's own: another could carry any text into the log."""
    return request.method if request.method in _METHODS else "(other)"


def believe_id() -> None:
    """Take the request's own id, however short: now it is known who asks, and that it is a program."""
    given = request.headers.get("X-Request-Id", "")
    if _REQUEST_ID.fullmatch(given):
        g.request_id = given


def _new_id() -> str:
    return f"http-{uuid.uuid4()}"
