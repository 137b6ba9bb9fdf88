"""The names that requests may be sent to: a name that a stranger chose must not get into links or cookies."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from flask import Flask, request
from werkzeug.sansio.utils import host_is_trusted

from api.http import problems
from api.http.errors import RequestRejected
from api.http.problems import problem
from sitematch.config import Settings
from sitematch.errors import InvalidInput

_OWN = ("localhost", "127.0.0.1", "[::1]")
_EVERYWHERE = frozenset({"health", "metrics"})
"""Blueprints that are asked by address, by probes that know no name; no link is made there."""


def register(app: Flask, settings: Settings) -> None:
    """Refuse requests to other hosts with 400, if the settings say which there are.

    Parameters
    ----------
    app
        The app.
    settings
        The public address, and more names.
    """
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    if public is None and not settings.allowed_hosts:
        return
    allowed = [*settings.allowed_hosts, *_OWN]
    if public is not None:
        allowed.append(f"[{public}]" if ":" in public else public)

    @app.before_request
    def check_host() -> None:
        if request.blueprint not in _EVERYWHERE and not host_is_trusted(request.headers.get("Host", ""), allowed):
            detail = "This server is not known under the name that the request was sent to."
            raise RequestRejected(problem(problems.BAD_REQUEST, detail))


def split_url(text: str, field: str) -> SplitResult:
    """Split a URL from a request.

    Raises
    ------
    InvalidInput
        If it is malformed, e.g. ``"//["``; `.field` is the one given.
    """
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port  # which may fail later
    except ValueError as error:
        raise InvalidInput(f"The {field} is not a valid address.", field=field) from error
    return parts
