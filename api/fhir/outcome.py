"""Errors under ``/fhir`` as OperationOutcome, never as problem details."""

from __future__ import annotations

import re

from flask import Flask, Response, request

from api.http import problems
from api.http.answers import respond
from api.http.errors import RequestRejected, render_with
from api.http.negotiation import FHIR
from api.http.problems import Problem, problem
from sitematch.exporters.fhir.bundle import outcome
from sitematch.services.exchange.fhir import ResourceKind

_ISSUE_OF_STATUS = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "multiple-matches",
    429: "throttled",
    501: "not-supported",
    503: "transient",
}
"""Codes of issue-type; any other error is an internal one."""


PREFIX = "/fhir"
"""All URLs with this prefix use FHIR."""
_HISTORY = re.compile(rf"{PREFIX}(?:/(?:{'|'.join(ResourceKind)})(?:/[^/]+)?)?/_history(?:/[^/]+)?")


def register(app: Flask) -> None:
    """Report errors under ``/fhir`` in FHIR's format, and say clearly that no earlier versions are kept."""
    render_with(app, PREFIX, fhir_refusal)

    @app.before_request
    def refuse_history() -> None:
        if _HISTORY.fullmatch(request.path):
            detail = "Earlier versions are not kept, so there is no history. Read or search for the current resources."
            raise RequestRejected(problem(problems.NOT_SUPPORTED, detail))


def fhir_refusal(described: Problem) -> Response:
    """Return a problem as an OperationOutcome."""
    detail = " ".join(part for part in (described.detail, described.what_to_do, described.instance) if part)
    code = _ISSUE_OF_STATUS.get(described.status, "exception")
    return respond(outcome(code, described.title, detail), FHIR, status=described.status)
