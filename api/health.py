"""``/healthz`` and ``/readyz``: for whoever restarts or routes to the service."""

from __future__ import annotations

from flask import Response

from api.backend import Backend
from api.http import problems
from api.http.answers import respond
from api.http.errors import RequestRejected
from api.http.negotiation import JSON
from api.http.operations import Documented, Operation
from api.http.problems import problem
from api.v1.schemas.finding import Health, Readiness
from sitematch.services.finding.live_finders import CAPACITY_FEED


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
            description="Returns 503 unless the gazetteer, the catalogue and current numbers of spots are available.",
            tag="Operation",
            answers={JSON: Readiness},
            problems=(problems.NOT_READY,),
        ),
    )
    def readyz() -> Response:
        finder = backend.finder()
        finder.gazetteer.reader.check()
        late = [task for task in backend.tasks.statuses() if task.is_late or not task.is_alive]
        for task in late:
            if task.name == CAPACITY_FEED:
                said = (
                    f"The numbers of spots left have not been read for {task.since_success_s:.0f} seconds "
                    f"({task.last_error or 'the database does not answer'}); matches show them as unknown."
                )
                raise RequestRejected(problem(problems.NOT_READY, said))
        return respond(
            Readiness(
                status="ready",
                study_id=finder.study.study_id,
                sites=len(finder.sites),
                late=tuple(task.name for task in late),
            )
        )

    return routes
