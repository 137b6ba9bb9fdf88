"""Data answers with gzip, to who takes it: JSON, tables and the documents of the interface."""

from __future__ import annotations

from flask import Flask, Response, request

from api.http.answers import packed

_TYPES = frozenset({"text/csv", "text/plain", "application/json", "application/x-ndjson"})
_DOCUMENTS = frozenset({"docs"})
"""Blueprints whose pages are the same for everybody."""

_NEVER = frozenset({"console"})
"""Blueprints that know people by a cookie: a page elsewhere could have a browser ask, and guess a secret of the answer
by its length (BREACH). The API knows people by a token, which no browser sends by itself."""


def register(app: Flask) -> None:
    """Pack the answers that are worth it. Register it so that it comes after all that writes bodies or ETags."""

    @app.after_request
    def pack(response: Response) -> Response:
        blueprint = request.blueprint
        media_type = response.mimetype or ""
        is_data = media_type in _TYPES or media_type.endswith("+json")
        if blueprint in _NEVER or not (is_data or blueprint in _DOCUMENTS) or response.is_streamed:
            return response
        if response.status_code == 304:
            response.vary.add("Accept-Encoding")
            return response
        if "Content-Encoding" in response.headers:
            return response
        packed(response)
        etag, _ = response.get_etag()
        if etag is not None and "Content-Encoding" in response.headers:
            # The same answer in other bytes: a strong ETag would promise the very same ones.
            response.set_etag(etag, weak=True)
        return response
