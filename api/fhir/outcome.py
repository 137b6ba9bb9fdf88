"""Errors under ``/fhir`` as OperationOutcome, never as problem details."""

from __future__ import annotations

from flask import Flask, Response

from api.http.answers import respond
from api.http.errors import render_with
from api.http.negotiation import FHIR
from api.http.problems import Problem
from sitematch.exporters.fhir.bundle import outcome

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


def register(app: Flask) -> None:
    """Report errors under ``/fhir`` in FHIR's format."""
    render_with(app, PREFIX, fhir_refusal)


def fhir_refusal(described: Problem) -> Response:
    """Return a problem as an OperationOutcome."""
    detail = " ".join(part for part in (described.detail, described.what_to_do, described.instance) if part)
    code = _ISSUE_OF_STATUS.get(described.status, "exception")
    return respond(outcome(code, described.title, detail), FHIR, status=described.status)
