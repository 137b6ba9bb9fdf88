"""A slash too many at the end of an address: the client is sent to the address without it."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, Response, request
from flask.globals import request_ctx
from werkzeug.exceptions import NotFound


def register(app: Flask) -> None:
    """Answer such requests with 308, which keeps the method and the body, if there is something at the address.

    Parameters
    ----------
    app
        The app.
    """

    @app.before_request
    def redirect_without_slash() -> Response | None:
        path = request.path.rstrip("/")
        adapter = request_ctx.url_adapter
        if not isinstance(request.routing_exception, NotFound) or path == request.path or not path or adapter is None:
            return None
        # Only an address of ours: "//example.org/" would lead to another server.
        if path.startswith("//") or not any(adapter.test(path, method) for method in (request.method, "GET", "POST")):
            return None
        query = request.query_string.decode("ascii", "replace")
        response = Response(status=308)
        response.headers["Location"] = quote(path, safe="/:@!$&'()*+,;=-._~") + (f"?{query}" if query else "")
        response.headers["Cache-Control"] = "no-store"  # the query may say where somebody is
        response.autocorrect_location_header = False
        return response
