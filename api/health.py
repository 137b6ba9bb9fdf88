"""``/healthz`` and ``/readyz``: for whoever restarts or routes to the service."""

from __future__ import annotations

from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.v1.schemas.finding import Health, Readiness


def blueprint(backend: Backend) -> Documented:
    """Make the routes."""
    routes = Documented("health")

    @routes.serve(
        "GET",
        "/healthz",
        Operation(summary="Check that the process is running", tag="Operation", answers={JSON: Health}),
    )
    def healthz() -> Response:
        return respond(Health(status="ok"))

    @routes.serve(
        "GET",
        "/readyz",
        Operation(
            summary="Check that the server can answer searches",
            description="Returns 503 until the gazetteer and the catalogue are open.",
            tag="Operation",
            answers={JSON: Readiness},
            problems=(problems.NOT_READY,),
        ),
    )
    def readyz() -> Response:
        finder = backend.finder()
        return respond(Readiness(status="ready", study_id=finder.study.study_id, sites=len(finder.sites)))

    return routes
