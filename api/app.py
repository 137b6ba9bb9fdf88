"""The app factory: everything is made here, nothing at import.

Serve it with ``sitematch serve``, or with ``granian --interface wsgi --factory sitematch.wsgi:create_app``.
"""

from __future__ import annotations

import contextlib
import os
from types import TracebackType

from flask import Flask, Response
from granian.utils.proxies import wrap_wsgi_with_proxy_headers
from prometheus_client import CollectorRegistry

from api import access, console, health, metrics, rate_limits
from api.backend import Backend, Clock, utc_now
from api.fhir import bulk as fhir_bulk
from api.fhir import outcome
from api.fhir import routes as fhir_routes
from api.http import compression, cors, docs, errors, headers, hosts, request_log, slashes
from api.http.operations import Documented, Operation
from api.http.request_metrics import RequestMetrics
from api.pages import assets, languages, maps, preferences
from api.pages import routes as page_routes
from api.v1 import (
    accounts,
    allocations,
    capacity,
    clinics,
    coverage,
    demand,
    match_batches,
    matches,
    postcodes,
    referrals,
    reports,
    sites,
    studies,
    webhooks,
)
from sitematch import logs
from sitematch.config import Settings
from sitematch.errors import NotReady
from sitematch.services.finding.finder import Finder

MAX_BODY_BYTES = 64 * 1024
"""More than any request of ours needs; a longer body is refused with 413 before it is read."""


class Service(Flask):
    """Flask, but for its log of exceptions, whose text may hold what a person typed, and for how assets are sent."""

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name)
        self.assets = assets.register(self)

    def send_static_file(self, filename: str) -> Response:
        """Send a style sheet, a script or a picture."""
        return self.assets.send(filename)

    def log_exception(
        self, exc_info: tuple[type, BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> None:
        """Log where an error arose that even the error handlers did not survive."""
        errors.log_unexpected(exc_info[1], errors.new_instance())


def create_app(settings: Settings | None = None, *, finder: Finder | None = None, clock: Clock = utc_now) -> Flask:
    """Make the app.

    Parameters
    ----------
    settings
        Where things are; from the environment if omitted.
    finder
        A finder that is open already; otherwise it is opened from `settings`, now if that is possible and
        at a later request if not.
    clock
        Tells the moment of an answer (aware, UTC).

    Raises
    ------
    InvalidInput
        If a variable of the environment cannot be understood.
    """
    chosen = settings or Settings.from_mapping(os.environ)
    if settings is None:
        # Who gives the settings is a program that has set up its logs itself.
        logs.configure(chosen.log_format, chosen.log_level, facts=request_log.RequestFacts())
    backend = Backend(chosen, clock, finder)
    app = Service(__name__)
    # Counting costs a little, so only who reads the metrics pays for it.
    registry = CollectorRegistry() if chosen.has_metrics else None
    compression.register(app)
    request_log.register(app, chosen, None if registry is None else RequestMetrics(registry).observe)
    app.extensions["sitematch"] = backend
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # Two addresses for one thing help nobody; `slashes` redirects and keeps a POST's body.
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    documents = docs.blueprint()
    lookups = (matches, match_batches, clinics, studies, sites, postcodes, maps, health)
    office = (capacity, referrals, reports, accounts, webhooks, coverage, demand, allocations)
    standards = (fhir_routes, fhir_bulk)
    routes: list[Documented] = [module.blueprint(backend) for module in (*lookups, *office, *standards)]
    routes += [page_routes.blueprint(backend, app.assets), preferences.blueprint(), documents]
    if registry is not None:
        server = metrics.ServerMetrics(backend, registry)
        backend.tasks.watch(server.task().start(at_once=True))
        if chosen.metrics_token:
            routes.append(metrics.blueprint(server, registry, chosen.metrics_token))
    languages.register(app)
    operations: dict[str, Operation] = {}
    for blueprint in routes:
        app.register_blueprint(blueprint)
        operations |= rate_limits.noted(blueprint.operations)
    console_pages = console.blueprint(backend)
    app.register_blueprint(console_pages)
    hosts.register(app, chosen)
    slashes.register(app)
    rate_limits.register(app, chosen, operations)
    access.register(app, backend, operations, {console_pages.name: console.admission(backend, console_pages)})
    rate_limits.register_tokens(app, operations)
    errors.register(app)
    outcome.register(app)
    headers.register(app, backend.settings)
    cors.register(app, backend.settings)
    documents.describe(app, operations)
    if chosen.trusted_proxies:
        app.wsgi_app = wrap_wsgi_with_proxy_headers(app.wsgi_app, list(chosen.trusted_proxies))  # type: ignore[method-assign]
    # If it is not ready, the backend has logged why, and /readyz answers 503 until it is.
    with contextlib.suppress(NotReady):
        backend.finder()
    return app
