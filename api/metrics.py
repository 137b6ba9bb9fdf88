"""``/metrics``: how the server stands, for Prometheus."""

from __future__ import annotations

import hmac
import os

from flask import Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge

from api.backend import Backend
from api.http import problems
from api.http.errors import RequestRejected
from api.http.operations import Documented, Operation
from api.http.problems import problem
from sitematch import __version__, metrics
from sitematch.errors import SitematchError
from sitematch.services.finding.live_finders import LiveFinders
from sitematch.services.setup import Store
from sitematch.services.webhooks.notices import count_deliveries
from sitematch.supervision import Task

SAMPLE_EVERY_S = 5.0
"""How often a process writes down how it stands, in seconds: another process may be the one that is asked."""


class ServerMetrics:
    """How one process stands: its database, its background tasks, and the spots that it knows of.

    Instants are given instead of ages, as is usual with Prometheus: an age would stand still with its process.

    Parameters
    ----------
    backend
        What is looked at.
    registry
        Where the metrics are registered.
    """

    def __init__(self, backend: Backend, registry: CollectorRegistry) -> None:
        self._backend = backend
        self._counted: dict[str, int] = {}

        def gauge(name: str, text: str, labels: tuple[str, ...] = (), *, of_all: str = "mostrecent") -> Gauge:
            mode = {"multiprocess_mode": of_all}
            return Gauge(f"sitematch_{name}", text, labels, registry=registry, **mode)  # type: ignore[arg-type]

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"sitematch_{name}", text, labels, registry=registry)

        self._info = gauge("info", "Version of the program and of its gazetteer's data.", ("version", "gazetteer"))
        self._connections = gauge(
            "database_connections", "Connections to the database, by state.", ("state",), of_all="livesum"
        )
        self._writes = gauge("writes_under_way", "Writes that are under way or wait.", of_all="livesum")
        self._refused = counter("writes_refused_total", "Writes that were refused because too many waited.")
        self._feed_at = gauge(
            "feed_success_timestamp_seconds",
            "When the numbers of spots were last read; the process that is furthest behind.",
            of_all="livemin",
        )
        self._task_at = gauge(
            "task_success_timestamp_seconds",
            "When a background task last succeeded; the process that is furthest behind.",
            ("task",),
            of_all="livemin",
        )
        self._task_late = gauge("task_late", "Whether a background task is late: 1 or 0.", ("task",), of_all="livemax")
        self._task_runs = counter("task_runs_total", "How often a background task ran.", ("task",))
        self._task_failures = counter("task_failures_total", "How often a background task failed.", ("task",))
        self._deliveries = gauge("deliveries", "Messages to webhooks, by state.", ("state",))
        self._referrals = gauge("referrals", "Referrals, by study and state.", ("study", "state"))
        self._left = gauge("spots_left", "Spots left, by study, if a cap is known.", ("study",))

    def task(self) -> Task:
        """Return the task that samples now and then."""
        return Task("metrics", self.sample, every_s=SAMPLE_EVERY_S, late_after_s=60.0)

    def sample(self) -> None:
        """Write down how the process stands now; what is not open yet is left out."""
        backend = self._backend
        try:
            live, store = backend.live(), backend.store()
        except SitematchError:
            self._info.labels(__version__, "").set(1)
        else:
            self._sample_service(live, store)
        for status in backend.tasks.statuses():  # last: what was just opened has brought its tasks
            self._task_at.labels(status.name).set(backend.now().timestamp() - status.since_success_s)
            self._task_late.labels(status.name).set(status.is_late or not status.is_alive)
            self._add(self._task_runs.labels(status.name), f"runs {status.name}", status.runs)
            self._add(self._task_failures.labels(status.name), f"failures {status.name}", status.failures)

    def _sample_service(self, live: LiveFinders, store: Store) -> None:
        now = self._backend.now()
        self._info.labels(__version__, live.gazetteer.reader.digest[:12]).set(1)
        in_use, idle = store.connections()
        self._connections.labels("in use").set(in_use)
        self._connections.labels("idle").set(idle)
        self._writes.set(store.guards.under_way)
        self._add(self._refused, "refused", store.guards.refused)
        self._feed_at.set(live.feed.looked_at.timestamp())
        for study in live.feed.summaries(now):
            for state, count in (
                ("offered", study.offered),
                ("held", study.held),
                ("screening", study.screening),
                ("enrolled", study.enrolled),
            ):
                self._referrals.labels(study.study_id, state).set(count)
            if study.left is not None:
                self._left.labels(study.study_id).set(study.left)
        for name, count in count_deliveries(store, now).items():
            self._deliveries.labels(name).set(count)

    def _add(self, counter: Counter, name: str, count: int) -> None:
        counter.inc(count - self._counted.get(name, 0))
        self._counted[name] = count


def blueprint(server: ServerMetrics, registry: CollectorRegistry, token: str) -> Documented:
    """Make the route.

    Parameters
    ----------
    server
        Sampled before each answer.
    registry
        What is answered, unless the server's processes share a folder.
    token
        Who sends it may read.
    """
    routes = Documented("metrics")

    @routes.serve(
        "GET",
        "/metrics",
        Operation(
            summary="Read the server's metrics",
            description="In Prometheus's text format, for all worker processes. Needs the token that the operator set "
            "(SITEMATCH_METRICS_TOKEN), as a bearer token.",
            tag="Operation",
            answers={"text/plain": str},
            problems=(problems.NOT_SIGNED_IN,),
        ),
    )
    def read() -> Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise RequestRejected(problem(problems.NOT_SIGNED_IN, "This needs a token: Authorization: Bearer <token>."))
        server.sample()
        body = metrics.render(registry, os.environ.get(metrics.FOLDER))
        response = Response(body, content_type=metrics.CONTENT_TYPE)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
